"""Groups in memory and in the state."""

import asyncio
from pathlib import Path

from sandbox.accounts import Accounts
from sandbox.groups import Group, Groups
from sandbox.jid import JID
from sandbox.state import State


def opened(folder: Path) -> tuple[State, Accounts, Groups]:
    state = State(folder / "network.db", lambda: None)
    accounts = Accounts(state)
    return state, accounts, Groups(state, accounts)


def shown(group: Group) -> dict[str, object]:
    return {
        "jid": group.jid,
        "addressing": group.addressing,
        "subject": (group.subject, group.subject_by.number, group.subject_at),
        "description": (group.description, group.description_id, group.description_at),
        "switches": (group.announce, group.locked),
        "invite": group.invite,
        "members": [(account.number, role) for account, role in group.members.items()],
    }


async def test_groups_are_kept_with_their_members_in_order(tmp_path: Path) -> None:
    state, accounts, groups = opened(tmp_path)
    ann, bob, eve, sam = (accounts.create(f"49170{n}", "", "sink") for n in range(4))
    groups.addressing[ann] = "pn"
    group = groups.create(ann, "Friends", [eve, ann, bob, sam])
    other = groups.create(ann, "", [])
    groups.set_role(group, bob, "admin")
    groups.remove(group, eve)
    groups.set_role(group, eve, "member")
    group.description, group.description_id, group.description_by = "what for", "D1", bob
    group.announce = True
    groups.save(group)
    first = group.invite
    groups.reset_invite(group)
    before = shown(group)
    assert before["members"] == [
        (ann.number, "superadmin"),
        (bob.number, "admin"),
        (sam.number, "member"),
        (eve.number, "member"),
    ]
    # The wish is for one group only
    assert (group.addressing, other.addressing) == ("pn", "lid")
    await state.close()

    state, accounts, groups = opened(tmp_path)
    kept = groups.get(JID(group.id, "g.us"))
    assert kept is not None
    assert shown(kept) == before
    assert groups.by_invite(kept.invite) is kept
    assert (groups.by_invite(first), groups.was_revoked(first)) == (None, True)
    assert (groups.by_invite("none"), groups.was_revoked("none")) == (None, False)
    sam_again = accounts.get(sam.number)
    assert sam_again is not None
    assert groups.of(sam_again) == [kept]
    await state.close()


async def test_members_are_named_by_the_group_s_kind_of_address(tmp_path: Path) -> None:
    state, accounts, groups = opened(tmp_path)
    ann, bob = accounts.create("491701", "", "sink"), accounts.create("491702", "", "sink")
    by_lid = groups.create(ann, "", [bob])
    groups.addressing[ann] = "pn"
    by_number = groups.create(ann, "", [bob])
    assert by_lid.address(bob, 2) == JID(bob.lid, "lid", 2)
    assert by_lid.other_address(bob) == JID("491702", "s.whatsapp.net")
    assert by_number.address(bob, 2) == JID("491702", "s.whatsapp.net", 2)
    assert by_number.other_address(bob) == JID(bob.lid, "lid")
    assert set(by_lid.all_addresses()) == {ann.lid_jid, bob.lid_jid}
    assert groups.get(JID(by_lid.id, "s.whatsapp.net")) is None
    await asyncio.wait_for(state.stored(), 10)
    await state.close()
