"""Cards: urgency by word and picture, detail from Markdown without markup, suggestions, dismissal, feedback."""

import json

import pytest

from tests.browser.a_browser import ask, settled
from tests.browser.seen import ORDERS, RECORD, basket, called, card, cards, choose


def counts(address, topic):
    lines = ask(address, "/demo/feedback")["lines"]
    found = [line for line in lines if line["topic"] == topic]
    return {
        "shown": sum(line["shown"] for line in found),
        "accepted": sum(line["accepted"] for line in found),
        "overridden": sum(line["overridden"] for line in found),
        "reasons": {name: count for line in found for name, count in line["reasons"].items()},
    }


def a_card(**changed):
    return {
        "uuid": "5c9ba9c1-0e3b-4a0e-9df0-3a5a2a2a6f10",
        "summary": "A summary",
        "indicator": "info",
        "source": {"label": "a source"},
    } | changed


def answering(hook, *made):
    """Puts cards of the test in the place of those of the service."""

    def prepare(page):
        page.route(
            f"**/cds-services/muscle-{hook}",
            lambda route: route.fulfill(status=200, content_type="application/json", body=json.dumps({"cards": made})),
        )

    return prepare


def test_a_card_shows_its_urgency_in_a_word_its_source_and_its_links(open_page):
    page = open_page("twitching-with-hand-weakness")
    red_flag = card(page, "referral-red-flag")

    assert red_flag.locator(".indicator").inner_text() == "Warning"
    assert red_flag.locator(".indicator svg").count() == 1
    assert "muscle-cds rules" in red_flag.locator(".source").inner_text()
    link = red_flag.get_by_role("link", name="NICE NG127")
    assert link.get_attribute("href").startswith("https://www.nice.org.uk/")
    assert {"noopener", "noreferrer"} <= set(link.get_attribute("rel").split())


def test_the_three_indicators_differ_in_word_and_shape_and_not_in_colour_alone(open_page):
    made = [a_card(indicator=one, uuid=f"5c9ba9c1-0e3b-4a0e-9df0-00000000000{at}") for at, one in enumerate(("critical", "warning", "info"))]  # fmt: skip
    page = open_page(prepare=answering("patient-view", *made))

    assert [word for _, word, _ in cards(page)] == ["critical", "warning", "information"]
    shapes = page.locator(".indicator path:first-child").evaluate_all("all => all.map((one) => one.getAttribute('d'))")
    assert len(set(shapes)) == 3


def test_the_detail_is_closed_until_it_is_asked_for_and_then_in_parts(open_page):
    page = open_page()
    detail = card(page, "biochemistry").locator(".detail")

    assert not detail.locator(".sections").is_visible()
    detail.locator("summary").click()
    titles = detail.get_by_role("heading", level=4).all_inner_texts()
    assert titles[0] == "Found"
    assert titles[-1] == "Basis"
    assert "**" not in detail.inner_text()
    assert detail.get_by_role("listitem").first.inner_text().startswith("Potassium 3.1 mmol/L")


HOSTILE = """**Found**

- <img src=x onerror="window.hurt=1"> and **strong** and *soft*
- [a](javascript:window.hurt=1) [b](https://example.org/b) <script>window.hurt=1</script>
- `<b>code</b>` &lt;i&gt;

<div onclick="window.hurt=1">plain</div>
"""


def test_markup_and_hostile_links_in_a_card_stay_text(open_page):
    made = a_card(
        summary="<img src=x onerror=window.hurt=1> summary",
        detail=HOSTILE,
        source={"label": "<b>source</b>", "url": "javascript:window.hurt=1"},
        links=[{"label": "bad", "url": "javascript:window.hurt=1", "type": "absolute"}],
        overrideReasons=[{"code": "x", "system": "y", "display": "<i>reason</i>"}],
    )
    page = open_page(prepare=answering("patient-view", made))
    shown = page.locator(".card")
    shown.locator("summary").click()

    assert page.evaluate("window.hurt") is None
    assert shown.locator("img, script, i, b, [onclick], [onerror]").count() == 0
    assert [link.get_attribute("href") for link in shown.get_by_role("link").all()] == ["https://example.org/b"]
    assert shown.locator("strong").inner_text() == "strong"
    assert shown.locator("code").inner_text() == "<b>code</b>"
    assert '<div onclick="window.hurt=1">plain</div>' in shown.inner_text()


def test_an_accepted_suggestion_is_drafted_and_told_to_the_service(open_page, address):
    page = open_page()
    before = counts(address, "biochemistry")
    repeat = card(page, "biochemistry").get_by_role("button", name="Repeat urea and electrolytes")

    sent, answer = called(page, "patient-view/feedback", repeat.click)

    (item,) = sent["feedback"]
    assert item["outcome"] == "accepted"
    assert len(item["acceptedSuggestions"]) == 1
    assert answer == {"recorded": 1, "repeated": 0, "unmatched": 0, "timedAtReceipt": 0}
    assert basket(page) == ["Urea and electrolytes (U&E)"]
    assert counts(address, "biochemistry")["accepted"] == before["accepted"] + 1
    page.get_by_text("Accepted. The service answered: 1 recorded").wait_for()
    taken = card(page, "biochemistry").get_by_role("button", name="Taken over: Repeat urea")
    taken.click(force=True)
    settled(page)
    assert basket(page) == ["Urea and electrolytes (U&E)"]


