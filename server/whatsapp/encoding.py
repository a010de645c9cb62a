"""From the port's content to WhatsApp's protobufs."""

from neonize.proto.Neonize_pb2 import JID
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message

from server.whatsapp.content import Content
from server.whatsapp.jid import Jid


def encode_content(content: Content) -> Message:
    """The `waE2E.Message` that carries `content`.

    Built here and never by the library's helpers, which would fetch link previews from the network.
    """
    return Message(conversation=content.text)


def encode_jid(jid: Jid) -> JID:
    """The library's form of a JID."""
    return JID(User=jid.user, Server=jid.server, RawAgent=0, Device=0, Integrator=0, IsEmpty=False)
