"""The console's QR codes are those of the standard: module by module what segno draws."""

from typing import Any

import segno

from tests.browser.console import Console

FULL = (
    *(17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858),
    *(929, 1003, 1091, 1171, 1273, 1367, 1465, 1528, 1628, 1732, 1840, 1952, 2068, 2188, 2303, 2431),
    *(2563, 2699, 2809, 2953),
)
"""The most bytes that each version holds at level L (ISO/IEC 18004, table 7)."""
ENCODE = """async (text) => {
    const { encode } = await import("/console/qr/encoding.js");
    const { version, mask, rows } = encode(text);
    return { version, mask, rows: rows.map((row) => [...row].join("")) };
}"""


def drawn(text: str, mask: int) -> tuple[int, list[str]]:
    code = segno.make_qr(text, error="l", mode="byte", encoding="utf-8", mask=mask, boost_error=False)
    return int(code.version), ["".join(str(module) for module in row) for row in code.matrix]


def test_every_version_is_the_standards(console: Console) -> None:
    """Filled to the last byte: where there is room, segno begins its padding with a byte of its own."""
    console.open()
    masks = set()
    for version, length in enumerate(FULL, start=1):
        text = ("2@gK7tPlNobw/+kiJu,é" * 200).encode()[:length].decode(errors="ignore")
        text += "x" * (length - len(text.encode()))
        made: dict[str, Any] = console.page.evaluate(ENCODE, text)
        assert made["version"] == version
        assert (made["version"], made["rows"]) == drawn(text, made["mask"])
        masks.add(made["mask"])
    assert len(masks) > 4, "it does not look at the masks"


def test_a_text_that_no_code_holds_is_refused(console: Console) -> None:
    console.open()
    told: str = console.page.evaluate(
        f"(text) => ({ENCODE})(text).then(() => '', (error) => error.name)", "x" * (FULL[-1] + 1)
    )
    assert told == "RangeError"
