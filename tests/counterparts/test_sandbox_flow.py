"""The public sandbox, as the tests play it, fills our templates in from a FHIR server nobody here wrote: by POST, as it
does first, which none of our own servers knows.
"""

import requests

from service.store import MemoryStore
from tests.contract.calls import TODAY, demo_settings, topics
from tests.contract.test_public_sandbox import Sandbox, app
from tests.contract.test_public_sandbox_flow import Page
from tests.counterparts import sekmet
from tests.counterparts.records import demo_records


def test_the_templates_are_filled_in_by_post_and_cards_come(tmp_path):
    record = next(one for one in demo_records(TODAY) if one.name == "low-potassium-on-indapamide")
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in record.resources
    ]
    with sekmet.running(tmp_path) as fhir:
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        assert requests.post(fhir.base, json=body, timeout=30).status_code == requests.codes.ok

        page = Page(Sandbox(app(demo_settings(), MemoryStore())), fhir, record.patient)
        shown = page.fire("patient-view")

        assert topics([card for _, card in shown])[:2] == ["biochemistry", "medicines"]
        lines = [line for line in fhir.lines() if line.url.startswith("/fhir/") and line.url != "/fhir/metadata"]
        searched = {line.url for line in lines if line.method == "POST" and line.status == requests.codes.ok}
        assert {"/fhir/Condition/_search", "/fhir/Observation/_search"} <= searched
        assert [line.url for line in lines if line.method == "GET"] == [f"/fhir/Patient/{record.patient}"]
