"""Adjusted calcium: the laboratory's own first, else worked out from the albumin of the same day (3.2, HZ05)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.advise import advise
from cards.calcium import adjusted_calcium, low_total_without_albumin
from cards.case import Case
from cards.chart import NotReadable, NotRecorded, Recorded
from cards.content import Content
from cards.entries import Result, ResultStatus
from cards.example_charts import chart_of
from cards.examples import case_of
from cards.when import Days


def case(content: Content, *results: str, **more: list[str]) -> Case:
    return case_of(
        chart_of(content.vocabulary, problems=["muscle-cramp 5 days ago"], results=list(results), **more), content
    )


def adjusted(one: Case) -> tuple[Result, ...]:
    match adjusted_calcium(one):
        case Recorded(results):
            return results
        case NotRecorded() | NotReadable():
            return ()


def values(content: Content, *results: str) -> list[str]:
    return [str(r.value) for r in adjusted(case(content, *results))]


@pytest.mark.parametrize(
    ("total", "albumin", "expected"),
    [
        ("2.10 mmol/L", "35 g/L", "2.20"),
        ("8.6 mg/dL", "3.0 g/dL", "2.35"),  # V10: 2.1458 and 30 g/L
        ("2.05 mmol/L", "30 g/L", "2.25"),  # V16
        ("2.50 mmol/L", "45 g/L", "2.40"),
        ("2.20 mmol/L", "40 g/L", "2.20"),
    ],
)
def test_total_calcium_is_adjusted_for_albumin(content: Content, total: str, albumin: str, expected: str) -> None:
    one = case(content, f"calcium-total {total} 3 days ago", f"albumin {albumin} 3 days ago")
    (result,) = adjusted(one)
    assert str(result.value) == expected
    assert result.calculated_from


@given(total=st.integers(100, 400), albumin=st.integers(10, 60))
def test_the_adjustment_is_two_hundredths_for_each_gram_from_forty(content: Content, total: int, albumin: int) -> None:
    one = case(content, f"calcium-total {Decimal(total) / 100} mmol/L 3 days ago", f"albumin {albumin} g/L 3 days ago")
    (result,) = adjusted(one)
    assert result.exact * 100 == total + 2 * (40 - albumin)


def test_the_laboratorys_own_value_of_the_same_day_is_preferred(content: Content) -> None:
    own = "calcium-adjusted 2.30 mmol/L 3 days ago"
    assert values(content, own, "calcium-total 2.10 mmol/L 3 days ago", "albumin 35 g/L 3 days ago") == ["2.30"]


def test_a_later_total_with_albumin_is_newer_than_the_laboratorys_own(content: Content) -> None:
    own = "calcium-adjusted 2.30 mmol/L 4 days ago"
    assert values(content, own, "calcium-total 2.00 mmol/L 3 days ago", "albumin 40 g/L 3 days ago") == ["2.00"]


def test_an_earlier_total_with_albumin_changes_nothing(content: Content) -> None:
    own = "calcium-adjusted 2.30 mmol/L 3 days ago"
    assert values(content, own, "calcium-total 1.70 mmol/L 4 days ago", "albumin 40 g/L 4 days ago") == ["2.30"]


@pytest.mark.parametrize(
    "albumin", ["albumin 35 g/L 4 days ago", "albumin 35 g/L 3 days ago preliminary", "albumin >35 g/L 3 days ago"]
)
def test_albumin_of_another_day_preliminary_or_with_a_comparator_adjusts_nothing(
    content: Content, albumin: str
) -> None:
    total = "calcium-total 2.10 mmol/L 3 days ago"
    assert values(content, total, albumin) == []
    assert [r.analyte for r in low_total_without_albumin(case(content, total, albumin))] == ["calcium-total"]


def test_a_corrected_albumin_goes_before_the_one_it_corrects(content: Content) -> None:
    total, first = "calcium-total 2.10 mmol/L 3 days ago", "albumin 35 g/L 3 days ago"
    assert values(content, total, first, "albumin 30 g/L 3 days ago corrected") == ["2.30"]
    assert values(content, total, "albumin 30 g/L 3 days ago corrected", first) == ["2.30"]


@pytest.mark.parametrize("later", ["calcium-total 1.80 mmol/L 1 days ago", "calcium-total 2.35 mmol/L 1 days ago"])
def test_a_later_total_that_nothing_adjusts_does_not_undo_the_adjusted_one(content: Content, later: str) -> None:
    """As it does not undo one that the laboratory adjusted itself: the newest adjusted calcium is the newest."""
    adjusted_itself = ["calcium-adjusted 1.70 mmol/L 5 days ago", later]
    adjusted_here = ["calcium-total 1.70 mmol/L 5 days ago", "albumin 40 g/L 5 days ago", later]
    assert values(content, *adjusted_itself) == values(content, *adjusted_here) == ["1.70"]


def test_the_newest_total_with_albumin_is_the_one_adjusted(content: Content) -> None:
    older = ["calcium-total 1.70 mmol/L 9 days ago", "albumin 40 g/L 9 days ago"]
    newer = ["calcium-total 2.00 mmol/L 5 days ago", "albumin 30 g/L 5 days ago"]
    assert values(content, *older, *newer, "calcium-total 2.40 mmol/L 1 days ago") == ["2.20"]


def test_a_low_total_after_an_adjusted_one_still_earns_its_line(content: Content) -> None:
    adjusted_here = ["calcium-total 2.30 mmol/L 5 days ago", "albumin 40 g/L 5 days ago"]
    later = low_total_without_albumin(case(content, *adjusted_here, "calcium-total 1.80 mmol/L 1 days ago"))
    assert [str(r.value) for r in later] == ["1.80"]


def test_a_total_with_a_comparator_or_preliminary_is_not_adjusted(content: Content) -> None:
    assert values(content, "calcium-total <2.10 mmol/L 3 days ago", "albumin 35 g/L 3 days ago") == []
    assert values(content, "calcium-total 2.10 mmol/L 3 days ago preliminary", "albumin 35 g/L 3 days ago") == []


@pytest.mark.parametrize(
    ("total", "albumin", "status"),
    [
        ("", "", ResultStatus.FINAL),
        (" unstated", "", ResultStatus.UNSTATED),
        ("", " unstated", ResultStatus.UNSTATED),
        (" corrected", " unstated", ResultStatus.CORRECTED),
    ],
)
def test_what_is_not_plainly_final_of_either_value_is_told_of_the_adjusted_one(
    content: Content, total: str, albumin: str, status: ResultStatus
) -> None:
    found = case(content, f"calcium-total 2.10 mmol/L 3 days ago{total}", f"albumin 35 g/L 3 days ago{albumin}")
    assert [r.status for r in adjusted(found)] == [status]


def test_a_total_of_an_unknown_day_is_not_adjusted(content: Content) -> None:
    chart = chart_of(
        content.vocabulary,
        problems=["muscle-cramp 5 days ago"],
        results=["calcium-total 2.10 mmol/L 3 days ago", "albumin 35 g/L 3 days ago"],
    )
    first, last = date(2026, 6, 1), date(2026, 6, 12)  # the last of its days is that of the albumin
    june = Days(first, last)
    total, albumin = chart.results
    unsure = replace(chart, results=(msgspec.structs.replace(total, when=june), albumin))
    assert adjusted(case_of(unsure, content)) == ()


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["calcium-total 2.19 mmol/L 3 days ago"], 1),
        (["calcium-total 2.20 mmol/L 3 days ago"], 0),  # not low
        (["calcium-total 2.10 mmol/L [2.05-2.55] 3 days ago"], 0),  # not low by the range sent with it
        (["calcium-total 2.10 mmol/L 181 days ago"], 0),  # not recent
        (["calcium-total 2.10 mmol/L 3 days ago", "albumin 35 g/L 3 days ago"], 0),
        (["calcium-total 2.10 mmol/L 3 days ago", "calcium-adjusted 2.30 mmol/L 3 days ago"], 0),
        (["calcium-total 2.10 mmol/L 3 days ago", "calcium-adjusted 2.30 mmol/L 4 days ago"], 1),
    ],
)
def test_a_low_total_that_nothing_adjusts_is_worth_a_line(content: Content, results: list[str], expected: int) -> None:
    assert len(low_total_without_albumin(case(content, *results))) == expected


def test_the_card_shows_what_the_value_was_worked_out_from(content: Content) -> None:
    chart = chart_of(
        content.vocabulary,
        problems=["muscle-cramp 5 days ago"],
        results=["calcium-total 1.95 mmol/L 3 days ago", "albumin 35 g/L 3 days ago"],
    )
    card = advise(chart, content).cards[0]
    assert "Adjusted calcium 2.05 mmol/L" in card.summary
    assert "adjusted here: total 1.95 mmol/L, albumin 35 g/L" in card.detail


def test_nothing_read_is_not_nothing_there(content: Content) -> None:
    assert adjusted_calcium(case(content)) == NotRecorded()
    unreadable = adjusted_calcium(case(content, unreadable=["results"]))
    assert isinstance(unreadable, NotReadable)
