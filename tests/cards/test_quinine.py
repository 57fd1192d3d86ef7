"""Quinine already taken for cramps (specification P18; hazards HZ13, HZ14)."""

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from cards.advise import advise
from cards.card import Card
from cards.content import Content
from cards.example_charts import chart_of
from cards.examples import case_of
from cards.finding import ReviewMedicine
from cards.topics import quinine
from cards.when import Days

LONG = "quinine since 200 days ago"


def card(content: Content, **lines: str | list[str] | bool) -> Card | None:
    chart = chart_of(content.vocabulary, **{"person": "female 70", **lines})
    return next((c for c in advise(chart, content).cards if c.topic == "quinine"), None)


def weight(content: Content, **lines: str | list[str] | bool) -> str:
    found = card(content, **lines)
    return "none" if found is None else found.indicator.value


@pytest.mark.parametrize("problems", [[], ["muscle-cramp 5 days ago"], ["hypertension 5 days ago"]])
@pytest.mark.parametrize(("days", "expected"), [(89, "none"), (90, "info"), (91, "info")])
def test_review_is_due_after_ninety_days_with_or_without_a_symptom(
    content: Content, problems: list[str], days: int, expected: str
) -> None:
    assert weight(content, problems=problems, medicines=[f"quinine since {days} days ago"]) == expected


def test_a_new_repeat_prescription_does_not_make_it_a_new_course(content: Content) -> None:
    repeats = ["quinine since 10 days ago", "quinine since 120 days ago ended 30 days ago"]
    found = card(content, medicines=repeats)
    assert found is not None
    assert "since 2026-02-15" in found.summary
    assert [s.medicine for s in found.suggestions if isinstance(s, ReviewMedicine)] == ["MedicationStatement/m1"]


def test_a_gap_of_more_than_ninety_days_makes_it_a_new_course(content: Content) -> None:
    assert weight(
        content, medicines=["quinine since 10 days ago", "quinine since 200 days ago ended 101 days ago"]
    ) == ("none")


@pytest.mark.parametrize(
    "also",
    [
        {"medicines": [LONG, "digoxin"]},
        {"medicines": [LONG, "amiodarone"]},
        {"medicines": [LONG, "warfarin"]},
        {"medicines": [LONG, "apixaban"]},
        {"medicines": [LONG, "clarithromycin"]},
        {"medicines": [LONG], "problems": ["av-block 900 days ago"]},
        {"medicines": [LONG], "problems": ["av-block-second-degree 900 days ago"]},
        {"medicines": [LONG], "problems": ["av-block-complete 900 days ago"]},
        {"medicines": [LONG], "results": ["potassium 3.4 mmol/L [3.5-5.3] 90 days ago"]},
        {"medicines": [LONG], "results": ["magnesium 0.60 mmol/L [0.7-1.0] 90 days ago"]},
        {"medicines": [LONG], "results": ["calcium-adjusted 2.10 mmol/L [2.2-2.6] 90 days ago"]},
    ],
)
def test_an_interaction_heart_block_or_low_electrolyte_makes_it_a_warning(
    content: Content, also: dict[str, list[str]]
) -> None:
    found = card(content, **also)
    assert found is not None
    assert found.indicator.value == "warning"
    assert "1 recorded caution(s)" in found.summary


@pytest.mark.parametrize(
    "also",
    [
        {"medicines": [LONG, "digoxin ended 3 days ago"]},
        {"medicines": [LONG, "digoxin by name"]},
        {"medicines": [LONG, "salbutamol"]},
        {"medicines": [LONG], "problems": ["av-block resolved 900 days ago"]},
        {"medicines": [LONG], "problems": ["atrial-fibrillation 900 days ago"]},  # a caution of a new order (O3) only
        {"medicines": [LONG], "results": ["potassium 3.4 mmol/L [3.5-5.3] 91 days ago"]},
        {"medicines": [LONG], "results": ["potassium 6.0 mmol/L [3.5-5.3] 9 days ago"]},
        {"medicines": [LONG], "results": ["sodium 128 mmol/L [133-146] 9 days ago"]},
    ],
)
def test_anything_else_leaves_it_at_information(content: Content, also: dict[str, list[str]]) -> None:
    assert weight(content, **also) == "info"


