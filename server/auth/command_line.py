"""The person at the command line, as the audit names them."""

import getpass
import os

from server.auth.principal import ActorKind
from server.clock import now_ms
from server.store.records import AuditLine


def change_by_operator(operation: str, target: str, organization_id: str = "") -> AuditLine:
    """The audit's line of a change that the system's user makes now.

    Args:
        operation: what they do, such as `createKey`.
        target: the id of what they change.
        organization_id: whose it is, "" where the store fills it in.
    """
    return AuditLine(
        at=now_ms(),
        organization_id=organization_id,
        actor=_user(),
        actor_kind=ActorKind.CLI,
        operation=operation,
        target=target,
        outcome="ok",
        request_id="",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return f"uid {os.getuid()}"
