"""Red flags, and what a neurology referral answers (specification P1-P6)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import msgspec
import pytest

from cards.advise import advise
from cards.card import Advice, Card
from cards.chart import Chart
from cards.content import Content
from cards.example_charts import chart_of
from cards.finding import Priority, Refer, RequestTest
from cards.red_flags import RED_FLAGS
from cards.when import Days, When
from terminology.vocabulary import Vocabulary
from tests.cards.asked import DONE, card_of, dealt, referrals

Ask = Callable[..., Advice]

FLAG, ADVICE, KNOWN = "referral-red-flag", "symptom-advice", "known-neuromuscular"
TWITCH = "muscle-fasciculation 40 days ago"


def card(advice: Advice, topic: str = FLAG) -> Card:
    return card_of(advice, topic)


def dated(first: date, last: date) -> When:
    return Days(first, last)


def test_every_concept_of_the_red_flags_is_known_to_the_terminology(vocabulary: Vocabulary) -> None:
    groups = (
        *RED_FLAGS.signs.values(),
        RED_FLAGS.breathing,
        RED_FLAGS.known,
        RED_FLAGS.neuropathy,
        RED_FLAGS.referrals,
    )
    for concept in (concept for group in groups for concept in group):
        assert vocabulary.title(concept)


# P1: weakness or wasting


@pytest.mark.parametrize("symptom", ["muscle-cramp", "nocturnal-leg-cramp", "muscle-fasciculation", "myokymia"])
@pytest.mark.parametrize("sign", ["muscle-weakness", "muscle-wasting", "foot-drop", "wrist-drop"])
def test_weakness_or_wasting_beside_any_twitch_or_cramp_is_a_reason_to_refer(
    advised: Ask, symptom: str, sign: str
) -> None:
    advice = advised(problems=[f"{symptom} 20 days ago", f"{sign} 10 days ago"], results=DONE)
    assert dealt(advice) == {FLAG: "warning"}
    assert card(advice).summary == (
        "Twitching or cramp with weakness or wasting recorded (2026-06-05): consider neurology referral"
    )
    assert [(r.order, r.priority) for r in referrals(advice)] == [("refer-neurology", Priority.ROUTINE)]


@pytest.mark.parametrize(("days", "flagged"), [(0, True), (365, True), (366, False)])
def test_weakness_counts_for_365_days_and_is_background_after_that(advised: Ask, days: int, flagged: bool) -> None:
    advice = advised(problems=[TWITCH, f"muscle-weakness {days} days ago"], results=DONE)
    assert dealt(advice) == ({FLAG: "warning"} if flagged else {ADVICE: "info"})


def test_weakness_without_a_date_counts(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness undated"], results=DONE)
    assert "weakness or wasting recorded (undated)" in card(advice).summary


def test_weakness_that_resolved_is_no_red_flag(advised: Ask) -> None:
    assert FLAG not in dealt(advised(problems=[TWITCH, "muscle-weakness resolved 5 days ago"]))


def test_fatigue_and_bells_palsy_are_not_weakness(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "fatigue-not-weakness 5 days ago", "bell-palsy-not-weakness 5 days ago"])
    assert FLAG not in dealt(advice)


def test_weakness_beside_nothing_but_facial_spasm_is_not_for_these_rules(advised: Ask) -> None:
    assert dealt(advised(problems=["blepharospasm 5 days ago", "muscle-weakness 5 days ago"])) == {
        "facial-spasm": "info"
    }


def test_the_date_of_a_red_flag_is_its_latest_sign_and_never_the_twitch(advised: Ask) -> None:
    advice = advised(
        problems=["muscle-fasciculation 1 days ago", "muscle-weakness 90 days ago", "muscle-wasting 30 days ago"]
    )
    assert "(2026-05-16)" in card(advice).summary


def test_missing_tests_are_proposed_beside_the_referral_that_does_not_wait_for_them(advised: Ask) -> None:
    advice = advised(problems=["myokymia 5 days ago", "muscle-weakness 5 days ago"], results=DONE[:2])
    orders = [s.order for s in card(advice).suggestions if isinstance(s, RequestTest)]
    assert orders == ["order-tsh", "order-ck"]
    assert "do not delay referral for tests" in card(advice).detail
    assert "think stroke or TIA" in card(advice).detail


def test_the_missing_tests_card_stands_beside_the_red_flag_and_no_test_is_proposed_twice(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 5 days ago"])
    assert dealt(advice) == {FLAG: "warning", "missing-tests": "info"}
    orders = [s.order for c in advice.cards for s in c.suggestions if isinstance(s, RequestTest)]
    assert sorted(orders) == ["order-bone-profile", "order-ck", "order-tsh", "order-ue"]


# P2: breathing


@pytest.mark.parametrize("breathing", ["orthopnoea", "breathlessness-at-rest"])
@pytest.mark.parametrize(("days", "weight"), [(365, "critical"), (366, "warning")])
def test_weakness_with_breathlessness_of_a_year_at_most_is_for_today(
    advised: Ask, breathing: str, days: int, weight: str
) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 20 days ago", f"{breathing} {days} days ago"])
    assert dealt(advice)[FLAG] == weight


def test_an_immediate_referral_is_telephoned_and_not_queued(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 20 days ago", "orthopnoea 2 days ago"])
    assert card(advice).suggestions == ()
    assert "telephoning the same day" in card(advice).detail
    assert referrals(advice) == []


def test_breathlessness_alone_is_no_red_flag(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "orthopnoea 2 days ago"], results=DONE)
    assert dealt(advice) == {ADVICE: "info"}
    assert "Orthopnoea" in card(advice, ADVICE).detail


@pytest.mark.parametrize("order", ["active 1 days ago", "active 30 days ago", "active 400 days ago", "active"])
def test_breathlessness_with_a_referral_of_whatever_date_asks_to_escalate_it(advised: Ask, order: str) -> None:
    advice = advised(
        problems=[TWITCH, "muscle-weakness 20 days ago", "orthopnoea 10 days ago"],
        orders=[f"refer-neurology {order}"],
    )
    assert dealt(advice)[FLAG] == "critical"
    assert "escalating the existing referral" in card(advice).detail
    assert card(advice).rules == ("P5a",)
    assert referrals(advice) == []


# P3: bulbar signs and rigidity


@pytest.mark.parametrize(
    ("symptom", "named"),
    [("muscle-fasciculation", "Fasciculation"), ("muscle-cramp", "Cramp"), ("myokymia", "Myokymia")],
)
@pytest.mark.parametrize(
    ("sign", "words"),
    [
        ("dysarthria", "speech or swallowing difficulty"),
        ("dysphagia", "speech or swallowing difficulty"),
        ("muscle-rigidity", "muscle rigidity"),
    ],
)
def test_a_bulbar_sign_or_rigidity_is_an_urgent_referral_told_as_it_is(
    advised: Ask, symptom: str, named: str, sign: str, words: str
) -> None:
    advice = advised(problems=[f"{symptom} 20 days ago", f"{sign} 365 days ago"], results=DONE)
    assert dealt(advice) == {FLAG: "warning"}
    assert card(advice).summary == f"{named} with {words} recorded (2025-06-15): consider urgent neurology referral"
    assert [r.priority for r in referrals(advice)] == [Priority.URGENT]


def test_a_bulbar_sign_of_over_a_year_is_background(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "dysarthria 366 days ago"], results=DONE)
    assert dealt(advice) == {ADVICE: "info"}
    assert "Speech or swallowing difficulty was recorded over 365 days ago" in card(advice, ADVICE).detail


def test_several_red_flags_make_one_card_and_one_referral_the_urgent_one(advised: Ask) -> None:
    advice = advised(
        problems=["muscle-cramp severe 20 days ago", TWITCH, "muscle-weakness 3 days ago", "dysphagia 4 days ago"]
    )
    assert card(advice).summary.startswith("Fasciculation with speech or swallowing difficulty")
    assert [r.priority for r in referrals(advice)] == [Priority.URGENT]
    for found in ("Muscle cramp", "Muscle fasciculation", "Muscle weakness", "Dysphagia"):
        assert card(advice).detail.count(f"- {found}, ") == 1


# P4: severe cramp


def test_a_severe_cramp_is_a_reason_to_seek_advice(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp severe 4 days ago"], results=DONE)
    assert dealt(advice) == {FLAG: "warning"}
    assert card(advice).summary.startswith("Severe cramp recorded (2026-06-11)")
    assert [r.label for r in referrals(advice)] == ["Neurology advice and guidance, or referral (draft)"]


def test_a_severe_fasciculation_is_not_a_severe_cramp(advised: Ask) -> None:
    assert FLAG not in dealt(advised(problems=["muscle-fasciculation severe 4 days ago"]))


# P5 and P6: the referral that is running


@pytest.mark.parametrize("order", ["refer-neurology", "refer-neurology-private"])
@pytest.mark.parametrize("sign", ["muscle-weakness", "dysarthria", "muscle-rigidity"])
def test_a_referral_of_the_same_day_answers_the_red_flag_in_silence(advised: Ask, order: str, sign: str) -> None:
    advice = advised(problems=[TWITCH, f"{sign} 30 days ago"], orders=[f"{order} active 30 days ago"], results=DONE)
    assert dealt(advice) == {}


def test_the_silent_answer_leaves_missing_tests_in_place(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 30 days ago"], orders=["refer-neurology active 30 days ago"])
    assert dealt(advice) == {"missing-tests": "info"}


@pytest.mark.parametrize(("days", "spoken"), [(180, False), (181, True)])
def test_a_referral_runs_for_180_days(advised: Ask, days: int, spoken: bool) -> None:
    advice = advised(
        problems=[TWITCH, "muscle-weakness 200 days ago"],
        orders=[f"refer-neurology active {days} days ago"],
        results=DONE,
    )
    assert (FLAG in dealt(advice)) is spoken
    if spoken:
        assert "over 180 days old" in card(advice).detail
        assert len(referrals(advice)) == 1


@pytest.mark.parametrize("status", ["completed", "draft", "other"])
def test_a_referral_that_is_not_active_answers_nothing(advised: Ask, status: str) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 60 days ago"], orders=[f"refer-neurology {status} 50 days ago"])
    assert dealt(advice)[FLAG] == "warning"


def test_a_referral_elsewhere_answers_nothing(advised: Ask) -> None:
    advice = advised(
        problems=[TWITCH, "muscle-weakness 60 days ago"], orders=["refer-physiotherapy active 50 days ago"]
    )
    assert dealt(advice)[FLAG] == "warning"
    assert len(referrals(advice)) == 1


def test_an_undated_referral_is_named_and_answers_nothing(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 60 days ago"], orders=["refer-neurology active"])
    assert dealt(advice)[FLAG] == "warning"
    assert "Referral to neurology, active, undated" in card(advice).detail


@pytest.mark.parametrize(
    ("sign", "word"),
    [
        ("muscle-weakness 10 days ago", "Weakness"),
        ("muscle-wasting 10 days ago", "Muscle wasting"),
        ("dysphagia 10 days ago", "Speech or swallowing difficulty"),
        ("muscle-rigidity 10 days ago", "Muscle rigidity"),
        ("muscle-cramp severe 10 days ago", "Severe cramp"),
    ],
)
def test_a_sign_after_the_referral_asks_to_expedite_it_and_creates_none(advised: Ask, sign: str, word: str) -> None:
    advice = advised(problems=[TWITCH, sign], orders=["refer-neurology active 11 days ago"])
    assert dealt(advice)[FLAG] == "warning"
    assert card(advice).summary == f"{word} recorded after the neurology referral of 2026-06-04: consider expediting it"
    assert card(advice).suggestions == ()


def test_a_new_sign_beside_one_that_the_referral_answers_is_the_one_that_is_named(advised: Ask) -> None:
    advice = advised(
        problems=[TWITCH, "dysphagia 50 days ago", "muscle-weakness 5 days ago"],
        orders=["refer-neurology active 40 days ago"],
    )
    assert card(advice).summary.startswith("Weakness recorded after the neurology referral")


def test_the_newest_of_two_referrals_answers(advised: Ask) -> None:
    advice = advised(
        problems=[TWITCH, "muscle-weakness 20 days ago"],
        orders=["refer-neurology active 100 days ago", "refer-neurology-private active 15 days ago"],
        results=DONE,
    )
    assert dealt(advice) == {}


def test_an_undated_sign_beside_a_referral_speaks_because_it_may_be_newer(advised: Ask) -> None:
    advice = advised(
        problems=[TWITCH, "muscle-weakness undated", "muscle-wasting 50 days ago"],
        orders=["refer-neurology active 40 days ago"],
    )
    assert dealt(advice)[FLAG] == "warning"
    assert card(advice).summary.startswith("Weakness recorded without an exact date")
    assert card(advice).suggestions == ()


def month_of_weakness(chart: Chart, first: date, last: date) -> Chart:
    problems = [
        msgspec.structs.replace(p, when=dated(first, last), onset=None) if "muscle-weakness" in p.concepts else p
        for p in chart.problems
    ]
    return replace(chart, problems=tuple(problems))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2026, 4, 1), date(2026, 4, 30), None),  # the whole month lies before the referral
        (date(2026, 5, 1), date(2026, 5, 31), "without an exact date"),  # the referral lies in it
        (date(2026, 6, 1), date(2026, 6, 30), "after the neurology referral"),
    ],
)
def test_a_month_is_held_against_the_day_of_the_referral_by_what_it_proves(
    content: Content, first: date, last: date, expected: str | None
) -> None:
    chart = chart_of(
        content.vocabulary,
        problems=[TWITCH, "muscle-weakness 36 days ago"],
        orders=["refer-neurology active 36 days ago"],  # 2026-05-10
        results=DONE,
    )
    advice = advise(month_of_weakness(chart, first, last), content)
    if expected is None:
        assert dealt(advice) == {}
    else:
        assert expected in card(advice).summary


@pytest.mark.parametrize("sign", ["muscle-weakness", "dysarthria", "muscle-rigidity"])
def test_red_flags_stand_where_a_site_hides_what_goes_beyond_the_fact_sheet(content: Content, sign: str) -> None:
    chart = chart_of(content.vocabulary, problems=[TWITCH, f"{sign} 5 days ago", "orthopnoea 5 days ago"])
    advice = advise(chart, replace(content, beyond=False))
    assert FLAG in dealt(advice)
    assert ADVICE not in dealt(advice)
    for name in ("Why it may matter", "Check", "Consider"):
        assert "- " in card(advice).detail.split(f"**{name}**")[1].split("**")[0]
    assert "NICE" not in card(advice).detail.split("**Basis**")[0]


# what could not be read


def test_unreadable_orders_leave_the_card_and_take_the_new_referral(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 30 days ago"], unreadable=["orders"])
    assert dealt(advice) == {FLAG: "warning", "data-quality": "info"}
    assert card(advice).suggestions == ()
    assert "orders could not be read" in card(advice).detail


@pytest.mark.parametrize("area", ["results", "medicines"])
def test_unreadable_results_or_medicines_take_the_tests_and_leave_the_referral(advised: Ask, area: str) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 30 days ago"], unreadable=[area])
    assert [type(s) for s in card(advice).suggestions] == [Refer]
