"""Resources and charts for the tests of reading: one patient, one day, and the project's own vocabulary."""

import json
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

from cards.chart import Chart
from service.fhir.assemble import assemble
from service.fhir.resource import Resource, from_json
from service.fhir.retrieved import Resources
from terminology.vocabulary import Vocabulary, load

PATIENT = "p1"
AS_OF = date(2026, 6, 15)
LONDON = ZoneInfo("Europe/London")
OURS = {"reference": f"Patient/{PATIENT}"}

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
DMD = "https://dmd.nhs.uk"
UCUM = "http://unitsofmeasure.org"
V2_0493 = "http://terminology.hl7.org/CodeSystem/v2-0493"

# Codes as terminology/value_sets has them.
POTASSIUM = (LOINC, "2823-3")
SODIUM = (LOINC, "2951-2")
CALCIUM = (LOINC, "17861-6")
MAGNESIUM = (LOINC, "2601-3")
CK = (LOINC, "2157-6")
CK_MB = (LOINC, "13969-1")
TSH = (LOINC, "3016-3")
SAMPLE_HAEMOLYSED = (LOINC, "20393-5")
CRAMP = (SNOMED, "55300003")
PREGNANT = (SNOMED, "77386006")
FUROSEMIDE = (DMD, "317971007")

KEYS = {
    "Patient": "patient",
    "Encounter": "encounter",
    "Condition": "problems",
    "Observation": "results",
    "MedicationStatement": "medicationStatements",
    "MedicationRequest": "medicationRequests",
    "MedicationOrder": "medicationRequests",
    "ServiceRequest": "serviceRequests",
    "ReferralRequest": "serviceRequests",
    "ProcedureRequest": "serviceRequests",
    "DiagnosticOrder": "serviceRequests",
    "AllergyIntolerance": "allergies",
    "Procedure": "procedures",
    "FamilyMemberHistory": "familyHistory",
}


@cache
def vocabulary() -> Vocabulary:
    return load()


def resource(value: dict) -> Resource:
    return from_json(json.dumps(value).encode())


def concept(*codings, text=None) -> dict:
    made = {"coding": [{"system": system, "code": code} for system, code in codings]} if codings else {}
    return made | ({"text": text} if text else {})


def quantity(value, unit=None, **more) -> dict:
    return {"value": value} | ({"unit": unit} if unit else {}) | more


def observation(code=POTASSIUM, value=4.2, unit="mmol/L", **more) -> dict:
    """A final result of ours, taken five days ago. ``without`` names members to leave out."""
    without = more.pop("without", ())
    made = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": concept(code),
        "subject": OURS,
        "effectiveDateTime": "2026-06-10T09:00:00Z",
    }
    if value is not None:
        made["valueQuantity"] = quantity(value, unit)
    made |= more
    return {name: one for name, one in made.items() if name not in without}


def condition(code=CRAMP, **more) -> dict:
    without = more.pop("without", ())
    made = {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": concept(code),
        "subject": OURS,
        "recordedDate": "2026-06-01",
    } | more
    return {name: one for name, one in made.items() if name not in without}


def statement(code=FUROSEMIDE, **more) -> dict:
    without = more.pop("without", ())
    made = {
        "resourceType": "MedicationStatement",
        "id": "m1",
        "status": "active",
        "medicationCodeableConcept": concept(code, text="Furosemide 20mg tablets"),
        "subject": OURS,
        "effectivePeriod": {"start": "2026-01-10"},
    } | more
    return {name: one for name, one in made.items() if name not in without}


def request(code=FUROSEMIDE, **more) -> dict:
    without = more.pop("without", ())
    made = {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(code, text="Furosemide 20mg tablets"),
        "subject": OURS,
        "authoredOn": "2026-01-10T10:00:00Z",
    } | more
    return {name: one for name, one in made.items() if name not in without}


def patient(**more) -> dict:
    return {"resourceType": "Patient", "id": PATIENT, "birthDate": "1970-05-01", "gender": "female"} | more


def retrieved(*resources: dict) -> dict[str, Resources]:
    """Each resource under the query that asks for its type; others under ``results``."""
    sorted_out: dict[str, list[Resource]] = {}
    for one in resources:
        sorted_out.setdefault(KEYS.get(one.get("resourceType"), "results"), []).append(resource(one))
    return {key: Resources(tuple(found)) for key, found in sorted_out.items()}


def chart_of(answers, **options) -> Chart:
    settings = {"patient_id": PATIENT, "as_of": AS_OF, "zone": LONDON, "vocabulary": vocabulary()} | options
    return assemble(answers, **settings)


def chart(*resources: dict, **options) -> Chart:
    return chart_of(retrieved(*resources), **options)


def result(*resources: dict, **options):
    """The one result that is read, with nothing left unread."""
    made = chart(*resources, **options)
    assert made.unread == ()
    (found,) = made.results
    return found


def why_unread(*resources: dict, **options) -> str:
    """The one reason why nothing is read."""
    made = chart(*resources, **options)
    assert (made.results, made.problems, made.medicines, made.orders, made.allergies) == ((),) * 5
    (found,) = made.unread
    return found.why
