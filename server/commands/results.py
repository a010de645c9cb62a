"""How what became of a send is shown."""

from typing import Final

from wagate.v1 import messages_pb2 as pb

from server.commands.calling import Call
from server.commands.words import time_of, word
from server.remote.documents import document_of

_STATUS: Final = pb.SendStatus.DESCRIPTOR


def show_result(call: Call, result: pb.SendResult, what: str) -> None:
    """Shows what became of a send.

    Args:
        call: the command.
        result: what the gateway answered.
        what: for people, behind the status: `to 628...@s.whatsapp.net`.
    """
    if call.out.is_json:
        call.out.document(document_of(result))
        return
    known_as = result.wa_message_id or result.outbox_id
    again = " (the answer of the first time; nothing was sent now)" if result.replayed else ""
    call.out.say(f"{word(_STATUS, result.status)} {what}: {known_as}{again}")
    if result.timestamp:
        call.out.say(f"WhatsApp took it at {time_of(result.timestamp)}.")
