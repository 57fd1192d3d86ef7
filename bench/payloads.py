"""Hook requests of chosen sizes, made from a seed: the same seed and day give the same bytes.

What an EHR sends in prefetch: about 1.4 kB for a laboratory Observation with its metadata, two codings, specimen,
performer and reference range. "lean" bodies carry the elements a small server sends, so that 5,000 results stay under
the limit of a body. Every code is a row of our own tables; no person is behind any of it.
"""

import hashlib
import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from bench.codes import Codes, codes
from terminology.analytes import Analyte

Json = dict[str, Any]

SEED: Final = 20260615
DAY: Final = date(2026, 6, 15)
PATIENT: Final = "bench-1"
OF_PATIENT: Final = {"reference": f"Patient/{PATIENT}"}
BASE: Final = "https://ehr.example/fhir"
_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem"
_ABNORMAL: Final = 0.05  # share of results outside their range
_USUAL: Final = Decimal("0.03")  # the part of a plausible span in which most values lie, where there are no limits
_BAD: Final = 0.05  # share of bad resources in the dirty body


@dataclass(frozen=True)
class Size:
    """What a body carries. ``lean``: short resources. ``orders``: an order-select with drafts. ``dirty``: bad ones."""

    results: int
    medicines: int
    lean: bool = False
    orders: bool = False
    dirty: bool = False


SIZES: Final = {
    "0/0": Size(0, 0),
    "20/5": Size(20, 5),
    "200/50": Size(200, 50),
    "1000/50": Size(1000, 50),
    "1000/50 lean": Size(1000, 50, lean=True),
    "5000/50 lean": Size(5000, 50, lean=True),
    "order-select": Size(20, 5, orders=True),
    "dirty": Size(200, 50, dirty=True),
}


def body(name: str, seed: int = SEED, day: date = DAY) -> bytes:
    """The bytes of a body of SIZES, dated back from ``day``. Raises KeyError for a name that is none."""
    size, known = SIZES[name], codes()
    maker = _Maker(random.Random(f"{seed} {name}"), known, day)
    results = [maker.result(number, lean=size.lean) for number in range(size.results)]
    medicines = [maker.medicine(number) for number in range(size.medicines)]
    if size.dirty:
        maker.damage(results)
        maker.damage(medicines)
    request: Json = {
        "hook": "order-select" if size.orders else "patient-view",
        "hookInstance": "0f2ea2c2-6c1b-4c7e-8a86-6f4d5d9a7c11",
        "context": {"userId": "Practitioner/bench-gp", "patientId": PATIENT},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": PATIENT, "gender": "female", "birthDate": "1958-02-11"},
            "encounter": None,
            "problems": _bundle(maker.problems()),
            "results": _bundle(results),
            "medicationStatements": _bundle(medicines),
            "medicationRequests": None,
            "serviceRequests": None,
            "procedures": None,
            "familyHistory": None,
        },
    }
    if size.orders:
        request["prefetch"]["allergies"] = None
        drafts = maker.drafts()
        request["context"] |= {
            "selections": [f"{one['resourceType']}/{one['id']}" for one in drafts],
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": d} for d in drafts]},
        }
    return msgspec.json.encode(request)


