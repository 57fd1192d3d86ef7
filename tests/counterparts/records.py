"""The records that are put into a FHIR server, and what a record system would prefetch of each.

Ours are the synthetic patients of the demo. Those of other makers stand beside the project and not in it: they are
moved in time, so that the newest entry is ten days old, and each is given a coded cramp, because without a symptom
there would be nothing to compare. Nothing else about them is changed.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from service.demo import patients
from service.fhir.queries import Query, is_fhir_id
from tests.fhir_stub import Json, bundle
from tests.repository import ROOT

SAMPLES = ROOT.parent / "shared" / "fhir-samples"
FILES = (
    "smart-stu3/*",
    "synthea-r4/*",
    "mii-r4/*",
    "uk-gpconnect-stu3/*-full-record.json",
    "uk-gpconnect-stu3/gpc-*",
    "au-core-r4/Bundle-*",
)
NEWEST = 10  # days before today
KINDS = frozenset(
    [
        *("Patient", "Encounter", "Condition", "Observation", "MedicationStatement", "MedicationRequest", "Medication"),
        *("ServiceRequest", "AllergyIntolerance", "Procedure", "FamilyMemberHistory"),
    ]
)
_DAY = re.compile(r'"(\d{4}-\d\d-\d\d)(T[^"]*)?"')


@dataclass(frozen=True)
class Record:
    """Everything one server holds of one patient."""

    name: str
    patient: str
    resources: tuple[Json, ...]
    demo: str | None = None  # the synthetic patient it was made from

    def prefetch(self, queries: Iterable[Query]) -> Json:
        """What a record system would send that answers every template, but the encounter's, in full."""
        return {query.key: self._answer(query) for query in queries if query.key != "encounter"}

    def _answer(self, query: Query) -> Json:
        parts = urlsplit(query.template)
        of_kind = [one for one in self.resources if one["resourceType"] == parts.path.partition("/")[0]]
        if query.is_read:
            return next(one for one in of_kind if one["id"] == self.patient)
        asked = parse_qs(parts.query)
        codes = set(asked["code"][0].split(",")) if "code" in asked else None
        found = [
            one for one in of_kind if belongs_to(one) == self.patient and (codes is None or codes & set(_codes(one)))
        ]
        answer = bundle(*found, total=len(found))
        if "_include" in asked:
            wanted = {one.get("medicationReference", {}).get("reference") for one in found}
            answer["entry"] += [
                {"resource": one, "search": {"mode": "include"}}
                for one in self.resources
                if f"{one['resourceType']}/{one['id']}" in wanted
            ]
        return answer


def belongs_to(resource: Json) -> str:
    """The id of the patient a resource is about."""
    about = resource.get("subject") or resource.get("patient") or {}
    return about.get("reference", "").rpartition("/")[2]


def demo_records(today: date) -> tuple[Record, ...]:
    """The synthetic patients, dates counted back from a day. One plays a refusal, which a record cannot hold: its
    results are left out."""
    made = []
    for name, patient in patients().items():
        request = patient.on(today)
        given = [value for value in request["prefetch"].values() if value]
        resources = [entry["resource"] for value in given for entry in value.get("entry", ())]
        resources += [value for value in given if value["resourceType"] == "Patient"]
        made.append(Record(name, request["context"]["patientId"], tuple(resources), demo=name))
    return tuple(made)


