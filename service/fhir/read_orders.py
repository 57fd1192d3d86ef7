"""ServiceRequest and its older spellings -> Order: tests and referrals already asked for (specification 3.2)."""

from collections.abc import Iterator
from typing import Any, Final

from cards.entries import Area, Order, OrderStatus, Unread
from cards.when import When
from service.fhir.elements import member, objects, words
from service.fhir.record import Record, source
from service.fhir.resource import Resource

TYPES: Final = frozenset({"ServiceRequest", "ReferralRequest", "ProcedureRequest", "DiagnosticOrder"})

STATUSES: Final = {
    "active": OrderStatus.ACTIVE,
    "requested": OrderStatus.ACTIVE,  # DSTU2, as are the next five
    "received": OrderStatus.ACTIVE,
    "accepted": OrderStatus.ACTIVE,
    "in-progress": OrderStatus.ACTIVE,
    "review": OrderStatus.ACTIVE,
    "draft": OrderStatus.DRAFT,
    "proposed": OrderStatus.DRAFT,
    "planned": OrderStatus.DRAFT,
    "completed": OrderStatus.COMPLETED,
    "on-hold": OrderStatus.OTHER,
    "suspended": OrderStatus.OTHER,
    "unknown": OrderStatus.OTHER,
}
LEFT_OUT: Final = {
    "entered-in-error": "was entered in error",
    "cancelled": "was cancelled",
    "revoked": "was withdrawn",
    "rejected": "was rejected",
    "failed": "could not be done",
}
ONLY_PROPOSED: Final = frozenset({"proposal", "option"})
"""Intents that are not an order yet."""


def read_order(resource: Resource, record: Record) -> tuple[Order | Unread, ...]:
    """A ServiceRequest, ReferralRequest, ProcedureRequest or DiagnosticOrder; empty if it is of none of our kinds."""
    concepts = concepts_of(resource, record)
    if not concepts:
        record.count_unmapped(Area.ORDERS)
        return ()
    when = _when(resource, record)
    label, origin = record.titles(concepts), source(resource)

    def unread(why: str, *, expected: bool) -> tuple[Unread, ...]:
        return tuple(
            Unread(Area.ORDERS, one, f"{record.vocabulary.title(one)}: {why}", origin, when, expected)
            for one in sorted(concepts)
        )

    status = words(resource.status).lower()
    if resource.doNotPerform is True:
        return unread("is an order not to do it", expected=True)
    if status in LEFT_OUT:
        return unread(LEFT_OUT[status], expected=True)
    found = STATUSES.get(status)
    if found is None:
        return unread("it has no status that is known", expected=False)
    if found is OrderStatus.ACTIVE and words(resource.intent) in ONLY_PROPOSED:
        found = OrderStatus.DRAFT
    return (Order(concepts, label, found, when, origin),)


def concepts_of(resource: Resource, record: Record) -> frozenset[str]:
    """Order and referral concepts of what is asked for, by its codes."""
    found: frozenset[str] = frozenset()
    for concept in _concepts(resource):
        found |= record.orders(concept)
    return found


def _concepts(resource: Resource) -> Iterator[Any]:
    """What is asked for: R4 and STU3 ``code``, R5 ``code.concept``, ReferralRequest and DiagnosticOrder spellings."""
    yield resource.code
    yield member(resource.code, "concept")
    yield resource.serviceRequested
    if resource.resourceType == "ReferralRequest":
        yield resource.specialty
        yield resource.type
    for item in objects(resource.item):
        yield item.get("code")


def _when(resource: Resource, record: Record) -> When | None:
    for stamp in (resource.authoredOn, resource.orderedOn, resource.dateSent, resource.date):
        if (when := record.moment(stamp)) is not None:
            return when
    events = [when for event in objects(resource.event) if (when := record.moment(event.get("dateTime"))) is not None]
    return max(events, key=lambda when: (when.latest, when.earliest)) if events else None
