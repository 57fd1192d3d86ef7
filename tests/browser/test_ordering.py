"""From the order pad to the signature."""

from tests.browser.a_browser import settled
from tests.browser.seen import ORDERS, answered, basket, called, cards, choose


def test_orders_are_chosen_judged_changed_and_signed(open_page):
    page = open_page()
    called(page, "order-select", lambda: choose(page, "quinine sulfate 200"))
    page.wait_for_selector(f"{ORDERS} .card[data-topic=quinine]")
    called(page, "order-select", lambda: choose(page, "ck"))
    settled(page)
    assert basket(page) == ["Quinine sulfate 200mg tablets", "Creatine kinase (CK)"]
    assert "quinine" in {topic for topic, _, _ in cards(page, ORDERS)}, "advice on the first order stays"

    sent, answer = called(page, "order-sign", page.get_by_role("button", name="Sign 2 orders").click)

    assert "selections" not in sent["context"]
    assert len(sent["context"]["draftOrders"]["entry"]) == 2
    page.get_by_role("button", name="Sign all the same").wait_for()
    assert cards(page, ORDERS) == answered(answer)
    page.get_by_role("button", name="Back to the orders").click()
    page.get_by_role("button", name="Remove Creatine kinase (CK)").click()
    called(page, "order-sign", page.get_by_role("button", name="Sign 1 order").click)
    page.get_by_role("button", name="Sign all the same").click()
    assert "1 order signed, in this page only." in page.locator("#basket").inner_text()
    assert basket(page) == []
    assert page.locator(f"{ORDERS} *").count() == 0


def test_a_draft_that_waits_is_in_the_basket_and_judged_as_the_record_is_opened(open_page):
    page = open_page("order-quinine-with-digoxin")

    assert basket(page) == ["Quinine sulfate 200 mg"]
    assert page.locator(".basket .when").inner_text() == "200 mg at night"
    assert ("quinine", "warning") in {(topic, word) for topic, word, _ in cards(page, ORDERS)}


def test_the_search_shows_medicines_tests_and_referrals_and_says_when_it_finds_nothing(open_page):
    page = open_page()
    pad = page.get_by_label("Order a medicine, a test or a referral")
    pad.fill("neurology")
    page.locator("#found [role=option]", has_text="Private referral to neurology").wait_for()
    assert {kind.inner_text() for kind in page.locator("#found .kind").all()} == {"Referral"}

    pad.fill("there is no such thing")
    page.get_by_text("Nothing of that name in the tables").wait_for()
    pad.press("Enter")
    pad.press("Escape")
    assert page.locator("#found").is_hidden()
    assert basket(page) == []


def test_another_patient_begins_with_an_empty_basket(open_page):
    page = open_page()
    called(page, "order-select", lambda: choose(page, "furosemide 40"))
    page.get_by_role("link", name="Normal record").click()
    page.wait_for_selector(".silence")
    settled(page)

    assert basket(page) == []
    assert page.locator(f"{ORDERS} *").count() == 0
