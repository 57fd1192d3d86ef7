"""What is recorded as a problem, and what must never become one."""

import pytest

from cards.entries import Area, Reading
from tests.service.fhir.builders import (
    CRAMP,
    OURS,
    PREGNANT,
    SNOMED,
    chart,
    concept,
    condition,
    observation,
    patient,
    why_unread,
)

WEAKNESS = (SNOMED, "26544005")
SEVERE = (SNOMED, "24484000")
DIALYSIS = (SNOMED, "265764009")
PRACTITIONER = (SNOMED, "158965000")
DEAD = (SNOMED, "419099009")
FAMILY_HISTORY = ("http://hl7.org/fhir/sid/icd-10", "Z82.0")


def the_problem(*resources, **options):
    made = chart(*resources, **options)
    assert made.unread == ()
    (found,) = made.problems
    return found


def test_a_condition_is_read_with_date_label_and_source():
    found = the_problem(condition(onsetDateTime="2026-05-20"))

    assert (found.concepts, found.label, found.source) == (frozenset({"muscle-cramp"}), "Muscle cramp", "Condition/c1")
    assert (str(found.when), str(found.onset), found.active, found.severe) == ("2026-06-01", "2026-05-20", True, False)


@pytest.mark.parametrize(
    ("clinical", "active"),
    [
        (concept(("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")), True),
        (concept(("", "recurrence")), True),
        (concept(("", "relapse")), True),
        ("active", True),
        ({"text": "Active"}, True),
        (None, True),
        (concept(("", "inactive")), False),
        (concept(("", "remission")), False),
        (concept(("", "resolved")), False),
        ("resolved", False),
    ],
)
def test_the_clinical_status_decides_in_every_spelling(clinical, active):
    assert the_problem(condition(clinicalStatus=clinical)).active is active


def test_a_clinical_status_that_is_not_known_is_named():
    assert (
        why_unread(condition(clinicalStatus="perhaps")) == "Muscle cramp: its clinical status could not be understood"
    )


@pytest.mark.parametrize(
    ("elements", "active"),
    [
        ({"abatementDateTime": "2026-06-14"}, False),
        ({"abatementDateTime": "2026-06-15"}, False),
        ({"abatementDateTime": "2026-06-16"}, True),
        ({"abatementDateTime": "2026"}, True),
        ({"abatementPeriod": {"start": "2026-05-01", "end": "2026-06-10"}}, False),
        ({"abatementBoolean": True}, False),
        ({"abatementBoolean": False}, True),
        ({"abatementString": "some time ago"}, True),
    ],
)
def test_an_end_that_has_passed_beats_an_active_status(elements, active):
    assert the_problem(condition(**elements)).active is active


@pytest.mark.parametrize("status", ["recurrence", "relapse"])
@pytest.mark.parametrize("end", [{"abatementDateTime": "2024-03-01"}, {"abatementBoolean": True}])
def test_what_has_come_back_is_active_whatever_end_it_once_had(status, end):
    """3.1 no. 2: the end is that of the episode before."""
    assert the_problem(condition(clinicalStatus=status, **end)).active


@pytest.mark.parametrize(
    ("elements", "active"),
    [
        ({}, True),
        ({"abatementDateTime": "2026-06-14"}, False),
        ({"abatementDateTime": "2026"}, False),
        ({"abatementDateTime": "2027"}, True),
        ({"abatementDateTime": "long ago"}, False),
        ({"abatementString": "some time ago"}, False),
        ({"abatementAge": {"value": 40}}, False),
        ({"abatementBoolean": False}, True),
    ],
)
def test_without_a_status_any_recorded_end_makes_it_inactive(elements, active):
    assert the_problem(condition(**elements, without=("clinicalStatus",))).active is active


@pytest.mark.parametrize("spelling", [lambda code: code, lambda code: concept(("", code))])
@pytest.mark.parametrize(
    ("code", "why"),
    [("refuted", "Muscle cramp: is recorded as refuted"), ("entered-in-error", "Muscle cramp: was entered in error")],
)
def test_a_refuted_or_mistaken_record_is_left_out_by_rule(code, why, spelling):
    made = chart(condition(verificationStatus=spelling(code)))

    (found,) = made.unread
    assert (made.problems, found.why, found.expected, found.about) == ((), why, True, "muscle-cramp")


@pytest.mark.parametrize("status", ["unconfirmed", "provisional", "differential", "confirmed", "unknown"])
def test_other_verification_statuses_count(status):
    assert the_problem(condition(verificationStatus=status)).active


