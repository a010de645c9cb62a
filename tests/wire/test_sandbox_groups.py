"""Groups of real clients: who is in them, and what their members decrypt."""

import signal
from typing import Any

import pytest
import pytest_asyncio

from tests.wire.persons import group_of, heard, online, person, receipt, roles, say
from tests.wire.sandbox_process import SandboxProcess, eventually
from tests.wire.wire_client import Online, carries, linked

ANN, BOB, EVE, SINK = "491770001", "491770002", "491770003", "491770004"
NAMES = {ANN: "Ann", BOB: "Bob", EVE: "Eve"}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def persons(network: SandboxProcess) -> dict[str, Any]:
    await network.ok("PUT", f"/contacts/{SINK}", {"name": "Sink", "kind": "sink"})
    return {number: await person(network, number, name) for number, name in NAMES.items()}


def pn(number: str) -> str:
    return f"{number}@s.whatsapp.net"


async def group(sandbox: SandboxProcess, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await sandbox.ok("GET", f"/groups/{made['id']}")
    return found


async def all_hear(sandbox: SandboxProcess, sent: dict[str, Any], *readers: str) -> list[dict[str, Any]]:
    return [await heard(sandbox, reader, sent["id"]) for reader in readers]


@pytest.mark.parametrize("addressing", ["lid", "pn"])
async def test_every_member_decrypts_what_any_member_writes(
    sandbox: SandboxProcess, persons: dict[str, Any], addressing: str
) -> None:
    made = await group_of(sandbox, ANN, BOB, EVE, SINK, addressing=addressing)
    assert roles(made) == {ANN: "superadmin", BOB: "member", EVE: "member", SINK: "member"}
    assert (made["subject"], made["addressing"]) == ("Friends", addressing)
    for sender in (ANN, BOB, EVE, ANN):
        sent = await say(sandbox, sender, made["jid"], text=f"{NAMES[sender]} here")
        for message in await all_hear(sandbox, sent, *({ANN, BOB, EVE} - {sender})):
            assert message == {
                "id": sent["id"],
                "from": pn(sender),
                "fromLid": persons[sender]["lid"],
                "chat": made["jid"],
                "chatLid": None,
                "timestamp": sent["timestamp"],
                "type": "text",
                "kind": "text",
                "text": f"{NAMES[sender]} here",
            }


@pytest.mark.parametrize("addressing", ["lid", "pn"])
async def test_messages_about_messages_in_a_group(
    sandbox: SandboxProcess, persons: dict[str, Any], addressing: str
) -> None:
    made = await group_of(sandbox, ANN, BOB, EVE, addressing=addressing)
    jid = made["jid"]
    named = persons[BOB]["lid"] if addressing == "lid" else pn(BOB)
    about = {"sender": pn(BOB), "senderLid": persons[BOB]["lid"]}
    asked = await say(sandbox, BOB, jid, text=f"who is in, @{EVE}?", mentions=[EVE])
    (message, _) = await all_hear(sandbox, asked, EVE, ANN)
    assert message["mentions"] == [pn(EVE)]
    # A reply names the author as the group does
    reply = await say(sandbox, EVE, jid, text="me", quoted={"id": asked["id"]})
    for message in await all_hear(sandbox, reply, ANN, BOB):
        assert message["quoted"] == {
            "id": asked["id"],
            "participant": named,
            "text": f"who is in, @{EVE}?",
        }
    reaction = await say(sandbox, ANN, jid, reaction={"target": asked["id"], "emoji": "!"})
    for message in await all_hear(sandbox, reaction, BOB, EVE):
        assert message["reaction"] == {"target": asked["id"], **about, "emoji": "!"}
    edit = await say(sandbox, BOB, jid, edit={"target": asked["id"], "text": "who?"})
    for message in await all_hear(sandbox, edit, ANN, EVE):
        assert message["edit"] == {"target": asked["id"], **about, "text": "who?"}
    # An admin revokes what somebody else wrote
    revoke = await say(sandbox, ANN, jid, revoke={"target": asked["id"]})
    for message in await all_hear(sandbox, revoke, BOB, EVE):
        assert message["from"] == pn(ANN)
        assert message["revoke"] == {"target": asked["id"], **about}


@pytest.mark.parametrize("addressing", ["lid", "pn"])
async def test_every_member_sees_the_votes(
    sandbox: SandboxProcess, persons: dict[str, Any], addressing: str
) -> None:
    made = await group_of(sandbox, ANN, BOB, EVE, addressing=addressing)
    content = {"name": "When?", "options": ["Now", "Later"], "selectableCount": 1}
    poll = await say(sandbox, ANN, made["jid"], poll=content)
    for message in await all_hear(sandbox, poll, BOB, EVE):
        assert message["poll"] == content
    for voter, option in ((BOB, "Later"), (ANN, "Now")):
        vote = await say(sandbox, voter, made["jid"], vote={"target": poll["id"], "options": [option]})
        for message in await all_hear(sandbox, vote, *({ANN, BOB, EVE} - {voter})):
            assert message["vote"] == {
                "target": poll["id"],
                "sender": pn(ANN),
                "senderLid": persons[ANN]["lid"],
                "options": [option],
            }


async def test_receipts_tell_which_member_has_read(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB, EVE)
    sent = await say(sandbox, ANN, made["jid"], text="read this")
    await all_hear(sandbox, sent, BOB, EVE)
    await sandbox.ok("POST", f"/contacts/{EVE}/read", {"ids": [sent["id"]], "chat": made["jid"]})
    read = await receipt(sandbox, ANN, sent["id"], "read")
    assert (read["from"], read["chat"]) == (pn(EVE), made["jid"])

    async def delivered() -> bool:
        receipts = await sandbox.ok("GET", f"/contacts/{ANN}/receipts")
        by = {r["from"] for r in receipts if sent["id"] in r["ids"] and r["type"] == "delivered"}
        return by == {pn(BOB), pn(EVE)}

    await eventually(delivered, "both members have delivery receipts")


async def test_who_follows_the_invite_is_in_and_writes(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB)
    before = await say(sandbox, ANN, made["jid"], text="before")
    await heard(sandbox, BOB, before["id"])
    joined = await sandbox.ok("POST", f"/contacts/{EVE}/groups", {"code": made["inviteCode"]})
    assert roles(joined)[EVE] == "member"
    # Being in already is fine, and a link is as good as its code
    link = f"https://chat.whatsapp.com/{made['inviteCode']}"
    assert await sandbox.ok("POST", f"/contacts/{EVE}/groups", {"code": link}) == joined
    for sender in (ANN, EVE, BOB):
        sent = await say(sandbox, sender, made["jid"], text="hello")
        await all_hear(sandbox, sent, *({ANN, BOB, EVE} - {sender}))
    messages = await sandbox.ok("GET", f"/contacts/{EVE}/messages")
    assert before["id"] not in {message["id"] for message in messages}


async def test_a_wrong_or_old_invite_is_refused(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN)
    reset = await sandbox.ok("POST", f"/groups/{made['id']}/invite", {})
    assert reset["code"] == (await group(sandbox, made))["inviteCode"] != made["inviteCode"]
    assert reset["link"].endswith(reset["code"])
    for code, words in (("NoSuchCode", "not valid"), (made["inviteCode"], "has been revoked")):
        response = await sandbox.request("POST", f"/contacts/{EVE}/groups", {"code": code})
        assert response.status_code == 502
        assert words in response.json()["error"]["message"]
    await sandbox.ok("POST", f"/contacts/{EVE}/groups", {"code": reset["code"]})


async def test_members_are_added_removed_promoted_and_demoted(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB)

    async def change(what: str, whom: str, by: str = ANN) -> dict[str, Any]:
        changed: dict[str, Any] = await sandbox.ok(
            "POST", f"/groups/{made['id']}/members", {"by": by, "change": what, "members": [whom]}
        )
        return changed

    assert roles((await change("promote", BOB))["group"])[BOB] == "admin"
    added = await change("add", EVE, by=BOB)
    assert (roles(added["group"])[EVE], added["refused"]) == ("member", [])
    sent = await say(sandbox, BOB, made["jid"], text="welcome")
    await all_hear(sandbox, sent, ANN, EVE)
    assert roles((await change("demote", BOB))["group"])[BOB] == "member"
    response = await sandbox.request(
        "POST", f"/groups/{made['id']}/members", {"by": BOB, "change": "remove", "members": [EVE]}
    )
    assert response.status_code == 502
    assert "403" in response.json()["error"]["message"]
    # Who is out hears no more, and cannot write
    assert EVE not in roles((await change("remove", EVE))["group"])
    sent = await say(sandbox, BOB, made["jid"], text="a secret")
    await heard(sandbox, ANN, sent["id"])
    direct = await say(sandbox, ANN, EVE, text="sorry")
    await heard(sandbox, EVE, direct["id"])
    messages = await sandbox.ok("GET", f"/contacts/{EVE}/messages")
    assert sent["id"] not in {message["id"] for message in messages}
    response = await sandbox.request("POST", f"/contacts/{EVE}/messages", {"to": made["jid"], "text": "!"})
    assert response.status_code == 502
    # Twice in, and nobody at all
    assert (await change("add", BOB))["refused"] == [{"number": BOB, "error": 409}]
    assert (await change("remove", EVE))["refused"] == [{"number": EVE, "error": 404}]
    await sandbox.fault(kind="add_refused", number=EVE, count=1)
    assert (await change("add", EVE))["refused"] == [{"number": EVE, "error": 403}]


async def test_a_group_is_left(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB, EVE)
    response = await sandbox.request("DELETE", f"/contacts/{ANN}/groups/{made['id']}")
    assert response.status_code == 204
    # The oldest member manages it now
    assert roles(await group(sandbox, made)) == {BOB: "admin", EVE: "member"}
    sent = await say(sandbox, EVE, made["jid"], text="they left")
    await heard(sandbox, BOB, sent["id"])
    response = await sandbox.request("POST", f"/contacts/{ANN}/messages", {"to": made["jid"], "text": "!"})
    assert response.status_code == 502


async def test_settings_are_changed_by_who_may(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB)
    path = f"/groups/{made['id']}"
    renamed = await sandbox.ok("PATCH", path, {"by": BOB, "subject": "Pals", "description": "about us"})
    assert (renamed["subject"], renamed["description"]) == ("Pals", "about us")
    assert (await sandbox.ok("PATCH", path, {"by": BOB, "description": ""}))["description"] == ""
    closed = await sandbox.ok("PATCH", path, {"announce": True, "locked": True})
    assert (closed["announce"], closed["locked"]) == (True, True)
    for change in ({"subject": "Mine"}, {"announce": False}):
        response = await sandbox.request("PATCH", path, {"by": BOB, **change})
        assert response.status_code == 502
        assert "403" in response.json()["error"]["message"]
    # Where only admins write, others are refused
    response = await sandbox.request("POST", f"/contacts/{BOB}/messages", {"to": made["jid"], "text": "!"})
    assert response.status_code == 502
    assert "420" in response.json()["error"]["message"]
    sent = await say(sandbox, ANN, made["jid"], text="hear me")
    await heard(sandbox, BOB, sent["id"])
    await sandbox.ok("PATCH", path, {"announce": False})
    sent = await say(sandbox, BOB, made["jid"], text="at last")
    await heard(sandbox, ANN, sent["id"])


async def test_refusals_on_request(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN)
    await sandbox.fault(kind="group_refused", number=EVE, action="join", code=419, count=1)
    response = await sandbox.request("POST", f"/contacts/{EVE}/groups", {"code": made["inviteCode"]})
    assert response.status_code == 502
    assert "419: resource-limit" in response.json()["error"]["message"]
    await sandbox.ok("POST", f"/contacts/{EVE}/groups", {"code": made["inviteCode"]})


async def test_what_was_written_while_a_member_was_away_arrives_later(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB, EVE)
    await sandbox.fault(kind="refuse", number=BOB)
    await sandbox.fault(kind="cut", number=BOB)
    await online(sandbox, BOB, expected=False)
    sent = [await say(sandbox, ANN, made["jid"], text=f"later {n}") for n in range(3)]
    added = await sandbox.ok("POST", f"/groups/{made['id']}/members", {"change": "remove", "members": [EVE]})
    assert EVE not in roles(added["group"])
    await sandbox.heal()
    for each in sent:
        await heard(sandbox, BOB, each["id"])
    answer = await say(sandbox, BOB, made["jid"], text="I am back")
    await heard(sandbox, ANN, answer["id"])


async def test_a_duplicate_in_a_group_is_decrypted_once(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB)
    await sandbox.fault(kind="duplicate", number=BOB)
    sent = [await say(sandbox, ANN, made["jid"], text=f"twice {n}") for n in range(3)]
    await heard(sandbox, BOB, sent[-1]["id"])
    await sandbox.heal()
    after = await say(sandbox, ANN, made["jid"], text="once")
    await heard(sandbox, BOB, after["id"])
    messages = [m["id"] for m in await sandbox.ok("GET", f"/contacts/{BOB}/messages")]
    assert [messages.count(each["id"]) for each in (*sent, after)] == [1, 1, 1, 1]


async def test_a_member_s_new_device_gets_messages_too(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB)
    await heard(sandbox, BOB, (await say(sandbox, ANN, made["jid"], text="before"))["id"])
    device = await linked(sandbox, BOB)
    async with Online(sandbox, device) as other:
        sent = await say(sandbox, ANN, made["jid"], text="after")
        message = await other.expect(carries(sent["id"]))
        # Its sender did not know the device yet, so there is no key for it; it may ask for one
        assert [child.text("type") for child in message.children if child.tag == "enc"] == ["skmsg"]
        assert message.text("addressing_mode") == "lid"
        assert message.jid("participant_pn") is not None
        # And what the person's other device writes arrives as well
        own = await say(sandbox, BOB, made["jid"], text="mine")
        await other.expect(carries(own["id"]))
    await sandbox.request("DELETE", f"/phones/{BOB}/devices/{device.pn.device}")


async def test_groups_survive_the_death_of_the_network(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB, EVE, SINK, addressing="pn")
    await sandbox.ok("PATCH", f"/groups/{made['id']}", {"description": "for ever", "locked": True})
    await sandbox.ok("POST", f"/groups/{made['id']}/members", {"change": "promote", "members": [BOB]})
    reset = await sandbox.ok("POST", f"/groups/{made['id']}/invite", {})
    before = await group(sandbox, made)
    await sandbox.end(signal.SIGKILL)
    await sandbox.start()
    for number in NAMES:
        await online(sandbox, number, expected=True)
    assert await group(sandbox, made) == before
    assert before["inviteCode"] == reset["code"]
    response = await sandbox.request("POST", f"/contacts/{EVE}/groups", {"code": made["inviteCode"]})
    assert "has been revoked" in response.json()["error"]["message"]
    for sender in (BOB, ANN):
        sent = await say(sandbox, sender, made["jid"], text="still here")
        await all_hear(sandbox, sent, *({ANN, BOB, EVE} - {sender}))


async def test_chat_states_are_shown_in_the_group(sandbox: SandboxProcess) -> None:
    made = await group_of(sandbox, ANN, BOB, EVE)
    await sandbox.ok("POST", f"/contacts/{ANN}/show", {"state": "composing", "to": made["jid"]})
    for number in (BOB, EVE):

        async def seen(number: str = number) -> bool:
            states = await sandbox.ok("GET", f"/contacts/{number}/seen")
            return (pn(ANN), made["jid"], "composing") in {
                (state["from"], state["chat"], state["state"]) for state in states
            }

        await eventually(seen, f"{number} sees Ann composing")


async def test_a_member_with_new_keys_asks_for_what_it_cannot_decrypt(sandbox: SandboxProcess) -> None:
    # Given a member whose device was replaced, which the others' clients do not know
    zoe = "491770005"
    await person(sandbox, zoe, "Zoe")
    made = await group_of(sandbox, ANN, BOB, zoe)
    await heard(sandbox, zoe, (await say(sandbox, ANN, made["jid"], text="before"))["id"])
    await sandbox.request("DELETE", f"/phones/{zoe}/devices/1")
    await online(sandbox, zoe, expected=False)
    await person(sandbox, zoe, "Zoe")
    # When they write, the sender key is not there; the new device asks the sender for it, and decrypts
    for sender in (ANN, BOB, ANN):
        sent = await say(sandbox, sender, made["jid"], text="again")
        message = await heard(sandbox, zoe, sent["id"])
        assert (message["text"], message["from"], message["chat"]) == ("again", pn(sender), made["jid"])
    sent = await say(sandbox, zoe, made["jid"], text="here I am")
    await all_hear(sandbox, sent, ANN, BOB)


@pytest.mark.parametrize(
    ("what", "fields", "status", "words"),
    [
        ("GET /groups/1", None, 404, "there is no group 1"),
        ("POST /groups", {"subject": "x"}, 400, "by is missing"),
        ("POST /groups", {"by": SINK}, 409, "is no person"),
        ("POST /groups", {"by": ANN, "addressing": "both"}, 400, "lid or pn"),
        ("POST /groups", {"by": ANN, "members": [1]}, 400, "numbers or JIDs"),
        ("POST /groups", {"by": ANN, "subject": "x" * 101}, 502, "not-acceptable"),
        (f"POST /contacts/{ANN}/groups", {}, 400, "code is missing"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    sandbox: SandboxProcess, what: str, fields: object, status: int, words: str
) -> None:
    method, path = what.split(" ")
    response = await sandbox.request(method, path, fields)
    assert response.status_code == status, response.text
    assert words in response.json()["error"]["message"]
