"""Lines that a caller can cause at will: so many and no more, and what is left out is counted (R14)."""

import json
from datetime import UTC, datetime

from service.line_limit import MOST, WINDOW, LineLimit
from service.observe import AccessLog, Record

KIND = ("ehr", "NotTrusted", "expired")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def refused(**changed):
    return Record(
        **{"correlation_id": "a", "status": 401, "errors": ["NotTrusted"], "not_trusted": "expired"} | changed
    )


def a_log(clock, lines):
    return AccessLog(lines.append, lambda: datetime(2026, 6, 15, tzinfo=UTC), "info", LineLimit(clock=clock))


def test_so_many_of_a_kind_in_a_window_and_the_next_tells_what_was_left_out():
    clock = Clock()
    limit = LineLimit(2, 60.0, clock)

    assert [limit.left_out(KIND) for _ in range(5)] == [0, 0, None, None, None]
    assert limit.left_out(("ehr", "NotTrusted", "malformed")) == 0
    clock.now = 60.0
    assert [limit.left_out(KIND) for _ in range(3)] == [3, 0, None]


def test_what_was_left_out_of_a_kind_that_stopped_is_told_once():
    clock = Clock()
    limit = LineLimit(1, 60.0, clock)
    for _ in range(4):
        limit.left_out(KIND)

    assert list(limit.ended()) == []
    clock.now = 60.0
    assert list(limit.ended()) == [(KIND, 3)]
    assert list(limit.ended()) == []
    limit.left_out(KIND)
    limit.left_out(KIND)
    assert list(limit.ended(everything=True)) == [(KIND, 1)]


def test_a_flood_of_refusals_is_a_few_lines_and_a_count():
    clock, lines = Clock(), []
    log = a_log(clock, lines)
    for _ in range(10 * MOST):
        log.request(refused())
    assert len(lines) == MOST

    log.request(refused(status=200, errors=[], not_trusted=""))  # an answer is never left out
    log.request(refused(not_trusted="malformed"))  # nor a refusal of another kind
    assert len(lines) == MOST + 2

    clock.now = WINDOW
    log.request(refused())
    assert json.loads(lines[-1])["left_out"] == 9 * MOST
    assert "left_out" not in json.loads(lines[0])


def test_what_was_left_out_is_told_when_something_else_is_logged_later_and_at_the_end():
    clock, lines = Clock(), []
    log = a_log(clock, lines)
    for _ in range(MOST + 3):
        log.request(refused(client="ehr"))
    clock.now = WINDOW
    log.request(Record("b", status=200))

    told = json.loads(lines[-2])
    assert (told["event"], told["left_out"], told["client"], told["not_trusted"]) == ("left-out", 3, "ehr", "expired")
    for _ in range(MOST + 1):
        log.request(refused())
    log.tell_left_out(all_of_them=True)
    assert json.loads(lines[-1])["left_out"] == 1


def test_what_tells_of_data_or_of_a_defect_is_never_left_out():
    lines = []
    log = a_log(Clock(), lines)
    for status in (412, 500, 200):
        for _ in range(MOST + 5):
            log.request(Record("a", status=status, errors=["X"]))

    assert len(lines) == 3 * (MOST + 5)
