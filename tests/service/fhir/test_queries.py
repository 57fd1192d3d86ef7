"""Each search is stated once: what a site types in, and what we ask ourselves."""

import re
from functools import cache
from urllib.parse import parse_qsl

import pytest

from cards.entries import Area
from service.fhir.queries import (
    LONGEST_TEMPLATE,
    ORDER_SELECT,
    ORDER_SIGN,
    PATIENT_VIEW,
    SERVICES,
    is_fhir_id,
    medications_path,
    prefetch_templates,
    queries_for,
)
from terminology.vocabulary import load

ALLOWED_PARAMETERS = {
    "Condition": {"patient", "_sort", "_count"},
    "Observation": {"patient", "code", "_sort", "_count"},
    "MedicationStatement": {"patient", "_sort", "_count", "_include"},
    "MedicationRequest": {"patient", "_sort", "_count", "_include"},
    "ServiceRequest": {"patient", "_sort", "_count"},
    "AllergyIntolerance": {"patient", "_sort", "_count"},
    "Procedure": {"patient", "_sort", "_count"},
    "FamilyMemberHistory": {"patient", "_sort", "_count"},
}
# The search parameters of FHIR R4 that hold the time of each type.
NEWEST_FIRST = {
    "Condition": "-recorded-date",
    "Observation": "-date",
    "MedicationStatement": "-effective",
    "MedicationRequest": "-authoredon",
    "ServiceRequest": "-authored",
    "AllergyIntolerance": "-date",
    "Procedure": "-date",
    "FamilyMemberHistory": "-date",
}


class Words:
    """A vocabulary of as many codes per concept as a test wants."""

    def __init__(self, *, each=1, length=7, signs="9"):
        self.each, self.length, self.signs = each, length, signs

    def codes_to_search(self, concepts):
        return tuple(
            f"{concept[:2]}{len(concept)}{n}".ljust(self.length, "0") for concept in concepts for n in range(self.each)
        )


@cache
def our_vocabulary():
    return load()


VOCABULARIES = {"few codes": Words, "many codes": lambda: Words(each=40, length=18), "ours": our_vocabulary}


@pytest.fixture(params=VOCABULARIES)
def vocabulary(request):
    return VOCABULARIES[request.param]()


@pytest.fixture(params=sorted(SERVICES))
def queries(request, vocabulary):
    return queries_for(request.param, vocabulary)


def searches(queries):
    return [(q, *q.template.split("?", 1)) for q in queries if not q.is_read]


def test_the_keys_are_those_the_documentation_promises():
    assert list(prefetch_templates(queries_for(PATIENT_VIEW, Words()))) == [
        "patient",
        "encounter",
        "problems",
        "results",
        "medicationStatements",
        "medicationRequests",
        "serviceRequests",
        "procedures",
        "familyHistory",
    ]


def test_allergies_are_asked_for_when_a_drug_is_ordered_and_relatives_when_the_record_is_opened():
    for service in (ORDER_SELECT, ORDER_SIGN):
        keys = {q.key for q in queries_for(service, Words())}

        assert "allergies" in keys
        assert "familyHistory" not in keys


def test_an_unknown_service_has_no_queries():
    with pytest.raises(KeyError):
        queries_for("muscle-something-else", Words())


def test_every_query_has_a_key_of_its_own(queries):
    assert len({q.key for q in queries}) == len(queries)


def test_a_template_holds_only_tokens_of_cds_hooks_2_0(queries):
    for query in queries:
        tokens = re.findall(r"{{(.*?)}}", query.template)

        assert set(tokens) <= {"context.patientId", "context.encounterId"}
        assert len(tokens) == 1
        assert "%" not in query.template.replace("%2C", "")


