"""A statin in hand, and creatine kinase (specification O14, O15; S11, S14; 3.2 on limits and sex)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cards.advise import advise
from cards.card import Advice, Card
from cards.content import Content
from cards.example_charts import chart_of
from cards.moment import Moment
from tests.cards.asked import dealt, only, suggested

Ask = Callable[..., Advice]

CRAMP = ["muscle-cramp 20 days ago"]
MAN = "male 60"


def the_card(advice: Advice) -> Card:
    return only(advice, "statin-ck")


@pytest.mark.parametrize(
    ("person", "result", "expected"),
    [
        (MAN, "ck-total 1600 U/L [40-320] 30 days ago", {}),
        (MAN, "ck-total 1601 U/L [40-320] 30 days ago", {"statin-ck": "warning"}),
        (MAN, "ck-total 1601 U/L [40-320] 180 days ago", {"statin-ck": "warning"}),
        (MAN, "ck-total 1601 U/L [40-320] 181 days ago", {}),
        (MAN, "ck-total 1601 U/L 30 days ago", {"statin-ck": "warning"}),  # UK default for men: 320
        (MAN, "ck-total 1001 U/L 30 days ago", {}),
        ("female 60", "ck-total 1000 U/L 30 days ago", {}),
        ("female 60", "ck-total 1001 U/L 30 days ago", {"statin-ck": "warning"}),
        ("unknown 60", "ck-total 1600 U/L 30 days ago", {}),  # over for a woman, not for a man
        ("unknown 60", "ck-total 1601 U/L 30 days ago", {"statin-ck": "warning"}),
        (MAN, "ck-total 5000 U/L [40-1200] 3 days ago", {}),  # the limit sent wins: 4.2 times
        (MAN, "ck-total >5000 U/L [40-320] 3 days ago", {"statin-ck": "warning"}),
        (MAN, "ck-total 1601 U/L [40-320] 3 days ago preliminary", {}),
        (MAN, "ck-total 30.0 ukat/L [0.7-5.3] 3 days ago", {"statin-ck": "warning"}),
    ],
)
def test_a_ck_over_5_times_the_limit_is_a_warning(
    ordered: Ask, person: str, result: str, expected: dict[str, str]
) -> None:
    assert dealt(ordered(person=person, results=[result], drafts=["atorvastatin 20 mg daily"])) == expected


def test_the_summary_is_that_of_the_specification(ordered: Ask) -> None:
    results = ["ck-total 1920 U/L [40-320] 14 days ago"]
    card = the_card(ordered(person=MAN, results=results, drafts=["atorvastatin"]))
    assert card.summary == (
        "Statin drafted with CK 6 x upper limit (2026-06-01): consider repeat CK and advice before starting"
    )
    assert suggested(card) == ["order-ck"]
    assert "beyond the fact sheet" in card.detail
    assert "ancestry" in card.detail


def test_a_ck_just_over_5_times_does_not_read_as_5(ordered: Ask) -> None:
    assert (
        "CK 5.003 x"
        in the_card(
            ordered(person=MAN, results=["ck-total 1601 U/L [40-320] 9 days ago"], drafts=["atorvastatin"])
        ).summary
    )


def test_a_ck_that_was_repeated_and_is_normal_says_nothing(ordered: Ask) -> None:
    results = ["ck-total 4000 U/L [40-320] 30 days ago", "ck-total 120 U/L [40-320] 3 days ago"]
    assert ordered(person=MAN, problems=CRAMP, results=results, drafts=["atorvastatin"]).cards == ()


@pytest.mark.parametrize("line", ["order-ck active 30 days ago", "order-ck draft 2 days ago"])
def test_a_ck_that_is_ordered_is_not_suggested_again(ordered: Ask, line: str) -> None:
    high = ["ck-total 4000 U/L [40-320] 30 days ago"]
    assert suggested(the_card(ordered(person=MAN, results=high, orders=[line], drafts=["atorvastatin"]))) == []
    assert suggested(the_card(ordered(problems=CRAMP, orders=[line], drafts=["atorvastatin"]))) == []


def test_a_renewal_with_a_high_ck_does_not_speak_of_a_beginning(ordered: Ask) -> None:
    high = {"person": MAN, "results": ["ck-total 3500 U/L [40-320] 3 days ago"]}
    card = the_card(ordered(medicines=["simvastatin since 300 days ago"], drafts=["simvastatin"], **high))
    assert card.indicator.value == "warning"
    assert "starting" not in card.summary
    assert "taken already" in card.summary
    assert "the draft may renew it" in card.detail
    other = the_card(ordered(medicines=["atorvastatin ended 60 days ago"], drafts=["simvastatin"], **high))
    assert "before starting" in other.summary


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("muscle-cramp 365 days ago", {"statin-ck": "info"}),
        ("muscle-cramp 366 days ago", {}),
        ("muscle-fasciculation undated", {"statin-ck": "info"}),
        ("myotonia 9 days ago", {"statin-ck": "info"}),
        ("muscle-weakness 9 days ago", {"statin-ck": "info"}),
        ("muscle-cramp resolved 9 days ago", {}),
        ("blepharospasm 9 days ago", {}),  # S10: no blood test for a facial or eyelid problem
        ("eyelid-twitch 9 days ago", {}),
    ],
)
def test_muscle_symptoms_without_a_ck(ordered: Ask, problem: str, expected: dict[str, str]) -> None:
    assert dealt(ordered(problems=[problem], drafts=["rosuvastatin"])) == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("ck-total 120 U/L [25-200] 180 days ago", {}),  # S11
        ("ck-total 120 U/L [25-200] 181 days ago", {"statin-ck": "info"}),
        ("ck-total 600 U/L [25-200] 10 days ago", {}),  # measured, and not over 5 times
        ("ck-total 120 U/L [25-200] 10 days ago preliminary", {"statin-ck": "info"}),
    ],
)
def test_a_recent_usable_ck_answers_the_symptom(ordered: Ask, result: str, expected: dict[str, str]) -> None:
    assert dealt(ordered(problems=CRAMP, results=[result], drafts=["rosuvastatin"])) == expected


def test_without_a_ck_one_is_suggested(ordered: Ask) -> None:
    card = the_card(ordered(problems=CRAMP, drafts=["rosuvastatin"]))
    assert card.summary == "Statin drafted with unexplained muscle symptoms and no recent CK: consider CK first"
    assert suggested(card) == ["order-ck"]


@pytest.mark.parametrize("draft", ["order-ck", "order-ck as context"])
def test_with_the_ck_in_the_basket_it_is_the_same_card_without_suggestion(ordered: Ask, draft: str) -> None:
    card = the_card(ordered(problems=CRAMP, drafts=["rosuvastatin", draft]))
    assert card.indicator.value == "info"
    assert card.suggestions == ()


def test_a_ck_that_cannot_be_used_is_not_called_absent(ordered: Ask) -> None:
    card = the_card(ordered(problems=CRAMP, drafts=["rosuvastatin"], unread=["ck-total: no unit"]))
    assert "no recent CK" not in card.summary
    assert "no unit" in card.detail


def test_results_that_could_not_be_read_are_not_called_missing(ordered: Ask) -> None:
    advice = ordered(problems=CRAMP, drafts=["rosuvastatin"], unreadable=["results"])
    assert dealt(advice) == {"data-quality": "info"}
    problems = ordered(drafts=["rosuvastatin"], unreadable=["problems"])
    assert dealt(problems) == {"data-quality": "info"}
    assert ordered(drafts=["rosuvastatin"], unreadable=["medicines", "orders"]).cards == ()


def test_with_unreadable_orders_nothing_is_suggested(ordered: Ask) -> None:
    assert the_card(ordered(problems=CRAMP, drafts=["rosuvastatin"], unreadable=["orders"])).suggestions == ()


def test_every_statin_is_judged_and_no_other_medicine(content: Content, ordered: Ask) -> None:
    for name in sorted(content.vocabulary.ingredients_of("statin")):
        assert dealt(ordered(problems=CRAMP, drafts=[name])) == {"statin-ck": "info"}, name
    for name in ("ezetimibe", "levothyroxine", "omeprazole"):
        if content.vocabulary.classes_of(name):
            assert ordered(problems=CRAMP, drafts=[name]).cards == (), name


def test_only_a_selected_statin_that_a_code_names_is_judged(ordered: Ask) -> None:
    high = ["ck-total 4000 U/L [25-200] 3 days ago"]
    for draft in ("atorvastatin as context", "atorvastatin by name", "atorvastatin by brand"):
        assert ordered(problems=CRAMP, results=high, drafts=[draft]).cards == (), draft
        assert ordered(problems=CRAMP, drafts=[draft]).cards == (), draft


def test_two_statin_drafts_make_one_card(ordered: Ask) -> None:
    card = the_card(ordered(problems=CRAMP, drafts=["atorvastatin 20 mg daily", "atorvastatin 40 mg daily"]))
    assert "MedicationRequest/d1" in card.detail
    assert "MedicationRequest/d2" in card.detail


def test_it_is_all_beyond_the_fact_sheet(content: Content) -> None:
    strict = replace(content, beyond=False)
    high = {"results": ["ck-total 4000 U/L [25-200] 3 days ago"], "drafts": ["atorvastatin"]}
    for lines in (high, {"problems": CRAMP, "drafts": ["atorvastatin"]}):
        chart = chart_of(content.vocabulary, **lines)
        assert len(advise(chart, content, Moment.ORDER).cards) == 1
        assert advise(chart, strict, Moment.ORDER).cards == ()


def test_palliative_care_and_age_under_16_are_silent(ordered: Ask) -> None:
    high = {"results": ["ck-total 4000 U/L [25-200] 3 days ago"], "drafts": ["atorvastatin"]}
    assert ordered(problems=["palliative-care 9 days ago"], **high).cards == ()
    assert ordered(person="male 15", **high).cards == ()
    assert len(ordered(person="male 16", **high).cards) == 1
