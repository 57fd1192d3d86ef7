"""A neurology referral in hand (specification O16-O19, 3.8 no. 13, 20; HZ01, HZ20; vignette V20)."""

from collections.abc import Callable
from itertools import combinations

import pytest

from cards.card import LONGEST_SUMMARY, Advice, Card
from tests.cards.asked import DONE, SCREEN, dealt, suggested

Ask = Callable[..., Advice]

TWITCH = "muscle-fasciculation 20 days ago"
WEAK = "muscle-weakness 20 days ago"
NOT_ROUTINE = "Isolated fasciculation, no weakness recorded: referral not routine (NICE NG127); see checklist"


def only(advice: Advice) -> Card:
    (card,) = advice.cards
    assert (card.topic, card.indicator.value) == ("referral-quality", "info")
    return card


def test_v20_a_referral_for_isolated_fasciculation(ordered: Ask) -> None:
    card = only(
        ordered(
            person="male born 1996-07-07",
            problems=["muscle-fasciculation 20 days ago"],
            results=["potassium 4.2 mmol/L [3.5-5.3] 14 days ago", "sodium 139 mmol/L [133-146] 14 days ago"],
            orders=["order-ck active 3 days ago"],
            drafts=["refer-neurology"],
        )
    )
    assert card.summary == NOT_ROUTINE
    assert suggested(card) == ["order-bone-profile", "order-tsh"]
    for words in ("wasting", "very florid or widespread", "severe cramp", "NICE NG127 does not routinely refer"):
        assert words in card.detail


@pytest.mark.parametrize("draft", ["refer-neurology", "refer-neurology-private"])
@pytest.mark.parametrize("problem", ["muscle-fasciculation 365 days ago", "cramp-fasciculation-syndrome undated"])
def test_any_fasciculation_without_a_red_flag_is_not_routinely_referred(ordered: Ask, draft: str, problem: str) -> None:
    card = only(ordered(problems=[problem], results=DONE, drafts=[draft]))
    assert card.summary == NOT_ROUTINE
    assert card.suggestions == ()


@pytest.mark.parametrize(
    "problems",
    [
        [],
        ["muscle-cramp 20 days ago"],
        ["nocturnal-leg-cramp 20 days ago"],
        ["myokymia 20 days ago"],
        ["blepharospasm 20 days ago"],
        ["myotonia 20 days ago"],
        [TWITCH, "myotonia 20 days ago"],
        ["muscle-fasciculation 366 days ago"],
        ["muscle-fasciculation resolved 20 days ago"],
        [WEAK],
    ],
)
def test_without_fasciculation_it_is_silent(ordered: Ask, problems: list[str]) -> None:
    assert ordered(problems=problems, drafts=["refer-neurology"]).cards == ()


@pytest.mark.parametrize(
    "flag",
    [
        "muscle-weakness 365 days ago",
        "muscle-weakness undated",
        "muscle-wasting 5 days ago",
        "foot-drop 5 days ago",
        "dysarthria 5 days ago",
        "dysphagia 5 days ago",
        "muscle-rigidity 5 days ago",
        "muscle-cramp severe 5 days ago",
    ],
)
def test_with_a_red_flag_the_missing_tests_and_the_letter(ordered: Ask, flag: str) -> None:
    card = only(ordered(problems=[TWITCH, flag], drafts=["refer-neurology"]))
    assert card.summary == (
        "Neurology referral: consider adding U&E, calcium, TSH and CK and onset, progression, bulbar and breathing symptoms"
    )
    assert suggested(card) == list(SCREEN)
    for words in ("onset", "family history and medicines", "motor neurone disease by name if it is suspected"):
        assert words in card.detail
    assert "does not wait" in card.detail
    assert "not routine" not in card.detail


@pytest.mark.parametrize("missing", [names for n in range(1, 5) for names in combinations(SCREEN, n)])
def test_just_the_missing_tests_are_suggested(ordered: Ask, missing: tuple[str, ...]) -> None:
    results = [line for order, line in SCREEN.items() if order not in missing]
    flagged = only(ordered(problems=["muscle-cramp 9 days ago", WEAK], results=results, drafts=["refer-neurology"]))
    assert suggested(flagged) == list(missing)
    assert len(flagged.summary) <= LONGEST_SUMMARY
    isolated = only(ordered(problems=[TWITCH], results=results, drafts=["refer-neurology"]))
    assert suggested(isolated) == list(missing)


