"""The same bytes through a service built with HealthChain, in a temporary environment of its own; not part of CI.

    python -m bench.peers [--environment FOLDER] [--into peers.json]

Its packages are those of requirements/healthchain.txt, checked by hash. It is called in turn with ours, over loopback.
"""

import subprocess
import sys
import tempfile
import venv
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from bench import load, machine, payloads, servers
from bench.http_part import Measured
from bench.processes import ROOT, Running, free_port, running
from bench.site import Site, path_of

PINS: Final = ROOT / "requirements" / "healthchain.txt"
BODIES: Final = ("0/0", "20/5", "200/50")
CLIENTS: Final = (1, 8)
CALLS: Final = 64  # of one server, body and number of clients
TURNS: Final = 4


def install(folder: Path) -> Path:
    """The interpreter of the environment in a folder, made and filled if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(PINS)], check=True)
    return python


def run(python: Path, folder: Path, day: date) -> dict[str, Any]:
    """Start both, call them in turn, and tell what became of it, with how long a start took and its memory."""
    site = Site.made_in(folder / "site", jwt=False)
    port = free_port()
    found: list[Measured] = []
    with ExitStack() as stack:
        theirs = running(["bench/healthchain_service.py", str(port)], port, "/health", python=str(python))
        peer, ours = stack.enter_context(theirs), stack.enter_context(servers.ours(site))
        began = {"ours": ours, "HealthChain": peer}
        starts = {name: {"seconds": one.began, "memory": one.memory()} for name, one in began.items()}
        for body in BODIES:
            raw, path = payloads.body(body, day=day), path_of(body)
            called: dict[str, tuple[Running, str]] = {
                "ours": (ours, path),
                "HealthChain, framework alone": (peer, f"/framework{path}"),
                "HealthChain, reading all": (peer, f"/reads{path}"),
            }
            for clients in CLIENTS:
                found += _in_turn(called, raw, body, clients)
    return {
        "day": day.isoformat(),
        "machine": machine.described(),
        "starts": starts,
        "calls": [asdict(one) for one in found],
    }


def _in_turn(called: dict[str, tuple[Running, str]], raw: bytes, body: str, clients: int) -> list[Measured]:
    """The first turn warms up and is not counted."""
    found = {name: Measured(name, body, clients, 1, []) for name in called}
    for turn in range(TURNS + 1):
        for name, (server, path) in called.items():
            cpu = server.cpu()
            done = load.post(server.port, path, raw, [""] * max(clients, CALLS // TURNS), clients)
            if turn:
                at = found[name]
                at.seconds += done.seconds
                at.wall += done.wall
                at.cpu += server.cpu() - cpu
                at.memory = server.memory()
    return list(found.values())


@click.command()
@click.option("--environment", type=click.Path(file_okay=False, path_type=Path), help="Kept, and used again if there.")
@click.option("--into", type=click.Path(dir_okay=False, path_type=Path), default="peers.json", show_default=True)
def main(environment: Path | None, into: Path) -> None:
    """Measure ours beside a service built with HealthChain."""
    with tempfile.TemporaryDirectory() as made:
        python = install(environment.absolute() if environment else Path(made) / "environment")
        today = datetime.now(UTC).date()  # noqa: TID251 -- the bodies that a running server gets must be of its own day
        result = run(python, Path(made), today)
    into.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    sys.stdout.write(f"raw samples: {into}; 'python -m bench report BENCH.json --peers {into}' writes them down\n")


if __name__ == "__main__":
    main()
