"""From what was retrieved to the chart: the same facts give the same chart, and nothing is dropped in silence."""

import json
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.chart import NotReadable, NotRecorded, Recorded
from cards.entries import Area, Input, Reading, Sex
from service.fhir.assemble import READERS, assemble
from service.fhir.queries import SERVICES, queries_for
from service.fhir.resource import from_object
from service.fhir.retrieved import Failed, Nothing, Resources, Trouble
from service.fhir.states import area_of
from tests.service.fhir.builders import (
    AS_OF,
    CK,
    FUROSEMIDE,
    LOINC,
    LONDON,
    OURS,
    PATIENT,
    SODIUM,
    chart,
    chart_of,
    concept,
    condition,
    observation,
    patient,
    quantity,
    request,
    resource,
    retrieved,
    statement,
    vocabulary,
)

THEIRS = {"reference": "Patient/p2"}


def inputs(answers):
    return chart_of(answers).inputs


def a_search(*resources, **more):
    return Resources(tuple(resource(one) for one in resources), **more)


# How far each part could be read


def test_a_part_that_was_read_to_the_end_is_complete():
    assert inputs({"results": a_search(observation()), "problems": Nothing()}) == {
        Area.RESULTS: Input(Reading.COMPLETE),
        Area.PROBLEMS: Input(Reading.COMPLETE),
    }


def test_a_part_that_was_not_asked_for_is_absent():
    assert inputs({}) == {}


@pytest.mark.parametrize("trouble", list(Trouble))
def test_a_part_that_failed_says_why(trouble):
    reading = Reading.NOT_PERMITTED if trouble is Trouble.NOT_PERMITTED else Reading.FAILED

    assert inputs({"results": Failed(trouble)}) == {Area.RESULTS: Input(reading, trouble.value)}


def test_a_part_that_was_cut_short_is_incomplete():
    assert inputs({"results": a_search(trouble=Trouble.CUT_SHORT)}) == {
        Area.RESULTS: Input(Reading.INCOMPLETE, "only part of it could be had")
    }


@pytest.mark.parametrize(
    ("statements", "requests", "reading"),
    [
        (Nothing(), Nothing(), Reading.COMPLETE),
        (Nothing(), Failed(Trouble.SERVER_ERROR), Reading.INCOMPLETE),
        (Failed(Trouble.NOT_PERMITTED), Resources(()), Reading.INCOMPLETE),
        (Resources((), trouble=Trouble.CUT_SHORT), Failed(Trouble.SERVER_ERROR), Reading.INCOMPLETE),
        (Failed(Trouble.NOT_PERMITTED), Failed(Trouble.NOT_PERMITTED), Reading.NOT_PERMITTED),
        (Failed(Trouble.NOT_PERMITTED), Failed(Trouble.SERVER_ERROR), Reading.FAILED),
    ],
)
def test_medicines_are_as_complete_as_both_of_their_searches(statements, requests, reading):
    found = inputs({"medicationStatements": statements, "medicationRequests": requests})[Area.MEDICINES]

    assert found.reading is reading
    assert (found.why == "") is (reading is Reading.COMPLETE)


def test_results_are_as_complete_as_all_their_searches():
    found = inputs({"results": a_search(observation()), "results-2": Failed(Trouble.NOT_ANSWERED)})

    assert found == {Area.RESULTS: Input(Reading.INCOMPLETE, Trouble.NOT_ANSWERED.value)}


def test_a_broken_entry_could_have_been_anything():
    made = chart_of({"results": a_search(observation(), broken=("<not> a resource",))})

    assert [(one.area, one.about, one.why) for one in made.unread] == [
        (Area.RESULTS, "", "an entry could not be read: not a resource")
    ]
    assert made.inputs[Area.RESULTS] == Input(Reading.INCOMPLETE, "an entry could not be read")
    assert [one.value for one in made.results] == [Decimal("4.2")]
    assert isinstance(made.latest("potassium"), Recorded)
    assert isinstance(made.latest("sodium"), NotReadable)


@pytest.mark.parametrize("kind", [None, 7, ["Observation"], {}, "Bundle"])
def test_an_entry_that_does_not_say_what_it_is_could_have_been_anything(kind):
    made = chart_of({"results": a_search(observation(), observation(id="o2") | {"resourceType": kind})})

    assert made.inputs[Area.RESULTS].reading is Reading.INCOMPLETE
    assert len(made.results) == len(made.unread) == 1


