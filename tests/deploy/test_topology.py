"""The topology of docs/deployment.md as plain processes: nginx with TLS, gunicorn with two workers, PostgreSQL, and a FHIR
server. One story: tables made, signed hooks answered from the FHIR server, feedback, the report, a rolling restart under
load, and the nightly prune. No container engine is needed; what is missing here skips the test and says so.
"""

import http.client
import json
import signal
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from sqlalchemy import create_engine, text

from service import health
from service.demo.seed import records
from tests.contract.cds_hooks import faults
from tests.deploy.a_proxy import needs_nginx, production_proxy
from tests.fhir_stub import TOKEN, running
from tests.service.hooks.tokens import BASE, CALL, EC, FEEDBACK, ISSUER, bearer, claims, public, signed
from tests.service.stand_ins import a_request
from tests.service.store.a_postgres import PostgresMissingError, postgres
from tests.service.test_cli import run
from tests.service.test_server import server

PATIENT = "low-potassium-on-indapamide"
WORKERS = 2

pytestmark = needs_nginx


class Hospital:
    """Everything that runs, and a record system that calls it."""

    def __init__(self, base, port, context, service, environment, database):
        self.base, self.port, self.context = base, port, context
        self.service, self.environment, self.database = service, environment, database

    def ask(self, path, raw, *, token=True):
        """Status and JSON of a call over TLS, with a token of its own."""
        now = int(time.time())
        own = signed(claims(path, iat=now, exp=now + 300, jti=f"{threading.get_ident()}-{time.monotonic_ns()}"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.context)
        try:
            sent = {"Content-Type": "application/json"} | (bearer(own) if token else {})
            connection.request("POST" if raw is not None else "GET", path, raw, sent)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def hook(self):
        """A patient is opened; nothing is prefetched, so the service asks the FHIR server."""
        access = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
        context = {"userId": "Practitioner/gp-1", "patientId": f"demo-{PATIENT}"}
        asked = a_request(context=context, prefetch=None, fhirServer=self.base, fhirAuthorization=access)
        return self.ask(CALL, json.dumps(asked).encode())

    def command(self, *arguments):
        done = run(*arguments, **self.environment)
        assert done.exit_code == 0, done.output
        return done.output

    def workers(self):
        pid = self.service.process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def report(self, shown):
        """The report, once so many cards are in it: they are written by a thread of their own."""
        for _ in range(100):
            lines = json.loads(self.command("feedback", "report", "--format", "json"))
            if sum(line["shown"] for line in lines) >= shown:
                return lines
            time.sleep(0.1)
        raise AssertionError(f"{shown} cards were shown, and the report holds {lines}")


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital")
    with ExitStack() as stack:
        try:
            database = stack.enter_context(postgres()).url
        except PostgresMissingError as why:
            pytest.skip(f"no PostgreSQL: {why}")
        stub = stack.enter_context(running())
        stub.put(*records(datetime.now(UTC).date())[PATIENT])
        authority = trustme.CA()
        own = authority.issue_cert("localhost", "127.0.0.1")
        own.private_key_pem.write_to_path(str(folder / "tls.key"))
        own.cert_chain_pems[0].write_to_path(str(folder / "tls.crt"))
        context = ssl.create_default_context()
        authority.configure_trust(context)

        (folder / "keys.json").write_text(json.dumps(public(EC)))
        (folder / "store").write_text(database)
        (folder / "muscle-cds.toml").write_text(
            f'public_url = "{BASE}"\nworkers = {WORKERS}\naccept_risk = ["http-fhir-base"]\ndeadline_ms = 8000\n'
            f'[[client]]\nname = "ehr"\nissuer = "{ISSUER}"\njwks_file = "{folder}/keys.json"\n'
            f'fhir_bases = ["{stub.base}"]\n'
        )
        environment = {
            "MUSCLE_CDS_CONFIG": str(folder / "muscle-cds.toml"),
            "MUSCLE_CDS_STORE_FILE": str(folder / "store"),
            "MUSCLE_CDS_DRAIN_SECONDS": "1",
        }
        upgraded = run("db", "upgrade", **environment)
        assert upgraded.exit_code == 0, upgraded.output
        service = stack.enter_context(server("serve", **environment))
        port = stack.enter_context(production_proxy(folder, service.port))
        yield Hospital(stub.base, port, context, service, environment, database)


def restarted_under_load(hospital):
    """SIGHUP while four callers never pause; all their answers, once only new processes are there to give them."""
    before, stop = hospital.workers(), threading.Event()
    assert len(before) >= WORKERS

    def keep_calling():
        answers = []
        while not stop.is_set():
            answers.append(hospital.hook())
        return answers

    with ThreadPoolExecutor(4) as pool:
        calling = [pool.submit(keep_calling) for _ in range(4)]
        try:
            time.sleep(0.5)
            hospital.service.process.send_signal(signal.SIGHUP)
            for _ in range(300):
                if len(hospital.workers() - before) >= WORKERS and not hospital.workers() & before:
                    break
                time.sleep(0.1)
            time.sleep(0.5)
        finally:
            stop.set()
        answers = [answer for one in calling for answer in one.result()]
    assert not hospital.workers() & before
    return answers


def test_a_release_of_the_whole_topology_goes_through(hospital):
    # a caller who is not proven gets nowhere
    status, refused = hospital.ask(CALL, b"{}", token=False)
    assert (status, refused["issue"][0]["code"]) == (401, "login")
    status, discovery = hospital.ask("/cds-services", None)
    assert (status, faults("discovery", discovery)) == (200, [])

    # it says that it is ready, as its health check asks and as a monitor may; metrics are not to be had here
    assert health.main([str(hospital.service.port), "/readyz"]) == 0
    assert hospital.ask("/readyz", None, token=False)[0] == 200
    assert hospital.ask("/metrics", None)[0] == 404

    # a signed hook, answered from the FHIR server
    status, answer = hospital.hook()
    assert (status, faults("response", answer)) == (200, [])
    topics = {card["source"]["topic"]["code"] for card in answer["cards"]}
    assert {"biochemistry", "medicines"} <= topics

    # feedback, and the report over both
    item = {"card": answer["cards"][0]["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-06-15T09:00:00Z"}
    status, taken = hospital.ask(FEEDBACK, json.dumps({"feedback": [item]}).encode())
    assert (status, taken["recorded"]) == (200, 1)
    lines = hospital.report(len(answer["cards"]))
    assert sum(line["overridden"] for line in lines) == 1

    # a rolling restart under load: no call is lost, and every answer is whole
    answers = restarted_under_load(hospital)
    assert len(answers) >= 8
    assert {status for status, _ in answers} == {200}
    assert {len(one["cards"]) for _, one in answers} == {len(answer["cards"])}

    # the nightly prune removes what is too old and leaves the rest
    shown = len(answer["cards"]) * (len(answers) + 1)
    hospital.report(shown)
    engine = create_engine(hospital.database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE card_shown SET at = at - INTERVAL '91 days' WHERE card = :card"), item)
    assert hospital.command("prune") == "removed 1 rows\n"
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM card_shown")).scalar() == shown - 1
    engine.dispose()

    # the end
    code, out, err = hospital.service.stop()
    assert (code, err) == (0, "")
    assert all(json.loads(line) for line in out.splitlines())
    assert TOKEN not in out
