"""Laboratory analytes: canonical unit, plausible span, precision, and the limits used when a result carries none."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """A reference range in the canonical unit; either side may be open."""

    low: Decimal | None
    high: Decimal | None


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

    def convert(self, value: Decimal, unit: str) -> Decimal | None:
        """The value in the canonical unit, unrounded; None if the unit is not in the closed table."""
        raise NotImplementedError

    def rounded(self, value: Decimal) -> Decimal:
        """Rounded half up to the precision of the limit (specification 3.2, 3.8 no. 10)."""
        raise NotImplementedError
