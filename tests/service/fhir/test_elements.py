"""An element that was kept as text says what the same element says as plain JSON, however it is written."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.elements import code_words, coded, member, objects, pairs, said
from service.fhir.read_medicines import named
from service.fhir.record import Record
from service.fhir.resource import Medication, MedicationStatement, from_json, from_object
from tests.service.fhir.builders import AS_OF, DMD, FUROSEMIDE, LONDON, PATIENT, SNOMED, vocabulary

TEXTS = st.sampled_from(["", " ", "x", "Furosemide 20mg", " Quinine ", "Active", "317971007", "55300003", DMD, SNOMED])
ODD = st.sampled_from([None, True, 0, 7, 55300003, 2.5, 10**30, [], {}, ["x"], {"x": "y"}])
VALUES = st.one_of(TEXTS, TEXTS, TEXTS, ODD)
PARTS = {"system": VALUES, "code": VALUES, "display": VALUES, "text": VALUES, "userSelected": ODD}
CODINGS = st.fixed_dictionaries({}, optional=PARTS) | st.just(dict(zip(("system", "code"), FUROSEMIDE, strict=True)))
CONCEPTS = st.fixed_dictionaries({}, optional={"coding": st.lists(CODINGS | ODD, max_size=3) | CODINGS | ODD} | PARTS)
ELEMENTS = st.one_of(CONCEPTS, CONCEPTS, st.lists(CONCEPTS | ODD, max_size=3), ODD, TEXTS)


def kept(value) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


@given(ELEMENTS)
def test_kept_as_text_it_says_the_same(value):
    for ask in (pairs, code_words, said, lambda one: member(one, "text"), lambda one: list(objects(one))):
        assert ask(kept(value)) == ask(value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"coding": [{"system": DMD, "code": "1"}], "text": "x"}, ((DMD, "1"),)),
        ({"coding": [{"code": "1"}, {"display": "y"}, {"system": DMD, "code": "2"}]}, (("", "1"), (DMD, "2"))),
        ({"coding": []}, ()),
    ],
)
def test_a_concept_that_is_written_as_it_ought_to_be_needs_no_closer_look(value, found):
    assert coded(kept(value)) is not None
    assert pairs(kept(value)) == found


@pytest.mark.parametrize("value", [None, [], {}, "x", {"text": "x"}, {"coding": None}, {"coding": [{"code": 7}]}])
def test_any_other_is_looked_at_member_by_member(value):
    assert coded(kept(value)) is None


@given(
    st.fixed_dictionaries({}, optional={"code": ELEMENTS, "own": ELEMENTS, "display": VALUES, "ingredient": CONCEPTS})
)
def test_a_medicine_is_called_the_same_however_its_name_was_kept(parts):
    medication = {"resourceType": "Medication", "id": "d1"}
    medication |= {"code": parts["code"]} if "code" in parts else {}
    medication |= {"ingredient": [{"itemCodeableConcept": parts["ingredient"]}]} if "ingredient" in parts else {}
    sent = {"resourceType": "MedicationStatement", "medicationReference": {"reference": "Medication/d1"}}
    sent["medicationReference"] |= {"display": parts["display"]} if "display" in parts else {}
    sent |= {"medicationCodeableConcept": parts["own"]} if "own" in parts else {}

    def called(make):
        statement, referred_to = make(sent), make(medication)
        record = Record(
            patient_id=PATIENT,
            as_of=AS_OF,
            zone=LONDON,
            vocabulary=vocabulary(),
            resources={MedicationStatement: [statement], Medication: [referred_to]},
        )
        return [named(statement, record) for _ in range(2)]

    assert called(lambda one: from_json(json.dumps(one).encode())) == called(from_object)
