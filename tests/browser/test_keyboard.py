"""Everything can be done, and seen to be done, with the keyboard alone."""

import pytest

from tests.browser.a_browser import settled
from tests.browser.seen import basket, called

FOCUS = """() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  return { name: one.getAttribute("aria-label") ?? one.innerText ?? "", tag: one.tagName, id: one.id,
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth) };
}"""


class Keys:
    """Presses keys on a page; every place the focus stops at has to be visible."""

    def __init__(self, page):
        self.page = page
        self.stops = []

    def tab_to(self, words, *, most=120):
        """Presses Tab until something of this name has the focus."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(FOCUS)
            self.stops.append(stop)
            if words in stop["name"] or words == stop["id"]:
                return stop
        raise AssertionError(f"{words!r} cannot be reached: {[one['name'][:40] for one in self.stops]}")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture
def keys(open_page):
    made = Keys(open_page("nothing-to-say"))
    made.page.evaluate("document.activeElement.blur()")
    yield made
    assert [stop for stop in made.stops if stop["tag"] != "BODY" and stop["outline"] < 2] == []


def test_the_first_stop_leads_past_the_list_to_the_advice(keys):
    stop = keys.tab_to("Skip to the advice", most=1)
    keys.press("Enter")

    assert stop["tag"] == "A"
    assert keys.page.evaluate("document.activeElement.id") == "advice"


def test_a_patient_is_opened_a_card_read_accepted_and_dismissed(keys):
    page = keys.page
    keys.tab_to("Low potassium on a diuretic")
    keys.press("Enter")
    page.wait_for_selector(".card[data-topic=biochemistry]")
    settled(page)
    assert page.evaluate(FOCUS)["name"].startswith("Low potassium on a diuretic"), "the focus stays where it was"

    keys.tab_to("What it rests on")
    keys.press("Enter")
    assert page.locator(".sections").first.is_visible()
    keys.tab_to("Repeat urea and electrolytes")
    sent, _ = called(page, "patient-view/feedback", lambda: keys.press("Enter"))
    assert sent["feedback"][0]["outcome"] == "accepted"
    settled(page)
    assert basket(page) == ["Urea and electrolytes (U&E)"]
    focused = page.evaluate(FOCUS)
    assert focused["name"].startswith("Taken over"), "the focus stays where it was"

    reason = keys.tab_to("No reason")
    assert reason["tag"] == "SELECT"
    keys.press("ArrowDown")
    keys.tab_to("Dismiss", most=1)
    sent, _ = called(page, "patient-view/feedback", lambda: keys.press("Space"))
    assert sent["feedback"][0]["overrideReason"]["reason"]["code"] == "already-acted-on"


def test_an_order_is_found_chosen_removed_and_signed(keys):
    page = keys.page
    keys.tab_to("order-search")
    page.keyboard.type("furosemide 40")
    page.wait_for_selector("#found [role=option]")
    settled(page)  # each letter asks anew, and a later answer takes the place of an earlier one
    keys.press("ArrowUp")
    last = page.locator("[aria-selected=true]").inner_text()
    keys.press("ArrowDown")
    assert page.locator("[aria-selected=true]").inner_text() != last
    active = page.locator("#order-search").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    keys.press("ArrowUp", "ArrowDown")
    called(page, "order-select", lambda: keys.press("Enter"))
    settled(page)
    assert basket(page) == ["Furosemide 40mg tablets"]

    keys.tab_to("Remove Furosemide")
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "order-search"
    page.keyboard.type("creatine")
    page.wait_for_selector("#found [role=option]")
    settled(page)
    called(page, "order-select", lambda: keys.press("Enter"))
    settled(page)
    keys.tab_to("Sign 1 order")
    called(page, "order-sign", lambda: keys.press("Enter"))
    settled(page)
    assert page.evaluate("document.activeElement.id") == "finish"
    keys.press("Enter")
    assert "1 order signed" in page.locator("#basket").inner_text()


def test_the_scenes_are_opened_and_a_switch_is_turned(keys):
    page = keys.page
    keys.tab_to("Behind the scenes")
    keys.press("Enter")
    assert page.locator("#fetched").is_visible()
    keys.tab_to("fetched")
    sent, _ = called(page, "patient-view", lambda: keys.press("Space"))
    assert "prefetch" not in sent
    settled(page)
    assert page.evaluate("document.activeElement.id") == "fetched"
    keys.tab_to("key-results")
    sent, _ = called(page, "patient-view", lambda: keys.press("Home"))
    assert set(sent["prefetch"]) == {"results"}
