"""What the client does by itself when a server misbehaves: watchdog, one retry, circuit breaker, and what is told."""

import time

import pytest

from service.errors import BadSettings
from service.fhir.bounds import MIB, Budget, FhirBase, Limits
from service.fhir.client import FhirClient
from service.fhir.outgoing import Outcome
from service.fhir.retrieve import Retriever
from service.fhir.retrieved import Failed, Nothing, Trouble
from tests.faults.server import (
    bomb,
    cut,
    delay,
    drip_body,
    drip_handshake,
    drip_headers,
    html,
    ok,
    reset,
    running,
    silent,
    status,
    tls,
)

PATIENT = {"resourceType": "Patient", "id": "p1"}
NOT_ANSWERED = Failed(Trouble.NOT_ANSWERED)
LEFT_ALONE = Failed(Trouble.LEFT_ALONE)


@pytest.fixture
def told():
    return []


@pytest.fixture
def server():
    with running() as up:
        yield up


@pytest.fixture
def ehr(server):
    record = server.ehr()
    record.put(PATIENT)
    return record


@pytest.fixture
def client(ehr, told):
    made = FhirClient(FhirBase(ehr.base), Limits(), client="north", observe=told.append)
    yield made
    made.close()


def get(client, seconds=5.0, **more):
    budget = Budget(deadline=time.monotonic() + seconds, most_bytes=8 * MIB)
    return client.get("Patient/p1", token="t", budget=budget, query="patient", **more)


@pytest.mark.alone
@pytest.mark.parametrize("fault", [silent(), drip_body(), drip_headers(0.01)], ids=["silent", "body", "headers"])
def test_f10_at_the_deadline_the_socket_is_shut(server, ehr, client, told, fault):
    ehr.answers("*", fault)
    began = time.monotonic()

    assert get(client, 0.3) == NOT_ANSWERED
    assert time.monotonic() - began < 1.0
    assert [(one.outcome, one.query, one.client) for one in told] == [(Outcome.TIMED_OUT, "patient", "north")]
    assert len(ehr.requests) == 1
    for _ in range(100):
        if server.live == 0:
            break
        time.sleep(0.01)
    assert server.live == 0


def test_a_head_that_was_cut_by_the_watchdog_is_not_taken_for_an_answer(ehr, client):
    ehr.answers("*", drip_headers(0.002))  # status and content type are there in time, the rest of the head is not

    assert get(client, 0.3) == NOT_ANSWERED


def test_a_shut_connection_is_not_used_again(ehr, client):
    ehr.answers("*", silent(), ok())
    assert get(client, 0.2) == NOT_ANSWERED

    assert b"Patient" in get(client)
    assert [one.connection for one in ehr.requests] == [1, 2]


def test_a_good_connection_is_used_again_after_the_deadline_of_the_first_request(ehr, client):
    for _ in range(2):
        assert b"Patient" in get(client, 0.2)
        time.sleep(0.25)

    assert [one.connection for one in ehr.requests] == [1, 1]


@pytest.mark.parametrize(
    ("fault", "answer", "outcome", "asked"),
    [
        (ok(), None, Outcome.ANSWERED, 1),
        (reset(), NOT_ANSWERED, Outcome.NO_CONNECTION, 2),
        (cut(), Failed(Trouble.NOT_FHIR), Outcome.BROKEN_OFF, 1),
        (status(500), Failed(Trouble.SERVER_ERROR), Outcome.ERROR_STATUS, 1),
        (status(429, {"Retry-After": "30"}), Failed(Trouble.SERVER_ERROR), Outcome.ERROR_STATUS, 1),
        (status(403), Failed(Trouble.NOT_PERMITTED), Outcome.NOT_PERMITTED, 1),
        (status(404), Nothing(), Outcome.NOT_THERE, 1),
        (html(), Failed(Trouble.NOT_FHIR), Outcome.NOT_FHIR, 1),
        (bomb("chunks"), Failed(Trouble.CUT_SHORT), Outcome.TOO_LARGE, 1),
    ],
)
def test_what_was_answered_what_is_told_of_it_and_how_often_it_was_asked(
    ehr, client, told, fault, answer, outcome, asked
):
    ehr.answers("*", fault)
    got = get(client, is_read=True)

    assert got == answer or (answer is None and b"Patient" in got)
    assert [one.outcome for one in told] == [outcome] * asked
    assert len(ehr.requests) == asked
    assert all(0 <= one.seconds < 5 for one in told)


def test_nothing_told_holds_an_address_an_id_or_a_token(client, told):
    get(client)

    assert "p1" not in repr(told)
    assert "127.0.0.1" not in repr(told)


def test_a_retry_is_not_made_with_less_than_two_fifths_of_the_time_left(ehr, client):
    ehr.answers("*", delay(0.7, reset()))

    assert get(client, 1.0) == NOT_ANSWERED
    assert len(ehr.requests) == 1


