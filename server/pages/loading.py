"""Reads what is served, once: after that no path of a request ever reaches the file system."""

import gzip
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from server.pages.folders import Folder

KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".yaml": "application/yaml",
}
"""The files that are served, by the end of their names; a package's code is not."""
INDEX: Final = "index.html"
SMALL_ENOUGH: Final = 0.9
"""A file is sent compressed where that takes less than this part of it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it is sent.

    Attributes:
        kind: its Content-Type.
        policy: its Content-Security-Policy.
        tag: names its content, without quotes: the base of its ETags.
        plain: its bytes.
        packed: the same, compressed by gzip; None where that saves too little.
    """

    kind: str
    policy: str
    tag: str
    plain: bytes
    packed: bytes | None


def load(folders: Iterable[Folder]) -> Mapping[str, Page]:
    """Reads and compresses all files of folders; takes a moment, so not on the event loop.

    Args:
        folders: what to serve; of a path that is in two of them, the first one's file is taken.

    Returns:
        The files by their whole path; a folder's index by the folder's path too.

    Raises:
        FileNotFoundError: a folder is not where it should be: the installation is damaged.
    """
    pages: dict[str, Page] = {}
    for folder in folders:
        top = files(folder.package).joinpath(folder.name)
        if not top.is_dir():
            raise FileNotFoundError(f"{folder.package} has no folder {folder.name}: install wagate again")
        policy = f"{folder.policy}; base-uri 'none'; frame-ancestors 'none'"
        for path, file in _below(top, folder.prefix):
            suffix = path[path.rfind(".") :] if "." in path else ""
            if suffix not in KINDS:
                continue
            page = _page(file.read_bytes(), KINDS[suffix], policy)
            pages.setdefault(path, page)
            if path.endswith("/" + INDEX):
                pages.setdefault(path.removesuffix(INDEX), page)
    return pages


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{path}{entry.name}/")
        else:
            yield path + entry.name, entry


def _page(content: bytes, kind: str, policy: str) -> Page:
    packed = gzip.compress(content, 9, mtime=0)
    return Page(
        kind=kind,
        policy=policy,
        tag=hashlib.sha256(content).hexdigest()[:32],
        plain=content,
        packed=packed if len(packed) < len(content) * SMALL_ENOUGH else None,
    )
