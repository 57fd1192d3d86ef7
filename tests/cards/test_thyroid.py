"""TSH weighed with the free hormones: judged by the range sent with them and by no other (P13)."""

from collections.abc import Callable

import pytest

from cards.card import Advice

Ask = Callable[..., Advice]

HIGH, LOW = "tsh 6.0 mIU/L [0.4-4.5] 5 days ago", "tsh 0.2 mIU/L [0.4-4.5] 5 days ago"


def indicator(advice: Advice) -> str:
    return next((card.indicator.value for card in advice.cards if card.topic == "thyroid"), "none")


@pytest.mark.parametrize(
    ("tsh", "hormone", "expected"),
    [
        (HIGH, "free-t4 8.9 pmol/L [9-19] 5 days ago", "warning"),
        (HIGH, "free-t4 9.0 pmol/L [9-19] 5 days ago", "info"),
        (HIGH, "free-t4 <9.0 pmol/L [9-19] 5 days ago", "warning"),
        (HIGH, "free-t4 <=9.0 pmol/L [9-19] 5 days ago", "info"),
        (HIGH, "free-t4 >8.0 pmol/L [9-19] 5 days ago", "info"),
        (HIGH, "free-t4 8.9 pmol/L [-19] 5 days ago", "info"),  # no lower limit was sent
        (HIGH, "free-t4 8.9 pmol/L [9-] 5 days ago", "warning"),
        (HIGH, "free-t4 8.9 pmol/L [9-19] 366 days ago", "info"),
        (HIGH, "free-t4 8.9 pmol/L [9-19] 5 days ago preliminary", "info"),
        (HIGH, "free-t3 2.0 pmol/L [3.1-6.8] 5 days ago", "info"),  # a low free T3 beside a high TSH decides nothing
        (HIGH, "free-t4 25 pmol/L [9-19] 5 days ago", "info"),
        (LOW, "free-t4 19.1 pmol/L [9-19] 5 days ago", "warning"),
        (LOW, "free-t4 19.0 pmol/L [9-19] 5 days ago", "info"),
        (LOW, "free-t4 >19.0 pmol/L [9-19] 5 days ago", "warning"),
        (LOW, "free-t4 <30 pmol/L [9-19] 5 days ago", "info"),
        (LOW, "free-t3 6.9 pmol/L [3.1-6.8] 5 days ago", "warning"),
        (LOW, "free-t4 5.0 pmol/L [9-19] 5 days ago", "info"),
        ("tsh 2.0 mIU/L [0.4-4.5] 5 days ago", "free-t4 5.0 pmol/L [9-19] 5 days ago", "none"),
        ("tsh 6.0 mIU/L 5 days ago", "free-t4 5.0 pmol/L [9-19] 5 days ago", "none"),  # no range was sent for TSH
    ],
)
def test_a_free_hormone_out_on_the_other_side_makes_a_warning(
    advised: Ask, tsh: str, hormone: str, expected: str
) -> None:
    assert indicator(advised(problems=["muscle-cramp 5 days ago"], results=[tsh, hormone])) == expected


@pytest.mark.parametrize(
    ("value", "shown"), [("8.9", True), ("<9", True), ("<=9", False), ("9", False), (">19", True), ("<19", False)]
)
def test_a_preliminary_hormone_outside_its_range_is_named(advised: Ask, value: str, shown: bool) -> None:
    hormone = f"free-t4 {value} pmol/L [9-19] 5 days ago preliminary"
    advice = advised(problems=["muscle-cramp 5 days ago"], results=[hormone])
    assert any("preliminary" in card.detail for card in advice.cards) is shown


def test_free_t4_is_not_suggested_when_it_may_be_there_unread(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp 5 days ago"], results=[HIGH], incomplete=["results"])
    (card,) = [card for card in advice.cards if card.topic == "thyroid"]
    assert "Free T4" not in {one.label for one in card.suggestions}


def test_of_two_of_the_same_time_the_one_whose_free_hormone_is_out_as_well_is_the_graver(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp 5 days ago"], results=[HIGH, LOW, "free-t4 30 pmol/L [9-19] 5 days ago"])
    (card,) = [card for card in advice.cards if card.topic == "thyroid"]
    assert card.indicator.value == "warning"
    assert card.summary.startswith("TSH 0.20 mIU/L")
    assert "(TSH) 6.00 mIU/L" in card.detail
