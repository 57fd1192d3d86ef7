"""A finding: something a rule noticed, without prose. What is said about it stands in the topic's sheet."""

from functools import total_ordering
from typing import TypeAlias

import msgspec

from cards.entries import Allergy, Draft, Medicine, Order, Problem, Relative, Result, Unread
from terminology.closed import Closed


@total_ordering
class Indicator(Closed):
    """How urgent a card is, in the words of CDS Hooks; INFO < WARNING < CRITICAL."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    def __init__(self, _word: str) -> None:
        self.rank = len(type(self).__members__)
        """How grave: 0, 1 or 2. As a key to sort by it is many times faster than the member itself."""

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Indicator):
            return NotImplemented
        return self.rank < other.rank


class Priority(Closed):
    """Urgency of a suggested referral (specification 3.6): NG127 "refer" is routine, "refer urgently" urgent."""

    ROUTINE = "routine"
    URGENT = "urgent"


class RequestTest(msgspec.Struct, frozen=True, gc=False):
    """Propose one draft test order. ``order`` is an order concept of the terminology, such as ``order-ck``.

    ``label``, ``note``: the button text and the reason for the test, from the sheet.
    """

    order: str
    label: str
    note: str = ""


class Refer(msgspec.Struct, frozen=True, gc=False):
    """Propose one draft referral. ``order``: the referral concept; ``note`` goes into the draft."""

    order: str
    label: str
    priority: Priority = Priority.ROUTINE
    note: str = ""


class ReviewMedicine(msgspec.Struct, frozen=True, gc=False):
    """Propose a draft task to review a medicine. Never to stop, start or change one."""

    label: str
    note: str
    medicine: str  # the resource it is about: MedicationStatement/123


class RemoveDraft(msgspec.Struct, frozen=True, gc=False):
    """Propose to take a drafted medicine out of the basket; only beside a contraindication (rows O2, O5)."""

    label: str
    note: str
    draft: str  # MedicationRequest/draft-1


Proposal: TypeAlias = RequestTest | Refer | ReviewMedicine  # what makes a new draft
Intent: TypeAlias = Proposal | RemoveDraft
Evidence: TypeAlias = Result | Problem | Medicine | Order | Relative | Allergy | Draft | Unread


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What a rule noticed.

    ``kind`` names a ``[finding.KIND]`` of the topic's sheet. ``fill`` gives the values of its placeholders.
    ``indicator`` is set only where the rule departs from the sheet's weight (bands, dialysis, haemolysis).
    ``evidence`` is what it rests on and is printed under Found. ``suggest`` names suggestions of the sheet, in order,
    that are open for this patient; ``about`` tells two findings of one kind apart (an analyte, an ingredient).
    ``beyond``: rests on more than the fact sheet although its kind does not as a whole (magnesium).
    A Struct, not a dataclass, as are the intents: a call makes dozens, each in a fraction of the time.
    """

    kind: str
    evidence: tuple[Evidence, ...] = ()
    fill: dict[str, str] = {}
    indicator: Indicator | None = None
    about: str = ""
    suggest: tuple[str, ...] = ()
    beyond: bool = False
    review: tuple[Medicine, ...] = ()  # medicines a "review" suggestion is made for, one each
    remove: tuple[Draft, ...] = ()  # drafts a "remove" suggestion is made for, one each
