"""Questions that topics ask about an order in hand: what is drafted, what stands beside it, and what was not read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cards.card import LONGEST_SUMMARY
from cards.case import Case
from cards.chart import Area, Chart, Draft, Medicine, Reading
from terminology.vocabulary import Link

#: What a check for contraindications and interactions rests on (HZ14).
CHECKED: Final = (Area.PROBLEMS, Area.RESULTS, Area.MEDICINES, Area.ALLERGIES)


@dataclass(frozen=True, slots=True)
class Beside:
    """A medicine taken or drafted beside the one in hand, by the ingredient that matters."""

    ingredient: str
    entry: Medicine | Draft


def drafted(case: Case, ingredient: str) -> tuple[Draft, ...]:
    """Drafts with the ingredient that this call is about, however recognised (3.8 no. 4)."""
    return tuple(d for d in case.chart.drafts if d.judged and ingredient in d.ingredients)


def renewed(case: Case, ingredient: str) -> tuple[Medicine, ...]:
    """Active records of the drafted ingredient: the order renews it, and adds nothing."""
    return case.chart.taking({ingredient}, links=frozenset(Link))


def beside(case: Case, *classes: str) -> tuple[Beside, ...]:
    """Active medicines and drafts of these classes, selected or not, one for each ingredient.

    Also those known by name or brand: they may name an interaction of the order in hand (3.8 no. 4).
    """
    ingredients = frozenset[str]().union(*(case.vocabulary.ingredients_of(name) for name in classes))
    entries = (*case.chart.taking(ingredients, links=frozenset(Link)), *case.chart.drafts)
    return tuple(Beside(name, entry) for entry in entries for name in sorted(entry.ingredients & ingredients))


def is_coded(entries: Iterable[Medicine | Draft]) -> bool:
    """Whether a code names any of them; else nothing graver than a warning may rest on them (3.8 no. 4)."""
    return any(entry.link is Link.CODE for entry in entries)


def unchecked(chart: Chart) -> tuple[str, ...]:
    """The parts of the record that the check rests on and that were not read to the end, in words (HZ14)."""
    return tuple(area.value for area in CHECKED if not _read(chart, area))


def _read(chart: Chart, area: Area) -> bool:
    state = chart.inputs.get(area)
    return state is not None and state.reading is Reading.COMPLETE


def listed(names: Iterable[str]) -> str:
    """``problems, results and allergies``, each once."""
    once = list(dict.fromkeys(names))
    return " and ".join([", ".join(once[:-1]), once[-1]] if len(once) > 1 else once)


def listed_within(summary: str, names: Iterable[str]) -> str:
    """The first of the names and as many of the others as the summary holds at its ``{reason}``; the detail has all."""
    kept: list[str] = []
    for name in dict.fromkeys(names):
        if not kept or len(summary.format(reason=listed([*kept, name]))) <= LONGEST_SUMMARY:
            kept.append(name)
    return listed(kept)


def within_a_sentence(title: str) -> str:
    """A title as it stands inside a sentence: ``optic neuritis``, but ``AV block`` and ``G6PD deficiency``."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title
