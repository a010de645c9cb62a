"""How often a session may send."""

from hypothesis import given
from hypothesis import strategies as st

from server.messages.rates import HOUR, MINUTE, RateWindow

START = 1_790_000_000_000
steps = st.lists(st.integers(0, 20 * MINUTE // 10), max_size=200)
limits = st.tuples(st.integers(0, 8), st.integers(0, 20))


def within(times: list[int], now: int, length: int) -> int:
    return sum(now - length < time <= now for time in times)


@given(limits, steps, st.floats(0.01, 1))
def test_no_window_ever_holds_more_than_its_limit_and_nothing_is_refused_before(
    limit: tuple[int, int], pauses: list[int], share: float
) -> None:
    per_minute, per_hour = limit
    window = RateWindow(per_minute, per_hour)
    taken: list[int] = []
    now = START
    for pause in pauses:
        now += pause
        full = any(
            allowed and within(taken, now, length) >= max(1, int(allowed * share))
            for allowed, length in ((per_minute, MINUTE), (per_hour, HOUR))
        )
        wait = window.take(now, share=share)
        assert (wait > 0) == full
        if not wait:
            taken.append(now)


@given(limits, steps)
def test_whoever_waits_as_told_is_served_and_whoever_comes_earlier_is_not(
    limit: tuple[int, int], pauses: list[int]
) -> None:
    window = RateWindow(*limit)
    now = START
    for pause in pauses:
        now += pause
        wait = window.take(now)
        if wait:
            assert window.take(now + wait - 1) == 1
            now += wait
            assert window.take(now) == 0


@given(limits, steps, st.integers(0, 200))
def test_a_restart_in_between_changes_nothing(limit: tuple[int, int], pauses: list[int], at: int) -> None:
    through, restarted = RateWindow(*limit), RateWindow(*limit)
    taken: list[int] = []
    now = START
    for index, pause in enumerate(pauses):
        now += pause
        if index == at:
            restarted = RateWindow(*limit, [time for time in taken if time > now - HOUR])
        wait = through.take(now)
        assert restarted.take(now) == wait
        if not wait:
            taken.append(now)


def test_a_clock_that_is_set_back_gives_nothing_away() -> None:
    window = RateWindow(1, 0)
    assert window.take(START) == 0
    assert window.take(START - HOUR) == MINUTE


def test_what_was_given_back_can_be_used_again() -> None:
    window = RateWindow(2, 5)
    assert [window.take(START), window.take(START + 1)] == [0, 0]
    window.give_back(START + 1)
    window.give_back(START + 7)
    assert [window.take(START + 2), window.take(START + 3)] == [0, MINUTE - 3]


def test_async_sends_leave_room_for_sync_ones() -> None:
    window = RateWindow(10, 0)
    taken = [window.take(START, share=0.8) for _ in range(10)]
    assert taken == [0] * 8 + [MINUTE] * 2
    assert [window.take(START) for _ in range(3)] == [0, 0, MINUTE]


def test_without_limits_nothing_is_remembered() -> None:
    window = RateWindow(0, 0)
    assert not window.is_limited
    assert {window.take(START) for _ in range(1000)} == {0}
