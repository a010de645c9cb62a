"""Persons of a sandbox: what they are told to do, and what became of it."""

from typing import Any

from tests.wire.sandbox_process import SandboxProcess, eventually


async def person(sandbox: SandboxProcess, number: str, name: str) -> dict[str, Any]:
    """Makes a person, and waits until it is online."""
    contact: dict[str, Any] = await sandbox.ok("PUT", f"/contacts/{number}", {"name": name, "kind": "person"})
    assert contact["online"] is True
    return contact


async def say(sandbox: SandboxProcess, sender: str, to: str, **message: object) -> dict[str, Any]:
    """Lets a person send anything."""
    sent: dict[str, Any] = await sandbox.ok("POST", f"/contacts/{sender}/messages", {"to": to, **message})
    return sent


async def write(sandbox: SandboxProcess, sender: str, to: str, text: str) -> dict[str, Any]:
    sent: dict[str, Any] = await sandbox.ok("POST", f"/contacts/{sender}/messages", {"to": to, "text": text})
    return sent


async def heard(sandbox: SandboxProcess, number: str, message_id: str) -> dict[str, Any]:
    async def find() -> dict[str, Any] | None:
        messages = await sandbox.ok("GET", f"/contacts/{number}/messages")
        return next((message for message in messages if message["id"] == message_id), None)

    return await eventually(find, f"{number} has decrypted {message_id}")


async def receipt(sandbox: SandboxProcess, number: str, message_id: str, kind: str) -> dict[str, Any]:
    async def find() -> dict[str, Any] | None:
        receipts = await sandbox.ok("GET", f"/contacts/{number}/receipts")
        return next((r for r in receipts if message_id in r["ids"] and r["type"] == kind), None)

    return await eventually(find, f"{number} has a {kind} receipt for {message_id}")


async def online(sandbox: SandboxProcess, number: str, *, expected: bool) -> None:
    async def ask() -> bool:
        contact = await sandbox.ok("GET", f"/contacts/{number}")
        return bool(contact["online"]) is expected

    await eventually(ask, f"{number} is {'online' if expected else 'offline'}")


async def group_of(sandbox: SandboxProcess, by: str, *members: str, **more: object) -> dict[str, Any]:
    """Lets a person make a group."""
    made: dict[str, Any] = await sandbox.ok(
        "POST", "/groups", {"by": by, "subject": "Friends", "members": list(members), **more}
    )
    return made


def roles(group: dict[str, Any]) -> dict[str, str]:
    """The members of a group and their roles."""
    return {member["number"]: member["role"] for member in group["members"]}
