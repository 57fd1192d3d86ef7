"""Every condition, allergy and medicine that the rows on quinine and diltiazem name, in every code system the tables hold.

A whole call each: the codes of the tables go in as FHIR, the card comes out (rows O2, O3, O5 and O6).
"""

import json
from collections import Counter
from datetime import date
from functools import cache

import pytest

from service.app import create_advisor, create_app, load_parts
from service.settings import Profile, Settings
from service.watching import access_log
from terminology.tables import read

TODAY = date(2026, 6, 15)
URI = {
    "snomed": "http://snomed.info/sct",
    "icd-10": "http://hl7.org/fhir/sid/icd-10",
    "icd-10-cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "dmd": "https://dmd.nhs.uk",
}
QUININE, DILTIAZEM = ("rxnorm", "9071"), ("rxnorm", "3443")

CONTRAINDICATIONS = ("tinnitus", "optic-neuritis", "haemoglobinuria", "haemolysis", "myasthenia-gravis")
CAUTIONS = (
    "atrial-fibrillation",
    "av-block",
    "av-block-second-degree",
    "av-block-complete",
    "conduction-disorder",
    "qt-prolongation",
    "heart-failure",
    "ischaemic-heart-disease",
    "angina",
    "g6pd-deficiency",
    "pregnancy",
)
INTERACTING = (
    "digoxin",
    "warfarin",
    "apixaban",
    "amiodarone",
    "clarithromycin",
    "sotalol",
    "carbamazepine",
    "phenobarbital",
    "gliclazide",
    "insulin",
    "itraconazole",
    "amantadine",
)
"""One or two of each class the rows name."""

HEART_BLOCKS = ("sick-sinus-syndrome", "av-block-second-degree", "av-block-complete", "breastfeeding")
HEART_CAUTIONS = ("heart-failure", "bradycardia")


@cache
def client():
    settings = Settings(profile=Profile.DEMO)
    parts = load_parts(settings)
    advisor = create_advisor(settings, parts, today=lambda: TODAY)
    return create_app(settings, parts, advise=advisor.advise, log=access_log("error")).test_client()


@cache
def tables():
    return read()


@cache
def rows() -> list[dict[str, str]]:
    """All rows that count, exact codes first; a medicine known by an unsourced brand alone does not."""
    found = [row.cells for row in (*tables().problems, *tables().medicines) if row.cells["kind"] != "exclude"]
    found = [row for row in found if row["system"] in URI and not row.get("assigned_by", "").startswith("brand")]
    return sorted(found, key=lambda row: row["kind"] != "exact")


@cache
def meanings() -> Counter[tuple[str, str]]:
    """How many concepts a code stands for: a combination product, or heart failure with hypertension, for two."""
    return Counter((row["system"], row["code"]) for row in rows())


@cache
def codes(concept: str) -> tuple[tuple[str, str], ...]:
    """For each system the first code that stands for the concept and for no other."""
    first: dict[str, str] = {}
    for row in rows():
        if row["concept"] == concept and meanings()[row["system"], row["code"]] == 1:
            first.setdefault(row["system"], row["code"])
    return tuple(sorted(first.items()))


def each(*concepts: str) -> list[object]:
    """A coding of each concept in each system that has one. A concept without any is a hole in the tables."""
    assert all(codes(concept) for concept in concepts)
    return [pytest.param(code, id=f"{concept} in {code[0]}") for concept in concepts for code in codes(concept)]


def concept_of(coding: tuple[str, str]) -> dict[str, object]:
    return {"coding": [{"system": URI[coding[0]], "code": coding[1]}]}


def problem(coding: tuple[str, str]) -> dict[str, object]:
    active = {"coding": [{"code": "active"}]}
    return {
        "resourceType": "Condition",
        "code": concept_of(coding),
        "clinicalStatus": active,
        "recordedDate": "2024-05-01",
    }


def medicine(coding: tuple[str, str], **more: object) -> dict[str, object]:
    return {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": concept_of(coding),
    } | more


