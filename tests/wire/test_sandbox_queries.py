from sandbox.accounts import MAX_DEVICE
from sandbox.curve import KEY_TYPE, KeyPair, verify
from sandbox.jid import JID
from sandbox.stanza import Node, Value
from tests.wire.sandbox_process import SandboxProcess
from tests.wire.wire_client import Online, WireClient, linked, publish


def usync(aspects: list[Node], users: list[Node]) -> list[Node]:
    attrs: dict[str, Value] = {
        "sid": "1",
        "mode": "query",
        "last": "true",
        "index": "0",
        "context": "message",
    }
    return [Node("usync", attrs, [Node("query", {}, aspects), Node("list", {}, users)])]


def answered(answer: Node) -> list[Node]:
    listed = answer.children[0].child("list")
    assert listed is not None
    return list(listed.children)


async def bundle(client: WireClient, jid: JID) -> Node:
    answer = await client.query("encrypt", "get", [Node("key", {}, [Node("user", {"jid": jid})])])
    (user,) = answer.children[0].children
    assert user.jid("jid") == jid
    return user


async def test_devices_are_found_by_either_address(sandbox: SandboxProcess) -> None:
    ann, _ = await linked(sandbox, "491720001"), await linked(sandbox, "491720001")
    async with Online(sandbox, ann) as client:
        for jid in (ann.pn.account, ann.lid.account):
            query = usync([Node("devices", {"version": "2"}), Node("lid")], [Node("user", {"jid": jid})])
            (user,) = answered(await client.query("usync", "get", query))
            devices, lid = user.child("devices"), user.child("lid")
            assert devices is not None
            assert lid is not None
            assert [device.text("id") for device in devices.children[0].children] == ["0", "1", "2"]
            assert lid.jid("val") == ann.lid.account


async def test_nobody_has_neither_devices_nor_a_lid(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491720002")
    async with Online(sandbox, ann) as client:
        user = Node("user", {"jid": JID("491799999", "s.whatsapp.net")})
        (answer,) = answered(
            await client.query("usync", "get", usync([Node("devices"), Node("lid")], [user]))
        )
    assert [child.tag for child in answer.children] == ["devices"]
    assert answer.children[0].child("device-list") is None


async def test_a_number_is_on_whatsapp_or_not(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491720003")
    async with Online(sandbox, ann) as client:
        asked = ["491720003@c.us", "+491799999@c.us"]
        users = [Node("user", {}, [Node("contact", {}, number.encode())]) for number in asked]
        query = usync([Node("contact", {"addressing_mode": "lid"})], users)
        known, unknown = answered(await client.query("usync", "get", query))
    assert known.jid("jid") == ann.lid.account
    assert known.jid("pn_jid") == ann.pn.account
    assert known.children[0].text("type") == "in"
    assert known.children[0].data == asked[0].encode()
    assert unknown.jid("jid") == JID("491799999", "s.whatsapp.net")
    assert unknown.children[0].text("type") == "out"


async def test_a_number_can_be_as_if_it_were_not_on_whatsapp(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491720008"), await linked(sandbox, "491720009")
    asked = usync([Node("contact")], [Node("user", {}, [Node("contact", {}, b"+491720009")])])
    devices = usync([Node("devices"), Node("lid")], [Node("user", {"jid": bob.pn.account})])
    await sandbox.fault(kind="absent", number="491720009")
    async with Online(sandbox, ann) as client:
        (contact,) = answered(await client.query("usync", "get", asked))
        assert contact.children[0].text("type") == "out"
        (user,) = answered(await client.query("usync", "get", devices))
        assert user.child("lid") is None
        await sandbox.heal()
        (contact,) = answered(await client.query("usync", "get", asked))
        assert contact.children[0].text("type") == "in"


async def test_a_one_time_key_is_given_to_one_only(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491720004"), await linked(sandbox, "491720005")
    keys = [KeyPair.generate().public for _ in range(6)]
    async with Online(sandbox, ann) as owner, Online(sandbox, bob) as other:
        assert (await publish(owner, ann, keys)).text("type") == "result"
        given = []
        for left in range(5, -1, -1):
            one_time = (await bundle(other, ann.lid)).child("key")
            assert one_time is not None
            given.append(one_time.children[1].data)
            count = await owner.query("encrypt", "get", [Node("count")])
            assert count.children[0].text("value") == str(left)
        assert given == keys
        # When none is left the signed one must do
        assert (await bundle(other, ann.pn)).child("key") is None
        # And the owner was told in time
        low = await owner.expect(lambda node: node.tag == "notification")
        assert (low.text("type"), low.children[0].text("value")) == ("encrypt", "4")


async def test_a_phone_has_a_bundle_whose_signature_is_right(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491720006")
    await sandbox.ok("PUT", "/contacts/491720007", {"name": "Sink", "kind": "sink"})
    async with Online(sandbox, ann) as client:
        user = await bundle(client, JID("491720007", "s.whatsapp.net"))
    parts = {child.tag: child for child in user.children}
    signed = {child.tag: child.data for child in parts["skey"].children}
    assert verify(parts["identity"].data, KEY_TYPE + signed["value"], signed["signature"])
    assert len(parts["registration"].data) == 4
    assert [len(child.data) for child in parts["key"].children] == [3, 32]


async def test_a_bundle_of_nobody_is_an_error_for_that_one_only(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491720008")
    async with Online(sandbox, ann) as client:
        for jid in (JID("491799999", "s.whatsapp.net"), JID(ann.lid.user, "lid", MAX_DEVICE)):
            user = await bundle(client, jid)
            assert [child.tag for child in user.children] == ["error"]


async def test_everyday_questions_get_an_answer(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491720009")
    async with Online(sandbox, ann) as client:
        for namespace, kind, content, expected in (
            ("w:p", "get", None, None),
            ("abt", "get", [Node("props")], "props"),
            ("w:m", "set", [Node("media_conn")], "media_conn"),
            ("privacy", "get", [Node("privacy")], "privacy"),
            ("blocklist", "get", None, "list"),
            (
                "w:sync:app:state",
                "set",
                [Node("sync", {}, [Node("collection", {"name": "regular"})])],
                "sync",
            ),
            ("urn:xmpp:whatsapp:dirty", "set", [Node("clean", {"type": "account_sync"})], None),
        ):
            answer = await client.query(namespace, kind, content)
            assert answer.text("type") == "result", namespace
            assert [child.tag for child in answer.children] == ([expected] if expected else [])


async def test_what_nobody_answers_is_refused_politely(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491720010")
    async with Online(sandbox, ann) as client:
        for namespace, kind, content, code in (
            ("w:new", "get", None, "501"),
            ("encrypt", "get", [Node("digest")], "501"),
            ("w:sync:app:state", "set", [Node("sync", {}, [Node("collection", {}, [Node("patch")])])], "400"),
            ("w:profile:picture", "get", [Node("picture")], "404"),
            ("usync", "get", None, "400"),
            ("md", "set", [Node("remove-companion-device", {"jid": JID("1", "s.whatsapp.net", 1)})], "403"),
        ):
            answer = await client.query(namespace, kind, content)
            assert answer.text("type") == "error", namespace
            assert answer.children[0].text("code") == code
