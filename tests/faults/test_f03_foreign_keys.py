"""F3: a token that names where its key is to be found. It is a 401, and nobody is asked there."""

import pytest

from tests.faults.production import WORKERS, claims, in_production, until
from tests.service.hooks.test_keys import KeyHost
from tests.service.hooks.tokens import EC, FOREIGN, headers, signed

BY_ADDRESS = "https://by-address.example"  # the client whose keys stand at an address


@pytest.fixture(scope="module")
def host():
    with KeyHost() as made:
        yield made


@pytest.fixture(scope="module")
def service(host):
    by_address = {"name": "by-address", "issuer": BY_ADDRESS, "jwks_url": host.url, "jwks_file": ...}
    with in_production({}, by_address) as running:
        assert until(lambda: len(host.asked) >= WORKERS)  # each worker asks at its start, and not again for long
        yield running


PLACES = {
    "of an attacker": "http://{attacker}/jwks",
    "of an attacker under another name": "http://localhost:{port}/jwks",
    "of an attacker as a number": "http://2130706433:{port}/jwks",
    "with the key host as its user": "http://{host}@{attacker}/jwks",
    "internal": "http://169.254.169.254/latest/meta-data/",
    "a file": "file:///etc/passwd",
    "the key host on another path": "http://{host}/other",
    "the key host with a query": "http://{host}/jwks?x=http://{attacker}/",
}


@pytest.mark.parametrize(
    "issuer", ["https://ehr.example/cds", BY_ADDRESS], ids=["keys in a file", "keys at an address"]
)
@pytest.mark.parametrize("key", [EC, FOREIGN], ids=["our key", "their key"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_foreign_key_address_is_refused_and_never_asked(service, stranger, host, place, key, issuer):
    service.status(by=signed(claims(iss=BY_ADDRESS)))  # so that its keys are there
    asked = len(host.asked)
    named = place.format(
        attacker=stranger.address, port=stranger.address.split(":")[1], host=host.url[7:].removesuffix("/jwks")
    )

    assert service.status(by=signed(claims(iss=issuer), headers(jku=named), key)) == 401
    assert stranger.connections == 0
    assert len(host.asked) == asked


@pytest.mark.parametrize("name", ["x5u", "jwk", "x5c"])
def test_whatever_else_a_header_brings_its_key_in_is_not_used(service, stranger, name):
    brings = {
        "x5u": f"http://{stranger.address}/cert.pem",
        "jwk": FOREIGN.as_dict(private=False),
        "x5c": ["MIIB"],
    }[name]
    theirs = signed(claims(), headers(**{name: brings}), FOREIGN)
    ours = signed(claims(), headers(**{name: brings}), EC)

    assert service.status(by=theirs) == 401
    assert service.status(by=ours) == 200  # it does no harm either
    assert stranger.connections == 0


def test_the_configured_address_may_be_named(service, host, stranger):
    assert service.status(by=signed(claims(iss=BY_ADDRESS), headers(jku=host.url))) == 200
    assert {path for path, _ in host.asked} == {"/jwks"}
    assert stranger.works()
