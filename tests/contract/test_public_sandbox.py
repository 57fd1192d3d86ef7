"""A client that behaves as the public CDS Hooks sandbox does, against the service as a demo and as a hospital runs it.

What it sends is described in the sandbox section of our requirements; the keys here are our own.
"""

import itertools
import json
import uuid

import pytest

from service.app import create_advisor, create_app
from service.errors import BadSettings
from service.settings import load
from service.store import MemoryStore
from service.watching import access_log
from tests.contract.calls import AN_ORDER, HOOKS, TODAY, all_parts, demo_settings, request_of, to_sign, topics
from tests.contract.cds_hooks import faults
from tests.service.hooks.tokens import BASE, ISSUER, NOW, a_client, claims, headers, signed

ORIGIN = "https://sandbox.example"
numbers = itertools.count()


class Sandbox:
    """Posts as the sandbox does: a Bearer header always, a new token for every address, JSON and nothing else."""

    def __init__(self, app):
        self.client = app.test_client()

    def headers(self, path):
        token = signed(claims(path, jti=f"sandbox-{next(numbers)}"), headers(alg="ES384"))
        return {"Authorization": f"Bearer {token}", "Accept": "application/json", "Origin": ORIGIN}

    def discover(self, path="/cds-services"):
        return self.client.get(path, headers=self.headers(path))

    def post(self, path, body):
        return self.client.post(
            path, data=json.dumps(body), headers=self.headers(path), content_type="application/json"
        )

    def call(self, request, base="/cds-services/"):
        return self.post(base + HOOKS[request["hook"]], request)

    def preflight(self, path, method):
        asks = {"Origin": ORIGIN, "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
        return self.client.options(path, headers=asks)


def app(settings, store):
    advisor = create_advisor(settings, all_parts(), today=lambda: TODAY)
    log = access_log("error")
    return create_app(settings, all_parts(), advise=advisor.advise, log=log, store=store, now=lambda: NOW)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture(params=["demo", "hospital"])
def sandbox(request, tmp_path, store):
    """Callers are not told apart in the one, and proven in the other."""
    if request.param == "demo":
        return Sandbox(app(demo_settings(), store))
    client = a_client(tmp_path, origins=(ORIGIN,))
    return Sandbox(app(load({}, clients=[client], public_url=BASE), store))


def as_sandbox(request):
    """A request with the members the sandbox sends: never an encounter, never null, never an extension."""
    sent = {name: member for name, member in request.items() if name in ("hook", "context", "prefetch")}
    sent |= {"hookInstance": str(uuid.uuid4()), "fhirServer": "https://r4.example/fhir"}
    sent["context"] = {name: member for name, member in sent["context"].items() if name != "encounterId"}
    sent["prefetch"] = {key: value for key, value in sent["prefetch"].items() if value is not None}
    for entry in sent["context"].get("draftOrders", {}).get("entry", []):
        entry["resource"]["category"] = {"text": "outpatient"}  # an object, where R4 wants an array
    sent["context"].get("draftOrders", {}).pop("type", None)
    return sent


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/muscle-order-select", "/cds-services/muscle-order-select/feedback"])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_call_is_preceded_by_a_preflight_without_a_token(sandbox, path, method):
    response = sandbox.preflight(path, method)

    assert response.status_code in (200, 204)
    assert response.headers["Access-Control-Allow-Origin"] in (ORIGIN, "*")
    assert {"GET", "POST"} <= set(response.headers["Access-Control-Allow-Methods"].split(", "))
    assert {"Authorization", "Content-Type"} <= set(response.headers["Access-Control-Allow-Headers"].split(", "))


def test_discovery_is_read_with_a_token_of_its_own_and_is_never_empty(sandbox):
    response = sandbox.discover()

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] in (ORIGIN, "*")
    assert len({one["id"] for one in response.get_json()["services"]}) == 3


def test_an_address_typed_with_a_slash_at_its_end_works_to_the_end(sandbox):
    assert sandbox.discover("/cds-services/").status_code == 200
    assert sandbox.call(as_sandbox(request_of()), "/cds-services//").status_code == 200


