"""Linking a client by a code that its user types on the phone (``link_code_companion_reg``)."""

import asyncio
import re
import secrets
import time
from collections.abc import Callable

from sandbox.accounts import Account
from sandbox.jid import PN_SERVER, SERVER_JID
from sandbox.link_code import KEY_BUNDLE_SIZE, WRAPPED_KEY_SIZE, LinkSecret, TypedCode, WrongCodeError
from sandbox.query import QueryError
from sandbox.stanza import Node

__all__ = ["CODE_SECONDS", "CodePairing"]

CODE_SECONDS = 160
"""How long a code can be typed; WhatsApp keeps an unlinked client for about as long."""

_FINISH_SECONDS = 20
_DISPLAY_NAME = re.compile(r"[^()]+ \([^()]+\)")
_BAD_REQUEST = QueryError(400, "bad-request")


class CodePairing:
    """A client's offer to be linked by a code.

    Args:
        send: Sends a stanza to the client.
        noise: The static key that it proved.
        request: Its ``companion_hello``.

    Attributes:
        number: The phone on which the code is to be typed.
        ref: What identifies the offer.

    Raises:
        QueryError: The offer is malformed.
    """

    def __init__(self, send: Callable[[Node], None], noise: bytes, request: Node) -> None:
        jid = request.jid("jid")
        wrapped = _content(request, "link_code_pairing_wrapped_companion_ephemeral_pub")
        display = _content(request, "companion_platform_display").decode(errors="replace")
        if jid is None or jid.server != PN_SERVER or not jid.user.isdecimal():
            raise _BAD_REQUEST
        if len(wrapped) != WRAPPED_KEY_SIZE or _content(request, "companion_server_auth_key_pub") != noise:
            raise _BAD_REQUEST
        # WhatsApp knows the common browsers and systems; here the form is checked alone.
        if not _DISPLAY_NAME.fullmatch(display):
            raise _BAD_REQUEST
        self.number = jid.user
        self.ref = secrets.token_urlsafe(24).encode()
        self.platform = _content(request, "companion_platform_id").decode(errors="replace")
        self._send = send
        self._wrapped = wrapped
        self._started = time.monotonic()
        self._finished: asyncio.Future[Node] | None = None

    @property
    def expired(self) -> bool:
        """Whether it is too late to type the code."""
        return time.monotonic() > self._started + CODE_SECONDS

    @property
    def busy(self) -> bool:
        """Whether the code was typed just now, and the client has yet to answer."""
        return self._finished is not None and not self._finished.done()

    def accepted(self) -> list[Node]:
        """The answer to the client's offer."""
        ref = Node("link_code_pairing_ref", content=self.ref)
        return [Node("link_code_companion_reg", {"stage": "companion_hello"}, [ref])]

    def finish(self, request: Node) -> list[Node]:
        """Takes the client's ``companion_finish``.

        Raises:
            QueryError: It is malformed, or nobody waits for it.
        """
        waiting = self._finished
        if waiting is None or waiting.done() or _content(request, "link_code_pairing_ref") != self.ref:
            raise _BAD_REQUEST
        if len(_content(request, "link_code_pairing_wrapped_key_bundle")) != KEY_BUNDLE_SIZE:
            raise _BAD_REQUEST
        waiting.set_result(request)
        return []

    async def type(self, account: Account, code: str) -> LinkSecret:
        """Lets an account's phone type the code.

        Args:
            account: Whose phone it is.
            code: The code, normalized.

        Raises:
            WrongCodeError: The code is another one; it can be typed again.
            TimeoutError: The client did not answer.
        """
        self._finished = asyncio.get_running_loop().create_future()
        try:
            typed = await asyncio.to_thread(TypedCode.enter, code, self._wrapped)
        except WrongCodeError:
            self._finished.cancel()
            raise
        self._send(
            Node(
                "notification",
                {
                    "from": SERVER_JID,
                    "type": "link_code_companion_reg",
                    "id": secrets.token_hex(8).upper(),
                    "t": str(int(time.time())),
                },
                [
                    Node(
                        "link_code_companion_reg",
                        {"stage": "primary_hello"},
                        [
                            Node("link_code_pairing_ref", content=self.ref),
                            Node("link_code_pairing_wrapped_primary_ephemeral_pub", content=typed.wrapped),
                            Node("primary_identity_pub", content=account.identity.public),
                        ],
                    )
                ],
            )
        )
        async with asyncio.timeout(_FINISH_SECONDS):
            answer = await self._finished
        return typed.finish(account.identity, _content(answer, "link_code_pairing_wrapped_key_bundle"))

    def end(self) -> None:
        """The client went away."""
        if self._finished is not None and not self._finished.done():
            self._finished.set_exception(TimeoutError("the client went away before it answered"))


def _content(node: Node, tag: str) -> bytes:
    child = node.child(tag)
    return child.data if child else b""
