"""What the harness begins with: the good and the odd requests of the project, each for each reader."""

import json
from pathlib import Path

from tests.contract.calls import one_of_each_hook, request_of
from tests.faults.test_f13_json import REFUSED, SERVED


def write(folder: Path) -> int:
    """Write the seeds into a folder, which is made; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    good = [json.dumps(one).encode() for one in (*one_of_each_hook(), request_of())]
    feedback = json.dumps(
        {"feedback": [{"card": "x", "outcome": "accepted", "outcomeTimestamp": "2026-06-15T09:00:00Z"}]}
    )
    odd = [raw for raw in (*REFUSED.values(), *SERVED.values()) if len(raw) < 4_096]
    seeds = [bytes([which]) + raw for raw in (*good, *odd) for which in (0, 1, 2)] + [b"\xff" + feedback.encode()]
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    return len(seeds)


if __name__ == "__main__":
    import sys

    write(Path(sys.argv[1]))
