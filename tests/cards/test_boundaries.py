"""The boundary table of the specification (3.7), line by line, through the whole of ``advise``.

What a reader of FHIR decides (a missing unit, a value sent as text) stands here as the unread entry it hands over; the
tests of the readers own the rest. The line on the dose of quinine is about a drafted order, which no record has.
"""

from collections.abc import Callable

import pytest

from cards.card import Advice
from cards.finding import RequestTest

Ask = Callable[..., Advice]

CRAMP = ["muscle-cramp 5 days ago"]
NONE = "none"


def indicator(advice: Advice, topic: str) -> str:
    """The weight of a topic's card, "none" if it has none."""
    return next((card.indicator.value for card in advice.cards if card.topic == topic), NONE)


def text(advice: Advice) -> str:
    return "\n".join(f"{card.summary}\n{card.detail}" for card in advice.cards)


def suggested(advice: Advice) -> set[str]:
    return {one.order for card in advice.cards for one in card.suggestions if isinstance(one, RequestTest)}


def line(result: str, expected: str, *, topic: str = "biochemistry", person: str = "female 50", **more: list[str]):
    return pytest.param(result, expected, topic, person, more, id=f"{result}, {person}, {more or ''}")


STATIN = ["atorvastatin since 300 days ago"]

BANDS = [
    # K 2.5 / 2.6 (today): critical / warning
    line("potassium 2.5 mmol/L [3.5-5.3] 0 days ago", "critical"),
    line("potassium 2.6 mmol/L [3.5-5.3] 0 days ago", "warning"),
    # K 3.4 / 3.5 (range 3.5-5.3): warning / none
    line("potassium 3.4 mmol/L [3.5-5.3] 0 days ago", "warning"),
    line("potassium 3.5 mmol/L [3.5-5.3] 0 days ago", NONE),
    # K 5.4 / 5.5 / 6.4 / 6.5: none / warning / warning / critical
    line("potassium 5.4 mmol/L [3.5-5.3] 0 days ago", NONE),
    line("potassium 5.5 mmol/L [3.5-5.3] 0 days ago", "warning"),
    line("potassium 6.4 mmol/L [3.5-5.3] 0 days ago", "warning"),
    line("potassium 6.5 mmol/L [3.5-5.3] 0 days ago", "critical"),
    # K 6.5 haemolysed, K 3.1 haemolysed: warning
    line("potassium 6.5 mmol/L [3.5-5.3] 0 days ago haemolysed", "warning"),
    line("potassium 3.1 mmol/L [3.5-5.3] 0 days ago haemolysed", "warning"),
    # K 2.4 aged 14 d / 15 d / 90 d / 91 d: critical / warning / warning / missing-tests warning
    line("potassium 2.4 mmol/L [3.5-5.3] 14 days ago", "critical"),
    line("potassium 2.4 mmol/L [3.5-5.3] 15 days ago", "warning"),
    line("potassium 2.4 mmol/L [3.5-5.3] 90 days ago", "warning"),
    line("potassium 2.4 mmol/L [3.5-5.3] 91 days ago", NONE),
    line("potassium 2.4 mmol/L [3.5-5.3] 91 days ago", "warning", topic="missing-tests"),
    # Na 124 / 125 / 129 / 130 / 133 (range from 133)
    line("sodium 124 mmol/L [133-146] 0 days ago", "critical"),
    line("sodium 125 mmol/L [133-146] 0 days ago", "warning"),
    line("sodium 129 mmol/L [133-146] 0 days ago", "warning"),
    line("sodium 130 mmol/L [133-146] 0 days ago", "info"),
    line("sodium 133 mmol/L [133-146] 0 days ago", NONE),
    # adjusted Ca 1.89 / 1.90 / 2.19 / 2.20
    line("calcium-adjusted 1.89 mmol/L [2.20-2.60] 0 days ago", "critical"),
    line("calcium-adjusted 1.90 mmol/L [2.20-2.60] 0 days ago", "warning"),
    line("calcium-adjusted 2.19 mmol/L [2.20-2.60] 0 days ago", "warning"),
    line("calcium-adjusted 2.20 mmol/L [2.20-2.60] 0 days ago", NONE),
    # Ca 7.6 / 7.7 / 7.5 mg/dL adjusted
    line("calcium-adjusted 7.6 mg/dL 0 days ago", "warning"),
    line("calcium-adjusted 7.7 mg/dL 0 days ago", "warning"),
    line("calcium-adjusted 7.5 mg/dL 0 days ago", "critical"),
    # Mg 0.40 / 0.41 / 0.69 / 0.70; 1.7 mg/dL = 0.70
    line("magnesium 0.40 mmol/L [0.70-1.00] 0 days ago", "critical"),
    line("magnesium 0.41 mmol/L [0.70-1.00] 0 days ago", "warning"),
    line("magnesium 0.69 mmol/L [0.70-1.00] 0 days ago", "warning"),
    line("magnesium 0.70 mmol/L [0.70-1.00] 0 days ago", NONE),
    line("magnesium 1.7 mg/dL 0 days ago", NONE),
    # Mg "<0.4" with its comparator: critical
    line("magnesium <0.4 mmol/L [0.70-1.00] 0 days ago", "critical"),
    # CK 300 / 301 (range to 200); 1600 / 1601 (range to 320)
    line("ck-total 300 U/L [25-200] 0 days ago", NONE, topic="ck"),
    line("ck-total 301 U/L [25-200] 0 days ago", "info", topic="ck"),
    line("ck-total 1600 U/L [40-320] 0 days ago", "info", topic="ck"),
    line("ck-total 1601 U/L [40-320] 0 days ago", "warning", topic="ck"),
    # CK 3200 with / without a statin (range to 320)
    line("ck-total 3200 U/L [40-320] 0 days ago", "critical", topic="ck", medicines=STATIN),
    line("ck-total 3200 U/L [40-320] 0 days ago", "warning", topic="ck"),
    # CK 4999 / 5000, no statin
    line("ck-total 4999 U/L [40-320] 0 days ago", "warning", topic="ck"),
    line("ck-total 5000 U/L [40-320] 0 days ago", "critical", topic="ck"),
    # CK ">5000" with its comparator: critical, never dropped
    line("ck-total >5000 U/L [40-320] 0 days ago", "critical", topic="ck"),
    # CK 315, no range: male / female / unknown
    line("ck-total 315 U/L 0 days ago", NONE, topic="ck", person="male 50"),
    line("ck-total 315 U/L 0 days ago", "info", topic="ck", person="female 50"),
    line("ck-total 315 U/L 0 days ago", NONE, topic="ck", person="unknown 50"),
    # CK 5.0 ukat/L (male, no range) = 300 U/L
    line("ck-total 5.0 ukat/L 0 days ago", NONE, topic="ck", person="male 50"),
]