@pytest.mark.parametrize("name", ["recordedDate", "assertedDate", "dateRecorded"])
def test_the_date_is_the_latest_of_onset_and_recorded_in_every_spelling(name):
    without = ("recordedDate",) if name != "recordedDate" else ()
    earlier = condition(onsetDateTime="2026-06-10", **{name: "2026-06-01"}, without=without)
    later = condition(onsetPeriod={"start": "2020"}, **{name: "2026-06-01"}, without=without)

    assert str(the_problem(earlier).when) == "2026-06-10"
    assert str(the_problem(later).when) == "2026-06-01"


def test_an_undated_problem_has_no_date():
    assert the_problem(condition(without=("recordedDate",))).when is None


def test_severity_is_read_from_its_code_and_never_from_words():
    assert the_problem(condition(severity=concept(SEVERE))).severe
    assert not the_problem(condition(severity={"text": "severe"})).severe


def test_words_without_a_code_never_become_a_problem():
    made = chart(condition() | {"code": {"text": "Muscle weakness"}})

    assert (made.problems, made.unread, made.unmapped) == ((), (), {Area.PROBLEMS: 1})


def test_family_history_never_becomes_a_problem():
    made = chart(
        condition(FAMILY_HISTORY),
        {"resourceType": "FamilyMemberHistory", "id": "f1", "status": "completed", "patient": OURS,
         "relationship": {"text": "mother"}, "condition": [{"code": concept(WEAKNESS)}, {"code": {"text": "x"}}]},
    )  # fmt: skip

    assert made.problems == ()
    assert [(one.who, one.label) for one in made.relatives] == [
        ("", "Family history of nervous system disorder"),
        ("mother", "Muscle weakness"),
    ]
    assert made.unmapped == {Area.FAMILY: 1}


def test_a_relative_entered_in_error_is_left_out_by_rule():
    made = chart({"resourceType": "FamilyMemberHistory", "id": "f1", "status": "entered-in-error", "patient": OURS,
                  "condition": [{"code": concept(WEAKNESS)}]})  # fmt: skip

    assert made.relatives == ()
    assert [one.expected for one in made.unread] == [True]


def test_what_is_said_of_a_relative_with_a_modifier_is_named_and_not_used():
    negative = [{"url": "http://example.org/condition-result", "valueCodeableConcept": {"text": "NEGATIVE"}}]
    made = chart({"resourceType": "FamilyMemberHistory", "id": "f1", "status": "completed", "patient": OURS,
                  "condition": [{"code": concept(WEAKNESS), "modifierExtension": negative},
                                {"code": concept(CRAMP), "modifierExtension": []}]})  # fmt: skip

    assert [one.label for one in made.relatives] == ["Muscle cramp"]
    assert [(one.about, one.why, one.expected) for one in made.unread] == [
        ("muscle-weakness", "Muscle weakness: it carries a modifier that is not understood", False)
    ]


# Findings


@pytest.mark.parametrize(
    ("elements", "present"),
    [({}, True), ({"valueBoolean": True}, True), ({"valueBoolean": False}, False)],
)
def test_a_finding_is_present_unless_it_is_recorded_as_absent(elements, present):
    made = chart(observation(WEAKNESS, value=None, **elements))

    assert [(one.concepts, str(one.when), one.source) for one in made.problems] == (
        [(frozenset({"muscle-weakness"}), "2026-06-10", "Observation/o1")] if present else []
    )
    assert made.unread == ()


@pytest.mark.parametrize(
    "elements",
    [
        {"valueString": "none"},
        {"valueQuantity": {"value": 1}},
        {"valueInteger": 0},
        {"valueCodeableConcept": {"text": "present"}},
        {"dataAbsentReason": {"text": "not examined"}},
    ],
)
def test_a_finding_with_a_value_that_is_not_understood_is_named(elements):
    assert why_unread(observation(WEAKNESS, value=None, **elements)) == (
        "Muscle weakness: its value does not say whether it is present"
    )


def test_a_finding_entered_in_error_is_left_out_by_rule():
    made = chart(observation(WEAKNESS, value=None, status="entered-in-error"))

    assert made.problems == ()
    assert [(one.area, one.expected) for one in made.unread] == [(Area.PROBLEMS, True)]


def test_a_finding_without_a_status_is_named():
    assert why_unread(observation(WEAKNESS, value=None, without=("status",))) == (
        "Muscle weakness: it has no status that counts"
    )


def test_a_value_never_gives_a_red_flag():
    made = chart(observation(("http://loinc.org", "10157-6"), value=None, valueCodeableConcept=concept(WEAKNESS)))

    assert (made.problems, made.unread) == ((), ())


def test_an_occupation_given_as_a_value_is_read():
    made = chart(observation(("http://loinc.org", "11341-5"), value=None, valueCodeableConcept=concept(PRACTITIONER)))

    assert [one.concepts for one in made.problems] == [frozenset({"medical-practitioner"})]


# States that come and go


