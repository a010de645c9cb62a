import base64
import hashlib
import signal
import time

from sandbox.device_lists import participant_hash
from sandbox.jid import JID
from sandbox.stanza import Node
from tests.wire.sandbox_process import SandboxProcess
from tests.wire.wire_client import (
    SERVER,
    Online,
    WireClient,
    acknowledges,
    carries,
    codec,
    linked,
    text_to,
)


async def test_a_message_arrives_with_both_addresses_of_its_sender(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491710001"), await linked(sandbox, "491710002")
    async with Online(sandbox, ann) as sender, Online(sandbox, bob) as receiver:
        await sender.send(text_to(bob, "A1"))
        ack = await sender.expect(acknowledges("A1"))
        message = await receiver.expect(carries("A1"))
    assert ack.attrs == {"class": "message", "id": "A1", "from": bob.lid.account, "t": ack.text("t")}
    assert abs(int(ack.text("t")) - time.time()) < 30
    assert message.jid("from") == ann.lid
    assert message.jid("sender_pn") == ann.pn.account
    assert message.text("t") == ack.text("t")
    assert message.children[0].data == b"ciphertext"


async def test_own_devices_get_their_copy_with_the_chat_it_belongs_to(sandbox: SandboxProcess) -> None:
    ann, other = await linked(sandbox, "491710003"), await linked(sandbox, "491710003")
    bob = await linked(sandbox, "491710004")
    async with Online(sandbox, ann) as sender, Online(sandbox, other) as copy:
        message = text_to(bob, "A2")
        fan_out = message.children[0].content
        assert isinstance(fan_out, list)
        fan_out.append(Node("to", {"jid": other.lid}, [Node("enc", {"v": "2", "type": "msg"}, b"own")]))
        await sender.send(message)
        received = await copy.expect(carries("A2"))
    assert received.jid("from") == ann.lid
    assert received.jid("recipient") == bob.lid.account
    assert received.jid("peer_recipient_pn") == bob.pn.account
    assert received.children[0].data == b"own"


async def test_a_message_waits_until_it_is_acknowledged(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491710005"), await linked(sandbox, "491710006")
    # Given a message to somebody who is away
    async with Online(sandbox, ann) as sender:
        await sender.send(text_to(bob, "A3"))
        await sender.expect(acknowledges("A3"))
    # When they come and leave without a word about it, it is delivered again
    for _ in range(2):
        async with WireClient(sandbox, bob) as receiver:
            await receiver.log_in()
            await receiver.activate()
            preview = await receiver.expect(lambda node: node.child("offline_preview") is not None)
            assert preview.children[0].text("count") == "1"
            message = await receiver.expect(carries("A3"))
            done = await receiver.expect(lambda node: node.child("offline") is not None)
            assert done.children[0].text("count") == "1"
    # Until they acknowledge it
    async with Online(sandbox, bob) as receiver:
        await receiver.send(Node("receipt", {"to": message.attrs["from"], "id": "A3"}))
        await receiver.expect(lambda node: node.tag == "ack" and node.text("class") == "receipt")
    async with WireClient(sandbox, bob) as receiver:
        await receiver.log_in()
        await receiver.activate()
        done = await receiver.expect(lambda node: node.child("offline") is not None)
        assert done.children[0].text("count") == "0"


async def test_receipts_go_back_to_the_sender(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491710007"), await linked(sandbox, "491710008")
    async with Online(sandbox, ann) as sender, Online(sandbox, bob) as receiver:
        await sender.send(text_to(bob, "A4"))
        message = await receiver.expect(carries("A4"))
        await receiver.send(Node("receipt", {"to": message.attrs["from"], "id": "A4"}))
        delivered = await sender.expect(lambda node: node.tag == "receipt")
        item = Node("list", {}, [Node("item", {"id": "A5"})])
        await receiver.send(Node("receipt", {"to": ann.lid.account, "id": "A4", "type": "read"}, [item]))
        read = await sender.expect(lambda node: node.tag == "receipt")
    assert (delivered.jid("from"), delivered.text("id"), delivered.text("type")) == (bob.lid, "A4", "")
    assert (read.text("type"), read.children) == ("read", [item])


async def test_a_retry_reaches_only_the_device_that_can_answer_it(sandbox: SandboxProcess) -> None:
    ann, other = await linked(sandbox, "491710009"), await linked(sandbox, "491710009")
    bob = await linked(sandbox, "491710010")
    async with (
        Online(sandbox, ann) as sender,
        Online(sandbox, other) as bystander,
        Online(sandbox, bob) as receiver,
    ):
        # Given a message that the receiver cannot decrypt
        await sender.send(text_to(bob, "A6"))
        message = await receiver.expect(carries("A6"))
        retry = [Node("retry", {"count": "1", "id": "A6", "t": message.text("t"), "v": "1"})]
        await receiver.send(
            Node("receipt", {"to": message.attrs["from"], "id": "A6", "type": "retry"}, retry)
        )
        await receiver.send(Node("ack", {"class": "message", "id": "A6", "to": message.attrs["from"]}))
        asked = await sender.expect(lambda node: node.tag == "receipt" and node.text("type") == "retry")
        # When the sender encrypts it anew, for that device alone
        enc = Node("enc", {"v": "2", "type": "pkmsg", "count": "1"}, b"again")
        attrs = {"to": asked.attrs["from"], "id": "A6", "type": "text", "device_fanout": "false"}
        await sender.send(Node("message", attrs, [enc]))
        # Then it arrives, and the sender's other device has seen nothing of it
        again = await receiver.expect(carries("A6"))
        assert again.children[0].data == b"again"
        await bystander.query("w:p", "get")
        await bystander.send(Node("presence", {"type": "available"}))
        assert not [node for node in bystander.unread if node.tag in {"receipt", "message"}]


async def test_the_same_message_sent_again_arrives_once(sandbox: SandboxProcess) -> None:
    # A client sends its unacknowledged message again after it has lost the connection
    ann, bob = await linked(sandbox, "491710011"), await linked(sandbox, "491710012")
    async with Online(sandbox, bob) as receiver:
        times = []
        for _ in range(2):
            async with Online(sandbox, ann) as sender:
                await sender.send(text_to(bob, "A7"))
                times.append((await sender.expect(acknowledges("A7"))).text("t"))
        await receiver.expect(carries("A7"))
        await receiver.query("w:p", "get")
        assert times[0] == times[1]
        assert not [node for node in receiver.unread if node.tag == "message"]


async def test_a_message_to_nobody_is_refused(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491710013")
    async with Online(sandbox, ann) as sender:
        for number, to in enumerate(
            (JID("123", "lid"), JID("491799999", "s.whatsapp.net"), JID("1-2", "g.us"))
        ):
            await sender.send(Node("message", {"to": to, "id": f"N{number}", "type": "text"}))
            ack = await sender.expect(acknowledges(f"N{number}"))
            assert ack.text("error") == "404"


async def test_a_new_device_is_made_known(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491710022"), await linked(sandbox, "491710023")
    async with Online(sandbox, ann) as sender, Online(sandbox, bob) as receiver:
        # When Bob links another device
        await linked(sandbox, "491710023")
        # Then his other one is told
        news = await receiver.expect(lambda node: node.tag == "notification")
        jids = [bob.lid.account, bob.lid, bob.lid._replace(device=2)]
        assert news.text("type") == "account_sync"
        assert [device.jid("jid") for device in news.children[0].children] == jids
        assert news.children[0].text("dhash") == participant_hash(jids)
        # And who still writes to the old list learns that it is one
        await sender.send(text_to(bob, "AA"))
        ack = await sender.expect(acknowledges("AA"))
        assert ack.text("phash") == participant_hash([*jids, ann.lid.account, ann.lid])


def test_the_hash_of_a_device_list() -> None:
    # Made by hand: SHA-256 of the sorted texts, joined; six bytes in base64 without filling.
    devices = [JID("1", "lid", 2), JID("1", "lid")]
    digest = hashlib.sha256(b"1.0:0@lid1.0:2@lid").digest()
    assert participant_hash(devices) == "2:" + base64.b64encode(digest[:6]).decode().rstrip("=")


async def test_a_newer_connection_takes_the_device_over(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491710014"), await linked(sandbox, "491710015")
    async with Online(sandbox, ann) as older, Online(sandbox, ann) as newer:
        error = await older.expect(lambda node: node.tag == "stream:error")
        assert [child.tag for child in error.children] == ["conflict"]
        assert error.children[0].attrs == {"type": "replaced"}
        await older.closed()
        # The newer one is the device now
        async with Online(sandbox, bob) as sender:
            await sender.send(text_to(ann, "A8"))
        await newer.expect(carries("A8"))


async def test_logging_out_removes_the_device(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491710016")
    async with Online(sandbox, ann) as client:
        request = Node("remove-companion-device", {"jid": ann.pn, "reason": "user_initiated"})
        assert (await client.query("md", "set", [request])).text("type") == "result"
    assert (await sandbox.ok("GET", "/phones/491710016"))["devices"] == []


async def test_a_chat_state_is_shown_to_who_is_online(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491710017"), await linked(sandbox, "491710018")
    async with Online(sandbox, ann) as sender, Online(sandbox, bob) as receiver:
        await sender.send(Node("chatstate", {"to": bob.lid.account}, [Node("composing")]))
        shown = await receiver.expect(lambda node: node.tag == "chatstate")
    assert (shown.jid("from"), shown.children[0].tag) == (ann.lid.account, "composing")


async def test_messages_survive_the_death_of_the_network(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491710019"), await linked(sandbox, "491710020")
    # Given many messages that were acknowledged, and a network that is killed right after
    ids = [f"K{number}" for number in range(200)]
    async with Online(sandbox, ann) as sender:
        for message_id in ids:
            await sender.send(text_to(bob, message_id))
        for message_id in ids:
            await sender.expect(acknowledges(message_id))
        await sandbox.end(signal.SIGKILL)
    # When it is back
    await sandbox.start()
    # Then the receiver, whose keys it still knows, gets them all, in order
    async with WireClient(sandbox, bob) as receiver:
        assert (await receiver.log_in()).tag == "success"
        await receiver.activate()
        await receiver.expect(lambda node: node.child("offline") is not None)
        arrived = [node.text("id") for node in receiver.unread if node.tag == "message"]
    assert arrived == ids


async def test_a_client_in_a_hurry_gets_all_its_answers(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491710021")
    async with Online(sandbox, ann) as client:
        queries = [
            codec.encode(Node("iq", {"to": SERVER, "xmlns": "w:p", "type": "get", "id": f"q{number}"}))
            for number in range(3000)
        ]
        for query in queries:
            await client.send_raw(query)
        for number in range(3000):
            answer = await client.receive()
            assert answer.text("id") == f"q{number}"
