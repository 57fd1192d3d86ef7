"""The entries of a patient's record, in a clinician's words, and the parts of the record they come from.

An entry says which resource it was read from (``source``, Type/id). What was seen and not used is kept too, with the
reason (:class:`Unread`). The chart made of them is in cards/chart.py.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from cards.when import When
from terminology.analytes import Limits
from terminology.closed import Closed
from terminology.vocabulary import Link

_LONGEST_NUMBER: Final = 24  # characters of a number as it was sent that are printed


class Area(Closed):
    """The parts of a record that are asked for; the values are the words a card uses for them."""

    PATIENT = "patient details"
    ENCOUNTER = "this encounter"
    PROBLEMS = "problems"
    RESULTS = "results"
    MEDICINES = "medicines"
    ORDERS = "orders"
    ALLERGIES = "allergies"
    PROCEDURES = "procedures"
    FAMILY = "family history"


class Reading(Closed):
    """How far a part of the record could be read (rule R8)."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    NOT_PERMITTED = "not permitted"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Input:
    """The state of one part of the record, and why it is not complete, in words fit for a card."""

    reading: Reading
    why: str = ""


class Sex(Closed):
    """For choosing a laboratory limit, and for nothing else (specification 3.2)."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Person:
    """The patient. ``born`` is None when no birth date could be read."""

    born: When | None
    sex: Sex = Sex.UNKNOWN
    deceased: bool = False
    test_record: bool = False


class ResultStatus(Closed):
    """Statuses that can count (specification 3.2, architecture decision 3). Others are never read into a Result."""

    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    UNSTATED = "status not stated"
    PRELIMINARY = "preliminary"


class Comparator(Closed):
    """A value known only to lie on one side of a number."""

    LESS = "<"
    AT_MOST = "<="
    AT_LEAST = ">="
    MORE = ">"


def as_sent(value: Decimal, unit: str) -> str:
    """Value and unit as the laboratory wrote them, the number in plain digits and not without end."""
    return f"{format(value, 'f')[:_LONGEST_NUMBER]} {unit}"


class Result(msgspec.Struct, frozen=True, gc=False):
    """One laboratory value that can be stood behind, in the analyte's canonical unit.

    ``value`` is rounded half up to the precision of the limits and is what rules compare and cards print; ``exact`` is
    what arithmetic uses. ``limits`` is the range sent with the result, converted and rounded; None if none was sent or
    it could not be used, of which ``range_unused`` tells. ``sent_value`` and ``sent_unit`` are as the laboratory wrote
    them; None and "" if it wrote neither. ``note`` is record text made safe for display; no rule reads it.
    ``calculated_from``: what adjusted calcium was worked out from, in words; "" if the laboratory reported the value.
    A Struct, not a dataclass: hundreds are made for a call, each in a quarter of the time (``msgspec.structs.replace``
    makes a changed one).
    """

    analyte: str
    value: Decimal
    exact: Decimal
    when: When
    source: str  # Observation/123
    status: ResultStatus = ResultStatus.FINAL
    comparator: Comparator | None = None
    limits: Limits | None = None
    sent_value: Decimal | None = None
    sent_unit: str = ""
    haemolysed: bool = False
    note: str = ""
    calculated_from: str = ""
    range_unused: bool = False

    @property
    def sent(self) -> str:
        """Value and unit as the laboratory wrote them; "" if it wrote neither."""
        return "" if self.sent_value is None else as_sent(self.sent_value, self.sent_unit)

    def is_above(self, mark: Decimal) -> bool:
        """Whether every value that the comparator allows is above the mark: ">5" is above 5, "<5" above nothing."""
        match self.comparator:
            case None | Comparator.AT_LEAST:
                return self.value > mark
            case Comparator.MORE:
                return self.value >= mark
            case Comparator.LESS | Comparator.AT_MOST:
                return False

    def is_below(self, mark: Decimal) -> bool:
        """Whether every value that the comparator allows is below the mark: "<5" is below 5, ">5" below nothing."""
        match self.comparator:
            case None | Comparator.AT_MOST:
                return self.value < mark
            case Comparator.LESS:
                return self.value <= mark
            case Comparator.MORE | Comparator.AT_LEAST:
                return False


class Problem(msgspec.Struct, frozen=True, gc=False):
    """A coded problem, finding or reason for the encounter. Words without a code never become one.

    ``active``: clinical status active, recurrence or relapse, or none stated and no end recorded. Refuted and
    entered-in-error records never become one. ``when`` is the latest of onset and recorded date; None is undated. A
    Struct for the same reason as :class:`Result`.
    """

    concepts: frozenset[str]
    label: str
    when: When | None
    source: str  # Condition/123, Observation/123, Encounter/123, Procedure/123
    active: bool = True
    severe: bool = False
    onset: When | None = None


@dataclass(frozen=True, slots=True)
class Dose:
    """What a dosage instruction amounts to, in milligrams of the medicine as ordered (rows O3, O6).

    ``night``: the most that is taken at bedtime or as one dose a day; ``daily``: the most in a day. None: not known,
    and ``why`` says so in words fit for a card (text only, a range without an upper end, tablets without a strength).
    ``least``: what is taken for certain, at night or in a day, of a dose known in part, where that is more than the
    two tell (400 mg and something in words); None otherwise.
    """

    night: Decimal | None = None
    daily: Decimal | None = None
    why: str = ""
    least: Decimal | None = None


class Medicine(msgspec.Struct, frozen=True, gc=False):
    """One record of a medicine. ``active``: status active and its period has not ended on ``as_of``.

    ``link`` tells how it was recognised: only ``Link.CODE`` may suppress or lower anything or raise a warning. A
    Struct for the same reason as :class:`Result`.
    """

    ingredients: frozenset[str]
    label: str
    link: Link
    active: bool
    source: str  # MedicationStatement/123
    start: When | None = None
    end: When | None = None
    reasons: frozenset[str] = frozenset()  # problem concepts it was prescribed for
    dose: Dose | None = None


class OrderStatus(Closed):
    """How far an order on record has got, as far as rules care."""

    ACTIVE = "active"
    DRAFT = "draft"
    COMPLETED = "completed"
    OTHER = "other"


AWAITED: Final = frozenset({OrderStatus.ACTIVE, OrderStatus.DRAFT})
"""An order that is sent or in hand: what it asks for is awaited."""


@dataclass(frozen=True, slots=True)
class Order:
    """A test order or referral already on record."""

    concepts: frozenset[str]
    label: str
    status: OrderStatus
    when: When | None
    source: str  # ServiceRequest/123


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsigned order of the session: a medicine (``ingredients``) or a test or referral (``concepts``).

    ``judged``: this call is about it (order-select: it is selected; order-sign: every draft). The others are context,
    as active medicines are. A draft test order also stands among ``Chart.orders`` with status DRAFT, dated today.
    """

    ingredients: frozenset[str]
    concepts: frozenset[str]
    label: str
    link: Link | None  # None for a test or referral
    judged: bool
    source: str  # MedicationRequest/draft-1
    reasons: frozenset[str] = frozenset()
    dose: Dose | None = None


@dataclass(frozen=True, slots=True)
class Allergy:
    """An allergy or intolerance that counts: not refuted, not entered in error, not inactive."""

    ingredients: frozenset[str]
    label: str
    source: str


@dataclass(frozen=True, slots=True)
class Relative:
    """A condition recorded in the family. Opens a detail line, never a red flag."""

    concepts: frozenset[str]
    who: str
    label: str
    source: str


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that was seen and not used, kept with its reason (rule R10, 6.2 no. 2).

    ``about``: the analyte, ingredient or other concept it concerns, "" if that could not be told. ``expected`` marks
    what is left out by rule (entered in error, cancelled, another patient) as opposed to what could not be read.
    """

    area: Area
    about: str
    why: str
    source: str
    when: When | None = None
    expected: bool = False