def test_with_a_red_flag_and_nothing_missing_it_is_silent(ordered: Ask) -> None:
    assert ordered(problems=[TWITCH, WEAK], results=DONE, drafts=["refer-neurology"]).cards == ()
    pending = ["order-ck active 30 days ago", "order-tft active 2 days ago"]
    assert ordered(problems=[TWITCH, WEAK], results=DONE[:2], orders=pending, drafts=["refer-neurology"]).cards == ()


def test_tests_in_the_basket_are_not_missing(ordered: Ask) -> None:
    drafts = ["refer-neurology", "order-ue as context", "order-bone-profile", "order-tft", "order-ck as context"]
    assert dealt(ordered(problems=[TWITCH, WEAK], drafts=drafts)) == {}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("refer-neurology active 180 days ago", {"referral-quality": "info"}),
        ("refer-neurology active 181 days ago", {}),
        ("refer-neurology-private active 10 days ago", {"referral-quality": "info"}),
        ("refer-neurology completed 10 days ago", {}),
        ("refer-neurology draft 10 days ago", {}),
        ("refer-neurology active", {}),  # undated
        ("refer-clinical-neurophysiology active 10 days ago", {}),
    ],
)
def test_a_referral_while_one_is_active_is_a_duplicate(ordered: Ask, order: str, expected: dict[str, str]) -> None:
    advice = ordered(problems=["muscle-cramp 20 days ago"], orders=[order], drafts=["refer-neurology"])
    assert dealt(advice) == expected


def test_two_drafts_are_no_duplicate_of_each_other_and_make_one_card(ordered: Ask) -> None:
    drafts = ["refer-neurology", "refer-neurology-private"]
    assert ordered(problems=["muscle-cramp 20 days ago"], drafts=drafts).cards == ()
    card = only(ordered(problems=[TWITCH], results=DONE, drafts=drafts))
    assert "ServiceRequest/d1" in card.detail
    assert "ServiceRequest/d2" in card.detail


def test_the_duplicate_comes_first_and_the_rest_is_added(ordered: Ask) -> None:
    order = ["refer-neurology active 40 days ago"]
    duplicate = "A neurology referral dated 2026-05-06 is already active: consider adding to it"
    isolated = only(ordered(problems=[TWITCH], orders=order, drafts=["refer-neurology"]))
    assert isolated.summary == duplicate
    assert "NICE NG127 does not routinely refer" in isolated.detail
    flagged = only(ordered(problems=[TWITCH, WEAK], orders=order, drafts=["refer-neurology"]))
    assert flagged.summary == duplicate
    assert suggested(flagged) == list(SCREEN)
    assert "Consider expediting that referral" in flagged.detail


@pytest.mark.parametrize(("days", "expediting"), [(39, True), (40, False), (41, False)])
def test_a_red_flag_after_the_referral_is_worth_expediting(ordered: Ask, days: int, *, expediting: bool) -> None:
    orders = ["refer-neurology active 40 days ago"]
    problems = [TWITCH, f"muscle-weakness {days} days ago"]
    card = only(ordered(problems=problems, orders=orders, drafts=["refer-neurology"]))
    assert ("expediting" in card.detail) is expediting


def test_a_duplicate_needs_an_active_symptom(ordered: Ask) -> None:
    orders = ["refer-neurology active 10 days ago"]
    assert ordered(problems=[WEAK], orders=orders, drafts=["refer-neurology"]).cards == ()


@pytest.mark.parametrize(
    "lines",
    [
        {"problems": [TWITCH, "muscle-weakness 366 days ago"]},
        {"problems": [TWITCH, "dysarthria 500 days ago"]},
        {"problems": [TWITCH], "unread": ["problems/muscle-weakness: no status"]},
        {"problems": [TWITCH], "incomplete": ["problems"]},
    ],
)
def test_no_weakness_recorded_is_said_only_where_it_is_true(ordered: Ask, lines: dict[str, list[str]]) -> None:
    card = only(ordered(drafts=["refer-neurology"], **lines))
    assert "no weakness recorded" not in f"{card.summary}{card.detail}".lower()
    assert "isolated" not in card.summary.lower()
    assert "power" in card.detail
    assert len(card.summary) <= LONGEST_SUMMARY


