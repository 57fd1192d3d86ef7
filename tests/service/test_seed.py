"""The synthetic patients, put into a FHIR server: the stub records what was sent, and takes or refuses it."""

import json
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from service.demo import patients, records
from service.demo.seed import seed
from service.errors import BadSettings, NotSeeded
from tests.fhir_stub import Reply, outcome, running
from tests.service.test_cli import run

TODAY = date(2026, 6, 15)
HELD = {name: own for name, own in records(TODAY).items() if not patients()[name].refused()}
"""The records of those whom a record system can hold."""


class Taking(ThreadingHTTPServer):
    """Keeps what is put, as a FHIR server does."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Taker)
        self.kept, self.headers, self.order = {}, [], []
        self.base = f"http://127.0.0.1:{self.server_address[1]}/fhir"


class Taker(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200)

    def do_PUT(self):
        place = self.path.removeprefix("/fhir/")
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        status = 200 if place in self.server.kept else 201
        self.server.kept[place] = json.loads(raw)
        self.server.order.append(place)
        self.server.headers.append(dict(self.headers))
        self.answer(status)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def taking():
    with Taking() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def test_every_patient_but_one_whose_record_refuses_has_a_record():
    assert set(patients()) - set(HELD) == {"results-refused"}


@pytest.mark.parametrize("name", HELD)
def test_a_record_begins_with_the_patient_and_refers_to_nothing_outside_it(name):
    own = HELD[name]
    places = [f"{one['resourceType']}/{one['id']}" for one in own]

    assert places[0] == f"Patient/demo-{name}"
    assert len(set(places)) == len(places)
    assert all(one["id"].startswith("demo-") for one in own)
    assert {one for one in references(list(own)) if not one.startswith("#")} <= set(places)
    assert "@-" not in json.dumps(own)


def test_all_of_it_is_put_and_doing_it_again_changes_nothing():
    expected = {f"{one['resourceType']}/{one['id']}": one for own in HELD.values() for one in own}
    with taking() as server:
        done = seed(f"{server.base}/", TODAY)
        assert (done.patients, done.resources) == (len(HELD), len(expected))
        assert server.kept == expected
        again = seed(server.base, TODAY)

    assert again == done
    assert server.kept == expected
    assert {sent["Content-Type"] for sent in server.headers} == {"application/fhir+json"}
    assert not any("Authorization" in sent for sent in server.headers)


def test_a_patient_is_put_before_what_refers_to_her():
    with taking() as server:
        seed(server.base, TODAY)

    for place, resource in server.kept.items():
        for reference in references(resource):
            if not reference.startswith("#"):
                assert server.order.index(reference) <= server.order.index(place)


def test_the_token_goes_with_every_call():
    with taking() as server:
        seed(server.base, TODAY, token="the-token")

    assert {sent["Authorization"] for sent in server.headers} == {"Bearer the-token"}


def test_a_server_that_refuses_is_named_with_its_reason():
    with running(token=None) as stub:
        stub.answers("metadata", Reply(200, {"resourceType": "CapabilityStatement"}))
        stub.answers(f"Patient/demo-{next(iter(HELD))}", Reply(422, outcome("invalid")))
        with pytest.raises(NotSeeded, match=r"^Patient/demo-[a-z-]+ was refused with status 422\.$"):
            seed(stub.base, TODAY)


def test_a_server_that_hangs_up_is_named_with_what_it_did_not_take():
    with running(token=None) as stub:
        stub.answers("metadata", Reply(200, {"resourceType": "CapabilityStatement"}))
        stub.answers(f"Patient/demo-{next(iter(HELD))}", Reply(reset=True))
        with pytest.raises(NotSeeded, match=r"^Patient/demo-[a-z-]+ was not taken: the FHIR server does not answer"):
            seed(stub.base, TODAY)


def test_a_server_that_is_moved_elsewhere_is_not_followed():
    with taking() as other, running(token=None) as stub:
        stub.answers("metadata", Reply(302, headers={"Location": f"{other.base}/metadata"}))
        with pytest.raises(NotSeeded, match="was answered 302"):
            seed(stub.base, TODAY)
        assert other.kept == {}


def test_a_server_that_comes_up_late_is_waited_for():
    with running(token=None) as stub:
        stub.answers("metadata", Reply(503), Reply(200))
        stub.answers(f"Patient/demo-{next(iter(HELD))}", Reply(400))
        with pytest.raises(NotSeeded, match="status 400"):
            seed(stub.base, TODAY, wait=20)
        assert len(stub.calls_of("metadata")) == 2


@pytest.mark.parametrize("base", ["", "fhir", "ftp://a/fhir", "http://", "http://a/fhir?x=1", "http://a/fhir#x"])
def test_a_base_that_is_no_address_is_refused(base):
    with pytest.raises(BadSettings):
        seed(base, TODAY)


def test_the_command_says_what_it_did(tmp_path):
    (tmp_path / "token").write_text("the-token\n")
    with taking() as server:
        done = run("seed", server.base, "--wait", "5", "--token-file", str(tmp_path / "token"))

    assert done.exit_code == 0, done.output
    assert done.output == (f"put {len(server.kept)} resources of {len(HELD)} synthetic patients into {server.base}\n")
    assert {sent["Authorization"] for sent in server.headers} == {"Bearer the-token"}


def test_the_command_says_why_it_could_not():
    with taking() as server:
        base = server.base
    done = run("seed", base)

    assert done.exit_code == 1
    assert f"{base} does not answer (ConnectionError)" in done.output
