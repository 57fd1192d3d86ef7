"""How far a value is outside its range: the bands of bands.toml, applied to one result (specification 3.5)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from operator import ge, gt, le, lt
from typing import Final, NamedTuple, TypeAlias

from cards.entries import Comparator, Person, Result, Sex
from cards.finding import Indicator
from cards.toml_file import Section, known, read_section
from terminology.analytes import Analyte, Limits
from terminology.closed import Closed
from terminology.errors import BadContent

_BOUNDS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "below": lt,
    "at_most": le,
    "above": gt,
    "at_least": ge,
    "above_ratio": gt,
    "at_least_ratio": ge,
}
_BOUNDS_OF: Final = {
    "low": ("below", "at_most"),
    "high": ("above", "at_least", "above_ratio", "at_least_ratio"),
}
_RATIOS: Final = frozenset({"above_ratio", "at_least_ratio"})
_NEAR = Decimal("0.0000001")  # closer than any two values a laboratory can tell apart


class Whose(Closed):
    """Where the limits come from; the values are the words a card uses."""

    LABORATORY = "range sent with the result"
    DEFAULT = "UK default range"
    MEN = "UK default range for men"
    WOMEN = "UK default range for women"
    NONE = "no range"


class UsedLimits(NamedTuple):
    """The limits a value is held against, and whose they are."""

    limits: Limits
    whose: Whose


@dataclass(frozen=True, slots=True)
class Band:
    """One row of bands.toml."""

    analyte: str
    side: str
    indicator: Indicator
    bound: str
    value: Decimal | None  # None: the reference limit itself
    only_with: str = ""
    beyond: bool = False

    @property
    def is_ratio(self) -> bool:
        """Whether the bound is a multiple of the upper limit."""
        return self.bound in _RATIOS

    def holds(self, value: Decimal, limits: Limits) -> bool:
        """Whether an exact value falls in this band."""
        limit = limits.low if self.side == "low" else limits.high
        if self.bound in _RATIOS:
            if limits.high is None or limits.high <= 0 or self.value is None:
                return False
            return _BOUNDS[self.bound](value, self.value * limits.high)
        if limit is not None and self.indicator is not Indicator.CRITICAL:
            inside = value >= limit if self.side == "low" else value <= limit
            if inside:
                return False
        mark = limit if self.value is None else self.value
        return mark is not None and _BOUNDS[self.bound](value, mark)

    def landmarks(self, limits: Limits) -> Iterator[Decimal]:
        """Values at which the answer of :meth:`holds` can change."""
        for number in (self.value, limits.low, limits.high):
            if number is not None:
                yield number
        if self.is_ratio and limits.high is not None and self.value is not None:
            yield self.value * limits.high


class Grade(NamedTuple):
    """Outside the range: how gravely, on which side, and against which limits."""

    indicator: Indicator
    side: str
    used: UsedLimits
    beyond: bool = False


class Within(NamedTuple):
    """Not in any band."""

    used: UsedLimits


class Ungraded(Closed):
    """The value cannot be placed; the values are the words a card uses."""

    COMPARATOR = "given only as less or more than a number, which does not decide"
    SEX = "no range that can be used was sent, and the limits for men and women disagree"


Grading: TypeAlias = Grade | Within | Ungraded


@dataclass(frozen=True, slots=True)
class Bands:
    """All bands, and the constants of the calcium adjustment."""

    rows: tuple[Band, ...]
    slope: Decimal
    reference: Decimal
    _by_analyte: dict[str, tuple[Band, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _asked_for: dict[str, frozenset[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the bands out by analyte, gravest first, when they are loaded: they are asked for with every value."""
        for band in sorted(self.rows, key=lambda band: -band.indicator.rank):
            self._by_analyte[band.analyte] = (*self._by_analyte.get(band.analyte, ()), band)
        for analyte, bands in self._by_analyte.items():
            self._asked_for[analyte] = frozenset(band.only_with for band in bands if band.only_with)

    def of(self, analyte: str) -> tuple[Band, ...]:
        """The bands of one analyte, gravest first."""
        return self._by_analyte.get(analyte, ())

    def ask_for(self, analyte: str) -> frozenset[str]:
        """The medicine classes beside which alone some band of the analyte counts."""
        return self._asked_for.get(analyte, frozenset())

    def grade(
        self, result: Result, analyte: Analyte, person: Person, *, taking: frozenset[str] = frozenset()
    ) -> Grading:
        """Place a result. ``taking``: medicine classes that a band may ask for, such as statin.

        A comparator counts only if every value it allows lies outside the range on one side, or inside it; then the
        least grave band it allows is given (3.8 no. 15). Several possible limits (CK, sex unknown) must all place
        the value outside, or all inside; what is outside by all of them has the least grave of their bands (3.2).
        """
        rows = self.of(result.analyte)
        if self.ask_for(result.analyte):
            rows = tuple(band for band in rows if not band.only_with or band.only_with in taking)
        used, *others = limits_for(result, analyte, person)
        placed = _place(result, rows, used)
        for other in others:
            placed = _milder(placed, _place(result, rows, other))
        return placed


def _place(result: Result, rows: tuple[Band, ...], used: UsedLimits) -> Grading:
    if result.comparator is None:
        band = _gravest(rows, result.value, used.limits)
        return Within(used) if band is None else Grade(band.indicator, band.side, used, band.beyond)
    found = [_gravest(rows, value, used.limits) for value in _possible(result, result.comparator, rows, used.limits)]
    outside = [band for band in found if band is not None]
    if not outside:
        return Within(used)
    if len(outside) < len(found) or len({band.side for band in outside}) > 1:
        return Ungraded.COMPARATOR
    mildest = min(outside, key=lambda band: band.indicator.rank)
    return Grade(mildest.indicator, mildest.side, used, mildest.beyond)


