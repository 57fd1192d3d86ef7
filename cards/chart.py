"""What is known of the patient when the cards are made, in a clinician's words. Missing is not normal, unreadable is
not missing: a lookup has three answers.

The chart is frozen, carries the day the rules see (``as_of``), and is the same for the same facts whatever order or
road they came by: its makers sort every tuple.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from cards.entries import (
    Allergy,
    Area,
    Draft,
    Input,
    Medicine,
    Order,
    Person,
    Problem,
    Reading,
    Relative,
    Result,
    ResultStatus,
    Unread,
)
from cards.when import Instant
from terminology.vocabulary import Link

T = TypeVar("T")

_TWO_DAYS: Final = timedelta(days=2)


class Recorded(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """It is on record, and can be read."""

    value: T


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """All of that part of the record was read, and it is not there. May be said."""


@dataclass(frozen=True, slots=True)
class NotReadable:
    """Part of the record could not be read, so nothing may be concluded from its absence."""

    why: str


Lookup: TypeAlias = Recorded[T] | NotRecorded | NotReadable

_NOT_RECORDED: Final = NotRecorded()


def recorded(found: Lookup[tuple[T, ...]]) -> tuple[T, ...]:
    """What is on record; empty if nothing is, or it could not be read: for rules to which that is all the same."""
    match found:
        case Recorded(value):
            return value
        case NotRecorded() | NotReadable():
            return ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the rules may look at."""

    as_of: date
    person: Person
    inputs: Mapping[Area, Input]
    problems: tuple[Problem, ...] = ()
    results: tuple[Result, ...] = ()
    medicines: tuple[Medicine, ...] = ()
    orders: tuple[Order, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    relatives: tuple[Relative, ...] = ()
    drafts: tuple[Draft, ...] = ()
    unread: tuple[Unread, ...] = ()
    unmapped: Mapping[Area, int] = field(default_factory=dict)  # codes in no set: counted, never read as normal
    of_others: Mapping[Area, int] = field(default_factory=dict)  # entries of another patient: counted, never used
    for_clinician: bool = True  # False: the user is the patient or a related person (S16)
    wanting: frozenset[Area] = field(init=False, repr=False, compare=False)
    """The parts of the record that were asked for and not read to the end."""
    course_starts: dict[tuple[frozenset[str], frozenset[Link], int], date | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What :meth:`cards.case.Case.started` worked out, by ingredients, links that count, and gap: thousands of
    records of one medicine would otherwise be gone through once for each of them. Never carried over to a chart made
    from this one."""
    # These are filled when the first topic asks, since many do; they too are never carried over to another chart.
    _usable: dict[str, list[Result]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _preliminary: list[Result] = field(default_factory=list, init=False, repr=False, compare=False)
    _latest: dict[tuple[str, ...], Lookup[tuple[Result, ...]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _active: list[Medicine] = field(default_factory=list, init=False, repr=False, compare=False)
    _taken: set[str] = field(default_factory=set, init=False, repr=False, compare=False)  # ingredients of the active
    _present: set[str] = field(default_factory=set, init=False, repr=False, compare=False)  # concepts of the active

    def __post_init__(self) -> None:
        """Note what is wanting: nearly every topic asks."""
        wanting = [area for area, state in self.inputs.items() if state.reading is not Reading.COMPLETE]
        object.__setattr__(self, "wanting", frozenset(wanting))

    def complete(self, *areas: Area) -> bool:
        """Whether all of these parts of the record were read to the end."""
        return self.wanting.isdisjoint(areas)

    def read_at_all(self, area: Area) -> bool:
        """Whether anything of that part could be read, if not all of it."""
        return area in self.inputs and self.inputs[area].reading in (Reading.COMPLETE, Reading.INCOMPLETE)

    def latest(self, *analytes: str) -> Lookup[tuple[Result, ...]]:
        """The newest usable results of these analytes, of whatever age; several if their times cannot be told apart.

        A corrected or amended result replaces an uncorrected one of the same time (HZ27). Preliminary results and
        results dated after ``as_of`` never count (3.2). NotReadable if there is none, but a value could not be read or
        the results were not read to the end.
        """
        found = self._latest.get(analytes)
        if found is None:
            found = self._latest[analytes] = self._find_latest(analytes)
        return found

    def _find_latest(self, analytes: tuple[str, ...]) -> Lookup[tuple[Result, ...]]:
        usable = self.usable(*analytes)
        if usable:
            return Recorded(newest(usable))
        for entry in self.unread:
            if entry.area is Area.RESULTS and entry.about in analytes and not entry.expected:
                return NotReadable(entry.why)
        if not self.complete(Area.RESULTS):
            return NotReadable(self.inputs[Area.RESULTS].why if Area.RESULTS in self.inputs else "not asked for")
        return _NOT_RECORDED

    def usable(self, *analytes: str) -> list[Result]:
        """The results of these analytes that count: none that is preliminary, or dated after ``as_of`` (3.2).

        In the order of the results, analyte by analyte.
        """
        if not self._usable and self.results:
            self._sort_results()
        if len(analytes) == 1:
            return self._usable.get(analytes[0], [])
        return [result for analyte in analytes for result in self._usable.get(analyte, ())]

    def preliminary(self) -> tuple[Result, ...]:
        """Results that are not final yet."""
        if not self._usable and self.results:
            self._sort_results()
        return tuple(self._preliminary)

    def _sort_results(self) -> None:
        """The one time that all results are gone through: there may be thousands."""
        usable: defaultdict[str, list[Result]] = defaultdict(list)
        as_of, today, preliminary = self.as_of, _midnight(self.as_of), ResultStatus.PRELIMINARY
        self._preliminary.clear()
        for result in self.results:
            if result.status is preliminary:
                self._preliminary.append(result)
            elif (type(when := result.when) is Instant and when.earliest < today) or not when.begins_after(as_of):
                usable[result.analyte].append(result)
        self._usable.update(usable)

    def taking(
        self, ingredients: AbstractSet[str], *, links: frozenset[Link] = frozenset({Link.CODE})
    ) -> tuple[Medicine, ...]:
        """Active medicines with any of the ingredients, recognised in one of the given ways."""
        if not self._active and self.medicines:
            self._active.extend([m for m in self.medicines if m.active])
            self._taken.update(*[m.ingredients for m in self._active])
        if self._taken.isdisjoint(ingredients):
            return ()
        return tuple([m for m in self._active if m.link in links and not m.ingredients.isdisjoint(ingredients)])

    def has(self, *concepts: str) -> tuple[Problem, ...]:
        """Active problems of these concepts, of whatever age."""
        if not self._present and self.problems:
            self._present.update(*[p.concepts for p in self.problems if p.active])
        if self._present.isdisjoint(concepts):
            return ()
        return tuple([p for p in self.problems if p.active and not p.concepts.isdisjoint(concepts)])


def wholly_after(day: date, results: Iterable[Result]) -> list[Result]:
    """Those of the results that lie wholly after the day.

    No zone is more than a day from UTC, so of most instants one comparison decides.
    """
    perhaps, surely = _midnight(day), _midnight(day + _TWO_DAYS)
    found = []
    for result in results:
        when = result.when
        if type(when) is not Instant or perhaps <= when.earliest < surely:
            after = when.begins_after(day)
        else:
            after = when.earliest >= surely
        if after:
            found.append(result)
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def newest(results: Iterable[Result]) -> tuple[Result, ...]:
    """The newest of these; several if their times cannot be told apart, of which a corrected one goes before others."""
    usable = list(results)
    if not usable:
        return ()
    ends = [r.when.latest for r in usable]
    latest = max(ends)
    # None is later than the newest, so those that end after it began are those that may be the same moment.
    began = usable[ends.index(latest)].when.earliest
    late = [r for r, end in zip(usable, ends, strict=True) if end >= began]
    if len(late) > 1:
        began = max([r.when.earliest for r in late if r.when.latest == latest])
        late = [r for r in late if r.when.latest >= began]
    return tuple([r for r in late if r.status in (ResultStatus.AMENDED, ResultStatus.CORRECTED)] or late)
