"""Unsigned orders of the session -> Draft (specification 3.4, 3.8 no. 21 and 22; rows O1 to O23).

A draft is what a clinician is about to sign, so its status and intent do not decide whether it counts: order-sign also
sends orders that are signed again (D6). Left out by rule is only what is withdrawn, and an order not to do something;
one that carries a modifier cannot be understood, and is named.

A draft that names no subject is the user's own, in the session of ``context.patientId``, and counts. One that names
another patient is not used at all (3.8 no. 7); one whose subject cannot be told apart is named and not used.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from cards.entries import Area, Draft, Order, OrderStatus, Unread
from service.fhir.basket import Basket, Entry
from service.fhir.doses import dose_of
from service.fhir.elements import member, words
from service.fhir.read_medicines import REQUESTS, named, reasons
from service.fhir.read_orders import concepts_of
from service.fhir.record import Record, source
from service.fhir.references import Whose, target
from service.fhir.resource import Medication, Resource, opened
from service.fhir.shown import shown
from terminology.vocabulary import Link, Vocabulary

WITHDRAWN: Final = {
    "entered-in-error": "was entered in error",
    "cancelled": "was cancelled",
    "stopped": "is an order to end it",
    "revoked": "was withdrawn",
    "rejected": "was rejected",
    "failed": "could not be done",
}
"""Statuses that leave a draft out, and why; any other counts, also none."""

A_MODIFIER: Final = "carries a modifier that is not understood"
"""It may say that the order is one to stop something, as those of the Dutch medication process do."""

ANOTHERS: Final = "a draft order for another patient was left out"
A_BROKEN_DRAFT: Final = "a draft order could not be read"


def concerns_us(basket: Basket, vocabulary: Vocabulary) -> bool:
    """Whether the call may be about an order that any rule knows, as far as the drafts alone tell.

    Most orders of a hospital are not, and for those nothing need be fetched (F8). True also for a medicine that is only
    referred to and was not sent with the drafts: what it is may come with the record.
    """
    record = Record(
        patient_id="",
        as_of=date.max,
        zone=ZoneInfo("UTC"),
        vocabulary=vocabulary,
        resources={Medication: basket.medications},
    )
    return any(entry.judged and _may_be_ours(entry.resource, record) for entry in basket.orders)


def _may_be_ours(resource: Resource, record: Record) -> bool:
    if resource.resourceType not in REQUESTS:
        return bool(concepts_of(resource, record))
    if named(resource, record).match is not None:
        return True
    references = (resource.medicationReference, member(resource.medication, "reference"), resource.medication)
    return any(target(one) and record.find(one, "Medication", resource.contained) is None for one in references)


def read_drafts(basket: Basket, record: Record) -> Sequence[Draft | Order | Unread]:
    """Everything the drafts amount to: each once, tests and referrals also as orders of today (S14). Never raises."""
    found: dict[Draft | Order | Unread, None] = {}
    for why in basket.broken:
        found[Unread(Area.ORDERS, "", f"{A_BROKEN_DRAFT}: {shown(why)}", "")] = None
    for entry in basket.orders:
        found.update(dict.fromkeys(_read(entry, record)))
    return tuple(found)


def _read(entry: Entry, record: Record) -> Sequence[Draft | Order | Unread]:
    resource = entry.resource
    is_medicine = resource.resourceType in REQUESTS
    area = Area.MEDICINES if is_medicine else Area.ORDERS
    if opened(resource.subject) or resource.patient:
        match record.whose(resource):
            case Whose.OURS:
                pass
            case Whose.FOREIGN:
                record.count_of_another(area)
                return (Unread(area, "", ANOTHERS, resource.resourceType, expected=True),)
            case Whose.UNPROVEN:
                why = f"a draft order was left out: {Whose.UNPROVEN.value}"
                return (Unread(area, "", why, resource.resourceType),)
    drafts = _medicine(entry, record) if is_medicine else _test_or_referral(entry, record)
    status = words(resource.status).lower()
    why = "is an order not to do it" if resource.doNotPerform is True else WITHDRAWN.get(status, "")
    by_rule = bool(why)
    if not why and resource.modifierExtension:
        why = A_MODIFIER
    if not why:
        return drafts
    return tuple(
        Unread(area, one, f"{record.vocabulary.title(one)}: the draft {why}", source(resource), expected=by_rule)
        for draft in drafts
        if isinstance(draft, Draft)
        for one in sorted(draft.ingredients | draft.concepts)
    )


def _medicine(entry: Entry, record: Record) -> Sequence[Draft]:
    """A drafted medicine, with all of its ingredients; none if it has no name yet, or one in no set (counted)."""
    resource = entry.resource
    called = named(resource, record)
    if called.match is None:
        if called.anything:
            record.count_unmapped(Area.MEDICINES)
        return ()
    match = called.match
    made = Draft(
        ingredients=match.ingredients,
        concepts=frozenset(),
        label=called.label,
        link=match.link,
        judged=entry.judged,
        source=source(resource),
        reasons=reasons(resource, record),
        dose=dose_of(resource, match),
    )
    if not match.also_by_brand:
        return (made,)
    return made, replace(made, ingredients=match.also_by_brand, link=Link.BRAND)


def _test_or_referral(entry: Entry, record: Record) -> Sequence[Draft | Order]:
    """A drafted test or referral, and the same among the orders, so that it is not suggested again (S14)."""
    concepts = concepts_of(entry.resource, record)
    if not concepts:
        record.count_unmapped(Area.ORDERS)
        return ()
    label, origin = record.titles(concepts), source(entry.resource)
    made = Draft(frozenset(), concepts, label, None, entry.judged, origin, reasons(entry.resource, record))
    return made, Order(concepts, label, OrderStatus.DRAFT, record.moment(record.as_of.isoformat()), origin)
