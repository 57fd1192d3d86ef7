"""Synthetic patients as hook requests and as FHIR resources, with fresh dates. No person is behind any of them.

Each file under ``patients/`` is a hook request with all of its data in ``prefetch``. Dates are written relative to
the day they are asked for (``@-12d``: twelve days before), so that what is recent stays recent.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from service.hooks.services import SERVICES

Json = dict[str, Any]

_RELATIVE = re.compile(r'"@-([0-9]{1,5})d"')
_KIND_BEHIND = {
    "patient": "Patient",
    "encounter": "Encounter",
    "problems": "Condition",
    "results": "Observation",
    "medicationStatements": "MedicationStatement",
    "medicationRequests": "MedicationRequest",
    "serviceRequests": "ServiceRequest",
    "allergies": "AllergyIntolerance",
    "procedures": "Procedure",
    "familyHistory": "FamilyMemberHistory",
}


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """One patient: the file's name, a title, what it shows in a sentence, and the request with relative dates."""

    name: str
    title: str
    shows: str
    request: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The FHIR id of the Patient."""
        return str(self.request["context"]["patientId"])

    @property
    def service(self) -> str:
        """The id of the service that answers it: a record that is opened, or an order that is selected."""
        return next(one.id for one in SERVICES if one.hook == self.request["hook"])

    def on(self, today: date) -> Json:
        """The request, with its dates counted back from a day. Times of the day are not part of the data."""

        def moved(match: re.Match[str]) -> str:
            return f'"{(today - timedelta(days=int(match[1]))).isoformat()}"'

        request: Json = json.loads(_RELATIVE.sub(moved, json.dumps(self.request)))
        return request

    def records(self, today: date) -> tuple[Json, ...]:
        """All FHIR R4 resources of the patient on a day, the Patient first; to be put on any FHIR server.

        Draft orders are not among them: they are the session's, not the record's. What the request says was refused
        is not among them either; see :meth:`refused`.
        """
        found: list[Json] = []
        for sent in self.on(today)["prefetch"].values():
            if sent is None or sent["resourceType"] == "OperationOutcome":
                continue
            found += (
                [entry["resource"] for entry in sent.get("entry", ())] if sent["resourceType"] == "Bundle" else [sent]
            )
        return tuple(found)

    def drafts(self, today: date) -> tuple[Json, ...]:
        """The draft orders of the session, as FHIR R4 resources; mostly none."""
        bundle = self.on(today)["context"].get("draftOrders", {})
        return tuple(entry["resource"] for entry in bundle.get("entry", ()))

    def refused(self) -> Mapping[str, Json]:
        """Which resource types the record system will not hand over for this patient, and what it says instead."""
        return {
            _KIND_BEHIND[key]: sent
            for key, sent in self.request["prefetch"].items()
            if sent is not None and sent["resourceType"] == "OperationOutcome"
        }


@cache
def patients() -> Mapping[str, DemoPatient]:
    """All synthetic patients by name, in the order a newcomer should meet them."""
    found: list[tuple[int, DemoPatient]] = []
    for file in (files(__package__) / "patients").iterdir():
        if file.name.endswith(".json"):
            content = json.loads(file.read_text(encoding="utf-8"))
            name = file.name.removesuffix(".json")
            found.append((content["place"], DemoPatient(name, content["title"], content["shows"], content["request"])))
    return {one.name: one for _, one in sorted(found, key=lambda pair: pair[0])}


def records(today: date) -> Mapping[str, tuple[Json, ...]]:
    """All FHIR R4 resources of every synthetic patient on a day, by the patient's name; see DemoPatient.records."""
    return {name: one.records(today) for name, one in patients().items()}
