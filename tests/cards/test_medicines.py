"""Contributing medicines (specification P15, S9, 3.8 no. 2, 4, 17; hazards HZ12, HZ15)."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import pytest

from cards.advise import advise
from cards.card import Advice, Card
from cards.compose import LONGEST_SUMMARY, compose
from cards.content import Content
from cards.example_charts import chart_of
from cards.examples import case_of
from cards.finding import Finding, Indicator, ReviewMedicine
from cards.topics import medicines

Ask = Callable[..., Advice]

CRAMP = ["muscle-cramp 20 days ago"]


def card_of(content: Content, **lines: str | list[str] | bool) -> Card | None:
    """The topic's own card, whatever the deck would do with it."""
    case = case_of(chart_of(content.vocabulary, **lines), content)
    return compose(medicines.TOPIC, findings(content, **lines), case, content)


def findings(content: Content, **lines: str | list[str] | bool) -> tuple[Finding, ...]:
    case = case_of(chart_of(content.vocabulary, **lines), content)
    return tuple(medicines.find(case, medicines.TOPIC.sheet))


def indicator(content: Content, **lines: str | list[str] | bool) -> str:
    card = card_of(content, **lines)
    return "none" if card is None else card.indicator.value


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("muscle-cramp", "info"),
        ("nocturnal-leg-cramp", "info"),
        ("muscle-fasciculation", "info"),
        ("myokymia", "info"),
        ("eyelid-twitch", "info"),
        ("cramp-fasciculation-syndrome", "info"),
        ("myotonia", "none"),
        ("blepharospasm", "none"),
        ("hemifacial-spasm", "none"),
    ],
)
def test_medicines_speak_for_cramp_and_twitching_only(content: Content, problem: str, expected: str) -> None:
    assert indicator(content, problems=[f"{problem} 5 days ago"], medicines=["furosemide"]) == expected


def test_every_diuretic_opens_the_card(content: Content) -> None:
    for name in sorted(content.vocabulary.ingredients_of("diuretic")):
        assert indicator(content, problems=CRAMP, medicines=[name]) == "info", name


@pytest.mark.parametrize("name", ["salbutamol", "levothyroxine", "omeprazole", "caffeine", "finerenone", "warfarin"])
def test_a_medicine_of_no_contributing_class_opens_no_card(content: Content, name: str) -> None:
    assert indicator(content, problems=CRAMP, medicines=[name]) == "none"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("potassium 3.4 mmol/L [3.5-5.3]", "warning"),
        ("potassium 3.5 mmol/L [3.5-5.3]", "info"),
        ("potassium 5.9 mmol/L [3.5-5.3]", "info"),  # high is no business of this card
        ("sodium 132 mmol/L [133-146]", "warning"),  # low, though the band is only information
        ("sodium 133 mmol/L [133-146]", "info"),
        ("magnesium 0.69 mmol/L [0.7-1.0]", "warning"),
        ("calcium-adjusted 2.19 mmol/L [2.2-2.6]", "warning"),
        ("calcium-total 2.10 mmol/L [2.2-2.6]", "info"),  # without albumin of the day nothing is adjusted
        ("potassium 3.1 mmol/L [3.5-5.3] preliminary", "info"),
        ("potassium 3.1 mmol/L [3.5-5.3] haemolysed", "warning"),  # a low one still counts (HZ08)
        ("tsh 9.0 mIU/L [0.4-4.5]", "info"),
    ],
)
def test_a_diuretic_with_a_low_electrolyte_is_a_warning(content: Content, result: str, expected: str) -> None:
    value, _, words = result.partition("] ")
    line = f"{value}{']' if words else ''} 10 days ago {words}".strip()
    assert indicator(content, problems=CRAMP, medicines=["indapamide"], results=[line]) == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("potassium 3.1 mmol/L [3.5-5.3] 90 days ago", "warning"),
        ("potassium 3.1 mmol/L [3.5-5.3] 91 days ago", "info"),
        ("magnesium 0.60 mmol/L [0.7-1.0] 180 days ago", "warning"),
        ("magnesium 0.60 mmol/L [0.7-1.0] 181 days ago", "info"),
    ],
)
def test_low_counts_within_its_look_back(content: Content, result: str, expected: str) -> None:
    assert indicator(content, problems=CRAMP, medicines=["indapamide"], results=[result]) == expected


