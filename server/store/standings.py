"""What the event log tells of sessions: each change of where one stands, and each code that it shows."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, case, select, update

from server.store.events import append_events
from server.store.records import NewEvent, News, ShownCode, Standing
from server.store.tables import SessionRow, table_of

_session = table_of(SessionRow)

SESSION_STATUS: Final = "session.status"
"""The event of a session that stands elsewhere than before."""
AUTH_QR: Final = "auth.qr"
"""The event of a code that a session shows."""

AT_REST: Final[ColumnElement[str]] = case(
    (and_(_session.c.wanted, _session.c.wa_jid.is_not(None)), "starting"),
    (_session.c.ending == "logged_out", "logged_out"),
    (_session.c.ending.is_not(None), "failed"),
    else_="stopped",
)
"""The status of a session that no node holds: what `server.sessions.state.status_of` says of one at rest."""


def tell(
    connection: Connection, session_id: str, news: Sequence[News], *, generation: int | None = None
) -> bool:
    """Appends events for what is new of a session.

    A standing is an event only where its status is not the one that was told last, by whichever node: so
    each change is told once, and what nobody told because a node died is told by the next one.

    Args:
        connection: the transaction's.
        session_id: which.
        news: in their order.
        generation: of the lease under which it is told; None for what anybody may tell.

    Returns:
        Whether the session is still there, and no newer lease has been acquired.
    """
    wanted = _session.c.id == session_id
    if generation is not None:
        wanted &= _session.c.owner_generation == generation
    found = connection.execute(
        select(_session.c.organization_id, _session.c.told_status).where(wanted).with_for_update()
    ).one_or_none()
    if found is None:
        return False
    told = found.told_status
    events = []
    for item in news:
        if isinstance(item, ShownCode):
            payload: Mapping[str, object] = {"code": item.code, "expiresAt": item.expires_at}
            events.append(NewEvent(found.organization_id, session_id, AUTH_QR, item.at, payload))
        elif item.status != told:
            payload = _payload(item, told)
            events.append(NewEvent(found.organization_id, session_id, SESSION_STATUS, item.at, payload))
            told = item.status
    if told != found.told_status:
        connection.execute(update(_session).where(_session.c.id == session_id).values(told_status=told))
    append_events(connection, events)
    return True


def _payload(standing: Standing, previous: str) -> Mapping[str, object]:
    return {
        "status": standing.status,
        "previous": previous,
        "reason": standing.reason,
        "message": standing.message,
        "waJid": standing.wa_jid,
        "waLid": standing.wa_lid,
        "gatewayId": standing.gateway_id,
    }
