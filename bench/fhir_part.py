"""P8 to P10: hooks without prefetch, whose data is fetched from a FHIR server that takes 50 ms for every search."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import fhir_server, load, payloads, servers
from bench.processes import free_port, running
from bench.site import Site, path_of
from service.fhir.queries import PATIENT_VIEW, queries_for
from terminology import vocabulary

WAIT: Final = 0.05  # seconds the FHIR server takes
CALLS: Final = 40
CLIENTS: Final = 8


@dataclass(frozen=True)
class Shape:
    """How much is asked: calls of one client, seconds of a search, hooks with a search that hangs."""

    calls: int = CALLS
    wait: float = WAIT
    hanging: int = 3


def request(base: str) -> bytes:
    """A hook without prefetch that names a FHIR server and brings a token for it."""
    return msgspec.json.encode(
        {
            "hook": "patient-view",
            "hookInstance": "0f2ea2c2-6c1b-4c7e-8a86-6f4d5d9a7c11",
            "context": {"userId": "Practitioner/bench-gp", "patientId": payloads.PATIENT},
            "fhirServer": base,
            "fhirAuthorization": {"access_token": "bench", "token_type": "Bearer", "expires_in": 300},
        }
    )


def run(folder: Path, day: date, shape: Shape | None = None) -> dict[str, Any]:
    """Samples by what was measured, in seconds, and what the hook with the hanging search answered."""
    shape = shape or Shape()
    calls, port = shape.calls, free_port()
    command = ["-m", "bench.fhir_server", str(port), str(shape.wait), day.isoformat()]
    bases = {name: f"http://127.0.0.1:{port}/{name}" for name in fhir_server.BASES}
    site = Site.made_in(folder / "site", jwt=False, fhir_bases=tuple(bases.values()))
    with running(command, port, "/up"), servers.ours(site) as ours:
        path = path_of("0/0")

        def hooks(base: str, how_many: int, clients: int) -> list[float]:
            return load.post(ours.port, path, request(bases[base]), [""] * how_many, clients).seconds

        with suppress(RuntimeError):  # connections are made, once; a busy machine may refuse some
            hooks("fhir", 3 * CLIENTS, CLIENTS)
        found: dict[str, Any] = {"searches": _searches(port, max(3, calls // 4))}
        found["one client"] = hooks("fhir", calls, 1)
        found["eight clients"] = hooks("fhir", calls * CLIENTS, CLIENTS)
        found["one client, four pages"] = hooks("pages", max(3, calls // 4), 1)
        found["deadline"] = site.settings().deadline_ms / 1000
        found["hang"] = []
        with load.Caller(ours.port) as caller:
            for _ in range(shape.hanging):
                began = time.perf_counter()
                status, answer = caller.post(path, request(bases["hang"]))
                seconds = time.perf_counter() - began
                cards = len(msgspec.json.decode(answer)["cards"]) if status == 200 else 0  # noqa: PLR2004 -- HTTP
                found["hang"].append({"seconds": seconds, "status": status, "cards": cards})
    return found


def _searches(port: int, how_many: int) -> dict[str, list[float]]:
    """Each query of the hook alone, asked directly on a kept connection."""
    found: dict[str, list[float]] = {}
    with load.Caller(port) as caller:
        for query in queries_for(PATIENT_VIEW, vocabulary.load()):
            path = query.path(patient_id=payloads.PATIENT, encounter_id=None)
            if path is None:
                continue
            found[query.key] = []
            for _ in range(how_many):
                began = time.perf_counter()
                caller.get(f"/fhir/{path}")
                found[query.key].append(time.perf_counter() - began)
    return found