@pytest.mark.parametrize("code", [PREGNANT, DIALYSIS])
def test_a_state_without_date_or_status_is_history(code):
    bare = condition(code, without=("clinicalStatus", "recordedDate"))

    assert not the_problem(bare).active
    assert the_problem(bare | {"clinicalStatus": "active"}).active
    assert the_problem(bare | {"recordedDate": "2026-05-01"}).active


def test_a_symptom_without_date_or_status_counts():
    assert the_problem(condition(without=("clinicalStatus", "recordedDate"))).active


# Encounter


def encounter(**more):
    return {
        "resourceType": "Encounter", "id": "e1", "status": "in-progress", "subject": OURS,
        "period": {"start": "2026-06-15T09:00:00+01:00"}, "reasonCode": [concept(CRAMP)],
    } | more  # fmt: skip


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"reasonCode": None, "reason": [concept(CRAMP)]},
        {"reasonCode": None, "reason": [{"value": [{"concept": concept(CRAMP)}]}]},
        {"period": None, "actualPeriod": {"start": "2026-06-15T09:00:00+01:00"}},
    ],
)
def test_the_reason_of_the_encounter_is_a_problem_in_every_spelling(elements):
    found = the_problem(encounter(**elements), encounter_id="e1")

    assert (found.concepts, str(found.when), found.source) == (
        frozenset({"muscle-cramp"}), "2026-06-15", "Encounter/e1",
    )  # fmt: skip


@pytest.mark.parametrize("encounter_id", [None, "e2"])
def test_the_reason_of_any_other_encounter_is_not_read(encounter_id):
    made = chart(encounter(), encounter_id=encounter_id)

    assert (made.problems, made.unread) == ((), ())


@pytest.mark.parametrize("sent", [{"id": "e2"}, {"id": None}])
def test_another_encounter_in_place_of_the_one_in_the_context_is_not_the_whole_of_it(sent):
    """3.8 no. 26: nothing is known of the reasons of the one that was asked for (principle 2)."""
    made = chart(encounter(**sent), encounter_id="e1")

    assert made.problems == ()
    assert made.inputs[Area.ENCOUNTER].reading is Reading.INCOMPLETE
    assert "not the encounter in view" in made.inputs[Area.ENCOUNTER].why


def test_the_encounter_in_the_context_may_come_with_others():
    made = chart(encounter(), encounter(id="e2"), encounter_id="e1")

    assert made.inputs[Area.ENCOUNTER].reading is Reading.COMPLETE
    assert [one.source for one in made.problems] == ["Encounter/e1"]


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_the_reason_of_an_encounter_that_did_not_take_place_is_left_out(status):
    made = chart(encounter(status=status), encounter_id="e1")

    assert made.problems == ()
    assert [one.expected for one in made.unread] == [True]


# Procedure


def procedure(**more):
    return {"resourceType": "Procedure", "id": "x1", "status": "completed", "code": concept(DIALYSIS), "subject": OURS,
            "performedDateTime": "2026-06-12"} | more  # fmt: skip


@pytest.mark.parametrize(
    ("elements", "active", "printed"),
    [
        ({}, True, "2026-06-12"),
        (
            {"performedDateTime": None, "performedPeriod": {"start": "2026-06-01", "end": "2026-06-02"}},
            True,
            "2026-06-02",
        ),
        ({"performedDateTime": None, "performedPeriod": {"start": "2026-06-01"}}, True, "2026-06-01"),
        ({"performedDateTime": None, "occurrenceDateTime": "2026-06-11"}, True, "2026-06-11"),
        ({"status": "in-progress"}, True, "2026-06-12"),
        ({"status": "unknown"}, True, "2026-06-12"),
        ({"status": "stopped"}, False, "2026-06-12"),
        ({"performedDateTime": None}, False, "None"),
        ({"performedDateTime": None, "status": "in-progress"}, True, "None"),
    ],
)
def test_a_procedure_that_was_done_is_a_problem_dated_by_it(elements, active, printed):
    found = the_problem(procedure(**elements))

    assert (found.concepts, found.active, str(found.when)) == (frozenset({"dialysis"}), active, printed)


@pytest.mark.parametrize(
    "elements",
    [{"status": "not-done"}, {"status": "entered-in-error"}, {"status": "preparation"}, {"notDone": True},
     {"notPerformed": True}],
)  # fmt: skip
def test_a_procedure_that_was_not_done_is_left_out_by_rule(elements):
    made = chart(procedure(**elements))

    assert made.problems == ()
    assert [one.expected for one in made.unread] == [True]


def test_a_code_for_death_backs_up_what_the_patient_resource_does_not_say():
    assert chart(patient(), condition(DEAD)).person.deceased
    assert not chart(patient(deceasedBoolean=False), condition(DEAD)).person.deceased
    assert not chart(patient(), condition(DEAD, clinicalStatus="inactive")).person.deceased
