"""Moments of a record. A FHIR date may be a year, a month, a day or an instant: each is an interval (rule R10)."""

from datetime import UTC, date, datetime, time, tzinfo
from typing import TYPE_CHECKING, Final

import msgspec

_DAY_END: Final = time(23, 59, 59, 999999)


class When(msgspec.Struct, frozen=True, gc=False):
    """The first and last instant a date can mean, in UTC, and the calendar days these fall on.

    ``first_day`` and ``last_day`` are days in the configured time zone (specification 3.8 no. 8). For a year or a
    month they differ; for a day or an instant they are equal. ``earliest <= latest`` and both carry a time zone.
    There are two kinds, by how it was written; what one was not written as is worked out when it is asked for, which
    of most it never is. Structs, not dataclasses: hundreds are made for a call, in a fraction of the time.
    """

    if TYPE_CHECKING:  # fields of one kind, worked out by the other

        @property
        def earliest(self) -> datetime: ...  # noqa: D102 -- as the class says

        @property
        def latest(self) -> datetime: ...  # noqa: D102 -- as the class says

        @property
        def first_day(self) -> date: ...  # noqa: D102 -- as the class says

        @property
        def last_day(self) -> date: ...  # noqa: D102 -- as the class says

    @property
    def only_day(self) -> date | None:
        """The calendar day it lies on; None if that is not known, as of a month or a year."""
        first = self.first_day
        return first if first == self.last_day else None

    def begins_after(self, day: date) -> bool:
        """Whether all of it lies after that day."""
        return self.first_day > day

    def youngest(self, as_of: date) -> int:
        """Age in calendar days if the latest day is meant. Negative: in the future."""
        return (as_of - self.last_day).days

    def oldest(self, as_of: date) -> int:
        """Age in calendar days if the earliest day is meant."""
        return (as_of - self.first_day).days

    def __str__(self) -> str:
        """As printed on a card: 2026-06-01, 2026-06 or 2026."""
        first, last = self.first_day, self.last_day
        if first == last:
            return first.isoformat()
        if (first.year, first.month) == (last.year, last.month):
            return f"{first:%Y-%m}"
        if first.year == last.year:
            return f"{first:%Y}"
        return f"{first.isoformat()} to {last.isoformat()}"


class Instant(When, frozen=True, gc=False):
    """A point in time, or the seconds of one minute, of which the day is one in ``zone``."""

    earliest: datetime
    latest: datetime
    zone: tzinfo = UTC

    @property
    def first_day(self) -> date:
        """See When."""
        return _day(self.earliest, self.zone)

    @property
    def last_day(self) -> date:
        """See When."""
        return _day(self.latest, self.zone)

    @property
    def only_day(self) -> date | None:
        """See When."""
        first = self.first_day
        return first if self.latest == self.earliest or first == self.last_day else None

    def begins_after(self, day: date) -> bool:
        """See When. No zone is more than a day from UTC, so that most need no closer look."""
        return self.earliest.date() >= day and self.first_day > day


class Days(When, frozen=True, gc=False):
    """Whole days in ``zone``, both included: a day, a month or a year."""

    first_day: date
    last_day: date
    zone: tzinfo = UTC

    @property
    def earliest(self) -> datetime:
        """See When."""
        return in_utc(datetime.combine(self.first_day, time.min, self.zone))

    @property
    def latest(self) -> datetime:
        """See When."""
        return in_utc(datetime.combine(self.last_day, _DAY_END, self.zone))


def in_utc(local: datetime) -> datetime:
    """In UTC; the last moment there is, for a time so late (9999-12-31) that UTC has none."""
    try:
        return local.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _day(instant: datetime, zone: tzinfo) -> date:
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return instant.date()
