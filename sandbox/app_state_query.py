"""Answers the queries by which clients fetch and change app state (``w:sync:app:state``)."""

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from sandbox.app_state import COLLECTIONS, MAX_MUTATIONS, ConflictError
from sandbox.companions import take_patch
from sandbox.query import QueryError
from sandbox.stanza import Node, Value
from sandbox.wire_protos import SyncdPatch

if TYPE_CHECKING:
    from sandbox.session import Session

__all__ = ["sync"]

_PATCHES = 100
"""Patches in one answer; the client asks again while there are more."""

_BAD_REQUEST = QueryError(400, "bad-request")


def sync(session: "Session", iq: Node) -> list[Node]:
    """Answers what is new in each collection that is asked for, and takes over the patches in it.

    A whole snapshot is never answered: it would be a file on a media host. All patches since the first one
    say the same.
    """
    request = iq.child("sync")
    if request is None:
        raise _BAD_REQUEST
    return [Node("sync", content=[_collection(session, asked) for asked in request.children])]


def _collection(session: "Session", asked: Node) -> Node:
    name = asked.text("name")
    known = asked.text("version") or "0"
    if asked.tag != "collection" or name not in COLLECTIONS or not known.isdecimal():
        raise _BAD_REQUEST
    offered = asked.child("patch")
    if offered is None:
        return _news(session, name, int(known))
    try:
        version = take_patch(session.network, session.device, name, int(known), _patch(offered))
    except ConflictError:
        answer = _news(session, name, int(known))
        answer.attrs["type"] = "error"
        conflict = QueryError(409, "conflict").node()
        return Node("collection", answer.attrs, [conflict, *answer.children])
    return Node("collection", {"name": name, "version": str(version)})


def _news(session: "Session", name: str, known: int) -> Node:
    app_state = session.network.app_states.of(session.device.account)
    version = app_state.version(name)
    patches = app_state.since(name, known, _PATCHES)
    more = version > known + len(patches)
    attrs: dict[str, Value] = {
        "name": name,
        "version": str(version),
        "has_more_patches": "true" if more else "false",
    }
    if not patches:
        return Node("collection", attrs)
    listed = [Node("patch", content=patch) for patch in patches]
    return Node("collection", attrs, [Node("patches", content=listed)])


def _patch(offered: Node) -> SyncdPatch:
    try:
        patch = SyncdPatch.FromString(offered.data)
    except DecodeError as error:
        raise _BAD_REQUEST from error
    if len(patch.mutations) > MAX_MUTATIONS:
        raise QueryError(413, "request-entity-too-large")
    return patch
