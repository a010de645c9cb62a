"""The names that WhatsApp itself uses."""

import pytest

from server.whatsapp.addressing import GROUPS_KEPT, Addressing
from server.whatsapp.content import Content, Edit, Quote, Reaction, Revoke, Target, Text
from server.whatsapp.jid import GROUP, LID, PHONE, Jid
from server.whatsapp.port import Identity

OWN = Identity(Jid("62800", PHONE), Jid("900", LID))
ADA, ADA_LID = Jid("62811", PHONE), Jid("911", LID)
STRANGER = Jid("62899", PHONE)
TEAM = Jid("120363000000000001", GROUP)


@pytest.fixture
def asked() -> list[Jid]:
    return []


@pytest.fixture
def addressing(asked: list[Jid]) -> Addressing:
    async def lookup(person: Jid) -> Jid | None:
        asked.append(person)
        return {ADA: ADA_LID, ADA_LID: ADA}.get(person)

    made = Addressing(lookup)
    made.own = OWN
    return made


@pytest.mark.parametrize(
    ("given", "named"), [(ADA, ADA_LID), (ADA_LID, ADA_LID), (STRANGER, STRANGER), (TEAM, TEAM)]
)
async def test_a_chat_with_a_person_goes_by_lid(addressing: Addressing, given: Jid, named: Jid) -> None:
    assert await addressing.chat(given) == named


@pytest.mark.parametrize(("given", "named"), [(ADA, ADA_LID), (OWN.jid, OWN.lid), (STRANGER, STRANGER)])
async def test_so_do_the_two_in_it(addressing: Addressing, given: Jid, named: Jid) -> None:
    assert await addressing.person(ADA_LID, given) == named


@pytest.mark.parametrize(
    ("example", "given", "named"),
    [
        (ADA_LID, ADA, ADA_LID),
        (ADA_LID, OWN.jid, OWN.lid),
        (ADA_LID, ADA_LID, ADA_LID),
        (ADA, ADA_LID, ADA),
        (ADA, OWN.lid, OWN.jid),
        (ADA_LID, STRANGER, STRANGER),
    ],
)
async def test_a_group_goes_by_what_its_messages_go_by(
    addressing: Addressing, example: Jid, given: Jid, named: Jid
) -> None:
    addressing.learn(TEAM, example)
    assert await addressing.person(TEAM, given) == named


async def test_in_a_group_that_nobody_wrote_in_names_stay_as_given(
    addressing: Addressing, asked: list[Jid]
) -> None:
    assert await addressing.person(TEAM, ADA) == ADA
    assert asked == []


async def test_the_account_s_own_names_are_not_looked_up(addressing: Addressing, asked: list[Jid]) -> None:
    assert await addressing.person(ADA_LID, OWN.jid) == OWN.lid
    assert asked == []


async def test_an_account_that_has_no_lid_yet_goes_by_its_number(addressing: Addressing) -> None:
    addressing.own = Identity(OWN.jid, None)
    assert await addressing.person(ADA_LID, OWN.jid) == OWN.jid


def target(sender: Jid) -> Target:
    return Target("3EB0AA", sender, from_me=False)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (Text("hi", Quote("3EB0AA", ADA, b""), (ADA,)), Text("hi", Quote("3EB0AA", ADA_LID, b""), (ADA,))),
        (Text("hi", mentions=(ADA,)), Text("hi", mentions=(ADA,))),
        (Edit(target(ADA), "x"), Edit(target(ADA_LID), "x")),
        (Revoke(target(ADA)), Revoke(target(ADA_LID))),
        (Reaction(target(ADA), "x"), Reaction(target(ADA_LID), "x")),
    ],
)
async def test_everybody_whom_content_names_is_translated_but_in_mentions(
    addressing: Addressing, given: Text | Edit | Revoke | Reaction, named: Content
) -> None:
    assert await addressing.content(ADA_LID, given) == named


async def test_only_so_many_groups_are_remembered(addressing: Addressing) -> None:
    for number in range(GROUPS_KEPT + 1):
        addressing.learn(Jid(f"1203630000{number}", GROUP), ADA_LID)
    assert await addressing.person(Jid("12036300000", GROUP), ADA) == ADA
    assert await addressing.person(Jid("12036300001", GROUP), ADA) == ADA_LID
