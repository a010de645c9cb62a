import time

import pytest

from sandbox.faults import KINDS, FaultError, Faults


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"stream_error", "cut"}])
def test_a_fault_is_active_until_it_is_cleared(kind: str) -> None:
    faults = Faults()
    fault = faults.add({"kind": kind})
    assert faults.take(kind, "49170") is fault
    assert faults.take(kind, None) is fault
    faults.clear()
    assert faults.take(kind, "49170") is None
    assert faults.active() == []


def test_a_count_is_used_up() -> None:
    faults = Faults()
    faults.add({"kind": "ack_drop", "count": 2})
    assert [faults.take("ack_drop", "1") is not None for _ in range(3)] == [True, True, False]


def test_peeking_uses_nothing_up() -> None:
    faults = Faults()
    faults.add({"kind": "silence", "count": 1})
    assert faults.peek("silence", "1")
    assert faults.peek("silence", "1")


def test_a_number_is_the_only_one_that_is_hit() -> None:
    faults = Faults()
    faults.add({"kind": "no_lid", "number": "49170"})
    assert faults.take("no_lid", "49170")
    assert not faults.take("no_lid", "49171")
    assert not faults.take("no_lid", None)


def test_seconds_run_out() -> None:
    faults = Faults()
    faults.add({"kind": "silence", "seconds": 0.01})
    deadline = time.monotonic() + 5
    while faults.peek("silence", "1") and time.monotonic() < deadline:
        pass
    assert faults.active() == []


def test_immediate_faults_do_not_stay() -> None:
    faults = Faults()
    assert faults.add({"kind": "stream_error", "code": "replaced"}).immediate
    assert faults.add({"kind": "cut"}).immediate
    assert not faults.add({"kind": "cut", "when": "next_message"}).immediate
    assert [fault.kind for fault in faults.active()] == ["cut"]


def test_a_fault_describes_itself_with_its_defaults() -> None:
    faults = Faults()
    faults.add({"kind": "ack_error", "number": "49170", "count": 3, "seconds": 60})
    (described,) = (fault.describe() for fault in faults.active())
    seconds = described.pop("seconds")
    assert isinstance(seconds, float)
    assert 59 < seconds <= 60
    assert described == {"id": 1, "kind": "ack_error", "code": 479, "number": "49170", "count": 3}


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({}, "known are ack_drop"),
        ({"kind": "flood"}, "known are ack_drop"),
        ({"kind": 7}, "known are ack_drop"),
        ({"kind": "silence", "delay": 1}, "it has number, count, seconds"),
        ({"kind": "ack_delay", "delay": "1"}, "wrong type"),
        ({"kind": "ack_delay", "delay": True}, "wrong type"),
        ({"kind": "ack_delay", "delay": -1}, "at least 0"),
        ({"kind": "silence", "count": 0}, "at least 1"),
        ({"kind": "silence", "count": 1.5}, "wrong type"),
        ({"kind": "silence", "number": 49170}, "wrong type"),
        ({"kind": "stream_error", "code": 404}, "one of 401, 503, 515, 'replaced'"),
        ({"kind": "cut", "when": "later"}, "one of 'now', 'next_message'"),
        ({"kind": "cut", "delivered": "yes"}, "wrong type"),
    ],
)
def test_a_fault_that_cannot_be_had_is_refused_with_what_can(request_: dict[str, object], told: str) -> None:
    faults = Faults()
    with pytest.raises(FaultError, match=told):
        faults.add(request_)
    assert faults.active() == []
