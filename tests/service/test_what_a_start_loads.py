"""Which libraries a start loads: what the settings ask for, and nothing else. A call then loads nothing of ours, so that
no clinician waits for it and workers share its memory (docs/decisions/0012).
"""

import json
import os
import subprocess
import sys

import pytest

from service.store import schema
from tests.faults.production import a_call_with_cards, settings_file, token
from tests.repository import ROOT
from tests.service.hooks.tokens import CALL
from tests.uncovered import UNCOVERED

CODE = """
import json, sys
from service.server import Server
from service.settings import load_here
from werkzeug.test import Client
server = Server(load_here())
loaded = set(sys.modules)
answer = Client(server.load()).post(sys.argv[1], data=sys.stdin.buffer.read(), headers={"Authorization": sys.argv[2]})
called = set(sys.modules) - loaded
print(json.dumps({"status": answer.status_code, "loaded": sorted(loaded), "by_the_call": sorted(called)}))
"""
NEVER = {
    "alembic",
    "fhir.resources",
    "pydantic",
    "tomllib",
    "service.demo",
    "service.metrics",
    "service.openapi",
}
DATABASES = {"sqlalchemy", "psycopg", "service.store.postgresql"}
HTTP = {"requests", "urllib3"}
CRYPTOGRAPHY = {"joserfc", "cryptography"}
NOT_PROVEN = {"authentication": False, "accept_risk": ["auth-off", "http-fhir-base"]}
FHIR = ["http://127.0.0.1:9/fhir"]  # listed, and not called

# What the settings say of the client and else, and which of these libraries are then there.
SITES = {
    "callers proven by keys in a file": ({}, {}, CRYPTOGRAPHY),
    "callers proven by keys behind an address": (
        {"jwks_file": ..., "jwks_url": "https://127.0.0.1:9/jwks"},
        {},
        CRYPTOGRAPHY | HTTP,
    ),
    "callers not proven": ({}, NOT_PROVEN, set()),
    "a FHIR server for all": ({}, NOT_PROVEN | {"fhir_bases": FHIR}, HTTP),
    "a FHIR server for a client": (
        {"fhir_bases": FHIR},
        {"accept_risk": ["http-fhir-base"]},
        CRYPTOGRAPHY | HTTP,
    ),
}


@pytest.fixture(scope="module", params=SITES)
def site(request, tmp_path_factory):
    """What a start has loaded, what a first call to a worker's application loads beyond that, and what is expected."""
    client, settings, used = SITES[request.param]
    folder = tmp_path_factory.mktemp("site")
    file = settings_file(folder, client, **settings)
    schema.upgrade(f"sqlite:///{folder}/state.sqlite")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSCLE_CDS_") and name != "ENV"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, CALL, f"Bearer {token()}"],
        input=a_call_with_cards(), env=kept | UNCOVERED | {"MUSCLE_CDS_CONFIG": str(file)},
        cwd=ROOT, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"used": used, "keys_can_be_had": "jwks_url" not in client}


def test_a_start_loads_the_libraries_that_the_settings_use(site):
    assert set(site["loaded"]) & (NEVER | DATABASES | HTTP | CRYPTOGRAPHY) == site["used"]


def test_a_call_loads_nothing_more(site):
    """But what the cryptography of others puts off to the first signature, and the standard library."""
    assert site["status"] == (200 if site["keys_can_be_had"] else 401)
    assert {name.partition(".")[0] for name in site["by_the_call"]} <= sys.stdlib_module_names | {"cryptography"}


def test_postgresql_is_spoken_to_by_its_library():
    """Which the image holds and an ordinary installation may not."""
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    code = (
        "import sys; from service.store import open_store; open_store('postgresql+psycopg://m@127.0.0.1:9/m');"
        "sys.exit(not {'sqlalchemy', 'psycopg'} <= set(sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0
