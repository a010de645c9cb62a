"""What a webhook's custom headers may be."""

import re
from collections.abc import Mapping
from typing import Final

HEADERS: Final = 20
"""Headers that one webhook may have."""
VALUE_LENGTH: Final = 4000
"""Characters of a header's value: enough for a token."""
OURS: Final = "x-webhook-"
"""How the gateway's own headers begin, which receivers rely on."""
REFUSED: Final = frozenset(
    {
        "connection", "content-encoding", "content-length", "expect", "host", "http2-settings", "keep-alive",
        "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""What HTTP itself is made of: another value would say something else of the connection or the body."""
NAMED: Final = 40
"""Characters of a header's name that a refusal repeats."""

# RFC 9110, 5.1 and 5.5: tokens, and visible ASCII with blanks inside.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE: Final = re.compile(r"([!-~]([ \t!-~]*[!-~])?)?")


def header_problems(headers: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with custom headers, by the field that callers know; empty where nothing is.

    Values are never repeated: they may be tokens.

    Args:
        headers: values by name, as the caller gave them.
    """
    if len(headers) > HEADERS:
        return {"customHeaders": f"at most {HEADERS} headers"}
    problems = {}
    seen: set[str] = set()
    for name, value in headers.items():
        problem = _problem(name, value) or ("given twice" if name.lower() in seen else None)
        if problem is not None:
            problems[f"customHeaders.{name[:NAMED]}"] = problem
        seen.add(name.lower())
    return problems


def _problem(name: str, value: object) -> str | None:
    if not _NAME.fullmatch(name):
        return "no header has such a name: letters, digits and !#$%&'*+-.^_`|~, at most 100"
    if name.lower() in REFUSED:
        return "cannot be given: HTTP itself sets it"
    if name.lower().startswith(OURS):
        return "cannot be given: it is one of the gateway's own"
    if not isinstance(value, str) or len(value) > VALUE_LENGTH or not _VALUE.fullmatch(value):
        return f"must be a string: visible ASCII with blanks inside, at most {VALUE_LENGTH} characters"
    return None
