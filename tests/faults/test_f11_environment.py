"""F11: nothing in the environment changes how a FHIR server is called, and no cookie of it is ever sent back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.fhir.retrieved import Trouble
from tests.faults.figures import record
from tests.faults.server import Certificate, Ehr, FaultyServer, cookies, running, tls
from tests.faults.story import TOKEN, ask, body, notes
from tests.faults.story import record as the_record
from tests.service.test_server import Running, server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificate, Certificate]:
    """Of the authority that the settings name, and of the one that the environment names."""
    return tls(tmp_path_factory.mktemp("ours")), tls(tmp_path_factory.mktemp("theirs"))


@pytest.fixture(scope="module")
def trap() -> Iterator[FaultyServer]:
    """Where HTTP_PROXY and its like point."""
    with running() as up:
        yield up


@pytest.fixture(scope="module")
def ours(certificates: tuple[Certificate, Certificate]) -> Iterator[FaultyServer]:
    """A FHIR server with a certificate of the right authority."""
    with running(tls=certificates[0].context) as up:
        up.ehr().put(*the_record())
        yield up


@pytest.fixture(scope="module")
def theirs(certificates: tuple[Certificate, Certificate]) -> Iterator[FaultyServer]:
    """One with a certificate that only the environment vouches for."""
    with running(tls=certificates[1].context) as up:
        up.ehr().put(*the_record())
        yield up


@pytest.fixture(scope="module")
def misled(
    fhir: FaultyServer,
    ours: FaultyServer,
    theirs: FaultyServer,
    trap: FaultyServer,
    certificates: tuple[Certificate, Certificate],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """The real server command, in an environment that would lead the HTTP library astray."""
    netrc: Path = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\ndefault login someone password else\n")
    proxies = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    with server(
        "serve",
        MUSCLE_CDS_PROFILE="demo",
        MUSCLE_CDS_FHIR_BASES=",".join(one.base for one in (fhir.ehr("env"), ours.ehr(), theirs.ehr())),
        MUSCLE_CDS_FHIR_CA_FILE=certificates[0].ca_file,
        MUSCLE_CDS_LOG_LEVEL="error",
        NETRC=str(netrc),
        HOME=str(netrc.parent),
        NO_PROXY="",
        no_proxy="",
        REQUESTS_CA_BUNDLE=certificates[1].ca_file,
        CURL_CA_BUNDLE=certificates[1].ca_file,
        SSL_CERT_FILE=certificates[1].ca_file,
        **dict.fromkeys(proxies, trap.origin),
    ) as up:
        yield up


@pytest.fixture
def plain(fhir: FaultyServer) -> Ehr:
    """A record that is reached without TLS."""
    record = fhir.ehr("env")
    record.resources = the_record()
    record.requests.clear()
    record.answers("*", cookies())
    return record


def test_netrc_and_proxies_have_no_effect_and_our_token_arrives(
    misled: Running, plain: Ehr, trap: FaultyServer
) -> None:
    assert notes(ask(misled, body(plain)).cards) == {}

    assert len(plain.requests) >= 8
    assert {tuple(one.all_of("authorization")) for one in plain.requests} == {(f"Bearer {TOKEN}",)}
    assert trap.connections == 0
    record("F11", "connections to the proxy that the environment names", trap.connections)


def test_without_a_token_netrc_does_not_step_in(misled: Running, plain: Ehr) -> None:
    assert notes(ask(misled, body(fhirServer=plain.base)).cards) == {}

    assert all(one.all_of("authorization") == [] for one in plain.requests)


def test_the_token_of_one_call_is_not_that_of_the_next(misled: Running, plain: Ehr) -> None:
    ask(misled, body(plain))
    plain.requests.clear()
    ask(misled, body(fhirServer=plain.base))

    assert plain.requests
    assert all(one.all_of("authorization") == [] for one in plain.requests)


def test_no_cookie_is_sent_back_by_the_same_call_or_the_next(misled: Running, plain: Ehr) -> None:
    plain.put({"resourceType": "MedicationStatement", "id": "m9", "medicationReference": {"reference": "Medication/x"}})
    for _ in range(3):
        ask(misled, body(plain))

    assert len({one.connection for one in plain.requests}) < len(plain.requests)  # connections were used again
    assert [one.all_of("cookie") for one in plain.requests] == [[]] * len(plain.requests)
    record("F11", "cookies sent back in three calls", sum(len(one.all_of("cookie")) for one in plain.requests))


def test_only_the_authority_of_the_settings_vouches_for_a_server(
    misled: Running, ours: FaultyServer, theirs: FaultyServer
) -> None:
    patient = {"patient": the_record()[0], "problems": the_record()[1]}

    assert notes(ask(misled, body(ours.ehr())).cards) == {}
    found = notes(ask(misled, body(theirs.ehr(), prefetch=patient)).cards)
    assert found.keys() >= {"results", "medicines", "orders"}
    assert set(found.values()) == {Trouble.NOT_ANSWERED.value}
    assert ours.ehr().requests
    assert theirs.ehr().requests == []  # no token and no id went out
