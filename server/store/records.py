"""What repositories take and give: plain values without a database behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant. `created_at` is epoch milliseconds."""

    id: str
    name: str
    created_at: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An api-key without its secret. Times are epoch milliseconds.

    Attributes:
        expires_at: from when on it is refused; None for never.
        last_used_at: written lazily, a minute or so behind (`server.auth.last_use`).
    """

    id: str
    organization_id: str
    label: str
    permissions: Sequence[str]
    created_at: int
    revoked_at: int | None
    expires_at: int | None = None
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class UserToken:
    """A token of the WUTS API without its secret. Times are epoch milliseconds.

    Attributes:
        user_name: the user that it stands for, as the operator named them.
        session_id: the only session that it opens.
    """

    id: str
    organization_id: str
    session_id: str
    user_name: str
    created_at: int
    revoked_at: int | None = None
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket without its secret. Times are epoch milliseconds.

    Attributes:
        subject, kind: of whoever asked for it.
        signed_by: the id of the key that signed their login token; "" for an api-key.
        token_expires_at: when that login token ends; None for an api-key.
        sessions: ids of those whose events alone it shows; none of them for all.
        events: names of those that it shows alone; none of them for all.
        expires_at: from when on it opens nothing.
    """

    organization_id: str
    subject: str
    kind: str
    signed_by: str
    token_expires_at: int | None
    sessions: Sequence[str]
    events: Sequence[str]
    expires_at: int


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One change, or the attempt of one, and how it ended. Holds no content and no secret.

    Attributes:
        at: epoch milliseconds.
        organization_id: whose things were to change; "" where that is nobody's.
        actor: the subject of the token, or the system's user for the command line.
        actor_kind: a word of `server.auth.principal.ActorKind`.
        operation: the documented operation id, such as `createSession`.
        target: the ids of what was to change, outermost first, joined by "/".
        outcome: "ok", a word of `server.errors.Code`, or "cancelled".
        request_id: the edge's id of the request; finds it in the logs.
        id: where it stands in the audit; None before it is stored.
    """

    at: int
    organization_id: str
    actor: str
    actor_kind: str
    operation: str
    target: str
    outcome: str
    request_id: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session as stored; its status is not stored but read from the wire.

    Attributes:
        wanted: whether the node shall keep it connected.
        ending: why WhatsApp ended it, or None while it did not.
    """

    id: str
    organization_id: str
    label: str
    auto_read: bool
    presence_typing: bool
    is_admin_session: bool
    created_by: str
    created_at: int
    updated_at: int
    last_connected_at: int | None
    rate_per_min: int
    rate_per_hour: int
    wanted: bool
    phone_number: str | None
    wa_jid: str | None
    wa_lid: str | None
    ending: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a session stands at a moment: an event, where that is not what its readers were told last.

    Attributes:
        status: a word of `server.sessions.state.Status`.
        reason: the word for why it ended, None where it did not.
        message: what happened and who must act, in plain words; None where nobody must.
        wa_jid, wa_lid: the account, None while none is paired.
        gateway_id: the node that holds it, "" while none does.
        at: when that began, epoch milliseconds.
    """

    status: str
    reason: str | None
    message: str | None
    wa_jid: str | None
    wa_lid: str | None
    gateway_id: str
    at: int


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A session that is being paired shows another code: an event. Times are epoch milliseconds."""

    code: str
    expires_at: int
    at: int


News = Standing | ShownCode
"""What readers of the event log are told of a session itself."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A stored conversation. Times are epoch milliseconds."""

    id: int
    session_id: str
    jid: str
    name: str
    last_message_at: int | None
    unread_count: int
    archived: bool
    pinned: bool
    muted_until: int | None


UNDECRYPTABLE: Final = "undecryptable"
"""The API's type of a placeholder: a message came that could not be read."""
MEDIA_TYPES: Final = frozenset({"image", "video", "audio", "document", "sticker"})
"""Messages to which a file belongs, by the API's type."""


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message. Times are epoch milliseconds."""

    id: int
    wa_message_id: str | None
    sender_jid: str
    from_me: bool
    type: str
    body: str
    ack_level: int
    error: str | None
    timestamp: int
    created_at: int
    edited: bool
    deleted: bool
    quoted_id: str | None
    mentions: Sequence[str]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message to act on, with what it was sent or received as.

    Attributes:
        id: the row's.
        content: its `waE2E.Message`, serialised; empty where nobody knows it.
    """

    id: int
    wa_message_id: str
    sender_jid: str
    from_me: bool
    type: str
    body: str
    deleted: bool
    timestamp: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Reaction:
    """One person's reaction to a message. `timestamp` is epoch milliseconds."""

    message_id: int
    sender_jid: str
    emoji: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key, which is its organization's own."""

    organization_id: str
    key: str


@dataclass(frozen=True, slots=True)
class KeptResult:
    """What is kept under an idempotency key.

    Attributes:
        session_id, generation: who reserved it.
        status: how the send ended; None while it is under way, or was when its node ended.
    """

    session_id: str
    generation: int
    status: str | None
    outbox_id: str | None
    wa_message_id: str | None
    timestamp: int | None


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A message that waits to be sent.

    Attributes:
        number: rises in the order of acceptance.
        draft: the caller's message, as composing reads it.
        created_at: when it was accepted, epoch milliseconds.
    """

    number: int
    id: str
    organization_id: str
    session_id: str
    recipient: str
    draft: Mapping[str, object]
    created_at: int


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened, to be appended to an organization's log."""

    organization_id: str
    session_id: str | None
    name: str
    timestamp: int
    payload: Mapping[str, object]
