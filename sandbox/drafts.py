"""What the control API lets a person send: checked, and completed with what the person knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.control_http import ControlError, number_of, object_field
from sandbox.jid import JID, pn_jid
from sandbox.journal import Journal, Noted

__all__ = ["FIELDS", "Draft", "address"]

_REQUIRED = object()
_Shape = Mapping[str, tuple[type | tuple[type, ...], object]]
_NUMBER = (int, float)

# Per kind: each field's type, and what it is when it is left out.
_SHAPES: Mapping[str, _Shape] = {
    "poll": {"name": (str, _REQUIRED), "options": (list, _REQUIRED), "selectableCount": (int, 1)},
    "location": {"latitude": (_NUMBER, _REQUIRED), "longitude": (_NUMBER, _REQUIRED), "name": (str, "")},
    "contact": {"name": (str, _REQUIRED), "vcard": (str, _REQUIRED)},
    "reaction": {"target": (str, _REQUIRED), "sender": (str, ""), "emoji": (str, _REQUIRED)},
    "edit": {"target": (str, _REQUIRED), "sender": (str, ""), "text": (str, _REQUIRED)},
    "revoke": {"target": (str, _REQUIRED), "sender": (str, "")},
    "vote": {"target": (str, _REQUIRED), "sender": (str, ""), "options": (list, _REQUIRED)},
}
_QUOTED: _Shape = {"id": (str, _REQUIRED), "participant": (str, ""), "text": (str, "")}
_ABOUT_OTHERS = frozenset({"reaction", "edit", "revoke", "vote"})
_SURROUNDINGS = {"quoted": dict, "mentions": list, "forwarded": bool, "forwardingScore": int}

FIELDS: Mapping[str, type] = {
    "to": str,
    "text": str,
    **dict.fromkeys(_SHAPES, dict),
    **_SURROUNDINGS,
}
"""The fields of a message in the control API and their types."""


@dataclass(slots=True, frozen=True)
class Draft:
    """A message that a person is to send.

    Attributes:
        content: ``kind``, what stands under the kind's name (for a text, the text), and of what surrounds it
            ``quoted``, ``mentions``, ``forwarded`` and ``forwardingScore``.
    """

    content: dict[str, Any]

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> "Draft":
        """Checks a message.

        Args:
            fields: Fields of ``FIELDS``; ``to`` is of no interest here.

        Raises:
            ControlError: A field is missing, or too much, or not what it should be.
        """
        kinds = [name for name in ("text", *_SHAPES) if name in fields]
        if len(kinds) != 1:
            raise ControlError(400, f"a message has exactly one of text, {', '.join(_SHAPES)}")
        kind = kinds[0]
        surroundings = {name: fields[name] for name in _SURROUNDINGS if name in fields}
        if surroundings and kind in _ABOUT_OTHERS:
            raise ControlError(400, f"{', '.join(surroundings)} cannot go with {kind}")
        if kind == "text":
            if not fields["text"]:
                raise ControlError(400, "the field text is empty")
            return cls({"kind": kind, "text": fields["text"], **_checked(surroundings)})
        value = _shaped(fields[kind], _SHAPES[kind], kind)
        if "options" in value:
            _texts(value["options"], f"options of {kind}")
        return cls({"kind": kind, kind: value, **_checked(surroundings)})

    async def complete(
        self, journal: Journal, number: str, addressed: Callable[[JID], JID]
    ) -> dict[str, Any]:
        """The content with everything that the client must name.

        Args:
            journal: Where the person's other messages are looked up.
            number: The person's phone number.
            addressed: How an account is addressed in the chat.

        Raises:
            ControlError: The person knows no message with the id, and its sender was not given either.
        """
        content = dict(self.content)
        kind = content["kind"]
        if kind in _ABOUT_OTHERS:
            about = content[kind]
            noted = await _found(journal, number, about["target"], about["sender"])
            content[kind] = {**about, "sender": str(addressed(noted.sender)), "fromMe": noted.from_me}
        if "quoted" in content:
            quoted = content["quoted"]
            noted = await _found(journal, number, quoted["id"], quoted["participant"])
            content["quoted"] = {
                "id": noted.id,
                "participant": str(addressed(noted.sender)),
                "text": quoted["text"] or noted.text,
            }
        return content


def address(text: str) -> JID:
    """An account or group, from a phone number or a JID.

    Raises:
        ControlError: It is neither.
    """
    if "@" not in text:
        return pn_jid(number_of(text))
    try:
        return JID.parse(text).account
    except ValueError as error:
        raise ControlError(400, str(error)) from error


async def _found(journal: Journal, number: str, message_id: str, sender: str) -> Noted:
    if sender:
        jid = address(sender)
        return Noted(message_id, jid, jid == pn_jid(number), "")
    noted = await journal.find(number, message_id)
    if noted is None:
        raise ControlError(
            404, f"{number} has neither heard nor sent {message_id}; name its sender to point at it anyway"
        )
    return noted


def _checked(surroundings: Mapping[str, Any]) -> dict[str, Any]:
    checked = dict(surroundings)
    if "quoted" in checked:
        checked["quoted"] = _shaped(checked["quoted"], _QUOTED, "quoted")
    if "mentions" in checked:
        checked["mentions"] = [str(address(each)) for each in _texts(checked["mentions"], "mentions")]
    if "forwardingScore" in checked and not checked.get("forwarded"):
        raise ControlError(400, "a forwardingScore goes with forwarded: true")
    return checked


def _shaped(value: object, shape: _Shape, where: str) -> dict[str, Any]:
    fields = object_field(value, {name: types for name, (types, _) in shape.items()}, where)
    shaped = {name: fields.get(name, default) for name, (_, default) in shape.items()}
    missing = [name for name, value in shaped.items() if value is _REQUIRED]
    if missing:
        raise ControlError(400, f"{where} lacks {', '.join(missing)}")
    return shaped


def _texts(values: list[Any], where: str) -> list[str]:
    if not all(isinstance(value, str) and value for value in values):
        raise ControlError(400, f"{where} must be a list of texts")
    return values
