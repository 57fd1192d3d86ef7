"""As a hospital runs it: callers prove who they are by a signed token, and the FHIR server of another maker is opened by
the other token, the one that came in the call (K17). The two never take each other's place.
"""

import json
import time

import pytest

from tests.counterparts import sekmet
from tests.counterparts.records import demo_records
from tests.counterparts.tally import count_of
from tests.counterparts.test_real_fhir_server import QUERIES, TODAY, TOKEN, UUID, Watch, access, cards, put
from tests.service.hooks.tokens import BASE, CALL, ISSUER, a_client, bearer, claims, signed
from tests.service.test_cli import run
from tests.service.test_server import server

RECORD = next(one for one in demo_records(TODAY) if one.name == "low-potassium-on-indapamide")


def fresh(jti):
    """A token for the address that is called, good now."""
    now = int(time.time())
    return signed(claims(iat=now, exp=now + 300, jti=jti))


@pytest.fixture
def fhir(tmp_path):
    with sekmet.running(tmp_path, token=TOKEN, absolute_references=True) as started:
        yield started


@pytest.fixture
def hospital(tmp_path, fhir):
    """The production profile. A FHIR server without TLS is a risk that has to be taken on by name."""
    file = tmp_path / "muscle-cds.toml"
    file.write_text(
        f'public_url = "{BASE}"\nstore = "sqlite:///{tmp_path}/state.sqlite"\naccept_risk = ["http-fhir-base"]\n'
        f'deadline_ms = 30000\n[[client]]\nname = "ehr"\nissuer = "{ISSUER}"\n'
        f'jwks_file = "{a_client(tmp_path).jwks_file}"\nfhir_bases = ["{fhir.base}"]\n'
    )
    assert run("db", "upgrade", MUSCLE_CDS_CONFIG=str(file)).exit_code == 0
    with server("serve", MUSCLE_CDS_CONFIG=str(file)) as started:
        yield started


def test_a_signed_call_is_answered_from_a_real_server_by_either_road(request, fhir, hospital):
    put(fhir, RECORD, count_of(request.config, "sekmet-fhir, signed calls"))
    asked = {"hook": "patient-view", "hookInstance": "5c9ba9c1-0e3b-4a0e-9df0-3a5a2a2a6f10",
             "context": {"userId": "Practitioner/gp-1", "patientId": RECORD.patient}}  # fmt: skip

    def ask(jti, **more):
        body = json.dumps(asked | more).encode()
        status, _, raw = hospital.ask("POST", CALL, body, **bearer(fresh(jti)))
        return status, UUID.sub(b'"uuid":"-"', raw)

    with Watch(fhir) as watch:
        fetched = ask("by search", **access(fhir))
    paths = [query.path(patient_id=RECORD.patient, encounter_id=None) for query in QUERIES["patient-view"]]
    lines = watch.expect(*filter(None, paths))
    assert len(lines) == len(paths) - 1  # there is no encounter
    assert {line.status for line in lines} == {200}  # with the caller's own token it would be 401

    assert fetched == ask("by prefetch", prefetch=RECORD.prefetch(QUERIES["patient-view"]))
    assert fetched[0] == 200
    assert "biochemistry" in cards(fetched[1])

    assert ask("without a token for the server", fhirServer=fhir.base)[0] == 412
    assert ask("the caller's in its place", **access(fhir, fresh("another")))[0] == 412
    assert hospital.ask("POST", CALL, json.dumps(asked | access(fhir)).encode(), **bearer(TOKEN))[0] == 401
