"""From what a caller wants sent to what the port can send."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.errors import Code, WagateError, invalid, invalid_fields
from server.messages import vcards
from server.whatsapp.content import Contact as ContactCard
from server.whatsapp.content import Content, Location, Poll, Quote, Text
from server.whatsapp.jid import Jid, parse_jid

TEXT_LENGTH: Final = 65_536
"""Characters in a text, at most: WhatsApp's own limit."""
QUESTION_LENGTH: Final = 255
"""Characters in a poll's question, at most: what WhatsApp's own clients allow."""
OPTION_LENGTH: Final = 100
"""Characters in a poll's option, at most: what WhatsApp's own clients allow."""
OPTIONS: Final = (2, 12)
"""Options of a poll, at least and at most: what WhatsApp's own clients allow."""
NAME_LENGTH: Final = 1_000
"""Characters in a place's or a contact's name, at most."""
MENTIONS: Final = 1_024
"""People in one message's mentions, at most: as many as a group can have."""
MEDIA_TYPES: Final = frozenset({"image", "video", "audio", "document", "sticker"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as its caller wrote it: `type` decides which other fields matter.

    Attributes:
        to: the recipient's JID.
        type: a word of the API's message types, "" where none was given.
        text: for type text.
        reply_to: the WhatsApp id of the message that a text answers, "" for none.
        mentions: JIDs.
        name: a poll's question or a place's label.
        options: a poll's answers.
        selectable_count: how many of them a voter may pick; 0 means all of them.
        latitude, longitude: decimal degrees.
        contact: {"name", "phone"} or a vcard.
    """

    to: str
    type: str
    text: str = ""
    reply_to: str = ""
    mentions: Sequence[str] = ()
    name: str = ""
    options: Sequence[str] = ()
    selectable_count: int = 0
    latitude: float | None = None
    longitude: float | None = None
    contact: object = None


@dataclass(frozen=True, slots=True)
class Composition:
    """A checked draft.

    Attributes:
        content: what to send; a quote is still missing in it.
        reply_to: the WhatsApp id of the message to quote, or "".
    """

    to: Jid
    content: Content
    reply_to: str = ""

    def quoting(self, quote: Quote) -> Content:
        """The content with its quote."""
        if not isinstance(self.content, Text):
            raise TypeError("only texts quote")
        return Text(self.content.text, quote, self.content.mentions)


_Problems = dict[str, str]


def compose(draft: Draft) -> Composition:
    """Checks a draft and makes its content.

    Raises:
        WagateError: NOT_IMPLEMENTED for a type that cannot be sent yet, whatever else is wrong;
            VALIDATION_ERROR naming every field that is missing or wrong.
    """
    if draft.type in MEDIA_TYPES:
        raise WagateError(
            Code.NOT_IMPLEMENTED, f"messages of type {draft.type} cannot be sent yet", {"type": draft.type}
        )
    problems: _Problems = {}
    recipient = _jid(draft.to, "to", "required: the recipient's JID", problems)
    content: Content | None = None
    if not draft.type:
        problems["type"] = "required: the kind of message, such as text"
    elif draft.type not in _MAKERS:
        problems["type"] = f"must be one of {', '.join(_MAKERS)}"
    else:
        content = _MAKERS[draft.type](draft, problems)
    if problems or recipient is None or content is None:
        raise invalid_fields(problems)
    return Composition(recipient, content, draft.reply_to if isinstance(content, Text) else "")


def check_text(text: str) -> str | None:
    """What is wrong with a text, or None."""
    if not text:
        return "required for type text"
    if len(text) > TEXT_LENGTH:
        return f"at most {TEXT_LENGTH} characters, these are {len(text)}"
    return None


def recipient_of(text: str, field: str) -> Jid:
    """Reads a required JID.

    Raises:
        WagateError: VALIDATION_ERROR naming `field`.
    """
    problems: _Problems = {}
    jid = _jid(text, field, "required: a JID", problems)
    if jid is None:
        raise invalid(field, problems[field])
    return jid


def _jid(text: str, field: str, missing: str, problems: _Problems) -> Jid | None:
    if not text:
        problems[field] = missing
        return None
    try:
        return parse_jid(text)
    except ValueError as error:
        problems[field] = str(error)
        return None


def _text(draft: Draft, problems: _Problems) -> Text | None:
    problem = check_text(draft.text)
    if problem is not None:
        problems["text"] = problem
    if len(draft.mentions) > MENTIONS:
        problems["mentions"] = f"at most {MENTIONS} people"
        return None
    mentions = [
        _jid(mention, f"mentions[{index}]", "must not be empty", problems)
        for index, mention in enumerate(draft.mentions)
    ]
    return Text(draft.text, None, tuple(jid for jid in mentions if jid is not None))


def _poll(draft: Draft, problems: _Problems) -> Poll | None:
    _check_name(draft.name, QUESTION_LENGTH, "required for type poll: the question", problems)
    least, most = OPTIONS
    if not least <= len(draft.options) <= most:
        problems["options"] = f"required for type poll: {least} to {most} answers"
        return None
    for index, option in enumerate(draft.options):
        if not option.strip():
            problems[f"options[{index}]"] = "must not be empty"
        elif len(option) > OPTION_LENGTH:
            problems[f"options[{index}]"] = f"at most {OPTION_LENGTH} characters"
    if len(set(draft.options)) != len(draft.options):
        problems["options"] = "the same answer stands twice"
    if not 0 <= draft.selectable_count <= len(draft.options):
        problems["selectableCount"] = "between 0 (any number) and the number of options"
    return Poll(draft.name, tuple(draft.options), draft.selectable_count)


def _location(draft: Draft, problems: _Problems) -> Location | None:
    for field, value, most in (("latitude", draft.latitude, 90), ("longitude", draft.longitude, 180)):
        if value is None:
            problems[field] = "required for type location"
        elif not -most <= value <= most:
            problems[field] = f"degrees between -{most} and {most}"
    _check_name(draft.name, NAME_LENGTH, None, problems)
    if draft.latitude is None or draft.longitude is None:
        return None
    return Location(draft.latitude, draft.longitude, draft.name)


def _contact(draft: Draft, problems: _Problems) -> ContactCard | None:
    contact = draft.contact
    if isinstance(contact, str) and contact.strip():
        try:
            return ContactCard(vcards.name_of(contact), contact)
        except ValueError as error:
            problems["contact"] = str(error)
            return None
    if isinstance(contact, Mapping):
        return _card(contact, problems)
    problems["contact"] = 'required for type contact: {"name", "phone"} or a vcard'
    return None


def _card(contact: Mapping[str, object], problems: _Problems) -> ContactCard | None:
    unknown = sorted(set(contact) - {"name", "phone"})
    if unknown:
        problems["contact"] = f"unknown field {unknown[0][:100]}: name and phone are known"
        return None
    name, phone = contact.get("name"), contact.get("phone")
    if not isinstance(name, str) or not name.strip():
        problems["contact.name"] = "required: what the card is shown as"
    else:
        _check_name(name, NAME_LENGTH, None, problems, field="contact.name")
    number = vcards.digits(phone) if isinstance(phone, str) else None
    if number is None:
        problems["contact.phone"] = "required: the number with its country code, such as +62 812 3456 7890"
    if not isinstance(name, str) or number is None:
        return None
    return ContactCard(name, vcards.card(name, number))


def _check_name(
    name: str, longest: int, missing: str | None, problems: _Problems, *, field: str = "name"
) -> None:
    if missing is not None and not name.strip():
        problems[field] = missing
    elif len(name) > longest:
        problems[field] = f"at most {longest} characters, these are {len(name)}"


_MAKERS: Final[Mapping[str, Callable[[Draft, _Problems], Content | None]]] = {
    "text": _text,
    "poll": _poll,
    "location": _location,
    "contact": _contact,
}
