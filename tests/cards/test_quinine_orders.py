"""Quinine drafted for cramps (specification O1-O4, 3.8 no. 4, 6, 20-23; hazards HZ13, HZ14, HZ16)."""

from dataclasses import replace

import pytest

from cards.advise import advise
from cards.content import Content
from cards.entries import Area
from cards.example_charts import chart_of
from cards.finding import RemoveDraft, RequestTest
from cards.moment import Moment
from tests.cards.asked import CRAMP, DONE, Lines, Ordering, part, suggested

PLAIN = "quinine 200 mg at night"
ORDERING = Ordering("quinine", PLAIN, {"results": DONE})
cards, card, weight = ORDERING.cards, ORDERING.card, ORDERING.weight


# O1


@pytest.mark.parametrize(
    "lines",
    [
        {"drafts": ["quinine 600 mg at night for malaria"]},
        {"problems": [CRAMP, "malaria 3 days ago"]},
        {"problems": [CRAMP, "malaria 3 days ago", "tinnitus 3 days ago"], "allergies": ["quinine"]},
        {"drafts": ["quinine 600 mg at night for malaria"], "person": "male 9"},
    ],
)
def test_quinine_for_malaria_is_none_of_our_business(content: Content, lines: Lines) -> None:
    assert weight(content, **lines) == "none"


def test_malaria_in_the_past_does_not_excuse_the_quinine_of_today(content: Content) -> None:
    assert weight(content, problems=[CRAMP, "malaria resolved 900 days ago"]) == "info"


def test_a_draft_for_malaria_is_left_out_beside_one_that_is_not(content: Content) -> None:
    found = card(content, drafts=["quinine 600 mg at night for malaria", PLAIN], problems=["tinnitus 9 days ago"])
    assert [s.draft for s in found.suggestions if isinstance(s, RemoveDraft)] == ["MedicationRequest/d2"]
    assert "600" not in found.detail


# O2

CONTRAINDICATIONS = ["tinnitus", "optic-neuritis", "haemoglobinuria", "haemolysis", "myasthenia-gravis"]


@pytest.mark.parametrize("when", ["3 days ago", "9000 days ago", "undated"])
@pytest.mark.parametrize("concept", CONTRAINDICATIONS)
def test_each_contraindication_is_critical_at_any_age_of_the_record(content: Content, concept: str, when: str) -> None:
    found = card(content, problems=[CRAMP, f"{concept} {when}"])
    assert found.indicator.value == "critical"
    assert content.vocabulary.title(concept).lower() in found.summary.lower()
    assert [type(s) for s in found.suggestions] == [RemoveDraft]
    assert found.rules[0] == "O2"


@pytest.mark.parametrize("concept", CONTRAINDICATIONS)
def test_a_resolved_contraindication_does_not_count(content: Content, concept: str) -> None:
    assert weight(content, problems=[CRAMP, f"{concept} resolved 30 days ago"]) == "info"


def test_an_allergy_to_quinine_is_critical_and_removes_the_draft(content: Content) -> None:
    found = card(content, allergies=["quinine"])
    assert found.indicator.value == "critical"
    assert "(allergy or intolerance)" in found.summary
    assert "AllergyIntolerance/a1" in part(found, "Found")
    assert [s.draft for s in found.suggestions if isinstance(s, RemoveDraft)] == ["MedicationRequest/d1"]


def test_an_allergy_to_something_else_is_not(content: Content) -> None:
    assert weight(content, allergies=["furosemide"]) == "info"


def test_all_contraindications_are_listed_and_those_that_fit_are_in_the_summary(content: Content) -> None:
    found = card(content, problems=[CRAMP, *(f"{c} 9 days ago" for c in CONTRAINDICATIONS)], allergies=["quinine"])
    assert len(found.summary) <= 139
    for concept in CONTRAINDICATIONS:
        assert content.vocabulary.title(concept) in part(found, "Found")
    assert "Allergy or intolerance: Quinine" in part(found, "Found")


def test_beside_a_contraindication_the_cautions_are_listed_too_and_no_test_is_suggested(content: Content) -> None:
    found = card(content, problems=[CRAMP, "tinnitus 9 days ago"], medicines=["digoxin", "warfarin"], results=[])
    assert found.indicator.value == "critical"
    assert "Digoxin" in part(found, "Found")
    assert "Warfarin" in part(found, "Found")
    assert {type(s) for s in found.suggestions} == {RemoveDraft}


# O4


