"""The other way to read a body: every resource validated as a whole by fhir.resources R4B, good ones only (P2)."""

import json
from typing import Any

from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.medicationstatement import MedicationStatement
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.patient import Patient

MODELS: dict[str, Any] = {
    "Condition": Condition,
    "MedicationStatement": MedicationStatement,
    "Observation": Observation,
    "Patient": Patient,
}


def read(body: bytes) -> list[Any]:
    """The resources of the prefetch as validated models. Raises ValueError for one that is not valid."""
    sent = json.loads(body)["prefetch"].values()
    found = [resource for one in sent if one for resource in _resources(one)]
    return [MODELS[resource["resourceType"]].model_validate(resource) for resource in found]


def _resources(sent: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in sent["entry"]] if sent["resourceType"] == "Bundle" else [sent]
