"""The clock of this machine, which is looked at here alone and handed to whoever needs it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 -- the clock enters here


def today(zone: ZoneInfo) -> date:
    """The calendar day of a time zone: of the setting ``timezone``, for the rules."""
    return datetime.now(zone).date()  # noqa: TID251 -- the clock enters here