def test_cautions_are_counted_once_however_often_they_are_recorded(content: Content) -> None:
    found = card(
        content,
        medicines=[LONG, "digoxin since 9 days ago", "digoxin since 40 days ago", "warfarin"],
        problems=["av-block 900 days ago", "av-block-complete 100 days ago"],
    )
    assert found is not None
    assert "3 recorded caution(s)" in found.summary
    assert found.detail.count("Digoxin") == 2


@pytest.mark.parametrize(
    "lines",
    [
        {"medicines": ["quinine since 200 days ago for malaria"]},
        {"medicines": [LONG], "problems": ["malaria 20 days ago"]},
        {"medicines": ["quinine since 200 days ago ended 3 days ago"]},
        {"medicines": ["quinine since 200 days ago by name"]},
        {"medicines": ["quinine since 200 days ago by brand"]},
        {"medicines": ["quinine"]},
        {"medicines": ["quinidine since 200 days ago"]},
        {"medicines": [LONG], "deceased": True},
        {"medicines": [LONG], "test_record": True},
        {"medicines": [LONG], "for_patient": True},
        {"medicines": [LONG], "person": "female 15"},
        {"medicines": [LONG], "person": "female of unknown age"},
        {"medicines": [LONG], "person": "female 15", "problems": ["muscle-cramp 5 days ago"]},
        {"medicines": [LONG], "problems": ["palliative-care 20 days ago"]},
        {"medicines": [LONG], "unreadable": ["problems"]},
    ],
)
def test_the_review_is_not_for_everyone(content: Content, lines: dict[str, str | list[str] | bool]) -> None:
    assert weight(content, **lines) == "none"


def test_malaria_in_the_past_does_not_excuse_the_quinine_of_today(content: Content) -> None:
    assert weight(content, medicines=[LONG], problems=["malaria resolved 900 days ago"]) == "info"


@pytest.mark.parametrize("beyond", [True, False])
@pytest.mark.parametrize("others", [[], ["digoxin"]])
def test_the_conditions_of_the_mhra_are_always_printed(content: Content, beyond: bool, others: list[str]) -> None:
    found = card(replace(content, beyond=beyond), medicines=[LONG, *others])
    assert found is not None
    for words in ("not for routine use", "very painful or frequent", "treatable causes", "non-drug", "4 weeks"):
        assert words in found.detail
    assert any("MHRA" in link.label for link in found.links)


def test_no_suggestion_creates_quinine_or_ends_it(content: Content) -> None:
    found = card(content, medicines=[LONG, "digoxin"])
    assert found is not None
    assert {type(s) for s in found.suggestions} == {ReviewMedicine}
    text = " ".join(f"{s.label} {s.note}" for s in found.suggestions).lower()
    assert not {"stop", "start", "prescribe", "end"} & set(text.split())


def test_a_quinine_record_without_a_date_is_a_line_beside_the_other_cards(content: Content) -> None:
    chart = chart_of(
        content.vocabulary,
        problems=["muscle-cramp 5 days ago"],
        medicines=["quinine"],
        results=["potassium 3.0 mmol/L [3.5-5.3] 3 days ago"],
    )
    cards = advise(chart, content).cards
    assert "Quinine is on record without a date" in "".join(c.detail for c in cards)


def test_the_year_alone_is_taken_at_its_earliest(content: Content) -> None:
    chart = chart_of(content.vocabulary, person="female 70", medicines=["quinine since 5 days ago"])
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    year = Days(first, last)
    chart = replace(chart, medicines=(msgspec.structs.replace(chart.medicines[0], start=year),))
    found = tuple(quinine.find(case_of(chart, content), quinine.TOPIC.sheet))
    assert [f.kind for f in found] == ["review"]
