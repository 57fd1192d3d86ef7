"""How long things count: the days of windows.toml."""

from collections.abc import Mapping
from importlib.resources import files

import msgspec

from cards.toml_file import Section, read_toml


class Windows(msgspec.Struct, frozen=True):
    """Time windows in calendar days, both ends included: 365 means that day 365 counts and day 366 does not."""

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