@pytest.mark.parametrize(
    ("issue", "reading"),
    [
        ([{"severity": "information"}], Reading.COMPLETE),
        ([{"severity": "warning"}], Reading.COMPLETE),
        ({"severity": "warning"}, Reading.COMPLETE),
        ([{"severity": "error"}], Reading.INCOMPLETE),
        ([{"severity": "warning"}, {"severity": "fatal"}], Reading.INCOMPLETE),
        ([], Reading.INCOMPLETE),
        (None, Reading.INCOMPLETE),
        ("error", Reading.INCOMPLETE),
    ],
)
def test_an_operation_outcome_among_the_entries_is_read_by_its_severity(issue, reading):
    made = chart_of({"results": a_search({"resourceType": "OperationOutcome", "issue": issue}, observation())})

    assert made.inputs[Area.RESULTS].reading is reading
    assert len(made.results) == 1


def test_resources_that_are_not_relevant_change_nothing():
    others = [
        {"resourceType": kind, "id": "x", "subject": THEIRS} for kind in ("DiagnosticReport", "List", "Practitioner")
    ]

    assert chart(observation(), *others) == chart(observation())


def test_every_query_is_known_to_fill_the_part_it_says():
    for service in sorted(SERVICES):
        for query in queries_for(service, vocabulary()):
            assert area_of(query.key) is query.area
            assert query.types <= READERS.keys() | {"Patient"}


# Whose it is


def test_a_resource_of_another_patient_is_dropped_and_counted_and_nothing_of_it_is_kept():
    made = chart(observation(id="secret", subject=THEIRS, value=2.0), statement(id="secret", subject=THEIRS))

    assert (made.results, made.medicines) == ((), ())
    assert {(one.area, one.about, one.source, one.expected) for one in made.unread} == {
        (Area.RESULTS, "", "Observation", True),
        (Area.MEDICINES, "", "MedicationStatement", True),
    }
    assert made.of_others == {Area.RESULTS: 1, Area.MEDICINES: 1}
    assert "secret" not in repr(made)
    assert {one.reading for one in made.inputs.values()} == {Reading.COMPLETE}
    assert made.unmapped == {}
    assert made.latest("potassium") == NotRecorded()


def test_a_resource_that_names_no_patient_is_named_and_not_used():
    made = chart(observation(without=("subject",)), statement(without=("subject",)), condition(without=("subject",)))

    assert (made.results, made.medicines, made.problems) == ((), (), ())
    assert [(one.about, one.why, one.expected) for one in made.unread] == [
        ("muscle-cramp", "Muscle cramp: it does not say whose it is", False),
        ("furosemide", "Furosemide: it does not say whose it is", False),
        ("potassium", "Potassium: it does not say whose it is", False),
    ]
    assert isinstance(made.latest("potassium"), NotReadable)
    assert [one.source for one in made.unread] == ["Condition", "MedicationStatement", "Observation"]


def test_a_problem_that_is_over_and_names_no_patient_leaves_no_gap():
    """It would not count if it were the patient's: a card that says it could not be read would be noise."""
    over = condition(without=("subject",), clinicalStatus={"coding": [{"code": "resolved"}]})

    assert [(one.about, one.expected) for one in chart(over).unread] == [("muscle-cramp", True)]


def test_a_patient_resource_with_another_id_is_not_used():
    made = chart(patient(id="p2", gender="male", birthDate="2015-01-01", deceasedBoolean=True))

    assert (made.person.born, made.person.sex, made.person.deceased) == (None, Sex.UNKNOWN, False)
    assert [(one.area, one.source, one.expected) for one in made.unread] == [(Area.PATIENT, "Patient", True)]


# Whether it may be taken at its word

STOPPED = [{"url": "http://example.org/stop-type", "valueCodeableConcept": {"text": "stopped"}}]


def test_what_carries_a_modifier_is_named_and_not_used():
    made = chart(
        observation(modifierExtension=STOPPED),
        statement(modifierExtension=STOPPED),
        request(modifierExtension=STOPPED),
        condition(modifierExtension=STOPPED),
    )

    assert (made.results, made.medicines, made.problems) == ((), (), ())
    why = "it carries a modifier that is not understood"
    assert [(one.source, one.why, one.expected) for one in made.unread] == [
        ("Condition/c1", f"Muscle cramp: {why}", False),
        ("MedicationRequest/r1", f"Furosemide: {why}", False),
        ("MedicationStatement/m1", f"Furosemide: {why}", False),
        ("Observation/o1", f"Potassium: {why}", False),
    ]
    assert isinstance(made.latest("potassium"), NotReadable)


def test_a_modifier_on_what_is_left_out_or_over_anyway_or_about_nothing_we_know_is_no_gap():
    made = chart(
        observation(status="entered-in-error", modifierExtension=STOPPED),
        observation((LOINC, "718-7"), id="o2", modifierExtension=STOPPED),
        statement(status="stopped", modifierExtension=STOPPED),
    )

    assert (made.results, made.medicines) == ((), ())
    assert [(one.about, one.expected) for one in made.unread] == [("furosemide", True), ("potassium", True)]


