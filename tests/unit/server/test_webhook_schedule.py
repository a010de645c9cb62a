"""When an event is tried again, when it is given up, and when its endpoint is to blame."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.events.webhooks.answers import Answer, Failure, Verdict, read_retry_after
from server.events.webhooks.schedule import (
    CAP_SECONDS,
    PATIENCE_CAP_SECONDS,
    REFUSED_IN_A_ROW,
    Schedule,
    Trial,
)
from server.store.webhook_cursors import Streak
from server.store.webhooks import RetryPolicy, Webhook
from tests.support.records import a_webhook

HOUR = 3600
DOWN = Answer(failure=Failure.UNREACHABLE)
REFUSED = Answer(404)


def a_policy(policy: RetryPolicy, delay_seconds: int, attempts: int) -> Webhook:
    return replace(a_webhook(), policy=policy, delay_seconds=delay_seconds, attempts=attempts)


def waits(webhook: Webhook, answer: Answer, count: int, *, patience: float = HOUR) -> list[float]:
    """The first so many waits of one event; they end where it is given up."""
    schedule = Schedule(patience, draw=lambda _least, _most: 1.0)
    streak, now, found = Streak(), 0, []
    for attempt in range(1, count + 1):
        after = schedule.after_failure(webhook, answer, before=streak, trial=Trial(attempt, 0), now=now)
        if after.dead:
            break
        found.append(after.wait_seconds)
        now += round(after.wait_seconds * 1000)
        streak = after.streak
    return found


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (RetryPolicy.CONSTANT, [2, 2, 2, 2]),
        (RetryPolicy.LINEAR, [2, 4, 6, 8]),
        (RetryPolicy.EXPONENTIAL, [2, 4, 8, 16]),
    ],
)
def test_waits_grow_as_the_policy_says(policy: RetryPolicy, expected: list[float]) -> None:
    assert waits(a_policy(policy, 2, 15), REFUSED, 4) == expected
    assert waits(a_policy(policy, 2, 15), DOWN, 4) == expected


def test_an_event_that_is_refused_is_given_up_after_the_policys_attempts() -> None:
    assert len(waits(a_policy(RetryPolicy.CONSTANT, 2, 15), REFUSED, 100)) == 14
    assert waits(a_policy(RetryPolicy.CONSTANT, 2, 1), REFUSED, 100) == []


def test_a_receiver_that_is_down_costs_no_event_before_patience_ends() -> None:
    found = waits(a_policy(RetryPolicy.CONSTANT, 1, 3), DOWN, 1000, patience=HOUR)
    assert found[:6] == [1, 1, 5, 10, 20, 40]
    assert max(found) == CAP_SECONDS
    assert HOUR <= sum(found) < HOUR + CAP_SECONDS


def test_a_delay_above_the_cap_is_its_owners_wish() -> None:
    assert waits(a_policy(RetryPolicy.EXPONENTIAL, 3600, 3), DOWN, 3) == [3600, 3600]


def test_after_a_few_events_given_up_the_endpoint_is_to_blame() -> None:
    schedule = Schedule(HOUR, draw=lambda _least, _most: 1.0)
    webhook = a_policy(RetryPolicy.CONSTANT, 1, 2)
    streak = Streak()
    for _ in range(REFUSED_IN_A_ROW):
        for attempt in (1, 2):
            after = schedule.after_failure(webhook, REFUSED, before=streak, trial=Trial(attempt, 0), now=0)
            streak = after.streak
        assert after.dead
    assert streak == Streak(2 * REFUSED_IN_A_ROW, REFUSED_IN_A_ROW, suspended=False)
    for attempt in (1, 2, 3):
        after = schedule.after_failure(webhook, REFUSED, before=streak, trial=Trial(attempt, 0), now=0)
        assert after.streak.suspended
        assert not after.dead


def test_patience_grows_with_each_event_that_it_has_cost() -> None:
    schedule = Schedule(HOUR, draw=lambda _least, _most: 1.0)
    webhook = a_policy(RetryPolicy.CONSTANT, 1, 1)

    def given_up(dead: int, hours: float) -> bool:
        now = round(hours * HOUR * 1000)
        before = Streak(50, dead, suspended=True)
        return schedule.after_failure(webhook, DOWN, before=before, trial=Trial(9, 0), now=now).dead

    assert (given_up(0, 0.99), given_up(0, 1)) == (False, True)
    assert (given_up(1, 1.99), given_up(1, 2)) == (False, True)
    cap = PATIENCE_CAP_SECONDS / HOUR
    assert (given_up(40, cap - 0.01), given_up(40, cap)) == (False, True)


@given(
    webhook=st.builds(a_policy, st.sampled_from(RetryPolicy), st.integers(1, 3600), st.integers(1, 100)),
    attempt=st.integers(1, 10_000),
    before=st.builds(Streak, st.integers(0, 10_000), st.integers(0, 10_000)),
    answer=st.sampled_from([DOWN, REFUSED, Answer(503, retry_after=1e9), Answer(500)]),
)
def test_waits_are_never_none_and_never_endless(
    webhook: Webhook, attempt: int, before: Streak, answer: Answer
) -> None:
    after = Schedule(HOUR).after_failure(webhook, answer, before=before, trial=Trial(attempt, 0), now=0)
    assert after.streak.failures == before.failures + 1
    if after.dead:
        assert attempt >= webhook.attempts
        assert answer.verdict is Verdict.REFUSED
    else:
        assert 0.8 <= after.wait_seconds <= max(CAP_SECONDS, webhook.delay_seconds) * 1.2


def test_what_a_receiver_asks_for_is_respected_within_the_cap() -> None:
    webhook = a_policy(RetryPolicy.CONSTANT, 2, 15)
    assert waits(webhook, Answer(429, retry_after=90), 1) == [90]
    assert waits(webhook, Answer(503, retry_after=1), 1) == [2]
    assert waits(webhook, Answer(503, retry_after=1e12), 1) == [CAP_SECONDS]


def test_waits_are_not_in_step() -> None:
    webhook = a_policy(RetryPolicy.CONSTANT, 10, 15)
    found = {
        Schedule(HOUR).after_failure(webhook, DOWN, before=Streak(), trial=Trial(1, 0), now=0).wait_seconds
        for _ in range(20)
    }
    assert len(found) > 10
    assert all(8 <= wait <= 12 for wait in found)


@pytest.mark.parametrize(
    ("verdict", "statuses"),
    [
        (Verdict.TAKEN, [200, 201, 202, 204, 299]),
        (Verdict.REFUSED, [300, 301, 304, 307, 400, 401, 403, 404, 405, 410, 413, 422, 451]),
        (Verdict.AWAY, [408, 425, 429, 500, 501, 502, 503, 504, 521, 599]),
    ],
)
def test_what_a_status_means(verdict: Verdict, statuses: list[int]) -> None:
    assert {Answer(status).verdict for status in statuses} == {verdict}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("120", 120),
        (" 0 ", 0),
        ("9" * 400, 999_999_999),
        ("٣", None),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
        ("Thu, 99 Jan 1970 00:00:01 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value, 10_000) == seconds