def _milder(one: Grading, other: Grading) -> Grading:
    """The milder of two by different limits; none if one is outside and the other is not."""
    if isinstance(one, Grade) and isinstance(other, Grade) and one.side == other.side:
        return min(one, other, key=lambda grade: grade.indicator.rank)
    return one if one is other or (isinstance(one, Within) and isinstance(other, Within)) else Ungraded.SEX


def _gravest(rows: tuple[Band, ...], value: Decimal, limits: Limits) -> Band | None:
    for band in rows:  # the gravest stand first
        if band.holds(value, limits):
            return band
    return None


def _possible(result: Result, comparator: Comparator, rows: Iterable[Band], limits: Limits) -> list[Decimal]:
    """Values to try: one on each stretch between landmarks that the comparator allows."""
    value = result.value
    marks = {mark for band in rows for mark in band.landmarks(limits)} | {value}
    near = {point for mark in marks for point in (mark - _NEAR, mark, mark + _NEAR)}
    match comparator:
        case Comparator.LESS:
            return [point for point in near if point < value]
        case Comparator.AT_MOST:
            return [point for point in near if point <= value]
        case Comparator.AT_LEAST:
            return [point for point in near if point >= value]
        case Comparator.MORE:
            return [point for point in near if point > value]


def limits_for(result: Result, analyte: Analyte, person: Person) -> tuple[UsedLimits, ...]:
    """The limits to hold a result against. The range sent with it always wins; a side it leaves open is filled in.

    Two of them when the default depends on sex and the sex is not known. Never empty.
    """
    sent = result.limits
    defaults = _defaults(analyte, person)
    if sent is None or (sent.low is None and sent.high is None):
        return defaults
    if sent.low is not None and sent.high is not None:
        return (UsedLimits(sent, Whose.LABORATORY),) * len(defaults)
    return tuple(UsedLimits(_filled(sent, used.limits), Whose.LABORATORY) for used in defaults)


def _filled(sent: Limits, default: Limits) -> Limits:
    return Limits(
        default.low if sent.low is None else sent.low,
        default.high if sent.high is None else sent.high,
    )


def _defaults(analyte: Analyte, person: Person) -> tuple[UsedLimits, ...]:
    if analyte.limits_male is not None or analyte.limits_female is not None:
        men, women = (analyte.limits_male, Whose.MEN), (analyte.limits_female, Whose.WOMEN)
        match person.sex:
            case Sex.MALE:
                chosen = [men]
            case Sex.FEMALE:
                chosen = [women]
            case Sex.UNKNOWN:
                chosen = [men, women]
        found = tuple(UsedLimits(limits, whose) for limits, whose in chosen if limits is not None)
        if found:
            return found
    if analyte.limits is not None:
        return (UsedLimits(analyte.limits, Whose.DEFAULT),)
    return (UsedLimits(Limits(None, None), Whose.NONE),)


def load_bands(analytes: Iterable[str]) -> Bands:
    """The bands of bands.toml. Raises BadContent for an unknown analyte, side, indicator or bound, for two bands where
    one is meant, and for one beyond the limits of the safety table (HZ24).
    """
    whole = read_section(files("cards") / "bands.toml")
    adjustment = whole.section("adjustment")
    slope, reference = adjustment.number("slope"), adjustment.number("reference")
    adjustment.text("source")
    adjustment.done()
    there_are = frozenset(analytes)
    found: dict[tuple[str, str, Indicator, str], Band] = {}
    for row in whole.rows("band"):
        band = _band(row, there_are)
        key = (band.analyte, band.side, band.indicator, band.only_with)
        if key in found:
            raise BadContent(f"{row.where}: {band.analyte}, {band.side}, {band.indicator.value} stands above already")
        found[key] = band
    for name, table in whole.sections("safety").items():
        known(table.where, "analyte", (name,), there_are)
        _keep_within(table, name, tuple(found.values()))
    whole.done()
    return Bands(tuple(found.values()), slope, reference)


def _band(row: Section, analytes: frozenset[str]) -> Band:
    analyte, side = row.text("analyte"), row.text("side")
    known(row.where, "analyte", (analyte,), analytes)
    if side not in _BOUNDS_OF:
        raise BadContent(f"{row.where}: side should be low or high")
    indicator = row.member(Indicator, row.text("indicator"))
    bounds = [bound for bound in _BOUNDS if row.has(bound)]
    if len(bounds) != 1 or bounds[0] not in _BOUNDS_OF[side]:
        raise BadContent(f"{row.where}: a {side} band needs exactly one of {', '.join(_BOUNDS_OF[side])}")
    (bound,) = bounds
    if row.table[bound] == "limit":
        row.text(bound)
        value = None
    else:
        value = row.number(bound)
    row.said("source")
    band = Band(analyte, side, indicator, bound, value, row.text("with", ""), row.flag("beyond"))
    row.done()
    return band


def _keep_within(table: Section, analyte: str, bands: Iterable[Band]) -> None:
    """Raise BadContent unless the analyte has a critical band on either side, set within the span of the table."""
    lowest, highest = table.number("from"), table.number("to")
    table.said("source")
    table.done()
    critical = [band for band in bands if band.analyte == analyte and band.indicator is Indicator.CRITICAL]
    for side in _BOUNDS_OF:
        marks = [band.value for band in critical if band.side == side and not band.only_with]
        if not marks or not all(mark is not None and lowest <= mark <= highest for mark in marks):
            raise BadContent(
                f"{table.where}: {analyte} needs a critical band on the {side} side, at {lowest} to {highest}"
            )
