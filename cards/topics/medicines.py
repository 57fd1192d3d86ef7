"""Medicines that may contribute to the symptom: diuretics and methylphenidate, and beyond the fact sheet a few more.

``find`` looks at what is taken (P15), ``judge`` at what is being prescribed (O9-O13).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from cards.bands import Grade
from cards.card import LONGEST_SUMMARY
from cards.case import Case
from cards.chart import recorded
from cards.electrolytes import POTASSIUM, recent_out_of_range
from cards.entries import Area, Draft, Medicine, Order, Result
from cards.figures import value_of
from cards.finding import Finding, Indicator
from cards.lists import Listing
from cards.presentation import Symptom
from cards.screening import SCREEN, ScreenTest, Standing
from cards.topic import Sheet, load_topic
from terminology.vocabulary import Link

DIURETIC, ORDERED_DIURETIC = "diuretic", "order-diuretic"  # findings, of which more is said than of the others
POTASSIUM_SPARING = "potassium-sparing"


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """A diuretic, methylphenidate or the like may contribute to cramps or twitching; a diuretic with a low electrolyte
    deserves an early review.
    """
    if not case.shows.shows(Symptom.CRAMP, Symptom.FASCICULATION, Symptom.MYOKYMIA):
        return
    cramp = bool(case.shows.shows(Symptom.CRAMP))
    taken = list(_contributors(case, sheet))
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
    if any(one.kind == DIURETIC for one in taken) and (failure := case.chart.has(*sheet.concepts("heart-failure"))):
        yield Finding("heart-failure", evidence=failure)
    if cramp and (statins := case.taking("statin")):
        yield Finding("statin", evidence=statins, fill={"drug": case.drug(statins[0], "statin")})


def judge(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """A diuretic about to be prescribed deserves a look at the electrolytes first, and in a patient with a twitch or
    cramp also methylphenidate and the like deserve a thought.
    """
    symptoms = case.shows.shows(*Symptom)
    ordered = list(_ordered(case, sheet))
    diuretics = [one for one in ordered if one.kind == ORDERED_DIURETIC]
    low, high = [*_order_low(case, sheet, diuretics)], [*_order_high_potassium(case, sheet)]
    very_low = any(grade.indicator is Indicator.CRITICAL for grade, _ in _low_results(case, sheet))
    found = [*low, *high] if very_low else [*high, *low]  # the summary names the first
    if symptoms:
        found += _order_without_ue(case, sheet, diuretics)
        found += [
            Finding(
                one.kind,
                (*one.drafts, *symptoms),
                {"drug": one.drug, "drugs": _named(sheet, one.kind, one, ordered)},
                about=one.drug,
            )
            for one in ordered
        ]
        if any(one.by_name for one in ordered):
            found.append(Finding("order-by-name"))
    if found:
        yield from found
        yield from _order_renewals(case, ordered if symptoms else diuretics)
        if diuretics and (failure := case.chart.has(*sheet.concepts("heart-failure"))):
            yield Finding("order-heart-failure", evidence=failure)


@dataclass(frozen=True, slots=True)
class _Drug:
    """A contributing medicine: the kind of finding it makes, and the contributing ingredients, by title."""

    kind: str
    names: tuple[str, ...]

    @property
    def drug(self) -> str:
        """Its name."""
        return " and ".join(self.names)


@dataclass(frozen=True, slots=True)
class _Contributor(_Drug):
    """All records of one contributing medicine, the one to review first."""

    records: tuple[Medicine, ...]

    @property
    def by_name(self) -> bool:
        """Known by an unsourced brand or by text alone: may be named, and nothing else (3.8 no. 4)."""
        return all(record.link is not Link.CODE for record in self.records)


@dataclass(frozen=True, slots=True)
class _Ordered(_Drug):
    """All drafts of one contributing medicine, and which ingredients contribute."""

    drafts: tuple[Draft, ...]
    ingredients: frozenset[str]

    @property
    def by_name(self) -> bool:
        """As of a contributor: no warning may rest on it (3.8 no. 4)."""
        return all(draft.link is not Link.CODE for draft in self.drafts)


def _listed(case: Case, sheet: Sheet) -> Iterator[Listing]:
    """The rows of the sheet that count beside what the patient has."""
    return (row for row in sheet.rows["contributor"] if not row.symptoms or case.shows.shows(*row.symptoms))


def _contributors(case: Case, sheet: Sheet) -> Iterator[_Contributor]:
    for row in _listed(case, sheet):
        wanted = case.vocabulary.ingredients_of(*row.medicines)
        grouped: dict[tuple[str, ...], list[Medicine]] = {}
        for record in case.taking(*row.medicines, named=True):
            grouped.setdefault(_titles(case, record.ingredients & wanted), []).append(record)
        for names, records in sorted(grouped.items()):
            yield _Contributor(row.finding, names, tuple(sorted(records, key=_first_to_review)))


def _titles(case: Case, ingredients: frozenset[str]) -> tuple[str, ...]:
    return tuple(case.vocabulary.title(one) for one in sorted(ingredients))


def _first_to_review(record: Medicine) -> tuple[bool, int, str]:
    newest = -record.start.latest.toordinal() if record.start else 0
    return (record.link is not Link.CODE, newest, record.source)


def _review(sheet: Sheet, kind: str) -> str:
    return "review-beyond" if sheet.kinds[kind].beyond else "review"


def _named(sheet: Sheet, kind: str, first: _Drug, taken: Sequence[_Drug], **fill: str) -> str:
    """This medicine and as many of the others as fit into the summary; the detail names them all.

    What is named only beyond the fact sheet does not join what the fact sheet names: it can be switched off.
    """
    names = first.names
    beyond = sheet.kinds[kind].beyond
    for other in (one for one in taken if beyond or not sheet.kinds[one.kind].beyond):
        longer = (*names, *(name for name in other.names if name not in names))
        if len(sheet.kinds[kind].summary.format(drugs=_joined(longer), **fill)) <= LONGEST_SUMMARY:
            names = longer
    return _joined(names)


def _joined(names: tuple[str, ...]) -> str:
    return " and ".join([names[0], *[name.lower() for name in names[1:]]])


def _low(case: Case, sheet: Sheet, taken: list[_Contributor]) -> Iterator[Finding]:
    """A diuretic known by its code, and an electrolyte below its limit within its look-back."""
    yield from _beside_low(case, sheet, "low", [one for one in taken if one.kind == DIURETIC and not one.by_name])


def _beside_low(case: Case, sheet: Sheet, kind: str, diuretics: Sequence[_Drug]) -> Iterator[Finding]:
    if not diuretics:
        return
    for grade, result in sorted(_low_results(case, sheet), key=lambda pair: pair[0].indicator.rank, reverse=True):
        fill = _value(case, result)
        yield Finding(
            kind,
            evidence=(result,),
            fill={"drugs": _named(sheet, kind, diuretics[0], diuretics, **fill), **fill},
            indicator=_weight(case, sheet),
            about=result.analyte,
            beyond=grade.beyond,
        )


def _value(case: Case, result: Result) -> dict[str, str]:
    analyte = case.analyte(result.analyte)
    return {"analyte": analyte.title, "value": value_of(result), "unit": analyte.unit, "date": str(result.when)}


def _weight(case: Case, sheet: Sheet) -> Indicator | None:
    """On dialysis a warning of this topic becomes information (3.8 no. 17)."""
    return Indicator.INFO if case.chart.has(*sheet.concepts("dialysis")) else None


def _low_results(case: Case, sheet: Sheet) -> Iterator[tuple[Grade, Result]]:
    for row in sheet.rows["disturbance"]:
        low = [(grade, result) for grade, result in recent_out_of_range(case, row.analyte) if grade.side == "low"]
        if low:
            yield max(low, key=lambda pair: pair[0].indicator.rank)


def _ordered(case: Case, sheet: Sheet) -> Iterator[_Ordered]:
    for row in _listed(case, sheet):
        wanted = case.vocabulary.ingredients_of(*row.medicines)
        grouped: dict[tuple[str, ...], list[Draft]] = {}
        for draft in case.drafted(*row.medicines, named=True):
            grouped.setdefault(_titles(case, draft.ingredients & wanted), []).append(draft)
        for names, drafts in sorted(grouped.items()):
            first = sorted(drafts, key=lambda d: (d.link is not Link.CODE, d.source))
            yield _Ordered(row.drafted, names, tuple(first), drafts[0].ingredients & wanted)


def _order_low(case: Case, sheet: Sheet, diuretics: list[_Ordered]) -> Iterator[Finding]:
    """O9: symptom or not."""
    coded = [one for one in diuretics if not one.by_name]
    drafts = tuple(draft for one in coded for draft in one.drafts)
    for finding in _beside_low(case, sheet, "order-low", coded):
        yield replace(finding, evidence=(*drafts, *finding.evidence))


def _order_high_potassium(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """O9: a potassium-sparing diuretic and a potassium over the limit at which E22 would not begin one."""
    drafts = case.drafted(POTASSIUM_SPARING)
    limit = sheet.number("potassium-sparing")
    high = [r for r in recorded(case.latest_fresh(POTASSIUM)) if r.is_above(limit)]
    if not drafts or not high:
        return
    worst = max(high, key=lambda r: (not r.haemolysed, r.value))
    sparing = case.vocabulary.ingredients_of(POTASSIUM_SPARING)
    drugs = [
        _Drug("order-high-potassium", names)
        for names in sorted({_titles(case, d.ingredients & sparing) for d in drafts})
    ]
    fill = {**_value(case, worst), "limit": str(limit)}
    named = _named(sheet, "order-high-potassium", drugs[0], drugs, **fill)
    yield Finding("order-high-potassium", (*drafts, *high), {"drugs": named, **fill}, indicator=_weight(case, sheet))
    if worst.haemolysed:
        yield Finding("order-haemolysed")


def _order_without_ue(case: Case, sheet: Sheet, diuretics: list[_Ordered]) -> Iterator[Finding]:
    """O10: no usable U&E since the diuretics that are taken already; the drafted one has no start yet.

    Results that were not read to the end may hold one, so nothing is said of it (P19). An order that was not read may
    be a U&E: nothing is suggested then (3.8 no. 13).
    """
    coded = [one for one in diuretics if not one.by_name]
    if not coded or not case.complete(Area.RESULTS):
        return
    standing = SCREEN.look(case, ScreenTest.UE)
    if standing.state is Standing.DONE:
        return
    every = case.complete(Area.MEDICINES, Area.ORDERS)
    drafts = tuple(draft for one in coded for draft in one.drafts)
    last: tuple[Result | Order, ...] = (*recorded(case.chart.latest(POTASSIUM)), *standing.orders)
    yield Finding(
        "order-without-ue",
        evidence=(*drafts, *last),
        fill={"drugs": _named(sheet, "order-without-ue", coded[0], coded)},
        indicator=_weight(case, sheet),
        suggest=sheet.open_for(case, "ue") if every else (),
    )


def _order_renewals(case: Case, ordered: Sequence[_Ordered]) -> Iterator[Finding]:
    """A draft of what is taken already continues it: nothing is added. Of a combination that is what contributes: a
    diuretic added to losartan is no losartan renewed.
    """
    for one in ordered:
        taken = case.chart.taking(one.ingredients, links=frozenset(Link))
        if taken:
            known = one.ingredients & frozenset[str]().union(*(record.ingredients for record in taken))
            drug = " and ".join(_titles(case, known))
            yield Finding("order-renewal", evidence=taken, fill={"drug": drug}, about=one.drug)


TOPIC = load_topic(find, judge, beside=__file__)
