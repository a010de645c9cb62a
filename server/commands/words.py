"""Values of the contract in the words of the REST API, for people."""

from datetime import UTC, datetime

from google.protobuf.descriptor import EnumDescriptor

from server.rpc.json_codec import enum_words


def word(enum: EnumDescriptor, number: int) -> str:
    """The API's word for a value of an enum."""
    return next((name for name, value in enum_words(enum).items() if value == number), str(number))


def number_of(enum: EnumDescriptor, name: str) -> int:
    """The value of a word of the API that a command itself uses."""
    return enum_words(enum)[name]


def time_of(at: int | None, *, none: str = "-") -> str:
    """A time in epoch milliseconds, in UTC to the second."""
    if not at:
        return none
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def jid_of(text: str) -> str:
    """The JID that a person means: a number with its country code may stand for the person's.

    Args:
        text: a JID, or a number such as `+49 170 1234567`.
    """
    digits = "".join(c for c in text if c not in " +-()./")
    return f"{digits}@s.whatsapp.net" if digits.isdecimal() and digits.isascii() else text
