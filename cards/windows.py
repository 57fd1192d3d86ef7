"""How long things count: the days of windows.toml."""

from collections.abc import Mapping
from importlib.resources import files

import msgspec

from cards.toml_file import Section, read_toml


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
    """The windows of windows.toml. Raises BadContent if one is missing or no whole number."""
    whole = Section("windows.toml", read_toml(files("cards") / "windows.toml"))
    days, look_back = whole.section("days"), whole.section("look_back")
    whole.done()
    windows = Windows(
        symptom=days.whole("symptom"),
        critical=days.whole("critical"),
        pending=days.whole("pending"),
        referral=days.whole("referral"),
        gap=days.whole("gap"),
        quinine=days.whole("quinine"),
        look_back={name: look_back.whole(name) for name in list(look_back.table)},
    )
    days.done()
    return windows
