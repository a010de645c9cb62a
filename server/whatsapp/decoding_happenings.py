"""From WhatsApp's protobufs to what the port tells beside messages."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

from neonize.proto.Neonize_pb2 import (
    JID,
    BasicCallMeta,
    CallAccept,
    CallOffer,
    CallOfferNotice,
    CallTerminate,
    ChatPresence,
    GroupInfoEvent,
    JoinedGroup,
    Node,
    Presence,
)

from server.whatsapp.decoding import decode_jid
from server.whatsapp.happenings import (
    CallState,
    CallTold,
    GroupChange,
    GroupChanged,
    Happening,
    Named,
    PresenceShown,
    PresenceState,
)
from server.whatsapp.jid import GROUP, Jid, parse_jid

_Setting = Literal["Name", "Topic", "Locked", "Announce", "Ephemeral", "NewInviteLink"]
_Change = tuple[GroupChange, str, tuple[Named, ...]]
"""What happened to a group, what it is now, and whom it was done to."""


def _typing(event: ChatPresence) -> Iterator[PresenceShown]:
    source = event.MessageSource
    chat, person = decode_jid(source.Chat), decode_jid(source.Sender)
    if chat is None or person is None or source.IsFromMe:
        return
    state = PresenceState.PAUSED
    if event.State == ChatPresence.COMPOSING:
        state = PresenceState.RECORDING if event.Media == ChatPresence.AUDIO else PresenceState.COMPOSING
    alternative = decode_jid(source.SenderAlt)
    yield PresenceShown(
        chat=chat,
        chat_alternative=None if source.IsGroup else alternative,
        person=person,
        person_alternative=alternative,
        state=state,
    )


def _coming_and_going(event: Presence) -> Iterator[PresenceShown]:
    person = decode_jid(event.From)
    if person is None:
        return
    yield PresenceShown(
        chat=person,
        chat_alternative=None,
        person=person,
        person_alternative=None,
        state=PresenceState.UNAVAILABLE if event.Unavailable else PresenceState.AVAILABLE,
        # The library writes the zero of its own clock, long before 1970, where nothing was told.
        last_seen=event.LastSeen * 1000 if event.Unavailable and event.LastSeen > 0 else None,
    )


def _group_changes(event: GroupInfoEvent) -> Iterator[GroupChanged]:
    group = decode_jid(event.JID)
    if group is None:
        return
    changes = [*_settings(event), *_memberships(event)]
    if event.HasField("Delete") and event.Delete.Deleted:
        changes.append((GroupChange.DELETED, "", ()))
    for change, value, participants in changes:
        yield GroupChanged(
            group=group,
            change=change,
            actor=_named(event.Sender),
            participants=participants,
            value=value,
            timestamp=event.Timestamp * 1000,
            subject=value if change is GroupChange.SUBJECT else "",
        )


def _settings(event: GroupInfoEvent) -> Iterator[_Change]:
    values: Mapping[_Setting, tuple[GroupChange, str]] = {
        "Name": (GroupChange.SUBJECT, event.Name.Name),
        "Topic": (GroupChange.DESCRIPTION, event.Topic.Topic),
        "Locked": (GroupChange.LOCKED, _word(is_true=event.Locked.isLocked)),
        "Announce": (GroupChange.ANNOUNCE, _word(is_true=event.Announce.IsAnnounce)),
        "Ephemeral": (GroupChange.EPHEMERAL, str(event.Ephemeral.DisappearingTimer)),
        "NewInviteLink": (GroupChange.INVITE, ""),
    }
    for field, (change, value) in values.items():
        if event.HasField(field):
            yield change, value, ()


def _memberships(event: GroupInfoEvent) -> Iterator[_Change]:
    for change, jids in (
        (GroupChange.ADDED, event.Join),
        (GroupChange.REMOVED, event.Leave),
        (GroupChange.PROMOTED, event.Promote),
        (GroupChange.DEMOTED, event.Demote),
    ):
        people = tuple(person for person in map(_named, jids) if person is not None)
        if people:
            yield change, "", people


def _joined(event: JoinedGroup) -> Iterator[GroupChanged]:
    group = decode_jid(event.GroupInfo.JID)
    if group is not None:
        yield GroupChanged(
            group=group,
            change=GroupChange.JOINED,
            actor=_named(event.Sender, event.SenderPN),
            participants=(),
            value="",
            timestamp=0,
            subject=event.GroupInfo.GroupName.Name,
        )


def _offered(event: CallOffer) -> Iterator[CallTold]:
    video = any(child.Tag == "video" for child in event.data.Nodes)
    return _call(event.basicCallMeta, event.data, CallState.RINGING, video=video)


def _noticed(event: CallOfferNotice) -> Iterator[CallTold]:
    return _call(event.basicCallMeta, event.data, CallState.RINGING, video=event.media == "video")


def _accepted(event: CallAccept) -> Iterator[CallTold]:
    return _call(event.basicCallMeta, event.data, CallState.ACCEPTED)


def _ended(event: CallTerminate) -> Iterator[CallTold]:
    return _call(event.basicCallMeta, event.data, CallState.ENDED, reason=event.reason)


def _call(
    meta: BasicCallMeta, data: Node, state: CallState, *, video: bool = False, reason: str = ""
) -> Iterator[CallTold]:
    caller = decode_jid(meta.callCreator)
    if caller is None or not meta.callID:
        return
    yield CallTold(
        id=meta.callID,
        caller=caller,
        caller_alternative=decode_jid(meta.callCreatorAlt),
        group=_group_of(data),
        state=state,
        video=video,
        reason=reason,
        timestamp=meta.timestamp * 1000,
    )


def _group_of(data: Node) -> Jid | None:
    for attribute in data.Attrs:
        if attribute.name == "group-jid":
            if attribute.HasField("jid"):
                return decode_jid(attribute.jid)
            if attribute.text.endswith(f"@{GROUP}"):
                return parse_jid(attribute.text)
    return None


def _named(jid: JID, alternative: JID | None = None) -> Named | None:
    decoded = decode_jid(jid)
    if decoded is None:
        return None
    return Named(decoded, None if alternative is None else decode_jid(alternative))


def _word(*, is_true: bool) -> str:
    return "true" if is_true else "false"


_DECODERS: Final[Mapping[type, Callable[[Any], Iterator[Happening]]]] = {
    CallAccept: _accepted,
    CallOffer: _offered,
    CallOfferNotice: _noticed,
    CallTerminate: _ended,
    ChatPresence: _typing,
    GroupInfoEvent: _group_changes,
    JoinedGroup: _joined,
    Presence: _coming_and_going,
}
HAPPENINGS: Final = tuple(_DECODERS)
"""The library's events that `decode_happenings` reads."""


def decode_happenings(event: object) -> tuple[Happening, ...]:
    """Reads one of HAPPENINGS. A notice about a group may tell several changes, in no order of their own."""
    return tuple(_DECODERS[type(event)](event))
