"""P4, P5 and how cost grows with workers: the real server command over loopback, in turn with an echo."""

import os
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from bench import inprocess, load, payloads, servers
from bench.processes import Running
from bench.site import Site, path_of
from bench.wsgi import post

CLIENTS: Final = (1, 4, 8)
WORKERS: Final = (1, 2, 4)
SIZES: Final = ("20/5", "200/50")
CALLS: Final = 200  # of one server, body and number of clients, over all turns
TURNS: Final = 5


@dataclass(frozen=True)
class Shape:
    """How much is asked: bodies, clients at once, worker processes, calls of one server in all, over how many turns."""

    sizes: tuple[str, ...] = SIZES
    clients: tuple[int, ...] = CLIENTS
    workers: tuple[int, ...] = WORKERS
    calls: int = CALLS
    turns: int = TURNS


Tokens = Callable[[str, int], list[str]]


@dataclass
class Measured:
    """One server under one load. Seconds of each call; CPU seconds of the tree; bytes of the tree after it."""

    server: str
    body: str
    clients: int
    workers: int
    seconds: list[float]
    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0


def run(folder: Path, day: date, shape: Shape | None = None) -> list[dict[str, Any]]:
    """All of it, as plain members for bench.json. The bodies are dated back from ``day``, the day of the server.

    With one worker every body and number of clients; with more, the largest body and most clients.
    """
    shape = shape or Shape()
    bodies = {name: payloads.body(name, day=day) for name in shape.sizes}
    largest = shape.sizes[-1]
    found: list[Measured] = []
    for workers in shape.workers:
        with ExitStack() as stack:
            started, tokens = _start(stack, folder, (largest, bodies[largest]), workers=workers)
            if workers == 1:
                loads = [(name, clients) for name in bodies for clients in shape.clients]
            else:
                loads = [(largest, shape.clients[-1])]
            for name, clients in loads:
                at = {one: Measured(one, name, clients, workers, []) for one in started}
                _in_turn(started, tokens, bodies[name], at, shape)
                found += at.values()
    return [asdict(one) for one in found]


def _start(
    stack: ExitStack, folder: Path, named: tuple[str, bytes], workers: int
) -> tuple[dict[str, Running], dict[str, Tokens]]:
    """The three servers, and what gives their tokens. The echo answers what ours answers to this body."""
    sites = {
        name: Site.made_in(folder / f"{name.replace(', ', '-')}-{workers}", jwt=jwt, workers=workers)
        for name, jwt in (("ours", False), ("ours, jwt", True))
    }
    one = inprocess.Ours.of(sites["ours"])
    reply = folder / "reply.json"
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        reply.write_bytes(post(one.app, path_of(named[0]), named[1]))
    one.store.close()
    started = {"flask": stack.enter_context(servers.echo(reply, workers))}
    tokens: dict[str, Tokens] = {"flask": lambda _path, how_many: [""] * how_many}
    for name, site in sites.items():
        started[name] = stack.enter_context(servers.ours(site))
        tokens[name] = site.tokens
    return started, tokens


def _in_turn(
    started: dict[str, Running], tokens: dict[str, Tokens], body: bytes, found: dict[str, Measured], shape: Shape
) -> None:
    """Each server gets a share of the calls in each turn, A B C A B C; the first turn warms up and is not counted."""
    for turn in range(shape.turns + 1):
        for server, one in started.items():
            at = found[server]
            path, share = path_of(at.body), max(at.clients, shape.calls // shape.turns)
            proofs = tokens[server](path, share if turn else max(at.clients, share // 4))
            cpu = one.cpu()
            done = load.post(one.port, path, body, proofs, at.clients)
            if turn:
                at.seconds += done.seconds
                at.wall += done.wall
                at.cpu += one.cpu() - cpu
    for server, one in started.items():
        found[server].memory = one.memory()
