"""A few seconds of the load test in every run of the suite; ``make load`` for a minute of each, and the page."""

import re
from pathlib import Path

import pytest

from tests.faults.figures import record
from tests.faults.process import needs_proc
from tests.load.run import PROMISED_MS, RATE, both, page
from tests.repository import text_of
from tests.uncovered import uncovered

__all__ = ["uncovered"]  # a fixture

SECONDS = 2.5  # of each of the two runs
SLACK_MS = 1_500  # a smoke test on a shared machine shows that it works, not how fast


@needs_proc
@pytest.mark.alone
@pytest.mark.timeout(120)
@pytest.mark.usefixtures("uncovered")
def test_twenty_hooks_a_second_are_answered() -> None:
    outcomes = both(SECONDS)

    assert [one.name for one in outcomes] == list(PROMISED_MS)
    for one in outcomes:
        assert one.statuses == {200: round(SECONDS * RATE)}
        assert one.cards >= len(one.ms)  # each of these patients has something to say about
        assert one.at(95) < PROMISED_MS[one.name] + SLACK_MS
        record("Load", f"{RATE} a second for {SECONDS} s, {one.name}: p95", one.at(95), "ms")
    assert "NOT KEPT" not in page(outcomes) or not all(one.held for one in outcomes)


def test_the_page_is_of_a_whole_minute_and_the_promises_were_kept() -> None:
    kept = text_of(Path("docs/load-test.md"))
    rows = re.findall(
        r"^\| ([^|]+) \| (\d+) in (\d+) s \| 200: (\d+) \|.*\| (?:kept|NOT KEPT) \|$", kept, flags=re.MULTILINE
    )

    assert [(name, int(calls), int(good)) for name, calls, _, good in rows] == [
        (name, 60 * RATE, 60 * RATE) for name in PROMISED_MS
    ]
    assert "NOT KEPT" not in kept
