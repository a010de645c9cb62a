"""What every example of a webhook's receiver has to do."""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from tests.examples.program import Setting
from tests.support.stack import Stack, eventually, free_port

SECRET = "a secret \N{KEY}"


@dataclass(frozen=True)
class ReceiverCase:
    """A receiver, run as a program.

    Attributes:
        words: run it.
    """

    setting: Setting
    stack: Stack
    words: Sequence[str]

    def takes_what_is_genuine(self, session: str, ada: str, kept: Callable[[], list[str]]) -> None:
        """Posts what the gateway posts, and what others might.

        Args:
            session: one that works.
            ada: a person's JID.
            kept: the ids of the events that the receiver has kept.
        """
        url = f"http://127.0.0.1:{(port := free_port())}/"
        with self.setting.running(self.words, WEBHOOK_SECRET=SECRET, PORT=str(port)):
            eventually(lambda: listens(url), "the receiver listens")
            made = self._webhook(url, session)
            self.stack.send(session, ada, "posted").raise_for_status()
            (genuine,) = eventually(kept, "the event is kept")
            log = f"/webhooks/{made}/deliveries"

            def taken() -> list[str]:
                found = self.stack.rest.get(log, params={"state": "delivered"}).json()["data"]
                return [delivery["eventId"] for delivery in found]

            eventually(lambda: taken() == [genuine], "the gateway knows that it was taken")
            self.stack.rest.delete(f"/webhooks/{made}").raise_for_status()

            body = json.dumps({"id": "evt_01JD7M2VN5QK8W4Z3X6Y9ABCDE", "event": "message"}).encode()
            good = hmac.new(SECRET.encode(), body, hashlib.sha512).hexdigest()
            for signature in ("", good[:-1], good.upper(), "0" * 128):
                headers = {"X-Webhook-Hmac": signature}
                assert httpx.post(url, content=body, headers=headers).status_code == 401
            assert httpx.post(url, content=body).status_code == 401
            assert httpx.post(url, content=body + b" ", headers={"X-Webhook-Hmac": good}).status_code == 401
            assert kept() == [genuine]
            for _ in range(2):  # the second time it is there already
                assert httpx.post(url, content=body, headers={"X-Webhook-Hmac": good}).status_code == 204
            assert sorted(kept()) == sorted([genuine, "evt_01JD7M2VN5QK8W4Z3X6Y9ABCDE"])

    def _webhook(self, url: str, session: str) -> str:
        said = {"url": url, "secret": SECRET, "events": ["message"], "sessionId": session}
        answer = self.stack.rest.post("/webhooks", json=said)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        webhook_id: str = answer.json()["id"]
        return webhook_id


def listens(url: str) -> bool:
    """Whether anybody answers there."""
    try:
        return httpx.post(url, content=b"").status_code == 401
    except httpx.TransportError:
        return False