def test_a_low_value_that_was_repeated_and_is_normal_does_not_count(content: Content) -> None:
    repeated = ["potassium 3.1 mmol/L [3.5-5.3] 20 days ago", "potassium 4.0 mmol/L [3.5-5.3] 2 days ago"]
    assert indicator(content, problems=CRAMP, medicines=["indapamide"], results=repeated) == "info"


def test_low_calcium_is_seen_after_adjustment(content: Content) -> None:
    results = ["calcium-total 2.10 mmol/L [2.2-2.6] 5 days ago", "albumin 42 g/L [35-50] 5 days ago"]
    card = card_of(content, problems=CRAMP, medicines=["furosemide"], results=results)
    assert card is not None
    assert card.indicator is Indicator.WARNING
    assert "Adjusted calcium 2.06" in card.summary


def test_the_gravest_of_several_low_values_gives_the_summary(content: Content) -> None:
    results = ["sodium 131 mmol/L [133-146] 5 days ago", "potassium 3.1 mmol/L [3.5-5.3] 5 days ago"]
    card = card_of(content, problems=CRAMP, medicines=["furosemide"], results=results)
    assert card is not None
    assert "Potassium 3.1" in card.summary
    assert "Sodium 131" in card.detail


@pytest.mark.parametrize("name", ["methylphenidate", "salmeterol", "lisdexamfetamine"])
def test_only_a_diuretic_makes_a_warning_of_a_low_value(content: Content, name: str) -> None:
    results = ["potassium 3.1 mmol/L [3.5-5.3] 5 days ago"]
    assert indicator(content, problems=CRAMP, medicines=[name], results=results) == "info"


def test_dialysis_lowers_the_warning(content: Content) -> None:
    lines = {"medicines": ["furosemide"], "results": ["potassium 3.1 mmol/L [3.5-5.3] 5 days ago"]}
    assert indicator(content, problems=CRAMP, **lines) == "warning"
    assert indicator(content, problems=[*CRAMP, "dialysis 900 days ago"], **lines) == "info"


@pytest.mark.parametrize("how", ["name", "brand"])
def test_a_name_without_a_code_informs_and_does_nothing_else(content: Content, how: str) -> None:
    results = ["potassium 3.1 mmol/L [3.5-5.3] 5 days ago"]
    card = card_of(content, problems=CRAMP, medicines=[f"furosemide by {how}"], results=results)
    assert card is not None
    assert card.indicator is Indicator.INFO
    assert f"matched by {how}" in card.detail
    assert card.suggestions == ()


def test_a_code_beside_the_name_counts_as_a_code(content: Content) -> None:
    card = card_of(content, problems=CRAMP, medicines=["furosemide by name", "furosemide since 9 days ago"])
    assert card is not None
    assert [s.medicine for s in card.suggestions if isinstance(s, ReviewMedicine)] == ["MedicationStatement/m2"]


def test_repeat_prescriptions_of_one_medicine_are_one_review_of_the_newest(content: Content) -> None:
    repeats = [f"furosemide since {days} days ago" for days in (60, 4, 32)]
    card = card_of(content, problems=CRAMP, medicines=repeats)
    assert card is not None
    assert [s.medicine for s in card.suggestions if isinstance(s, ReviewMedicine)] == ["MedicationStatement/m2"]
    assert card.detail.count("since 2026-04-16") == 3  # the start of the course, not of the newest repeat


@pytest.mark.parametrize("line", ["indapamide ended", "indapamide since 90 days ago ended 2 days ago"])
def test_a_medicine_that_has_ended_is_never_named(content: Content, line: str) -> None:
    assert findings(content, problems=CRAMP, medicines=[line]) == ()


@pytest.mark.parametrize("problems", [["muscle-fasciculation 5 days ago"], ["myokymia 5 days ago"]])
def test_inhalers_and_statins_are_about_cramp(content: Content, problems: list[str]) -> None:
    assert findings(content, problems=problems, medicines=["salmeterol", "simvastatin"]) == ()


def test_a_statin_is_a_line_of_an_open_card_and_never_opens_one(content: Content) -> None:
    assert indicator(content, problems=CRAMP, medicines=["atorvastatin"]) == "none"
    card = card_of(content, problems=CRAMP, medicines=["atorvastatin", "furosemide"])
    assert card is not None
    assert "Atorvastatin is also on record" in card.detail
    assert "Atorvastatin" not in card.summary


