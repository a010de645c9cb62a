"""What each fault does, in words for the person who switches it on."""

from collections.abc import Mapping
from typing import NamedTuple

from sandbox.faults import KINDS

__all__ = ["FIELD_WORDS", "WORDS", "Words", "catalogue"]


class Words(NamedTuple):
    """What a fault is called and does.

    Attributes:
        about: What it hits: one of ``Connecting``, ``Sending``, ``Receiving``, ``Linking``, ``Groups``.
        title: Its name for people.
        does: One sentence on what the gateway meets.
    """

    about: str
    title: str
    does: str


WORDS: Mapping[str, Words] = {
    "cut": Words(
        "Connecting",
        "Cut the connection",
        "The session's connection is closed without a word, now or while it sends its next message;"
        " the gateway has to connect again by itself.",
    ),
    "freeze": Words(
        "Connecting",
        "Freeze the connection",
        "Nothing goes in or out though the connection stays open, so the gateway has to notice by itself"
        " that the session is dead.",
    ),
    "ping_drop": Words(
        "Connecting",
        "Ignore keep-alives",
        "Keep-alives get no answer while everything else works; the gateway takes the connection for dead.",
    ),
    "refuse": Words(
        "Connecting",
        "Refuse connections",
        "New connections are closed at once, as if WhatsApp were down; the gateway tries again and again.",
    ),
    "connect_failure": Words(
        "Connecting",
        "Refuse logins",
        "The session may not log in: 403 = blocked, 402 = banned for a while, 405 = the client is too old;"
        " its status says who must act.",
    ),
    "stream_error": Words(
        "Connecting",
        "End the session's stream",
        "WhatsApp ends the connection with a reason: 503 and 515 = connect again, replaced = another"
        " connection took over, 401 = the phone unlinked the device for good.",
    ),
    "lag": Words(
        "Connecting",
        "Slow connection",
        "Everything that the session sends arrives some seconds late; the gateway has to be patient.",
    ),
    "silence": Words(
        "Connecting",
        "Fall silent",
        "What the session sends is ignored, and what is for it waits; the gateway gets no answer at all.",
    ),
    "ack_drop": Words(
        "Sending",
        "Lose acknowledgements",
        "Messages arrive, but the gateway is never told so; it must not send them a second time.",
    ),
    "ack_delay": Words(
        "Sending",
        "Late acknowledgements",
        "Messages are acknowledged some seconds late; the gateway waits for each.",
    ),
    "ack_error": Words(
        "Sending",
        "Refuse messages",
        "Messages are refused with a code and do not arrive: 463 = no messages to strangers for now,"
        " 479 = the recipient cannot be written to.",
    ),
    "no_lid": Words(
        "Sending",
        "Hide LIDs",
        "Lookups answer without LIDs, so the gateway cannot address people it has not written to before.",
    ),
    "absent": Words(
        "Sending",
        "Not on WhatsApp",
        "Nobody who looks the number up finds it, as if it were not on WhatsApp.",
    ),
    "duplicate": Words(
        "Receiving",
        "Deliver twice",
        "Each message is delivered twice; the gateway must show it once.",
    ),
    "reorder": Words(
        "Receiving",
        "Deliver out of order",
        "A message is held back until the next one has gone out; the gateway gets the newer one first.",
    ),
    "corrupt": Words(
        "Receiving",
        "Damage messages",
        "Messages reach the session damaged; it cannot read them and asks for each again.",
    ),
    "unavailable": Words(
        "Receiving",
        "Withhold contents",
        "The session learns that there is a message, but not what is in it, as with photos to be seen once.",
    ),
    "slow_offline": Words(
        "Receiving",
        "Slow catching up",
        "What waited while the session was away comes late after its login; what is new comes behind it.",
    ),
    "codes_expired": Words(
        "Linking",
        "Codes too old",
        "Each code is too old when it is scanned or typed; the gateway shows the next one.",
    ),
    "passkey": Words(
        "Linking",
        "Demand a passkey",
        "The account links nothing without a passkey, which the gateway cannot give: linking fails.",
    ),
    "group_refused": Words(
        "Groups",
        "Refuse what is asked about groups",
        "What the session asks about groups is refused with a code.",
    ),
    "add_refused": Words(
        "Groups",
        "Nobody may add",
        "The account cannot be added to a group, by the gateway or by anybody else.",
    ),
}
"""The words of every kind of fault, in the order in which people see them."""

FIELD_WORDS: Mapping[str, str] = {
    "action": "What is refused",
    "ban": "Reason of the ban",
    "code": "Code",
    "delay": "Seconds of delay",
    "delivered": "The message arrives all the same",
    "expire": "Seconds of the ban",
    "pause": "Seconds between two messages",
    "stage": "New connections come as far as",
    "type": "What kind of message it is said to be",
    "when": "When",
}
"""What the kinds' own fields are called."""

_JSON_TYPES: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def catalogue() -> list[dict[str, object]]:
    """Every kind of fault as JSON, with its words and its own fields."""
    return [
        {
            "kind": kind,
            "about": words.about,
            "title": words.title,
            "does": words.does,
            "fields": [
                {
                    "name": name,
                    "label": FIELD_WORDS[name],
                    "types": _types(field.type),
                    "default": field.default,
                    "choices": list(field.choices),
                    "minimum": field.minimum,
                }
                for name, field in KINDS[kind].items()
            ],
        }
        for kind, words in WORDS.items()
    ]


def _types(python: type | tuple[type, ...]) -> list[str]:
    return [_JSON_TYPES[each] for each in (python if isinstance(python, tuple) else (python,))]
