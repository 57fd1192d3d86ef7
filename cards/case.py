"""One patient as the topics see it: the chart, what brings the patient, the time windows and the vocabulary.

The questions several topics ask stand here, once: is the test done, when did the medicine start, how far out is it.
"""

from collections import defaultdict
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import wraps
from typing import TypeVar, cast

from cards.bands import Bands, Grade, Grading, Within
from cards.chart import Chart, Lookup, NotReadable, NotRecorded, Recorded, wholly_after
from cards.entries import Area, Draft, Medicine, Order, OrderStatus, Problem, Result
from cards.moment import Moment
from cards.presentation import Presentation, recent
from cards.windows import Windows
from terminology.analytes import Analyte
from terminology.vocabulary import Link, Vocabulary

_BY_CODE = frozenset({Link.CODE})
_ANY_LINK = frozenset(Link)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a topic may look at. ``taking`` and ``grade`` go through the vocabulary and the bands."""

    chart: Chart
    shows: Presentation
    windows: Windows
    bands: Bands
    vocabulary: Vocabulary
    failed_topics: tuple[str, ...] = ()  # topics whose rules raised, for the topic that says so
    moment: Moment = Moment.RECORD
    _gradings: dict[int, tuple[Result, Grading]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What :meth:`grade` found: several topics ask for the same result. This and the next three are filled as topics
    ask; a case made from this one begins with empty ones."""
    _drugs: dict[tuple[frozenset[str], tuple[str, ...]], str] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What :meth:`drug` calls a medicine."""
    answers: dict[Callable[..., object], object] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The answers of :func:`answered_once`, by question."""
    printed: dict[int, tuple[object, str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The lines that cards have printed of an entry, by its identity: a medicine may stand on several cards
    (cards/wording.py)."""

    # drafts

    def drafted(self, *classes: str, named: bool = False) -> tuple[Draft, ...]:
        """Drafted medicines of these classes that this call is about, recognised as in :meth:`taking`."""
        links, ingredients = _ANY_LINK if named else _BY_CODE, self.vocabulary.ingredients_of(*classes)
        return tuple(d for d in self.chart.drafts if d.judged and d.link in links and d.ingredients & ingredients)

    def drafted_orders(self, *concepts: str) -> tuple[Draft, ...]:
        """Drafted tests and referrals of these concepts that this call is about."""
        wanted = frozenset(concepts)
        return tuple(d for d in self.chart.drafts if d.judged and d.concepts & wanted)

    # medicines

    def taking(self, *classes: str, named: bool = False) -> tuple[Medicine, ...]:
        """Active medicines of these classes. ``named``: also those known by an unsourced brand or by text alone.

        The latter may name a contributor and nothing else (3.8 no. 4).
        """
        return self.chart.taking(self.vocabulary.ingredients_of(*classes), links=_ANY_LINK if named else _BY_CODE)

    def drug(self, medicine: Medicine | Draft, *classes: str) -> str:
        """The ingredient of the medicine that belongs to one of the classes, as a card names it."""
        key = (medicine.ingredients, classes)
        found = self._drugs.get(key)
        if found is None:
            wanted = self.vocabulary.ingredients_of(*classes)
            names = sorted(medicine.ingredients & wanted) or sorted(medicine.ingredients)
            found = self._drugs[key] = " and ".join(self.vocabulary.title(name) for name in names)
        return found

    def started(self, medicine: Medicine) -> date | None:
        """First day of the present course: the earliest start among records of the same ingredient with no gap of
        over 90 days between them (3.8 no. 2). None if no record of it carries a start.

        A record without an end reaches until the next one starts, as repeat prescriptions do. One that begins after
        today belongs to no course yet. What is known by a name or an unsourced brand alone says nothing of a medicine
        that a code names (3.8 no. 4): it could make a result count that was taken before the medicine.
        """
        links = _BY_CODE if medicine.link is Link.CODE else _ANY_LINK
        known, key = self.chart.course_starts, (medicine.ingredients, links, self.windows.gap)
        if key not in known:
            known[key] = self._start_of_course(medicine.ingredients, links)
        return known[key]

    def _start_of_course(self, ingredients: frozenset[str], links: frozenset[Link]) -> date | None:
        as_of, records = self.chart.as_of, _by_ingredient(self)
        spans = [
            (as_of if m.active else (m.end or m.start).last_day, m.start.first_day)
            for ingredient in ingredients
            for m in records.get(ingredient, ())
            if m.start is not None and m.start.first_day <= as_of and m.link in links
        ]
        start: date | None = None
        for ends, begins in sorted(spans, reverse=True):
            if start is None:
                if ends >= as_of:
                    start = begins
                continue
            if (start - ends).days <= self.windows.gap:
                start = min(start, begins)
        return start

    # results

    def analyte(self, name: str) -> Analyte:
        """The analyte's entry in the terminology."""
        return self.vocabulary.analytes[name]

    def grade(self, result: Result) -> Grading:
        """How far a result is out of its range."""
        known = self._gradings.get(id(result))
        if known is not None:
            return known[1]
        found = self._grade(result)
        self._gradings[id(result)] = (result, found)  # kept with it, so that no other can have its identity
        return found

    def _grade(self, result: Result) -> Grading:
        asked = self.bands.ask_for(result.analyte)  # only creatine kinase: going through the medicines is the dear part
        taking = frozenset(name for name in asked if self.taking(name)) if asked else asked
        return self.bands.grade(result, self.analyte(result.analyte), self.chart.person, taking=taking)

    def is_fresh(self, result: Result, within: int | None = None) -> bool:
        """Whether the result may lie within its look-back (or ``within`` days): a doubt goes to the warning."""
        days = self.windows.look_back[result.analyte] if within is None else within
        return result.when.youngest(self.chart.as_of) <= days

    def surely_fresh(self, *analytes: str) -> list[Result]:
        """Results of these that count and lie within their look-back whatever day a partial date means: tests that
        are done.
        """
        found: list[Result] = []
        for analyte in analytes:
            usable = self.chart.usable(analyte)
            if not usable:
                continue
            before = self.chart.as_of - timedelta(days=self.windows.look_back[analyte] + 1)
            found += wholly_after(before, usable)
        return found

    def latest_fresh(self, *analytes: str) -> Lookup[tuple[Result, ...]]:
        """The newest results, if they lie within the look-back; NotRecorded if the newest is older."""
        match self.chart.latest(*analytes):
            case Recorded(results):
                fresh = tuple(r for r in results if self.is_fresh(r))
                return Recorded(fresh) if fresh else NotRecorded()
            case NotRecorded() as nothing:
                return nothing
            case NotReadable() as unread:
                return unread

    def preliminary(self, *analytes: str) -> tuple[Result, ...]:
        """Recent preliminary values outside their range: worth a line, never a card (3.8 no. 11)."""
        found = self.chart.preliminary()
        return tuple([r for r in found if r.analyte in analytes and self.is_fresh(r) and self._is_outside(r)])

    def not_final_since(self, results: tuple[Result, ...], *analytes: str) -> tuple[Result, ...]:
        """Recent preliminary values of these, no older than the results: they are shown and never count (3.2)."""
        since = min((r.when.earliest for r in results), default=None)
        found = [r for r in self.chart.preliminary() if r.analyte in analytes and self.is_fresh(r)]
        return tuple([r for r in found if since is None or r.when.latest >= since])

    def _is_outside(self, result: Result) -> bool:
        """Whether it is in a band; of an analyte that has none, whether it is outside the range sent with it."""
        grading = self.grade(result)
        if isinstance(grading, Within) and not self.bands.of(result.analyte):
            low, high = grading.used.limits.low, grading.used.limits.high
            return (low is not None and result.is_below(low)) or (high is not None and result.is_above(high))
        return isinstance(grading, Grade)

    # orders and problems

    def ordered(
        self, *concepts: str, within: int, statuses: Container[OrderStatus] = (OrderStatus.ACTIVE,)
    ) -> tuple[Order, ...]:
        """Orders on record of these concepts, of these statuses, dated within so many days, newest first."""
        if not self.chart.orders:
            return ()
        wanted = frozenset(concepts)
        found = [
            order
            for order in self.chart.orders
            if not order.concepts.isdisjoint(wanted)
            and order.status in statuses
            and order.when is not None
            and order.when.oldest(self.chart.as_of) <= within
        ]
        return tuple(sorted(found, key=lambda o: (o.when.latest if o.when else None, o.source), reverse=True))

    def recent(self, *concepts: str) -> tuple[Problem, ...]:
        """Active problems of these concepts dated within the symptom window, or undated."""
        found = self.chart.has(*concepts)
        return tuple([p for p in found if recent(p, self.chart, self.windows)]) if found else found

    def complete(self, *areas: Area) -> bool:
        """Whether these parts of the record were read to the end."""
        return self.chart.complete(*areas)


def answered_once(question: Callable[[Case], T]) -> Callable[[Case], T]:
    """A question about a case that several topics ask: answered for the first of them, and kept with the case."""

    @wraps(question)
    def ask(case: Case) -> T:
        if question not in case.answers:
            case.answers[question] = question(case)
        return cast("T", case.answers[question])

    return ask


@answered_once
def _by_ingredient(case: Case) -> dict[str, list[Medicine]]:
    """The records of medicines by ingredient."""
    records: defaultdict[str, list[Medicine]] = defaultdict(list)
    for medicine in case.chart.medicines:
        for ingredient in medicine.ingredients:
            records[ingredient].append(medicine)
    return records
