"""The goals and what was reached: a gate is met or not, a report is shown beside its goal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.samples import paired_ratio, percentile, ratio_of_minima

Timed = Mapping[str, list[float]]


@dataclass(frozen=True)
class Verdict:
    """One measure beside its goal. ``at_least``: more is better. ``shown``: a second view of the same, for reading."""

    goal: str
    measure: str
    wanted: float
    found: float
    gate: bool = True
    at_least: bool = False
    shown: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.found >= self.wanted if self.at_least else self.found <= self.wanted

    @property
    def word(self) -> str:
        """What stands in the table."""
        if self.met:
            return "met"
        return "missed"


_TICK = 0.0001  # seconds of CPU, so that nothing is divided by none
_P1 = {"20/5": 3.0, "200/50": 1.0, "1000/50": 0.8}


def in_process(timed: Mapping[str, Timed]) -> Iterator[Verdict]:
    """P1 to P3, from the samples of bench.inprocess; without tokens for the gates, with tokens for show."""
    for who, gate in (("ours", True), ("ours, jwt", False)):
        for name, wanted in _P1.items():
            if name in timed:
                yield _ratio("P1", f"{name}: {who} / json.loads", wanted, timed[name], (who, "json.loads"), gate=gate)
    if "200/50" in timed:
        at = timed["200/50"]
        found = ratio_of_minima(at["validate all"], at["ours"])
        shown = f"{paired_ratio(at['validate all'], at['ours']):.1f}"
        yield Verdict("P2", "200/50: validate all / ours", 20, found, at_least=True, shown=shown)
        for who, gate in (("ours", True), ("ours, jwt", False)):
            yield _ratio("P3", f"200/50: {who} / flask", 9, at, (who, "flask"), gate=gate)


def over_http(measured: list[dict[str, Any]]) -> Iterator[Verdict]:
    """P4 and P5, from the loads of bench.http_part: reports, with one worker."""
    flask = {(one["body"], one["clients"]): one for one in measured if (one["server"], one["workers"]) == ("flask", 1)}
    for one in measured:
        if one["workers"] != 1 or one["server"] == "flask":
            continue
        other = flask[one["body"], one["clients"]]
        what = f"{one['body']}, {one['clients']} client{'s' if one['clients'] > 1 else ''}: {one['server']}"
        half = percentile(one["seconds"], 0.5)
        yield Verdict("P4", f"{what} / flask, p50", 2.5, half / percentile(other["seconds"], 0.5), gate=False)
        spent = one["cpu"] / len(one["seconds"]), other["cpu"] / len(other["seconds"])
        yield Verdict("P4", f"{what} / flask, CPU a call", 2.5, spent[0] / max(spent[1], _TICK), gate=False)
        if one["clients"] == 1:
            yield Verdict("P5", f"{what}, p99 / p50", 3, percentile(one["seconds"], 0.99) / half, gate=False)


def fetching(found: Mapping[str, Any]) -> Iterator[Verdict]:
    """P8 to P10, from the samples of bench.fhir_part; four pages of results for show."""
    slowest = max(percentile(samples, 0.5) for samples in found["searches"].values())
    alone, crowded = percentile(found["one client"], 0.5), percentile(found["eight clients"], 0.5)
    yield Verdict("P8", "no prefetch: hook / slowest search, p50", 1.4, alone / slowest)
    yield Verdict("P9", "no prefetch: 8 clients / 1 client, p50", 2.5, crowded / alone)
    over = max(one["seconds"] for one in found["hang"]) - found["deadline"]
    yield Verdict("P10", "one search hangs: milliseconds past the deadline", 100, over * 1000)
    cards = min(one["cards"] for one in found["hang"])
    yield Verdict("P10", "one search hangs: cards from the rest", 1, cards, at_least=True)
    pages = percentile(found["one client, four pages"], 0.5)
    yield Verdict("-", "no prefetch: four pages of results / one page, p50", 4, pages / alone, gate=False)


def starting(found: Mapping[str, Any]) -> Iterator[Verdict]:
    """P11, from the samples of bench.startup: least seconds to the first answer, least memory after it. What a site
    loads beside, to prove callers and to fetch, is for show.
    """
    bare = found["flask"]
    for who in (name for name in found if name != "flask"):
        for measure, name, wanted in (("seconds", "start-up", 2.0), ("memory", "memory", 1.6)):
            ratio = min(found[who][measure]) / min(bare[measure])
            yield Verdict("P11", f"{name}: {who} / flask", wanted, ratio, gate=who == "ours")


def _ratio(goal: str, measure: str, wanted: float, at: Timed, pair: tuple[str, str], *, gate: bool) -> Verdict:
    ours, other = at[pair[0]], at[pair[1]]
    return Verdict(goal, measure, wanted, ratio_of_minima(ours, other), gate, shown=f"{paired_ratio(ours, other):.2f}")


def table(verdicts: list[Verdict]) -> Iterator[str]:
    """Lines for a terminal."""
    yield f"{'':4} {'measure':58} {'goal':>8} {'found':>8} {'median':>8}  verdict"
    for one in verdicts:
        sign = ">=" if one.at_least else "<="
        kind = one.word + ("" if one.gate else " (report)")
        yield f"{one.goal:4} {one.measure:58} {sign}{one.wanted:>6g} {one.found:8.2f} {one.shown:>8}  {kind}"
