"""What the network says about groups on the wire, where a real client shows less of it, or never asks."""

from sandbox.device_lists import participant_hash
from sandbox.jid import JID
from sandbox.stanza import Node, Value
from tests.wire.sandbox_process import SandboxProcess
from tests.wire.wire_client import Identity, Online, WireClient, acknowledges, carries, linked

GROUPS = JID("", "g.us")


async def ask(client: WireClient, kind: str, request: Node, to: JID = GROUPS) -> Node:
    return await client.query("w:g2", kind, [request], to=to)


async def create(client: WireClient, *members: Identity, subject: str = "Friends") -> Node:
    listed = [Node("participant", {"jid": member.lid.account}) for member in members]
    answer = await ask(client, "set", Node("create", {"subject": subject}, listed))
    assert answer.text("type") == "result"
    return answer.children[0]


def jid_of(group: Node) -> JID:
    return JID(group.text("id"), "g.us")


def refusal(answer: Node) -> tuple[str, str]:
    assert answer.text("type") == "error"
    return answer.children[0].text("code"), answer.children[0].text("text")


def members(node: Node) -> dict[JID | None, str]:
    return {child.jid("jid"): child.text("type") for child in node.children if child.tag == "participant"}


async def notice(client: WireClient, change: str) -> Node:
    return await client.expect(lambda node: node.tag == "notification" and node.child(change) is not None)


def group_text(group: JID, message_id: str, members: list[JID], *, to: list[JID]) -> Node:
    """A message to a group, as encrypted for some of its members' devices."""
    keys = [Node("to", {"jid": jid}, [Node("enc", {"v": "2", "type": "msg"}, b"key")]) for jid in to]
    attrs: dict[str, Value] = {
        "to": group,
        "id": message_id,
        "type": "text",
        "phash": participant_hash(members),
        "addressing_mode": "lid",
    }
    enc = Node("enc", {"v": "2", "type": "skmsg"}, b"ciphertext")
    return Node("message", attrs, [Node("participants", {}, keys), enc])


def devices(*identities: Identity) -> list[JID]:
    return [jid for identity in identities for jid in (identity.lid.account, identity.lid)]