def test_with_nothing_against_it_the_conditions_are_a_checklist(content: Content) -> None:
    found = card(content)
    assert found.indicator.value == "info"
    assert found.rules == ("O4",)
    assert found.suggestions == ()
    assert "stop at 4 weeks if no benefit" in found.summary
    for words in (
        "very painful or frequent",
        "regularly disturb sleep",
        "treatable causes",
        "every 3 months",
        "bisulfate",
    ):
        assert words in found.detail
    assert "still open" not in found.detail
    assert "No cramp recorded" not in found.detail


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ([], ["order-ue", "order-bone-profile", "order-tsh", "order-ck"]),
        (["order-ck"], ["order-ue", "order-bone-profile", "order-tsh"]),
        (["order-ue as context", "order-tsh as context"], ["order-bone-profile", "order-ck"]),
        (["order-cmp", "order-tft", "order-ck"], []),
    ],
)
def test_missing_tests_are_suggested_unless_in_the_basket(
    content: Content, extra: list[str], expected: list[str]
) -> None:
    found = card(content, results=[], drafts=[PLAIN, *extra])
    assert [s.order for s in found.suggestions if isinstance(s, RequestTest)] == expected


def test_missing_tests_are_suggested_on_a_warning_too(content: Content) -> None:
    found = card(content, results=DONE[:3], medicines=["digoxin"])
    assert [s.order for s in found.suggestions if isinstance(s, RequestTest)] == ["order-ck"]


def test_a_pending_test_is_not_suggested_again(content: Content) -> None:
    found = card(content, results=DONE[:3], orders=["order-ck active 9 days ago"])
    assert found.suggestions == ()


@pytest.mark.parametrize("area", ["results", "medicines", "orders"])
@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_what_could_not_be_read_is_not_missing(content: Content, how: str, area: str) -> None:
    found = card(content, results=[], **{how: [area]})
    assert found.suggestions == ()
    assert "no usable recent" not in found.detail


@pytest.mark.parametrize("potassium", ["6.8", "4.2", "3.1"])
def test_a_u_and_e_is_still_open_after_a_haemolysed_potassium(content: Content, potassium: str) -> None:
    """3.7: no other card of an order asks for the repeat."""
    results = [f"potassium {potassium} mmol/L [3.5-5.3] 3 days ago haemolysed", *DONE[1:]]
    assert suggested(card(content, results=results)) == ["order-ue"]


def test_an_active_diuretic_is_a_treatable_cause_still_open(content: Content) -> None:
    found = card(content, medicines=["indapamide since 900 days ago"])
    assert found.indicator.value == "info"
    assert "Indapamide" in part(found, "Found")
    assert "still needed at this dose" in part(found, "Consider")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"problems": []}, True),
        ({"problems": ["muscle-cramp 366 days ago"]}, True),
        ({"problems": ["muscle-cramp resolved 20 days ago"]}, True),
        ({"problems": ["nocturnal-leg-cramp 365 days ago"]}, False),
        ({"problems": [], "drafts": ["quinine 200 mg at night for nocturnal-leg-cramp"]}, False),
        ({"problems": [], "incomplete": ["problems"]}, False),
    ],
)
def test_no_cramp_on_record_is_said_only_where_it_is_so(content: Content, lines: Lines, said: bool) -> None:
    assert ("No cramp recorded" in card(content, **lines).detail) is said


# how an order is read


@pytest.mark.parametrize("drafts", [[f"{PLAIN} as context"], [f"{PLAIN} as context", "order-ck"], ["quinidine"]])
def test_only_a_selected_quinine_is_judged(content: Content, drafts: list[str]) -> None:
    assert weight(content, drafts=drafts, allergies=["quinine"]) == "none"


def test_two_drafts_of_quinine_make_one_card_and_both_can_be_removed(content: Content) -> None:
    shown = cards(content, drafts=[PLAIN, "quinine 300 mg at night"], allergies=["quinine"])
    assert [c.topic for c in shown] == ["quinine"]
    removed = [s.draft for s in shown[0].suggestions if isinstance(s, RemoveDraft)]
    assert removed == ["MedicationRequest/d1", "MedicationRequest/d2"]


def test_a_draft_that_is_not_selected_is_never_removed(content: Content) -> None:
    found = card(content, drafts=[PLAIN, "quinine 300 mg at night as context"], allergies=["quinine"])
    assert [s.draft for s in found.suggestions if isinstance(s, RemoveDraft)] == ["MedicationRequest/d1"]


def test_a_renewal_is_called_one_and_is_no_caution(content: Content) -> None:
    found = card(content, medicines=["quinine since 200 days ago"])
    assert found.indicator.value == "info"
    assert "the order renews it" in part(found, "Found")
    assert "since 2025-11-27" in part(found, "Found")
    assert "renews" not in card(content).detail
    assert "renews" not in card(content, medicines=["quinine since 200 days ago ended 9 days ago"]).detail


