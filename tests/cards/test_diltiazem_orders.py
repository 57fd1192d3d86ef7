"""Diltiazem drafted for cramps (specification O5-O8, 3.8 no. 4, 6, 20-23; hazard HZ16)."""

from dataclasses import replace

import pytest

from cards.advise import advise
from cards.content import Content
from cards.entries import Area
from cards.example_charts import chart_of
from cards.moment import Moment
from tests.cards.asked import CRAMP, Lines, Ordering, part, removed

PLAIN = "diltiazem 60 mg daily"
FOR_CRAMP = "diltiazem 60 mg daily for muscle-cramp"
ORDERING = Ordering("diltiazem", PLAIN)
cards, card, weight = ORDERING.cards, ORDERING.card, ORDERING.weight


# whether it is for cramps (O5, O8)

CARDIAC = ["angina", "ischaemic-heart-disease", "hypertension", "atrial-fibrillation"]


@pytest.mark.parametrize("symptom", ["muscle-cramp", "nocturnal-leg-cramp", "cramp-fasciculation-syndrome"])
def test_it_is_judged_for_a_reason_of_cramp_or_beside_an_active_cramp(content: Content, symptom: str) -> None:
    assert weight(content, problems=[f"{symptom} 365 days ago"]) == "info"
    assert weight(content, problems=[], drafts=[f"{PLAIN} for {symptom}"]) == "info"


@pytest.mark.parametrize(
    "problems",
    [[], ["muscle-cramp 366 days ago"], ["muscle-cramp resolved 9 days ago"], ["muscle-fasciculation 9 days ago"]],
)
def test_without_a_recent_cramp_or_that_reason_it_is_not(content: Content, problems: list[str]) -> None:
    assert weight(content, problems=[*problems, "sick-sinus-syndrome 9 days ago"]) == "none"


@pytest.mark.parametrize("concept", CARDIAC)
def test_a_cardiac_problem_on_record_keeps_it_silent(content: Content, concept: str) -> None:
    around = [CRAMP, "sick-sinus-syndrome 9 days ago"]
    assert weight(content, problems=[*around, f"{concept} 5000 days ago"]) == "none"
    assert weight(content, problems=[*around, f"{concept} resolved 90 days ago"]) == "critical"


@pytest.mark.parametrize("concept", CARDIAC)
def test_a_cardiac_reason_keeps_it_silent(content: Content, concept: str) -> None:
    assert (
        weight(content, problems=[CRAMP, "sick-sinus-syndrome 9 days ago"], drafts=[f"{PLAIN} for {concept}"]) == "none"
    )


@pytest.mark.parametrize("concept", CARDIAC)
def test_the_reason_cramp_decides_over_a_cardiac_problem(content: Content, concept: str) -> None:
    assert weight(content, problems=[f"{concept} 5000 days ago"], drafts=[FOR_CRAMP]) == "info"


def test_each_draft_is_judged_by_its_own_reason(content: Content) -> None:
    found = card(content, problems=["breastfeeding 9 days ago"], drafts=[f"{PLAIN} for hypertension", FOR_CRAMP])
    assert removed(found) == ["MedicationRequest/d2"]


# O5

CONTRAINDICATIONS = ["sick-sinus-syndrome", "av-block-second-degree", "av-block-complete", "breastfeeding"]


@pytest.mark.parametrize("when", ["3 days ago", "9000 days ago", "undated"])
@pytest.mark.parametrize("concept", CONTRAINDICATIONS)
def test_each_contraindication_is_critical_at_any_age_of_the_record(content: Content, concept: str, when: str) -> None:
    found = card(content, problems=[CRAMP, f"{concept} {when}"])
    assert found.indicator.value == "critical"
    assert content.vocabulary.title(concept).lower() in found.summary.lower()
    assert removed(found) == ["MedicationRequest/d1"]
    assert found.rules[0] == "O5"


@pytest.mark.parametrize("concept", CONTRAINDICATIONS)
def test_a_resolved_contraindication_does_not_count(content: Content, concept: str) -> None:
    assert weight(content, problems=[CRAMP, f"{concept} resolved 30 days ago"]) == "info"


@pytest.mark.parametrize(
    "lines",
    [
        {"medicines": ["ivabradine"]},
        {"drafts": [PLAIN, "ivabradine"]},
        {"drafts": [PLAIN, "ivabradine as context"]},
    ],
)
def test_ivabradine_taken_or_drafted_is_critical(content: Content, lines: Lines) -> None:
    found = card(content, **lines)
    assert found.indicator.value == "critical"
    assert "(ivabradine)" in found.summary
    assert removed(found) == ["MedicationRequest/d1"]


@pytest.mark.parametrize("medicine", ["ivabradine by name", "ivabradine by brand"])
def test_ivabradine_known_by_name_is_a_warning_and_removes_nothing(content: Content, medicine: str) -> None:
    found = card(content, medicines=[medicine])
    assert found.indicator.value == "warning"
    assert removed(found) == []
    assert "matched by" in part(found, "Found")


