"""What follows an attempt that failed: another one, and when, or giving the event up.

docs/decisions/0335 tells why it is like this. Nothing here waits, stores or knows of a network.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from server.events.webhooks.answers import Answer, Verdict
from server.store.webhook_cursors import Streak
from server.store.webhooks import RetryPolicy, Webhook

CAP_SECONDS: Final = 300.0
"""The longest wait between two attempts, unless a webhook's own delay is longer."""
FIRST_PROBE_SECONDS: Final = 5.0
"""The shortest wait between attempts while the circuit is open; it doubles from attempt to attempt."""
REFUSED_IN_A_ROW: Final = 5
"""Events given up one after the other, after which the endpoint is to blame and no longer they."""
PATIENCE_CAP_SECONDS: Final = 24 * 60 * 60.0
"""The longest that one event may hold its endpoint up."""
JITTER: Final = 0.2
"""By how much of its length a wait is longer or shorter."""
LONGEST_SECONDS: Final = 3600 * (1 + JITTER)
"""No wait is longer: the longest delay that a webhook may have (REST API, Webhooks)."""
_DOUBLINGS: Final = 40
"""Where doubling ends: far above every cap, far below what a float can hold."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How one event has fared.

    Attributes:
        attempts: how many were made.
        began_at: when the first one was, epoch milliseconds.
    """

    attempts: int
    began_at: int


@dataclass(frozen=True, slots=True)
class Next:
    """What follows.

    Attributes:
        dead: the event is given up.
        wait_seconds: until the next attempt, where it is not.
        streak: how the endpoint stands now.
    """

    dead: bool
    wait_seconds: float
    streak: Streak


class Schedule:
    """Decides by a webhook's policy, and by the patience of this gateway."""

    def __init__(
        self, patience_seconds: float, *, draw: Callable[[float, float], float] = random.uniform
    ) -> None:
        """Knows no endpoint.

        Args:
            patience_seconds: for which one event may hold up an endpoint whose circuit is open.
            draw: gives a number between two.
        """
        self._patience = patience_seconds
        self._draw = draw

    def after_failure(
        self, webhook: Webhook, answer: Answer, *, before: Streak, trial: Trial, now: int
    ) -> Next:
        """What follows a failed attempt at the oldest event that an endpoint has not taken.

        Args:
            webhook: whose policy it is.
            answer: to the attempt.
            before: how the endpoint stood before it.
            trial: how the event stands, this attempt included.
            now: epoch milliseconds.
        """
        failures = before.failures + 1
        used_up = trial.attempts >= webhook.attempts
        away = answer.verdict is Verdict.AWAY and (used_up or failures >= webhook.attempts)
        suspended = away or before.dead >= REFUSED_IN_A_ROW
        streak = Streak(failures, before.dead, suspended)
        patience = min(PATIENCE_CAP_SECONDS, self._patience * 2 ** min(streak.dead, _DOUBLINGS))
        if used_up and (not suspended or now - trial.began_at >= patience * 1000):
            return Next(True, 0.0, replace(streak, dead=streak.dead + 1))
        wait = _delay(webhook, trial.attempts)
        if suspended:
            probe = FIRST_PROBE_SECONDS * 2 ** min(max(0, failures - webhook.attempts), _DOUBLINGS)
            wait = max(wait, probe)
        return Next(False, self._drawn(webhook, wait, answer), streak)

    def after_failed_redrive(self, webhook: Webhook, answer: Answer, *, attempts: int) -> float | None:
        """Seconds until a dead letter is tried again; None where it is given up again.

        Args:
            webhook: whose policy it is.
            answer: to the attempt.
            attempts: since it was driven again, this one included.
        """
        if attempts >= webhook.attempts:
            return None
        return self._drawn(webhook, _delay(webhook, attempts), answer)

    def _drawn(self, webhook: Webhook, wait: float, answer: Answer) -> float:
        cap = max(CAP_SECONDS, webhook.delay_seconds)
        drawn = min(cap, wait) * self._draw(1 - JITTER, 1 + JITTER)
        # What the receiver asked for is not cut short, unless it is beyond all measure.
        return max(drawn, min(cap, answer.retry_after or 0.0))


def _delay(webhook: Webhook, attempt: int) -> float:
    """Seconds to wait after an attempt, the first being 1; not capped."""
    match webhook.policy:
        case RetryPolicy.CONSTANT:
            factor = 1
        case RetryPolicy.LINEAR:
            factor = attempt
        case RetryPolicy.EXPONENTIAL:
            factor = 2 ** min(attempt - 1, _DOUBLINGS)
    return float(webhook.delay_seconds * factor)
