"""What could not be read is said, and is never read as normal or as missing (P19, 3.8 no. 3, 5, 13; HZ09, HZ10)."""

from collections.abc import Callable

import pytest

from cards.card import Advice
from tests.cards.asked import dealt

Ask = Callable[..., Advice]
CRAMP = ["muscle-cramp 5 days ago"]


def not_known(advice: Advice, topic: str) -> str:
    return next(card.detail for card in advice.cards if card.topic == topic).partition("**Not known**")[2]


@pytest.mark.parametrize("area", ["patient details", "problems", "results", "medicines", "orders"])
@pytest.mark.parametrize("state", ["unreadable", "incomplete"])
def test_a_search_that_is_needed_and_failed_or_was_cut_short_is_said(advised: Ask, area: str, state: str) -> None:
    advice = advised(problems=CRAMP, **{state: [area]})
    assert dealt(advice)["data-quality"] == "info"
    assert advice.cards[-1].topic == "data-quality"
    assert "absence of a card is not reassurance" in advice.cards[-1].summary
    assert area in advice.cards[-1].detail


@pytest.mark.parametrize("area", ["this encounter", "allergies", "procedures", "family history"])
def test_a_search_that_no_rule_needs_is_named_on_the_other_cards_alone(advised: Ask, area: str) -> None:
    advice = advised(problems=CRAMP, unreadable=[area])
    assert "data-quality" not in dealt(advice)
    assert all(area in not_known(advice, card.topic) for card in advice.cards)
    assert advice.cards


def test_without_the_problems_this_card_stands_alone_even_if_the_encounter_names_the_symptom(advised: Ask) -> None:
    results = ["potassium 2.4 mmol/L [3.5-5.3] 1 days ago"]
    assert set(dealt(advised(problems=CRAMP, results=results, unreadable=["problems"]))) == {"data-quality"}
    assert set(dealt(advised(results=results, unreadable=["problems"]))) == {"data-quality"}


def test_an_abnormal_value_of_a_search_cut_short_speaks_beside_this_card(advised: Ask) -> None:
    advice = advised(problems=CRAMP, results=["potassium 2.9 mmol/L [3.5-5.3] 1 days ago"], incomplete=["results"])
    assert dealt(advice)["biochemistry"] == "warning"
    assert "data-quality" in dealt(advice)
    assert "missing-tests" not in dealt(advice)


def test_without_a_birth_date_no_adult_rule_is_applied_and_the_card_says_so(advised: Ask) -> None:
    advice = advised(
        problems=CRAMP, person="female of unknown age", results=["potassium 2.4 mmol/L [3.5-5.3] 1 days ago"]
    )
    assert set(dealt(advice)) == {"data-quality"}
    assert "age could not be established" in not_known(advice, "data-quality")


def test_under_sixteen_a_failed_search_adds_nothing_to_the_one_card(advised: Ask) -> None:
    assert dealt(advised(problems=CRAMP, person="male 15", unreadable=["results"])) == {"out-of-scope": "info"}


def test_no_symptom_and_a_failed_search_for_results_is_silent(advised: Ask) -> None:
    advice = advised(problems=["hypertension 5 days ago"], unreadable=["results"])
    assert (advice.cards, advice.silent_because) == ((), "no-symptom")


@pytest.mark.parametrize(("unread", "named", "counted"), [(8, 8, ""), (9, 8, "1 further"), (30, 8, "22 further")])
def test_of_many_entries_that_could_not_be_used_eight_are_named_and_the_rest_counted(
    advised: Ask, unread: int, named: int, counted: str
) -> None:
    lines = [f"sodium: reason {number}" for number in range(unread)]
    results = ["potassium 2.9 mmol/L [3.5-5.3] 1 days ago"]
    said = not_known(advised(problems=CRAMP, results=results, unread=lines), "biochemistry")

    assert said.count("reason") == named
    assert ("further" in said) is bool(counted)
    assert counted in said
