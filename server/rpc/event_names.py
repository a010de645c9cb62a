"""The names of the events, from the catalogue in protos/wagate/v1/event_payloads.proto."""

from typing import Final

from wagate.v1 import event_payloads_pb2

EVENT_NAMES: Final = frozenset(
    field.GetOptions().Extensions[event_payloads_pb2.event]
    for field in event_payloads_pb2.Payload.DESCRIPTOR.fields
)
"""Every name that an event of the log can have."""