@pytest.mark.parametrize("fault", [reset(), status(500), status(503, {"Retry-After": "1"}), cut()])
def test_after_five_failures_in_a_row_the_server_is_left_alone(ehr, client, fault):
    ehr.answers("*", fault)
    assert not client.circuit_open
    for _ in range(5):
        assert get(client) != LEFT_ALONE
    asked = len(ehr.requests)

    assert get(client) == LEFT_ALONE
    assert client.circuit_open
    assert len(ehr.requests) == asked


def test_a_server_that_is_gone_is_left_alone():
    with running() as gone:
        base = gone.ehr().base
    client = FhirClient(FhirBase(base), Limits())

    assert [get(client) for _ in range(6)] == [NOT_ANSWERED] * 5 + [LEFT_ALONE]
    client.close()


@pytest.mark.parametrize("fault", [status(403), status(404), status(429), html(), ok(b"<"), bomb("plain")])
def test_a_server_that_answers_is_not_left_alone_whatever_it_answers(ehr, client, fault):
    ehr.answers("*", fault)
    for _ in range(12):
        assert get(client) != LEFT_ALONE

    assert not client.circuit_open


def test_a_server_that_is_well_again_is_asked_again_after_one_probe(ehr):
    now = [0.0]
    client = FhirClient(FhirBase(ehr.base), Limits(), clock=lambda: now[0])
    ehr.answers("*", *[status(500)] * 5, ok())

    def ask():
        return client.get(
            "Patient/p1", token="t", budget=Budget(deadline=now[0] + 5, most_bytes=MIB, clock=lambda: now[0])
        )

    for _ in range(5):
        ask()
    assert ask() == LEFT_ALONE
    now[0] += 15

    assert b"Patient" in ask()
    assert not client.circuit_open
    client.close()


def test_each_client_has_circuit_breakers_of_its_own(ehr):
    root = Retriever([FhirBase(ehr.base)])
    north, south = (root.for_bases([FhirBase(ehr.base)], name) for name in ("north", "south"))
    ehr.answers("*", status(500))
    for _ in range(5):
        get(north._clients[ehr.base])

    assert (root.circuit_open, north.circuit_open, south.circuit_open) == (False, True, False)
    root.close()


# ---- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return tls(tmp_path_factory.mktemp("tls"))


def test_tls_with_an_authority_that_is_trusted_is_spoken_and_watched(certificate):
    with running(tls=certificate.context) as server:
        record = server.ehr()
        record.put(PATIENT)
        record.answers("*", ok(), drip_body(), ok())
        client = FhirClient(FhirBase(record.base, ca_file=certificate.ca_file), Limits())

        assert b"Patient" in get(client)
        assert get(client, 0.3) == NOT_ANSWERED
        assert b"Patient" in get(client)
        client.close()


def test_a_certificate_that_nobody_vouches_for_is_refused_before_a_token_is_sent(certificate, told):
    with running(tls=certificate.context) as server:
        client = FhirClient(FhirBase(server.ehr().base), Limits(), observe=told.append)

        assert get(client) == NOT_ANSWERED
        assert [one.outcome for one in told] == [Outcome.NO_TLS]
        assert server.ehr().requests == []
        client.close()


def test_so_is_a_certificate_for_another_host(tmp_path):
    wrong = tls(tmp_path, "other.example")
    with running(tls=wrong.context) as server:
        client = FhirClient(FhirBase(server.ehr().base, ca_file=wrong.ca_file), Limits())

        assert get(client) == NOT_ANSWERED
        assert server.ehr().requests == []
        client.close()


@pytest.mark.alone
def test_f10_a_handshake_that_drips_is_ended_at_the_deadline(certificate):
    with running(greet=drip_handshake(certificate.context)) as server:
        base = f"https://127.0.0.1:{server.port}/fhir"
        client = FhirClient(FhirBase(base, ca_file=certificate.ca_file), Limits(connect_seconds=5.0))
        began = time.monotonic()

        assert get(client, 0.3) == NOT_ANSWERED
        assert time.monotonic() - began < 1.0
        client.close()


def test_a_file_without_certificates_stops_the_start(tmp_path):
    file = tmp_path / "none.pem"
    file.write_text("not a certificate")

    with pytest.raises(BadSettings, match="fhir_ca_file"):
        FhirClient(FhirBase("https://ehr.example/fhir", ca_file=str(file)), Limits())


def test_nothing_makes_a_certificate_go_unchecked(certificate):
    with running(tls=certificate.context) as server:
        client = FhirClient(FhirBase(server.ehr().base), Limits())
        client._session.verify = False

        assert get(client) == NOT_ANSWERED
        assert server.ehr().requests == []
        client.close()


# ---- a proxy


def test_a_proxy_of_the_settings_is_gone_through_and_watched_too():
    with running() as proxy:
        record = proxy.ehr()
        record.put(PATIENT)
        record.answers("*", ok(), drip_headers(0.01))
        client = FhirClient(FhirBase("http://ehr.invalid/fhir", proxy=proxy.origin), Limits())

        assert b"Patient" in get(client)
        assert get(client, 0.3) == NOT_ANSWERED
        assert [one.all_of("host") for one in record.requests] == [["ehr.invalid"]] * 2
        client.close()
