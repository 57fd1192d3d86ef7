"""The load test of reliability section 4: 20 hooks a second, prefetch only, then with a FHIR server that takes 100 ms.

``python -m tests.load.run --seconds 60 --write docs/load-test.md`` (``make load``). Loopback only, bounded in count: a
service as a hospital runs it (signed tokens, each used once; SQLite; metrics; two workers), behind the shipped proxy
file where nginx is installed. A call is due at a fixed time whatever became of those before it, and its time counts
from then, so that a service that falls behind shows it.
"""

import argparse
import http.client
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from tests.contract.calls import address_of, one_of_each_hook, records_of, request_of
from tests.faults.process import children, cpu_seconds, resident
from tests.faults.test_f26_slow_clients import the_proxy
from tests.fhir_stub import TOKEN, FhirStub, running
from tests.ports import free_port
from tests.service.hooks.tokens import BASE, ISSUER, a_client, claims, headers, signed
from tests.service.test_cli import run
from tests.service.test_server import Running, server

RATE = 20  # calls a second
WORKERS = 2
FHIR_SECONDS = 0.1
CALLERS = 64  # so many can wait at once; at this rate that is three seconds of a service that hangs
PROMISED_MS = {"prefetch only": 200, "FHIR server at 100 ms": 500}


@dataclass(frozen=True)
class Outcome:
    """What became of one run. ``ms``: of every call, from when it was due to the last byte of its answer."""

    name: str
    seconds: float
    statuses: Counter[int]
    ms: list[float]
    cards: int
    cpu: float
    megabytes: float

    def at(self, percent: int) -> float:
        return quantiles(self.ms, n=100)[percent - 1]

    @property
    def held(self) -> bool:
        """Every call was answered 200, and the promise of the 95th percentile was kept."""
        return set(self.statuses) == {200} and self.at(95) < PROMISED_MS[self.name]


@contextmanager
def a_hospital(folder: Path, bases: list[str]) -> Iterator[tuple[Running, int]]:
    """The service, and the port to call: that of the proxy where there is one."""
    file = folder / "muscle-cds.toml"
    file.write_text(
        f'public_url = "{BASE}"\nworkers = {WORKERS}\nstore = "sqlite:///{folder}/state.sqlite"\nlog_level = "info"\n'
        f'metrics_address = "127.0.0.1:{free_port()}"\naccept_risk = ["http-fhir-base"]\n'
        f'[[client]]\nname = "ehr"\nissuer = "{ISSUER}"\njwks_file = "{a_client(folder).jwks_file}"\n'
        f"fhir_bases = {json.dumps(bases)}\n"
    )
    assert run("db", "upgrade", MUSCLE_CDS_CONFIG=str(file)).exit_code == 0
    with ExitStack() as stack:
        up = stack.enter_context(server("serve", MUSCLE_CDS_CONFIG=str(file)))
        port = stack.enter_context(the_proxy(folder, up.port)) if shutil.which("nginx") else up.port
        yield up, port


def prefetching() -> list[dict[str, Any]]:
    """One request of each hook, with its whole record."""
    return list(one_of_each_hook())


def fetching(stub: FhirStub) -> list[dict[str, Any]]:
    """The same patient with nothing sent: all of it is to be fetched."""
    whole = request_of()
    stub.put(*records_of(whole))
    access = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "x",
    }
    return [{**whole, "prefetch": {}, "fhirServer": stub.base, "fhirAuthorization": access}]


def signed_calls(requests: list[dict[str, Any]], count: int) -> list[tuple[str, bytes, str]]:
    """Address, body and token of so many calls; signed before the clock starts, as another machine would do it."""
    now = int(time.time())
    calls = []
    for number in range(count):
        request = requests[number % len(requests)]
        path = address_of(request)
        token = signed(claims(path, iat=now, exp=now + 1_800, jti=f"load-{number}"), headers())
        calls.append((path, json.dumps(request).encode(), token))
    return calls


