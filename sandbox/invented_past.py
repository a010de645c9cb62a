"""A past that never was: chats full of messages of many kinds, as a phone would give them to a new device."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sandbox.accounts import Account
from sandbox.jid import GROUP_SERVER, lid_jid, pn_jid
from sandbox.wire_protos import (
    Conversation,
    HistorySync,
    HistorySyncMsg,
    Message,
    MessageKey,
    PhoneNumberToLIDMapping,
    PollUpdate,
    PollVoteMessage,
    Pushname,
    Reaction,
    UserReceipt,
    WebMessageInfo,
)

__all__ = ["MAX_CHATS", "MAX_MESSAGES", "invent"]

MAX_MESSAGES: Final = 1_000_000
MAX_CHATS: Final = 10_000
PER_CHUNK: Final = 5_000
"""Messages in a chunk: well below what a stanza may hold."""

_APART: Final = 60
"""Seconds between two messages."""
_GROUP_EVERY: Final = 4
"""Every so manieth chat is a group."""
_GROUP_SIZE: Final = 3
_NAMES: Final = ("Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ida", "Jo")
_INVENTED: Final = "4915550"
"""How the numbers of people who are on no network begin."""
_OPTIONS: Final = ("yes", "no", "maybe")


@dataclass(frozen=True)
class _Person:
    number: str
    lid: str
    name: str

    @property
    def jid(self) -> str:
        return str(pn_jid(self.number))

    @property
    def lid_jid(self) -> str:
        return str(lid_jid(self.lid))


@dataclass
class _Chat:
    id: str
    name: str
    people: Sequence[_Person]
    is_group: bool
    messages: list[HistorySyncMsg] = field(default_factory=list)

    def conversation(self, messages: Sequence[HistorySyncMsg]) -> Conversation:
        """The chat with some of its messages, newest first as phones give them."""
        made = Conversation(ID=self.id, messages=reversed(messages), name=self.name if self.is_group else "")
        if not self.is_group:
            made.pnJID, made.lidJID = self.people[0].jid, self.people[0].lid_jid
        if self.messages:
            made.conversationTimestamp = self.messages[-1].message.messageTimestamp
        return made


def invent(known: Iterable[Account], *, messages: int, chats: int, now: int) -> Iterator[HistorySync]:
    """A phone's history in the order in which it is given: what new devices need first comes first.

    People of the network come first into the chats, so that what was said can go on; the others are on no
    network. The same arguments give the same past.

    Args:
        known: Contacts of the network.
        messages: How many, over all chats.
        chats: How many; every fourth is a group.
        now: When it ends, epoch seconds.
    """
    people = _people(known, chats + _GROUP_SIZE)
    past = [_chat(number, people) for number in range(chats)]
    for number in range(messages):
        chat = past[number % chats]
        when = now - (messages - number) * _APART
        chat.messages.append(HistorySyncMsg(message=_message(chat, number, when), msgOrderID=number))
    yield _bootstrap(past, people)
    yield HistorySync(
        syncType=HistorySync.PUSH_NAME,
        pushnames=[Pushname(ID=person.jid, pushname=person.name) for person in people],
    )
    yield HistorySync(syncType=HistorySync.NON_BLOCKING_DATA)
    yield HistorySync(syncType=HistorySync.INITIAL_STATUS_V3, statusV3Messages=[_status(people[0], now)])
    yield from _rest(past, messages)


def _bootstrap(past: Sequence[_Chat], people: Sequence[_Person]) -> HistorySync:
    """All chats as they stand, each with its newest message."""
    history = HistorySync(
        syncType=HistorySync.INITIAL_BOOTSTRAP,
        chunkOrder=1,
        phoneNumberToLidMappings=[
            PhoneNumberToLIDMapping(pnJID=person.jid, lidJID=person.lid_jid) for person in people
        ],
    )
    for number, chat in enumerate(past):
        conversation = chat.conversation(chat.messages[-1:])
        conversation.unreadCount = number % 3
        conversation.archived = number % 5 == 4
        if number == 0:
            conversation.pinned = chat.messages[-1].message.messageTimestamp if chat.messages else 1
        history.conversations.append(conversation)
    return history


def _rest(past: Sequence[_Chat], messages: int) -> Iterator[HistorySync]:
    """What is older than the newest messages, newest chunks first; the older half is the full history."""
    count = max(1, -(-messages // PER_CHUNK))
    for order in range(1, count + 1):
        recent = order <= (count + 1) // 2
        history = HistorySync(
            syncType=HistorySync.RECENT if recent else HistorySync.FULL,
            chunkOrder=order,
            progress=100 * order // count,
        )
        for chat in past:
            older = chat.messages[:-1]
            size = -(-len(older) // count)
            end = len(older) - (order - 1) * size
            if some := older[max(0, end - size) : max(0, end)]:
                history.conversations.append(chat.conversation(some))
        yield history


def _people(known: Iterable[Account], count: int) -> list[_Person]:
    people = [_Person(contact.number, contact.lid, contact.name) for contact in known]
    for number in range(len(people), count):
        name = _NAMES[number % len(_NAMES)]
        people.append(_Person(f"{_INVENTED}{number:06d}", f"{_INVENTED}{number:06d}9", f"{name} {number}"))
    return people


def _chat(number: int, people: Sequence[_Person]) -> _Chat:
    if number % _GROUP_EVERY == _GROUP_EVERY - 1:
        # No group of the network: these have ids of a time long past.
        jid = f"12036300000{number:07d}@{GROUP_SERVER}"
        return _Chat(jid, f"Group {number}", people[number : number + _GROUP_SIZE], is_group=True)
    person = people[number]
    # Chats of old are named by phone number, newer ones by LID.
    return _Chat(person.jid if number % 2 else person.lid_jid, "", [person], is_group=False)


def _message(chat: _Chat, number: int, when: int) -> WebMessageInfo:
    mine = number % 3 == 0
    sender = chat.people[number % len(chat.people)]
    key = MessageKey(remoteJID=chat.id, fromMe=mine, ID=f"3EB0{number:016X}")
    made = WebMessageInfo(key=key, messageTimestamp=when)
    if chat.is_group and not mine:
        key_jid = sender.lid_jid
        made.key.participant = made.participant = key_jid
    if not mine:
        made.pushName = sender.name
    else:
        made.status = WebMessageInfo.READ if number % 2 else WebMessageInfo.DELIVERY_ACK
        made.userReceipt.append(UserReceipt(userJID=chat.people[0].lid_jid, receiptTimestamp=when + 1))
    _KINDS.get(number % 25, _text)(made, chat, number)
    return made


def _text(made: WebMessageInfo, _chat: _Chat, number: int) -> None:
    made.message.conversation = f"message {number} of a time before the device was linked"


def _answer(made: WebMessageInfo, chat: _Chat, number: int) -> None:
    text = made.message.extendedTextMessage
    text.text = f"answer {number}"
    text.contextInfo.stanzaID = f"3EB0{max(0, number - 1):016X}"
    text.contextInfo.participant = chat.people[0].lid_jid
    text.contextInfo.quotedMessage.conversation = "what was answered"


def _reacted(made: WebMessageInfo, chat: _Chat, number: int) -> None:
    _text(made, chat, number)
    at = made.messageTimestamp * 1000 + 5_000
    key = MessageKey(remoteJID=chat.id, fromMe=False, ID=f"3EB1{number:016X}")
    if chat.is_group:
        key.participant = chat.people[0].lid_jid
    own = MessageKey(remoteJID=chat.id, fromMe=True, ID=f"3EB2{number:016X}")
    made.reactions.append(Reaction(key=key, text="👍", senderTimestampMS=at))
    made.reactions.append(Reaction(key=own, text="🎉", senderTimestampMS=at + 1))


def _edited(made: WebMessageInfo, _chat: _Chat, number: int) -> None:
    protocol = made.message.editedMessage.message.protocolMessage
    protocol.type = protocol.MESSAGE_EDIT
    protocol.key.CopyFrom(made.key)
    protocol.timestampMS = made.messageTimestamp * 1000 + 9_000
    protocol.editedMessage.conversation = f"message {number}, said better"


def _revoked(made: WebMessageInfo, _chat: _Chat, _number: int) -> None:
    made.messageStubType = WebMessageInfo.REVOKE


def _poll(made: WebMessageInfo, chat: _Chat, number: int) -> None:
    poll = made.message.pollCreationMessageV3
    poll.name = f"question {number}"
    for option in _OPTIONS:
        poll.options.add(optionName=option)
    poll.selectableOptionsCount = 1
    secret = hashlib.sha256(str(number).encode()).digest()
    made.message.messageContextInfo.messageSecret = secret
    made.messageSecret = secret
    key = MessageKey(remoteJID=chat.id, fromMe=False, ID=f"3EB3{number:016X}")
    if chat.is_group:
        key.participant = chat.people[0].lid_jid
    chosen = hashlib.sha256(_OPTIONS[number % len(_OPTIONS)].encode()).digest()
    made.pollUpdates.append(
        PollUpdate(
            pollUpdateMessageKey=key,
            vote=PollVoteMessage(selectedOptions=[chosen]),
            senderTimestampMS=made.messageTimestamp * 1000 + 7_000,
        )
    )


def _location(made: WebMessageInfo, _chat: _Chat, number: int) -> None:
    place = made.message.locationMessage
    place.degreesLatitude, place.degreesLongitude, place.name = 52.5, 13.4, f"place {number}"


def _image(made: WebMessageInfo, _chat: _Chat, number: int) -> None:
    image: Message = made.message
    image.imageMessage.caption = f"picture {number}"
    image.imageMessage.mimetype = "image/jpeg"


def _group_stub(made: WebMessageInfo, chat: _Chat, number: int) -> None:
    if chat.is_group:
        made.messageStubType = WebMessageInfo.GROUP_CHANGE_SUBJECT
        made.messageStubParameters.append(chat.name)
    else:
        _text(made, chat, number)


_KINDS: Final = {
    3: _answer,
    5: _reacted,
    8: _edited,
    11: _revoked,
    14: _poll,
    17: _location,
    20: _image,
    23: _group_stub,
}
"""What the messages are, by their number; all others are plain texts."""


def _status(person: _Person, now: int) -> WebMessageInfo:
    made = WebMessageInfo(messageTimestamp=now, participant=person.lid_jid)
    made.key.CopyFrom(MessageKey(remoteJID="status@broadcast", ID="3EB4", participant=person.lid_jid))
    made.message.conversation = "a status"
    return made
