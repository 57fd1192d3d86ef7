"""MedicationStatement and MedicationRequest -> Medicine (specification 3.2, 3.8 no. 2, 4 and 26, HZ14, HZ15)."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from cards.entries import Area, Dose, Medicine, Unread
from cards.when import When
from service.fhir.doses import dose_of, is_combination
from service.fhir.elements import (
    Coded,
    code_words,
    coded,
    is_left_unsaid,
    member,
    objects,
    pairs,
    pairs_of,
    said,
    words,
)
from service.fhir.ingredients import ingredients_of
from service.fhir.record import Named, Record, source
from service.fhir.references import target
from service.fhir.resource import Resource, opened
from service.fhir.shown import shown
from terminology.vocabulary import Link, MedicineMatch, joined

STATEMENTS: Final = frozenset({"MedicationStatement"})
REQUESTS: Final = frozenset({"MedicationRequest", "MedicationOrder", "MedicationPrescription"})

TAKEN: Final = frozenset({"active", "recorded"})  # R5 writes "recorded" where R4 writes "active"
NOT_TAKEN_YET: Final = frozenset({"intended", "draft"})
NOT_TAKEN_NOW: Final = frozenset({"completed", "stopped", "on-hold", "ended", *NOT_TAKEN_YET})
LEFT_OUT: Final = {
    "entered-in-error": "was entered in error",
    "cancelled": "was cancelled",
    "not-taken": "is recorded as not taken",
}
ORDERED: Final = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order", "plan"})
"""Intents that count. GP Connect writes ``plan`` for an authorised prescription beside ``order`` for each issue."""

ADHERENCE_AGAINST: Final = ("not-taking", "on-hold", "stopped")
"""R5 MedicationStatement.adherence: codes that begin so mean that it is not taken now."""

_NO_REASON: Final[frozenset[str]] = frozenset()

NAMELESS: Final = "a medicine whose name could not be read"


def read_medicine(resource: Resource, record: Record) -> tuple[Medicine | Unread, ...]:
    """One record of a medicine: MedicationStatement, MedicationRequest, and what STU3, DSTU2 and R5 make of them.

    Empty if the medicine is in no set, which is counted. A medicine in use whose name cannot be read leaves the
    medicines incomplete: it could be any.
    """
    called = named(resource, record)
    if called.match is None and called.anything:
        record.count_unmapped(Area.MEDICINES)
        return ()
    start, end, end_unread = _course(resource, record)
    start_unread = start is None and _has_a_start(resource)
    over = (end is not None and end.last_day < record.as_of) or (start is not None and start.first_day > record.as_of)
    status = words(resource.status).lower()
    origin = source(resource)
    if called.match is None:
        if over or status in NOT_TAKEN_NOW or _against(resource, status):
            record.count_unmapped(Area.MEDICINES)
            return ()
        record.leave_incomplete(Area.MEDICINES, NAMELESS)
        return (Unread(Area.MEDICINES, "", NAMELESS, origin, start),)
    if why := _against(resource, status):
        return _unread(called.label, called.match, why, origin, start, expected=True)
    if status not in TAKEN and status not in NOT_TAKEN_NOW:
        return _unread(called.label, called.match, "it is not stated whether it is taken", origin, start)
    made = Medicine(
        called.match.ingredients,
        called.label,
        called.match.link,
        status in TAKEN and not over and not _not_adhered_to(resource),
        origin,
        None if status in NOT_TAKEN_YET else start,  # what was never begun lengthens no course (3.8 no. 2)
        end,
        reasons(resource, record),
        _dose(resource, called.match, record) if record.with_doses else None,
    )
    if not (called.match.also_by_brand or end_unread or start_unread):
        return (made,)
    found: list[Medicine | Unread] = [made]
    if called.match.also_by_brand:
        found.append(msgspec.structs.replace(made, ingredients=called.match.also_by_brand, link=Link.BRAND))
    for which, is_unread in (("end", end_unread), ("start", start_unread)):
        if is_unread and made.active:
            found += _unread(called.label, called.match, f"the date of its {which} could not be read", origin, start)
    return tuple(found)


def _dose(resource: Resource, match: MedicineMatch, record: Record) -> Dose | None:
    """Its dose; one instruction stands in many records (one daily, as each issue of a prescription), and is read
    once.
    """
    instructions, dosage = resource.dosageInstruction, resource.dosage
    if instructions is None and dosage is None:
        return None
    if type(instructions) not in _AS_TEXT or type(dosage) not in _AS_TEXT:
        return dose_of(resource, match)
    key = (bytes(instructions or b""), bytes(dosage or b""), is_combination(match))
    if key not in record.doses:
        record.doses[key] = dose_of(resource, match)
    return record.doses[key]


_AS_TEXT: Final = (msgspec.Raw, type(None))


def _unread(
    label: str, match: MedicineMatch, why: str, origin: str, start: When | None, *, expected: bool = False
) -> tuple[Unread, ...]:
    """Named once for each ingredient."""
    return tuple(
        Unread(Area.MEDICINES, one, f"{label}: {why}", origin, start, expected)
        for one in sorted(match.ingredients | match.also_by_brand)
    )


def _against(resource: Resource, status: str) -> str:
    """Why it is left out by rule; "" if it is not."""
    if status in LEFT_OUT:
        return LEFT_OUT[status]
    if resource.doNotPerform is True:
        return "is an order not to give it"
    if resource.wasNotTaken is True or resource.wasNotGiven is True or words(resource.taken).lower() == "n":
        return "is recorded as not taken"
    if resource.resourceType in REQUESTS and resource.intent is not None and words(resource.intent) not in ORDERED:
        return "was proposed, not ordered"
    return ""


def _not_adhered_to(resource: Resource) -> bool:
    if resource.adherence is None:
        return False
    codes = code_words(member(resource.adherence, "code"))
    return any(code.startswith(ADHERENCE_AGAINST) for code in codes)


def _course(resource: Resource, record: Record) -> tuple[When | None, When | None, bool]:
    """Start, end, and whether an end is given that cannot be read.

    A statement: its effective time. A request: when it was written; it ends with ``timing.repeat.boundsPeriod``, the
    latest if every dosage has one, else with ``dispenseRequest.validityPeriod`` (3.8 no. 26).
    """
    if resource.resourceType in STATEMENTS:
        start, end = record.period(resource.effectivePeriod)
        end_unread = end is None and member(resource.effectivePeriod, "end") is not None
        return record.moment(resource.effectiveDateTime) or start, end, end_unread
    bounds = _bounds(resource.dosageInstruction)
    written = record.moment(resource.authoredOn) or record.moment(resource.dateWritten)
    validity = member(resource.dispenseRequest, "validityPeriod")
    start = written or next((one for one in (record.period(p)[0] for p in (*bounds, validity)) if one), None)
    ends = [member(period, "end") for period in bounds]
    if ends and all(one is not None for one in ends):
        read = [record.moment(one) for one in ends]
        known = [one for one in read if one is not None]
        if len(known) < len(read):
            return start, None, True
        return start, max(known, key=lambda one: one.latest), False
    if any(one is not None for one in ends):
        return start, None, False  # a dosage without an end goes on
    given = member(validity, "end") if member(validity, "end") is not None else resource.dateEnded
    end = record.moment(given)
    return start, end, given is not None and end is None


def _bounds(dosages: Any) -> list[Any]:
    """``timing.repeat.boundsPeriod`` of each dosage, None where it has none; empty if none has one."""
    if dosages is None or (
        type(dosages) is msgspec.Raw and b"boundsPeriod" not in (text := bytes(dosages)) and b"\\" not in text
    ):
        return []  # the word does not stand in it, and no letter of it may be written as an escape
    return [member(member(member(dosage, "timing"), "repeat"), "boundsPeriod") for dosage in objects(dosages)]


def _has_a_start(resource: Resource) -> bool:
    """Whether a start is given, readable or not."""
    return any(
        one is not None
        for one in (
            resource.effectiveDateTime,
            member(resource.effectivePeriod, "start"),
            resource.authoredOn,
            resource.dateWritten,
        )
    )


def named(resource: Resource, record: Record) -> Named:
    """The medicine by its codes; by whole words of its text only if no code is known (architecture decision 4)."""
    concept = resource.medicationCodeableConcept
    if concept is None and resource.medication is None:
        return _referred_to(resource, record) or _named(resource, record)
    if type(concept) is not msgspec.Raw or resource.medicationReference is not None or resource.medication is not None:
        return _named(resource, record)
    text = bytes(concept)
    found = record.names.get(text)
    if found is None:
        if (plain := coded(concept)) is None:
            found = _named(resource, record)
        else:
            found = _plainly_named(plain, record.vocabulary.meaning(pairs_of(plain)).medicine, record)
        record.names[text] = found  # repeat prescriptions write it the same way each time
    return found


def _referred_to(resource: Resource, record: Record) -> Named | None:
    """The same of a medicine that is only referred to; None if what the Medication is made of has to be looked at."""
    reference = resource.medicationReference
    medication = record.find(reference, "Medication", resource.contained)
    code = None if medication is None else medication.code
    plain = coded(code) if type(code) is msgspec.Raw else None
    match = record.medicine(code) if plain is None else record.vocabulary.meaning(pairs_of(plain)).medicine
    if match is None and medication is not None and (medication.ingredient, medication.product) != (None, None):
        return None
    display = words(member(reference, "display"))
    if plain is not None:
        return _plainly_named(plain, match, record, display)
    texts = [text for text in (*said(code), display) if text]
    anything = bool(texts or pairs(code)) and (bool(display) or not is_left_unsaid(code))
    return _called(match or record.medicine_named(texts), texts, record, anything=anything)


def _plainly_named(plain: Coded, match: MedicineMatch | None, record: Record, *also_called: str) -> Named:
    """The name of a medicine by one concept alone; ``match``: what its codes name."""
    if match is not None and (label := shown(plain.text.strip())):
        return Named(match, label, anything=True)
    said_of_it = (plain.text.strip(), *[one.display.strip() for one in plain.coding], *also_called)
    texts = [text for text in said_of_it if text]
    anything = bool(texts or pairs_of(plain)) and (any(also_called) or not is_left_unsaid(plain))
    return _called(match or record.medicine_named(texts), texts, record, anything=anything)


def _named(resource: Resource, record: Record) -> Named:
    """The same, wherever the name stands and however it is written. A code in the resource itself is enough."""
    concept = opened(resource.medicationCodeableConcept)
    if type(concept) is dict and (match := record.medicine(concept)) is not None:
        return _called(match, said(concept), record, anything=True)
    concepts = [one for one in _concepts(resource, record) if not is_left_unsaid(one)]
    texts = [text for concept in concepts for text in said(concept)]
    for reference in (resource.medicationReference, member(resource.medication, "reference"), resource.medication):
        display = words(member(reference, "display"))
        if display:
            texts.append(display)
    anything = bool(texts) or any(pairs(concept) for concept in concepts)
    matches = [match for concept in concepts if (match := record.medicine(concept)) is not None]
    return _called(joined(matches) or record.medicine_named(texts), texts, record, anything=anything)


def _called(match: MedicineMatch | None, texts: Iterable[str], record: Record, *, anything: bool) -> Named:
    """A medicine by the name that may be shown of it, else by the titles of its ingredients."""
    if match is None:
        return Named(None, "", anything)
    return Named(match, _label(texts, record) or record.titles(match.ingredients), anything)


def _label(texts: Iterable[str], record: Record) -> str:
    """The first of the texts of which anything can be shown (rule R11)."""
    return next((safe for text in texts if (safe := record.safe(text))), "")


def _concepts(resource: Resource, record: Record) -> Iterator[Any]:
    """What the medicine is called: in the resource, else in the Medication it refers to, else its ingredients."""
    yield from objects(resource.medicationCodeableConcept)
    inline = resource.medication
    if member(inline, "coding") is not None or member(inline, "text") is not None:
        yield inline
    yield from objects(member(inline, "concept"))
    for reference in (resource.medicationReference, member(inline, "reference"), inline):
        medication = record.find(reference, "Medication", resource.contained)
        if medication is None:
            continue
        yield from objects(medication.code)
        if record.medicine(medication.code) is None:
            inside = resource.contained if target(reference).startswith("#") else medication.contained
            yield from ingredients_of(medication, inside, record)
        return


def reasons(resource: Resource, record: Record) -> frozenset[str]:
    """Problem concepts it was prescribed for, as codes or as references to Conditions that came along."""
    found = _NO_REASON
    for concept in (resource.reasonCode, resource.reasonCodeableConcept, resource.reasonForUseCodeableConcept):
        if concept is not None:
            found |= record.concepts(concept)
    if resource.reasonReference is None and resource.reason is None:
        return found
    for reference in objects(resource.reasonReference):
        condition = record.find(reference, "Condition", resource.contained)
        found |= record.concepts(condition.code) if condition is not None else frozenset()
    for one in objects(resource.reason):
        found |= record.concepts(one.get("concept", one))
        condition = record.find(one, "Condition", resource.contained)
        found |= record.concepts(condition.code) if condition is not None else frozenset()
    return found
