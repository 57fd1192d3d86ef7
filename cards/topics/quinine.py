"""Quinine for cramps: whether its review is due."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TypeAlias

from cards.bands import Grade
from cards.calcium import ADJUSTED, adjusted_calcium
from cards.case import Case
from cards.chart import Medicine, NotReadable, NotRecorded, Problem, Recorded, Result
from cards.finding import Finding
from cards.topic import Sheet, load_topic

QUININE, MALARIA = "quinine", "malaria"
INTERACTING = ("digoxin-interaction", "anticoagulant-any", "qt-prolonging")
HEART_BLOCK = ("av-block", "av-block-second-degree", "av-block-complete")
ELECTROLYTES = ("potassium", ADJUSTED, "magnesium")

Caution: TypeAlias = Medicine | Problem | Result


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Quinine taken for cramps for three months is due for review, sooner if the record holds an interaction, heart
    block or a low electrolyte.
    """
    if case.shows.adult is not True or case.chart.has(MALARIA):
        return
    records = tuple(sorted((m for m in case.chart.taking({QUININE}) if MALARIA not in m.reasons), key=_newest_first))
    if not records:
        return
    since = _since(case, records)
    if since is None:
        yield Finding("undated", evidence=records)
        return
    if (case.chart.as_of - since).days < case.windows.quinine:
        return
    fill = {"drug": case.vocabulary.title(QUININE), "date": since.isoformat()}
    cautions: tuple[Caution, ...] = (*_medicines(case), *case.chart.has(*HEART_BLOCK), *_low(case))
    if cautions:
        yield Finding("caution", evidence=cautions, fill={**fill, "n": str(len(_distinct(cautions)))})
    yield Finding("review", evidence=records, fill=fill, suggest=sheet.open_for(case, "review"), review=records[:1])


def _newest_first(record: Medicine) -> tuple[int, str]:
    return (-record.start.latest.toordinal() if record.start else 0, record.source)


def _since(case: Case, records: Iterable[Medicine]) -> date | None:
    return min((start for m in records if (start := case.started(m)) is not None), default=None)


def _medicines(case: Case) -> tuple[Medicine, ...]:
    return tuple(m for m in case.taking(*INTERACTING) if QUININE not in m.ingredients)


def _low(case: Case) -> Iterator[Result]:
    for name in ELECTROLYTES:
        match adjusted_calcium(case) if name == ADJUSTED else case.chart.latest(name):
            case Recorded(results):
                for result in results:
                    if case.is_fresh(result) and isinstance(grade := case.grade(result), Grade) and grade.side == "low":
                        yield result
            case NotRecorded() | NotReadable():
                pass


def _distinct(cautions: Iterable[Caution]) -> frozenset[object]:
    """Each interacting ingredient, heart block and low electrolyte once, however many records carry it."""
    kinds: set[object] = set()
    for entry in cautions:
        match entry:
            case Medicine(ingredients=ingredients):
                kinds.add(ingredients)
            case Problem():
                kinds.add(HEART_BLOCK)
            case Result(analyte=analyte):
                kinds.add(analyte)
    return frozenset(kinds)


TOPIC = load_topic(find, beside=__file__)
