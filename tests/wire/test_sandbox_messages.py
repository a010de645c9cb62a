"""Every kind of message, sent by one real client and decrypted by another."""

from typing import Any

import pytest
import pytest_asyncio

from tests.wire.persons import heard, person, receipt, say, write
from tests.wire.sandbox_process import SandboxProcess, eventually

ANN, BOB = "491760001", "491760002"

PLAIN: list[dict[str, Any]] = [
    {"poll": {"name": "Lunch?", "options": ["Pasta", "Rice"], "selectableCount": 1}},
    {"poll": {"name": "Which days?", "options": ["Mon", "Tue", "Wed"], "selectableCount": 0}},
    {"location": {"latitude": 52.5163, "longitude": 13.3777, "name": "Brandenburg Gate"}},
    {"location": {"latitude": -33.5, "longitude": -70.25, "name": ""}},
    {"contact": {"name": "Eve", "vcard": "BEGIN:VCARD\nVERSION:3.0\nFN:Eve\nEND:VCARD"}},
]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def persons(network: SandboxProcess) -> dict[str, Any]:
    return {number: await person(network, number, name) for number, name in ((ANN, "Ann"), (BOB, "Bob"))}


def pn(number: str) -> str:
    return f"{number}@s.whatsapp.net"


@pytest.mark.parametrize("content", PLAIN, ids=lambda content: next(iter(content)))
async def test_a_kind_arrives_as_it_was_sent(sandbox: SandboxProcess, content: dict[str, Any]) -> None:
    sent = await say(sandbox, ANN, BOB, **content)
    message = await heard(sandbox, BOB, sent["id"])
    (kind,) = content
    assert message["kind"] == kind
    assert message[kind] == content[kind]
    assert (message["from"], message["chat"]) == (pn(ANN), pn(ANN))
    assert "forwarded" not in message


async def test_a_reply_quotes_what_was_heard(sandbox: SandboxProcess, persons: dict[str, Any]) -> None:
    asked = await write(sandbox, ANN, BOB, "how are you?")
    await heard(sandbox, BOB, asked["id"])
    answer = await say(sandbox, BOB, ANN, text="fine", quoted={"id": asked["id"]})
    message = await heard(sandbox, ANN, answer["id"])
    assert (message["kind"], message["text"]) == ("text", "fine")
    assert message["quoted"] == {
        "id": asked["id"],
        "participant": persons[ANN]["lid"],
        "text": "how are you?",
    }


async def test_a_poll_is_quoted_by_its_question(sandbox: SandboxProcess, persons: dict[str, Any]) -> None:
    poll = await say(sandbox, ANN, BOB, **PLAIN[0])
    reply = await say(sandbox, ANN, BOB, text="please vote", quoted={"id": poll["id"]})
    message = await heard(sandbox, BOB, reply["id"])
    assert message["quoted"] == {"id": poll["id"], "participant": persons[ANN]["lid"], "text": "Lunch?"}


async def test_mentions_and_forwards_are_marked(sandbox: SandboxProcess) -> None:
    sent = await say(
        sandbox, ANN, BOB, text=f"@{BOB} look", mentions=[BOB], forwarded=True, forwardingScore=4
    )
    message = await heard(sandbox, BOB, sent["id"])
    assert message["mentions"] == [pn(BOB)]
    assert (message["forwarded"], message["forwardingScore"]) == (True, 4)
    sent = await say(sandbox, ANN, BOB, **PLAIN[2], forwarded=True)
    message = await heard(sandbox, BOB, sent["id"])
    assert (message["kind"], message["forwarded"], message["forwardingScore"]) == ("location", True, 1)


async def test_a_text_is_edited_and_revoked(sandbox: SandboxProcess, persons: dict[str, Any]) -> None:
    sent = await write(sandbox, ANN, BOB, "tpyo")
    edit = await say(sandbox, ANN, BOB, edit={"target": sent["id"], "text": "typo"})
    about = {"target": sent["id"], "sender": pn(ANN), "senderLid": persons[ANN]["lid"]}
    message = await heard(sandbox, BOB, edit["id"])
    assert (message["kind"], message["edit"]) == ("edit", {**about, "text": "typo"})
    revoke = await say(sandbox, ANN, BOB, revoke={"target": sent["id"]})
    message = await heard(sandbox, BOB, revoke["id"])
    assert (message["kind"], message["revoke"]) == ("revoke", about)


async def test_reactions_name_their_message(sandbox: SandboxProcess, persons: dict[str, Any]) -> None:
    sent = await write(sandbox, ANN, BOB, "good news")
    await heard(sandbox, BOB, sent["id"])
    # Bob reacts to what Ann wrote, and takes it back; Ann reacts to her own
    for reactor, reader, emoji in ((BOB, ANN, "\N{THUMBS UP SIGN}"), (BOB, ANN, ""), (ANN, BOB, "\u2764")):
        reaction = await say(sandbox, reactor, reader, reaction={"target": sent["id"], "emoji": emoji})
        message = await heard(sandbox, reader, reaction["id"])
        assert message["kind"] == "reaction"
        assert message["reaction"] == {
            "target": sent["id"],
            "sender": pn(ANN),
            "senderLid": persons[ANN]["lid"],
            "emoji": emoji,
        }


