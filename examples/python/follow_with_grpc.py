"""Follows an organization's events with gRPC alone, also while the gateway restarts.

pip install 'wagate[client]'
WAGATE_GRPC=127.0.0.1:8080 WAGATE_API_KEY=wa_... python follow_with_grpc.py
"""

import os
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import grpc
from wagate.v1 import events_pb2, events_pb2_grpc

POSITION = Path("position")
TRY_AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL}


def follow(
    address: str, key: str, load: Callable[[], str], save: Callable[[str], None], names: Sequence[str] = ()
) -> Generator[events_pb2.Event, None, None]:
    """Gives out every event once it has happened.

    Args:
        address: the gateway's, `host:port`.
        key: an api-key with the capability `read`.
        load: gives the last id that was saved, "" for none.
        save: keeps an id, in the same transaction as what was done with its event or right after it.
        names: of events; none of them for all.
    """
    metadata = (("authorization", f"Bearer {key}"),)
    with grpc.insecure_channel(address) as channel:
        stub = events_pb2_grpc.EventsStub(channel)
        while True:
            request = events_pb2.SubscribeRequest(after=load(), events=names)
            try:
                for event in stub.Subscribe(request, metadata=metadata):
                    if event.event != "heartbeat":
                        yield event
                    save(event.id)
            except grpc.RpcError as error:
                if error.code() not in TRY_AGAIN:
                    raise
            time.sleep(1)  # the gateway restarts; nothing that happens meanwhile is lost


def load() -> str:
    return POSITION.read_text() if POSITION.exists() else ""


def save(event_id: str) -> None:
    new = POSITION.with_suffix(".new")
    new.write_text(event_id)
    new.replace(POSITION)  # a crash leaves the old one or the new one, never half of it


if __name__ == "__main__":
    for event in follow(os.environ["WAGATE_GRPC"], os.environ["WAGATE_API_KEY"], load, save):
        print(event.timestamp, event.event, event.id, flush=True)
