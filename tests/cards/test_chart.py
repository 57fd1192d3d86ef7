"""What is looked up in a chart is sorted out once, and is what going through the whole record would find."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.case import Case, answered_once
from cards.chart import Chart, NotReadable, NotRecorded, Recorded, newest, wholly_after
from cards.content import Content
from cards.entries import Area, Input, Person, Reading, Result, ResultStatus, Unread
from cards.example_charts import AS_OF, chart_of
from cards.examples import case_of
from cards.when import Days, Instant, When
from cards.wording import describe

ZONES = [ZoneInfo(name) for name in ("Europe/London", "Pacific/Kiritimati", "Etc/GMT+12", "UTC")]
#: Around the day of the call, and around one long before it.
MINUTES = st.one_of(st.integers(-5_000, 5_000), st.integers(-400 * 1440 - 5_000, -400 * 1440 + 5_000))


@st.composite
def moments(draw: st.DrawFn) -> When:
    """An instant, or some days of one zone."""
    zone = draw(st.sampled_from(ZONES))
    began = datetime(AS_OF.year, AS_OF.month, AS_OF.day, tzinfo=UTC) + timedelta(minutes=draw(MINUTES))
    if draw(st.booleans()):
        return Instant(began, began, zone)
    first = began.date()
    return Days(first, first + timedelta(days=draw(st.sampled_from([0, 0, 30, 364]))), zone)


@st.composite
def results(draw: st.DrawFn) -> tuple[Result, ...]:
    statuses = st.sampled_from([ResultStatus.FINAL, ResultStatus.FINAL, ResultStatus.PRELIMINARY, ResultStatus.AMENDED])
    return tuple(
        Result(
            analyte=draw(st.sampled_from(["potassium", "sodium"])),
            value=Decimal(4),
            exact=Decimal(4),
            when=draw(moments()),
            source=f"Observation/{number}",
            status=draw(statuses),
        )
        for number in range(draw(st.integers(0, 8)))
    )


def a_chart(found: tuple[Result, ...]) -> Chart:
    return Chart(as_of=AS_OF, person=Person(None), inputs={Area.RESULTS: Input(Reading.COMPLETE)}, results=found)


@settings(derandomize=True, deadline=None)
@given(results())
def test_what_counts_is_what_is_final_and_may_be_of_today_or_before(found: tuple[Result, ...]) -> None:
    chart = a_chart(found)
    final = [r for r in found if r.status is not ResultStatus.PRELIMINARY]

    for analyte in ("potassium", "sodium", "tsh"):
        assert chart.usable(analyte) == [r for r in final if r.analyte == analyte and r.when.first_day <= AS_OF]
    assert list(chart.preliminary()) == [r for r in found if r.status is ResultStatus.PRELIMINARY]


@settings(derandomize=True, deadline=None)
@given(results(), st.sampled_from([0, 1, 399, 400, 401]))
def test_what_lies_wholly_after_a_day_begins_on_a_later_day_in_every_zone(found: tuple[Result, ...], ago: int) -> None:
    day = AS_OF - timedelta(days=ago)

    assert wholly_after(day, found) == [r for r in found if r.when.first_day > day]


@pytest.mark.parametrize("expected", [True, False])
def test_a_value_left_out_by_rule_is_not_there_and_one_that_could_not_be_read_may_be(expected: bool) -> None:
    why = "Potassium: was entered in error" if expected else "Potassium: the value was sent as text"
    chart = replace(a_chart(()), unread=(Unread(Area.RESULTS, "potassium", why, "Observation/1", expected=expected),))

    assert chart.latest("potassium") == (NotRecorded() if expected else NotReadable(why))
    assert chart.latest("sodium") == NotRecorded()


@settings(derandomize=True, deadline=None)
@given(results())
def test_the_newest_are_those_that_may_be_of_the_last_moment(found: tuple[Result, ...]) -> None:
    latest = max((r.when.latest for r in found), default=None)
    began = max((r.when.earliest for r in found if r.when.latest == latest), default=None)
    tied = [r for r in found if began is not None and r.when.latest >= began]
    mended = [r for r in tied if r.status is ResultStatus.AMENDED]

    assert newest(found) == tuple(mended or tied)


def test_a_result_of_tomorrow_counts_tomorrow() -> None:
    noon = datetime(2026, 6, 16, 12, tzinfo=UTC)
    tomorrow = Result("potassium", Decimal(4), Decimal(4), Instant(noon, noon), "Observation/1")

    assert a_chart((tomorrow,)).usable("potassium") == []
    assert replace(a_chart((tomorrow,)), as_of=date(2026, 6, 16)).latest("potassium") == Recorded((tomorrow,))


@pytest.mark.parametrize("reading", list(Reading))
def test_a_part_of_the_record_is_wanting_unless_it_was_read_to_the_end(reading: Reading) -> None:
    chart = replace(a_chart(()), inputs={Area.PROBLEMS: Input(reading), Area.RESULTS: Input(Reading.COMPLETE)})

    assert chart.complete(Area.PROBLEMS, Area.RESULTS) is (reading is Reading.COMPLETE)
    assert chart.complete(Area.RESULTS, Area.ORDERS)  # a part that was not asked for is not wanting


def test_a_question_that_topics_share_is_answered_once_for_each_case(content: Content) -> None:
    asked: list[Case] = []

    @answered_once
    def shown(case: Case) -> int:
        """How many problems there are."""
        asked.append(case)
        return len(case.chart.problems)

    one = case_of(chart_of(content.vocabulary, problems=["muscle-cramp 5 days ago"]), content)
    two = case_of(chart_of(content.vocabulary), content)

    assert [shown(one), shown(one), shown(two), shown(two)] == [1, 1, 0, 0]
    assert asked == [one, two]


def test_an_entry_reads_the_same_on_every_card_and_differs_from_its_like(content: Content) -> None:
    lines = ["indapamide since 200 days ago", "indapamide since 20 days ago ended 10 days ago"]
    case = case_of(chart_of(content.vocabulary, medicines=lines), content)
    first, second = case.chart.medicines

    printed = [describe(entry, case, content) for entry in (first, second, first)]

    assert printed[0] is printed[2]
    assert "m1)" in printed[0]
    assert "m2)" in printed[1]