async def test_votes_are_decrypted_on_both_sides(sandbox: SandboxProcess, persons: dict[str, Any]) -> None:
    poll = await say(sandbox, ANN, BOB, **PLAIN[1])
    await heard(sandbox, BOB, poll["id"])
    # Bob, then Ann, who sent the poll; and Bob takes his vote back
    for voter, reader, options in ((BOB, ANN, ["Mon", "Wed"]), (ANN, BOB, ["Tue"]), (BOB, ANN, [])):
        vote = await say(sandbox, voter, reader, vote={"target": poll["id"], "options": options})
        message = await heard(sandbox, reader, vote["id"])
        assert message["kind"] == "vote"
        assert message["vote"] == {
            "target": poll["id"],
            "sender": pn(ANN),
            "senderLid": persons[ANN]["lid"],
            "options": options,
        }


async def test_a_vote_for_no_option_is_shown_as_one(sandbox: SandboxProcess) -> None:
    poll = await say(sandbox, ANN, BOB, **PLAIN[0])
    await heard(sandbox, BOB, poll["id"])
    vote = await say(sandbox, BOB, ANN, vote={"target": poll["id"], "options": ["Soup", "Rice"]})
    assert (await heard(sandbox, ANN, vote["id"]))["vote"]["options"] == [None, "Rice"]


async def test_several_messages_are_read_at_once(sandbox: SandboxProcess) -> None:
    ids = [(await write(sandbox, ANN, BOB, f"read me {n}"))["id"] for n in range(2)]
    for message_id in ids:
        await heard(sandbox, BOB, message_id)
    await sandbox.ok("POST", f"/contacts/{BOB}/read", {"ids": ids, "chat": ANN})
    for message_id in ids:
        assert (await receipt(sandbox, ANN, message_id, "read"))["ids"] == ids


async def test_what_was_sent_is_kept(sandbox: SandboxProcess) -> None:
    sent = await say(sandbox, ANN, BOB, **PLAIN[0])

    async def noted() -> dict[str, Any] | None:
        messages = await sandbox.ok("GET", f"/contacts/{ANN}/sent")
        return next((message for message in messages if message["id"] == sent["id"]), None)

    message = await eventually(noted, "the poll is noted")
    assert (message["from"], message["chat"]) == (pn(ANN), pn(BOB))
    assert message["poll"] == PLAIN[0]["poll"]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({}, 400, "exactly one of"),
        ({"text": "a", "poll": {"name": "b", "options": []}}, 400, "exactly one of"),
        ({"text": ""}, 400, "text is empty"),
        ({"text": 1}, 400, "text must be of JSON type string"),
        ({"text": "a", "forwarded": 1}, 400, "forwarded must be of JSON type boolean"),
        ({"text": "a", "forwardingScore": 2}, 400, "forwarded: true"),
        ({"text": "a", "mentions": ["nobody"]}, 400, "no phone number"),
        ({"text": "a", "mentions": [1]}, 400, "list of texts"),
        ({"text": "a", "quoted": {"text": "b"}}, 400, "quoted lacks id"),
        ({"text": "a", "quoted": {"id": "UNKNOWN"}}, 404, "neither heard nor sent UNKNOWN"),
        ({"poll": {"name": "b"}}, 400, "poll lacks options"),
        ({"poll": {"name": "b", "options": [""]}}, 400, "list of texts"),
        ({"location": {"latitude": True, "longitude": 1}}, 400, "latitude of location"),
        ({"location": {"latitude": 1, "longitude": 1, "height": 3}}, 400, "unknown field 'height'"),
        ({"reaction": {"target": "UNKNOWN", "emoji": "x"}}, 404, "neither heard nor sent"),
        ({"edit": {"target": "X", "text": "a"}, "mentions": []}, 400, "mentions cannot go with edit"),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    sandbox: SandboxProcess, fields: dict[str, Any], status: int, words: str
) -> None:
    response = await sandbox.request("POST", f"/contacts/{ANN}/messages", {"to": BOB, **fields})
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


async def test_a_message_that_was_never_heard_can_be_named(sandbox: SandboxProcess) -> None:
    reaction = {"target": "NEVER", "sender": BOB, "emoji": "?"}
    sent = await say(sandbox, ANN, BOB, reaction=reaction)
    message = await heard(sandbox, BOB, sent["id"])
    assert (message["reaction"]["target"], message["reaction"]["sender"]) == ("NEVER", pn(BOB))
