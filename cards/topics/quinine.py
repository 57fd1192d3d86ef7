"""Quinine for cramps: whether its review is due, and what speaks against it or for care when it is drafted."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from cards.calcium import low_total_without_albumin
from cards.case import Case
from cards.electrolytes import recent_out_of_range
from cards.entries import Area, Draft, Medicine, Problem, Result
from cards.figures import listed
from cards.finding import Finding, Indicator
from cards.ordering import (
    Concern,
    beside,
    by_kind,
    coded,
    conditions,
    drafted,
    exceeding,
    for_cramp,
    largest,
    listed_within,
    named,
    renewed,
    unchecked,
)
from cards.presentation import Symptom
from cards.screening import SCREEN
from cards.topic import Sheet, load_topic
from terminology.vocabulary import Link

QUININE, MALARIA = "quinine", "malaria"


Caution: TypeAlias = Medicine | Problem | Result


# when a record is opened


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
    cautions = tuple(_cautions(case, sheet))
    if cautions:
        evidence = tuple(entry for _, entry in cautions)
        yield Finding("caution", evidence=evidence, fill={**fill, "n": str(len({what for what, _ in cautions}))})
    yield Finding("review", evidence=records, fill=fill, suggest=sheet.open_for(case, "review"), review=records[:1])


def _newest_first(record: Medicine) -> tuple[int, str]:
    return (-record.start.latest.toordinal() if record.start else 0, record.source)


def _since(case: Case, records: Iterable[Medicine]) -> date | None:
    return min((start for m in records if (start := case.started(m)) is not None), default=None)


def _cautions(case: Case, sheet: Sheet) -> Iterator[tuple[object, Caution]]:
    """What the sheet lists for the review and the record holds, each with what it is counted as: an interacting
    ingredient, a row of conditions and a low electrolyte count once, however many records carry them.
    """
    for row in sheet.rows["review-caution"]:
        for medicine in case.taking(*row.medicines) if row.medicines else ():
            if QUININE not in medicine.ingredients:
                yield medicine.ingredients, medicine
        for problem in case.chart.has(*row.concepts) if row.concepts else ():
            yield row.concepts, problem
        if row.analyte:
            for grade, result in recent_out_of_range(case, row.analyte):
                if grade.side == "low":
                    yield row.analyte, result


# when it is drafted


def judge(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Quinine drafted for cramps is held against its contraindications, cautions and interactions; with none on
    record, the conditions for its use are listed, and which treatable causes are still open.
    """
    drafts = tuple(d for d in drafted(case, QUININE) if MALARIA not in d.reasons)
    if not drafts or case.chart.has(MALARIA):
        return
    child, over = case.shows.adult is False, _over(sheet, drafts)
    against = tuple(_contraindications(case, sheet))
    concerns = (
        *conditions(case, sheet.rows["caution"]),
        *_electrolytes(case, sheet, child=child),
        *beside(case, sheet.rows["interaction"]),
    )
    n = len(_counted(sheet, concerns)) + (over is not None)
    if child:  # row O3 alone speaks under 16 (3.8 no. 6): what speaks against quinine joins its cautions
        n += len(_counted(sheet, against)) + 1
    else:
        yield from _contraindicated(case, sheet, against, drafts)
    if n:
        yield Finding("order-caution", fill={"n": str(n)})
    elif not against:
        yield Finding("order")
    if child:
        yield Finding("under-age")
        yield from by_kind(case, (Concern("child-contraindicated", r.counts_as, r.entry) for r in against))
    if over is not None:
        kind = "dose" if any(largest(draft.dose) == over for draft in drafts) else "dose-in-part"
        yield Finding(kind, fill={"mg": _plain(over), "most": _plain(sheet.number("dose"))})
    yield from by_kind(case, concerns)
    yield Finding("conditions", evidence=drafts)
    if not (child or against):
        yield from _still_open(case, sheet)
    if not child:
        yield from _unsettled_results(case, sheet)
    yield from _not_on_record(case, sheet, drafts)
    if not coded((*drafts, *(concern.entry for concern in concerns))):
        yield Finding("by-name")


def _counted(sheet: Sheet, concerns: Iterable[Concern]) -> frozenset[str]:
    """What is counted in the summary: a row of conditions, an analyte or an ingredient once, however often recorded."""
    rows = {concept: row.concepts[0] for row in sheet.rows["caution"] for concept in row.concepts}
    return frozenset(rows.get(concern.counts_as, concern.counts_as) for concern in concerns)


