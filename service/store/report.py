"""What became of the cards: shown, accepted, overridden, by topic, reason and week. No patient is in it.

A week is that of ISO 8601, Monday to Sunday, in UTC. An outcome counts in the week its card was shown, so that a line
says what became of that week's cards; a report on a card we do not know counts in the week it came.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from service.store.contract import Outcome

UNMATCHED = "(unknown card)"
NO_REASON = "(none given)"
COLUMNS = ("week", "topic", "event", "reason", "count")


class Line(msgspec.Struct, frozen=True):
    """One topic in one week. ``other``: outcomes that CDS Hooks does not know. ``reasons``: of those overridden."""

    week: str
    topic: str
    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    other: int = 0
    reasons: Mapping[str, int] = {}


class Shown(msgspec.Struct, frozen=True):
    """That a card on a topic was shown."""

    topic: str
    at: datetime


class Reported(msgspec.Struct, frozen=True):
    """A counted outcome. ``topic`` is "" for a card we do not know; ``at``: when it was shown, else when this came."""

    topic: str
    outcome: Outcome
    reason: str
    at: datetime


def lines(shown: Iterable[Shown], reported: Iterable[Reported]) -> tuple[Line, ...]:
    """The report, by week and topic."""
    counts: Counter[tuple[str, str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter[str]] = {}
    for card in shown:
        counts[week(card.at), card.topic, "shown"] += 1
    for one in reported:
        key = (week(one.at), one.topic or UNMATCHED)
        counts[(*key, one.outcome.value)] += 1
        if one.outcome is Outcome.OVERRIDDEN:
            reasons.setdefault(key, Counter())[one.reason or NO_REASON] += 1
    return tuple(
        Line(
            when,
            topic,
            shown=counts[when, topic, "shown"],
            accepted=counts[when, topic, Outcome.ACCEPTED.value],
            overridden=counts[when, topic, Outcome.OVERRIDDEN.value],
            other=counts[when, topic, Outcome.OTHER.value],
            reasons=dict(sorted(reasons.get((when, topic), Counter()).items())),
        )
        for when, topic in sorted({(when, topic) for when, topic, _ in counts})
    )


def week(moment: datetime) -> str:
    """The ISO week of an instant, such as 2026-W07."""
    year, number, _ = moment.astimezone(UTC).isocalendar()
    return f"{year}-W{number:02}"


def as_table(report: tuple[Line, ...]) -> str:
    """For people: columns of equal width, the reasons at the end of a line."""
    head = ("week", "topic", "shown", "accepted", "overridden", "other", "reasons for overriding")
    rows = [
        (line.week, line.topic, str(line.shown), str(line.accepted), str(line.overridden), str(line.other), _said(line))
        for line in report
    ]
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return "".join(_aligned(row, widths) for row in (head, *rows))


def as_csv(report: tuple[Line, ...]) -> str:
    """For a spreadsheet: one row for each count that is not 0, so that every sum over them is right."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for line in report:
        for event, count in (("shown", line.shown), ("accepted", line.accepted), ("other", line.other)):
            if count:
                table.writerow((line.week, line.topic, event, "", count))
        table.writerows((line.week, line.topic, "overridden", reason, count) for reason, count in line.reasons.items())
    return text.getvalue()


def as_json(report: tuple[Line, ...]) -> str:
    """For a program: a list of lines."""
    return json.dumps([msgspec.structs.asdict(line) for line in report], indent=2) + "\n"


FORMATS = {"table": as_table, "csv": as_csv, "json": as_json}


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    """Numbers to the right, words to the left."""
    cells = (
        cell.rjust(width) if 1 < at < len(row) - 1 else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip() + "\n"


def _said(line: Line) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in line.reasons.items())
