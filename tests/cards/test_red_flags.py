"""Red flags, what a neurology referral answers, myotonia, facial spasm and known disease (specification P1-P8, P17)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from cards.advise import advise
from cards.card import Advice, Card
from cards.chart import Chart
from cards.content import Content
from cards.examples import chart_of
from cards.finding import Priority, Refer, RequestTest
from cards.red_flags import CONTENT
from cards.when import When
from terminology.vocabulary import Vocabulary

Ask = Callable[..., Advice]

FLAG, ADVICE, KNOWN = "referral-red-flag", "symptom-advice", "known-neuromuscular"
TWITCH = "muscle-fasciculation 40 days ago"
NORMAL = [
    "potassium 4.2 mmol/L [3.5-5.3] 5 days ago",
    "calcium-adjusted 2.35 mmol/L [2.2-2.6] 5 days ago",
    "tsh 2.1 mIU/L [0.4-4.5] 5 days ago",
    "ck-total 90 U/L [25-200] 5 days ago",
]


def topics(advice: Advice) -> dict[str, str]:
    return {card.topic: card.indicator.value for card in advice.cards}


def card(advice: Advice, topic: str = FLAG) -> Card:
    return next(card for card in advice.cards if card.topic == topic)


def referrals(advice: Advice) -> list[Refer]:
    return [s for card in advice.cards for s in card.suggestions if isinstance(s, Refer)]


def dated(first: date, last: date) -> When:
    return When(datetime.combine(first, time(), UTC), datetime.combine(last, time(23, 59), UTC), first, last)


def test_every_concept_of_the_red_flags_is_known_to_the_terminology(vocabulary: Vocabulary) -> None:
    groups = (*CONTENT.signs.values(), CONTENT.breathing, CONTENT.known, CONTENT.neuropathy, CONTENT.referrals)
    for concept in (concept for group in groups for concept in group):
        assert vocabulary.title(concept)


# P1: weakness or wasting


@pytest.mark.parametrize("symptom", ["muscle-cramp", "nocturnal-leg-cramp", "muscle-fasciculation", "myokymia"])
@pytest.mark.parametrize("sign", ["muscle-weakness", "muscle-wasting", "foot-drop", "wrist-drop"])
def test_weakness_or_wasting_beside_any_twitch_or_cramp_is_a_reason_to_refer(
    advised: Ask, symptom: str, sign: str
) -> None:
    advice = advised(problems=[f"{symptom} 20 days ago", f"{sign} 10 days ago"], results=NORMAL)
    assert topics(advice) == {FLAG: "warning"}
    assert card(advice).summary == (
        "Twitching or cramp with weakness or wasting recorded (2026-06-05): consider neurology referral"
    )
    assert [(r.order, r.priority) for r in referrals(advice)] == [("refer-neurology", Priority.ROUTINE)]


@pytest.mark.parametrize(("days", "flagged"), [(0, True), (365, True), (366, False)])
def test_weakness_counts_for_365_days_and_is_background_after_that(advised: Ask, days: int, flagged: bool) -> None:
    advice = advised(problems=[TWITCH, f"muscle-weakness {days} days ago"], results=NORMAL)
    assert topics(advice) == ({FLAG: "warning"} if flagged else {ADVICE: "info"})


def test_weakness_without_a_date_counts(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness undated"], results=NORMAL)
    assert "weakness or wasting recorded (undated)" in card(advice).summary


def test_weakness_that_resolved_is_no_red_flag(advised: Ask) -> None:
    assert FLAG not in topics(advised(problems=[TWITCH, "muscle-weakness resolved 5 days ago"]))


def test_fatigue_and_bells_palsy_are_not_weakness(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "fatigue-not-weakness 5 days ago", "bell-palsy-not-weakness 5 days ago"])
    assert FLAG not in topics(advice)


def test_weakness_beside_nothing_but_facial_spasm_is_not_for_these_rules(advised: Ask) -> None:
    assert topics(advised(problems=["blepharospasm 5 days ago", "muscle-weakness 5 days ago"])) == {
        "facial-spasm": "info"
    }


def test_the_date_of_a_red_flag_is_its_latest_sign_and_never_the_twitch(advised: Ask) -> None:
    advice = advised(
        problems=["muscle-fasciculation 1 days ago", "muscle-weakness 90 days ago", "muscle-wasting 30 days ago"]
    )
    assert "(2026-05-16)" in card(advice).summary


def test_missing_tests_are_proposed_beside_the_referral_that_does_not_wait_for_them(advised: Ask) -> None:
    advice = advised(problems=["myokymia 5 days ago", "muscle-weakness 5 days ago"], results=NORMAL[:2])
    orders = [s.order for s in card(advice).suggestions if isinstance(s, RequestTest)]
    assert orders == ["order-tsh", "order-ck"]
    assert "do not delay referral for tests" in card(advice).detail
    assert "think stroke or TIA" in card(advice).detail


def test_the_missing_tests_card_stands_beside_the_red_flag_and_no_test_is_proposed_twice(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 5 days ago"])
    assert topics(advice) == {FLAG: "warning", "missing-tests": "info"}
    orders = [s.order for c in advice.cards for s in c.suggestions if isinstance(s, RequestTest)]
    assert sorted(orders) == ["order-bone-profile", "order-ck", "order-tsh", "order-ue"]


# P2: breathing


@pytest.mark.parametrize("breathing", ["orthopnoea", "breathlessness-at-rest"])
@pytest.mark.parametrize(("days", "weight"), [(365, "critical"), (366, "warning")])
def test_weakness_with_breathlessness_of_a_year_at_most_is_for_today(
    advised: Ask, breathing: str, days: int, weight: str
) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 20 days ago", f"{breathing} {days} days ago"])
    assert topics(advice)[FLAG] == weight


def test_an_immediate_referral_is_telephoned_and_not_queued(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 20 days ago", "orthopnoea 2 days ago"])
    assert card(advice).suggestions == ()
    assert "telephoning the same day" in card(advice).detail
    assert referrals(advice) == []


def test_breathlessness_alone_is_no_red_flag(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "orthopnoea 2 days ago"], results=NORMAL)
    assert topics(advice) == {ADVICE: "info"}
    assert "Orthopnoea" in card(advice, ADVICE).detail


@pytest.mark.parametrize("order", ["active 1 days ago", "active 30 days ago", "active 400 days ago", "active"])
def test_breathlessness_with_a_referral_of_whatever_date_asks_to_escalate_it(advised: Ask, order: str) -> None:
    advice = advised(
        problems=[TWITCH, "muscle-weakness 20 days ago", "orthopnoea 10 days ago"],
        orders=[f"refer-neurology {order}"],
    )
    assert topics(advice)[FLAG] == "critical"
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
    advice = advised(problems=[f"{symptom} 20 days ago", f"{sign} 365 days ago"], results=NORMAL)
    assert topics(advice) == {FLAG: "warning"}
    assert card(advice).summary == f"{named} with {words} recorded (2025-06-15): consider urgent neurology referral"
    assert [r.priority for r in referrals(advice)] == [Priority.URGENT]


def test_a_bulbar_sign_of_over_a_year_is_background(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "dysarthria 366 days ago"], results=NORMAL)
    assert topics(advice) == {ADVICE: "info"}
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
    advice = advised(problems=["muscle-cramp severe 4 days ago"], results=NORMAL)
    assert topics(advice) == {FLAG: "warning"}
    assert card(advice).summary.startswith("Severe cramp recorded (2026-06-11)")
    assert [r.label for r in referrals(advice)] == ["Neurology advice and guidance, or referral (draft)"]


def test_a_severe_fasciculation_is_not_a_severe_cramp(advised: Ask) -> None:
    assert FLAG not in topics(advised(problems=["muscle-fasciculation severe 4 days ago"]))


# P5 and P6: the referral that is running


@pytest.mark.parametrize("order", ["refer-neurology", "refer-neurology-private"])
@pytest.mark.parametrize("sign", ["muscle-weakness", "dysarthria", "muscle-rigidity"])
def test_a_referral_of_the_same_day_answers_the_red_flag_in_silence(advised: Ask, order: str, sign: str) -> None:
    advice = advised(problems=[TWITCH, f"{sign} 30 days ago"], orders=[f"{order} active 30 days ago"], results=NORMAL)
    assert topics(advice) == {}


def test_the_silent_answer_leaves_missing_tests_in_place(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 30 days ago"], orders=["refer-neurology active 30 days ago"])
    assert topics(advice) == {"missing-tests": "info"}


@pytest.mark.parametrize(("days", "spoken"), [(180, False), (181, True)])
def test_a_referral_runs_for_180_days(advised: Ask, days: int, spoken: bool) -> None:
    advice = advised(
        problems=[TWITCH, "muscle-weakness 200 days ago"],
        orders=[f"refer-neurology active {days} days ago"],
        results=NORMAL,
    )
    assert (FLAG in topics(advice)) is spoken
    if spoken:
        assert "over 180 days old" in card(advice).detail
        assert len(referrals(advice)) == 1


@pytest.mark.parametrize("status", ["completed", "draft", "other"])
def test_a_referral_that_is_not_active_answers_nothing(advised: Ask, status: str) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 60 days ago"], orders=[f"refer-neurology {status} 50 days ago"])
    assert topics(advice)[FLAG] == "warning"


def test_a_referral_elsewhere_answers_nothing(advised: Ask) -> None:
    advice = advised(
        problems=[TWITCH, "muscle-weakness 60 days ago"], orders=["refer-physiotherapy active 50 days ago"]
    )
    assert topics(advice)[FLAG] == "warning"
    assert len(referrals(advice)) == 1


def test_an_undated_referral_is_named_and_answers_nothing(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 60 days ago"], orders=["refer-neurology active"])
    assert topics(advice)[FLAG] == "warning"
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
    assert topics(advice)[FLAG] == "warning"
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
        results=NORMAL,
    )
    assert topics(advice) == {}


def test_an_undated_sign_beside_a_referral_speaks_because_it_may_be_newer(advised: Ask) -> None:
    advice = advised(
        problems=[TWITCH, "muscle-weakness undated", "muscle-wasting 50 days ago"],
        orders=["refer-neurology active 40 days ago"],
    )
    assert topics(advice)[FLAG] == "warning"
    assert card(advice).summary.startswith("Weakness recorded without an exact date")
    assert card(advice).suggestions == ()


def month_of_weakness(chart: Chart, first: date, last: date) -> Chart:
    problems = [
        replace(p, when=dated(first, last), onset=None) if "muscle-weakness" in p.concepts else p
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
        results=NORMAL,
    )
    advice = advise(month_of_weakness(chart, first, last), content)
    if expected is None:
        assert topics(advice) == {}
    else:
        assert expected in card(advice).summary


@pytest.mark.parametrize("sign", ["muscle-weakness", "dysarthria", "muscle-rigidity"])
def test_red_flags_stand_where_a_site_hides_what_goes_beyond_the_fact_sheet(content: Content, sign: str) -> None:
    chart = chart_of(content.vocabulary, problems=[TWITCH, f"{sign} 5 days ago", "orthopnoea 5 days ago"])
    advice = advise(chart, replace(content, beyond=False))
    assert FLAG in topics(advice)
    assert ADVICE not in topics(advice)
    for name in ("Why it may matter", "Check", "Consider"):
        assert "- " in card(advice).detail.split(f"**{name}**")[1].split("**")[0]
    assert "NICE" not in card(advice).detail.split("**Basis**")[0]


# what could not be read


def test_unreadable_orders_leave_the_card_and_take_the_new_referral(advised: Ask) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 30 days ago"], unreadable=["orders"])
    assert topics(advice) == {FLAG: "warning", "data-quality": "info"}
    assert card(advice).suggestions == ()
    assert "orders could not be read" in card(advice).detail


@pytest.mark.parametrize("area", ["results", "medicines"])
def test_unreadable_results_or_medicines_take_the_tests_and_leave_the_referral(advised: Ask, area: str) -> None:
    advice = advised(problems=[TWITCH, "muscle-weakness 30 days ago"], unreadable=[area])
    assert [type(s) for s in card(advice).suggestions] == [Refer]


# P7: myotonia


def test_myotonia_is_a_warning_with_referral_ck_tsh_and_electrolytes(advised: Ask) -> None:
    advice = advised(problems=["myotonia 20 days ago", "muscle-cramp 20 days ago"], results=NORMAL[1:2])
    assert topics(advice)["myotonia"] == "warning"
    assert ADVICE not in topics(advice)
    orders = [s.order for s in card(advice, "myotonia").suggestions if isinstance(s, RequestTest | Refer)]
    assert orders == ["refer-neurology", "order-ck", "order-tsh", "order-ue"]


def test_myotonia_beside_a_running_referral_proposes_no_second_one(advised: Ask) -> None:
    advice = advised(problems=["myotonia 20 days ago"], orders=["refer-neurology active 10 days ago"], results=NORMAL)
    assert topics(advice) == {"myotonia": "warning"}
    assert card(advice, "myotonia").suggestions == ()


# P8: known disease


@pytest.mark.parametrize("disease", CONTENT.known)
def test_known_disease_of_any_age_has_its_own_card_and_withholds_the_rest(advised: Ask, disease: str) -> None:
    advice = advised(
        problems=[
            f"{disease} 9000 days ago",
            TWITCH,
            "muscle-cramp severe 3 days ago",
            "myotonia 20 days ago",
            "muscle-weakness 5 days ago",
            "dysarthria 5 days ago",
        ]
    )
    assert topics(advice) == {KNOWN: "info"}
    assert referrals(advice) == []


def test_known_disease_withholds_even_the_immediate_card_and_names_the_breathing(advised: Ask) -> None:
    advice = advised(
        problems=["motor-neurone-disease 300 days ago", TWITCH, "muscle-weakness 5 days ago", "orthopnoea 1 days ago"]
    )
    assert topics(advice) == {KNOWN: "info"}
    assert "telephoning the team the same day" in card(advice, KNOWN).detail


def test_a_critical_result_still_speaks_beside_known_disease(advised: Ask) -> None:
    advice = advised(
        problems=["motor-neurone-disease 300 days ago", TWITCH],
        results=["potassium 2.4 mmol/L [3.5-5.3] 1 days ago"],
    )
    assert topics(advice) == {"biochemistry": "critical", KNOWN: "info"}


@pytest.mark.parametrize(
    ("orders", "known"),
    [
        ([], False),
        (["refer-neurology draft 1 days ago"], False),
        (["refer-neurology other 1 days ago"], False),
        (["refer-physiotherapy active 1 days ago"], False),
        (["refer-neurology active 900 days ago"], True),
        (["refer-neurology-private completed"], True),
    ],
)
def test_neuropathy_is_known_disease_only_with_a_neurology_referral(
    advised: Ask, orders: list[str], known: bool
) -> None:
    advice = advised(problems=["peripheral-neuropathy 900 days ago", "muscle-cramp 20 days ago"], orders=orders)
    assert (KNOWN in topics(advice)) is known
    assert (ADVICE in topics(advice)) is not known


def test_nothing_is_said_on_treatment_in_known_disease(content: Content) -> None:
    sheet = next(topic.sheet for topic in content.topics if topic.code == KNOWN)
    said = " ".join(
        s.say for kind in sheet.kinds.values() for s in (*kind.why, *kind.check, *kind.consider, *kind.not_known)
    ).lower()
    for word in ("quinine", "stretch", "diltiazem", "vitamin", "caffeine", "magnesium", "medicine", "treat"):
        assert word not in said


# P17: facial spasm


def test_facial_spasm_proposes_a_referral_and_no_blood_test(advised: Ask) -> None:
    advice = advised(problems=["hemifacial-spasm 20 days ago"])
    assert topics(advice) == {"facial-spasm": "info"}
    assert [type(s) for s in card(advice, "facial-spasm").suggestions] == [Refer]


@pytest.mark.parametrize(
    "more",
    [
        {"orders": ["refer-neurology active 100 days ago"]},
        {"orders": ["refer-neurology draft 0 days ago"]},
        {"unreadable": ["orders"]},
    ],
)
def test_facial_spasm_proposes_no_second_referral(advised: Ask, more: dict[str, list[str]]) -> None:
    assert referrals(advised(problems=["blepharospasm 20 days ago"], **more)) == []


def test_facial_spasm_in_known_disease_proposes_no_referral(advised: Ask) -> None:
    advice = advised(problems=["blepharospasm 20 days ago", "myasthenia-gravis 2000 days ago"])
    assert topics(advice) == {"facial-spasm": "info", KNOWN: "info"}
    assert referrals(advice) == []
