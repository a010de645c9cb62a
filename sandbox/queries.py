"""Finds who answers a query (iq stanza) of a logged-in device."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandbox import app_state_query, group_queries, housekeeping, prekeys, usync
from sandbox.jid import SERVER_JID
from sandbox.query import Handler, QueryError
from sandbox.stanza import Node, Value

if TYPE_CHECKING:
    from sandbox.session import Session

__all__ = ["answer"]

_log = logging.getLogger(__name__)

_HANDLERS: Mapping[tuple[str, str], Handler] = {
    **housekeeping.HANDLERS,
    ("encrypt", "get"): prekeys.get,
    ("encrypt", "set"): prekeys.publish,
    ("usync", "get"): usync.get,
    ("w:g2", "get"): group_queries.get,
    ("w:g2", "set"): group_queries.set_,
    ("w:sync:app:state", "get"): app_state_query.sync,
    ("w:sync:app:state", "set"): app_state_query.sync,
}
"""Handlers by namespace and type."""


def answer(session: "Session", iq: Node) -> Node | None:
    """Answers a query.

    Args:
        session: Who asks.
        iq: The query.

    Returns:
        The answer, or None for a stanza that is an answer itself.
    """
    kind = iq.text("type")
    if kind not in {"get", "set"}:
        return None
    attrs: dict[str, Value] = {"from": iq.jid("to") or SERVER_JID, "id": iq.text("id")}
    handler = _HANDLERS.get((iq.text("xmlns"), kind), _unknown)
    try:
        content = handler(session, iq)
    except QueryError as error:
        return Node("iq", {**attrs, "type": "error"}, [error.node()])
    return Node("iq", {**attrs, "type": "result"}, content or None)


def _unknown(session: "Session", iq: Node) -> list[Node]:
    _log.debug("%s asks what nobody answers here: %r", session.device.pn, iq)
    raise QueryError(501, "feature-not-implemented")
