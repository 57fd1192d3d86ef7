"""The services we offer, one row each: one id for one hook, because the public sandbox loses a shared id.

A further hook is a row here and its context in request.py.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from cards.moment import Moment

SPECIFICATION_VERSION = "2.0.1"  # of CDS Hooks; requirement B10


class Service(msgspec.Struct, frozen=True):
    """One service: the last part of its address, the hook that calls it, and what people read about it.

    ``moment``: whether a record is opened or orders are drafted; the latter have ``draftOrders`` in their context.
    """

    id: str
    hook: str
    title: str
    description: str
    needs: str
    moment: Moment = Moment.RECORD


_ON_ORDERS = (
    "Short advisory cards, for a qualified clinician, on a draft order in hand that has to do with muscle twitches or "
    "cramp in a person aged 16 or over: quinine, diltiazem for cramp, diuretics, stimulants, long-acting beta agonists,"
    " statins, a neurology referral, nerve conduction studies, creatine kinase or thyroid tests."
)
_FOR_WHOM = (
    "Each card shows what it is based on, what could not be checked, and options to consider; the clinician decides. No"
    " card does not mean that nothing is wrong. For evaluation and integration testing only: not placed on the market "
    "as a medical device, no UKCA or CE mark, and never for patients to use by themselves."
)
_FROM_WHERE = (
    "as FHIR R4, from the prefetch or, where a FHIR server is named that this service may call, by search with the "
    "token of the call. Parts that cannot be had are named on the cards."
)
_READS_FOR_ORDERS = (
    "Reads the draft orders in the context (MedicationRequest, ServiceRequest, and their older names) and the patient, "
    "the encounter in view, coded problems, laboratory results, medicines, orders and referrals, allergies and "
    f"procedures, {_FROM_WHERE} Draft orders themselves are never read from the server."
)

SERVICES: tuple[Service, ...] = (
    Service(
        id="muscle-patient-view",
        hook="patient-view",
        title="Muscle twitches and cramps: advice for this patient",
        description=(
            "Short advisory cards about muscle twitches (fasciculation, myokymia), cramp and facial spasm that are "
            "coded in the record, for a qualified clinician looking at the record of a person aged 16 or over. "
            f"{_FOR_WHOM}"
        ),
        needs=(
            "Reads the patient, the encounter in view, coded problems, laboratory results, medicines, orders and "
            f"referrals, procedures and family history, {_FROM_WHERE}"
        ),
    ),
    Service(
        id="muscle-order-select",
        hook="order-select",
        title="Muscle twitches and cramps: advice on the selected order",
        description=f"{_ON_ORDERS} Only the orders named in selections are judged. {_FOR_WHOM}",
        needs=f"{_READS_FOR_ORDERS} Without selections every draft order is judged.",
        moment=Moment.ORDER,
    ),
    Service(
        id="muscle-order-sign",
        hook="order-sign",
        title="Muscle twitches and cramps: advice on orders to be signed",
        description=f"{_ON_ORDERS} Every draft order is judged. {_FOR_WHOM}",
        needs=_READS_FOR_ORDERS,
        moment=Moment.ORDER,
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