@pytest.mark.parametrize("nothing", [[], {}, None])
def test_an_empty_list_of_modifiers_is_none(nothing):
    assert len(chart(observation(modifierExtension=nothing)).results) == 1


# The same facts, the same chart


def test_a_resource_that_arrives_twice_counts_once():
    once = chart_of({"results": a_search(observation()), "problems": a_search(condition())})
    twice = {"results": a_search(observation(), observation()), "problems": a_search(condition(), observation())}

    assert once == chart_of(twice)


@pytest.mark.parametrize(
    ("key", "sent", "reading"),
    [
        ("problems", [observation()], Reading.INCOMPLETE),
        ("problems", [observation(), condition()], Reading.COMPLETE),
        ("problems", [condition()], Reading.COMPLETE),
        ("problems", [], Reading.COMPLETE),
        ("results", [condition()], Reading.INCOMPLETE),
        ("results", [{"resourceType": "DiagnosticReport", "id": "d"}], Reading.INCOMPLETE),
        ("medicationStatements", [request()], Reading.COMPLETE),
        ("medicationStatements", [{"resourceType": "MedicationDispense", "id": "d"}], Reading.INCOMPLETE),
        ("patient", [observation()], Reading.INCOMPLETE),
    ],
)
def test_a_key_that_holds_nothing_but_another_kind_leaves_its_part_incomplete(key, sent, reading):
    """As where a site gave one key the template of another: what belongs there may stand nowhere (HZ10)."""
    read = chart_of({key: a_search(*sent)})

    assert read.inputs[area_of(key)].reading is reading
    assert len(read.results) == sum(one["resourceType"] == "Observation" for one in sent)  # it is read all the same


def test_a_resource_without_an_id_counts_once_too():
    bare = observation(without=("id",))

    assert len(chart(bare, bare).results) == 1
    assert len(chart(bare, bare | {"valueQuantity": quantity(5, "mmol/L")}).results) == 2


def test_of_two_versions_the_newer_counts_whichever_comes_first():
    older = observation(value=3.0, meta={"lastUpdated": "2026-06-10T12:00:00Z"})
    newer = observation(value=3.5, meta={"lastUpdated": "2026-06-10T11:30:00-02:00"})

    for made in (chart(older, newer), chart(newer, older)):
        assert [one.value for one in made.results] == [Decimal("3.5")]


def test_of_two_versions_that_cannot_be_told_apart_both_are_kept():
    first, second = observation(value=3.0), observation(value=3.5)

    assert [one.value for one in chart(first, second).results] == [Decimal("3.0"), Decimal("3.5")]
    assert chart(first, second) == chart(second, first)


def test_an_id_that_may_not_be_printed_is_not_printed():
    for identity in ("<script>", "a/b", "x" * 300, 7, None, ["a"]):
        assert [one.source for one in chart(observation(id=identity)).results] == ["Observation"]


FACTS = [
    patient(),
    condition(), condition(id="c2", verificationStatus="refuted"), condition(id="c3", subject=THEIRS),
    observation(), observation(SODIUM, 140, id="o2"), observation(CK, 900, "U/L", id="o3", referenceRange=[{"high": quantity(200)}]),
    observation(id="o4", valueQuantity=quantity(4)), observation(("http://x.example", "1"), id="o5"),
    observation(id="o6", status="corrected", value=4.4), observation(value=4.5, without=("id",)),
    observation(("http://loinc.org", "20393-5"), value=None, valueBoolean=True, id="o7"),
    statement(), request(), request(id="r2", without=("medicationCodeableConcept",)),
    {"resourceType": "AllergyIntolerance", "id": "a1", "patient": OURS, "code": concept(FUROSEMIDE)},
]  # fmt: skip
WHOLE = chart(*FACTS)


@given(seed=st.integers(0, 10**6), doubled=st.integers(0, len(FACTS)))
@settings(max_examples=60)
def test_order_repetition_and_the_query_a_fact_came_by_change_nothing(seed, doubled):
    random = Random(seed)
    facts = FACTS + FACTS[:doubled]
    random.shuffle(facts)
    anywhere = {key: [] for key in sorted(retrieved(*FACTS))}
    for fact in facts:
        anywhere[random.choice(sorted(anywhere))].append(fact)
    moved = chart_of({key: a_search(*found) for key, found in anywhere.items()})

    assert chart(*facts) == WHOLE
    assert replace(moved, inputs=WHOLE.inputs) == WHOLE