def digest(raw: bytes) -> str:
    """SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def record(results: int, seed: int = SEED, day: date = DAY) -> dict[str, list[Json]]:
    """A record for a FHIR server to hold: resources by type."""
    maker = _Maker(random.Random(f"{seed} record {results}"), codes(), day)
    return {
        "Patient": [{"resourceType": "Patient", "id": PATIENT, "gender": "female", "birthDate": "1958-02-11"}],
        "Condition": maker.problems(),
        "Observation": [maker.result(number, lean=False) for number in range(results)],
        "MedicationStatement": [maker.medicine(number) for number in range(5)],
    }


@dataclass(frozen=True)
class _Maker:
    """Makes resources, drawing from one stream of random numbers."""

    rng: random.Random
    codes: Codes
    day: date

    def result(self, number: int, *, lean: bool) -> Json:
        """A laboratory Observation; the newest comes first, as the search asks."""
        analyte, codings = self.codes.results[number % len(self.codes.results)]
        on = (self.day - timedelta(days=3 + number // len(self.codes.results) * 3)).isoformat()
        made: Json = {
            "resourceType": "Observation",
            "id": f"lab-{number:05}",
            "status": "final",
            "code": {"coding": list(codings[:1] if lean else codings), "text": analyte.title},
            "subject": OF_PATIENT,
            "effectiveDateTime": f"{on}T09:{self.rng.randrange(60):02}:00+00:00",
            "valueQuantity": _quantity(self._value(analyte), analyte.unit),
        }
        if analyte.limits is not None and analyte.limits.low is not None and analyte.limits.high is not None:
            made["referenceRange"] = [
                {
                    "low": _quantity(analyte.limits.low, analyte.unit),
                    "high": _quantity(analyte.limits.high, analyte.unit),
                }
            ]
        return made if lean else made | self._around(number, on)

    def _around(self, number: int, on: str) -> Json:
        """What an EHR sends with a result besides what it says."""
        laboratory = {"coding": [{"system": f"{_SYSTEM}/observation-category", "code": "laboratory"}]}
        return {
            "meta": {
                "versionId": "1",
                "lastUpdated": f"{on}T14:02:11.318+00:00",
                "source": "urn:lab:main",
                "profile": [f"{BASE}/StructureDefinition/Observation-Lab"],
            },
            "identifier": [{"system": f"{BASE}/lab-results", "value": f"{self.rng.getrandbits(64):016x}"}],
            "basedOn": [{"reference": f"ServiceRequest/req-{number // 8:05}"}],
            "category": [laboratory],
            "encounter": {"reference": f"Encounter/enc-{number // 8:05}"},
            "issued": f"{on}T14:02:11.318+00:00",
            "performer": [{"reference": "Organization/pathology", "display": "Pathology, Example Hospital"}],
            "specimen": {"reference": f"Specimen/sp-{number // 8:05}", "display": "Serum"},
        }

    def _value(self, analyte: Analyte) -> Decimal:
        """Within the limits, or a little beyond them now and then."""
        span = analyte.limits or analyte.limits_female or analyte.plausible
        low, high = span.low or Decimal(0), span.high or Decimal(1)
        share = Decimal(str(round(self.rng.uniform(0.05, 0.95), 3)))
        if span is analyte.plausible:
            return analyte.rounded(low + (high - low) * share * _USUAL)
        if self.rng.random() < _ABNORMAL:
            share = Decimal("1.05")
        return analyte.rounded(low + (high - low) * share)

    def medicine(self, number: int) -> Json:
        """A MedicationStatement."""
        return {
            "resourceType": "MedicationStatement",
            "id": f"med-{number:05}",
            "meta": {"versionId": "1", "lastUpdated": f"{self.day - timedelta(days=9)}T08:00:00+00:00"},
            "identifier": [{"system": f"{BASE}/medicines", "value": f"{self.rng.getrandbits(64):016x}"}],
            "status": "active",
            "category": {"coding": [{"system": f"{_SYSTEM}/medication-statement-category", "code": "community"}]},
            "medicationCodeableConcept": self._product(),
            "subject": OF_PATIENT,
            "effectivePeriod": {"start": (self.day - timedelta(days=self.rng.randrange(20, 900))).isoformat()},
            "dateAsserted": (self.day - timedelta(days=9)).isoformat(),
            "informationSource": {"reference": "Practitioner/gp-1", "display": "General practitioner"},
            "dosage": [
                {
                    "text": "One daily",
                    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
                }
            ],
        }

    def _product(self) -> Json:
        one = self.rng.choice(self.codes.medicines)
        return {"coding": [one], "text": one["display"]}

    def problems(self) -> list[Json]:
        """A cramp three weeks ago, and a few long-term conditions."""
        coded = (self.codes.complaint, *self.codes.problems)
        ages = (21, *(self.rng.randrange(400, 4000) for _ in self.codes.problems))
        return [
            {
                "resourceType": "Condition",
                "id": f"con-{number}",
                "clinicalStatus": {"coding": [{"system": f"{_SYSTEM}/condition-clinical", "code": "active"}]},
                "verificationStatus": {"coding": [{"system": f"{_SYSTEM}/condition-ver-status", "code": "confirmed"}]},
                "code": {"coding": [coding], "text": coding["display"]},
                "subject": OF_PATIENT,
                "onsetDateTime": (self.day - timedelta(days=age)).isoformat(),
                "recordedDate": (self.day - timedelta(days=age)).isoformat(),
            }
            for number, (coding, age) in enumerate(zip(coded, ages, strict=True))
        ]

    def drafts(self) -> list[Json]:
        """Three unsigned orders: quinine, creatine kinase, neurology."""
        quinine = {
            "resourceType": "MedicationRequest",
            "medicationCodeableConcept": {"coding": [self.codes.quinine], "text": self.codes.quinine["display"]},
            "authoredOn": self.day.isoformat(),
        }
        asked = [
            {"resourceType": "ServiceRequest", "code": {"coding": [self.codes.orders[name]]}}
            for name in ("order-ck", "refer-neurology")
        ]
        return [
            {"id": f"draft-{number}", "status": "draft", "intent": "order", "subject": OF_PATIENT} | one
            for number, one in enumerate((quinine, *asked))
        ]

    def damage(self, resources: list[Any]) -> None:
        """Spoil a share of the resources, each in another way, where they stand."""
        how_many = round(len(resources) * _BAD)
        for turn, place in enumerate(sorted(self.rng.sample(range(len(resources)), how_many))):
            resources[place] = _DAMAGES[turn % len(_DAMAGES)](resources[place])


def _nested(resource: Json) -> Json:
    deep: Json = {}
    for _ in range(80):
        deep = {"extension": [deep]}
    return resource | {"extension": [deep]}


_DAMAGES: Final = (
    lambda one: {name: value for name, value in one.items() if name != "status"},
    lambda one: one | {"code": "as text", "medicationCodeableConcept": "as text"},
    lambda one: one | {"valueQuantity": {"value": "high", "unit": 7}, "dosage": "daily"},
    lambda _one: None,
    lambda one: one | {"subject": {"reference": "Patient/another"}},
    lambda one: one | {"effectiveDateTime": "31/02/2026", "effectivePeriod": "then", "status": ["final"]},
    _nested,
)


def _quantity(value: Decimal, unit: str) -> Json:
    return {"value": float(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def _bundle(resources: list[Any]) -> Json:
    entries = [{"fullUrl": f"{BASE}/{_place(one)}", "resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(resources), "entry": entries}


def _place(resource: Any) -> str:
    return f"{resource['resourceType']}/{resource['id']}" if isinstance(resource, dict) else "none"
