"""Which medicines count, how they were recognised, and when they began and ended."""

import pytest

from cards.entries import Area, Reading
from terminology.vocabulary import Link
from tests.service.fhir.builders import (
    CRAMP,
    DMD,
    FUROSEMIDE,
    OURS,
    SNOMED,
    chart,
    concept,
    condition,
    request,
    statement,
    why_unread,
)

CO_AMILOFRUSE = (DMD, "11805311000001106")
A_BRAND = (SNOMED, "407039008")  # its name does not tell the ingredient (atomoxetine)
LOCAL = ("http://example.org/local-drugs", "FUTA17675")
NOT_OURS = (SNOMED, "319284000")  # amlodipine


def the_medicine(*resources, **options):
    made = chart(*resources, **options)
    assert made.unread == ()
    (found,) = made.medicines
    return found


def test_a_statement_is_read_with_label_period_and_source():
    found = the_medicine(statement())

    assert (found.ingredients, found.link, found.active) == (frozenset({"furosemide"}), Link.CODE, True)
    assert (found.label, found.source) == ("Furosemide 20mg tablets", "MedicationStatement/m1")
    assert (str(found.start), found.end, found.reasons) == ("2026-01-10", None, frozenset())


def test_all_ingredients_of_a_combination_product_are_read():
    assert the_medicine(statement(CO_AMILOFRUSE)).ingredients == {"furosemide", "amiloride"}


def test_a_dm_and_d_code_is_known_under_the_snomed_address_too():
    assert the_medicine(statement((SNOMED, FUROSEMIDE[1]))).ingredients == {"furosemide"}


# In which element the medicine stands

