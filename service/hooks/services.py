"""The services we offer, one row each: one id for one hook, because the public sandbox loses a shared id.

A further hook is a row here and its context in request.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SPECIFICATION_VERSION = "2.0.1"  # of CDS Hooks; requirement B10


@dataclass(frozen=True, slots=True)
class Service:
    """One service: the last part of its address, the hook that calls it, and what people read about it."""

    id: str
    hook: str
    title: str
    description: str
    needs: str


SERVICES: tuple[Service, ...] = (
    Service(
        id="muscle-patient-view",
        hook="patient-view",
        title="Muscle twitches and cramps: advice for this patient",
        description=(
            "Short advisory cards about muscle twitches (fasciculation, myokymia), cramp and facial spasm that are "
            "coded in the record, for a qualified clinician looking at the record of a person aged 16 or over. Each"
            " card shows what it is based on, what could not be checked, and options to consider; the clinician "
            "decides. No card does not mean that nothing is wrong. For evaluation and integration testing only: not"
            " placed on the market as a medical device, no UKCA or CE mark, and never for patients to use by "
            "themselves."
        ),
        needs=(
            "Reads the patient, the encounter in view, coded problems, laboratory results, medicines, orders and "
            "referrals, procedures and family history, as FHIR R4, from the prefetch or, where a FHIR "
            "server is named that this service may call, by search with the token of the call. Parts that cannot be "
            "had are named on the cards."
        ),
    ),
)


def discovery(services: tuple[Service, ...], templates: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The answer to ``GET /cds-services`` (requirements B1 to B16); ``templates`` are prefetch templates by service."""
    return {"services": [_entry(service, templates.get(service.id, {})) for service in services]}


def _entry(service: Service, templates: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "hook": service.hook,
        "id": service.id,
        "title": service.title,
        "description": service.description,
        "usageRequirements": service.needs,
        "version": SPECIFICATION_VERSION,
    }
    if templates:
        entry["prefetch"] = dict(templates)
    return entry
