"""What the network in memory tells beside messages."""

from server.clock import now_ms
from server.whatsapp.happenings import (
    CallState,
    CallTold,
    GroupChange,
    GroupChanged,
    Named,
    PresenceShown,
    PresenceState,
)
from server.whatsapp.memory.accounts import Account, Group
from server.whatsapp.memory.letters import author_of
from server.whatsapp.memory.network import MemoryNetwork
from server.whatsapp.port import ChatState


def tell_typing(network: MemoryNetwork, account: Account, chat: Account | Group, state: ChatState) -> None:
    """Shows a chat state to whoever else in the chat is connected."""
    person = _named(account, chat)
    shown = PresenceShown(
        chat=chat.jid if isinstance(chat, Group) else account.lid,
        chat_alternative=None if isinstance(chat, Group) else account.jid,
        person=person.jid,
        person_alternative=person.alternative,
        state=PresenceState(state),
    )
    for other in network.others(account, chat):
        for client in network.clients_of(other):
            client.tell(shown)


def tell_joined(network: MemoryNetwork, account: Account, group: Group) -> None:
    """Tells an account that it is a member now."""
    network.deliver(account, GroupChanged(group.jid, GroupChange.JOINED, None, (), "", 0, group.subject))


def rename(network: MemoryNetwork, group: Group, subject: str, *, by: Account) -> None:
    """A member gives a group another name; all of them are told."""
    group.subject = subject
    changed = GroupChanged(
        group.jid, GroupChange.SUBJECT, _named(by, group), (), subject, _whole_seconds(), subject
    )
    for number in group.members:
        network.deliver(network.account(number), changed)


def ring(network: MemoryNetwork, caller: Account, callee: Account, *, video: bool) -> str:
    """Somebody calls an account; returns the call's id."""
    call = CallTold(
        id=network.new_id("CA"),
        caller=caller.lid,
        caller_alternative=caller.jid,
        group=None,
        state=CallState.RINGING,
        video=video,
        reason="",
        timestamp=_whole_seconds(),
    )
    network.deliver(callee, call)
    return call.id


def _named(account: Account, chat: Account | Group) -> Named:
    author = author_of(account, chat)
    return Named(author, account.jid if author == account.lid else account.lid)


def _whole_seconds() -> int:
    """Now, as WhatsApp tells times: whole seconds, in milliseconds."""
    return now_ms() // 1000 * 1000
