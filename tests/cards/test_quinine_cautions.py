"""Quinine drafted for cramps with what asks for care on record (specification O3, 3.8 no. 4, 6, 20-23; hazards HZ14, HZ16)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cards.advise import advise
from cards.card import Card
from cards.content import Content
from cards.entries import Dose
from cards.example_charts import chart_of
from cards.finding import RemoveDraft
from cards.moment import Moment
from tests.cards.asked import CRAMP, DONE, Ordering, part

PLAIN = "quinine 200 mg at night"
ORDERING = Ordering("quinine", PLAIN, {"results": DONE})
cards, card, weight = ORDERING.cards, ORDERING.card, ORDERING.weight


# O3: conditions

CAUTIONS = [
    "atrial-fibrillation",
    "av-block",
    "av-block-second-degree",
    "av-block-complete",
    "conduction-disorder",
    "sick-sinus-syndrome",
    "qt-prolongation",
    "heart-failure",
    "ischaemic-heart-disease",
    "angina",
    "g6pd-deficiency",
    "pregnancy",
    "hypokalaemia",
    "hyperkalaemia",
    "hypocalcaemia",
    "hypercalcaemia",
    "hypomagnesaemia",
    "hyponatraemia",
    "hypernatraemia",
]


def _is_one_caution(found: Card, title: str) -> None:
    assert found.indicator.value == "warning"
    assert "1 recorded caution(s)" in found.summary
    assert title in part(found, "Found")
    assert "O3" in found.rules
    assert not [s for s in found.suggestions if isinstance(s, RemoveDraft)]


@pytest.mark.parametrize("concept", CAUTIONS)
def test_each_condition_that_asks_for_care_is_a_warning(content: Content, concept: str) -> None:
    found = card(content, problems=[CRAMP, f"{concept} 4000 days ago"])
    _is_one_caution(found, content.vocabulary.title(concept))


@pytest.mark.parametrize("concept", CAUTIONS)
def test_a_resolved_condition_does_not_count(content: Content, concept: str) -> None:
    assert weight(content, problems=[CRAMP, f"{concept} resolved 40 days ago"]) == "info"


@pytest.mark.parametrize("concept", ["hypertension", "bradycardia", "diabetes-mellitus", "chronic-kidney-disease"])
def test_a_condition_that_the_row_does_not_name_is_no_caution(content: Content, concept: str) -> None:
    assert weight(content, problems=[CRAMP, f"{concept} 40 days ago"]) == "info"


# O3: electrolytes


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("potassium 3.4 mmol/L [3.5-5.3] 90 days ago", "warning"),
        ("potassium 3.5 mmol/L [3.5-5.3] 9 days ago", "info"),
        ("potassium 3.4 mmol/L [3.5-5.3] 91 days ago", "info"),
        ("potassium 5.4 mmol/L [3.5-5.3] 9 days ago", "info"),
        ("potassium 5.5 mmol/L [3.5-5.3] 9 days ago", "warning"),
        ("magnesium 0.69 mmol/L [0.7-1.0] 9 days ago", "warning"),
        ("magnesium 0.70 mmol/L [0.7-1.0] 9 days ago", "info"),
        ("calcium-adjusted 2.19 mmol/L [2.2-2.6] 9 days ago", "warning"),
        ("calcium-adjusted 2.20 mmol/L [2.2-2.6] 9 days ago", "info"),
        ("calcium-adjusted 2.61 mmol/L [2.2-2.6] 9 days ago", "warning"),
        ("sodium 132 mmol/L [133-146] 9 days ago", "warning"),
        ("sodium 133 mmol/L [133-146] 9 days ago", "info"),
        ("sodium 147 mmol/L [133-146] 9 days ago", "warning"),
        ("sodium 132 mmol/L [133-146] 9 days ago preliminary", "info"),
        ("tsh 12.0 mIU/L [0.4-4.5] 9 days ago", "info"),
    ],
)
def test_a_recent_electrolyte_outside_its_range_asks_for_care(content: Content, result: str, expected: str) -> None:
    assert weight(content, results=[result]) == expected


def test_total_calcium_counts_once_adjusted_for_albumin(content: Content) -> None:
    low = ["calcium-total 2.10 mmol/L [2.2-2.6] 5 days ago", "albumin 40 g/L [35-50] 5 days ago"]
    assert weight(content, results=low) == "warning"


def test_a_low_total_calcium_without_albumin_and_a_preliminary_value_are_lines(content: Content) -> None:
    found = card(
        content,
        results=[
            "calcium-total 2.05 mmol/L [2.2-2.6] 5 days ago",
            "potassium 2.9 mmol/L [3.5-5.3] 1 days ago preliminary",
        ],
    )
    assert found.indicator.value == "info"
    assert "asking for adjusted calcium" in part(found, "Check")
    assert "preliminary" in part(found, "Found")


def test_a_disturbance_counts_once_whether_measured_or_recorded_as_a_problem(content: Content) -> None:
    found = card(
        content, problems=[CRAMP, "hypokalaemia 20 days ago"], results=["potassium 3.1 mmol/L [3.5-5.3] 20 days ago"]
    )
    assert "1 recorded caution(s)" in found.summary
    assert "Potassium 3.1" in part(found, "Found")
    assert "Hypokalaemia" in part(found, "Found")


# O3: medicines


def _interacting(content: Content) -> list[str]:
    classes = (
        "digoxin-interaction",
        "anticoagulant-any",
        "qt-prolonging",
        "quinine-interaction",
        "quinine-like",
        "glucose-lowering-any",
        "cyp3a4-inhibitor-potent",
        "amantadine",
    )
    return sorted(frozenset[str]().union(*(content.vocabulary.ingredients_of(name) for name in classes)))


def test_the_medicines_of_the_row_are_in_the_tables(content: Content) -> None:
    named = {"digoxin", "warfarin", "apixaban", "amiodarone", "sotalol", "carbamazepine", "phenobarbital", "insulin"}
    assert named | {"gliclazide", "clarithromycin", "itraconazole", "amantadine", "quinidine"} <= set(
        _interacting(content)
    )


def test_each_interacting_medicine_is_a_warning_taken_drafted_or_known_by_name(content: Content) -> None:
    for name in _interacting(content):
        title = content.vocabulary.title(name)
        _is_one_caution(card(content, medicines=[name]), title)
        _is_one_caution(card(content, drafts=[PLAIN, f"{name} as context"]), title)
        _is_one_caution(card(content, drafts=[PLAIN, name]), title)
        by_name = card(content, medicines=[f"{name} by name"])
        _is_one_caution(by_name, title)
        assert "matched by name" in part(by_name, "Found")
        assert "by its name or brand only" in part(by_name, "Check")


@pytest.mark.parametrize(
    "medicine", ["digoxin ended 3 days ago", "bisoprolol", "furosemide", "simvastatin", "salmeterol"]
)
def test_a_medicine_that_has_ended_or_does_not_interact_is_no_caution(content: Content, medicine: str) -> None:
    assert weight(content, medicines=[medicine]) == "info"


@pytest.mark.parametrize(
    ("medicine", "said"),
    [
        ("digoxin", "raises digoxin"),
        ("warfarin", "enhance anticoagulants"),
        ("amiodarone", "to be avoided"),
        ("sotalol", "both prolong the QT interval"),
        ("carbamazepine", "raises the level of carbamazepine and phenobarbital"),
        ("phenobarbital", "raises the level of carbamazepine and phenobarbital"),
        ("metformin", "glucose-lowering"),
        ("insulin", "glucose-lowering"),
        ("itraconazole", "CYP3A4"),
        ("amantadine", "With amantadine"),
        ("quinidine", "Check quinidine against the product information"),
    ],
)
def test_the_card_says_what_the_interaction_is(content: Content, medicine: str, said: str) -> None:
    assert said in card(content, medicines=[medicine]).detail


@pytest.mark.parametrize(
    ("medicine", "not_said"),
    [("amiodarone", "both prolong the QT"), ("carbamazepine", "against the product information")],
)
def test_a_medicine_with_a_sentence_of_its_own_is_not_named_with_its_class(
    content: Content, medicine: str, not_said: str
) -> None:
    assert not_said not in card(content, medicines=[medicine]).detail


def test_reasons_are_counted_once_however_often_they_are_recorded(content: Content) -> None:
    found = card(
        content,
        problems=[
            CRAMP,
            "av-block 9 days ago",
            "conduction-disorder 9 days ago",
            "angina 9 days ago",
            "heart-failure 9 days ago",
        ],
        medicines=["digoxin since 9 days ago", "digoxin since 90 days ago", "clarithromycin"],
        drafts=["quinine 400 mg at night", "digoxin as context"],
    )
    # heart block, ischaemic heart disease, heart failure, digoxin, clarithromycin (QT and CYP3A4), dose
    assert "6 recorded caution(s)" in found.summary
    assert "AV block" in part(found, "Found")
    assert "Cardiac conduction disorder" in part(found, "Found")
    assert part(found, "Found").count("Clarithromycin") == 1


# O3: dose and age


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ("quinine 200 mg at night", "info"),
        ("quinine 300 mg at night", "info"),
        ("quinine 300.5 mg at night", "warning"),
        ("quinine 301 mg at night", "warning"),
        ("quinine 300 mg daily", "info"),
        ("quinine 600 mg daily", "warning"),
    ],
)
def test_more_than_300_mg_a_night_asks_for_care(content: Content, draft: str, expected: str) -> None:
    found = card(content, drafts=[draft])
    assert found.indicator.value == expected
    assert ("Dose as drafted" in found.detail) is (expected == "warning")
    assert "dose as drafted is not known" not in found.detail


@pytest.mark.parametrize("draft", ["quinine", "quinine of unknown dose"])
def test_a_dose_that_is_not_known_is_said_and_nothing_concluded(content: Content, draft: str) -> None:
    found = card(content, drafts=[draft])
    assert found.indicator.value == "info"
    assert "The dose as drafted is not known" in part(found, "Not known")
    assert ("given in words only" in found.detail) is (draft != "quinine")


def test_the_larger_of_two_doses_counts(content: Content) -> None:
    chart = chart_of(content.vocabulary, problems=[CRAMP], drafts=[PLAIN])
    dose = Dose(night=Decimal(200), daily=Decimal(800))
    chart = replace(chart, drafts=(replace(chart.drafts[0], dose=dose),))
    (found,) = advise(chart, content, Moment.ORDER).cards
    assert "800 mg, above 300 mg" in found.detail


@pytest.mark.parametrize(("born", "expected"), [("2010-06-16", "warning"), ("2010-06-15", "info")])
def test_under_sixteen_it_is_a_caution_of_its_own(content: Content, born: str, expected: str) -> None:
    assert weight(content, person=f"male born {born}") == expected


def test_under_sixteen_only_quinine_speaks_and_by_its_caution_alone(content: Content) -> None:
    shown = cards(
        content,
        person="male 12",
        problems=[CRAMP, "tinnitus 9 days ago", "muscle-weakness 9 days ago"],
        results=["potassium 2.0 mmol/L [3.5-5.3] 1 days ago"],
        allergies=["quinine"],
        drafts=[PLAIN, "diltiazem for muscle-cramp", "refer-neurology", "furosemide"],
    )
    assert [(c.topic, c.indicator.value) for c in shown] == [("quinine", "warning")]
    assert "3 recorded caution(s)" in shown[0].summary  # age, tinnitus, allergy
    assert "Age under 16" in shown[0].detail
    assert "Potassium 2.0" not in shown[0].detail  # no adult range for a child
    assert shown[0].suggestions == ()


def test_under_sixteen_nothing_speaks_of_other_orders(content: Content) -> None:
    assert cards(content, person="male 12", drafts=["diltiazem for muscle-cramp", "furosemide"]) == ()


def test_an_unknown_age_is_judged_and_named(content: Content) -> None:
    found = card(content, person="female of unknown age")
    assert found.indicator.value == "info"
    assert "The age could not be read" in part(found, "Not known")
