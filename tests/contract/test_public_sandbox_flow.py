"""The public sandbox from its first screen to its last, as a person clicks through it: it reads discovery, fills the
templates in by itself from an open FHIR server, opens the record, chooses a medicine, answers the card, signs.

``test_public_sandbox.py`` has what it sends and expects one by one; here each step lives on what the one before gave.
"""

import uuid
from urllib.parse import parse_qs, quote

import pytest
import requests

from service.store import MemoryStore
from tests.contract.calls import AN_ORDER, TODAY, demo_settings, records_of, request_of, topics
from tests.contract.cds_hooks import faults
from tests.contract.test_public_sandbox import STAMP, Sandbox, app
from tests.fhir_stub import running

DISCOVERY = "/cds-services"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
QUININE = {"text": "Quinine Sulfate", "coding": [{"code": "9075", "display": "Quinine Sulfate", "system": RXNORM}]}


class Page:
    """What the sandbox holds between clicks: the services it found, the patient, the cards on the screen."""

    def __init__(self, sandbox, fhir, patient):
        self.sandbox, self.fhir, self.patient = sandbox, fhir, patient
        found = sandbox.discover(DISCOVERY).get_json()["services"]
        self.services = {f"{DISCOVERY}/{one['id']}": one for one in found}

    def prefetch(self, templates):
        """Each template with its tokens replaced; one with a token left, or whose query fails, has no key."""
        given = {}
        for key, template in templates.items():
            query = template.replace("{{context.patientId}}", self.patient)
            if "{{" in query:
                continue
            kind, _, asked = query.partition("?")
            values = {name: quote(",".join(found)) for name, found in parse_qs(asked).items()}
            answer = self.ask(kind, "&".join(f"{name}={value}" for name, value in values.items()))
            if answer.status_code == requests.codes.ok and answer.json():
                given[key] = answer.json()
        return given

    def ask(self, kind, asked):
        """A search by POST first, and by GET where the server does not know that."""
        headers = {"Accept": "application/json+fhir"}
        if asked:
            form = headers | {"Content-Type": "application/x-www-form-urlencoded"}
            posted = requests.post(f"{self.fhir.base}/{kind}/_search", data=asked, headers=form, timeout=10)
            if posted.status_code == requests.codes.ok:
                return posted
        address = f"{self.fhir.base}/{kind}?{asked}" if asked else f"{self.fhir.base}/{kind}"
        return requests.get(address, headers=headers, timeout=10)

    def fire(self, hook, **context):
        """Call every service of a hook; the cards that are then on the screen, each with where it came from."""
        shown = []
        for url, service in self.services.items():
            if service["hook"] != hook:
                continue
            sent = {"hookInstance": str(uuid.uuid4()), "hook": hook, "fhirServer": self.fhir.base,
                    "context": {"patientId": self.patient, "userId": "Practitioner/COREPRACTITIONER1", **context}}  # fmt: skip
            if prefetch := self.prefetch(service.get("prefetch", {})):
                sent["prefetch"] = prefetch
            response = self.sandbox.post(url, sent)
            assert response.status_code == 200, response.text
            assert faults("response", response.get_json()) == []
            shown += [(url, card) for card in response.get_json()["cards"]]
        return shown

    def draft(self, **more):
        """The one draft order of its form."""
        order = {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft", "authoredOn": TODAY.isoformat(),
                 "subject": {"reference": f"Patient/{self.patient}"}, **more}  # fmt: skip
        return {"resourceType": "Bundle", "entry": [{"resource": order}]}

    def report(self, url, card, **outcome):
        item = {"card": card["uuid"], "outcomeTimestamp": STAMP, **outcome}
        return self.sandbox.post(f"{url}/feedback", {"feedback": [item]})


@pytest.fixture
def fhir():
    with running(token=None) as server:
        yield server


def opened(fhir, name):
    record = request_of(name)
    fhir.put(*records_of(record))
    return Page(Sandbox(app(demo_settings(), MemoryStore())), fhir, record["context"]["patientId"])


def test_the_record_is_opened_and_its_templates_are_filled_by_the_page_itself(fhir):
    page = opened(fhir, "low-potassium-on-indapamide")

    shown = page.fire("patient-view")

    assert topics([card for _, card in shown])[:2] == ["biochemistry", "medicines"]
    asked = {call.path for call in fhir.calls}
    assert {f"Patient/{page.patient}", "Observation", "MedicationStatement"} <= asked
    assert not any(path.startswith("Encounter") for path in asked)  # it never has one


def test_a_medicine_is_chosen_its_card_answered_and_the_order_signed(fhir):
    page = opened(fhir, AN_ORDER)
    page.fire("patient-view")
    select = {"selections": ["MedicationRequest/request-123"]}

    assert page.fire("order-select", draftOrders=page.draft(), **select) == []  # nothing is chosen yet

    order = {"intent": "order", "category": {"text": "outpatient"}, "medicationCodeableConcept": QUININE}
    shown = page.fire("order-select", draftOrders=page.draft(**order), **select)
    url, card = next((url, card) for url, card in shown if card["source"]["topic"]["code"] == "quinine")
    assert page.report(url, card, outcome="overridden", overrideReason={"reason": {"code": card["overrideReasons"][0]["code"]}}).status_code == 200  # fmt: skip

    signed = page.fire("order-sign", draftOrders=page.draft(**order))
    url, again = next((url, card) for url, card in signed if card["source"]["topic"]["code"] == "quinine")
    assert again["summary"] == card["summary"]
    assert again["uuid"] != card["uuid"]
    accepted = [{"id": one["uuid"]} for one in again.get("suggestions", [])][:1]
    answer = page.report(url, again, outcome="accepted", acceptedSuggestions=accepted)
    assert (answer.status_code, answer.get_json()["recorded"]) == (200, 1)
