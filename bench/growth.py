"""How cost grows with the record: CPU time and memory of one call, at every size."""

import os
import time
import tracemalloc
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

from bench import payloads
from bench.inprocess import Ours
from bench.site import Site, path_of
from bench.wsgi import post

SIZES: Final = ("0/0", "20/5", "200/50", "1000/50", "1000/50 lean", "5000/50 lean")
CALLS: Final = 20


def run(folder: Path, names: tuple[str, ...] = SIZES, calls: int = CALLS) -> dict[str, dict[str, float]]:
    """By body: ``cpu``, seconds of CPU of the process a call, with what is written behind it; ``peak``, bytes that one
    call holds at its height, the body not counted.
    """
    ours = Ours.of(Site.made_in(folder, jwt=False))
    found: dict[str, dict[str, float]] = {}
    try:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            for name in names:
                body, path = payloads.body(name), path_of(name)
                for _ in range(3):
                    post(ours.app, path, body)
                ours.store.record((), "ehr")
                began = time.process_time()
                for _ in range(calls):
                    post(ours.app, path, body)
                ours.store.record((), "ehr")  # the cards shown are part of the cost
                found[name] = {"bytes": len(body), "cpu": (time.process_time() - began) / calls}
                tracemalloc.start()
                try:
                    before = tracemalloc.get_traced_memory()[0]
                    tracemalloc.reset_peak()
                    post(ours.app, path, body)
                    found[name]["peak"] = tracemalloc.get_traced_memory()[1] - before
                finally:
                    tracemalloc.stop()
    finally:
        ours.store.close()
    return found
