"""From what was retrieved to the chart: every entry is read alone, and nothing is dropped in silence (rules R8-R12).

The same facts give an equal chart in whatever order, under whatever query and however often they arrive.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from operator import attrgetter
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from cards.chart import Chart
from cards.entries import Allergy, Area, Draft, Medicine, Order, Problem, Relative, Result, Unread
from service.fhir.basket import Basket
from service.fhir.once import each_once
from service.fhir.only_named import Entry, Reader, modified, unproven
from service.fhir.read_drafts import read_drafts
from service.fhir.read_medicines import REQUESTS, STATEMENTS, read_medicine
from service.fhir.read_orders import TYPES as ORDER_TYPES
from service.fhir.read_orders import read_order
from service.fhir.read_people import alive, read_allergy, read_person, read_relatives
from service.fhir.read_problems import read_condition, read_encounter, read_procedure
from service.fhir.read_results import note_haemolysed_samples, read_observation
from service.fhir.record import Record
from service.fhir.references import Whose
from service.fhir.resource import READ, Encounter, Medication, OperationOutcome, Patient, Resource
from service.fhir.retrieved import Resources, Retrieved
from service.fhir.shown import shown
from service.fhir.states import area_of, states_of, tells_of_an_error
from terminology.vocabulary import Vocabulary

E = TypeVar("E", bound=Entry)

READERS: Final[dict[str, tuple[Area, Reader]]] = {
    "Observation": (Area.RESULTS, read_observation),
    "Condition": (Area.PROBLEMS, read_condition),
    "Encounter": (Area.ENCOUNTER, read_encounter),
    "Procedure": (Area.PROCEDURES, read_procedure),
    **dict.fromkeys(sorted(STATEMENTS | REQUESTS), (Area.MEDICINES, read_medicine)),
    **dict.fromkeys(sorted(ORDER_TYPES), (Area.ORDERS, read_order)),
    "AllergyIntolerance": (Area.ALLERGIES, read_allergy),
    "FamilyMemberHistory": (Area.FAMILY, read_relatives),
}
"""What is read, by the name of its type. Other types are not relevant, but for those that are referred to."""

_BY_TYPE: Final = {
    kind: READERS[kind.__name__] for kind in sorted(READ, key=attrgetter("__name__")) if kind.__name__ in READERS
}

_FILL: Final = {
    area: frozenset({Patient})
    if area is Area.PATIENT
    else frozenset(k for k, (of, _) in _BY_TYPE.items() if of is area)
    for area in Area
}
"""The types that fill each part of the record."""

NOT_OURS: Final = "a record that belongs to another patient was left out"
A_BROKEN_ENTRY: Final = "an entry could not be read"
ANOTHER_ENCOUNTER: Final = "what came is not the encounter in view"
ANOTHER_KIND: Final = "what came holds nothing of this kind"
A_REPORTED_ERROR: Final = "the record system reported an error with part of it"


def assemble(  # noqa: PLR0913 -- named, and each a fact of the call
    retrieved: Mapping[str, Retrieved],
    *,
    patient_id: str,
    as_of: date,
    zone: ZoneInfo,
    vocabulary: Vocabulary,
    for_clinician: bool = True,
    encounter_id: str | None = None,
    basket: Basket | None = None,
    with_doses: bool = True,
) -> Chart:
    """The chart of one patient on one day. Never raises, whatever was retrieved.

    A query that was not asked is absent from ``retrieved``, and its part of the record from ``Chart.inputs``.
    ``basket``: the unsigned orders of the session, in the order hooks. ``with_doses``: whether the doses of medicines
    on record are read; only the rules for orders may ask for them.
    """
    by_type, broken, reported = _arrived(retrieved)
    record = Record(
        patient_id=patient_id,
        as_of=as_of,
        zone=zone,
        vocabulary=vocabulary,
        encounter_id=encounter_id,
        with_doses=with_doses,
        resources=by_type,
    )
    unread = [Unread(area, "", f"{A_BROKEN_ENTRY}: {shown(why)}", "") for area, why in broken]
    for area, _ in broken:
        record.leave_incomplete(area, A_BROKEN_ENTRY)
    for area in reported:
        record.leave_incomplete(area, A_REPORTED_ERROR)
    for area in _misplaced(retrieved):
        record.leave_incomplete(area, ANOTHER_KIND)
    encounters = by_type.get(Encounter)
    if encounter_id is not None and encounters and all(one.id != encounter_id for one in encounters):
        record.leave_incomplete(Area.ENCOUNTER, ANOTHER_ENCOUNTER)
    entries = _Entries(unread=unread)
    for kind, (area, reader) in _BY_TYPE.items():
        if kind in by_type:
            entries.take(_read_all(by_type[kind], area, reader, record))
    if basket is not None:
        _take_drafts(basket, entries, record, by_type)
    arrived = by_type.get(Patient, [])
    patients = [one for one in arrived if one.id == patient_id]
    for _ in range(len(arrived) - len(patients)):
        entries.unread.append(Unread(Area.PATIENT, "", NOT_OURS, "Patient", expected=True))
        record.count_of_another(Area.PATIENT)
    person, about_person = read_person(patients, record)
    entries.take(about_person)
    problems = _sorted(entries.problems)
    if not person.deceased and not alive(patients) and any(p.active and "deceased" in p.concepts for p in problems):
        person = replace(person, deceased=True)
    return Chart(
        as_of=as_of,
        person=person,
        inputs=states_of(retrieved, record.incomplete),
        problems=problems,
        results=_sorted(entries.results),
        medicines=_sorted(entries.medicines),
        orders=_sorted(entries.orders),
        allergies=_sorted(entries.allergies),
        relatives=_sorted(entries.relatives),
        drafts=_sorted(entries.drafts),
        unread=_sorted(entries.unread),
        unmapped=dict(record.unmapped),
        of_others=dict(record.of_others),
        for_clinician=for_clinician,
    )


@dataclass(slots=True)
class _Entries:
    """What was read, by kind."""

    results: list[Result] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    medicines: list[Medicine] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    allergies: list[Allergy] = field(default_factory=list)
    relatives: list[Relative] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def take(self, entries: Iterable[Entry]) -> None:
        """Put each entry with its kind."""
        for entry in entries:
            match entry:
                case Result():
                    self.results.append(entry)
                case Problem():
                    self.problems.append(entry)
                case Medicine():
                    self.medicines.append(entry)
                case Unread():
                    self.unread.append(entry)
                case Order():
                    self.orders.append(entry)
                case Allergy():
                    self.allergies.append(entry)
                case Relative():
                    self.relatives.append(entry)
                case Draft():
                    self.drafts.append(entry)


def _take_drafts(
    basket: Basket, entries: _Entries, record: Record, by_type: Mapping[type[Resource], Sequence[Resource]]
) -> None:
    """Read the unsigned orders. An order on record that is being signed again is not one more beside the draft.

    A Medication sent with the drafts is for them alone, and goes before one of the same id on record.
    """
    beside = Record(
        patient_id=record.patient_id,
        as_of=record.as_of,
        zone=record.zone,
        vocabulary=record.vocabulary,
        encounter_id=record.encounter_id,
        resources={**by_type, Medication: (*basket.medications, *by_type.get(Medication, ()))},
    )
    read = read_drafts(basket, beside)
    again = {one.source for one in read if isinstance(one, Draft) and "/" in one.source}
    entries.orders = [order for order in entries.orders if order.source not in again]
    entries.take(read)
    record.unmapped.update(beside.unmapped)
    record.of_others.update(beside.of_others)


def _arrived(
    retrieved: Mapping[str, Retrieved],
) -> tuple[dict[type[Resource], list[Resource]], list[tuple[Area, str]], list[Area]]:
    """What arrived, in three parts: the entries of all queries by their type, each once; area and reason of those that
    are no resources at all, each once; and the areas whose answers tell of an error (E11, R8).
    """
    by_type: dict[type[Resource], list[Resource]] = {}
    broken: dict[tuple[Area, str], None] = {}
    reported: list[Area] = []
    for key, answer in retrieved.items():
        if isinstance(answer, Resources):
            area = area_of(key)
            if answer.broken and area is not None:
                broken.update(dict.fromkeys((area, why) for why in answer.broken))
            for one in answer.entries:
                kind = type(one)
                if kind in by_type:  # as for nearly all
                    by_type[kind].append(one)
                elif kind in READ:
                    by_type[kind] = [one]
                elif area is not None:
                    if kind is OperationOutcome and tells_of_an_error(one):
                        reported.append(area)
                    elif _has_no_type(one):
                        broken[area, "it does not say what it is"] = None
    return {kind: each_once(entries) for kind, entries in by_type.items()}, list(broken), reported


def _misplaced(retrieved: Mapping[str, Retrieved]) -> Iterator[Area]:
    """The parts for which resources came, and none of a kind that fills them: a key was given the template of another,
    so that what belongs there may stand nowhere (HZ10). What did come is read all the same.
    """
    for key, answer in retrieved.items():
        area = area_of(key)
        if area is not None and isinstance(answer, Resources) and answer.entries:
            kinds = set(map(type, answer.entries))
            if kinds.isdisjoint(_FILL[area]) and OperationOutcome not in kinds:
                yield area


def _has_no_type(resource: Resource) -> bool:
    return type(resource.resourceType) is not str or resource.resourceType == "Bundle"


def _read_all(resources: Sequence[Resource], area: Area, reader: Reader, record: Record) -> list[Entry]:
    """What resources of one type say. Those that are not proven to be the patient's are only named (R12), and so are
    those that carry a modifier: FHIR lets nobody read them who does not know it, for it may say the opposite (that a
    medicine is stopped, or that something did not happen).
    """
    ours: list[Resource] = []
    entries: list[Entry] = []
    whose_is = record.whose
    for one in resources:
        whose = whose_is(one)
        if whose is Whose.OURS:  # before the rest, as nearly all are
            if not one.modifierExtension:
                ours.append(one)
            else:
                entries.extend(modified(one, area, reader, record))
            continue
        match whose:
            case Whose.FOREIGN:
                # Neither its id nor anything else of it: it is another patient's (R12).
                entries.append(Unread(area, "", NOT_OURS, one.resourceType, expected=True))
                record.count_of_another(area)
            case Whose.UNPROVEN:
                entries.extend(unproven(one, area, reader, record))
    record.haemolysis_tests.clear()  # those met so far are only named
    read = _read(ours, reader, record)
    if record.haemolysis_tests and note_haemolysed_samples(record):
        counted = record.unmapped.copy()
        read = _read(ours, reader, record)
        record.unmapped = counted
    return entries + read


def _read(resources: Iterable[Resource], reader: Reader, record: Record) -> list[Entry]:
    entries: list[Entry] = []
    for one in resources:
        entries += reader(one, record)
    return entries


def _sorted(entries: list[E]) -> tuple[E, ...]:
    """The entries in an order that depends on nothing but what they hold."""
    if len(entries) <= 1:
        return tuple(entries)
    entries.sort(key=attrgetter("source"))
    if len({one.source for one in entries}) < len(entries):
        entries.sort(key=_order)
    return tuple(entries)


def _order(entry: Entry) -> tuple[str, str]:
    """A total order: two entries share a place only if they are equal."""
    if isinstance(entry, Result | Medicine | Problem):
        names: Iterable[str] = entry.__struct_fields__
    else:
        names = [part.name for part in fields(entry)]
    values = (getattr(entry, name) for name in names)
    return entry.source, repr([sorted(one) if isinstance(one, frozenset) else one for one in values])
