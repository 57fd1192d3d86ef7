"""Every synthetic patient, clicked through: the record, and the cards the service gives."""

import pytest

from service.demo import patients
from tests.browser.a_browser import ask, settled
from tests.browser.seen import ORDERS, RECORD, answered, cards
from tests.service.test_demo import NOT_SHOWN, SHOWN

EACH = pytest.mark.parametrize("patient", patients().values(), ids=lambda patient: patient.name)


@EACH
def test_the_cards_of_a_patient_appear_by_either_road(patient, open_page, address):
    page = open_page(patient.name)

    of_an_order = patient.request["hook"] == "order-select"
    shown = cards(page, ORDERS if of_an_order else RECORD)
    assert (
        SHOWN[patient.name].items()
        <= {topic: {"information": "info"}.get(word, word) for topic, word, _ in shown}.items()
    )
    assert not NOT_SHOWN.get(patient.name, set()) & {topic for topic, _, _ in shown}
    ready = ask(address, f"/demo/patients/{patient.name}")
    assert shown == answered(ask(address, f"/cds-services/{patient.service}", ready))

    sent = cards(page), cards(page, ORDERS)
    page.locator("#wire-fold > summary").click()
    with page.expect_request(lambda request: request.url.endswith("/muscle-patient-view")) as called:
        page.get_by_label("Let the service fetch it").check()
    settled(page)
    request = called.value.post_data_json
    assert "prefetch" not in request
    assert request["fhirServer"].endswith("/demo/fhir")
    assert (cards(page), cards(page, ORDERS)) == sent, "what the service fetches says the same"


def test_the_record_is_shown_as_a_record_system_shows_it(open_page):
    page = open_page("low-potassium-on-indapamide")

    assert page.get_by_role("heading", level=1).inner_text() == patients()["low-potassium-on-indapamide"].title
    assert "Calf cramps" in page.locator(".part", has_text="Problems").first.inner_text()
    assert "Indapamide 2.5mg tablets" in page.locator(".part", has_text="Medicines").first.inner_text()
    potassium, sodium = (page.get_by_role("row", name=name) for name in ("Serum potassium", "Serum sodium"))
    assert all(word in potassium.inner_text() for word in ("3.1", "mmol/L", "Low", "range 3.5\N{EN DASH}5.3"))
    assert "Low" not in sodium.inner_text()
    told = potassium.get_by_role("img").get_attribute("aria-label")
    assert told.startswith("Serum potassium over time, mmol/L: 4.4 on ")
    assert told.count(" on ") == 4


def test_what_the_record_system_refuses_and_what_a_sample_was_like_is_said(open_page):
    refused = open_page("results-refused").locator(".part", has_text="Results").first
    haemolysed = open_page("haemolysed-potassium").get_by_role("row", name="Serum potassium")

    assert "The record system does not hand these over." in refused.inner_text()
    assert "Haemolysed" in haemolysed.inner_text()


def test_silence_is_said_plainly_and_is_no_all_clear(open_page):
    page = open_page("nothing-to-say")

    said = page.locator(RECORD).inner_text()
    assert "No cards: the service has nothing to say." in said
    assert "This does not mean that nothing is wrong." in said
    assert page.get_by_role("status").last.inner_text() == "No cards: the service has nothing to say."
    assert page.locator(".card").count() == 0


def test_another_patient_is_a_click_away_and_the_way_back_works(open_page):
    page = open_page("nothing-to-say")
    page.get_by_role("link", name="Twitching with weakness").click()
    settled(page)

    page.wait_for_selector(".card[data-topic=referral-red-flag]")
    assert page.locator("[aria-current=page]").inner_text().startswith("Twitching with weakness")
    assert page.title().startswith("Twitching with weakness")
    page.go_back()
    page.wait_for_selector(".silence")
    assert page.get_by_role("heading", level=1).inner_text() == patients()["nothing-to-say"].title


def test_patients_clicked_faster_than_the_service_answers_are_not_mixed_up(open_page):
    page = open_page("nothing-to-say")
    names = list(patients())
    page.evaluate("names => { for (const name of names) location.hash = name; }", names)
    settled(page)

    last = patients()[names[-1]]
    page.wait_for_selector(f"{ORDERS} .card[data-topic=referral-quality]")
    assert page.locator("main h2").first.inner_text() == "Orders", "what waits for a signature comes first"
    assert page.locator("[aria-current=page]").count() == 1
    assert page.get_by_role("heading", level=1).inner_text() == last.title
    assert [topic for topic, _, _ in cards(page, ORDERS)] == ["referral-quality"]
