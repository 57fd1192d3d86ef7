"""What could not be read is said, and is never read as normal or as missing (P19, 3.8 no. 3, 5, 13; HZ09, HZ10)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cards.advise import advise
from cards.card import Advice
from cards.content import Content
from cards.entries import Area, Unread
from cards.example_charts import ago, chart_of
from cards.when import When
from tests.cards.asked import dealt

Ask = Callable[..., Advice]
CRAMP = ["muscle-cramp 5 days ago"]


def unread(content: Content, entry: Unread, **lines: list[str]) -> Advice:
    """What is said of a record with this entry, and what the lines give."""
    return advise(replace(chart_of(content.vocabulary, **lines), unread=(entry,)), content)


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


@pytest.mark.parametrize("area", [Area.PROBLEMS, Area.RESULTS, Area.ENCOUNTER])
@pytest.mark.parametrize("about", ["muscle-cramp", "eyelid-twitch", "myotonia", "blepharospasm"])
@pytest.mark.parametrize("when", [None, ago(365)])
def test_an_entry_on_a_symptom_that_could_not_be_read_is_not_the_same_as_no_symptom(
    content: Content, area: Area, about: str, when: When | None
) -> None:
    """S17: an empty answer means that we looked, and there is nothing to say."""
    advice = unread(content, Unread(area, about, "its clinical status could not be understood", "Condition/c9", when))
    assert dealt(advice) == {"data-quality": "info"}
    (card,) = advice.cards
    assert card.summary == (
        "An entry that may record a twitch or cramp could not be read: absence of a card is not reassurance"
    )
    assert "its clinical status could not be understood (Condition/c9" in card.detail
    assert "no other rule was applied" in card.detail


@pytest.mark.parametrize(
    "entry",
    [
        Unread(Area.PROBLEMS, "muscle-cramp", "was entered in error", "Condition/c9", None, expected=True),
        Unread(Area.PROBLEMS, "muscle-cramp", "its clinical status could not be understood", "Condition/c9", ago(366)),
        Unread(Area.PROBLEMS, "hypertension", "its clinical status could not be understood", "Condition/c9", None),
        Unread(Area.RESULTS, "potassium", "the unit is missing", "Observation/o9", ago(1)),
    ],
)
def test_an_entry_left_out_by_rule_or_dormant_or_about_something_else_is_no_gap(
    content: Content, entry: Unread
) -> None:
    assert unread(content, entry).cards == ()


def test_beside_a_symptom_that_was_read_an_unread_one_is_named_and_no_card(content: Content) -> None:
    entry = Unread(Area.PROBLEMS, "muscle-cramp", "its clinical status could not be understood", "Condition/c9", None)
    advice = unread(content, entry, problems=CRAMP)
    assert "data-quality" not in dealt(advice)
    assert "its clinical status could not be understood" in not_known(advice, "symptom-advice")


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