@pytest.mark.parametrize("sent", [request_of(), request_of(AN_ORDER), to_sign()], ids=lambda sent: sent["hook"])
def test_its_bodies_get_cards_with_all_it_needs(sandbox, sent):
    response = sandbox.call(as_sandbox(sent))
    cards = response.get_json()["cards"]

    assert faults("response", response.get_json()) == []
    assert cards
    assert response.headers["Access-Control-Allow-Origin"] in (ORIGIN, "*")
    assert all(card["uuid"] for card in cards)  # without it there is no Dismiss


def test_before_a_medicine_is_chosen_there_are_no_cards(sandbox):
    sent = as_sandbox(request_of(AN_ORDER))
    draft = {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft", "authoredOn": "2026-06-15"}
    sent["context"]["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": draft}]}
    sent["context"]["selections"] = ["MedicationRequest/request-123"]

    assert sandbox.call(sent).get_json() == {"cards": []}


def test_a_template_it_could_not_fill_has_no_key(sandbox):
    sent = as_sandbox(request_of())
    del sent["prefetch"]["results"]
    answer = sandbox.call(sent)

    assert answer.status_code == 200
    assert "biochemistry" not in topics(answer.get_json()["cards"])


def test_a_refusal_can_be_read_by_its_page(sandbox):
    response = sandbox.post("/cds-services/muscle-patient-view", [])

    assert response.status_code == 400
    assert response.headers["Access-Control-Allow-Origin"] in (ORIGIN, "*")


# --- feedback ---------------------------------------------------------------------------------------------------------

STAMP = "2026-06-15T09:00:00.000Z"


def report(sandbox, sent, *items):
    return sandbox.post(f"/cds-services/{HOOKS[sent['hook']]}/feedback", {"feedback": list(items)})


def a_card_of(sandbox, sent):
    return sandbox.call(as_sandbox(sent)).get_json()["cards"][0]


@pytest.mark.parametrize("sent", [request_of(), request_of(AN_ORDER), to_sign()], ids=lambda sent: sent["hook"])
def test_t21_acceptance_and_dismissal_are_recorded(sandbox, sent):
    card = a_card_of(sandbox, sent)
    reason = {name: card["overrideReasons"][0][name] for name in ("code", "system")}  # no display
    accepted = {"card": card["uuid"], "outcome": "accepted", "outcomeTimestamp": STAMP,
                "acceptedSuggestions": [{"id": one["uuid"]} for one in card.get("suggestions", [])][:1]}  # fmt: skip
    dismissed = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": STAMP, "overrideReason": {"reason": reason}}  # fmt: skip
    plainly = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-06-15T09:00:01.000Z"}

    for item in (accepted, dismissed, plainly):
        response = report(sandbox, sent, item)
        assert response.status_code == 200
        assert response.get_json() == {"recorded": 1, "repeated": 0, "unmatched": 0, "timedAtReceipt": 0}


def test_t21_a_bare_item_is_refused_and_an_unknown_card_is_counted(sandbox):
    sent = request_of()
    unknown = {"card": str(uuid.uuid4()), "outcome": "overridden", "outcomeTimestamp": STAMP}

    assert sandbox.post("/cds-services/muscle-patient-view/feedback", unknown).status_code == 400
    assert report(sandbox, sent, unknown).get_json()["unmatched"] == 1


# --- its keys are public ----------------------------------------------------------------------------------------------

REAL = "https://sandbox.cds-hooks.org"


def test_t8_a_hospital_that_would_trust_the_real_sandbox_does_not_start(tmp_path):
    with pytest.raises(BadSettings, match="public-sandbox"):
        load({}, clients=[a_client(tmp_path, issuer=REAL)], public_url=BASE)


def test_t8_a_token_of_the_real_sandbox_opens_nothing(tmp_path, store):
    hospital = app(load({}, clients=[a_client(tmp_path)], public_url=BASE), store).test_client()
    jku = f"{REAL}/.well-known/jwks.json"
    token = signed(claims(iss=REAL), headers(kid="44823f3d-0b01-4a6c-a80e-b9d3e8a7226f", jku=jku))
    response = hospital.post("/cds-services/muscle-patient-view", headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 401
    assert ISSUER != REAL
