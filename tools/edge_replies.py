"""What the edge itself says to REST callers: one table for Envoy's own errors and for unshaped ones.

The words are those of the API's error table. `Reply.flags` and `Reply.writes` exist for one case:
a call that had reached the node when the node was lost must not be answered "nothing was done".
"""

import json
from dataclasses import dataclass, field

_REST_CALLER = {
    "or_filter": {
        "filters": [
            # Set by the transcoder, which turns the content-type into application/grpc.
            {"header_filter": {"header": {"name": "x-envoy-original-method", "present_match": True}}},
            {
                "header_filter": {
                    "header": {
                        "name": "content-type",
                        "string_match": {"safe_regex": {"regex": r"application/grpc(\+.*)?"}},
                        "invert_match": True,
                        # Else neither a GET nor a request too broken to have headers would match.
                        "treat_missing_header_as_empty": True,
                    }
                }
            },
        ]
    }
}
_WRITES = {
    "header_filter": {
        "header": {
            "name": "x-envoy-original-method",
            "string_match": {"exact": "GET"},
            "invert_match": True,
        }
    }
}


@dataclass(frozen=True)
class Reply:
    """One answer of the edge.

    Attributes:
        statuses: the HTTP statuses that it stands for.
        code: the word of the API's error table.
        message: for people: what happened and what to do.
        details: further facts for programs.
        headers: response headers to add.
        becomes: the status to answer with instead, or None.
        flags: Envoy's response flags, one of which must be set; () for any.
        writes: only for methods other than GET.
        or_above: for every status from the first one on.
    """

    statuses: tuple[int, ...]
    code: str
    message: str
    details: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    becomes: int | None = None
    flags: tuple[str, ...] = ()
    writes: bool = False
    or_above: bool = False

    def body(self) -> dict[str, object]:
        """The envelope."""
        return {"error": {"code": self.code, "details": self.details, "message": self.message}}

    def json(self) -> str:
        """The envelope as text."""
        return json.dumps(self.body(), separators=(",", ":"))

    def mapper(self) -> dict[str, object]:
        """Envoy's `ResponseMapper` for it."""
        conditions: list[object] = [_REST_CALLER]
        statuses = [_status(status, "GE" if self.or_above else "EQ") for status in self.statuses]
        conditions.append({"or_filter": {"filters": statuses}} if len(statuses) > 1 else statuses[0])
        if self.flags:
            conditions.append({"response_flag_filter": {"flags": list(self.flags)}})
        if self.writes:
            conditions.append(_WRITES)
        mapper: dict[str, object] = {"filter": {"and_filter": {"filters": conditions}}}
        if self.becomes is not None:
            mapper["status_code"] = self.becomes
        if self.headers:
            mapper["headers_to_add"] = [
                {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
                for key, value in self.headers.items()
            ]
        mapper["body_format_override"] = {"content_type": "application/json", "json_format": self.body()}
        return mapper


def _status(status: int, operator: str) -> dict[str, object]:
    comparison = {"op": operator, "value": {"default_value": status, "runtime_key": f"edge.reply.{status}"}}
    return {"status_code_filter": {"comparison": comparison}}


REPLIES = (
    Reply(
        (502, 503),
        "timeout",
        "the gateway's node was lost while it worked on this call; whether it took effect is unknown",
        details={"outcome": "indeterminate"},
        becomes=504,
        # Connection ended, reset by either side, or broken protocol: all after the request was sent.
        flags=("UC", "UR", "LR", "UPE"),
        writes=True,
    ),
    Reply(
        (502, 503),
        "unavailable",
        "the gateway cannot serve now and nothing was done; ask again",
        headers={"retry-after": "1"},
        becomes=503,
    ),
    Reply(
        (504,),
        "timeout",
        "the gateway had no answer in time; whether the call took effect is unknown",
        details={"outcome": "indeterminate"},
    ),
    # Carries Envoy's own complaint to the edge's script, which says it in the API's words.
    Reply((400,), "validation_error", "%LOCAL_REPLY_BODY%"),
    Reply((404,), "not_found", "there is no such path in this API"),
    Reply(
        (405,),
        "method_not_allowed",
        "this path does not have that method; the allow header names those it has",
    ),
    Reply(
        (408,),
        "timeout",
        "the request did not arrive completely in time; nothing was done",
        details={"outcome": "not_sent"},
    ),
    Reply((413,), "payload_too_large", "the request's body is larger than 2 MiB"),
    Reply((431,), "payload_too_large", "the request's headers are larger than 32 KiB or more than 100"),
    Reply((500,), "internal", "the gateway failed at this call; its log says why", or_above=True),
    Reply((400,), "validation_error", "the request is none that this API understands", or_above=True),
)
"""Envoy's own errors, the first that fits."""

UNSHAPED = (
    Reply((400,), "validation_error", "the gateway could not read the request"),
    Reply((401,), "unauthorized", "the token is missing, wrong, expired or revoked"),
    Reply((403,), "forbidden", "the token does not allow this"),
    Reply((404,), "not_found", "there is no such resource"),
    Reply((409,), "conflict", "the resource is in a state that does not allow this"),
    Reply((429,), "rate_limited", "too many calls at once; ask again later"),
    Reply((500,), "internal", "the gateway failed at this call; its log says why"),
    Reply((501,), "not_implemented", "the gateway's node does not have this operation"),
    Reply((503,), "unavailable", "the gateway cannot serve now; ask again"),
    Reply(
        (504,),
        "timeout",
        "the gateway had no answer in time; whether the call took effect is unknown",
        details={"outcome": "indeterminate"},
    ),
)
"""gRPC statuses that the node's library gave by itself, by the HTTP status that Envoy makes of them."""

REFUSALS = {
    "path_not_text": Reply(
        (400,), "validation_error", "the path or the query is not UTF-8 text or holds control characters"
    ),
    "reserved_parameter": Reply(
        (400,), "validation_error", "query parameters whose name begins with rest_ are not part of this API"
    ),
    "not_a_websocket": Reply(
        (400,), "validation_error", "this path is a WebSocket's: connect to it as one (upgrade: websocket)"
    ),
    "malformed": Reply(
        (400,), "validation_error", "the request is malformed: check its path and its encoding"
    ),
}
"""What the edge's script refuses by itself."""
