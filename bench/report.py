"""The generated parts of docs/performance.md: between their marks, everything is written anew from the samples."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bench.samples import paired_ratio, percentile, ratio_of_minima, spread

Result = Mapping[str, Any]
Lines = Iterator[str]

PAGE: Final = Path(__file__).parent.parent / "docs" / "performance.md"
BUSY: Final = 0.5  # share of a core that is planned for; the rest is for bursts, and for a machine that is lost
RECORDS_AN_HOUR: Final = 20  # that one clinician opens at the busiest time, each a hook
SITES: Final = (("a practice", 10), ("a small hospital", 300), ("a large hospital", 3_000), ("a region", 20_000))


def write(results: list[Result]) -> None:
    """Write the parts that come from runs of the benchmark; nothing if there is none."""
    if results:
        _put({name: part(results) for name, part in PARTS.items()})


def write_peers(result: Result) -> None:
    """Write the part that comes from bench.peers."""
    _put({"peers": _peers(result)})


def _put(parts: Mapping[str, Lines]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, lines in parts.items():
        mark = re.compile(rf"<!-- bench: {name} -->.*?<!-- end -->", re.DOTALL)
        written = f"<!-- bench: {name} -->\n\n{chr(10).join(lines)}\n\n<!-- end -->"
        page = mark.sub(lambda _found, written=written: written, page)  # type: ignore[misc]  # a default binds it now
    PAGE.write_text(page, encoding="utf-8")


def _run(results: list[Result]) -> Lines:
    last = results[-1]
    made, packages = last["machine"], last["machine"]["packages"]
    yield f"- {last['day']}, {made['processor']}, {made['cores']} cores, {made['system']}, Python {made['python']}"
    yield "- " + ", ".join(f"{name} {version}" for name, version in packages.items())
    loads = ", ".join(f"{one['machine']['load'][0]:.2f}" for one in results)
    yield f"- load average at the start of each run: {loads}"
    spreads = (max(spread(at["json.loads"]) for at in one["inprocess"].values()) for one in results)
    judged = ", ".join(f"{widest:.2f}{' (noisy)' if widest > 1.5 else ''}" for widest in spreads)  # noqa: PLR2004 -- samples.QUIET
    yield f"- widest spread of the control between its quartiles, by run: {judged}"


def _payloads(results: list[Result]) -> Lines:
    yield from ("| Body | Bytes | SHA-256 |", "|---|---:|---|")
    for name, one in results[-1]["payloads"].items():
        yield f"| {name} | {one['bytes']:,} | `{one['sha256']}` |"


def _verdicts(results: list[Result]) -> Lines:
    columns = [f"run {number}" for number in range(1, len(results) + 1)]
    yield f"| Goal | Measure | Kind | Wanted | {' | '.join(columns)} | Verdict |"
    yield f"|---|---|---|---:|{'---:|' * len(columns)}---|"
    by_run = [{(row["goal"], row["measure"]): row for row in one["verdicts"]} for one in results]
    for key, row in by_run[-1].items():
        found = [rows[key] for rows in by_run if key in rows]
        wanted = f"{'>=' if row['at_least'] else '<='} {row['wanted']:g}"
        cells = " | ".join(f"{one['found']:.2f}" for one in found)
        word = found[0]["word"] if len({one["word"] for one in found}) == 1 else "now met, now missed"
        kind = "gate" if row["gate"] else "report"
        yield f"| {row['goal']} | {row['measure']} | {kind} | {wanted} | {cells} | {word} |"


def _inprocess(results: list[Result]) -> Lines:
    yield "| Body | json.loads | flask | ours | ours, jwt | / json.loads | / flask | median of pairs, / flask |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, at in results[-1]["inprocess"].items():
        least = " | ".join(f"{min(at[who]) * 1e6:,.0f}" for who in ("json.loads", "flask", "ours", "ours, jwt"))
        ratios = (ratio_of_minima(at["ours"], at["json.loads"]), ratio_of_minima(at["ours"], at["flask"]))
        shown = (*ratios, paired_ratio(at["ours"], at["flask"]))
        yield f"| {name} | {least} | {' | '.join(f'{one:.2f}' for one in shown)} |"


def _parts(results: list[Result]) -> Lines:
    found = results[-1]["parts"]
    yield f"| Step | {' | '.join(found)} |"
    yield f"|---|{'---:|' * len(found)}"
    for step in next(iter(found.values())):
        yield f"| {step} | {' | '.join(f'{at[step] * 1e3:.2f}' for at in found.values())} |"


def _growth(results: list[Result]) -> Lines:
    yield from ("| Body | Bytes | CPU a call, ms | memory of a call at its height, MB |", "|---|---:|---:|---:|")
    for name, one in results[-1]["growth"].items():
        yield f"| {name} | {one['bytes']:,.0f} | {one['cpu'] * 1e3:.2f} | {one['peak'] / 1e6:.2f} |"


def _http(results: list[Result]) -> Lines:
    yield "| Body | Clients | Workers | Server | p50 ms | p95 ms | p99 ms | CPU a call, ms | Calls/s | Memory, MB |"
    yield "|---|---:|---:|---|---:|---:|---:|---:|---:|---:|"
    for one in results[-1]["http"]:
        times = " | ".join(f"{percentile(one['seconds'], share) * 1e3:.1f}" for share in (0.5, 0.95, 0.99))
        calls = len(one["seconds"])
        rest = f"{one['cpu'] / calls * 1e3:.2f} | {calls / one['wall']:.0f} | {one['memory'] / 1e6:.0f}"
        yield f"| {one['body']} | {one['clients']} | {one['workers']} | {one['server']} | {times} | {rest} |"


def _fetching(results: list[Result]) -> Lines:
    found = results[-1]["fhir"]
    yield from ("| No prefetch, every search takes 50 ms | p50 ms | p95 ms |", "|---|---:|---:|")
    slowest = max(found["searches"].values(), key=lambda samples: percentile(samples, 0.5))
    rows = {"slowest single search, asked directly": slowest}
    rows |= {f"hook, {name}": found[name] for name in ("one client", "eight clients", "one client, four pages")}
    rows["hook, one search never answered"] = [one["seconds"] for one in found["hang"]]
    for name, samples in rows.items():
        yield f"| {name} | {percentile(samples, 0.5) * 1e3:.0f} | {percentile(samples, 0.95) * 1e3:.0f} |"


def _startup(results: list[Result]) -> Lines:
    yield from ("| Server | first answer after, s (least) | memory then, MB (least) |", "|---|---:|---:|")
    for name, one in results[-1]["startup"].items():
        yield f"| {name} | {min(one['seconds']):.2f} | {min(one['memory']) / 1e6:.0f} |"


def _capacity(results: list[Result]) -> Lines:
    """What a core serves, by the dearest body over HTTP with tokens, and what sites of some sizes need."""
    loads = [one for one in results[-1]["http"] if one["server"] == "ours, jwt" and one["workers"] == 1]
    body = loads[-1]["body"]
    loads = [one for one in loads if one["body"] == body]
    cpu = sum(one["cpu"] for one in loads) / sum(len(one["seconds"]) for one in loads)
    yield (
        f"One call with a body of {body}, its token checked and its cards recorded, took {cpu * 1e3:.1f} ms of CPU, so "
        f"one core answers at most {1 / cpu:.0f} of them a second, and {BUSY / cpu:.0f} a second at the "
        f"{BUSY:.0%} that is planned for."
    )
    yield ""
    yield from ("| Site | Clinicians at work | Hooks a second at the busiest time | Cores |", "|---|---:|---:|---:|")
    for site, clinicians in SITES:
        rate = clinicians * RECORDS_AN_HOUR / 3600
        yield f"| {site} | {clinicians:,} | {rate:.1f} | {max(1, math.ceil(rate * cpu / BUSY))} |"


def _peers(result: Result) -> Lines:
    made = result["machine"]
    yield f"Measured on {result['day']}: {made['cores']} cores, Python {made['python']}, load {made['load'][0]:.2f}."
    yield ""
    yield from ("| Server | first answer after, s | memory then, MB |", "|---|---:|---:|")
    for name, one in result["starts"].items():
        yield f"| {name} | {one['seconds']:.2f} | {one['memory'] / 1e6:.0f} |"
    yield ""
    yield "| Body | Clients | Server | p50 ms | p95 ms | CPU a call, ms | Calls/s | Memory, MB |"
    yield "|---|---:|---|---:|---:|---:|---:|---:|"
    for one in result["calls"]:
        times = " | ".join(f"{percentile(one['seconds'], share) * 1e3:.1f}" for share in (0.5, 0.95))
        calls = len(one["seconds"])
        rest = f"{one['cpu'] / calls * 1e3:.2f} | {calls / one['wall']:.0f} | {one['memory'] / 1e6:.0f}"
        yield f"| {one['body']} | {one['clients']} | {one['server']} | {times} | {rest} |"


PARTS: Final[Mapping[str, Callable[[list[Result]], Lines]]] = {
    "run": _run,
    "payloads": _payloads,
    "verdicts": _verdicts,
    "inprocess": _inprocess,
    "parts": _parts,
    "growth": _growth,
    "http": _http,
    "fetching": _fetching,
    "startup": _startup,
    "capacity": _capacity,
}