def ordered(draft: tuple[str, str], **found: list[dict[str, object]]) -> dict[str, str]:
    """Topic and indicator of the cards for one drafted medicine, beside these resources by prefetch key."""
    ours = {"reference": "Patient/p1"}
    prefetch: dict[str, object] = {
        "patient": {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1960-01-01"}
    }
    for key in ("problems", "results", "medicationStatements", "medicationRequests", "serviceRequests", "allergies"):
        owner = "patient" if key == "allergies" else "subject"
        entries = [{"resource": one | {"id": f"{key}-{n}", owner: ours}} for n, one in enumerate(found.get(key, []))]
        prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    order = {"resourceType": "MedicationRequest", "id": "d1", "status": "draft", "intent": "order", "subject": ours}
    order["medicationCodeableConcept"] = concept_of(draft)
    body = {
        "hook": "order-select",
        "hookInstance": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "p1",
            "selections": ["MedicationRequest/d1"],
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]},
        },
        "prefetch": prefetch,
    }
    answer = client().post("/cds-services/muscle-order-select", data=json.dumps(body))
    assert answer.status_code == 200, answer.text
    return {card["source"]["topic"]["code"]: card["indicator"] for card in answer.get_json()["cards"]}


CRAMP = problem(("snomed", "55300003")) | {"recordedDate": "2026-06-01"}


@pytest.mark.parametrize("coding", each(*CONTRAINDICATIONS))
def test_a_contraindication_of_quinine_is_seen_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(QUININE, problems=[problem(coding)]) == {"quinine": "critical"}


@pytest.mark.parametrize("coding", each("quinine"))
def test_an_allergy_to_quinine_is_seen_in_every_code_system(coding: tuple[str, str]) -> None:
    allergy = {"resourceType": "AllergyIntolerance", "code": concept_of(coding)}

    assert ordered(QUININE, allergies=[allergy]) == {"quinine": "critical"}


@pytest.mark.parametrize("coding", each(*CAUTIONS))
def test_a_caution_of_quinine_is_seen_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(QUININE, problems=[problem(coding)]) == {"quinine": "warning"}


@pytest.mark.parametrize("coding", each(*INTERACTING))
def test_an_interaction_of_quinine_is_seen_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(QUININE, medicationStatements=[medicine(coding)]) == {"quinine": "warning"}


@pytest.mark.parametrize("coding", each("malaria"))
def test_malaria_silences_quinine_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(QUININE, problems=[problem(coding)]) == {}


@pytest.mark.parametrize("coding", each("quinine"))
def test_a_drafted_quinine_is_seen_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(coding) == {"quinine": "info"}


@pytest.mark.parametrize("coding", each(*HEART_BLOCKS))
def test_a_contraindication_of_diltiazem_is_seen_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(DILTIAZEM, problems=[CRAMP, problem(coding)]) == {"diltiazem": "critical"}


@pytest.mark.parametrize("coding", each(*HEART_CAUTIONS))
def test_a_caution_of_diltiazem_is_seen_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(DILTIAZEM, problems=[CRAMP, problem(coding)]) == {"diltiazem": "warning"}


@pytest.mark.parametrize("coding", each("ivabradine"))
def test_ivabradine_contraindicates_diltiazem_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(DILTIAZEM, problems=[CRAMP], medicationStatements=[medicine(coding)]) == {"diltiazem": "critical"}


@pytest.mark.parametrize("coding", each("bisoprolol", "sotalol"))
def test_a_beta_blocker_beside_diltiazem_is_seen_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(DILTIAZEM, problems=[CRAMP], medicationStatements=[medicine(coding)]) == {"diltiazem": "warning"}


@pytest.mark.parametrize("coding", each("simvastatin"))
@pytest.mark.parametrize(("dose", "indicator"), [(20, "info"), (21, "warning"), (40, "warning")])
def test_simvastatin_over_20_mg_is_seen_in_every_code_system(
    coding: tuple[str, str], dose: int, indicator: str
) -> None:
    daily = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    dosage = [{"timing": daily, "doseAndRate": [{"doseQuantity": {"value": dose, "unit": "mg"}}]}]
    taken = medicine(coding, dosage=dosage)

    assert ordered(DILTIAZEM, problems=[CRAMP], medicationStatements=[taken]) == {"diltiazem": indicator}


@pytest.mark.parametrize("coding", each("diltiazem"))
def test_a_drafted_diltiazem_is_seen_in_every_code_system(coding: tuple[str, str]) -> None:
    assert ordered(coding, problems=[CRAMP]) == {"diltiazem": "info"}
