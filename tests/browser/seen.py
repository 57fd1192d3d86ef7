"""What can be seen on the page, in the words of a test."""

RECORD, ORDERS = "#record-cards", "#order-cards"


def cards(page, where=RECORD):
    """Topic, indicator and summary of the cards in one place, as shown, in their order."""
    return [
        (
            card.get_attribute("data-topic"),
            card.locator(".indicator").inner_text().lower(),
            card.locator("h3").inner_text(),
        )
        for card in page.locator(f"{where} .card").all()
    ]


def answered(answer):
    """The same of the answer of the service."""
    words = {"info": "information", "warning": "warning", "critical": "critical"}
    return [(card["source"]["topic"]["code"], words[card["indicator"]], card["summary"]) for card in answer["cards"]]


def basket(page):
    """What is drafted, in words."""
    return page.locator(".basket .what").all_inner_texts()


def card(page, topic, where=RECORD):
    """The card on a topic."""
    return page.locator(f"{where} .card[data-topic={topic}]")


def called(page, hook, act):
    """Does something that calls a hook; the body that was sent, and the answer."""
    with page.expect_response(lambda response: f"/cds-services/muscle-{hook}" in response.url) as got:
        act()
    response = got.value
    return response.request.post_data_json, response.json()


def choose(page, text):
    """Orders the first thing found under a name."""
    page.get_by_label("Order a medicine, a test or a referral").fill(text)
    page.locator("#found [role=option]").first.click()
