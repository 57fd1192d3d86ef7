"""Resources that are seen and may not be used: named by what they are about, so that nothing is dropped in silence.

Less data must never yield more reassurance: what is only named still tells the rules that something is there (R10).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from cards.entries import Allergy, Area, Draft, Medicine, Order, Problem, Relative, Result, Unread
from service.fhir.record import Record, source
from service.fhir.references import Whose
from service.fhir.resource import Resource

Entry: TypeAlias = Result | Problem | Medicine | Order | Allergy | Relative | Draft | Unread
Reader: TypeAlias = Callable[[Resource, Record], Sequence[Entry]]

A_MODIFIER: Final = "it carries a modifier that is not understood"


def unproven(resource: Resource, area: Area, reader: Reader, record: Record) -> Iterable[Unread]:
    """What a resource without a patient is about: named, and not used, for it is not proven to be the patient's. Of a
    problem that is over nothing is missing: it would not count if it were.

    Its id is not kept, as with a resource that is another patient's for certain (R12).
    """
    for entry in reader(resource, record):
        for one in _about(entry):
            why = f"{record.vocabulary.title(one)}: {Whose.UNPROVEN.value}"
            expected = entry.expected if isinstance(entry, Unread) else isinstance(entry, Problem) and not entry.active
            yield Unread(area, one, why, resource.resourceType, expected=expected)


def modified(resource: Resource, area: Area, reader: Reader, record: Record) -> Iterable[Unread]:
    """What a resource with a modifier is about: named, and not used. What is left out by rule is so anyway, and what is
    over leaves no gap.
    """
    for entry in reader(resource, record):
        if isinstance(entry, Unread) and (entry.expected or not entry.about):
            yield entry
            continue
        is_over = isinstance(entry, Medicine | Problem) and not entry.active
        for one in _about(entry):
            why = f"{record.vocabulary.title(one)}: {A_MODIFIER}"
            yield Unread(area, one, why, source(resource), expected=is_over)


def _about(entry: Entry) -> Iterable[str]:
    """The analyte, ingredients or other concepts an entry is about, in a stable order."""
    match entry:
        case Result():
            return (entry.analyte,)
        case Unread():
            return (entry.about,) if entry.about else ()
        case Medicine() | Allergy() | Draft():
            return sorted(entry.ingredients)
        case Problem() | Order() | Relative():
            return sorted(entry.concepts)
