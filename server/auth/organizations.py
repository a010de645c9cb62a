"""The organizations that login tokens name: the frontend owns them, so that they are made when first seen."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from server.clock import now_ms
from server.errors import Code, WagateError
from server.store.records import Organization

NAME_LENGTH: Final = 128
"""Characters in an organization's name, at most."""
NEW_PER_MINUTE: Final = 60
"""Organizations that one node makes in a minute: what a frontend gone wrong can leave behind."""
REMEMBERED: Final = 10_000
"""Names whose organization is known without a look at the database."""


class OrganizationStore(Protocol):
    """Where organizations are kept; `server.store.api_keys.ApiKeyRepository` is one."""

    async def organization(self, organization: Organization) -> Organization:
        """Returns the organization of that name, storing the given one where there is none."""
        ...

    async def find_organization(self, name: str) -> Organization | None:
        """Returns the organization of that name."""
        ...


class Organizations:
    """Finds organizations by the name that a login token gives, and makes those that it does not know."""

    def __init__(self, store: OrganizationStore, clock: Callable[[], float] = time.monotonic) -> None:
        """Knows those in `store`; `clock` gives seconds that never go back."""
        self._store = store
        self._clock = clock
        self._known: OrderedDict[str, str] = OrderedDict()
        self._minute = clock()
        self._made = 0

    async def known(self, name: str) -> str | None:
        """Returns the id of the organization of that name, or None where it was never seen."""
        if name in self._known:
            self._known.move_to_end(name)
            return self._known[name]
        found = await self._store.find_organization(name)
        return None if found is None else self._remember(found)

    async def of(self, name: str) -> str:
        """Returns the id of the organization of that name, which is made where there is none.

        Raises:
            WagateError: UNAVAILABLE where this node has made too many in the last minute.
        """
        return await self.known(name) or await self._make(name)

    async def _make(self, name: str) -> str:
        now = self._clock()
        if now - self._minute >= 60:
            self._minute, self._made = now, 0
        if self._made >= NEW_PER_MINUTE:
            raise WagateError(
                Code.UNAVAILABLE,
                f"more than {NEW_PER_MINUTE} new organizations appeared in login tokens within a minute: "
                "this one is not made now, try again",
                retry_after=max(1, round(self._minute + 60 - now)),
            )
        self._made += 1
        return self._remember(await self._store.organization(new_organization(name)))

    def _remember(self, organization: Organization) -> str:
        self._known[organization.name] = organization.id
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return organization.id


def is_organization_name(name: object) -> bool:
    """Whether a value can be the name of an organization: printable text of bounded length."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= NAME_LENGTH
        and name.isprintable()
        and not name.startswith(" ")
        and not name.endswith(" ")
    )


def new_organization(name: str) -> Organization:
    """An organization to be stored. Its name is its id: the frontend finds its own id in every answer."""
    return Organization(id=name, name=name, created_at=now_ms())
