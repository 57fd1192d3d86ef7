"""Moments of a record. A FHIR date may be a year, a month, a day or an instant: each is an interval (rule R10)."""

from datetime import UTC, date, datetime, tzinfo

import msgspec


class When(msgspec.Struct, frozen=True, gc=False):
    """The first and last instant a date can mean, in UTC, and the calendar days these fall on.

    ``first_day`` and ``last_day`` are days in the configured time zone (specification 3.8 no. 8). For a year or a
    month they differ; for a day or an instant they are equal. ``earliest <= latest`` and both carry a time zone.
    A Struct, not a dataclass: it is made many times for a call, and is made in a fraction of the time. Of an instant
    the day is worked out when it is asked for, which of most results it never is.
    """

    earliest: datetime
    latest: datetime
    days: tuple[date, date] | None = None  # the first and the last, where it was given in days
    zone: tzinfo = UTC

    @property
    def first_day(self) -> date:
        """The first calendar day it can mean."""
        return self.earliest.astimezone(self.zone).date() if self.days is None else self.days[0]

    @property
    def last_day(self) -> date:
        """The last calendar day it can mean."""
        return self.latest.astimezone(self.zone).date() if self.days is None else self.days[1]

    def begins_after(self, day: date) -> bool:
        """Whether all of it lies after that day. No zone is more than a day from UTC, so most need no closer look."""
        return self.earliest.date() >= day and self.first_day > day

    def youngest(self, as_of: date) -> int:
        """Age in calendar days if the latest day is meant. Negative: in the future."""
        return (as_of - self.last_day).days

    def oldest(self, as_of: date) -> int:
        """Age in calendar days if the earliest day is meant."""
        return (as_of - self.first_day).days

    def overlaps(self, other: "When") -> bool:
        """Whether the two may be the same moment."""
        return self.earliest <= other.latest and other.earliest <= self.latest

    def __str__(self) -> str:
        """As printed on a card: 2026-06-01, 2026-06 or 2026."""
        if self.first_day == self.last_day:
            return self.first_day.isoformat()
        if (self.first_day.year, self.first_day.month) == (self.last_day.year, self.last_day.month):
            return f"{self.first_day:%Y-%m}"
        if self.first_day.year == self.last_day.year:
            return f"{self.first_day:%Y}"
        return f"{self.first_day.isoformat()} to {self.last_day.isoformat()}"