async def test_a_group_is_described_to_its_members(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491780001"), await linked(sandbox, "491780002")
    async with Online(sandbox, ann) as maker, Online(sandbox, bob) as member:
        group = await create(maker, bob)
        assert members(group) == {ann.lid.account: "superadmin", bob.lid.account: ""}
        assert [child.jid("phone_number") for child in group.children if child.tag == "participant"] == [
            ann.pn.account,
            bob.pn.account,
        ]
        assert (group.text("subject"), group.text("addressing_mode")) == ("Friends", "lid")
        # Members learn the same, asked or not
        for client in (maker, member):
            told = await notice(client, "create")
            assert (told.jid("from"), told.text("type")) == (jid_of(group), "w:gp2")
            assert told.jid("participant") == ann.lid.account
            assert told.children[0].text("type") == "new"
            assert told.children[0].children[0] == group
            asked = await ask(client, "get", Node("query", {"request": "interactive"}), jid_of(group))
            assert asked.children[0] == group
            listed = await ask(client, "get", Node("participating"))
            assert listed.children[0].children == [group]


async def test_names_that_are_nobody_s_are_told_apart(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491780003"), await linked(sandbox, "491780004")
    nobody = JID("491799999", "s.whatsapp.net")
    async with Online(sandbox, ann) as maker:
        named = [Node("participant", {"jid": jid}) for jid in (bob.pn.account, bob.lid.account, nobody)]
        answer = await ask(maker, "set", Node("create", {"subject": ""}, named))
        group = answer.children[0]
        assert members(group) == {ann.lid.account: "superadmin", bob.lid.account: "", nobody: ""}
        assert [c.text("error") for c in group.children if c.tag == "participant"] == ["", "", "404"]
        asked = await ask(maker, "get", Node("query"), jid_of(group))
        assert members(asked.children[0]) == {ann.lid.account: "superadmin", bob.lid.account: ""}


async def test_outsiders_and_members_are_refused_with_the_codes_that_clients_know(
    sandbox: SandboxProcess,
) -> None:
    ann, bob = await linked(sandbox, "491780005"), await linked(sandbox, "491780006")
    eve = await linked(sandbox, "491780007")
    async with Online(sandbox, ann) as maker, Online(sandbox, bob) as member, Online(sandbox, eve) as other:
        group = jid_of(await create(maker, bob))
        nowhere = JID("120363000000000000", "g.us")
        assert refusal(await ask(other, "get", Node("query"), group)) == ("403", "forbidden")
        assert refusal(await ask(other, "get", Node("query"), nowhere)) == ("404", "item-not-found")
        assert refusal(await ask(other, "get", Node("invite"), group)) == ("403", "forbidden")
        assert refusal(await ask(member, "get", Node("invite"), group)) == ("401", "not-authorized")
        assert refusal(await ask(member, "set", Node("invite"), group)) == ("401", "not-authorized")
        assert refusal(await ask(member, "set", Node("locked"), group)) == ("403", "forbidden")
        for kind in ("get", "set"):
            wrong = await ask(other, kind, Node("invite", {"code": "NoSuchCode"}))
            assert refusal(wrong) == ("406", "not-acceptable")
            assert refusal(await ask(other, kind, Node("unheard-of"), group))[0] == "501"
            assert refusal(await ask(other, kind, Node("unheard-of")))[0] == "501"
            assert refusal(await other.query("w:g2", kind, None, to=GROUPS)) == ("400", "bad-request")
        # A message of who is not in the group
        await other.send(group_text(group, "G1", [], to=[]))
        assert (await other.expect(acknowledges("G1"))).text("error") == "403"


async def test_an_invite_shows_the_group_and_lets_in(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491780008"), await linked(sandbox, "491780009")
    async with Online(sandbox, ann) as maker, Online(sandbox, bob) as other:
        group = jid_of(await create(maker))
        code = (await ask(maker, "get", Node("invite"), group)).children[0].text("code")
        preview = await ask(other, "get", Node("invite", {"code": code}))
        assert preview.children[0].text("subject") == "Friends"
        for _ in range(2):
            joined = await ask(other, "set", Node("invite", {"code": code}))
            assert joined.children[0].jid("jid") == group
        # Once: everything for who is new, a word for the others
        told = (await notice(other, "create")).children[0]
        assert (told.text("reason"), len(members(told.children[0]))) == ("invite", 2)
        told = (await notice(maker, "add")).children[0]
        assert (told.text("reason"), members(told)) == ("invite", {bob.lid.account: ""})
        # The code is for this group until it is reset
        reset = (await ask(maker, "set", Node("invite"), group)).children[0].text("code")
        assert (await notice(other, "invite")).children[0].text("code") == reset != code
        for kind in ("get", "set"):
            assert refusal(await ask(other, kind, Node("invite", {"code": code}))) == ("410", "gone")


async def test_changes_are_told_to_all_members(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491780010"), await linked(sandbox, "491780011")
    async with Online(sandbox, ann) as maker, Online(sandbox, bob) as member:
        group = jid_of(await create(maker, bob))
        named = Node("participant", {"jid": bob.lid.account})
        described = Node("description", {"id": "D1"}, [Node("body", {}, b"what for")])
        for change in (
            Node("subject", {}, b"Pals"),
            described,
            Node("announcement"),
            Node("not_announcement"),
            Node("locked"),
            Node("unlocked"),
            Node("promote", {}, [named]),
            Node("demote", {}, [named]),
            Node("remove", {}, [named]),
        ):
            assert (await ask(maker, "set", change, group)).text("type") == "result"
            for client in (maker, member):
                told = await notice(client, change.tag)
                assert told.jid("participant") == ann.lid.account
                assert told.jid("participant_pn") == ann.pn.account
                if change.tag == "subject":
                    assert told.children[0].text("subject") == "Pals"
                if change.tag == "description":
                    assert told.children[0].children == described.children
                if change.tag in {"promote", "demote", "remove"}:
                    assert members(told.children[0]) == {bob.lid.account: ""}
        # A description that was changed meanwhile is not overwritten
        answer = await ask(maker, "set", Node("description", {"id": "D2", "prev": "D0"}), group)
        assert refusal(answer) == ("409", "conflict")
        # Who made the group stays its admin
        own = Node("participant", {"jid": ann.lid.account})
        answer = await ask(maker, "set", Node("demote", {}, [own]), group)
        assert answer.children[0].children[0].text("error") == "406"
        # A notice waits until it is acknowledged
        assert (await sandbox.ok("GET", "/phones/491780011"))["devices"][0]["waiting"] > 0


async def test_a_message_reaches_every_device_once(sandbox: SandboxProcess) -> None:
    ann, other = await linked(sandbox, "491780012"), await linked(sandbox, "491780012")
    bob, eve = await linked(sandbox, "491780013"), await linked(sandbox, "491780014")
    async with Online(sandbox, ann) as sender:
        group = jid_of(await create(sender, bob, eve))
        known = [*devices(ann, bob), other.lid, *devices(eve)]
        message = group_text(group, "G2", known, to=[other.lid, bob.lid])
        for _ in range(2):
            await sender.send(message)
            ack = await sender.expect(acknowledges("G2"))
            assert ack.attrs == {"class": "message", "id": "G2", "from": group, "t": ack.text("t")}
        async with Online(sandbox, bob) as reader:
            first = await reader.expect(carries("G2"))
            assert first.attrs == {
                "from": group,
                "participant": ann.lid,
                "participant_pn": ann.pn.account,
                "addressing_mode": "lid",
                "notify": "User 0012",
                "id": "G2",
                "t": ack.text("t"),
                "type": "text",
            }
            assert [child.data for child in first.children] == [b"key", b"ciphertext"]
        # No receipt, so it comes again; with one it does not
        async with Online(sandbox, bob) as reader:
            again = await reader.expect(carries("G2"))
            await reader.send(
                Node("receipt", {"to": group, "id": "G2", "participant": again.attrs["participant"]})
            )
            await reader.expect(lambda node: node.tag == "ack" and node.text("class") == "receipt")
        delivered = await sender.expect(lambda node: node.tag == "receipt")
        assert (delivered.jid("from"), delivered.text("id")) == (group, "G2")
        assert (delivered.jid("participant"), delivered.jid("participant_pn")) == (bob.lid, bob.pn.account)
        async with Online(sandbox, bob) as reader:
            await reader.query("w:p", "get")
            assert not [node for node in reader.unread if node.tag == "message"]
        # For whom there was no key there is the message alone; own devices are members' devices
        for identity, expected in ((eve, [b"ciphertext"]), (other, [b"key", b"ciphertext"])):
            async with Online(sandbox, identity) as reader:
                found = await reader.expect(carries("G2"))
                assert [child.data for child in found.children] == expected


async def test_who_cannot_decrypt_gets_it_anew(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491780015"), await linked(sandbox, "491780016")
    async with Online(sandbox, ann) as sender, Online(sandbox, bob) as reader:
        group = jid_of(await create(sender, bob))
        await sender.send(group_text(group, "G3", devices(ann, bob), to=[]))
        message = await reader.expect(carries("G3"))
        attrs: dict[str, Value] = {
            "to": group,
            "id": "G3",
            "type": "retry",
            "participant": message.attrs["participant"],
        }
        await reader.send(Node("receipt", attrs, [Node("retry", {"count": "1", "id": "G3", "v": "1"})]))
        wanted = await sender.expect(lambda node: node.tag == "receipt" and node.text("type") == "retry")
        assert wanted.jid("participant") == bob.lid
        assert wanted.children[0].text("count") == "1"
        anew: dict[str, Value] = {
            "to": group,
            "id": "G3",
            "type": "text",
            "participant": wanted.attrs["participant"],
        }
        await sender.send(Node("message", anew, [Node("enc", {"v": "2", "type": "msg"}, b"anew")]))
        again = await reader.expect(carries("G3"))
        assert [child.data for child in again.children] == [b"anew"]


async def test_an_old_list_of_members_is_told_apart(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491780017"), await linked(sandbox, "491780018")
    async with Online(sandbox, ann) as sender:
        group = jid_of(await create(sender, bob))
        await sender.send(group_text(group, "G4", devices(ann), to=[]))
        ack = await sender.expect(acknowledges("G4"))
        assert ack.text("phash") == participant_hash(devices(ann, bob))


async def test_faults_of_messages_hit_groups_too(sandbox: SandboxProcess) -> None:
    ann, bob = await linked(sandbox, "491780019"), await linked(sandbox, "491780020")
    async with Online(sandbox, ann) as sender:
        group = jid_of(await create(sender, bob))
        await sandbox.fault(kind="ack_error", number=ann.pn.user, code=463, count=1)
        await sender.send(group_text(group, "G5", devices(ann, bob), to=[]))
        assert (await sender.expect(acknowledges("G5"))).text("error") == "463"
        await sandbox.fault(kind="group_refused", action="info", code=429, count=1)
        answer = await ask(sender, "get", Node("query"), group)
        assert refusal(answer) == ("429", "rate-overlimit")
        assert (await ask(sender, "get", Node("query"), group)).text("type") == "result"


async def test_a_big_group_of_sinks_takes_what_is_sent(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491780021")
    sinks = [f"4917801{number:05}" for number in range(50)]
    for number in sinks:
        await sandbox.ok("PUT", f"/contacts/{number}", {"name": "", "kind": "sink"})
    async with Online(sandbox, ann) as sender:
        named = [Node("participant", {"jid": JID(number, "s.whatsapp.net")}) for number in sinks]
        group = (await ask(sender, "set", Node("create", {"subject": "Many"}, named))).children[0]
        assert len(members(group)) == len(sinks) + 1
        before = (await sandbox.ok("GET", "/stats"))["messages"]["delivered"]
        await sender.send(group_text(jid_of(group), "G6", [], to=[]))
        await sender.expect(acknowledges("G6"))
        after = (await sandbox.ok("GET", "/stats"))["messages"]["delivered"]
    assert after - before == len(sinks) + 1
