"""Records with everything filled in, for tests that care about one field."""

from ulid import ULID

from server.store.arrival_records import NewMessage
from server.store.records import Session
from server.store.webhooks import RetryPolicy, Webhook, new_id


def a_session(organization_id: str = "org", session_id: str | None = None) -> Session:
    """A session that was just created."""
    return Session(
        id=session_id if session_id is not None else str(ULID()),
        organization_id=organization_id,
        label="",
        auto_read=False,
        presence_typing=False,
        is_admin_session=False,
        created_by="key",
        created_at=1,
        updated_at=1,
        last_connected_at=None,
        rate_per_min=20,
        rate_per_hour=600,
        wanted=False,
        phone_number=None,
        wa_jid=None,
        wa_lid=None,
        ending=None,
    )


def a_message(
    session_id: str,
    wa_message_id: str | None,
    *,
    chat_jid: str = "628120000001@s.whatsapp.net",
    sender_jid: str = "628120000001@s.whatsapp.net",
    from_me: bool = False,
    timestamp: int = 1_000,
    created_at: int = 1_000,
    body: str = "hello",
    chat_name: str = "",
    address: tuple[str, str] | None = None,
) -> NewMessage:
    """A message that came in; `address` is a (LID, phone-number JID) pair that came with it."""
    return NewMessage(
        session_id=session_id,
        chat_jid=chat_jid,
        chat_name=chat_name,
        wa_message_id=wa_message_id,
        sender_jid=sender_jid,
        from_me=from_me,
        type="text",
        body=body,
        ack_level=0,
        error=None,
        timestamp=timestamp,
        created_at=created_at,
        content=b"\x0a\x05hello",
        lid=address[0] if address else None,
        phone_jid=address[1] if address else None,
    )


def a_webhook(
    organization_id: str = "org",
    url: str = "https://receiver.example/events",
    *,
    webhook_id: str | None = None,
    session_id: str | None = None,
    events: tuple[str, ...] = ("*",),
    active: bool = True,
    secret: str | None = None,
) -> Webhook:
    """An endpoint that was just made."""
    return Webhook(
        id=webhook_id if webhook_id is not None else new_id(),
        organization_id=organization_id,
        url=url,
        events=events,
        session_id=session_id,
        active=active,
        secret=secret,
        custom_headers={},
        policy=RetryPolicy.EXPONENTIAL,
        delay_seconds=2,
        attempts=15,
        created_at=1,
        updated_at=1,
    )
