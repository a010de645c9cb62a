"""Sends a text, and says what became of it.

pip install 'wagate[client]'
WAGATE_URL=http://127.0.0.1:8080 WAGATE_API_KEY=wa_... python send.py <session> <to> <text>
"""

import asyncio
import os
import sys

from wagate.client import GatewayError, RateLimitedError, WhatsAppError, connect


async def main(session: str, to: str, text: str) -> None:
    async with connect(os.environ["WAGATE_URL"], os.environ["WAGATE_API_KEY"]) as gateway:
        try:
            # Made again by itself where that is safe: never twice to the same person.
            result = await gateway.send_text(session, to, text)
        except RateLimitedError as error:
            sys.exit(f"too fast: there is room in {error.retry_after:.0f} s")
        except WhatsAppError as error:
            sys.exit(f"WhatsApp refused: {error.details['reason']}")
        except GatewayError as error:
            if error.outcome == "indeterminate":
                sys.exit(f"it may have been sent: look at the chat before you send it again ({error})")
            sys.exit(f"not sent: {error.code}: {error}")
    print("sent:", result.wa_message_id)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
