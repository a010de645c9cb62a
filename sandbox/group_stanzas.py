"""How groups and their members are written in stanzas."""

from sandbox.accounts import Account
from sandbox.groups import Group
from sandbox.stanza import Node, Value

__all__ = ["author", "described_group", "participant"]


def author(group: Group, account: Account, device: int = 0) -> dict[str, Value]:
    """The attributes that tell who in a group did something."""
    beside = "participant_pn" if group.addressing == "lid" else "participant_lid"
    return {
        "participant": group.address(account, device),
        beside: group.other_address(account),
        "addressing_mode": group.addressing,
    }


def participant(group: Group, account: Account, **more: Value) -> Node:
    """A member, with both addresses."""
    beside = "phone_number" if group.addressing == "lid" else "lid"
    return Node("participant", {"jid": group.address(account), beside: group.other_address(account), **more})


def described_group(group: Group) -> Node:
    """Everything about a group."""
    content = [
        participant(group, account) if role == "member" else participant(group, account, type=role)
        for account, role in group.members.items()
    ]
    if group.description and group.description_by:
        attrs: dict[str, Value] = {
            "id": group.description_id,
            "t": str(group.description_at),
            "participant": group.address(group.description_by),
        }
        body = Node("body", content=group.description.encode())
        content.append(Node("description", attrs, [body]))
    if group.announce:
        content.append(Node("announcement"))
    if group.locked:
        content.append(Node("locked"))
    content.append(Node("member_add_mode", content=b"all_member_add"))
    return Node(
        "group",
        {
            "id": group.id,
            "creator": group.address(group.creator),
            "creation": str(group.created),
            "subject": group.subject,
            "s_t": str(group.subject_at),
            "s_o": group.address(group.subject_by),
            "size": str(len(group.members)),
            "addressing_mode": group.addressing,
        },
        content,
    )
