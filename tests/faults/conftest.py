"""One faulty FHIR server and one running service for the whole suite; a record of its own for every test."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from tests.faults.canary import _nothing_of_a_patient_leaves  # noqa: F401 -- F25 watches the whole suite
from tests.faults.production import Listener
from tests.faults.server import Ehr, FaultyServer, running
from tests.service.test_server import Running, server

RECORDS = 400  # bases that the shared service may call: each test takes its own, so none meets another's open breaker
DEADLINE_MS = 3000
HASTY_MS = 800
THREADS = 32


@pytest.fixture(scope="session")
def fhir() -> Iterator[FaultyServer]:
    """The faulty FHIR server."""
    with running() as up:
        yield up


@contextmanager
def serving(fhir: FaultyServer, deadline_ms: int, **more: str) -> Iterator[Running]:
    """The real server command. It logs only what is grave, for nobody reads its output while it runs."""
    chosen = {
        "MUSCLE_CDS_PROFILE": "demo",
        "MUSCLE_CDS_FHIR_BASES": ",".join(fhir.ehr(f"r{number}").base for number in range(RECORDS)),
        "MUSCLE_CDS_DEADLINE_MS": str(deadline_ms),
        "MUSCLE_CDS_THREADS": str(THREADS),
        "MUSCLE_CDS_LOG_LEVEL": "error",
    }
    with server("serve", **chosen | more) as up:
        yield up


@pytest.fixture(scope="session")
def service(fhir: FaultyServer) -> Iterator[Running]:
    """A service with time enough, for faults that are answered at once."""
    with serving(fhir, DEADLINE_MS) as up:
        yield up


@pytest.fixture(scope="session")
def hasty(fhir: FaultyServer) -> Iterator[Running]:
    """A service with a short deadline, for faults that hold a search until then."""
    with serving(fhir, HASTY_MS) as up:
        yield up


_records = count()


@pytest.fixture
def ehr(fhir: FaultyServer) -> Ehr:
    """An empty record that the service may call and that no test used before."""
    return fhir.ehr(f"r{next(_records) % RECORDS}")


@pytest.fixture(scope="module")
def stranger() -> Iterator[Listener]:
    """A server that nobody has a reason to call, and that knows whether somebody did."""
    with Listener() as listener:
        yield listener
