"""FHIR dates of any precision, read as intervals (rule R10, HZ26, specification 3.8 no. 8)."""

import calendar
import re
from datetime import MAXYEAR, UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from cards.when import Days, Instant, When, in_utc

EARLIEST_YEAR: Final = 1880
"""Dates before it are no dates of a living patient but stand for "not set" (0001-01-01): read as no date."""

_LONGEST: Final = 40
_DAY_LONG: Final = 10
_SEVENTH_DIGIT: Final = slice(26, 27)  # of the fraction of a second, where one is written
_FORM: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)


def moment(value: Any, zone: ZoneInfo) -> When | None:
    """The interval a FHIR date, dateTime or instant can mean; None if it is none. Never raises.

    A time without a zone is one of ``zone``, and calendar days are days of ``zone``.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    # What most dates are, an instant or a day: told apart, they are read the quicker.
    found = _whole_instant(value, zone) if len(value) > _DAY_LONG else _whole_day(value, zone)
    return _any_moment(value.strip(), zone) if found is None else found


def _whole_instant(value: str, zone: ZoneInfo) -> When | None:
    """A point in time, with seconds and zone; None if it has to be looked at more closely."""
    try:
        instant = msgspec.convert(value, datetime)
    except msgspec.ValidationError:  # not in full, or a leap second
        return None
    if instant.tzinfo is None or not EARLIEST_YEAR < instant.year < MAXYEAR or value[_SEVENTH_DIGIT].isdigit():
        return None  # digits beyond the microsecond were rounded, perhaps into the next day
    instant = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return Instant(instant, instant, zone)


def _whole_day(value: str, zone: ZoneInfo) -> When | None:
    """A day of the calendar; None if it has to be looked at more closely."""
    if len(value) != _DAY_LONG or value[4] != "-" or value[7] != "-":
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:  # the thirtieth of February
        return None
    return Days(day, day, zone) if day.year >= EARLIEST_YEAR else None


def _any_moment(value: str, zone: ZoneInfo) -> When | None:
    form = _FORM.fullmatch(value)
    if form is None:
        return None
    year, month, day, clock = form.group(1, 2, 3, 4)
    try:
        if int(year) < EARLIEST_YEAR:
            return None
        if clock is not None:
            return _instant(form, zone)
        first = date(int(year), int(month or 1), int(day or 1))
        if day is not None:
            last = first
        elif month is not None:
            last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        else:
            last = date(first.year, 12, 31)
    except ValueError:  # the thirtieth of February
        return None
    return Days(first, last, zone)


def _instant(form: re.Match[str], zone: ZoneInfo) -> When:
    """A point in time; a whole minute if no seconds are given. Raises ValueError if there is no such time."""
    year, month, day, clock, seconds, fraction, offset = form.groups()
    leap = seconds == ":60"  # FHIR allows a leap second; Python does not
    whole = f"{year}-{month}-{day}T{clock}{':59' if leap else seconds or ''}{(fraction or '') if seconds else ''}"
    local = datetime.fromisoformat(whole + (offset or "").upper())
    if local.tzinfo is None:
        local = local.replace(tzinfo=zone)
    earliest = in_utc(local)
    latest = earliest if seconds else in_utc(local.replace(second=59, microsecond=999999))
    return Instant(earliest, latest, zone)