def test_a_review_that_is_taken_over_becomes_a_task_and_is_not_sent_as_an_order(open_page):
    page = open_page()

    card(page, "medicines").get_by_role("button", name="Review Indapamide").click()
    settled(page)

    assert page.locator(".basket .kind").all_inner_texts() == ["Task"]
    assert page.get_by_role("button", name="Sign 0 orders").is_disabled()


def test_a_card_dismissed_with_a_reason_reaches_the_store(open_page, address):
    page = open_page()
    before = counts(address, "medicines")
    dismissed = card(page, "medicines")
    dismissed.get_by_label("Dismiss because").select_option(label="Under specialist")

    sent, _ = called(page, "patient-view/feedback", dismissed.get_by_role("button", name="Dismiss").click)

    (item,) = sent["feedback"]
    assert (item["outcome"], item["overrideReason"]["reason"]["code"]) == ("overridden", "under-specialist")
    page.get_by_text("Dismissed: Under specialist. The service answered: 1 recorded").wait_for()
    after = counts(address, "medicines")
    assert after["overridden"] == before["overridden"] + 1
    assert after["reasons"]["under-specialist"] == before["reasons"].get("under-specialist", 0) + 1
    assert dismissed.locator("footer").is_hidden()
    assert dismissed.locator("h3").evaluate("title => title === document.activeElement")
    kept = page.locator("#kept").get_by_role("row", name="medicines")
    page.locator("#wire-fold > summary").click()
    assert kept.get_by_role("cell").last.inner_text() == str(after["overridden"])


def test_a_card_can_be_dismissed_without_a_reason(open_page, address):
    page = open_page()
    before = counts(address, "symptom-advice")

    sent, _ = called(
        page, "patient-view/feedback", card(page, "symptom-advice").get_by_role("button", name="Dismiss").click
    )

    assert "overrideReason" not in sent["feedback"][0]
    assert counts(address, "symptom-advice")["overridden"] == before["overridden"] + 1


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ({"type": "delete", "resourceId": "MedicationRequest/draft-1", "description": "Take it out"}, []),
        (
            {
                "type": "update",
                "description": "Change it",
                "resource": {
                    "resourceType": "MedicationRequest",
                    "id": "draft-1",
                    "status": "draft",
                    "intent": "order",
                    "medicationCodeableConcept": {"text": "Something else"},
                },
            },
            ["Something else"],
        ),
    ],
)
def test_a_suggestion_may_take_a_draft_away_or_change_it(open_page, action, left):
    suggestion = {"label": "Do it", "uuid": "fafbced8-149f-4cf5-91c5-b76c9c79ae2a", "actions": [action]}
    made = a_card(suggestions=[suggestion], selectionBehavior="any")
    page = open_page("order-quinine-with-digoxin", prepare=answering("order-select", made))
    assert basket(page) == ["Quinine sulfate 200 mg"]

    page.locator(ORDERS).get_by_role("button", name="Do it").click()
    settled(page)

    assert basket(page) == left


def test_a_refusal_is_shown_with_its_words_and_never_as_silence(open_page):
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "incomplete", "diagnostics": "Nothing could be read."}]}  # fmt: skip

    def prepare(page):
        page.route("**/cds-services/muscle-patient-view", lambda route: route.fulfill(status=412, json=outcome))

    page = open_page(prepare=prepare)

    said = page.locator(RECORD).inner_text()
    assert "The service could not answer (status 412)." in said
    assert "Nothing could be read." in said
    assert "nothing to say" not in page.locator("main").inner_text()
    assert [text for text in open_page.expected if "412" in text]
    open_page.expected.clear()  # the browser itself writes a line for the status


def test_a_service_that_does_not_answer_is_said_to_be_away(open_page):
    page = open_page(prepare=lambda page: page.route("**/cds-services/muscle-*", lambda route: route.abort()))

    assert "No answer. The service could not be reached." in page.locator(RECORD).inner_text()
    open_page.expected.clear()


def test_a_chosen_order_is_judged_and_its_cards_go_with_it(open_page):
    page = open_page()

    sent, answer = called(page, "order-select", lambda: choose(page, "furosemide 40"))

    draft = sent["context"]["draftOrders"]["entry"][0]["resource"]
    assert sent["context"]["selections"] == [f"MedicationRequest/{draft['id']}"]
    assert draft["medicationCodeableConcept"]["coding"][0]["code"] == "317972000"
    assert answer["cards"]
    page.wait_for_selector(f"{ORDERS} .card")
    page.get_by_role("button", name="Remove Furosemide 40mg tablets").click()
    settled(page)
    assert basket(page) == []
    assert page.locator(f"{ORDERS} *").count() == 0
