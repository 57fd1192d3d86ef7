"""A FHIR server that fails again and again is left alone for fifteen seconds, and then tried once (R6)."""

import pytest

from service.fhir.breaker import SECONDS_OPEN, Breaker, Leave


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(clock)


def tell(breaker, *outcomes):
    for failed in outcomes:
        leave = breaker.ask(breaker._clock())
        assert leave is Leave.YES
        breaker.tell(leave, failed=failed)


def opened(breaker):
    tell(breaker, *[True] * 5)
    assert breaker.is_open
    return breaker


def test_five_failures_in_a_row_open_it(breaker):
    tell(breaker, *[True] * 4)
    assert (breaker.is_open, breaker.ask(breaker._clock())) == (False, Leave.YES)
    breaker.tell(Leave.YES, failed=True)

    assert (breaker.is_open, breaker.ask(breaker._clock())) == (True, Leave.NO)


def test_one_answer_between_failures_begins_the_row_anew(breaker):
    tell(breaker, *[True] * 4, False, *[True] * 4)

    assert not breaker.is_open


def test_ten_failures_among_twenty_open_it_though_no_five_are_in_a_row(breaker):
    tell(breaker, *[True, False] * 9, True)
    assert not breaker.is_open
    tell(breaker, False)

    assert breaker.is_open


def test_nine_failures_among_any_twenty_do_not(breaker):
    tell(breaker, *[True, False] * 9, False, False, *[True, False, False] * 20)

    assert not breaker.is_open


def test_what_was_not_asked_after_all_counts_for_nothing(breaker):
    tell(breaker, *[True] * 4, *[None] * 30)
    assert not breaker.is_open
    tell(breaker, True)

    assert breaker.is_open


def test_after_fifteen_seconds_one_request_goes_through_and_no_other(breaker, clock):
    opened(breaker)
    clock.now += SECONDS_OPEN - 0.001
    assert breaker.ask(breaker._clock()) is Leave.NO
    clock.now += 0.001

    assert [breaker.ask(breaker._clock()) for _ in range(3)] == [Leave.AS_PROBE, Leave.NO, Leave.NO]
    assert breaker.is_open


def test_a_probe_that_is_answered_closes_it_and_old_failures_are_forgotten(breaker, clock):
    opened(breaker)
    clock.now += SECONDS_OPEN
    breaker.tell(breaker.ask(breaker._clock()), failed=False)

    assert not breaker.is_open
    tell(breaker, *[True] * 4)
    assert not breaker.is_open


def test_a_probe_that_fails_opens_it_for_as_long_again(breaker, clock):
    opened(breaker)
    clock.now += SECONDS_OPEN
    leave = breaker.ask(breaker._clock())
    clock.now += 2
    breaker.tell(leave, failed=True)
    clock.now += SECONDS_OPEN - 0.001
    assert breaker.ask(breaker._clock()) is Leave.NO
    clock.now += 0.001

    assert breaker.ask(breaker._clock()) is Leave.AS_PROBE


def test_a_probe_that_was_never_made_leaves_room_for_the_next(breaker, clock):
    opened(breaker)
    clock.now += SECONDS_OPEN
    breaker.tell(breaker.ask(breaker._clock()), failed=None)

    assert (breaker.is_open, breaker.ask(breaker._clock())) == (True, Leave.AS_PROBE)


@pytest.mark.parametrize("failed", [True, False])
def test_requests_that_were_under_way_when_it_opened_change_nothing(breaker, clock, failed):
    early = breaker.ask(breaker._clock())
    opened(breaker)
    clock.now += SECONDS_OPEN - 1
    breaker.tell(early, failed=failed)
    assert breaker.is_open
    clock.now += 1

    assert breaker.ask(breaker._clock()) is Leave.AS_PROBE


def test_a_call_that_was_under_way_when_it_opened_goes_on_and_a_later_one_does_not(breaker, clock):
    began = clock.now
    clock.now += 0.5
    opened(breaker)
    clock.now += 0.5

    assert breaker.ask(began) is Leave.YES
    assert breaker.ask(clock.now) is Leave.NO