@given(fact=st.sampled_from([fact for fact in FACTS if fact["resourceType"] != "Patient"]), seed=st.integers(0, 99))
def test_a_resource_of_another_patient_changes_nothing_but_the_account_of_it(fact, seed):
    foreign = fact | {"subject": THEIRS, "patient": THEIRS, "id": "foreign"}
    facts = [*FACTS, foreign]
    Random(seed).shuffle(facts)
    made = chart(*facts)

    for name in (
        "person",
        "inputs",
        "problems",
        "results",
        "medicines",
        "orders",
        "allergies",
        "relatives",
        "unmapped",
    ):
        assert getattr(made, name) == getattr(WHOLE, name)
    assert len(made.unread) == len(WHOLE.unread) + 1
    assert [one for one in made.unread if one.expected is False] == [
        one for one in WHOLE.unread if one.expected is False
    ]


# Whatever is sent

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["active", "final", "2026-06-10", "Patient/p1", "#x", "mmol/L", "male", "http://loinc.org", "2823-3"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([
            "coding", "system", "code", "display", "text", "reference", "value", "unit", "low", "high", "start", "end",
            "resourceType", "id", "concept", "timing", "repeat", "boundsPeriod", "url", "extension", "security", "severity",
            "valueQuantity", "subject", "type", "item", "lastUpdated", "versionId", "comparator",
        ]),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip
KINDS = [
    "Patient", "Encounter", "Observation", "Condition", "Procedure", "MedicationStatement", "MedicationRequest",
    "MedicationOrder", "ServiceRequest", "ReferralRequest", "DiagnosticOrder", "AllergyIntolerance", "FamilyMemberHistory",
    "Medication", "Specimen", "OperationOutcome", "Bundle", None, 7,
]  # fmt: skip
ELEMENTS = {
    kind: sorted({"id", *type(from_object({"resourceType": kind})).__struct_fields__} - {"resourceType"})
    for kind in KINDS
}
GOOD = {
    "Observation": observation(), "Condition": condition(), "MedicationStatement": statement(), "MedicationRequest": request(),
    "Patient": patient(),
}  # fmt: skip


@st.composite
def any_resources(draw):
    kind = draw(st.sampled_from(KINDS))
    elements = dict(GOOD.get(kind, {"subject": OURS, "id": "x"})) if draw(st.booleans()) else {}
    elements |= draw(st.dictionaries(st.sampled_from(ELEMENTS[kind]), JSON, max_size=5))
    return from_object(elements | {"resourceType": kind})


def assembled(entries):
    return assemble(
        {"results": Resources(tuple(entries)), "medicationStatements": Nothing()},
        patient_id=PATIENT, as_of=AS_OF, zone=LONDON, vocabulary=vocabulary(), encounter_id="x",
    )  # fmt: skip


@given(entries=st.lists(any_resources(), max_size=5), seed=st.integers(0, 99))
@settings(max_examples=400, deadline=None)
def test_nothing_that_is_sent_makes_reading_fail_or_depend_on_its_order(entries, seed):
    shuffled = [*entries, *entries[:2]]
    Random(seed).shuffle(shuffled)

    made = assembled(entries)

    assert assembled(shuffled) == made
    assert all(one.why for one in made.unread)
    assert all(sign.isprintable() for one in made.unread for sign in one.why + one.source)


def test_deep_nesting_in_an_element_does_not_make_reading_fail():
    deep = "[" * 60 + "]" * 60
    for name in ("code", "valueQuantity", "contained", "component", "subject", "referenceRange", "note"):
        raw = json.dumps(observation()).removesuffix("}") + f', "{name}": {deep}}}'
        made = chart_of({"results": Resources((resource(json.loads(raw)),))})
        assert made.as_of == AS_OF


def test_a_reference_within_a_reference_without_end_is_no_reference():
    endless: dict = {"reference": "Patient/p1"}
    for _ in range(900):
        endless = {"reference": endless}
    odd = from_object(observation() | {"subject": endless, "specimen": endless})

    assert [one.why for one in assembled([odd, odd]).unread] == ["Potassium: it does not say whose it is"]


def test_text_that_is_no_unicode_does_not_make_reading_fail():
    odd = from_object(observation() | {"note": [{"text": "\ud800"}], "id": "\udfff"})

    made = assembled([odd, odd, from_object(observation() | {"id": "\udfff"})])

    assert {one.source for one in made.results} == {"Observation"}


def test_who_is_asking_is_carried_into_the_chart():
    assert chart().for_clinician
    assert not chart(for_clinician=False).for_clinician
    assert chart().as_of == AS_OF
