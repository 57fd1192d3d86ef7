"""Where the time of one call goes: each step of it alone, and the whole."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench import payloads
from bench.inprocess import Ours
from bench.site import Site, path_of
from bench.wsgi import post
from cards.advise import advise
from service.app import create_advisor, create_renderer, load_parts
from service.fhir.assemble import assemble
from service.hooks.request import parse
from service.hooks.response import Renderer
from service.hooks.services import SERVICES
from service.pipeline import Advisor

SIZES: Final = ("0/0", "20/5", "200/50", "1000/50")
CALLS: Final = 60
WHOLE: Final = "whole call"

_AGES: Final = float("inf")  # seconds; no step waits for anything


def run(folder: Path, names: tuple[str, ...] = SIZES, calls: int = CALLS) -> dict[str, dict[str, float]]:
    """By body: least seconds of each step, and of the whole call. The steps add up to less than the whole: the rest is
    Flask, the log line, the record of cards shown, and that a step alone finds its data at hand.
    """
    site = Site.made_in(folder, jwt=False)
    ours, settings = Ours.of(site), site.settings()
    loaded = load_parts(settings)
    advisor, renderer = create_advisor(settings, loaded, lambda: payloads.DAY), create_renderer(settings, loaded)
    found: dict[str, dict[str, float]] = {}
    try:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            for name in names:
                body = payloads.body(name)
                steps = _steps(body, advisor, renderer)
                found[name] = {step: _least(given, timed, calls) for step, (given, timed) in steps.items()}
                found[name][WHOLE] = _least(_nothing, partial(post, ours.app, path_of(name), body), calls)
    finally:
        ours.store.close()
    return found


def _steps(
    body: bytes, advisor: Advisor, renderer: Renderer
) -> Mapping[str, tuple[Callable[[], tuple[Any, ...]], Callable[..., object]]]:
    """What each step is given, made anew for each time and not timed; and the step."""
    service = SERVICES[0]
    call = parse(body, service)
    retrieve = partial(
        advisor.retriever.retrieve,
        advisor.queries[service.id],
        prefetch=call.prefetch,
        fhir_server=None,
        token=None,
        patient_id=call.patient_id,
        encounter_id=None,
        deadline=_AGES,
    )
    read = partial(
        assemble,
        retrieve(),
        patient_id=call.patient_id,
        as_of=payloads.DAY,
        zone=advisor.zone,
        vocabulary=advisor.content.vocabulary,
        with_doses=False,
    )
    return {
        "opening the request": (_nothing, partial(parse, body, service)),
        "decoding its resources": (_nothing, retrieve),
        "reading them": (_nothing, read),
        "rules and cards": (lambda: (read(),), partial(_advise, advisor)),
        "the answer": (_nothing, partial(renderer.body, advisor.advise(call))),
    }


def _nothing() -> tuple[Any, ...]:
    return ()


def _advise(advisor: Advisor, chart: Any) -> object:
    return advise(chart, advisor.content, SERVICES[0].moment)


def _least(given: Callable[[], tuple[Any, ...]], timed: Callable[..., object], calls: int) -> float:
    least = _AGES
    for _ in range(calls):
        arguments = given()
        began = time.perf_counter()
        timed(*arguments)
        least = min(least, time.perf_counter() - began)
    return least
