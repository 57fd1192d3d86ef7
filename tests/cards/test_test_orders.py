"""Tests in hand (specification O20-O23, 3.8 no. 20)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cards.advise import advise
from cards.card import Advice, Card
from cards.content import Content
from cards.example_charts import chart_of
from cards.moment import Moment
from tests.cards.asked import dealt

Ask = Callable[..., Advice]

CRAMP = ["muscle-cramp 20 days ago"]
NERVES = "refer-clinical-neurophysiology"
SHOWN = {"test-appropriateness": "info"}


def only(advice: Advice) -> Card:
    (card,) = advice.cards
    assert dealt(advice) == SHOWN
    return card


@pytest.mark.parametrize(
    ("person", "result", "expected"),
    [
        ("female 50", "ck-total 120 U/L [25-200] 14 days ago", SHOWN),
        ("female 50", "ck-total 120 U/L [25-200] 15 days ago", {}),
        ("female 50", "ck-total 300 U/L [25-200] 5 days ago", SHOWN),
        ("female 50", "ck-total 301 U/L [25-200] 5 days ago", {}),
        ("male 50", "ck-total 480 U/L 5 days ago", SHOWN),
        ("male 50", "ck-total 481 U/L 5 days ago", {}),
        ("unknown 50", "ck-total 300 U/L 5 days ago", SHOWN),
        ("unknown 50", "ck-total 301 U/L 5 days ago", {}),  # over for a woman
        ("female 50", "ck-total <20 U/L [25-200] 5 days ago", SHOWN),
        ("female 50", "ck-total 120 U/L [25-200] 5 days ago preliminary", {}),
    ],
)
def test_a_usable_ck_of_the_last_two_weeks(ordered: Ask, person: str, result: str, expected: dict[str, str]) -> None:
    assert dealt(ordered(person=person, results=[result], drafts=["order-ck"])) == expected
    assert dealt(ordered(person=person, problems=CRAMP, results=[result], drafts=["order-ck"])) == expected


def test_the_summary_names_the_test(ordered: Ask) -> None:
    card = only(ordered(results=["ck-total 120 U/L [25-200] 5 days ago"], drafts=["order-ck"]))
    assert card.summary == "Creatine kinase (CK) drafted: see when it is likely to help in cramps or twitching"
    assert card.suggestions == ()


def test_an_older_normal_ck_behind_a_raised_one_does_not_count(ordered: Ask) -> None:
    results = ["ck-total 120 U/L [25-200] 9 days ago", "ck-total 900 U/L [25-200] 2 days ago"]
    assert ordered(results=results, drafts=["order-ck"]).cards == ()


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        ([], SHOWN),
        (["hypertension 900 days ago"], SHOWN),
        (["muscle-cramp 366 days ago"], SHOWN),  # no active symptom
        (["muscle-cramp 365 days ago"], {}),
        (["muscle-fasciculation undated"], {}),
        (["eyelid-twitch 20 days ago"], {}),
        (["muscle-weakness 20 days ago"], {}),
        (["muscle-wasting 20 days ago"], {}),
        (["muscle-rigidity 20 days ago"], {}),
    ],
)
def test_a_statin_user_without_a_muscle_symptom(ordered: Ask, problems: list[str], expected: dict[str, str]) -> None:
    statin = ["atorvastatin since 300 days ago"]
    assert dealt(ordered(problems=problems, medicines=statin, drafts=["order-ck"])) == expected


@pytest.mark.parametrize(
    "medicines",
    [[], ["atorvastatin ended 30 days ago"], ["atorvastatin by name"], ["furosemide since 30 days ago"]],
)
def test_without_a_statin_a_ck_is_not_questioned(ordered: Ask, medicines: list[str]) -> None:
    assert ordered(medicines=medicines, drafts=["order-ck"]).cards == ()


def test_a_drafted_statin_is_not_yet_taken(ordered: Ask) -> None:
    assert ordered(drafts=["order-ck", "atorvastatin as context"]).cards == ()


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("ck-total 900 U/L [25-200] 100 days ago", {}),  # P12 asks for its repeat
        ("ck-total 900 U/L [25-200] 181 days ago", SHOWN),
        ("ck-total 150 U/L [25-200] 100 days ago", SHOWN),
    ],
)
def test_a_raised_ck_in_a_statin_user_is_worth_its_repeat(ordered: Ask, result: str, expected: dict[str, str]) -> None:
    advice = ordered(results=[result], medicines=["atorvastatin since 300 days ago"], drafts=["order-ck"])
    assert dealt(advice) == expected


def test_no_muscle_symptom_is_not_said_of_problems_that_were_not_read(ordered: Ask) -> None:
    statin = ["atorvastatin since 300 days ago"]
    advice = ordered(medicines=statin, drafts=["order-ck"], unreadable=["problems"])
    assert dealt(advice) == {"data-quality": "info"}
    unread = ["problems/muscle-weakness: no status"]
    assert ordered(medicines=statin, drafts=["order-ck"], unread=unread).cards == ()


@pytest.mark.parametrize("draft", ["order-tft", "order-tsh"])
@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("tsh 2.1 mIU/L [0.4-4.5] 28 days ago", SHOWN),
        ("tsh 2.1 mIU/L [0.4-4.5] 29 days ago", {}),
        ("tsh 12.0 mIU/L [0.4-4.5] 3 days ago", SHOWN),
        ("tsh 2.1 mIU/L [0.4-4.5] 3 days ago preliminary", {}),
        ("free-t4 12.0 pmol/L [9-19] 3 days ago", {}),
    ],
)
def test_a_tsh_within_28_days(ordered: Ask, draft: str, result: str, expected: dict[str, str]) -> None:
    assert dealt(ordered(problems=CRAMP, results=[result], drafts=[draft])) == expected


def test_a_thyroid_test_is_questioned_beside_an_active_symptom_only(ordered: Ask) -> None:
    results = ["tsh 2.1 mIU/L [0.4-4.5] 3 days ago"]
    for problems in ([], ["muscle-cramp 366 days ago"], ["muscle-cramp resolved 9 days ago"]):
        assert ordered(problems=problems, results=results, drafts=["order-tft"]).cards == ()


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        (["muscle-fasciculation 20 days ago"], SHOWN),
        (CRAMP, SHOWN),
        (["muscle-fasciculation 20 days ago", "muscle-weakness 20 days ago"], {}),
        (["muscle-cramp severe 20 days ago"], {}),
        (["muscle-fasciculation 20 days ago", "motor-neurone-disease 900 days ago"], {}),
        ([], {}),
        (["muscle-weakness 20 days ago"], {}),
    ],
)
def test_nerve_tests_without_a_red_flag(ordered: Ask, problems: list[str], expected: dict[str, str]) -> None:
    assert dealt(ordered(problems=problems, drafts=[NERVES])) == expected


def test_an_older_weakness_is_named_beside_nerve_tests(ordered: Ask) -> None:
    """3.1: recorded over 365 days ago and still active, it is background: named in the detail, no red flag."""
    card = only(ordered(problems=[*CRAMP, "muscle-weakness 366 days ago"], drafts=[NERVES]))
    assert "Muscle weakness, 2025-06-14 (Condition/c2)" in card.detail


def test_nerve_tests_are_beyond_the_fact_sheet(content: Content) -> None:
    chart = chart_of(content.vocabulary, problems=CRAMP, drafts=[NERVES])
    assert len(advise(chart, content, Moment.ORDER).cards) == 1
    assert advise(chart, replace(content, beyond=False), Moment.ORDER).cards == ()


@pytest.mark.parametrize("order", ["order-ue", "order-bone-profile", "order-calcium", "order-magnesium", "order-hba1c"])
def test_a_draft_of_any_other_test_makes_no_card(ordered: Ask, order: str) -> None:
    results = ["potassium 2.9 mmol/L [3.5-5.3] 1 days ago", "magnesium 0.80 mmol/L [0.7-1.0] 1 days ago"]
    lines = {"problems": CRAMP, "results": results, "medicines": ["furosemide since 90 days ago"]}
    assert ordered(drafts=[order], **lines).cards == ()
    assert ordered(drafts=[order], unreadable=["results"], problems=CRAMP).cards == ()


def test_several_tests_make_one_card(ordered: Ask) -> None:
    results = ["ck-total 120 U/L [25-200] 5 days ago", "tsh 2.1 mIU/L [0.4-4.5] 3 days ago"]
    drafts = ["order-tsh", "order-ck", "order-ck", "order-tft", NERVES]
    card = only(ordered(problems=CRAMP, results=results, drafts=drafts))
    assert card.summary.startswith("Creatine kinase (CK) drafted")
    for words in ("TSH was measured a short time ago", "false positive", "ServiceRequest/d1", "ServiceRequest/d5"):
        assert words in card.detail
    assert card.detail.count("CK was measured within 2 weeks") == 1


def test_a_test_that_is_context_is_not_judged(ordered: Ask) -> None:
    results = ["ck-total 120 U/L [25-200] 5 days ago", "tsh 2.1 mIU/L [0.4-4.5] 3 days ago"]
    drafts = ["order-ck as context", "order-tft as context", f"{NERVES} as context"]
    assert ordered(problems=CRAMP, results=results, drafts=drafts).cards == ()


@pytest.mark.parametrize(
    ("draft", "area", "expected"),
    [
        ("order-ck", "results", {"data-quality": "info"}),
        ("order-ck", "medicines", {"data-quality": "info"}),
        ("order-ck", "orders", {}),
        ("order-tft", "results", {"data-quality": "info"}),
        ("order-tft", "medicines", {}),
        (NERVES, "problems", {"data-quality": "info"}),
        (NERVES, "results", {}),
    ],
)
def test_data_quality_speaks_where_the_failed_part_decides(
    ordered: Ask, draft: str, area: str, expected: dict[str, str]
) -> None:
    assert dealt(ordered(drafts=[draft], unreadable=[area])) == expected


def test_palliative_care_and_age_under_16_are_silent(ordered: Ask) -> None:
    lines = {"results": ["ck-total 120 U/L [25-200] 5 days ago"], "drafts": ["order-ck", NERVES]}
    assert ordered(problems=[*CRAMP, "palliative-care 9 days ago"], **lines).cards == ()
    assert ordered(person="male 15", problems=CRAMP, **lines).cards == ()
    assert len(ordered(person="male 16", problems=CRAMP, **lines).cards) == 1
