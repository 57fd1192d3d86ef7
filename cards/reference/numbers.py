"""The page of numbers: bands, time windows, laboratory limits, each with its source."""

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

from cards.content import Content
from cards.reference.markdown import page, table
from cards.toml_file import read_toml

_BOUNDS = {
    "below": "below",
    "at_most": "at most",
    "above": "above",
    "at_least": "at least",
    "above_ratio": "more than, times the upper limit",
    "at_least_ratio": "at least, times the upper limit",
}


def bands(content: Content) -> str:
    """docs/reference/bands.md."""
    windows = read_toml(files("cards") / "windows.toml")
    adjustment = read_toml(files("cards") / "bands.toml")["adjustment"]
    return page(
        "Bands, windows and limits",
        "The numbers the rules use. The range sent with a result always wins over the limits below. An info or warning "
        "band speaks only for a value outside the limits; a critical band is absolute and needs a recent result.",
        *_safety(content),
        "## Bands",
        "A value takes the gravest band it falls in.",
        table(("Analyte", "Side", "Indicator", "When", "Only with", "Source"), _bands(content)),
        "## Adjusted calcium",
        f"Total calcium + {adjustment['slope']} x ({adjustment['reference']} - albumin in g/L), both of one day, if "
        f"the laboratory reports no adjusted value. Source: {adjustment['source']}.",
        "## Windows",
        "In days, both ends included. DEF: a project default with no published source.",
        table(("Window", "Days", "Source"), _windows("days", windows["days"])),
        "## Look-back",
        "How long a result counts as recent.",
        table(("Analyte", "Days", "Source"), _look_back(content, windows["look_back"])),
        "## Limits used when a result carries none",
        table(("Analyte", "Unit", "For", "From", "To", "Decimals", "Plausible", "Source"), _limits(content)),
    )


def _bands(content: Content) -> Iterator[tuple[str, ...]]:
    for row in read_toml(files("cards") / "bands.toml")["band"]:
        (bound,) = [name for name in _BOUNDS if name in row]
        mark = "the limit" if row[bound] == "limit" else row[bound]
        beyond = " (beyond the fact sheet)" if row.get("beyond") else ""
        title = content.vocabulary.analytes[row["analyte"]].title
        yield (
            title,
            row["side"],
            row["indicator"] + beyond,
            f"{_BOUNDS[bound]} {mark}" if "times" not in _BOUNDS[bound] else _times(_BOUNDS[bound], mark),
            row.get("with", ""),
            row["source"],
        )


def _safety(content: Content) -> Iterator[str]:
    """The spans beyond which no critical band may be set (HZ24)."""
    for name, span in read_toml(files("cards") / "bands.toml")["safety"].items():
        title = content.vocabulary.analytes[name].title
        yield f"The service does not start with a critical band of {title} below {span['from']} or above {span['to']}."


def _times(bound: str, mark: str) -> str:
    more, _, what = bound.partition(", times ")
    return f"{more} {mark} times {what}"


def _windows(section: str, table_: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    sources = dict(_comments(section))
    for name, days in table_.items():
        yield name, str(days), sources.get(name, "")


def _look_back(content: Content, table_: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, days in table_.items():
        yield content.vocabulary.analytes[name].title, str(days), "DEF, specification 3.2"


def _comments(section: str) -> Iterator[tuple[str, str]]:
    """The comment after each number of windows.toml: its source."""
    inside = False
    for line in (files("cards") / "windows.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            inside = line.startswith(f"[{section}]")
        found = re.match(r"([\w-]+) *= *\d+ *# *(.+)", line)
        if inside and found:
            yield found[1], found[2]


def _limits(content: Content) -> Iterable[tuple[str, ...]]:
    sources = read_toml(files("terminology") / "analytes.toml")
    for name, analyte in content.vocabulary.analytes.items():
        plausible = f"{analyte.plausible.low} to {analyte.plausible.high}"
        source = sources.get(name, {}).get("sources", {})
        text = "; ".join(f"{what}: {where}" for what, where in source.items())
        for who, limits in (
            ("everyone", analyte.limits),
            ("men", analyte.limits_male),
            ("women", analyte.limits_female),
        ):
            if limits is not None:
                low, high = ("" if side is None else str(side) for side in (limits.low, limits.high))
                yield analyte.title, analyte.unit, who, low, high, str(analyte.places), plausible, text
        if analyte.limits is None and analyte.limits_male is None:
            yield analyte.title, analyte.unit, "no default", "", "", str(analyte.places), plausible, text
