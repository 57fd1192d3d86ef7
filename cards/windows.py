"""How long things count: the days of windows.toml."""

from collections.abc import Mapping
from importlib.resources import files

import msgspec

from cards.toml_file import Section, read_section
from terminology.errors import BadContent


class Windows(msgspec.Struct, frozen=True):
    """Time windows in calendar days, both ends included: 365 means that day 365 counts and day 366 does not.

    ``symptom``: a symptom or sign counts. ``critical``: a value that calls for urgent action is called urgent.
    ``pending``: an order without a result is awaited. ``referral``: a neurology referral is still running. ``gap``: a
    longer one between two records of a medicine is a new start. ``quinine``: so long after its start a course is due
    for review. ``look_back``: by analyte, how long a result counts as recent. The sources stand in windows.toml.
    """

    symptom: int
    critical: int
    pending: int
    referral: int
    gap: int
    quinine: int
    look_back: Mapping[str, int]


def load_windows() -> Windows:
    """The windows of windows.toml. Raises BadContent if one is missing or no number of days."""
    whole = read_section(files("cards") / "windows.toml")
    days, look_back = whole.section("days"), whole.section("look_back")
    whole.done()
    windows = Windows(
        symptom=_days(days, "symptom"),
        critical=_days(days, "critical"),
        pending=_days(days, "pending"),
        referral=_days(days, "referral"),
        gap=_days(days, "gap"),
        quinine=_days(days, "quinine"),
        look_back={name: _days(look_back, name) for name in list(look_back.table)},
    )
    days.done()
    return windows


def _days(table: Section, name: str) -> int:
    days = table.whole(name)
    if days < 1:
        raise BadContent(f"{table.where}: {name} should be a number of days, 1 or more")
    return days
