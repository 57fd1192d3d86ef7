"""Medicines that may contribute to the symptom: diuretics and methylphenidate, and beyond the fact sheet a few more."""

from collections.abc import Iterator
from dataclasses import dataclass

from cards.bands import Grade
from cards.calcium import ADJUSTED, adjusted_calcium
from cards.card import LONGEST_SUMMARY
from cards.case import Case
from cards.chart import Lookup, Medicine, NotReadable, NotRecorded, Recorded, Result
from cards.figures import value_of
from cards.finding import Finding, Indicator
from cards.presentation import Symptom
from cards.topic import Sheet, load_topic
from terminology.vocabulary import Link

DIURETIC = "diuretic"
ELECTROLYTES = ("potassium", ADJUSTED, "magnesium", "sodium")  # of two equally low, the first is named
CONTRIBUTORS = {DIURETIC: DIURETIC, "methylphenidate": "methylphenidate-any", "stimulant": "other-stimulant"}
CRAMP_CONTRIBUTORS = {"laba": "laba"}


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """A diuretic, methylphenidate or the like may contribute to cramps or twitching; a diuretic with a low electrolyte
    deserves an early review.
    """
    if not case.shows.shows(Symptom.CRAMP, Symptom.FASCICULATION, Symptom.MYOKYMIA):
        return
    cramp = bool(case.shows.shows(Symptom.CRAMP))
    taken = list(_contributors(case, CONTRIBUTORS | (CRAMP_CONTRIBUTORS if cramp else {})))
    yield from _low(case, sheet, taken)
    for one in taken:
        yield Finding(
            one.kind,
            evidence=one.records,
            fill={"drug": one.drug, "drugs": _named(sheet, one.kind, one, taken)},
            about=one.drug,
            suggest=() if one.by_name else sheet.open_for(case, _review(sheet, one.kind)),
            review=one.records[:1],
        )
    if any(one.by_name for one in taken):
        yield Finding("by-name")
    if any(one.kind == DIURETIC for one in taken) and (failure := case.chart.has("heart-failure")):
        yield Finding("heart-failure", evidence=failure)
    if cramp and (statins := case.taking("statin")):
        yield Finding("statin", evidence=statins, fill={"drug": case.drug(statins[0], "statin")})


@dataclass(frozen=True, slots=True)
class _Contributor:
    """All records of one contributing medicine, the one to review first."""

    kind: str
    drug: str
    records: tuple[Medicine, ...]

    @property
    def by_name(self) -> bool:
        """Known by an unsourced brand or by text alone: may be named, and nothing else (3.8 no. 4)."""
        return all(record.link is not Link.CODE for record in self.records)


def _contributors(case: Case, classes: dict[str, str]) -> Iterator[_Contributor]:
    for kind, medicine_class in classes.items():
        grouped: dict[str, list[Medicine]] = {}
        for record in case.taking(medicine_class, named=True):
            grouped.setdefault(case.drug(record, medicine_class), []).append(record)
        for drug, records in sorted(grouped.items()):
            yield _Contributor(kind, drug, tuple(sorted(records, key=_first_to_review)))


def _first_to_review(record: Medicine) -> tuple[bool, int, str]:
    newest = -record.start.latest.toordinal() if record.start else 0
    return (record.link is not Link.CODE, newest, record.source)


def _review(sheet: Sheet, kind: str) -> str:
    return "review-beyond" if sheet.kinds[kind].beyond else "review"


def _named(sheet: Sheet, kind: str, first: _Contributor, taken: list[_Contributor], **fill: str) -> str:
    """This medicine and as many of the others as fit into the summary; the detail names them all.

    What is named only beyond the fact sheet does not join what the fact sheet names: it can be switched off.
    """
    names = [first.drug]
    beyond = sheet.kinds[kind].beyond
    for other in (one for one in taken if beyond or not sheet.kinds[one.kind].beyond):
        longer = _joined([*names, other.drug])
        if other.drug not in names and len(sheet.kinds[kind].summary.format(drugs=longer, **fill)) <= LONGEST_SUMMARY:
            names.append(other.drug)
    return _joined(names)


def _joined(names: list[str]) -> str:
    return " and ".join([names[0], *(name.lower() for name in names[1:])])


def _low(case: Case, sheet: Sheet, taken: list[_Contributor]) -> Iterator[Finding]:
    """A diuretic known by its code, and an electrolyte below its limit within its look-back."""
    diuretics = [one for one in taken if one.kind == DIURETIC and not one.by_name]
    found = sorted(_low_results(case), key=lambda pair: pair[0].indicator, reverse=True)
    if not diuretics or not found:
        return
    for grade, result in found:
        analyte = case.analyte(result.analyte)
        fill = {"analyte": analyte.title, "value": value_of(result), "unit": analyte.unit, "date": str(result.when)}
        yield Finding(
            "low",
            evidence=(result,),
            fill={"drugs": _named(sheet, "low", diuretics[0], diuretics, **fill), **fill},
            indicator=Indicator.INFO if case.chart.has("dialysis") else None,  # 3.8 no. 17
            about=result.analyte,
            beyond=grade.beyond,
        )


def _low_results(case: Case) -> Iterator[tuple[Grade, Result]]:
    for name in ELECTROLYTES:
        match _latest(case, name):
            case Recorded(results):
                graded = [(g, r) for r in results if case.is_fresh(r) and isinstance(g := case.grade(r), Grade)]
                low = [(grade, result) for grade, result in graded if grade.side == "low"]
                if low:
                    yield max(low, key=lambda pair: pair[0].indicator)
            case NotRecorded() | NotReadable():
                pass


def _latest(case: Case, name: str) -> Lookup[tuple[Result, ...]]:
    return adjusted_calcium(case) if name == ADJUSTED else case.chart.latest(name)


TOPIC = load_topic(find, beside=__file__)
