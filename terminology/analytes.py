"""Laboratory analytes: canonical unit, plausible span, precision, and the limits used when a result carries none."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal

import msgspec

# Wide enough that products of a record's numbers are exact. Nothing is trapped: a number beyond all bounds gives
# infinity or NaN, which are refused below, and never an exception.
_EXACT = Context(prec=60, traps=[])


class Limits(msgspec.Struct, frozen=True, gc=False):
    """A reference range in the canonical unit; either side may be open."""

    low: Decimal | None
    high: Decimal | None


def plain_unit(unit: str) -> str:
    """The unit as the closed table spells it, for comparison.

    White space around it goes, the Greek letter mu is read as the micro sign, and a final ``/l``, ``/dl`` or ``/ml``
    as ``/L``, ``/dL``, ``/mL``. No other letter changes case: ``Mmol`` is not ``mmol`` (terminology rule 1).
    """
    text = unit.strip().replace("\u03bc", "\u00b5")
    for tail in ("/l", "/dl", "/ml"):
        if text.endswith(tail):
            return text[:-1] + "L"
    return text


@dataclass(frozen=True, slots=True)
class Analyte:
    """One analyte, a table of analytes.toml. Values are in ``unit``; rounding is half up to ``places`` decimals."""

    name: str
    title: str  # as a card prints it
    groups: frozenset[str]
    unit: str
    places: int
    plausible: Limits  # both sides closed; a value outside is unusable, never abnormal (specification 3.8 no. 19)
    limits: Limits | None  # used when the result carries no range; None: no national range (TSH)
    limits_male: Limits | None  # creatine kinase only (specification 3.2)
    limits_female: Limits | None
    conversions: dict[str, Decimal]  # unit as spelled in a record -> factor to the canonical unit
    step: Decimal = field(init=False)  # one unit of the last decimal kept: 0.01 for two places

    def __post_init__(self) -> None:
        """Settle what follows from the rest."""
        object.__setattr__(self, "step", Decimal(1).scaleb(-self.places))

    def convert(self, value: Decimal, unit: str) -> Decimal | None:
        """The value in the canonical unit, unrounded; None if the unit is not in the closed table."""
        factor = self.factor(unit)
        return None if factor is None else self.scaled(value, factor)

    def scaled(self, value: Decimal, factor: Decimal) -> Decimal | None:
        """The value in the canonical unit by a factor of :meth:`factor`, unrounded; None if it is beyond all bounds."""
        converted = _EXACT.multiply(value, factor)
        return converted if converted.is_finite() else None

    def measured(self, value: Decimal, factor: Decimal) -> tuple[Decimal, Decimal] | None:
        """The value in the canonical unit by a factor of :meth:`factor`, rounded and exact; None if not plausible.

        What :meth:`scaled`, :meth:`is_plausible` and :meth:`rounded` say, in one step.
        """
        exact = value if factor == 1 else _EXACT.multiply(value, factor)
        return (self.rounded(exact), exact) if self.is_plausible(exact) else None

    def factor(self, unit: str) -> Decimal | None:
        """What a value in the unit is multiplied by; None if the unit is not in the closed table."""
        factor = self.conversions.get(unit)  # most records spell it as the table does; the keys are plain already
        return self.conversions.get(plain_unit(unit)) if factor is None else factor

    def rounded(self, value: Decimal) -> Decimal:
        """Rounded half up to the precision of the limit (specification 3.2, 3.8 no. 10)."""
        rounded = value.quantize(self.step, ROUND_HALF_UP, _EXACT)
        return rounded if rounded.is_finite() else value

    def is_plausible(self, value: Decimal) -> bool:
        """Whether a value in the canonical unit lies in the plausible span, its ends included."""
        low, high = self.plausible.low, self.plausible.high
        return value.is_finite() and (low is None or value >= low) and (high is None or value <= high)
