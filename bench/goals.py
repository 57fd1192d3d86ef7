"""The goals and what was reached: a gate is met or not, a report is shown beside its goal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.samples import paired_ratio, ratio_of_minima

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
        return "MISSED" if self.gate else "above" if not self.at_least else "below"


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
