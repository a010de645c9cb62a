"""Contact cards (vCard 3.0, RFC 2426), as WhatsApp's own clients write them."""

import re
from typing import Final

CARD_LENGTH: Final = 16_384
"""Characters in a card, at most."""

_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()./-]*")
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ",": "\\,", ";": "\\;", "\n": "\\n", "\r": ""})


def digits(phone: str) -> str | None:
    """The digits of a number as people write it, or None where it is none."""
    found = re.sub(r"[^0-9]", "", phone)
    return found if _PHONE.fullmatch(phone.strip()) and 5 <= len(found) <= 15 else None


def card(name: str, number: str) -> str:
    """A card.

    Args:
        name: what it is shown as.
        number: with the country code, digits only. WhatsApp makes it a number to write to.
    """
    shown = name.translate(_ESCAPED)
    lines = (
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:;{shown};;;",
        f"FN:{shown}",
        f"TEL;type=CELL;waid={number}:+{number}",
        "END:VCARD",
    )
    return "\n".join(lines)


def name_of(vcard: str) -> str:
    """What a card is shown as: its FN.

    Raises:
        ValueError: it is no vcard, or one without a name.
    """
    if len(vcard) > CARD_LENGTH:
        raise ValueError(f"a vcard of at most {CARD_LENGTH} characters")
    lines = vcard.strip().splitlines()
    if lines[0].strip().upper() != "BEGIN:VCARD" or lines[-1].strip().upper() != "END:VCARD":
        raise ValueError("not a vcard: it must begin with BEGIN:VCARD and end with END:VCARD")
    for line in lines:
        field, colon, value = line.partition(":")
        if colon and field.partition(";")[0].strip().upper() == "FN" and value.strip():
            return re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], value.strip())
    raise ValueError("a vcard without a name: it needs a line FN:<name>")
