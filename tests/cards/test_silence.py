"""When to stay silent: S1 and S4 to S17 of the specification, one test each and more where a row has two halves.

S2 and S3 need a memory of the patient and are off by default (3.8 no. 27).
"""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from cards.advise import advise
from cards.card import Advice
from cards.content import Content
from cards.example_charts import chart_of
from cards.finding import Refer, RequestTest
from cards.moment import Moment
from tests.cards.asked import dealt

Ask = Callable[..., Advice]

NORMAL = [
    "potassium 4.2 mmol/L [3.5-5.3] 5 days ago",
    "sodium 139 mmol/L [133-146] 5 days ago",
    "calcium-adjusted 2.35 mmol/L [2.2-2.6] 5 days ago",
    "tsh 2.1 mIU/L [0.4-4.5] 5 days ago",
    "ck-total 90 U/L [25-200] 5 days ago",
]
ALARMING = [
    "potassium 2.2 mmol/L [3.5-5.3] 1 days ago",
    "sodium 119 mmol/L [133-146] 1 days ago",
    "calcium-adjusted 1.70 mmol/L [2.2-2.6] 1 days ago",
    "ck-total 9000 U/L [25-200] 1 days ago",
    "tsh 40 mIU/L [0.4-4.5] 1 days ago",
]


def asked_for(advice: Advice) -> set[str]:
    return {s.order for card in advice.cards for s in card.suggestions if isinstance(s, RequestTest | Refer)}


def text(advice: Advice) -> str:
    return "\n".join(f"{card.summary}\n{card.detail}" for card in advice.cards)


def test_s1_without_a_symptom_in_scope_nothing_is_said_whatever_the_results(advised: Ask) -> None:
    advice = advised(problems=["hypertension 4000 days ago"], results=ALARMING, medicines=["bendroflumethiazide"])
    assert advice.cards == ()
    assert advice.silent_because == "no-symptom"


def test_s4_an_active_referral_no_older_than_the_red_flag_silences_referral_and_reassurance(advised: Ask) -> None:
    advice = advised(
        problems=["muscle-fasciculation 20 days ago", "muscle-weakness 18 days ago"],
        orders=["refer-neurology active 18 days ago"],
        results=NORMAL,
    )
    assert dealt(advice) == {}


def test_s4_a_red_flag_after_the_referral_speaks(advised: Ask) -> None:
    advice = advised(
        problems=["muscle-fasciculation 20 days ago", "muscle-weakness 17 days ago"],
        orders=["refer-neurology active 18 days ago"],
        results=NORMAL,
    )
    assert dealt(advice) == {"referral-red-flag": "warning"}


@pytest.mark.parametrize("status", ["active", "draft"])
def test_s5_a_test_that_is_done_or_awaited_is_not_suggested(advised: Ask, status: str) -> None:
    advice = advised(
        problems=["muscle-cramp 20 days ago"],
        results=["potassium 4.2 mmol/L [3.5-5.3] 5 days ago"],
        orders=[f"order-ck {status} 30 days ago"],
    )
    assert dealt(advice)["missing-tests"] == "info"
    assert asked_for(advice) == {"order-bone-profile", "order-tsh"}


