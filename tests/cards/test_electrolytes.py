"""The newest potassium, and what a haemolysed sample may not hide (specification 2.3, 3.8 no. 9, HZ08)."""

import pytest

from cards.advise import advise
from cards.chart import NotReadable, NotRecorded, Recorded
from cards.content import Content
from cards.electrolytes import latest
from cards.example_charts import chart_of
from cards.examples import case_of
from tests.cards.asked import DONE, SCREEN, card_of, dealt, part

CRAMP = ["muscle-cramp 5 days ago"]
REST = [line for order, line in SCREEN.items() if order != "order-ue"]


def values(content: Content, *results: str) -> list[str]:
    one = case_of(chart_of(content.vocabulary, problems=CRAMP, results=list(results)), content)
    match latest(one, "potassium"):
        case Recorded(found):
            return [str(r.value) for r in found]
        case NotRecorded() | NotReadable():
            return []


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["potassium 4.2 mmol/L 2 days ago haemolysed", "potassium 3.1 mmol/L 20 days ago"], ["3.1"]),
        (["potassium 4.2 mmol/L 2 days ago haemolysed", "potassium 6.8 mmol/L 5 days ago"], ["6.8"]),
        # within the range that was sent, though not within the usual one
        (["potassium 3.4 mmol/L [3.2-5.0] 2 days ago haemolysed", "potassium 3.1 mmol/L 20 days ago"], ["3.1"]),
        # abnormal, it counts: a low one is low all the more, a high one asks for its own repeat
        (["potassium 3.2 mmol/L 2 days ago haemolysed", "potassium 4.2 mmol/L 20 days ago"], ["3.2"]),
        (["potassium 6.8 mmol/L 2 days ago haemolysed", "potassium 4.2 mmol/L 20 days ago"], ["6.8"]),
        # nothing else to stand on
        (["potassium 4.2 mmol/L 2 days ago haemolysed"], ["4.2"]),
        (["potassium 4.2 mmol/L 2 days ago haemolysed", "potassium 3.1 mmol/L 9 days ago haemolysed"], ["4.2"]),
        (["potassium 4.2 mmol/L 2 days ago", "potassium 3.1 mmol/L 20 days ago"], ["4.2"]),
    ],
)
def test_a_haemolysed_potassium_within_its_limits_does_not_replace_a_clean_one(
    content: Content, results: list[str], expected: list[str]
) -> None:
    assert values(content, *results) == expected


def test_a_low_potassium_still_speaks_after_a_haemolysed_normal_one_and_both_are_shown(content: Content) -> None:
    results = [*REST, "potassium 3.1 mmol/L 20 days ago", "potassium 4.2 mmol/L 2 days ago haemolysed"]
    advice = advise(chart_of(content.vocabulary, problems=CRAMP, results=results), content)
    assert dealt(advice)["biochemistry"] == "warning"
    found = part(card_of(advice, "biochemistry"), "Found")
    assert "Potassium 3.1 mmol/L" in found
    assert "Potassium 4.2 mmol/L on 2026-06-13 (3.5-5.3 mmol/L, UK default range, none was sent, haemolysed" in found


def test_a_diuretic_beside_such_a_potassium_is_a_warning(content: Content) -> None:
    results = [*REST, "potassium 3.1 mmol/L 20 days ago", "potassium 4.2 mmol/L 2 days ago haemolysed"]
    chart = chart_of(content.vocabulary, problems=CRAMP, results=results, medicines=["indapamide since 200 days ago"])
    assert dealt(advise(chart, content))["medicines"] == "warning"


def test_a_haemolysed_normal_potassium_beside_a_clean_normal_one_says_nothing(content: Content) -> None:
    results = [*DONE, "potassium 4.4 mmol/L 2 days ago haemolysed"]
    advice = advise(chart_of(content.vocabulary, problems=CRAMP, results=results), content)
    assert dealt(advice) == {"symptom-advice": "info"}