@pytest.mark.parametrize(("result", "expected", "topic", "person", "more"), BANDS)
def test_a_result_at_a_boundary_is_judged_as_the_table_says(
    advised: Ask, result: str, expected: str, topic: str, person: str, more: dict[str, list[str]]
) -> None:
    advice = advised(problems=CRAMP, person=person, results=[result], **more)
    assert advice.errors == ()
    assert indicator(advice, topic) == expected


@pytest.mark.parametrize(
    ("sent", "printed"),
    [("7.6 mg/dL", "1.90 mmol/L"), ("7.7 mg/dL", "1.92 mmol/L"), ("7.5 mg/dL", "1.87 mmol/L")],
)
def test_calcium_in_mg_per_dl_is_printed_in_mmol_per_l(advised: Ask, sent: str, printed: str) -> None:
    advice = advised(problems=CRAMP, results=[f"calcium-adjusted {sent} 0 days ago"])
    assert printed in advice.cards[0].summary
    assert f"sent as {sent}" in advice.cards[0].detail


@pytest.mark.parametrize(("value", "expected"), [("9.99", "info"), ("10.0", "warning")])
def test_tsh_with_a_normal_free_t4_becomes_a_warning_at_ten(advised: Ask, value: str, expected: str) -> None:
    results = [f"tsh {value} mIU/L [0.4-4.5] 5 days ago", "free-t4 12 pmol/L [9-19] 5 days ago"]
    assert indicator(advised(problems=CRAMP, results=results), "thyroid") == expected


