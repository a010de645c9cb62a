"""JIDs: how WhatsApp names people and groups."""

import re
from dataclasses import dataclass
from typing import Final

PHONE: Final = "s.whatsapp.net"
"""A person by phone number."""
LID: Final = "lid"
"""A person by the number that hides the phone's."""
GROUP: Final = "g.us"
"""A group."""

_FORMS: Final = {
    # E.164 numbers have up to 15 digits; the shortest in use have 5 or more.
    PHONE: re.compile(r"[1-9][0-9]{4,14}"),
    LID: re.compile(r"[1-9][0-9]{3,19}"),
    # New groups have one number, old ones "<creator>-<time>".
    GROUP: re.compile(r"[0-9]{5,25}(-[0-9]{5,15})?"),
}


@dataclass(frozen=True, slots=True)
class Jid:
    """A person or group. Devices are not part of it: a chat is with a person, not a phone.

    Attributes:
        user: the part before the @.
        server: PHONE, LID, GROUP, or another server of WhatsApp's.
    """

    user: str
    server: str

    def __str__(self) -> str:
        """`user@server`."""
        return f"{self.user}@{self.server}"

    @property
    def is_group(self) -> bool:
        """Whether it names a group."""
        return self.server == GROUP

    @property
    def is_lid(self) -> bool:
        """Whether it names a person by LID."""
        return self.server == LID


def parse_jid(text: str) -> Jid:
    """Reads a JID that a caller gave.

    Args:
        text: `628...@s.whatsapp.net`, `...@lid` or `...@g.us`. A device part (`628...:12@...`) is
            dropped.

    Raises:
        ValueError: it is none of these; the message says what is wrong.
    """
    user, at, server = text.partition("@")
    if not at:
        raise ValueError("not a JID: expected <number>@s.whatsapp.net, <number>@lid or <id>@g.us")
    form = _FORMS.get(server)
    if form is None:
        raise ValueError("not a JID of a person or group: it must end in @s.whatsapp.net, @lid or @g.us")
    if server != GROUP:
        user, colon, device = user.partition(":")
        if colon and not re.fullmatch("[0-9]{1,4}", device):
            raise ValueError("not a JID: the device part after ':' must be a number")
    if not form.fullmatch(user):
        raise ValueError(f"not a JID: '@{server}' must follow digits without '+', spaces or leading zeros")
    return Jid(user, server)
