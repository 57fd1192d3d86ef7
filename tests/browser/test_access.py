"""What people need who see little, hear the page, hold a phone, or want no movement."""

from itertools import pairwise

import pytest

from service.demo import patients
from tests.browser.a_browser import settled
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seen import card, choose
from tests.repository import ROOT

AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])

# Each piece of text with its ratio of contrast to what is behind it, by the formula of WCAG 2.2; a canvas reads colours.
CONTRAST = """() => {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); return pen.getImageData(0, 0, 1, 1).data; };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, part, at) => {
    const v = c[at] / 255; return sum + part * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0);
  const behind = (one) => { for (let at = one; at; at = at.parentElement) {
    const c = rgba(getComputedStyle(at).backgroundColor); if (c[3] === 255) return c; } return rgba("white"); };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const one = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !one.checkVisibility({ visibilityProperty: true }) || one.closest("noscript, option, .unseen, .skip")) continue;
    const pair = [light(rgba(getComputedStyle(one).color)), light(behind(one))].sort((a, b) => b - a);
    found.push({ text: texts.currentNode.data.trim().slice(0, 40), ratio: (pair[0] + 0.05) / (pair[1] + 0.05) });
  }
  return found;
}"""


def everything_open(page):
    """Brings all there is into view: a detail, a basket with cards, a card put aside, the scenes with a call."""
    settled(page)
    page.locator(".card .detail summary").first.click()
    choose(page, "furosemide 40")
    card(page, "symptom-advice").get_by_role("button", name="Dismiss").click()
    page.locator("#wire-fold > summary").click()
    page.locator("#calls .json summary").first.click()
    return settled(page)


@SCHEMES
def test_all_text_stands_out_from_what_is_behind_it(open_page, scheme, keep):
    page = everything_open(open_page(scheme=scheme))
    keep(page, f"everything-{scheme}")

    found = page.evaluate(CONTRAST)
    assert len(found) > 100
    assert [one for one in found if one["ratio"] < 4.5] == []


def test_the_dark_scheme_has_another_background_than_the_light_one(open_page):
    grounds = [open_page("nothing-to-say", scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor") for scheme in ("light", "dark")]  # fmt: skip

    assert len(set(grounds)) == 2


def test_every_control_has_a_name(open_page):
    page = everything_open(open_page())

    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    focusable = [
        (node.get("role", {}).get("value"), node.get("name", {}).get("value", ""))
        for node in tree
        if not node["ignored"]
        and any(one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", []))
    ]
    named = [one for one in focusable if one[0] not in ("RootWebArea", "option", "MenuListPopup")]
    assert len(named) > 40
    assert [one for one in named if not one[1].strip()] == []


def test_the_page_has_its_landmarks_one_title_and_headings_in_order(open_page):
    page = everything_open(open_page())

    for role in ("banner", "navigation", "main", "complementary", "contentinfo"):
        assert page.get_by_role(role).count() == 1, role
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.filter((one) => one.checkVisibility()).map((one) => +one.tagName[1])")  # fmt: skip
    assert levels.count(1) == 1
    inside = levels[levels.index(1) :]
    assert all(after <= before + 1 for before, after in pairwise(inside))
    assert page.locator("html").get_attribute("lang") == "en-GB"


def test_no_two_elements_have_one_id_and_every_label_leads_somewhere(open_page):
    page = everything_open(open_page())

    ids = page.locator("[id]").evaluate_all("all => all.map((one) => one.id)")
    assert len(ids) == len(set(ids))
    led = page.locator("label[for], [aria-labelledby], [aria-controls]").evaluate_all(
        "all => all.map((one) => one.getAttribute('for') ?? one.getAttribute('aria-labelledby') ?? one.getAttribute('aria-controls'))"
    )
    assert set(led) <= set(ids)


def test_what_happens_is_said_to_those_who_listen(open_page):
    page = open_page()
    said = page.locator("#said")

    assert said.inner_text() == "3 cards: 2 warning, 1 information."
    assert said.get_attribute("aria-live") == "polite"
    choose(page, "furosemide 40")
    settled(page)
    assert said.inner_text() == "1 card: 1 warning."


def test_nothing_is_wider_than_a_phone(open_page, keep):
    page = open_page(viewport=NARROW, has_touch=True)
    page.locator("#wire-fold > summary").click()

    for name, patient in patients().items():
        page.evaluate("name => { location.hash = name; }", name)
        page.get_by_role("heading", level=1, name=patient.title, exact=True).wait_for()
        settled(page)
        page.locator("#patients-fold > summary").click()
        if page.locator(".card .detail summary").count():
            page.locator(".card .detail summary").first.click()
        width = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]")
        assert max(width) == 360, name
    keep(page, "phone")


def test_what_is_pressed_on_a_phone_is_large_enough(open_page):
    page = open_page(viewport=NARROW, has_touch=True)

    heights = page.locator("button:visible, select:visible, #order-search").evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")  # fmt: skip
    assert heights
    assert min(heights) >= 44


def test_nothing_moves_for_those_who_want_no_movement(open_page):
    page = everything_open(open_page(reduced_motion="reduce"))

    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter((one) => { const s = getComputedStyle(one); return parseFloat(s.transitionDuration) > 0 || s.animationName !== 'none'; }).length"
    )
    assert moving == 0


def test_a_window_of_middle_width_and_large_type_fit_too(open_page, keep):
    page = open_page(viewport={"width": 900, "height": 800})
    keep(page, "middle")
    assert page.evaluate("document.documentElement.scrollWidth") == 900
    wide = open_page(viewport=WIDE)
    wide.add_style_tag(url="/demo/static/base.css")
    wide.evaluate("document.documentElement.style.fontSize = '200%'")
    assert wide.evaluate("document.documentElement.scrollWidth") <= WIDE["width"]


@SCHEMES
def test_axe_finds_no_fault_in_accessibility(open_page, scheme):
    if not AXE.is_file():
        pytest.skip("axe-core is not here (npm install --no-save --prefix tests/browser axe-core)")
    page = everything_open(open_page(scheme=scheme))

    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations.map((one) => [one.id, one.nodes.map((node) => node.html)])")  # fmt: skip
    assert found == []
