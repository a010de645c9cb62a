"""The manners of the control API: JSON in, JSON out, errors as ``{"error": {"code", "message"}}``."""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

__all__ = [
    "ControlError",
    "body",
    "errors",
    "json_object",
    "number_of",
    "object_field",
    "own_pages_only",
    "text_field",
]

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NUMBER = re.compile(r"[0-9]{5,15}", re.ASCII)
_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    415: "unsupported_media_type",
    502: "unavailable",
}


class ControlError(Exception):
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        message: What is wrong and what to do.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@web.middleware
async def own_pages_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keeps pages of other places from driving the sandbox of the developer who looks at them.

    A browser names a page's origin in whatever the page sends that could change something. Programs name none
    and may say what they like.

    Raises:
        ControlError: The page is of another origin than this host, or sends something else than JSON, which a
            browser would let pages of other origins do unasked.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        if not _names(origin, request.host):
            raise ControlError(403, f"a page of {origin} may not use the sandbox at {request.host}")
        if request.body_exists and request.content_type != "application/json":
            raise ControlError(415, "a page sends its body as application/json")
    return await handler(request)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Puts every error into the same form."""
    try:
        return await handler(request)
    except ControlError as error:
        return _error(error.status, str(error))
    except web.HTTPException as error:
        return _error(error.status, f"{request.method} {request.path}: {error.reason}")
    except Exception:  # noqa: BLE001 - the one place that answers for bugs
        _log.exception("%s %s failed", request.method, request.path)
        return _error(500, "the sandbox failed to answer this request; its log says why")


async def body(request: web.Request, allowed: Mapping[str, type]) -> dict[str, Any]:
    """The request's JSON object.

    Args:
        request: The request.
        allowed: Names and types of the fields; none of them has to be there.

    Raises:
        ControlError: The body is no object, or has a field that is not allowed.
    """
    return object_field(await json_object(request), allowed, "")


def object_field(value: object, allowed: Mapping[str, type | tuple[type, ...]], where: str) -> dict[str, Any]:
    """An object inside the request's JSON, or that itself.

    Args:
        value: What was sent.
        allowed: Names and types of the fields; none of them has to be there.
        where: The object's own name; empty for the request's.

    Raises:
        ControlError: It is no object, or has a field that is not allowed.
    """
    within = f" of {where}" if where else ""
    if not isinstance(value, dict):
        raise ControlError(400, f"{where or 'the body'} must be a JSON object")
    for name, field in value.items():
        if name not in allowed:
            raise ControlError(400, f"unknown field {name!r}{within}; known are {', '.join(allowed)}")
        # bool is an int in Python, but true is no number in JSON.
        if not isinstance(field, allowed[name]) or (isinstance(field, bool) and allowed[name] is not bool):
            raise ControlError(400, f"{name}{within} must be of JSON type {_json_name(allowed[name])}")
    return value


async def json_object(request: web.Request) -> dict[str, Any]:
    """The request's JSON object, whatever its fields.

    Raises:
        ControlError: The body is no JSON object.
    """
    try:
        fields = json.loads(await request.text() or "{}")
    except ValueError as error:
        raise ControlError(400, f"the body is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise ControlError(400, "the body must be a JSON object")
    return fields


def text_field(fields: Mapping[str, Any], name: str) -> str:
    """A text that must be there.

    Raises:
        ControlError: It is missing or empty.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(400, f"the field {name} is missing or empty")
    return value


def number_of(text: str) -> str:
    """Checks a phone number: 5 to 15 digits; a leading plus sign is dropped.

    Raises:
        ControlError: It is none.
    """
    number = text.removeprefix("+")
    if not _NUMBER.fullmatch(number):
        raise ControlError(400, f"{text!r} is no phone number: 5 to 15 digits are")
    return number


def _names(origin: str, host: str) -> bool:
    """Whether an origin is that of a host; its scheme is whatever a proxy on the way makes of it."""
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _error(status: int, message: str) -> web.Response:
    code = _CODES.get(status, "error" if status < 500 else "internal")
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


def _json_name(python: type | tuple[type, ...]) -> str:
    if isinstance(python, tuple):
        return "number"
    return {str: "string", int: "number", list: "array", bool: "boolean"}.get(python, "object")
