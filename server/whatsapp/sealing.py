"""Acts that are sealed with the secret of the message that they are about: votes, some reactions and edits.

Whoever has a message has its secret, and nobody else can read what is said about it. The key is made of the
secret, the message's id, the names of who wrote it and who acts, and the kind of act (read in the source of
the client library, and measured against it over the wire). People have two names, and which of them was taken
is not told: each is tried.
"""

import itertools
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from google.protobuf.message import DecodeError
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import PollVoteMessage, ReactionMessage

from server.whatsapp.incoming import Seal
from server.whatsapp.jid import Jid
from server.whatsapp.stored import describe, options_of, parse, secret_of

_KEY_BYTES: Final = 32
_IV_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class SealedAct:
    """An act and what is needed to read it.

    Attributes:
        message_id, content: the message that it is about, a serialised `waE2E.Message`.
        payload, iv: the act.
        authors, actors: names that who wrote the message, and who acts, may have been given.
    """

    message_id: str
    content: bytes
    payload: bytes
    iv: bytes
    authors: Sequence[str]
    actors: Sequence[str]


@dataclass(frozen=True, slots=True)
class NewText:
    """What a sealed edit says; as in `server.whatsapp.incoming.Edited`."""

    body: str
    content: bytes
    mentions: tuple[Jid, ...]


def open_vote(vote: SealedAct) -> tuple[str, ...] | None:
    """The options that a vote chooses, in the poll's order; None where it is no vote in this poll."""
    plain = _opened(Seal.VOTE, vote)
    if plain is None:
        return None
    try:
        chosen = set(PollVoteMessage.FromString(plain).selectedOptions)
    except DecodeError:
        return None
    return tuple(option for option in options_of(vote.content) if _hash(option) in chosen)


def open_reaction(reaction: SealedAct) -> str | None:
    """The emoji of a reaction, "" where it takes one back; None where it cannot be read."""
    plain = _opened(Seal.REACTION, reaction)
    if plain is None:
        return None
    try:
        emoji: str = ReactionMessage.FromString(plain).text
    except DecodeError:
        return None
    return emoji


def open_edit(edit: SealedAct) -> NewText | None:
    """What an edit says, or None where it cannot be read or says nothing."""
    plain = _opened(Seal.EDIT, edit)
    message = None if plain is None else parse(plain)
    if message is None:
        return None
    if message.protocolMessage.HasField("editedMessage"):
        message = message.protocolMessage.editedMessage
    described = describe(message)
    if not described.text:
        return None
    # The new text of a picture comes without what the picture needs to be shown.
    content = message.SerializeToString() if described.is_text else b""
    return NewText(described.text, content, described.mentions)


def seal_vote(
    secret: bytes, message_id: str, options: Iterable[str], *, author: str, voter: str
) -> tuple[bytes, bytes]:
    """Seals a vote, as the client library does with the gateway's own.

    Args:
        secret: the poll's.
        message_id: its id.
        options: all that is chosen.
        author: who asked, as WhatsApp addresses them in the chat.
        voter: who votes, the same.

    Returns:
        The payload and the IV.
    """
    key = _key(Seal.VOTE, secret, message_id, author, voter)
    iv = secrets.token_bytes(_IV_BYTES)
    vote = PollVoteMessage(selectedOptions=[_hash(option) for option in options])
    known = _known(Seal.VOTE, message_id, voter)
    return AESGCM(key).encrypt(iv, vote.SerializeToString(), known), iv


def _opened(seal: Seal, act: SealedAct) -> bytes | None:
    secret = secret_of(act.content)
    if not secret or len(act.iv) != _IV_BYTES:
        return None
    for author, actor in itertools.product(dict.fromkeys(act.authors), dict.fromkeys(act.actors)):
        key = _key(seal, secret, act.message_id, author, actor)
        try:
            return AESGCM(key).decrypt(act.iv, act.payload, _known(seal, act.message_id, actor))
        except InvalidTag:
            continue
    return None


def _key(seal: Seal, secret: bytes, message_id: str, author: str, actor: str) -> bytes:
    info = f"{message_id}{author}{actor}{seal}".encode()
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(secret)


def _known(seal: Seal, message_id: str, actor: str) -> bytes | None:
    """What must be the same at both ends beside the key."""
    return f"{message_id}\0{actor}".encode() if seal is Seal.VOTE else None


def _hash(option: str) -> bytes:
    return sha256(option.encode()).digest()
