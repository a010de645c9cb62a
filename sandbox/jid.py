"""JIDs: the addresses of WhatsApp."""

import re
from typing import NamedTuple, Self

__all__ = ["GROUP_SERVER", "JID", "LID_SERVER", "PN_SERVER", "SERVER_JID", "lid_jid", "pn_jid"]

PN_SERVER = "s.whatsapp.net"
"""Server part of a phone-number JID."""

LID_SERVER = "lid"
"""Server part of a LID, the number-hiding address of the same account."""

GROUP_SERVER = "g.us"

_TEXT = re.compile(r"(?:(?P<user>[0-9A-Za-z_-]+)(?::(?P<device>[0-9]{1,3}))?@)?(?P<server>[a-z.]+)")


class JID(NamedTuple):
    """An address on WhatsApp.

    Attributes:
        user: Phone number (digits), LID or group id; empty for a server itself.
        server: The domain, such as ``s.whatsapp.net`` or ``lid``.
        device: 0 for the account (or its phone), 1-255 for a linked device.
    """

    user: str
    server: str
    device: int = 0

    def __str__(self) -> str:
        if not self.user:
            return self.server
        device = f":{self.device}" if self.device else ""
        return f"{self.user}{device}@{self.server}"

    @property
    def account(self) -> "JID":
        """The same address without its device."""
        return JID(self.user, self.server) if self.device else self

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the usual text form.

        Args:
            text: ``user@server``, ``user:device@server`` or a bare server.

        Raises:
            ValueError: The text is no JID.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no JID: expected user@server or user:device@server")
        device = int(match["device"] or 0)
        if device > 255:
            raise ValueError(f"{text!r} is no JID: a device is 0-255")
        return cls(match["user"] or "", match["server"], device)


SERVER_JID = JID("", PN_SERVER)
"""The network itself. On the wire it must be a JID with an empty user, never a plain string."""


def pn_jid(number: str, device: int = 0) -> JID:
    """The phone-number JID of an account or one of its devices."""
    return JID(number, PN_SERVER, device)


def lid_jid(lid: str, device: int = 0) -> JID:
    """The LID of an account or one of its devices."""
    return JID(lid, LID_SERVER, device)
