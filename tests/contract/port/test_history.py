"""What the account's phone tells of the past, as clients tell it."""

from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import HistorySync

from server.whatsapp.history import HistoryKind, HistoryReceived
from server.whatsapp.history_pieces import header_of, pieces_of
from server.whatsapp.history_reading import kind_of_history, read_piece
from server.whatsapp.incoming import Received
from tests.contract.port.following import Following
from tests.contract.port.world import World
from tests.support.histories import ADA, ADA_LID, addresses, chat, history, names, said


async def test_every_kind_of_history_is_told_in_its_order(
    world: World, live: Following, *, number: str
) -> None:
    kinds = list(HistorySync.HistorySyncType.values())
    for progress, kind in enumerate(kinds, start=1):
        await world.give_history(number, history(chat(said("M1", "hello")), kind=kind, progress=progress))
    await live.wait_for(HistoryReceived, len(kinds))
    chunks = [event for event in live.events if isinstance(event, HistoryReceived)]
    headers = [header_of(chunk.content) for chunk in chunks]
    assert [kind_of_history(header.kind) for header in headers] == list(_IN_ORDER)
    assert [header.progress for header in headers] == list(range(1, len(kinds) + 1))
    assert len({chunk.id for chunk in chunks}) == len(kinds)


_IN_ORDER = (
    HistoryKind.INITIAL_BOOTSTRAP,
    HistoryKind.INITIAL_STATUS_V3,
    HistoryKind.FULL,
    HistoryKind.RECENT,
    HistoryKind.PUSH_NAME,
    HistoryKind.NON_BLOCKING_DATA,
    HistoryKind.ON_DEMAND,
)


async def test_a_long_chunk_is_told_whole_and_is_no_message(
    world: World, live: Following, *, number: str
) -> None:
    chunk = history(chat(*(said(f"M{n}", f"message {n}") for n in range(2_000))))
    chunk.phoneNumberToLidMappings.extend(addresses((ADA, ADA_LID)))
    chunk.pushnames.extend(names(_628120000001="Ada"))
    await world.give_history(number, chunk)
    await live.wait_for(HistoryReceived)
    (received,) = (event for event in live.events if isinstance(event, HistoryReceived))
    pieces = [read_piece(piece) for piece in pieces_of(received.content)]
    told = [message for piece in pieces for past in piece.chats for message in past.messages]
    assert [message.body for message in told] == [f"message {n}" for n in range(2_000)]
    assert [(str(lid), str(phone)) for piece in pieces for lid, phone in piece.addresses] == [(ADA_LID, ADA)]
    assert [(str(jid), name) for piece in pieces for jid, name in piece.names] == [(ADA, "Ada")]
    assert not [event for event in live.events if isinstance(event, Received)]
