"""The groups of the network: who is a member of what, in memory and in the state."""

import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from sandbox.accounts import Account, Accounts, Device
from sandbox.jid import GROUP_SERVER, JID, lid_jid, pn_jid
from sandbox.state import State

__all__ = ["Addressing", "Group", "Groups", "Role"]

Addressing = Literal["lid", "pn"]
"""How members of a group are named in it: new groups hide phone numbers, older ones do not."""

Role = Literal["member", "admin", "superadmin"]
"""``superadmin`` is who made the group."""

_GROUP_PREFIX = "120363"
_GROUP_DIGITS = 12
_INVITE_BYTES = 16


@dataclass(slots=True, eq=False)
class Group:
    """A group.

    Attributes:
        id: The user part of its JID.
        addressing: How its members are named.
        creator: Who made it.
        created: When, in epoch seconds.
        invite: The code of its invite link.
        subject: Its name.
        subject_by: Who named it so.
        subject_at: When, in epoch seconds.
        description: What it is about; empty for none.
        description_id: The description's own id; empty while there never was one.
        description_by: Who described it so.
        description_at: When, in epoch seconds.
        announce: Whether only admins send.
        locked: Whether only admins change subject and description.
        members: Their roles, in the order of joining.
    """

    id: str
    addressing: Addressing
    creator: Account
    created: int
    invite: str
    subject: str
    subject_by: Account
    subject_at: int
    description: str = ""
    description_id: str = ""
    description_by: Account | None = None
    description_at: int = 0
    announce: bool = False
    locked: bool = False
    members: dict[Account, Role] = field(default_factory=dict)

    @property
    def jid(self) -> JID:
        """The group's address."""
        return JID(self.id, GROUP_SERVER)

    def address(self, account: Account, device: int = 0) -> JID:
        """How an account, or one of its devices, is named in this group."""
        return lid_jid(account.lid, device) if self.addressing == "lid" else pn_jid(account.number, device)

    def other_address(self, account: Account) -> JID:
        """The account's address of the other kind, which is told beside."""
        return account.pn_jid if self.addressing == "lid" else account.lid_jid

    def is_admin(self, account: Account) -> bool:
        """Whether an account may manage the group."""
        return self.members.get(account, "member") != "member"

    def devices(self) -> Iterator[Device]:
        """The linked devices of all members."""
        for account in self.members:
            yield from account.devices.values()

    def all_addresses(self) -> Iterator[JID]:
        """The addresses of all devices of all members, phones among them."""
        for account in self.members:
            for number in account.device_numbers():
                yield self.address(account, number)


class Groups:
    """All groups.

    Args:
        state: Where they are kept.
        accounts: Who can be a member.

    Attributes:
        addressing: How the next group that an account makes names its members, where that was asked for.
    """

    def __init__(self, state: State, accounts: Accounts) -> None:
        self.addressing: dict[Account, Addressing] = {}
        self._state = state
        self._accounts = accounts
        self._by_id: dict[str, Group] = {}
        self._by_invite: dict[str, Group] = {}
        self._revoked: set[str] = set()
        self._load()

    def __iter__(self) -> Iterator[Group]:
        return iter(self._by_id.values())

    def get(self, jid: JID) -> Group | None:
        """The group with an address."""
        return self._by_id.get(jid.user) if jid.server == GROUP_SERVER else None

    def of(self, account: Account) -> list[Group]:
        """The groups that an account is a member of."""
        return [group for group in self if account in group.members]

    def by_invite(self, code: str) -> Group | None:
        """The group that a code invites to; None for a code that is not, or no longer, valid."""
        return self._by_invite.get(code)

    def was_revoked(self, code: str) -> bool:
        """Whether a code was valid once."""
        return code in self._revoked

    def create(self, creator: Account, subject: str, members: Iterable[Account]) -> Group:
        """Makes a group.

        Args:
            creator: Who makes it and manages it.
            subject: Its name.
            members: Who else is in it.
        """
        group_id = ""
        while not group_id or group_id in self._by_id:
            group_id = f"{_GROUP_PREFIX}{secrets.randbelow(10**_GROUP_DIGITS):0{_GROUP_DIGITS}}"
        now = int(time.time())
        addressing = self.addressing.pop(creator, "lid")
        invite = secrets.token_urlsafe(_INVITE_BYTES)
        group = Group(group_id, addressing, creator, now, invite, subject, creator, now)
        self._add(group)
        self.save(group)
        self.set_role(group, creator, "superadmin")
        for account in members:
            if account is not creator:
                self.set_role(group, account, "member")
        return group

    def save(self, group: Group) -> None:
        """Stores what was changed about a group, except its members."""
        described_by = group.description_by.number if group.description_by else ""
        self._state.write(
            "INSERT OR REPLACE INTO groups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                group.id,
                group.addressing,
                group.creator.number,
                group.created,
                group.invite,
                group.subject,
                group.subject_by.number,
                group.subject_at,
                group.description,
                group.description_id,
                described_by,
                group.description_at,
                int(group.announce),
                int(group.locked),
            ),
        )

    def set_role(self, group: Group, account: Account, role: Role) -> None:
        """Makes an account a member, or changes its role."""
        group.members[account] = role
        self._state.write(
            "INSERT INTO members (group_id, number, role) VALUES (?, ?, ?)"
            " ON CONFLICT (group_id, number) DO UPDATE SET role = excluded.role",
            (group.id, account.number, role),
        )

    def remove(self, group: Group, account: Account) -> None:
        """Ends a membership."""
        del group.members[account]
        self._state.write("DELETE FROM members WHERE group_id = ? AND number = ?", (group.id, account.number))

    def reset_invite(self, group: Group) -> None:
        """Gives a group a new invite code; the old one is valid no longer."""
        del self._by_invite[group.invite]
        self._revoked.add(group.invite)
        self._state.write("INSERT INTO revoked_invites VALUES (?)", (group.invite,))
        group.invite = secrets.token_urlsafe(_INVITE_BYTES)
        self._by_invite[group.invite] = group
        self.save(group)

    def _add(self, group: Group) -> None:
        self._by_id[group.id] = group
        self._by_invite[group.invite] = group

    def _load(self) -> None:
        accounts = {account.number: account for account in self._accounts}
        for (
            group_id,
            addressing,
            creator,
            created,
            invite,
            subject,
            subject_by,
            subject_at,
            description,
            description_id,
            description_by,
            description_at,
            announce,
            locked,
        ) in self._state.load(
            "SELECT id, addressing, creator, created, invite, subject, subject_by, subject_at, description,"
            " description_id, description_by, description_at, announce, locked FROM groups"
        ):
            self._add(
                Group(
                    id=group_id,
                    addressing=addressing,
                    creator=accounts[creator],
                    created=created,
                    invite=invite,
                    subject=subject,
                    subject_by=accounts[subject_by],
                    subject_at=subject_at,
                    description=description,
                    description_id=description_id,
                    description_by=accounts.get(description_by),
                    description_at=description_at,
                    announce=bool(announce),
                    locked=bool(locked),
                )
            )
        for group_id, number, role in self._state.load(
            "SELECT group_id, number, role FROM members ORDER BY seq"
        ):
            self._by_id[group_id].members[accounts[number]] = role
        self._revoked.update(code for (code,) in self._state.load("SELECT code FROM revoked_invites"))
