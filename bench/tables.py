"""What was measured as lines for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.samples import percentile, spread

Timed = Mapping[str, list[float]]


def whole(result: Mapping[str, Any]) -> Iterator[str]:
    """All parts of a run."""
    made = result["machine"]
    yield f"Python {made['python']}, {made['cores']} cores, load {made['load'][0]:.2f}; seed {result['seed']}"
    for name, one in result["payloads"].items():
        yield f"  {name:14} {one['bytes']:>10,} B  sha256 {one['sha256']}"
    yield from in_process(result["inprocess"])
    yield from over_http(result["http"])


def in_process(timed: Mapping[str, Timed]) -> Iterator[str]:
    """Least and median microseconds of each alternative."""
    names = list(dict.fromkeys(name for at in timed.values() for name in at))
    yield f"{'microseconds a call: least, median':36}" + "".join(f"{name:>20}" for name in names)
    for body, at in timed.items():
        cells = (f"{min(at[name]) * 1e6:,.0f} {percentile(at[name], 0.5) * 1e6:,.0f}" for name in names if name in at)
        yield f"{body:20} control {spread(at['json.loads']):4.2f}   " + "".join(f"{cell:>20}" for cell in cells)


def over_http(measured: list[Mapping[str, Any]]) -> Iterator[str]:
    """Milliseconds of each load, CPU a call, calls a second, memory of the tree."""
    yield f"{'over loopback':40} {'p50':>8} {'p95':>8} {'p99':>8} {'CPU ms':>8} {'calls/s':>8} {'MB':>7}"
    for one in measured:
        what = f"{one['body']}, {one['clients']} clients, {one['workers']} workers, {one['server']}"
        times = "".join(f"{percentile(one['seconds'], share) * 1e3:>9.1f}" for share in (0.5, 0.95, 0.99))
        calls = len(one["seconds"])
        cost = one["cpu"] / calls * 1e3
        yield f"{what:40}{times} {cost:>8.2f} {calls / one['wall']:>8.0f} {one['memory'] / 1e6:>7.1f}"
