"""What it costs to know who calls and to remember what they did, per call."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from server.auth.access import Access, access_of
from server.auth.authenticator import Authenticator
from server.auth.keys import ApiKeys
from server.auth.principal import Capability
from server.auth.trust import TRUST_SECONDS
from server.config import Settings
from server.store import schema
from server.store.api_keys import ApiKeyRepository
from server.store.database import open_database
from server.store.records import AuditLine
from tests.support.frontend import AUDIENCE, ISSUER, Frontend, frontend, mint

COUNT = 2000
ROUNDS = 3


class Clock:
    """A clock that can make every call the first of its second."""

    def __init__(self) -> None:
        """Stands still at first."""
        self.step = 0.0
        self._now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        self._now += self.step
        return self._now


def measure(folder: Path) -> dict[str, float]:
    """Measures in this process, on a database of its own.

    Returns:
        Seconds per call, by what is measured; the best of ROUNDS, which other work on the machine
        touches least.
    """
    with frontend() as front, (folder / "auth.log").open("w") as stream:
        # As in a node, every line of the audit is one of the log.
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger = logging.getLogger("server.auth.audit")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            return asyncio.run(_measure(folder, front))
        finally:
            logger.removeHandler(handler)


async def _measure(folder: Path, front: Frontend) -> dict[str, float]:
    settings = Settings(
        data_dir=folder / "auth", jwks_url=front.url, jwt_issuer=ISSUER, jwt_audience=AUDIENCE
    )
    database = open_database(settings.database)
    await schema.upgrade(database)
    access = access_of(settings, database)
    access.open()
    keys = ApiKeys(ApiKeyRepository(database))
    _, secret = await keys.create(organization="bench", permissions=Capability, label="")
    clock = Clock()
    authenticator = Authenticator(keys, clock, logins=access.logins)
    tokens = {
        "api-key": secret,
        "login token, RS256": mint("rsa", "RS256", exp=time.time() + 3600),
        "login token, ES256": mint("ec", "ES256", exp=time.time() + 3600),
        "login token, EdDSA": mint("ed", "EdDSA", exp=time.time() + 3600),
    }
    found: dict[str, float] = {}
    for name, token in tokens.items():
        call = partial(authenticator.authenticate, {"authorization": f"Bearer {token}"})
        for kind, step in (("every call", 0.0), ("once a second", TRUST_SECONDS)):
            clock.step = step
            found[f"{name}, {kind}"] = await _best(call)
    found["a line of the audit, behind the answer"] = await _noted(access)
    found["a line of the audit, before the answer"] = await _best(lambda: access.audit.record(_line()))
    await access.close()
    await database.close()
    return found


async def _best(call: Callable[[], Awaitable[object]]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(COUNT):
            await call()
        best = min(best, (time.perf_counter() - began) / COUNT)
    return best


async def _noted(access: Access) -> float:
    """CPU seconds of the process per line, with the transactions that store them."""
    began = time.process_time()
    for number in range(ROUNDS * COUNT):
        access.audit.note(_line())
        if number % 100 == 0:
            await asyncio.sleep(0)
    for task in asyncio.all_tasks():
        if task.get_name() == "audit-write":
            await task
    return (time.process_time() - began) / (ROUNDS * COUNT)


def _line() -> AuditLine:
    session = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    return AuditLine(1, "bench", "user_1", "jwt", "sendMessage", session, "ok", os.urandom(16).hex())