def with_many_results(today: date, number: int) -> Record:
    """A patient with cramp and so many normal potassium results, ten a day, that a search for them takes several
    pages; older than all of them, a low calcium that stands on the last.
    """

    def result(place: int, loinc: str, value: str, day: date) -> Json:
        return {
            "resourceType": "Observation",
            "id": f"many-results-{place}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": loinc}]},
            "subject": {"reference": "Patient/many-results"},
            "effectiveDateTime": f"{day.isoformat()}T{8 + place % 10:02}:00:00Z",
            "valueQuantity": {
                "value": float(value), "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"
            },
            "referenceRange": [{"low": {"value": 2.2 if value < "3" else 3.5}, "high": {"value": 5.3}}],
        }  # fmt: skip

    patient = {"resourceType": "Patient", "id": "many-results", "gender": "female", "birthDate": "1958-02-11"}
    days = [today - timedelta(days=1 + place // 10) for place in range(number)]
    results = [result(place, "2823-3", "4.1", day) for place, day in enumerate(days)]
    calcium = result(number, "29265-6", "2.0", days[-1] - timedelta(days=1))
    return Record("many results", "many-results", (patient, cramp("many-results", today), *results, calcium))


def on_a_referred_medicine(today: date) -> Record:
    """A patient with cramp and two medicines that are named in a Medication of their own."""
    me = {"subject": {"reference": "Patient/referred-medicine"}}
    dmd = "https://dmd.nhs.uk"
    named = (("indapamide", "317956008", "http://snomed.info/sct"), ("quinine", "324919005", dmd))
    medications = [
        {"resourceType": "Medication", "id": f"referred-{name}", "code": {"coding": [{"system": system, "code": code}]}}
        for name, code, system in named
    ]
    since = (today - timedelta(days=90)).isoformat()
    statement = {"resourceType": "MedicationStatement", "id": "referred-medicine-1", "status": "active", **me,
                 "medicationReference": {"reference": "Medication/referred-indapamide"},
                 "effectivePeriod": {"start": since}}  # fmt: skip
    request = {"resourceType": "MedicationRequest", "id": "referred-medicine-2", "status": "active", "intent": "order",
               **me, "medicationReference": {"reference": "Medication/referred-quinine"}, "authoredOn": since}  # fmt: skip
    patient = {"resourceType": "Patient", "id": "referred-medicine", "gender": "male", "birthDate": "1950-07-04"}
    made = (patient, cramp("referred-medicine", today), *medications, statement, request)
    return Record("referred medicine", "referred-medicine", made)


def family_history(patient: str, number: int, condition: str) -> Json:
    """The mother of a patient, with a disease."""
    return {
        "resourceType": "FamilyMemberHistory",
        "id": f"mother-of-{patient}-{number}",
        "status": "completed",
        "patient": {"reference": f"Patient/{patient}"},
        "relationship": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]},
        "condition": [{"code": {"coding": [{"system": "http://snomed.info/sct", "code": condition}]}}],
    }


def cramp(patient: str, today: date) -> Json:
    """A cramp that was coded five days ago."""
    return {
        "resourceType": "Condition",
        "id": f"cramp-of-{patient}"[:64],
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "55300003", "display": "Cramp (finding)"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "recordedDate": (today - timedelta(days=5)).isoformat(),
    }


def sample_files() -> Mapping[str, tuple[Path, ...]]:
    """The files of each patient among the samples, those with a Patient; none where the samples are not at hand."""
    paths = sorted(path for files in FILES for path in SAMPLES.glob(files))
    return {name: tuple(some) for name, some in groupby(paths, key=_name)}


def sample_records(name: str, today: date) -> tuple[Record, ...]:
    """The patients of these files, each with all that the files hold."""
    files = (json.loads(path.read_text(encoding="utf-8")) for path in sample_files()[name])
    resources = json.loads(_moved(json.dumps(list(_resources(files))), today))
    ids = dict.fromkeys(one["id"] for one in resources if one["resourceType"] == "Patient")
    made = []
    for patient in ids:
        unique = {(one["resourceType"], one["id"]): one for one in (*resources, cramp(patient, today))}
        own = [one for one in unique.values() if one["resourceType"] != "Patient" or one["id"] == patient]
        made.append(Record(name, patient, tuple(own)))
    return tuple(made)


def _name(path: Path) -> str:
    """Files of one patient begin with the same number in the one folder where there are several."""
    stem = path.stem.partition("-")[0] if path.parent.name == "smart-stu3" else path.stem
    return f"{path.parent.name}/{stem}"


def _resources(files: Iterable[Json]) -> Iterator[Json]:
    """The resources of the kinds that are searched for, with ``urn:uuid:`` references made ordinary ones.

    One file has ids with underscores, which no FHIR server takes: those are left out.
    """
    for content in files:
        entries = [entry for entry in content.get("entry", ()) if is_fhir_id(entry.get("resource", {}).get("id", ""))]
        text = json.dumps([entry["resource"] for entry in entries])
        for entry in entries:
            if entry.get("fullUrl", "").startswith("urn:"):
                place = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
                text = text.replace(f'"{entry["fullUrl"]}"', f'"{place}"')
        yield from (one for one in json.loads(text) if one["resourceType"] in KINDS)


def _moved(text: str, today: date) -> str:
    """The text with every day of it moved by as many days, so that the newest that is past becomes ten days old."""
    days = [date.fromisoformat(found[1]) for found in _DAY.finditer(text)]
    by = (today - timedelta(days=NEWEST)) - max((day for day in days if day < today), default=today)

    def move(found: re.Match[str]) -> str:
        return f'"{(date.fromisoformat(found[1]) + by).isoformat()}{found[2] or ""}"'

    return _DAY.sub(move, text)


def _codes(resource: Json) -> Iterator[str]:
    for coding in resource.get("code", {}).get("coding", ()):
        yield coding.get("code", "")
