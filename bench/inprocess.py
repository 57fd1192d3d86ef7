"""P1 to P3: what a call costs in one process, with no network, beside alternatives that are timed in turn with it."""

import gc
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from flask import Flask

from bench import echo, payloads, validate_all
from bench.site import Site, path_of
from bench.wsgi import post
from service.app import create_advisor, create_app, create_store, load_parts
from service.store import Store
from service.watching import access_log

ROUNDS: Final = 15
SLICE: Final = 0.02  # seconds of one alternative in one round, about
MEASURED: Final = ("0/0", "20/5", "200/50", "1000/50", "1000/50 lean", "5000/50 lean", "order-select", "dirty")

Timed = dict[str, list[float]]  # by alternative: seconds a call, one for each round


@dataclass(frozen=True)
class Alternative:
    """Something that is timed. ``ready`` is called before each round, untimed, with the number of calls to come."""

    call: Callable[[], object]
    ready: Callable[[int], object] = lambda _calls: None


def interleaved(alternatives: Mapping[str, Alternative], rounds: int = ROUNDS, share: float = SLICE) -> Timed:
    """Time all in turn, A B C A B C; a sample is the mean of the calls of one slice, garbage collection included.

    ``share``: seconds of a slice. What was there before is kept out of garbage collection, as the server does.
    """
    calls = {name: _calls_in(share, one) for name, one in alternatives.items()}
    timed: Timed = {name: [] for name in alternatives}
    gc.collect()
    gc.freeze()
    try:
        for _ in range(rounds):
            for name, one in alternatives.items():
                one.ready(calls[name])
                began = time.perf_counter()
                for _ in range(calls[name]):
                    one.call()
                timed[name].append((time.perf_counter() - began) / calls[name])
    finally:
        gc.unfreeze()
    return timed


def _calls_in(share: float, one: Alternative) -> int:
    """How many calls fill a slice; at least one. The first calls warm up."""
    one.ready(4)
    for _ in range(3):
        one.call()
    began = time.perf_counter()
    one.call()
    return max(1, int(share / (time.perf_counter() - began)))


@dataclass(frozen=True)
class Ours:
    """Our application as a worker has it, with the bodies' own day."""

    app: Flask
    store: Store
    site: Site

    @classmethod
    def of(cls, site: Site) -> "Ours":
        """Settings, tables, content, database and log are those of a hospital."""
        settings = site.settings()
        parts, store = load_parts(settings), create_store(settings)
        advise = create_advisor(settings, parts, lambda: payloads.DAY).advise
        app = create_app(settings, parts, advise=advise, log=access_log(settings.log_level), store=store)
        return cls(app, store, site)

    def alternative(self, name: str, body: bytes) -> Alternative:
        """Calls of one body; tokens are signed, and cards shown so far are written, between the rounds."""
        path = path_of(name)
        tokens: list[str] = []

        def ready(calls: int) -> None:
            tokens[:] = self.site.tokens(path, calls)
            self.store.record((), "ehr")  # waits until the cards shown so far are written

        return Alternative(lambda: post(self.app, path, body, tokens.pop()), ready)


def run(
    folder: Path, names: tuple[str, ...] = MEASURED, rounds: int = ROUNDS, share: float = SLICE
) -> dict[str, Timed]:
    """The samples of each body. The log lines go where nobody reads them, through the same calls."""
    sites = {jwt: Site.made_in(folder / ("jwt" if jwt else "open"), jwt=jwt) for jwt in (False, True)}
    ours = {jwt: Ours.of(site) for jwt, site in sites.items()}
    found: dict[str, Timed] = {}
    try:
        for name in names:
            body = payloads.body(name)
            with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
                answer = post(ours[False].app, path_of(name), body)
                fixed = echo.application(answer)
                alternatives = {
                    "json.loads": Alternative(partial(json.loads, body)),
                    "flask": Alternative(partial(post, fixed, path_of(name), body)),
                    "ours": ours[False].alternative(name, body),
                    "ours, jwt": ours[True].alternative(name, body),
                }
                if name == "200/50":
                    alternatives["validate all"] = Alternative(partial(validate_all.read, body))
                found[name] = interleaved(alternatives, rounds, share)
    finally:
        for one in ours.values():
            one.store.close()
    return found
