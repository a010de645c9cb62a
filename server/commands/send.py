"""`wagate send`: one message of any type."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from google.protobuf import struct_pb2
from wagate.v1 import messages_pb2 as pb

from server.commands.calling import Call, calls
from server.commands.choosing import SessionOption
from server.commands.exits import Exit
from server.commands.results import show_result
from server.commands.words import jid_of, number_of
from server.errors import invalid

_TYPE: Final = pb.MessageType.DESCRIPTOR
_TYPES = "Type of the message"
_File = Path | None


def _file(what: str) -> object:
    return typer.Option(metavar="FILE", help=what, rich_help_panel=_TYPES, show_default=False)


@dataclass(frozen=True, slots=True)
class _Place:
    latitude: float
    longitude: float


app = typer.Typer(add_completion=False)


@app.command()
@calls
async def send(
    call: Call,
    to: Annotated[
        str,
        typer.Argument(metavar="TO", help="A number with its country code, or a JID of a person or group."),
    ],
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="The text; - is standard input.", show_default=False)
    ] = "",
    *,
    session: SessionOption = "",
    reply_to: Annotated[
        str, typer.Option(metavar="ID", help="The id of the message that this text answers.")
    ] = "",
    mention: Annotated[
        list[str] | None, typer.Option(metavar="JID", help="Whom the text mentions; may be repeated.")
    ] = None,
    poll: Annotated[
        str, typer.Option(metavar="QUESTION", help="A poll; needs --option.", rich_help_panel=_TYPES)
    ] = "",
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="ANSWER", help="An answer of the poll; 2 to 12 times.", rich_help_panel=_TYPES),
    ] = None,
    choices: Annotated[
        int,
        typer.Option(min=0, max=12, help="Answers a voter may pick; 0 is any.", rich_help_panel=_TYPES),
    ] = 1,
    location: Annotated[
        str, typer.Option(metavar="LAT,LON", help="A place, in degrees.", rich_help_panel=_TYPES)
    ] = "",
    name: Annotated[str, typer.Option(help="The place's label.", rich_help_panel=_TYPES)] = "",
    contact: Annotated[
        str, typer.Option(metavar="NAME,NUMBER", help="A contact card.", rich_help_panel=_TYPES)
    ] = "",
    vcard: Annotated[_File, _file("A contact card from a vcard file.")] = None,
    image: Annotated[_File, _file("A picture.")] = None,
    video: Annotated[_File, _file("A video.")] = None,
    audio: Annotated[_File, _file("A sound.")] = None,
    document: Annotated[_File, _file("Any file. The gateway sends no files yet, and says so.")] = None,
    idempotency_key: Annotated[
        str,
        typer.Option(
            metavar="KEY", help="Makes it safe to repeat: the same key sends once and gives the same answer."
        ),
    ] = "",
    run_async: Annotated[
        bool, typer.Option("--async", help="Do not wait for WhatsApp: queue it and end.")
    ] = False,
) -> None:
    """Send a message: a text, or one of the other types.

    Exit code 6 means that nobody knows whether it was sent: look at the chat before you send it again.
    """
    files = {"image": image, "video": video, "audio": audio, "document": document}
    message = pb.OutgoingMessage(to=jid_of(to))
    given = [
        kind
        for kind, value in {"poll": poll, "location": location, "contact": contact or vcard, **files}.items()
        if value
    ]
    if len(given) > 1:
        raise invalid("type", f"one message has one type: give one of --{' and --'.join(given)}")
    if text == "-":
        text = sys.stdin.read().removesuffix("\n")
    match given:
        case ["poll"]:
            message.name, message.selectable_count = poll, choices
            message.options.extend(option or ())
        case ["location"]:
            place = _place(location)
            message.latitude, message.longitude, message.name = place.latitude, place.longitude, name
        case ["contact"]:
            message.contact.CopyFrom(_contact(contact, vcard))
        case [kind]:
            _attach(message, files[kind], text)
        case _:
            message.text, message.reply_to = text, reply_to
            message.mentions.extend(jid_of(jid) for jid in mention or ())
    message.type = number_of(_TYPE, given[0] if given else "text")  # type: ignore[assignment] # an enum's number
    request = pb.SendMessageRequest(session=await call.session(session), run_async=run_async, message=message)
    headers = (("idempotency-key", idempotency_key),) if idempotency_key else ()
    result = await call.gateway.ask(call.gateway.messages.SendMessage, request, headers=headers)
    show_result(call, result, f"to {message.to}")
    if result.status == pb.SEND_STATUS_INDETERMINATE:
        raise typer.Exit(Exit.UNKNOWN)
    if result.status == pb.SEND_STATUS_FAILED:
        raise typer.Exit(Exit.FAILED)


def _place(text: str) -> _Place:
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        raise invalid(
            "location", f"{text!r} is no place: write LAT,LON in degrees, such as 52.52,13.405"
        ) from None
    return _Place(latitude, longitude)


def _contact(text: str, vcard: Path | None) -> struct_pb2.Value:
    if vcard is not None:
        return struct_pb2.Value(string_value=_read(vcard).decode(errors="replace"))
    person, _, phone = text.rpartition(",")
    if not person or not phone:
        raise invalid("contact", f"{text!r} is no contact: write NAME,NUMBER, such as 'Ada,+49 170 1234567'")
    card = struct_pb2.Struct()
    card.update({"name": person.strip(), "phone": phone.strip()})
    return struct_pb2.Value(struct_value=card)


def _attach(message: pb.OutgoingMessage, path: Path | None, caption: str) -> None:
    if path is None or not path.is_file():
        raise invalid("file", f"there is no file {path}")
    message.filename, message.caption = path.name, caption


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise invalid("file", f"{path} cannot be read: {error.strerror or error}") from None
