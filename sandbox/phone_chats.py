"""How an account's phone shows its chats: archived, pinned, muted, read; all of it is app state."""

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sandbox.accounts import Account, Accounts
from sandbox.app_state import Change
from sandbox.companions import change_settings
from sandbox.jid import JID
from sandbox.wire_protos import SyncActionMessageRange, SyncActionValue

if TYPE_CHECKING:
    from sandbox.network import Network

__all__ = ["MUTED_FOREVER", "ChatSettings", "chats", "set_archived", "set_muted", "set_pinned"]

MUTED_FOREVER = -1
"""In place of the end of a mute."""

# Version of each kind of action, as clients write them today.
_ARCHIVE_VERSION = 3
_PIN_VERSION = 5
_MUTE_VERSION = 2


@dataclass(slots=True)
class ChatSettings:
    """How a phone shows a chat.

    Attributes:
        jid: The chat, by phone number where it is known.
        lid: The same chat's LID, where it has one.
        archived: Whether it is archived.
        pinned: Whether it is pinned.
        muted_until: End of its mute (epoch milliseconds), ``MUTED_FOREVER``, or None.
        read: Whether it was marked as read, or as unread; None while neither was done.
    """

    jid: str
    lid: str | None
    archived: bool = False
    pinned: bool = False
    muted_until: int | None = None
    read: bool | None = None

    def describe(self) -> dict[str, object]:
        """The settings as JSON."""
        fields = asdict(self)
        fields["mutedUntil"] = fields.pop("muted_until")
        return fields


def chats(network: "Network", account: Account) -> list[ChatSettings]:
    """All chats about which the phone has ever been told anything, the latest last.

    A chat may be named by its phone number and by its LID; both are the same chat, and the later word counts.
    """
    found: dict[str, ChatSettings] = {}
    for index, value in network.app_states.of(account).values.items():
        if index[0] not in _READERS or len(index) < 2:
            continue
        shown = _named(network.accounts, index[1])
        known = found.pop(shown.jid, shown)
        _READERS[index[0]](known, value)
        found[shown.jid] = known
    return list(found.values())


def set_archived(network: "Network", account: Account, chat: JID, archived: bool) -> None:
    """Lets the phone archive a chat, which unpins it too, or take it out of the archive."""
    value = SyncActionValue()
    value.archiveChatAction.archived = archived
    value.archiveChatAction.messageRange.CopyFrom(
        SyncActionMessageRange(lastMessageTimestamp=int(time.time()))
    )
    changes = [Change(("archive", str(chat)), _ARCHIVE_VERSION, value)]
    if archived:
        changes.append(_pin(chat, pinned=False))
    change_settings(network, account, "regular_low", changes)


def set_pinned(network: "Network", account: Account, chat: JID, pinned: bool) -> None:
    """Lets the phone pin or unpin a chat."""
    change_settings(network, account, "regular_low", [_pin(chat, pinned=pinned)])


def set_muted(network: "Network", account: Account, chat: JID, until: int | None) -> None:
    """Lets the phone mute a chat until a time (epoch milliseconds), for ever, or (None) not any longer."""
    value = SyncActionValue()
    value.muteAction.muted = until is not None
    if until is not None:
        value.muteAction.muteEndTimestamp = until
    change_settings(network, account, "regular_high", [Change(("mute", str(chat)), _MUTE_VERSION, value)])


def _pin(chat: JID, *, pinned: bool) -> Change:
    value = SyncActionValue()
    value.pinAction.pinned = pinned
    return Change(("pin_v1", str(chat)), _PIN_VERSION, value)


def _named(accounts: Accounts, text: str) -> ChatSettings:
    try:
        account = accounts.find(JID.parse(text))
    except ValueError:
        account = None
    if account is None:
        return ChatSettings(text, None)
    return ChatSettings(str(account.pn_jid), str(account.lid_jid))


def _read_archive(chat: ChatSettings, value: SyncActionValue) -> None:
    chat.archived = value.archiveChatAction.archived


def _read_pin(chat: ChatSettings, value: SyncActionValue) -> None:
    chat.pinned = value.pinAction.pinned


def _read_mute(chat: ChatSettings, value: SyncActionValue) -> None:
    action = value.muteAction
    chat.muted_until = (action.muteEndTimestamp or MUTED_FOREVER) if action.muted else None


def _read_marker(chat: ChatSettings, value: SyncActionValue) -> None:
    chat.read = value.markChatAsReadAction.read


_READERS = {
    "archive": _read_archive,
    "pin_v1": _read_pin,
    "mute": _read_mute,
    "markChatAsRead": _read_marker,
}
"""What each kind of setting means for its chat."""
