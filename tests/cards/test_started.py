"""Since when a medicine is taken: repeat prescriptions are one course (specification 3.8 no. 2)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from msgspec import structs

from cards.content import Content
from cards.example_charts import chart_of
from cards.examples import case_of
from cards.when import Days

QUININE = "MedicationStatement/m1"


def started(content: Content, *medicines: str) -> date | None:
    chart = chart_of(content.vocabulary, medicines=list(medicines))
    first = next(m for m in chart.medicines if m.source == QUININE)
    return case_of(chart, content).started(first)


def test_a_single_record_is_its_own_start(content: Content) -> None:
    assert started(content, "quinine since 100 days ago") == date(2026, 3, 7)


def test_the_newest_repeat_prescription_is_not_a_start(content: Content) -> None:
    repeats = ["quinine since 10 days ago", "quinine since 40 days ago ended 12 days ago"]
    assert started(content, *repeats) == date(2026, 5, 6)


@pytest.mark.parametrize(("gap", "expected"), [(90, date(2025, 11, 27)), (91, date(2026, 6, 5))])
def test_a_gap_of_ninety_days_is_bridged_and_ninety_one_is_a_new_start(
    content: Content, gap: int, expected: date
) -> None:
    earlier = f"quinine since 200 days ago ended {10 + gap} days ago"
    assert started(content, "quinine since 10 days ago", earlier) == expected


@pytest.mark.parametrize(("days", "expected"), [(100, date(2026, 3, 7)), (101, date(2026, 6, 5))])
def test_an_ended_record_without_an_end_date_reaches_no_further_than_its_start(
    content: Content, days: int, expected: date
) -> None:
    assert started(content, "quinine since 10 days ago", f"quinine since {days} days ago ended") == expected


def test_a_chain_of_repeats_reaches_back_to_its_first(content: Content) -> None:
    chain = [f"quinine since {days} days ago ended {days - 28} days ago" for days in (90, 170, 250, 330)]
    assert started(content, "quinine since 10 days ago", *chain) == date(2025, 7, 20)


def test_an_older_course_before_the_gap_does_not_count(content: Content) -> None:
    older = ["quinine since 400 days ago ended 380 days ago", "quinine since 60 days ago ended 30 days ago"]
    assert started(content, "quinine since 20 days ago", *older) == date(2026, 4, 16)


def test_the_order_of_the_records_does_not_matter(content: Content) -> None:
    chart = chart_of(
        content.vocabulary,
        medicines=["quinine since 200 days ago ended 60 days ago", "quinine since 20 days ago"],
    )
    assert {case_of(chart, content).started(m) for m in chart.medicines} == {date(2025, 11, 27)}


def test_another_ingredient_does_not_lengthen_the_course(content: Content) -> None:
    assert started(content, "quinine since 20 days ago", "digoxin since 400 days ago") == date(2026, 5, 26)


def test_a_combination_shares_the_course_of_its_ingredient(content: Content) -> None:
    chart = chart_of(
        content.vocabulary,
        medicines=["amiloride+furosemide since 10 days ago", "furosemide since 90 days ago ended 15 days ago"],
    )
    assert case_of(chart, content).started(chart.medicines[0]) == date(2026, 3, 17)


@pytest.mark.parametrize("link", ["name", "brand"])
@pytest.mark.parametrize("earlier", ["since 200 days ago", "since 200 days ago ended 12 days ago"])
def test_what_is_known_by_its_name_alone_does_not_lengthen_the_course_of_a_coded_medicine(
    content: Content, earlier: str, link: str
) -> None:
    """3.8 no. 4: it names a contributor, and is used for nothing else."""
    assert started(content, "quinine since 10 days ago", f"quinine {earlier} by {link}") == date(2026, 6, 5)


def test_a_medicine_known_by_its_name_alone_is_printed_with_the_start_of_its_course(content: Content) -> None:
    assert started(content, "quinine since 10 days ago by name", "quinine since 200 days ago") == date(2025, 11, 27)


@pytest.mark.parametrize("days", [1, 90, 91, 200])
def test_a_record_that_begins_in_the_future_is_no_part_of_the_course(content: Content, days: int) -> None:
    chart = chart_of(content.vocabulary, medicines=["quinine since 200 days ago"])
    (taken,) = chart.medicines
    first = chart.as_of + timedelta(days)
    begins = Days(first, first)
    later = structs.replace(taken, source="MedicationStatement/m2", start=begins, active=False)
    planned = replace(chart, medicines=(taken, later))
    assert case_of(planned, content).started(taken) == date(2025, 11, 27)


def test_without_any_date_there_is_no_start(content: Content) -> None:
    assert started(content, "quinine") is None


def test_a_record_without_a_date_takes_the_start_of_its_companion(content: Content) -> None:
    assert started(content, "quinine", "quinine since 100 days ago") == date(2026, 3, 7)
