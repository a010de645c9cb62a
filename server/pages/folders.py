"""Which folders are served, and where: a line each.

The edge's routes are generated from this list as well (`make gen`).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of an installed package, with everything below it.

    Attributes:
        prefix: the path below which its files are, with a slash at both ends. `index.html` is what the
            prefix itself shows; so in folders below.
        package: an importable package that brings it along, such as `server.pages`.
        name: the folder's path in the package, with `/` between its parts; "" is the package itself.
        policy: the Content-Security-Policy of its files. `frame-ancestors` and `base-uri` are added.
    """

    prefix: str
    package: str
    name: str
    policy: str


CONSOLE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
    " connect-src 'self'; manifest-src 'self'; form-action 'none';"
    # Not even the console itself can make HTML, and so code, of what a message says.
    " require-trusted-types-for 'script'; trusted-types 'none'"
)

REFERENCE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'none'"
)
"""The viewer's style sheet has its icons in it, as `data:`. The viewer makes HTML of the document's Markdown,
which it cleans itself: Trusted Types would refuse that."""
_VIEWER: Final = "mkdocs_swagger_ui_tag"

FOLDERS: Final = (
    Folder("/console/", "server.pages", "console", CONSOLE_POLICY),
    Folder("/docs/", "server.pages", "docs", REFERENCE_POLICY),
    Folder("/docs/viewer/javascripts/", _VIEWER, "swagger-ui/javascripts", REFERENCE_POLICY),
    Folder("/docs/viewer/stylesheets/", _VIEWER, "swagger-ui/stylesheets", REFERENCE_POLICY),
)
"""In the order in which a path that two of them have is looked up: the first one wins."""
