"""The whole benchmark: every part in turn, its samples, and the verdicts on them."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from bench import fhir_part, goals, growth, http_part, inprocess, machine, parts, payloads, startup
from bench.goals import Verdict
from bench.samples import is_noisy

Result = dict[str, Any]


@dataclass(frozen=True)
class Extent:
    """How much is measured: bodies, rounds and seconds of a slice in process; loads over HTTP; starts of a server."""

    rounds: int = inprocess.ROUNDS
    share: float = inprocess.SLICE
    bodies: tuple[str, ...] = inprocess.MEASURED
    parted: tuple[str, ...] = parts.SIZES
    grown: tuple[str, ...] = growth.SIZES
    http: http_part.Shape = field(default_factory=http_part.Shape)
    fhir: fhir_part.Shape = field(default_factory=fhir_part.Shape)
    starts: int = startup.TURNS


WHOLE: Final = Extent()
SMOKE: Final = Extent(
    rounds=2,
    share=0.001,
    bodies=("20/5", "200/50", "order-select", "dirty"),
    parted=("0/0", "20/5"),
    grown=("0/0", "20/5"),
    http=http_part.Shape(sizes=("20/5",), clients=(1, 2), workers=(1,), calls=4, turns=1),
    fhir=fhir_part.Shape(calls=3, wait=0.005, hanging=1),
    starts=1,
)
"""Whether it works, in seconds; its figures mean nothing."""


def run(day: date, extent: Extent = WHOLE, tell: Callable[[str], object] = lambda _said: None) -> Result:
    """Measure everything. ``day``: today, from which the bodies that a server gets are dated back."""
    result: Result = {"day": day.isoformat(), "seed": payloads.SEED, "machine": machine.described()}
    result["payloads"] = {
        name: {"bytes": len(raw), "sha256": payloads.digest(raw)}
        for name, raw in ((name, payloads.body(name)) for name in payloads.SIZES)
    }
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        tell("in process")
        result["inprocess"] = inprocess.run(folder / "inprocess", extent.bodies, extent.rounds, extent.share)
        tell("parts of a call")
        result["parts"] = parts.run(folder / "parts", extent.parted)
        tell("growth")
        result["growth"] = growth.run(folder / "growth", extent.grown)
        tell("HTTP")
        result["http"] = http_part.run(folder / "http", day, extent.http)
        tell("FHIR")
        result["fhir"] = fhir_part.run(folder / "fhir", day, extent.fhir)
        tell("start-up")
        result["startup"] = startup.run(folder / "startup", extent.starts)
    result["noisy"] = is_noisy({name: at["json.loads"] for name, at in result["inprocess"].items()})
    result["verdicts"] = [asdict(one) | {"word": one.word} for one in verdicts(result)]
    return result


def verdicts(result: Result) -> list[Verdict]:
    """Every goal beside what was found."""
    return [
        *goals.in_process(result["inprocess"]),
        *goals.over_http(result["http"]),
        *goals.fetching(result["fhir"]),
        *goals.starting(result["startup"]),
    ]