def test_resolved_weakness_is_named(ordered: Ask) -> None:
    card = only(ordered(problems=[TWITCH, "muscle-weakness resolved 90 days ago"], drafts=["refer-neurology"]))
    assert "on record as past" in card.detail


def test_breathlessness_beside_weakness_is_a_matter_for_the_telephone(ordered: Ask) -> None:
    problems = [TWITCH, WEAK, "orthopnoea 3 days ago"]
    card = only(ordered(problems=problems, drafts=["refer-neurology"]))
    assert "Breathlessness at rest or lying flat is on record" in card.detail
    assert "telephoning the same day" in card.detail


@pytest.mark.parametrize("disease", ["motor-neurone-disease", "myasthenia-gravis", "muscular-dystrophy"])
def test_known_neuromuscular_disease_gets_no_word_of_isolated_twitching(ordered: Ask, disease: str) -> None:
    problems = [TWITCH, f"{disease} 900 days ago"]
    assert ordered(problems=problems, drafts=["refer-neurology"]).cards == ()
    running = ordered(problems=problems, orders=["refer-neurology active 9 days ago"], drafts=["refer-neurology"])
    assert dealt(running) == {"referral-quality": "info"}


@pytest.mark.parametrize("area", ["results", "medicines", "orders"])
def test_what_could_not_be_read_is_not_called_missing(ordered: Ask, area: str) -> None:
    isolated = only(ordered(problems=[TWITCH], drafts=["refer-neurology"], unreadable=[area]))
    assert isolated.suggestions == ()
    assert f"Not checked or not complete: {area}" in isolated.detail
    flagged = ordered(problems=[TWITCH, WEAK], drafts=["refer-neurology"], unreadable=[area])
    assert dealt(flagged) == {"data-quality": "info"}


def test_unreadable_problems_leave_data_quality_alone(ordered: Ask) -> None:
    assert dealt(ordered(drafts=["refer-neurology"], unreadable=["problems"])) == {"data-quality": "info"}


def test_a_referral_as_context_or_to_others_is_not_judged(ordered: Ask) -> None:
    for draft in ("refer-neurology as context", "refer-physiotherapy"):
        assert ordered(problems=[TWITCH], drafts=[draft]).cards == (), draft


def test_palliative_care_and_age_under_16_are_silent(ordered: Ask) -> None:
    assert ordered(problems=[TWITCH, "palliative-care 9 days ago"], drafts=["refer-neurology"]).cards == ()
    assert ordered(person="male 15", problems=[TWITCH], drafts=["refer-neurology"]).cards == ()
    assert len(ordered(person="male 16", problems=[TWITCH], drafts=["refer-neurology"]).cards) == 1


def test_the_card_assumes_no_worry_and_promises_nothing(ordered: Ask) -> None:
    problems = [TWITCH, "health-anxiety 90 days ago", "medical-practitioner undated"]
    card = only(ordered(problems=problems, drafts=["refer-neurology"]))
    text = f"{card.summary}{card.detail}".lower()
    for word in ("anxi", "practitioner", "all clear"):
        assert word not in text


@pytest.mark.parametrize("potassium", ["6.8", "4.2", "3.1"])
@pytest.mark.parametrize("problems", [[TWITCH], [TWITCH, WEAK]])
def test_a_haemolysed_potassium_is_no_u_and_e_whatever_its_value(
    ordered: Ask, problems: list[str], potassium: str
) -> None:
    """3.7: U&E treated as missing. No other card of an order asks for the repeat, so this one does."""
    results = [f"potassium {potassium} mmol/L [3.5-5.3] 3 days ago haemolysed", *DONE[1:]]
    card = only(ordered(problems=problems, results=results, drafts=["refer-neurology"]))
    assert suggested(card) == ["order-ue"]
    assert "U&E" in card.detail
