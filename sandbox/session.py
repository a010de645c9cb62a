"""A linked device that is logged in: what it sends is taken over here, what waits for it goes out here."""

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from sandbox import queries
from sandbox.accounts import Device
from sandbox.companions import share_key
from sandbox.connection import Connection
from sandbox.histories import give_once
from sandbox.jid import SERVER_JID
from sandbox.mailbox import StanzaKey, sender_of
from sandbox.stanza import Node

if TYPE_CHECKING:
    from sandbox.network import Network
    from sandbox.routing import Router

__all__ = ["Session"]

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 0.2
_REORDER_SECONDS = 1.0
_PING = "w:p"


class Session:
    """A login of a device.

    Args:
        network: The network.
        router: Takes over what the device sends to others.
        device: The device.
        connection: Its connection, after the handshake.
    """

    def __init__(self, network: "Network", router: "Router", device: Device, connection: Connection) -> None:
        self.network = network
        self.device = device
        self._router = router
        self._connection = connection
        self._held_back: bytes | None = None
        self._active = False

    @property
    def number(self) -> str:
        """The account's phone number."""
        return self.device.account.number

    def start(self) -> None:
        """Takes the device over from an older connection, if there is one, and greets it."""
        previous = self.device.session
        if previous is not None:
            previous.end_stream("replaced")
        # What the older connection was sent and did not acknowledge goes to this one.
        self.device.mailbox.shut()
        self.device.session = self
        self.send(
            Node(
                "success",
                {
                    "t": str(int(time.time())),
                    "lid": self.device.lid,
                    "creation": str(int(time.time())),
                    "location": "sandbox",
                },
            )
        )

    def end(self) -> None:
        """The connection is gone."""
        if self.device.session is self:
            self.device.session = None
            self.device.mailbox.shut()
        self._active = False
        self._router.presences.leave(self)

    def handle(self, node: Node) -> None:
        """Takes a stanza of the device."""
        if self._silent():
            return
        lag = self.network.faults.peek("lag", self.number)
        if lag is None:
            self._take(node)
        else:
            asyncio.get_running_loop().call_later(lag.fields["delay"], self._take, node)

    def _take(self, node: Node) -> None:
        tag = node.tag
        if tag == "message":
            self._router.message(self, node)
        elif tag == "receipt":
            self._router.receipt(self, node)
        elif tag == "ack":
            self._settled(node)
        elif tag == "iq":
            if node.text("xmlns") == _PING and self.network.faults.take("ping_drop", self.number):
                return
            answer = queries.answer(self, node)
            if answer is not None:
                self.send(answer)
        elif tag == "chatstate":
            self._router.chatstate(self, node)
        elif tag == "presence":
            self._router.presences.take(self, node)
        elif tag != "ib":
            _log.debug("%s sent %r, which is not known here", self.device.pn, node)

    def send(self, node: Node) -> None:
        """Sends a stanza that needs no acknowledgement; lost while the network is silent."""
        if not self._silent():
            self._connection.send(node)

    def send_encoded(self, stanza: bytes) -> None:
        """Sends a stanza that is encoded already; see ``send``."""
        if not self._silent():
            self._connection.send_encoded(stanza)

    def activate(self) -> None:
        """The device wants what waits for it, and everything new from here on."""
        if self._active:
            return
        self._active = True
        share_key(self.network, self.device)
        give_once(self.network, self.device)
        fault = self.network.faults.take("slow_offline", self.number)
        delay, pause = (fault.fields["delay"], fault.fields["pause"]) if fault else (0, 0)
        asyncio.get_running_loop().call_later(delay, self._deliver_offline, pause)

    def end_stream(self, code: int | str) -> None:
        """Tells the device why the connection ends, and ends it.

        Args:
            code: ``replaced``, 401 (the device was unlinked), 503 or 515.
        """
        if code == "replaced":
            error = Node("stream:error", content=[Node("conflict", {"type": "replaced"})])
        elif code == 401:
            error = Node("stream:error", {"code": "401"}, [Node("conflict", {"type": "device_removed"})])
        else:
            error = Node("stream:error", {"code": str(code)})
        self._connection.send(error)
        self._connection.close()

    def close(self) -> None:
        """Ends the connection after what is queued."""
        self._connection.close()

    def cut(self) -> None:
        """Closes the connection without a word."""
        self._connection.abort()

    def settle(self, key: StanzaKey) -> None:
        """The device acknowledged a stanza."""
        if self.device.mailbox.settle(key) and key.tag == "message":
            self.network.stats.messages_delivered += 1

    def _settled(self, ack: Node) -> None:
        tag = ack.text("class")
        kind = "" if tag == "message" else ack.text("type")
        self.settle(StanzaKey(tag, ack.text("id"), kind, sender_of(ack, "to")))

    def _deliver_offline(self, pause: float) -> None:
        if not self._active or self.device.session is not self:
            return
        mailbox = self.device.mailbox
        waiting = len(mailbox)
        if waiting:
            tags = mailbox.tags()
            counts = {tag: str(tags[tag]) for tag in ("message", "receipt", "notification")}
            preview = Node("offline_preview", {"count": str(waiting), "appdata": "0", **counts})
            self.send(Node("ib", {"from": SERVER_JID}, [preview]))
        done = Node("ib", {"from": SERVER_JID}, [Node("offline", {"count": str(waiting)})])
        if pause:
            mailbox.open_slowly(self._transmit, pause, partial(self.send, done))
        else:
            mailbox.open(self._transmit)
            self.send(done)

    def _transmit(self, tag: str, stanza: bytes) -> None:
        faults = self.network.faults
        if self._silent():
            # Nothing is lost: it stays in the mailbox until the network speaks again.
            self.device.mailbox.shut()
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._reopen)
            return
        if tag != "message":
            self._connection.send_encoded(stanza)
            return
        if self._held_back is not None:
            self._connection.send_encoded(stanza)
            self._release()
        elif faults.take("reorder", self.number):
            self._held_back = stanza
            asyncio.get_running_loop().call_later(_REORDER_SECONDS, self._release)
        else:
            self._connection.send_encoded(stanza)
            if faults.take("duplicate", self.number):
                self._connection.send_encoded(stanza)

    def _release(self) -> None:
        if self._held_back is not None:
            self._connection.send_encoded(self._held_back)
            self._held_back = None

    def _reopen(self) -> None:
        if self._active and self.device.session is self:
            self.device.mailbox.open(self._transmit)

    def _silent(self) -> bool:
        return self.network.faults.peek("silence", self.number) is not None
