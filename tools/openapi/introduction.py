"""What the document says before its operations: how to begin, what always holds, who may call."""

from typing import Any, Final

ABOUT: Final = """\
A WhatsApp gateway. It holds WhatsApp numbers as **sessions**, each one device that is linked to one
account, and this API sends and receives through them.

## To begin

1. Make an api-key: `wagate keys create`. `wagate up` has made one already and printed it.
2. Press **Authorize**, give the key, and every operation on this page can be tried. The key stays in this
   page's memory: it is gone when the page is closed or loaded anew.
3. Make a session with `start: true`, show its [QR code](#/Sessions/sessionQR) to the phone (*Linked
   devices*, *Link a device*), and wait until its `status` is `working`.
4. [Send a message](#/Messages/sendMessage), and [follow what happens](#/Events/subscribe).

In the sandbox the phones and people are programs: no telephone is needed for any of this.

## What holds everywhere

- **JSON** has lowerCamelCase names. An answer has every field, `null` where there is nothing to say. Fields
  that a request does not know are refused; `null` means that a field is not given, unless the field says
  something else.
- **Times** are epoch milliseconds, as numbers.
- **People and chats** are named by JIDs: `628120000001@s.whatsapp.net` by phone number, `...@lid` by
  WhatsApp's own number for a person, `...@g.us` for a group. A request may name a person either way.
- **Lists** come in pages: `limit` (1 to 200, 50 where it is missing) and `cursor`, which is the
  `nextCursor` of the page before.
- **What belongs to another organization does not exist for you**: 404, never 403.
- **Examples** are answers of this gateway to the requests beside them; ids, times and tokens were made up.

## Errors

Every error has the same envelope. `code` and `details` are for programs, `message` says what happened, to
what, and what to do.

```json
{"error": {"code": "not_found", "details": {}, "message": "session not found"}}
```

Checks come in this order: token (401), capability (403), session (404), body (400 or 422), connection
(409), rate (429), WhatsApp (502, 504). 503 means that nothing was done: ask again. 504 says in
`details.outcome` what is known of the effect.

Whatever the operation, the gateway answers 404 to a path that it does not have, 405 to a method that a path
does not have, 408 to a request that does not arrive completely in time and 431 to headers that are too
large.

Two things are on the same address and not in this document: the WebSocket at `/api/v1/realtime`, which is
opened with a [ticket](#/Realtime/createRealtimeTicket), and the operation `DELETE /messages/delete` of
another API (WUTS), with tokens and errors of its own.
"""
SERVERS: Final = [{"url": "/", "description": "The gateway that this document comes from."}]
SECURITY: Final[dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "`Authorization: Bearer <token>`. The token is an api-key (`wa_...`, from `wagate keys create`)"
            " for scripts and services, or a login token (JWT) of a person, made by your own frontend. It"
            " belongs to one organization, and has some of the capabilities `read`, `send` and `manage`."
        ),
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "An api-key (`wa_...`), for callers that cannot set `Authorization`.",
    },
}