def test_a_haemolysed_normal_potassium_leaves_the_u_and_e_missing(advised: Ask) -> None:
    advice = advised(problems=CRAMP, results=["potassium 4.2 mmol/L [3.5-5.3] 0 days ago haemolysed"])
    assert indicator(advice, "biochemistry") == NONE
    assert "order-ue" in suggested(advice)
    assert "No usable recent U&E" in text(advice)


def test_a_total_calcium_is_adjusted_for_the_albumin_of_the_same_day(advised: Ask) -> None:
    results = ["calcium-total 2.10 mmol/L [2.20-2.60] 3 days ago", "albumin 35 g/L [35-50] 3 days ago"]
    advice = advised(problems=CRAMP, results=results)
    assert indicator(advice, "biochemistry") == NONE
    assert "ask for adjusted calcium" not in text(advice)


def test_a_low_total_calcium_without_albumin_is_a_line_and_no_card(advised: Ask) -> None:
    advice = advised(problems=CRAMP, results=["calcium-total 2.10 mmol/L [2.20-2.60] 3 days ago"])
    assert indicator(advice, "biochemistry") == NONE
    assert "ask for adjusted calcium" in text(advice)


def test_a_ck_between_the_limits_of_men_and_women_is_a_line_when_the_sex_is_not_known(advised: Ask) -> None:
    advice = advised(problems=CRAMP, person="unknown 50", results=["ck-total 315 U/L 0 days ago"])
    assert indicator(advice, "ck") == NONE
    assert "CK 315 U/L" in text(advice)
    assert "cannot be placed" in text(advice)


@pytest.mark.parametrize(
    ("born", "expected"), [("2010-06-16", {"out-of-scope"}), ("2010-06-15", {"missing-tests", "symptom-advice"})]
)
def test_adult_rules_begin_on_the_sixteenth_birthday(advised: Ask, born: str, expected: set[str]) -> None:
    advice = advised(problems=CRAMP, person=f"male born {born}")
    assert {card.topic for card in advice.cards} == expected


@pytest.mark.parametrize(("days", "silent_because"), [(365, ""), (366, "no-symptom")])
def test_a_problem_counts_for_365_days(advised: Ask, days: int, silent_because: str) -> None:
    advice = advised(problems=[f"muscle-cramp {days} days ago"])
    assert advice.silent_because == silent_because
    assert bool(advice.cards) is (silent_because == "")


@pytest.mark.parametrize(("days", "expected"), [(365, "warning"), (366, NONE)])
def test_a_weakness_is_a_red_flag_for_365_days_and_background_after_that(
    advised: Ask, days: int, expected: str
) -> None:
    advice = advised(problems=[*CRAMP, f"muscle-weakness {days} days ago"])
    assert indicator(advice, "referral-red-flag") == expected
    assert "Muscle weakness" in text(advice)


@pytest.mark.parametrize(("days", "expected"), [(4, NONE), (5, "warning")])
def test_a_referral_of_the_same_day_as_the_weakness_answers_it_and_an_earlier_one_does_not(
    advised: Ask, days: int, expected: str
) -> None:
    advice = advised(
        problems=[*CRAMP, "muscle-weakness 4 days ago"], orders=[f"refer-neurology active {days} days ago"]
    )
    assert indicator(advice, "referral-red-flag") == expected
    assert indicator(advice, "symptom-advice") == NONE


@pytest.mark.parametrize(
    "why",
    [
        "the value has no unit",
        "the unit 'mmol' is not one that can be converted",
        "the unit 'mg%' is not one that can be converted",
        "the value was sent as text",
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_the_test_is_missing(advised: Ask, why: str) -> None:
    advice = advised(problems=CRAMP, unread=[f"potassium: {why}"])
    assert indicator(advice, "biochemistry") == NONE
    assert "order-ue" in suggested(advice)
    not_known = advice.cards[0].detail.partition("**Not known**")[2]
    assert "Potassium" in not_known
    assert why in not_known