def test_what_goes_beyond_the_fact_sheet_can_be_switched_off(content: Content) -> None:
    strict = replace(content, beyond=False)
    assert indicator(strict, problems=CRAMP, medicines=["salmeterol"]) == "none"
    assert indicator(strict, problems=CRAMP, medicines=["lisdexamfetamine"]) == "none"
    low = {"medicines": ["furosemide", "salmeterol"], "results": ["magnesium 0.60 mmol/L [0.7-1.0] 5 days ago"]}
    assert indicator(content, problems=CRAMP, **low) == "warning"
    card = card_of(strict, problems=CRAMP, **low)
    assert card is not None
    assert card.indicator is Indicator.INFO
    assert "salmeterol" not in f"{card.summary}{card.detail}".lower()
    assert "beyond the fact sheet" not in card.detail


def test_what_goes_beyond_the_fact_sheet_is_marked(content: Content) -> None:
    card = card_of(content, problems=CRAMP, medicines=["salmeterol"])
    assert card is not None
    assert "beyond the fact sheet" in card.suggestions[0].label
    assert "beyond the fact sheet" in card.detail


def test_the_diuretic_is_named_before_the_others(content: Content) -> None:
    card = card_of(content, problems=CRAMP, medicines=["methylphenidate", "xipamide"])
    assert card is not None
    assert card.summary.startswith("Xipamide and methylphenidate ")


def test_no_combination_of_contributors_makes_the_summary_too_long(content: Content) -> None:
    sheet = medicines.TOPIC.sheet
    longest = sorted(content.vocabulary.ingredients_of("diuretic"), key=lambda n: -len(content.vocabulary.title(n)))[:4]
    low = ["calcium-adjusted 1.95 mmol/L [2.2-2.6] 5 days ago", "potassium 3.1 mmol/L [3.5-5.3] 5 days ago"]
    for pair in combinations(longest, 2):
        lines = {"medicines": ["+".join(pair), *longest, "serdexmethylphenidate", "methylphenidate"], "results": low}
        for finding in findings(content, problems=CRAMP, **lines):
            summary = sheet.kinds[finding.kind].summary.format(**finding.fill)
            assert len(summary) <= LONGEST_SUMMARY, summary


def test_a_heart_failure_patient_is_never_asked_to_do_without(content: Content) -> None:
    card = card_of(content, problems=[*CRAMP, "heart-failure 900 days ago"], medicines=["bumetanide"])
    assert card is not None
    assert "the diuretic may be essential" in card.detail


def test_every_diuretic_card_carries_the_heart_failure_line(content: Content) -> None:
    card = card_of(content, problems=CRAMP, medicines=["bumetanide"])
    assert card is not None
    assert "In heart failure, consider the indication before any change" in card.detail


def test_methylphenidate_is_not_said_to_alter_electrolytes(content: Content) -> None:
    card = card_of(content, problems=CRAMP, medicines=["methylphenidate"])
    assert card is not None
    assert "may cause similar symptoms" in card.detail
    assert not {"electrolyte", "potassium", "sodium"} & set(card.detail.lower().split())


def test_the_card_of_v01_stands_beside_the_others(advised: Ask) -> None:
    advice = advised(
        problems=["nocturnal-leg-cramp 26 days ago"],
        results=["potassium 3.1 mEq/L [3.5-5.3] 14 days ago", "tsh 2.1 mIU/L [0.4-4.5] 154 days ago"],
        medicines=["indapamide since 224 days ago"],
    )
    found = {card.topic: card.indicator.value for card in advice.cards}
    assert found["medicines"] == "warning"
    assert found["biochemistry"] == "warning"


def test_medicines_that_could_not_be_read_are_not_called_absent(content: Content) -> None:
    chart = chart_of(content.vocabulary, problems=CRAMP, unreadable=["medicines"])
    assert "medicines" not in [card.topic for card in advise(chart, content).cards]


def test_a_summary_names_an_ingredient_once_though_it_is_in_two_products(content: Content) -> None:
    taken = ["amiloride+furosemide since 200 days ago", "furosemide since 200 days ago"]
    card = card_of(content, problems=CRAMP, medicines=taken)
    assert card is not None
    assert card.summary.startswith("Amiloride and furosemide may contribute")
