"""Behind the scenes: what was sent and answered, and a switch for every prefetch key."""

import json

import pytest

from tests.browser.a_browser import ask, settled
from tests.browser.seen import RECORD, answered, called, cards

KEYS = ("patient", "problems", "results", "medicationStatements", "medicationRequests", "serviceRequests", "procedures", "familyHistory")  # fmt: skip


@pytest.mark.parametrize("state", ["null", "absent", "error"])
def test_each_prefetch_key_can_be_given_null_absent_or_an_error(state, open_page):
    page = open_page()
    page.locator("#wire-fold > summary").click()
    given = cards(page)

    for key in KEYS:
        switch = page.get_by_label(key, exact=True)
        sent, answer = called(page, "patient-view", lambda switch=switch: switch.select_option(state))
        settled(page)
        prefetch = sent["prefetch"]
        assert set(prefetch) == set(KEYS) - ({key} if state == "absent" else set())
        if state == "null":
            assert prefetch[key] is None
        elif state == "error":
            assert prefetch[key]["resourceType"] == "OperationOutcome"
        assert all(prefetch[other]["resourceType"] in ("Bundle", "Patient") for other in KEYS if other != key)
        assert cards(page) == answered(answer)
        called(page, "patient-view", lambda switch=switch: switch.select_option("given"))
    settled(page)
    assert cards(page) == given


def test_an_error_in_the_results_is_told_on_the_cards_and_never_reassures(open_page):
    page = open_page()
    page.locator("#wire-fold > summary").click()

    called(page, "patient-view", lambda: page.get_by_label("results", exact=True).select_option("error"))
    settled(page)

    topics = {topic for topic, _, _ in cards(page)}
    assert "biochemistry" not in topics
    assert "results" in page.locator(RECORD).inner_text().lower()


def test_the_request_the_answer_the_status_and_the_time_of_every_call_can_be_read(open_page, address):
    page = open_page()
    page.locator("#wire-fold > summary").click()
    newest = page.locator("#calls > ol > li").first

    assert newest.locator(".hook").inner_text() == "patient-view"
    assert newest.locator(".status").inner_text() == "200"
    assert newest.locator("> details > summary .took").inner_text().endswith(" ms")
    for title in ("Request", "Answer"):
        newest.locator("summary", has_text=title).click()
    request, answer = (json.loads(text) for text in newest.locator("pre").all_inner_texts())
    assert answered(answer) == cards(page)
    again = ask(address, "/cds-services/muscle-patient-view", request)
    assert answered(again) == answered(answer)
    assert page.locator("#last-call").inner_text().split()[:2] == ["patient-view", "200"]


def test_the_data_are_asked_for_by_the_templates_of_discovery(open_page, address):
    paths = []
    open_page(prepare=lambda page: page.on("request", lambda request: paths.append(request.url.partition("/demo/fhir/")[2])))  # fmt: skip

    services = ask(address, "/cds-services")["services"]
    templates = {template for service in services for template in service["prefetch"].values() if "encounterId" not in template}  # fmt: skip
    wanted = {template.replace("{{context.patientId}}", "demo-low-potassium-on-indapamide") for template in templates}
    assert {path for path in paths if path} == wanted