@pytest.mark.parametrize("link", ["name", "brand"])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({}, "info"),
        ({"medicines": ["digoxin"]}, "warning"),
        ({"problems": [CRAMP, "tinnitus 9 days ago"]}, "warning"),
        ({"allergies": ["quinine"]}, "warning"),
    ],
)
def test_quinine_known_by_name_is_a_warning_at_most_and_is_not_removed(
    content: Content, lines: Lines, expected: str, link: str
) -> None:
    found = card(content, drafts=[f"{PLAIN} by {link}"], **lines)
    assert found.indicator.value == expected
    assert f"matched by {link}" in part(found, "Found")
    assert not [s for s in found.suggestions if isinstance(s, RemoveDraft)]


def test_of_two_drafts_only_the_one_named_by_a_code_can_be_removed(content: Content) -> None:
    found = card(content, drafts=[f"{PLAIN} by name", PLAIN], allergies=["quinine"])
    assert found.indicator.value == "critical"
    assert [s.draft for s in found.suggestions if isinstance(s, RemoveDraft)] == ["MedicationRequest/d2"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [({}, "none"), ({"medicines": ["digoxin"]}, "none"), ({"allergies": ["quinine"]}, "critical")],
)
def test_in_palliative_care_only_what_is_critical_is_shown(content: Content, lines: Lines, expected: str) -> None:
    assert weight(content, problems=[CRAMP, "palliative-care 20 days ago"], **lines) == expected


@pytest.mark.parametrize("who", ["deceased", "test_record", "for_patient"])
def test_nothing_is_said_of_the_dead_of_test_records_or_to_patients(content: Content, who: str) -> None:
    assert cards(content, allergies=["quinine"], **{who: True}) == ()


# what was not read


@pytest.mark.parametrize("area", ["problems", "results", "medicines", "allergies"])
@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_a_check_that_is_incomplete_says_so_and_names_what_was_not_available(
    content: Content, how: str, area: str
) -> None:
    found = card(content, **{how: [area]})
    assert f"interactions is incomplete: not available in full were {area}." in part(found, "Not known")
    assert f"Not checked or not complete: {area}" in part(found, "Not known")


def test_allergies_that_were_never_asked_for_are_not_taken_for_none(content: Content) -> None:
    chart = chart_of(content.vocabulary, problems=[CRAMP], drafts=[PLAIN])
    chart = replace(chart, inputs={area: state for area, state in chart.inputs.items() if area is not Area.ALLERGIES})
    (found,) = advise(chart, content, Moment.ORDER).cards
    assert "not available in full were allergies" in found.detail


def test_a_complete_check_does_not_call_itself_incomplete(content: Content) -> None:
    assert "incomplete" not in card(content).detail


@pytest.mark.parametrize(
    "entry", ["problems/tinnitus: no code", "medicines/digoxin: no status", "allergies/quinine: no status"]
)
def test_an_entry_that_could_not_be_read_is_named(content: Content, entry: str) -> None:
    assert entry.partition(": ")[2] in part(card(content, unread=[entry]), "Not known")


# what every card says

EVERY: list[Lines] = [
    {},
    {"medicines": ["digoxin"]},
    {"allergies": ["quinine"]},
    {"problems": [CRAMP, "tinnitus 9 days ago"]},
    {"person": "male 12"},
]


@pytest.mark.parametrize("beyond", [True, False])
@pytest.mark.parametrize("lines", EVERY)
def test_the_conditions_of_the_mhra_and_the_limits_of_the_check_are_always_printed(
    content: Content, lines: Lines, beyond: bool
) -> None:
    found = card(replace(content, beyond=beyond), **lines)
    for words in ("not for routine use", "very painful or frequent", "treatable causes", "non-drug", "4 weeks"):
        assert words in found.detail
    assert "not a full interaction check" in part(found, "Not known")
    assert "tonic water" in part(found, "Not known")
    assert "salt" in part(found, "Not known")
    assert any("MHRA" in link.label for link in found.links)


@pytest.mark.parametrize("lines", EVERY)
def test_no_suggestion_creates_quinine(content: Content, lines: Lines) -> None:
    found = card(content, results=[], **lines)
    assert {type(s) for s in found.suggestions} <= {RemoveDraft, RequestTest}


def test_the_review_of_quinine_already_taken_is_not_repeated_at_ordering(content: Content) -> None:
    found = card(content, medicines=["quinine since 200 days ago"])
    assert "P18" not in found.rules