def test_a_template_is_a_read_or_a_search_of_one_type(queries):
    for query in queries:
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/{{context\.\w+}}|\?[^?#\s]+)", query.template)


def test_a_search_uses_allowed_parameters_each_once(queries):
    for query, kind, text in searches(queries):
        names = [name for name, _ in parse_qsl(text, strict_parsing=True)]

        assert len(names) == len(set(names)), query.key
        assert set(names) <= ALLOWED_PARAMETERS[kind], query.key


def test_a_search_names_the_patient_sorts_newest_first_and_says_how_many(queries):
    for query, kind, text in searches(queries):
        asked = dict(parse_qsl(text))

        assert asked["patient"] == "{{context.patientId}}"
        assert asked["_sort"] == NEWEST_FIRST[kind], query.key
        assert 100 <= int(asked["_count"]) <= 250


def test_no_template_is_longer_than_a_site_can_type_in(queries):
    assert max(len(q.template) for q in queries) < LONGEST_TEMPLATE


def test_only_medicines_include_and_only_the_medication(queries):
    for query, kind, text in searches(queries):
        included = dict(parse_qsl(text)).get("_include")

        assert included == (f"{kind}:medication" if query.area is Area.MEDICINES else None)


def test_procedures_and_relatives_are_welcome_but_not_needed():
    optional = {q.key for q in queries_for(PATIENT_VIEW, Words()) if not q.needed}

    assert optional == {"procedures", "familyHistory"}


def codes_of(queries):
    return [
        code
        for query, _, text in searches(queries)
        if query.area is Area.RESULTS
        for code in dict(parse_qsl(text))["code"].split(",")
    ]


def test_a_long_list_of_codes_is_split_over_keys_without_losing_or_repeating_one():
    few = Words(each=40, length=18)
    queries = queries_for(PATIENT_VIEW, few)
    codes = codes_of(queries)

    assert [q.key for q in queries if q.area is Area.RESULTS][:3] == ["results", "results-2", "results-3"]
    assert len(codes) == len(set(codes))
    assert set(few.codes_to_search(["potassium", "ck-total", "foot-drop"])) <= set(codes)


def test_the_first_key_holds_the_analytes_and_signs_come_after_them():
    codes = codes_of(queries_for(PATIENT_VIEW, Words()))
    potassium, weakness = Words().codes_to_search(["potassium", "muscle-weakness"])

    assert codes.index(potassium) < codes.index(weakness) < codes.index("11341-5")
    assert "77386006" in codes


def test_our_own_codes_fit_one_key_and_each_is_one_the_reader_knows():
    queries = queries_for(PATIENT_VIEW, our_vocabulary())
    codes = codes_of(queries)

    assert [q.key for q in queries if q.area is Area.RESULTS] == ["results"]
    assert {"2823-3", "2157-6", "26544005"} <= set(codes)  # potassium, creatine kinase, muscle weakness
    assert "77386006" in our_vocabulary().codes_to_search(["pregnancy"])


def test_a_local_code_cannot_break_out_of_its_parameter():
    class Odd:
        def codes_to_search(self, _concepts):
            return ("K,Na|x", "CK&patient=2", "a b")

    (template,) = [q.template for q in queries_for(PATIENT_VIEW, Odd()) if q.key == "results"]
    asked = parse_qsl(template.split("?")[1])

    assert [name for name, _ in asked] == ["patient", "code", "_sort", "_count"]
    assert asked[1][1].startswith(r"K\,Na\|x,CK&patient=2,a b,")


def test_ids_are_filled_in():
    patient, encounter, problems, *_ = queries_for(PATIENT_VIEW, Words())

    assert patient.path(patient_id="p-1.A", encounter_id=None) == "Patient/p-1.A"
    assert encounter.path(patient_id="p1", encounter_id="e1") == "Encounter/e1"
    assert problems.path(patient_id="p1", encounter_id=None) == "Condition?patient=p1&_sort=-recorded-date&_count=250"


def test_an_encounter_that_the_context_does_not_name_cannot_be_asked_for():
    encounter = queries_for(PATIENT_VIEW, Words())[1]

    assert encounter.path(patient_id="p1", encounter_id=None) is None


@pytest.mark.parametrize(
    "odd",
    [
        "1&_id=2",
        "../Patient/2",
        "..",
        ".",
        "...",
        "",
        "a b",
        "p1\n",
        "p/1",
        "%2e%2e",
        "{{context.encounterId}}",
        "x" * 65,
        "é",
        "p?x",
    ],
)
def test_t12_what_is_no_fhir_id_never_enters_a_path(odd):
    assert not is_fhir_id(odd)
    for query in queries_for(PATIENT_VIEW, Words()):
        if query.key != "encounter":
            assert query.path(patient_id=odd, encounter_id="e1") is None


def test_medications_are_asked_for_by_id_in_one_search():
    assert medications_path(["m1", "m-2"]) == "Medication?_id=m1,m-2&_count=2"