def test_a_coded_contraindication_stays_critical_beside_one_known_by_name(content: Content) -> None:
    found = card(content, problems=[CRAMP, "breastfeeding 9 days ago"], medicines=["ivabradine by name"])
    assert found.indicator.value == "critical"


@pytest.mark.parametrize("concept", ["av-block", "conduction-disorder", "qt-prolongation", "tinnitus"])
def test_a_condition_that_the_rows_do_not_name_is_information(content: Content, concept: str) -> None:
    assert weight(content, problems=[CRAMP, f"{concept} 9 days ago"]) == "info"


@pytest.mark.parametrize("concept", ["sick-sinus-syndrome", "av-block-second-degree", "av-block-complete"])
def test_with_a_block_the_card_asks_for_a_pacemaker(content: Content, concept: str) -> None:
    assert "Is there a pacemaker?" in part(card(content, problems=[CRAMP, f"{concept} 9 days ago"]), "Check")
    assert "Is there a pacemaker?" not in card(content, problems=[CRAMP, "breastfeeding 9 days ago"]).detail


def test_the_recorded_cramp_that_alone_makes_it_diltiazem_for_cramp_is_named(content: Content) -> None:
    """6.2 no. 2: every input used is named."""
    named = "Muscle cramp, 2026-05-26 (Condition/c1)"
    assert named in part(card(content), "Found")
    assert named not in part(card(content, drafts=["diltiazem for muscle-cramp"]), "Found")


def test_all_contraindications_and_cautions_are_listed(content: Content) -> None:
    problems = [*(f"{c} 9 days ago" for c in CONTRAINDICATIONS), "heart-failure 9 days ago", "bradycardia 9 days ago"]
    found = card(
        content, problems=[CRAMP, *problems], medicines=["ivabradine", "bisoprolol", "simvastatin 80 mg at night"]
    )
    assert found.indicator.value == "critical"
    assert len(found.summary) <= 139
    listed = (*CONTRAINDICATIONS, "heart-failure", "bradycardia", "ivabradine", "bisoprolol", "simvastatin")
    for concept in listed:
        assert content.vocabulary.title(concept) in part(found, "Found")


# O6


def test_each_beta_blocker_is_a_warning_taken_drafted_or_known_by_name(content: Content) -> None:
    blockers = sorted(content.vocabulary.ingredients_of("beta-blocker"))
    assert {"sotalol", "bisoprolol", "propranolol"} <= set(blockers)
    for name in blockers:
        for lines in (
            {"medicines": [name]},
            {"medicines": [f"{name} by name"]},
            {"drafts": [PLAIN, f"{name} as context"]},
        ):
            found = card(content, **lines)
            assert found.indicator.value == "warning"
            assert f"with {name}" in found.summary
            assert "severe bradycardia" in found.detail
            assert removed(found) == []


@pytest.mark.parametrize("concept", ["heart-failure", "bradycardia"])
def test_heart_failure_and_bradycardia_are_a_warning(content: Content, concept: str) -> None:
    found = card(content, problems=[CRAMP, f"{concept} 4000 days ago"])
    assert found.indicator.value == "warning"
    assert concept.replace("-", " ") in found.summary
    assert removed(found) == []
    assert weight(content, problems=[CRAMP, f"{concept} resolved 40 days ago"]) == "info"


@pytest.mark.parametrize(
    ("simvastatin", "expected"),
    [
        ("simvastatin 10 mg at night", "info"),
        ("simvastatin 20 mg at night", "info"),
        ("simvastatin 20 mg daily", "info"),
        ("simvastatin 20.5 mg daily", "warning"),
        ("simvastatin 40 mg at night", "warning"),
        ("simvastatin 40 mg daily", "warning"),
        ("simvastatin 40 mg daily by name", "warning"),
        ("simvastatin of unknown dose, at least 40 mg", "warning"),
        ("simvastatin 40 mg daily ended 3 days ago", "info"),
        ("atorvastatin 80 mg daily", "info"),
    ],
)
def test_simvastatin_over_20_mg_a_day_is_a_warning(content: Content, simvastatin: str, expected: str) -> None:
    found = card(content, medicines=[simvastatin])
    assert found.indicator.value == expected
    assert ("3.6 times" in found.detail) is (expected == "warning")
    assert "dose of simvastatin could not be read" not in found.detail


def test_drafted_simvastatin_counts_like_one_that_is_taken(content: Content) -> None:
    assert weight(content, drafts=[PLAIN, "simvastatin 40 mg at night"]) == "warning"
    assert weight(content, drafts=[PLAIN, "simvastatin 40 mg at night as context"]) == "warning"
    assert weight(content, drafts=[PLAIN, "simvastatin 20 mg at night"]) == "info"


