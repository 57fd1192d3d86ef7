"""What became of the cards, by week, topic and reason."""

import csv
import io
import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from service.__main__ import main
from service.store import MemoryStore, Outcome, open_store
from service.store.report import Line, Reported, Shown, as_csv, as_json, as_table, lines, week
from tests.service.store.rows import NOON, a_report, a_shown

NEXT = NOON + timedelta(days=7)
REPORT = (
    Line("2026-W25", "ck", shown=2, accepted=1),
    Line("2026-W25", "quinine", shown=3, overridden=3, other=1, reasons={"(none given)": 1, "known-baseline": 2}),
    Line("2026-W26", "(unknown card)", overridden=1, reasons={"unlisted": 1}),
)


@pytest.fixture
def filled(url):
    store = open_store(url)
    fill(store)
    yield store
    store.close()


def fill(store):
    store.shown([a_shown(1), a_shown(2), a_shown(3), a_shown(4, topic="ck"), a_shown(5, topic="ck")])
    over = Outcome.OVERRIDDEN
    items = [
        a_report(1, over, reason="known-baseline", received=NEXT),
        a_report(2, over, reason="known-baseline"),
        a_report(3, over),
        a_report(3, Outcome.OTHER),
        a_report(4),
        a_report(9, over, reason="unlisted", received=NEXT),
    ]
    for item in (*items, *items):  # repeats count once
        store.record([item], "north")


def test_a_store_in_memory_reports_the_same():
    store = MemoryStore()
    fill(store)

    assert store.report() == REPORT


def test_in_memory_too_a_report_by_another_client_does_not_count_for_the_card():
    store = MemoryStore()
    store.record([a_report(1)], "south")
    store.shown([a_shown(1)])

    assert store.report() == (Line("2026-W25", "(unknown card)", accepted=1), Line("2026-W25", "quinine", shown=1))


def test_outcomes_count_in_the_week_of_the_card_and_unknown_ones_in_their_own(filled):
    assert filled.report() == REPORT


def test_a_report_by_another_client_on_an_unwritten_card_does_not_count_for_the_card(url):
    store = open_store(url)
    store.record([a_report(1)], "south")  # not yet known to be of north
    store.shown([a_shown(1)])
    store.close()

    again = open_store(url)
    assert again.report() == (Line("2026-W25", "(unknown card)", accepted=1), Line("2026-W25", "quinine", shown=1))
    again.close()


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_the_command_prints_the_report_in_each_format(filled, url, form, monkeypatch):
    filled._writer.flush()
    for name in ("MUSCLE_CDS_PROFILE", "MUSCLE_CDS_CONFIG", "ENV"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(main, ["feedback", "report", "--format", form], env={"MUSCLE_CDS_STORE": url})

    assert done.exit_code == 0, done.output
    assert done.output == {"table": as_table, "csv": as_csv, "json": as_json}[form](REPORT)


def test_the_table_is_for_people():
    assert as_table(REPORT) == (
        "week      topic           shown  accepted  overridden  other  reasons for overriding\n"
        "2026-W25  ck                  2         1           0      0\n"
        "2026-W25  quinine             3         0           3      1  (none given) 1, known-baseline 2\n"
        "2026-W26  (unknown card)      0         0           1      0  unlisted 1\n"
    )


def test_sums_over_the_csv_are_right():
    rows = list(csv.DictReader(io.StringIO(as_csv(REPORT))))

    assert sum(int(row["count"]) for row in rows if row["event"] == "shown") == 5
    assert sum(int(row["count"]) for row in rows if row["event"] == "overridden") == 4
    assert sum(int(row["count"]) for row in rows if row["reason"] == "known-baseline") == 2


def test_the_json_is_a_list_of_lines():
    assert json.loads(as_json(REPORT))[1] == {
        "week": "2026-W25", "topic": "quinine", "shown": 3, "accepted": 0, "overridden": 3, "other": 1,
        "reasons": {"(none given)": 1, "known-baseline": 2},
    }  # fmt: skip


@pytest.mark.parametrize(("days", "name"), [(0, "2026-W25"), (1, "2026-W24"), (168, "2026-W01"), (169, "2025-W52")])
def test_a_week_is_that_of_iso_8601(days, name):
    assert week(NOON - timedelta(days=days)) == name


def test_a_week_begins_at_midnight_utc():
    monday = NOON.replace(hour=0).astimezone(ZoneInfo("America/New_York"))

    assert week(monday) == "2026-W25"
    assert week(monday - timedelta(seconds=1)) == "2026-W24"


TOPICS = st.sampled_from(["ck", "quinine"])
MOMENTS = st.datetimes(NOON.replace(tzinfo=None), NEXT.replace(tzinfo=None)).map(
    lambda when: when.replace(tzinfo=NOON.tzinfo)
)


@given(
    st.lists(st.builds(Shown, TOPICS, MOMENTS)),
    st.lists(
        st.builds(Reported, st.sampled_from(["", "ck"]), st.sampled_from(Outcome), st.sampled_from(["", "x"]), MOMENTS)
    ),
)
def test_nothing_is_lost_or_counted_twice(shown, reported):
    report = lines(shown, reported)

    assert sum(line.shown for line in report) == len(shown)
    assert sum(line.accepted + line.overridden + line.other for line in report) == len(reported)
    assert all(sum(line.reasons.values()) == line.overridden for line in report)
    assert len({(line.week, line.topic) for line in report}) == len(report)
