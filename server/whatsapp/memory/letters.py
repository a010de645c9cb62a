"""How what one account sends comes in with another, on the network in memory."""

from dataclasses import replace

from server.whatsapp.acts import Envelope
from server.whatsapp.incoming import Received, Repeated
from server.whatsapp.jid import Jid
from server.whatsapp.memory.accounts import Account, Group
from server.whatsapp.port import Incoming, Sent
from server.whatsapp.stored import UNDECRYPTABLE, StoredContent


def author_of(sender: Account, to: Account | Group) -> Jid:
    """How somebody is named in a chat."""
    return sender.jid if isinstance(to, Group) and not to.by_lid else sender.lid


def envelope_of(
    account: Account, sender: Account, to: Account | Group, sent: Sent, *, by_admin: bool
) -> Envelope:
    """How a message comes in with one of those who get it."""
    from_me = account is sender
    other = to if from_me and isinstance(to, Account) else sender
    author = author_of(sender, to)
    return Envelope(
        chat=to.jid if isinstance(to, Group) else other.lid,
        chat_alternative=None if isinstance(to, Group) else other.jid,
        sender=author,
        sender_alternative=sender.jid if author == sender.lid else sender.lid,
        from_me=from_me,
        timestamp=sent.timestamp,
        by_admin=by_admin,
    )


def received_by(
    account: Account, sender: Account, to: Account | Group, sent: Sent, described: StoredContent
) -> Received:
    """A message as one of those who get it receives it."""
    envelope = envelope_of(account, sender, to, sent, by_admin=False)
    return Received(
        id=sent.id,
        chat=envelope.chat,
        chat_alternative=envelope.chat_alternative,
        sender=envelope.sender,
        sender_alternative=envelope.sender_alternative,
        from_me=envelope.from_me,
        sender_name=sender.name,
        type=described.type,
        body=described.text,
        timestamp=sent.timestamp,
        content=sent.content,
        quoted_id=described.quoted_id,
        mentions=described.mentions,
    )


def as_decrypted(account: Account, incoming: Incoming | None) -> list[Incoming]:
    """What a device makes of a message that may have come in damaged."""
    if incoming is None:
        return []
    if not isinstance(incoming, Received):
        return [incoming]
    placeholder = _placeholder(incoming)
    if account.withheld:
        account.withheld -= 1
        return [placeholder]
    if account.damaged:
        account.damaged -= 1
        return [placeholder, incoming]
    return [incoming]


def once_more(account: Account, incoming: Incoming) -> list[Incoming]:
    """What a device makes of something that it was given before: it can decrypt a message only once."""
    if not isinstance(incoming, Received):
        return [incoming]
    if incoming.id in account.asked:
        account.asked.discard(incoming.id)
        return [_placeholder(incoming), incoming]
    account.repeated[incoming.id] = incoming
    return [Repeated(incoming.id, str(incoming.sender), str(incoming.chat))]


def _placeholder(message: Received) -> Received:
    return replace(message, type=UNDECRYPTABLE, body="", content=b"", quoted_id=None, mentions=())