def _contraindications(case: Case, sheet: Sheet) -> Iterator[Concern]:
    for allergy in case.chart.allergies:
        if QUININE in allergy.ingredients:
            yield Concern("allergy", QUININE, allergy)
    yield from conditions(case, sheet.rows["contraindication"])


def _contraindicated(
    case: Case, sheet: Sheet, against: tuple[Concern, ...], drafts: tuple[Draft, ...]
) -> Iterator[Finding]:
    """A draft known by name only is a warning at most, and is left where it is (3.8 no. 4)."""
    removable = tuple(d for d in drafts if d.link is Link.CODE)
    for kind in ("allergy", "contraindicated"):
        found = [concern for concern in against if concern.kind == kind]
        if found:
            names = [named(case, concern) for concern in found]
            yield Finding(
                kind,
                evidence=tuple(dict.fromkeys(concern.entry for concern in found)),
                fill={"reason": listed_within(sheet.kinds[kind].summary, names), "names": listed(names)},
                indicator=None if removable else Indicator.WARNING,
                suggest=("remove",) if removable else (),
                remove=removable,
            )


def _electrolytes(case: Case, sheet: Sheet, *, child: bool) -> Iterator[Concern]:
    """Values outside their range, and disturbances recorded as a problem. A child is not held to ranges (HZ21)."""
    rows = sheet.rows["disturbance"]
    if not child:
        for row in rows:
            for _, result in recent_out_of_range(case, row.analyte):
                yield Concern(row.finding, result.analyte, result)
    for row in rows:
        for problem in case.chart.has(*row.concepts):
            yield Concern(row.finding, row.analyte, problem)


def _over(sheet: Sheet, drafts: Iterable[Draft]) -> Decimal | None:
    """The largest dose, if it is above the most for a night; more than that in a day is above it as well, and so is a
    part of a dose that is known.
    """
    over = [exceeding(draft.dose, sheet.number("dose")) for draft in drafts]
    return max((dose for dose in over if dose is not None), default=None)


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _still_open(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Treatable causes that were not looked for, or may be at work (row O4). Unknown is not missing (3.8 no. 13)."""
    if missing := SCREEN.missing(case):
        yield Finding(
            "open-tests",
            fill={"tests": listed(SCREEN.tests[test].title for test in missing)},
            suggest=sheet.open_for(case, *(test.value for test in missing)),
        )
    if diuretics := case.taking("diuretic", named=True):
        yield Finding("open-diuretic", evidence=diuretics)


def _unsettled_results(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Values that may hide a disturbance and cannot count as one (3.2, 3.8 no. 11)."""
    for result in low_total_without_albumin(case):
        yield Finding("total-without-albumin", evidence=(result,))
    for result in case.preliminary(*(row.analyte for row in sheet.rows["disturbance"])):
        yield Finding("preliminary", evidence=(result,))


def _not_on_record(case: Case, sheet: Sheet, drafts: tuple[Draft, ...]) -> Iterator[Finding]:
    """A renewal, and what a reader may take for granted: cramp, age, the dose, a record read to the end."""
    if renewals := tuple(m for m in renewed(case, QUININE) if MALARIA not in m.reasons):
        yield Finding("renewal", evidence=renewals)
    cramp = case.shows.shows(Symptom.CRAMP) or any(for_cramp(d) for d in drafts)
    if not cramp and case.complete(Area.PROBLEMS):
        yield Finding("no-cramp", fill={"days": str(case.windows.symptom)})
    if low_platelets := case.chart.has(*sheet.concepts("low-platelets")):
        yield Finding("thrombocytopenia", evidence=low_platelets)
    if case.shows.adult is None:
        yield Finding("age-unknown")
    for draft in drafts:
        if largest(draft.dose) is None and exceeding(draft.dose, sheet.number("dose")) is None:
            why = f" ({draft.dose.why})" if draft.dose is not None and draft.dose.why else ""
            yield Finding("dose-unknown", about=draft.source, fill={"why": why, "most": _plain(sheet.number("dose"))})
    if areas := unchecked(case):
        yield Finding("incomplete", fill={"areas": listed(areas)})


TOPIC = load_topic(find, judge, beside=__file__)