@pytest.mark.parametrize(
    "simvastatin", ["simvastatin", "simvastatin of unknown dose", "simvastatin of unknown dose, at least 20 mg"]
)
def test_simvastatin_of_unknown_dose_is_named_and_not_judged(content: Content, simvastatin: str) -> None:
    found = card(content, medicines=[simvastatin])
    assert found.indicator.value == "info"
    assert "check that it does not exceed 20 mg a day" in part(found, "Not known")
    assert "Simvastatin" in part(found, "Found")


# O7


def test_with_nothing_against_it_the_card_says_how_little_is_known(content: Content) -> None:
    found = card(content)
    assert found.indicator.value == "info"
    assert found.rules == ("O7",)
    assert found.suggestions == ()
    assert "off-label" in found.summary
    for words in ("one small trial", "level C", "heart rate under 50"):
        assert words in found.detail


@pytest.mark.parametrize(
    "lines",
    [{}, {"medicines": ["bisoprolol"]}, {"problems": [CRAMP, "breastfeeding 9 days ago"]}],
)
@pytest.mark.parametrize("beyond", [True, False])
def test_every_card_says_that_it_is_not_a_full_interaction_check(content: Content, lines: Lines, beyond: bool) -> None:
    found = card(replace(content, beyond=beyond), **lines)
    assert "not a full interaction check" in part(found, "Not known")
    assert "Dantrolene" in part(found, "Not known")
    assert "off-label" in found.detail


# how an order is read


@pytest.mark.parametrize("drafts", [[f"{PLAIN} as context"], [f"{FOR_CRAMP} as context", "order-ck"], ["verapamil"]])
def test_only_a_selected_diltiazem_is_judged(content: Content, drafts: list[str]) -> None:
    assert weight(content, drafts=drafts, medicines=["ivabradine"]) == "none"


def test_two_drafts_of_diltiazem_make_one_card_and_both_can_be_removed(content: Content) -> None:
    shown = cards(content, drafts=[PLAIN, FOR_CRAMP], medicines=["ivabradine"])
    assert [c.topic for c in shown] == ["diltiazem"]
    assert removed(shown[0]) == ["MedicationRequest/d1", "MedicationRequest/d2"]


def test_quinine_and_diltiazem_are_two_cards_the_graver_first(content: Content) -> None:
    shown = cards(content, drafts=["quinine 200 mg at night", PLAIN], problems=[CRAMP, "breastfeeding 9 days ago"])
    assert [(c.topic, c.indicator.value) for c in shown] == [("diltiazem", "critical"), ("quinine", "info")]


def test_a_renewal_is_called_one(content: Content) -> None:
    assert "the order renews it" in part(card(content, medicines=["diltiazem since 90 days ago"]), "Found")
    assert "renews" not in card(content).detail


@pytest.mark.parametrize("link", ["name", "brand"])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({}, "info"),
        ({"medicines": ["bisoprolol"]}, "warning"),
        ({"medicines": ["ivabradine"]}, "warning"),
        ({"problems": [CRAMP, "sick-sinus-syndrome 9 days ago"]}, "warning"),
    ],
)
def test_diltiazem_known_by_name_is_a_warning_at_most_and_is_not_removed(
    content: Content, lines: Lines, expected: str, link: str
) -> None:
    found = card(content, drafts=[f"{PLAIN} by {link}"], **lines)
    assert found.indicator.value == expected
    assert f"matched by {link}" in part(found, "Found")
    assert removed(found) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [({}, "none"), ({"medicines": ["bisoprolol"]}, "none"), ({"medicines": ["ivabradine"]}, "critical")],
)
def test_in_palliative_care_only_what_is_critical_is_shown(content: Content, lines: Lines, expected: str) -> None:
    assert weight(content, problems=[CRAMP, "palliative-care 20 days ago"], **lines) == expected


@pytest.mark.parametrize(
    "lines", [{"person": "male 15"}, {"deceased": True}, {"test_record": True}, {"for_patient": True}]
)
def test_it_is_silent_under_sixteen_for_the_dead_for_test_records_and_to_patients(
    content: Content, lines: Lines
) -> None:
    assert weight(content, medicines=["ivabradine"], **lines) == "none"


def test_an_unknown_age_is_judged(content: Content) -> None:
    assert weight(content, person="male of unknown age", medicines=["ivabradine"]) == "critical"


@pytest.mark.parametrize("area", ["problems", "results", "medicines", "allergies"])
@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_a_check_that_is_incomplete_says_so_and_names_what_was_not_available(
    content: Content, how: str, area: str
) -> None:
    found = card(content, drafts=[FOR_CRAMP], **{how: [area]})
    assert f"interactions is incomplete: not available in full were {area}." in part(found, "Not known")


def test_allergies_that_were_never_asked_for_are_named(content: Content) -> None:
    chart = chart_of(content.vocabulary, problems=[CRAMP], drafts=[PLAIN])
    chart = replace(chart, inputs={area: state for area, state in chart.inputs.items() if area is not Area.ALLERGIES})
    (found,) = advise(chart, content, Moment.ORDER).cards
    assert "not available in full were allergies" in found.detail