def test_s5_an_order_of_more_than_thirty_days_is_no_longer_awaited(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp 20 days ago"], orders=["order-ck active 31 days ago"])
    assert "order-ck" in asked_for(advice)


def test_s6_at_the_end_of_life_only_critical_cards_are_shown(advised: Ask) -> None:
    palliative = ["muscle-cramp 20 days ago", "palliative-care 60 days ago"]
    assert dealt(advised(problems=palliative, medicines=["furosemide"])) == {}
    assert dealt(advised(problems=palliative, results=ALARMING[:1])) == {"biochemistry": "critical"}


def test_s7_under_sixteen_there_is_one_out_of_scope_card(advised: Ask) -> None:
    lines = {"results": ALARMING, "medicines": ["furosemide"], "problems": ["muscle-cramp 20 days ago"]}
    assert dealt(advised(person="male born 2010-06-16", **lines)) == {"out-of-scope": "info"}
    assert "out-of-scope" not in dealt(advised(person="male born 2010-06-15", **lines))


def test_s8_a_known_neuromuscular_disease_has_one_card_and_no_benign_text(advised: Ask) -> None:
    advice = advised(
        problems=[
            "motor-neurone-disease 300 days ago",
            "muscle-fasciculation 20 days ago",
            "muscle-weakness 20 days ago",
        ]
    )
    assert dealt(advice) == {"known-neuromuscular": "info"}
    assert not re.search("(usually|always) benign", text(advice))
    assert not any(isinstance(s, Refer) for card in advice.cards for s in card.suggestions)


def test_s9_a_medicine_that_has_ended_is_not_named_as_a_contributor(advised: Ask) -> None:
    advice = advised(
        problems=["muscle-cramp 20 days ago"],
        results=NORMAL,
        medicines=["indapamide since 300 days ago ended 40 days ago", "methylphenidate ended"],
    )
    assert "medicines" not in dealt(advice)
    assert "Indapamide" not in text(advice)


@pytest.mark.parametrize("problem", ["blepharospasm", "hemifacial-spasm", "eyelid-twitch"])
def test_s10_an_isolated_facial_or_eyelid_problem_asks_for_no_blood_test(advised: Ask, problem: str) -> None:
    advice = advised(problems=[f"{problem} 20 days ago"])
    assert "missing-tests" not in dealt(advice)
    assert advice.cards
    assert not any(isinstance(s, RequestTest) for card in advice.cards for s in card.suggestions)


def test_s11_a_statin_and_a_normal_ck_give_no_card(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp 20 days ago"], results=NORMAL, medicines=["atorvastatin"])
    assert dealt(advice) == {"symptom-advice": "info"}


@pytest.mark.parametrize("mark", ["deceased", "test_record"])
def test_s12_a_deceased_or_invented_patient_gets_nothing(advised: Ask, mark: str) -> None:
    advice = advised(problems=["muscle-cramp 20 days ago"], results=ALARMING, **{mark: True})
    assert advice.cards == ()
    assert advice.silent_because == mark.replace("_", "-")


def test_s13_topics_of_the_record_are_not_repeated_when_something_is_ordered(content: Content) -> None:
    chart = chart_of(
        content.vocabulary, problems=["muscle-cramp 20 days ago"], orders=["order-potassium draft 0 days ago"]
    )
    advice = advise(chart, content, Moment.ORDER)
    shown = {topic.code for topic in content.topics if Moment.RECORD in topic.sheet.moments}
    assert shown
    assert not {card.topic for card in advice.cards} & (shown - {"quinine", "medicines", "diltiazem"})
    assert advise(chart, content, Moment.RECORD).cards


def test_s14_what_is_drafted_already_is_not_suggested_again(advised: Ask) -> None:
    lines = {"problems": ["muscle-cramp 20 days ago"], "results": ["potassium 3.1 mmol/L [3.5-5.3] 3 days ago"]}
    assert {"order-ue", "order-magnesium"} <= asked_for(advised(**lines))
    drafted = advised(orders=["order-ue draft 0 days ago", "order-magnesium draft 0 days ago"], **lines)
    assert not {"order-ue", "order-magnesium"} & asked_for(drafted)
    assert dealt(drafted)["biochemistry"] == "warning"


@pytest.mark.parametrize(("value", "expected"), [(200, False), (260, False), (300, False), (301, True)])
def test_s15_a_ck_up_to_one_and_a_half_times_the_limit_is_a_line_at_most(
    advised: Ask, value: int, expected: bool
) -> None:
    results = [*NORMAL[:4], f"ck-total {value} U/L [25-200] 5 days ago"]
    advice = advised(problems=["muscle-cramp 20 days ago"], results=results)
    assert ("ck" in dealt(advice)) is expected
    if 200 < value <= 300:
        assert str(value) in text(advice)


def test_s16_a_user_who_is_no_clinician_is_shown_nothing(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp 20 days ago"], results=ALARMING, for_patient=True)
    assert advice.cards == ()
    assert advice.silent_because == "not-clinician"


def test_s17_what_could_not_be_read_is_said_and_not_guessed(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp 20 days ago"], unreadable=["results"])
    assert dealt(advice) == {"symptom-advice": "info", "data-quality": "info"}
    assert advice.cards[-1].topic == "data-quality"


@pytest.mark.parametrize("area", ["results", "medicines", "orders"])
@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_s17_nothing_is_called_missing_that_may_only_be_unread(advised: Ask, area: str, how: str) -> None:
    advice = advised(problems=["muscle-cramp 20 days ago"], **{how: [area]})
    assert "missing-tests" not in dealt(advice)
    assert dealt(advice)["data-quality"] == "info"


@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_s17_without_the_problems_only_the_failure_is_said(advised: Ask, how: str) -> None:
    advice = advised(results=ALARMING, medicines=["furosemide", "quinine since 200 days ago"], **{how: ["problems"]})
    assert dealt(advice) == {"data-quality": "info"}


def test_s17_a_rule_that_fails_is_named_and_nothing_reassures(content: Content) -> None:
    def fails(*_: object) -> object:
        raise RuntimeError

    broken = tuple(replace(t, find=fails) if t.code == "thyroid" else t for t in content.topics)
    chart = chart_of(content.vocabulary, problems=["muscle-cramp 20 days ago"], results=NORMAL)
    before, after = advise(chart, content), advise(chart, replace(content, topics=broken))
    assert dealt(before) == {"symptom-advice": "info"}
    assert dealt(after) == {"data-quality": "info"}
    assert "thyroid" in text(after)


def test_silence_is_never_shown_as_all_clear(advised: Ask) -> None:
    for problems in (["muscle-cramp 20 days ago"], ["muscle-fasciculation 20 days ago"], ["myokymia 20 days ago"]):
        said = text(advised(problems=problems, results=NORMAL)).lower()
        assert said
        for words in ("all clear", "no problems found", "no abnormality", "nothing abnormal", "rule out", "ruled out"):
            assert words not in said