MEDICATION = {"resourceType": "Medication", "id": "d1", "code": concept(FUROSEMIDE, text="Furosemide 20mg tablets")}
FORMS = [
    {"medicationCodeableConcept": concept(FUROSEMIDE)},
    {"medicationReference": {"reference": "#d1"}, "contained": [MEDICATION]},
    {"medicationReference": {"reference": "Medication/d1"}},
    {"medicationReference": {"reference": "https://ehr.example/fhir/Medication/d1"}},
    {"medicationReference": {"reference": "urn:uuid:d1"}},
    {"medication": {"concept": concept(FUROSEMIDE)}},
    {"medication": concept(FUROSEMIDE)},
    {"medication": {"reference": {"reference": "Medication/d1"}}},
    {"medication": {"reference": "Medication/d1"}},
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("make", [statement, request])
def test_the_medicine_is_read_in_every_form(make, form):
    sent = make(without=("medicationCodeableConcept",)) | form

    found = the_medicine(sent, MEDICATION)

    assert (found.ingredients, found.link, found.label != "") == (frozenset({"furosemide"}), Link.CODE, True)


@pytest.mark.parametrize(
    "ingredient",
    [{"itemCodeableConcept": concept(FUROSEMIDE)}, {"item": {"concept": concept(FUROSEMIDE)}}],
)
def test_ingredients_tell_what_the_code_of_a_medication_does_not(ingredient):
    medication = {"resourceType": "Medication", "id": "d1", "code": concept(LOCAL), "ingredient": [ingredient]}
    sent = statement(without=("medicationCodeableConcept",)) | {"medicationReference": {"reference": "Medication/d1"}}

    assert the_medicine(sent, medication).ingredients == {"furosemide"}


@pytest.mark.parametrize(
    "ingredients",
    [
        {"ingredient": [{"itemReference": {"reference": "#i1"}}]},  # R4, STU3
        {"ingredient": [{"item": {"reference": {"reference": "#i1"}}}]},  # R5
        {"product": {"ingredient": [{"item": {"reference": "#i1"}}]}},  # DSTU2
    ],
)
@pytest.mark.parametrize("kind", ["Medication", "Substance"])
def test_an_ingredient_that_is_only_referred_to_is_read_where_it_is_contained(ingredients, kind):
    mixture = {"resourceType": "Medication", "id": "d1", "code": {"text": "Infusion"}} | ingredients
    ingredient = {"resourceType": kind, "id": "i1", "code": concept(FUROSEMIDE)}
    sent = statement(without=("medicationCodeableConcept",))

    inside = sent | {"medicationReference": {"reference": "#d1"}, "contained": [mixture, ingredient]}
    found = the_medicine(inside)
    assert (found.ingredients, found.link, found.label) == (frozenset({"furosemide"}), Link.CODE, "Infusion")

    beside = sent | {"medicationReference": {"reference": "Medication/d1"}}
    assert the_medicine(beside, mixture | {"contained": [ingredient]}).ingredients == {"furosemide"}


def test_an_ingredient_that_is_a_medication_of_its_own_is_read_if_it_came_along():
    package = {
        "resourceType": "Medication",
        "id": "d1",
        "code": concept(LOCAL),
        "ingredient": [{"itemReference": {"reference": "Medication/i1"}}, {"itemReference": {"reference": "#i1"}}],
    }
    tablet = {"resourceType": "Medication", "id": "i1", "code": concept(FUROSEMIDE)}
    sent = statement(without=("medicationCodeableConcept",)) | {"medicationReference": {"reference": "Medication/d1"}}

    assert the_medicine(sent, package, tablet).ingredients == {"furosemide"}
    assert chart(sent, package).unmapped == {Area.MEDICINES: 1}


@pytest.mark.parametrize(
    "ingredients",
    [
        {"ingredient": [{"itemReference": {"reference": "Substance/i1", "display": "Furosemide"}}]},
        {"ingredient": [{"item": {"reference": {"display": "Furosemide"}}}]},
        {"product": {"ingredient": [{"item": {"display": "Furosemide"}}]}},
    ],
)
def test_the_words_beside_a_reference_to_an_ingredient_name_it(ingredients):
    mixture = {"resourceType": "Medication", "id": "d1"} | ingredients
    sent = statement(without=("medicationCodeableConcept",)) | {"medicationReference": {"reference": "Medication/d1"}}

    found = the_medicine(sent, mixture)

    assert (found.ingredients, found.link) == (frozenset({"furosemide"}), Link.NAME)


def test_what_the_same_words_do_not_tell_alone_they_tell_beside_a_reference():
    unknown = {"medicationCodeableConcept": concept(LOCAL, text="Repeat item")}
    alone = statement() | unknown | {"id": "m1"}
    referring = statement() | unknown | {"id": "m2", "medicationReference": {"reference": "Medication/d1"}}

    for sent in ((alone, referring), (referring, alone)):
        made = chart(*sent, MEDICATION)
        assert [(one.source, one.ingredients) for one in made.medicines] == [("MedicationStatement/m2", {"furosemide"})]
        assert made.unmapped == {Area.MEDICINES: 1}


def test_a_code_in_the_record_itself_goes_before_that_of_what_it_refers_to():
    medication = MEDICATION | {"code": concept(CO_AMILOFRUSE)}
    sent = statement() | {"medicationReference": {"reference": "Medication/d1"}}

    assert the_medicine(sent, medication).ingredients == {"furosemide"}


def test_of_several_ingredients_what_only_a_brand_names_stands_apart():
    ingredients = [{"itemCodeableConcept": concept(code)} for code in (FUROSEMIDE, CO_AMILOFRUSE, A_BRAND)]
    medication = {"resourceType": "Medication", "id": "d1", "code": concept(LOCAL), "ingredient": ingredients}
    sent = statement(without=("medicationCodeableConcept",)) | {"medicationReference": {"reference": "Medication/d1"}}

    assert {(one.ingredients, one.link) for one in chart(sent, medication).medicines} == {
        (frozenset({"furosemide", "amiloride"}), Link.CODE),
        (frozenset({"atomoxetine"}), Link.BRAND),
    }


# How it was recognised


def test_a_code_beats_the_text():
    assert (
        the_medicine(statement() | {"medicationCodeableConcept": concept(FUROSEMIDE, text="Quinine")}).link is Link.CODE
    )


@pytest.mark.parametrize(
    "sent",
    [
        {"medicationCodeableConcept": {"text": "Furosemide 20mg tablets"}},
        {"medicationCodeableConcept": concept(LOCAL, text="Furosemide 20mg tablets")},
        {"medicationCodeableConcept": {"coding": [{"system": LOCAL[0], "code": "x", "display": "Furosemide 20mg"}]}},
        {"medicationReference": {"reference": "Medication/gone", "display": "Furosemide 20mg tablets"}},
        {"medication": {"reference": {"reference": "Medication/gone", "display": "Furosemide 20mg tablets"}}},
    ],
)
def test_text_is_used_only_where_no_code_is_known_and_marks_the_match(sent):
    found = the_medicine(statement(without=("medicationCodeableConcept",)) | sent)

    assert (found.ingredients, found.link) == (frozenset({"furosemide"}), Link.NAME)


def test_a_brand_that_does_not_name_its_ingredient_is_marked():
    assert the_medicine(statement(A_BRAND)).link is Link.BRAND


def test_what_only_a_brand_names_stands_apart_from_what_a_code_names():
    made = chart(statement() | {"medicationCodeableConcept": concept(FUROSEMIDE, A_BRAND)})

    assert {(tuple(one.ingredients), one.link) for one in made.medicines} == {
        (("furosemide",), Link.CODE),
        (("atomoxetine",), Link.BRAND),
    }


def test_a_medicine_in_no_set_is_counted_and_nothing_else():
    made = chart(statement(NOT_OURS) | {"medicationCodeableConcept": concept(NOT_OURS, text="Amlodipine 10mg")})

    assert (made.medicines, made.unread, made.unmapped) == ((), (), {Area.MEDICINES: 1})
    assert made.inputs[Area.MEDICINES].reading is Reading.COMPLETE


def test_a_label_is_record_text_made_safe_and_never_empty():
    hostile = statement() | {"medicationCodeableConcept": concept(FUROSEMIDE, text="<img src=x> www.evil.example")}
    nothing_to_show = statement() | {"medicationCodeableConcept": concept(FUROSEMIDE, text="***")}

    assert the_medicine(hostile).label == "img src x ww w. evil. example"
    assert the_medicine(nothing_to_show).label == "Furosemide"


NAMELESS = [
    {},
    {"medicationReference": {"reference": "Medication/gone"}},
    {"medicationReference": {"reference": "#gone"}},
    {"medicationCodeableConcept": {}},
    {"medicationCodeableConcept": "Furosemide"},
    {"medication": {"reference": {"reference": "Medication/gone"}}},
]


@pytest.mark.parametrize("sent", NAMELESS)
def test_a_medicine_in_use_without_a_name_could_be_any(sent):
    made = chart(statement(without=("medicationCodeableConcept",)) | sent)

    assert [(one.about, one.why) for one in made.unread] == [("", "a medicine whose name could not be read")]
    assert made.inputs[Area.MEDICINES].reading is Reading.INCOMPLETE
    assert made.inputs[Area.MEDICINES].why == "a medicine whose name could not be read"


ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
UNSAID = [
    concept((ABSENT, "unknown")),
    concept((ABSENT, "masked"), text="masked"),
    concept(("http://hl7.org/fhir/data-absent-reason", "error")),
    {"coding": [{"system": ABSENT, "code": "unknown", "display": "Unknown"}], "text": "Unknown "},
    concept((IPS, "no-medication-info"), text="No information about medications"),
]


@pytest.mark.parametrize("name", UNSAID)
@pytest.mark.parametrize("status", ["active", "unknown"])
def test_a_medicine_whose_name_is_not_told_could_be_any(name, status):
    without = statement(without=("medicationCodeableConcept",), status=status)
    medication = {"resourceType": "Medication", "id": "d1", "code": name}
    forms = [
        ({"medicationCodeableConcept": name},),
        ({"medication": {"concept": name}},),
        ({"medicationReference": {"reference": "Medication/d1"}}, medication),
        ({"medicationReference": {"reference": "#d1"}, "contained": [medication]},),
    ]
    for form, *beside in forms:
        made = chart(without | form, *beside)
        assert made.inputs[Area.MEDICINES].reading is Reading.INCOMPLETE
        assert [one.why for one in made.unread] == ["a medicine whose name could not be read"]
        assert made.unmapped == {}


@pytest.mark.parametrize(
    "name",
    [
        concept((ABSENT, "unknown"), text="Herbal tea"),
        concept((ABSENT, "as-text")),
        concept((ABSENT, "not-applicable")),
        concept((ABSENT, "unknown"), LOCAL),
        concept((IPS, "no-known-medications")),
    ],
)
def test_a_medicine_that_is_named_after_all_or_is_none_leaves_no_gap(name):
    made = chart(statement(without=("medicationCodeableConcept",)) | {"medicationCodeableConcept": name})

    assert made.inputs[Area.MEDICINES].reading is Reading.COMPLETE
    assert (made.unread, made.unmapped) == ((), {Area.MEDICINES: 1})


@pytest.mark.parametrize("name", UNSAID[:1])
def test_words_beside_a_reference_tell_what_its_code_leaves_unsaid(name):
    medication = {"resourceType": "Medication", "id": "d1", "code": name}
    called = {"medicationReference": {"reference": "Medication/d1", "display": "Furosemide 40 mg"}}

    assert the_medicine(statement(without=("medicationCodeableConcept",)) | called, medication).link is Link.NAME


@pytest.mark.parametrize("over", [{"status": "stopped"}, {"effectivePeriod": {"end": "2026-06-14"}}])
def test_a_medicine_without_a_name_that_is_over_matters_to_nobody(over):
    made = chart(statement(without=("medicationCodeableConcept",), **over))

    assert made.unread == ()
    assert made.inputs[Area.MEDICINES].reading is Reading.COMPLETE


# Whether it is taken


@pytest.mark.parametrize(
    ("elements", "active"),
    [
        ({"status": "active"}, True),
        ({"status": "recorded"}, True),
        ({"status": "recorded", "adherence": {"code": concept(("", "not-taking"))}}, False),
        ({"status": "recorded", "adherence": {"code": concept(("", "taking-as-directed"))}}, True),
        ({"status": "active", "taken": "unk"}, True),
        ({"status": "active", "wasNotTaken": False}, True),
        ({"status": "completed"}, False),
        ({"status": "stopped"}, False),
        ({"status": "on-hold"}, False),
        ({"status": "intended"}, False),
    ],
)
def test_the_status_of_a_statement_decides(elements, active):
    assert the_medicine(statement(**elements)).active is active


@pytest.mark.parametrize(
    ("elements", "active"),
    [
        ({"status": "active"}, True),
        ({"intent": "plan"}, True),
        ({"intent": "original-order"}, True),
        ({"intent": "reflex-order"}, True),
        ({"intent": "filler-order"}, True),
        ({"intent": "instance-order"}, True),
        ({"intent": None}, True),
        ({"status": "draft"}, False),
        ({"status": "completed"}, False),
        ({"status": "ended"}, False),
    ],
)
def test_status_and_intent_of_a_request_decide(elements, active):
    assert the_medicine(request(**elements)).active is active


@pytest.mark.parametrize(
    "made",
    [
        lambda status: statement(FUROSEMIDE, status=status, effectivePeriod={"start": "2026-01-01"}),
        lambda status: request(status=status, authoredOn="2026-01-01"),
    ],
    ids=["statement", "request"],
)
@pytest.mark.parametrize(("status", "begun"), [("intended", False), ("draft", False), ("completed", True)])
def test_what_was_never_begun_has_no_start_that_could_lengthen_a_course(made, status, begun):
    assert (the_medicine(made(status)).start is not None) is begun


@pytest.mark.parametrize(
    "sent",
    [
        statement(status="entered-in-error"),
        statement(status="not-taken"),
        statement(wasNotTaken=True),
        statement(taken="n"),
        request(status="cancelled"),
        request(status="entered-in-error"),
        request(doNotPerform=True),
        request(intent="proposal"),
        request(intent="option"),
    ],
)
def test_what_was_never_taken_is_left_out_by_rule(sent):
    made = chart(sent)

    assert made.medicines == ()
    assert [(one.about, one.expected) for one in made.unread] == [("furosemide", True)]


@pytest.mark.parametrize("status", ["unknown", None, "ACTIVE?", ["active"]])
def test_a_medicine_without_a_status_that_is_known_is_named_and_does_not_count(status):
    assert why_unread(statement(status=status)) == "Furosemide 20mg tablets: it is not stated whether it is taken"


@pytest.mark.parametrize(
    ("period", "active"),
    [
        ({"start": "2026-01-10", "end": "2026-06-14"}, False),
        ({"start": "2026-01-10", "end": "2026-06-15"}, True),
        ({"start": "2026-01-10", "end": "2026"}, True),
        ({"start": "2026-01-10", "end": "9999-12-31"}, True),
        ({"start": "2026-06-15"}, True),
        ({"start": "2026-06-16"}, False),
        ({"start": "2026"}, True),
        (None, True),
    ],
)
def test_a_medicine_counts_from_its_start_until_its_end(period, active):
    assert the_medicine(statement(effectivePeriod=period)).active is active


def test_a_single_effective_date_is_a_start():
    found = the_medicine(statement(effectiveDateTime="2026-03-01", without=("effectivePeriod",)))

    assert (str(found.start), found.end) == ("2026-03-01", None)


def dosage(end):
    return {"timing": {"repeat": {"boundsPeriod": {"start": "2026-02-01"} | ({"end": end} if end else {})}}}


@pytest.mark.parametrize(
    ("elements", "end", "active"),
    [
        ({"dosageInstruction": [dosage("2026-06-14")]}, "2026-06-14", False),
        ({"dosageInstruction": [dosage("2026-06-15")]}, "2026-06-15", True),
        ({"dosageInstruction": [dosage("2026-03-01"), dosage("2026-07-01")]}, "2026-07-01", True),
        ({"dosageInstruction": [dosage("2026-03-01"), dosage(None)]}, "None", True),
        ({"dispenseRequest": {"validityPeriod": {"end": "2026-06-14"}}}, "2026-06-14", False),
        ({"dosageInstruction": [dosage("2026-07-01")], "dispenseRequest": {"validityPeriod": {"end": "2026-06-14"}}},
         "2026-07-01", True),
        ({"dateEnded": "2026-06-01"}, "2026-06-01", False),
        ({}, "None", True),
    ],
)  # fmt: skip
def test_a_request_ends_with_its_dosage_else_with_its_validity(elements, end, active):
    found = the_medicine(request(**elements))

    assert (str(found.end), found.active) == (end, active)


@pytest.mark.parametrize(
    ("elements", "start"),
    [
        ({}, "2026-01-10"),
        ({"authoredOn": None, "dateWritten": "2025-12-01"}, "2025-12-01"),
        ({"authoredOn": None, "dosageInstruction": [dosage(None)]}, "2026-02-01"),
        ({"authoredOn": None}, "None"),
    ],
)
def test_a_request_starts_when_it_was_written(elements, start):
    assert str(the_medicine(request(**elements)).start) == start


def test_an_end_that_cannot_be_read_does_not_end_it_and_is_named():
    made = chart(statement(effectivePeriod={"start": "2026-01-10", "end": "soon"}))

    assert [one.active for one in made.medicines] == [True]
    assert [one.why for one in made.unread] == ["Furosemide 20mg tablets: the date of its end could not be read"]


def test_a_start_that_cannot_be_read_is_named():
    made = chart(statement(effectivePeriod={"start": "a while ago"}), request(authoredOn="a while ago"))

    assert [(one.start, one.active) for one in made.medicines] == [(None, True)] * 2
    assert {one.why for one in made.unread} == {"Furosemide 20mg tablets: the date of its start could not be read"}


def test_of_a_medicine_that_is_not_taken_now_no_unread_date_is_named():
    made = chart(
        statement(status="completed", effectivePeriod={"start": "a while ago", "end": "soon"}),
        request(status="stopped", authoredOn="a while ago"),
    )

    assert [one.active for one in made.medicines] == [False, False]
    assert made.unread == ()


@pytest.mark.parametrize("kind", ["MedicationOrder", "MedicationPrescription"])
def test_older_names_of_a_request_are_read(kind):
    found = the_medicine(request(resourceType=kind, authoredOn=None, dateWritten="2026-01-10", intent=None))

    assert (found.source, found.active) == (f"{kind}/r1", True)


@pytest.mark.parametrize(
    "elements",
    [
        {"reasonCode": [concept(CRAMP)]},
        {"reasonCodeableConcept": concept(CRAMP)},
        {"reasonForUseCodeableConcept": concept(CRAMP)},
        {"reason": [{"concept": concept(CRAMP)}]},
        {"reasonReference": [{"reference": "Condition/c1"}]},
        {"reason": [{"reference": {"reference": "Condition/c1"}}]},
    ],
)
def test_the_reason_is_read_in_every_spelling(elements):
    made = chart(request(**elements), condition())

    assert [one.reasons for one in made.medicines] == [frozenset({"muscle-cramp"})]


def test_a_medication_needs_no_patient_of_its_own():
    sent = statement(without=("medicationCodeableConcept",)) | {"medicationReference": {"reference": "Medication/d1"}}

    assert the_medicine(sent, MEDICATION | {"subject": OURS}).active
