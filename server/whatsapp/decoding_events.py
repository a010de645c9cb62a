"""From the library's events to the port's: which decoder reads which."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from neonize.proto.Neonize_pb2 import (
    ClientOutdated,
    ConnectFailure,
    KeepAliveTimeout,
    LoggedOut,
    StreamReplaced,
    TemporaryBan,
)
from neonize.proto.Neonize_pb2 import Connected as ConnectedEvent
from neonize.proto.Neonize_pb2 import Disconnected as DisconnectedEvent
from neonize.proto.Neonize_pb2 import HistorySync as HistoryEvent
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.Neonize_pb2 import Receipt as ReceiptEvent
from neonize.proto.Neonize_pb2 import UndecryptableMessage as UndecryptableEvent
from ulid import ULID

from server.whatsapp.decoding import decode_act, decode_message, decode_receipt, decode_undecryptable
from server.whatsapp.decoding_happenings import HAPPENINGS, decode_happenings
from server.whatsapp.history import HistoryReceived
from server.whatsapp.library import Unread
from server.whatsapp.port import Connected, Disconnected, Ended, Ending, Event, KeepAliveMissed

_DECODERS: Final[Mapping[type, Callable[[Any], Event | Sequence[Event] | None]]] = {
    **dict.fromkeys(HAPPENINGS, decode_happenings),
    ConnectedEvent: lambda _: Connected(),
    DisconnectedEvent: lambda _: Disconnected(),
    KeepAliveTimeout: lambda event: KeepAliveMissed(event.LastSuccess * 1000),
    MessageEvent: lambda event: decode_message(event) or decode_act(event),
    UndecryptableEvent: decode_undecryptable,
    ReceiptEvent: decode_receipt,
    Unread: lambda event: HistoryReceived(str(ULID()), event.data),
    LoggedOut: lambda _: Ended(Ending.LOGGED_OUT),
    StreamReplaced: lambda _: Ended(Ending.REPLACED),
    TemporaryBan: lambda _: Ended(Ending.BANNED),
    ClientOutdated: lambda _: Ended(Ending.OUTDATED),
    ConnectFailure: lambda _: Ended(Ending.REFUSED),
}
UNREAD: Final = (HistoryEvent,)
"""Those of the library's events that come to `decode_event` as `Unread`."""
EVENTS: Final = (*(kind for kind in _DECODERS if kind is not Unread), *UNREAD)
"""The library's events that `decode_event` reads."""


def decode_event(event: object) -> Sequence[Event]:
    """What an event of the library tells the domain; nothing, where that does not look at it."""
    decoded = _DECODERS[type(event)](event)
    if decoded is None:
        return ()
    return decoded if isinstance(decoded, Sequence) else (decoded,)
