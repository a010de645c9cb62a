"""Audits the calls that change something: those done and those refused."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from google.protobuf.message import Message
from ulid import ULID

from server.auth.audit import OK, AuditLog
from server.auth.principal import Capability, Principal
from server.clock import now_ms
from server.errors import Code, WagateError
from server.rpc.endpoint import Endpoint
from server.store.records import AuditLine

CANCELLED: Final = "cancelled"
"""The caller went away: whether the change was made is not known here."""
TARGET_LENGTH: Final = 300
"""Characters of a target that are kept: callers choose the ids in paths."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")

Read = Callable[[], tuple[Message, bytes | None]]
"""Gives a call's request and, for one that came by REST, its body."""
Response = TypeVar("Response")


async def audited(
    audit: AuditLog,
    target: Endpoint,
    principal: Principal,
    metadata: Mapping[str, str],
    *,
    read: Read,
    serve: Callable[[Read], Awaitable[Message]],
) -> Message:
    """Serves a call of the contract that changes something, and keeps a line about it.

    A change that was made with the capability `manage` is durable in the audit before the caller has the
    answer. A send is not kept waiting, and neither is who is refused: their lines follow within a second.

    Args:
        audit: where the line goes.
        target: the method.
        principal: the caller.
        metadata: the call's.
        read: gives the request.
        serve: runs the call, given the same.
    """
    requests: list[Message] = []

    def reading() -> tuple[Message, bytes | None]:
        request, body = read()
        requests.append(request)
        return request, body

    return await kept(
        audit,
        principal,
        target.operation,
        metadata,
        target=lambda response: _target(target, requests, read, response),
        serve=lambda: serve(reading),
        durable=target.capability is Capability.MANAGE,
    )


async def kept(
    audit: AuditLog,
    principal: Principal,
    operation: str,
    metadata: Mapping[str, str],
    *,
    target: Callable[[Response | None], str],
    serve: Callable[[], Awaitable[Response]],
    durable: bool = False,
) -> Response:
    """Serves a call, and keeps a line about how it ended.

    Args:
        audit: where the line goes.
        principal: the caller.
        operation: the documented operation id.
        metadata: the call's.
        target: the ids of what was to change, outermost first, joined by "/"; given the response, or
            None where there is none.
        serve: runs the call.
        durable: whether a line about what was done is durable before the answer.
    """

    def line(outcome: str, response: Response | None = None) -> AuditLine:
        return AuditLine(
            at=now_ms(),
            organization_id=principal.organization_id,
            actor=principal.subject,
            actor_kind=principal.kind,
            operation=operation,
            target=_harmless(target(response)),
            outcome=outcome,
            request_id=_request_id(metadata),
        )

    try:
        response = await serve()
    except WagateError as error:
        audit.note(line(error.code))
        raise
    except asyncio.CancelledError:
        audit.note(line(CANCELLED))
        raise
    except Exception:
        audit.note(line(Code.INTERNAL))
        raise
    if durable:
        await audit.record(line(OK, response))
    else:
        audit.note(line(OK, response))
    return response


def _target(target: Endpoint, requests: list[Message], read: Read, response: Message | None) -> str:
    """What the path names, outermost first; for something new, its id."""
    if not target.path_fields:
        return str(getattr(response, "id", ""))
    try:
        # Who lacks the capability is refused before the request is read.
        request = requests[0] if requests else read()[0]
    except WagateError:
        return ""
    return "/".join(str(getattr(request, name)) for name in target.path_order)


def _harmless(text: str) -> str:
    """A target as it can be stored and shown: callers choose the ids in it."""
    text = text[:TARGET_LENGTH]
    return text if text.isprintable() else ascii(text)[1:-1][:TARGET_LENGTH]


def _request_id(metadata: Mapping[str, str]) -> str:
    """The edge's id of the request; a new one for calls that do not come through the edge."""
    given = metadata.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else str(ULID())
