"""What topics ask about an order in hand: what is drafted, what in the record asks for care, and what was not read."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from cards.card import LONGEST_SUMMARY
from cards.case import Case
from cards.entries import Area, Dose, Draft, Medicine, Reading
from cards.figures import inside_a_sentence, listed
from cards.finding import Evidence, Finding
from cards.lists import Listing
from cards.presentation import Symptom, load_gatekeeper
from terminology.vocabulary import Link

#: What a check for contraindications and interactions rests on (HZ14).
CHECKED: Final = (Area.PROBLEMS, Area.RESULTS, Area.MEDICINES, Area.ALLERGIES)

_CRAMP: Final = load_gatekeeper().symptoms[Symptom.CRAMP]


class Concern(msgspec.Struct, frozen=True):
    """One entry that speaks against an order or asks for care with it.

    ``kind``: the finding of the sheet that says why. ``counts_as``: the concept, analyte or ingredient it is counted
    and named as; entries that share it are one concern.
    """

    kind: str
    counts_as: str
    entry: Evidence


def drafted(case: Case, ingredient: str) -> tuple[Draft, ...]:
    """Drafts with the ingredient that this call is about, however recognised (3.8 no. 4)."""
    return tuple(d for d in case.chart.drafts if d.judged and ingredient in d.ingredients)


def for_cramp(draft: Draft) -> bool:
    """Whether cramp is a reason the order itself gives."""
    return bool(draft.reasons & _CRAMP)


def renewed(case: Case, ingredient: str) -> tuple[Medicine, ...]:
    """Active records of the drafted ingredient: the order renews it, and adds nothing."""
    return case.chart.taking({ingredient}, links=frozenset(Link))


def conditions(case: Case, rows: Iterable[Listing]) -> Iterator[Concern]:
    """Active problems of the rows of a sheet, at any age (3.8 no. 23); the concepts of a row count as one."""
    for row in rows:
        for problem in case.chart.has(*row.concepts):
            yield Concern(row.finding, next(c for c in row.concepts if c in problem.concepts), problem)


def beside(case: Case, rows: Iterable[Listing]) -> Iterator[Concern]:
    """Medicines taken, or drafted whether selected or not, of the rows of a sheet.

    Also those known by name or brand, which may name an interaction (3.8 no. 4). Of an ingredient that has a row of its
    own that row speaks, whatever classes it belongs to.
    """
    table = tuple(rows)
    singled_out = {ingredient: row.finding for row in table for ingredient in row.ingredients}
    for row in table:
        ingredients = row.ingredients_in(case.vocabulary)
        taken = case.chart.taking(ingredients, links=frozenset(Link))
        entries: tuple[Medicine | Draft, ...] = (*taken, *case.chart.drafts)
        for entry in entries:
            for ingredient in sorted(entry.ingredients & ingredients):
                yield Concern(singled_out.get(ingredient, row.finding), ingredient, entry)


def by_kind(case: Case, concerns: Iterable[Concern]) -> Iterator[Finding]:
    """One finding for each kind of concern; ``{names}`` in its sentences are what is on record."""
    grouped: dict[str, list[Concern]] = {}
    for concern in concerns:
        grouped.setdefault(concern.kind, []).append(concern)
    for kind, group in grouped.items():
        names = listed(named(case, concern) for concern in group)
        yield Finding(kind, evidence=tuple(dict.fromkeys(r.entry for r in group)), fill={"names": names})


def named(case: Case, concern: Concern) -> str:
    """The title of what a concern counts as, as it stands inside a sentence."""
    return inside_a_sentence(case.vocabulary.title(concern.counts_as))


def coded(entries: Iterable[Evidence]) -> bool:
    """Whether none of the entries is a medicine known by name or brand only.

    What rests on such a one is a warning at most, and proposes nothing (3.8 no. 4).
    """
    return all(entry.link is Link.CODE for entry in entries if isinstance(entry, Medicine | Draft))


def largest(dose: Dose | None) -> Decimal | None:
    """The larger of the doses of a night and of a day, in milligrams; None if neither is known."""
    if dose is None:
        return None
    return max((amount for amount in (dose.night, dose.daily) if amount is not None), default=None)


def exceeding(dose: Dose | None, most: Decimal) -> Decimal | None:
    """What of the dose is known to exceed ``most``, in milligrams; None if nothing is: a part that is taken for certain
    may, although the whole is not known.
    """
    known = [one for one in (largest(dose), None if dose is None else dose.least) if one is not None]
    return max((one for one in known if one > most), default=None)


def unchecked(case: Case) -> tuple[str, ...]:
    """The parts of the record that the check rests on and that were not read to the end, in words (HZ14)."""
    states = ((area, case.chart.inputs.get(area)) for area in CHECKED)
    return tuple(area.value for area, state in states if state is None or state.reading is not Reading.COMPLETE)


def listed_within(summary: str, names: Iterable[str]) -> str:
    """The first of the names and as many of the others as the summary holds at its ``{reason}``; the detail has all."""
    kept: list[str] = []
    for name in dict.fromkeys(names):
        if not kept or len(summary.format(reason=listed([*kept, name]))) <= LONGEST_SUMMARY:
            kept.append(name)
    return listed(kept)
