"""What the service keeps between calls, and what a store promises (R3, R17). No patient is in any of it.

Times are aware datetimes in UTC. What a client sends is kept only where it is one of a closed set, a UUID, a time or
a number; a comment only where the site switched that on (I9).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Protocol

import msgspec

RETENTION_DAYS = 90  # cards shown and feedback; a seen token is kept until it ends (R17)


class Outcome(Enum):
    """What became of a card. ``OTHER``: a word CDS Hooks does not know; recorded, because something was reported."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"
    OTHER = "other"


class ShownCard(msgspec.Struct, frozen=True):
    """A card that left the service. ``card``: its uuid; ``rules``: its specification rows; ``client``: its name."""

    card: str
    topic: str
    rules: tuple[str, ...]
    content_version: str
    content_hash: str
    client: str
    hook: str
    at: datetime


class FeedbackItem(msgspec.Struct, frozen=True):
    """One report on one card.

    ``card``: a uuid, or "" if what was sent is none and so can be no card of ours. ``at``: the time of the outcome as
    sent, else that of receipt (``at_receipt``). ``reason``: a code of our own list, "unlisted", or "" if none was
    given. ``suggestions``: how many were accepted. ``comment``: "" unless the site stores comments.
    """

    card: str
    outcome: Outcome
    at: datetime
    received: datetime
    at_receipt: bool = False
    reason: str = ""
    suggestions: int = 0
    comment: str = ""


class FeedbackOutcome(msgspec.Struct, frozen=True):
    """What was done with a batch: newly recorded, already known (I6), and of the new ones about no card we know (I8).

    ``foreign``: positions, from 0, of items about a card that was shown to another client. If there is one, nothing of
    the batch was recorded.
    """

    recorded: int = 0
    repeated: int = 0
    unmatched: int = 0
    foreign: tuple[int, ...] = ()


class Store(Protocol):
    """State shared by all workers."""

    def claim(self, issuer: str, jti: str, expires: datetime) -> bool:
        """Whether this token is seen for the first time: one atomic insert, kept until ``expires``.

        Raises StoreUnavailable if that cannot be known.
        """
        ...

    def shown(self, cards: Sequence[ShownCard]) -> None:
        """Take note of cards shown. Returns at once and never raises; what cannot be kept is counted in ``dropped``."""
        ...

    def record(self, items: Sequence[FeedbackItem], client: str) -> FeedbackOutcome:
        """Keep a client's feedback, all or nothing. Once this returns, it is written. Raises StoreUnavailable."""
        ...

    def prune(self, now: datetime) -> int:
        """Remove tokens that ended, and what is older than the retention; how many rows. Raises StoreUnavailable."""
        ...

    def ready(self) -> bool:
        """Whether the store can be reached and written, and has the tables of this version. Takes seconds at most."""
        ...

    @property
    def dropped(self) -> int:
        """Cards shown that this process could not keep."""
        ...

    def close(self) -> None:
        """Write what is waiting, within seconds, and let go of connections."""
        ...