def one_call(port: int, path: str, body: bytes, token: str, due: float) -> tuple[int, float, int]:
    """Status, milliseconds since it was due, and number of cards."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        raw = answer.read()
        taken = (time.monotonic() - due) * 1000
        return answer.status, taken, len(json.loads(raw)["cards"]) if answer.status == 200 else 0
    except OSError:
        return 0, (time.monotonic() - due) * 1000, 0
    finally:
        connection.close()


def measured(name: str, service: Running, port: int, calls: list[tuple[str, bytes, str]]) -> Outcome:
    """Make the calls at the rate, each when it is due."""
    pids = children(service.process.pid)
    used = sum(cpu_seconds(pid) for pid in pids)
    began = time.monotonic() + 0.1
    with ThreadPoolExecutor(CALLERS) as pool:
        under_way = []
        for number, (path, body, token) in enumerate(calls):
            due = began + number / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            under_way.append(pool.submit(one_call, port, path, body, token, due))
        found = [one.result() for one in under_way]
    took = time.monotonic() - began
    return Outcome(
        name=name,
        seconds=took,
        statuses=Counter(status for status, _, _ in found),
        ms=[ms for _, ms, _ in found],
        cards=sum(cards for _, _, cards in found),
        cpu=sum(cpu_seconds(pid) for pid in pids) - used,
        megabytes=max(resident(pid) for pid in pids) / 1024 / 1024,
    )


def both(seconds: float) -> list[Outcome]:
    """The two runs, each against a service of its own."""
    count = round(seconds * RATE)
    outcomes = []
    with running() as stub:
        stub.delay = FHIR_SECONDS
        for name, requests, bases in (
            ("prefetch only", prefetching(), []),
            ("FHIR server at 100 ms", fetching(stub), [stub.base]),
        ):
            with tempfile.TemporaryDirectory() as folder, a_hospital(Path(folder), bases) as (service, port):
                calls = signed_calls(requests, count)
                warm = signed_calls(requests, 3 * WORKERS)
                for number, (path, body, _) in enumerate(warm):  # the first call of a process reads and compiles
                    token = signed(claims(path, iat=int(time.time()), exp=int(time.time()) + 300, jti=f"warm-{number}"))
                    one_call(port, path, body, token, time.monotonic())
                outcomes.append(measured(name, service, port, calls))
    return outcomes


def page(outcomes: list[Outcome]) -> str:
    """The page with the figures."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    proxy = "behind the shipped nginx file" if shutil.which("nginx") else "without a proxy, for want of nginx"
    rows = "\n".join(
        f"| {one.name} | {len(one.ms)} in {one.seconds:.0f} s | {_statuses(one)} | {one.cards} | {one.at(50):.0f} ms | {one.at(95):.0f} ms "
        f"| {one.at(99):.0f} ms | {max(one.ms):.0f} ms | {PROMISED_MS[one.name]} ms | {'kept' if one.held else 'NOT KEPT'} |"
        for one in outcomes
    )
    used = "\n".join(
        f"| {one.name} | {1000 * one.cpu / len(one.ms):.1f} ms | {100 * one.cpu / one.seconds:.0f} % of one core | {one.megabytes:.0f} MB |"
        for one in outcomes
    )
    return f"""# Load test

Written by `make load`. {RATE} hook calls a second, each due at a fixed time whatever became of those before it; a call's time counts
from when it was due to the last byte of the answer. The promise is for the 95th percentile, and that no call is answered with a
status of 500 or more.

Measured on {datetime.now(UTC).date().isoformat()}, on a machine of {os.cpu_count()} shared cores and {memory:.0f} GB with {platform.system()} and CPython {platform.python_version()}. Caller, proxy,
service and FHIR server were on this one machine, over loopback.

The service ran as a hospital runs it, {proxy}: production profile, every call with a signed token that counts once,
SQLite, metrics on, {WORKERS} workers, a log line for every call. *Prefetch only*: one call of each of the three hooks in turn, with its whole
record. *FHIR server at 100 ms*: a patient-view call that brings no data; all its searches go out
side by side, each answered after 100 ms.

| Run | Calls | Status | Cards | p50 | p95 | p99 | slowest | promised p95 | |
|---|---|---|---|---|---|---|---|---|---|
{rows}

What it took of the machine, workers only:

| Run | Processor, a call | Processor | Largest worker |
|---|---|---|---|
{used}
"""


def _statuses(one: Outcome) -> str:
    return ", ".join(f"{status}: {count}" for status, count in sorted(one.statuses.items()))


def main() -> int:
    """Exit status: 0 if both promises were kept."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--write", type=Path)
    chosen = options.parse_args()
    outcomes = both(chosen.seconds)
    text = page(outcomes)
    sys.stdout.write(text)
    if chosen.write:
        chosen.write.write_text(text, encoding="utf-8")
    return 0 if all(one.held for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
