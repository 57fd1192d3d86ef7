"""Moments of a record. A FHIR date may be a year, a month, a day or an instant: each is an interval (rule R10)."""

from datetime import date, datetime

import msgspec


class When(msgspec.Struct, frozen=True, order=True, gc=False):
    """The first and last instant a date can mean, in UTC, and the calendar days these fall on.

    ``first_day`` and ``last_day`` are days in the configured time zone (specification 3.8 no. 8). For a year or a
    month they differ; for a day or an instant they are equal. ``earliest <= latest`` and both carry a time zone.
    A Struct, not a dataclass: it is made many times for a call, and is made in a fraction of the time.
    """

    earliest: datetime
    latest: datetime
    first_day: date
    last_day: date

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
