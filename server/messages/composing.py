"""From what a caller wants sent to what the port can send."""

from dataclasses import dataclass
from typing import Final

from server.errors import Code, WagateError, invalid_fields
from server.whatsapp.content import Content, Text
from server.whatsapp.jid import Jid, parse_jid

TEXT_LENGTH: Final = 65_536
"""Characters in a text, at most: WhatsApp's own limit."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as its caller wrote it.

    Attributes:
        to: the recipient's JID.
        type: a word of the API's message types, "" where none was given.
        text: for type text.
        unbuilt: names of given fields that cannot be sent yet. They are refused, not left out.
    """

    to: str
    type: str
    text: str
    unbuilt: tuple[str, ...] = ()


def compose(draft: Draft) -> tuple[Jid, Content]:
    """Checks a draft and makes its content.

    Raises:
        WagateError: NOT_IMPLEMENTED for a type or field that is not built yet, whatever else is wrong;
            VALIDATION_ERROR naming every field that is missing or wrong.
    """
    if draft.type not in {"", "text"}:
        raise WagateError(
            Code.NOT_IMPLEMENTED, f"messages of type {draft.type} cannot be sent yet", {"type": draft.type}
        )
    if draft.unbuilt:
        named = " and ".join(draft.unbuilt)
        raise WagateError(
            Code.NOT_IMPLEMENTED, f"{named} cannot be sent yet", {"fields": list(draft.unbuilt)}
        )
    problems: dict[str, str] = {}
    recipient = None
    if not draft.to:
        problems["to"] = "required: the recipient's JID"
    else:
        try:
            recipient = parse_jid(draft.to)
        except ValueError as error:
            problems["to"] = str(error)
    if not draft.type:
        problems["type"] = "required: the kind of message, such as text"
    elif not draft.text:
        problems["text"] = "required for type text"
    elif len(draft.text) > TEXT_LENGTH:
        problems["text"] = f"at most {TEXT_LENGTH} characters, these are {len(draft.text)}"
    if problems or recipient is None:
        raise invalid_fields(problems)
    return recipient, Text(draft.text)
