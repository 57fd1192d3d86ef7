"""Each value is shown with the range used and whose range it is (specification 3.6)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from cards.advise import advise
from cards.card import Advice
from cards.content import Content
from cards.example_charts import chart_of

Ask = Callable[..., Advice]

CRAMP = ["muscle-cramp 5 days ago"]


def shown(advice: Advice, start: str) -> str:
    """What stands in brackets behind the value."""
    lines = [line for card in advice.cards for line in card.detail.split("\n") if line.startswith(f"- {start}")]
    return lines[0].split(" (")[-1].split(";")[0]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("potassium 3.1 mmol/L [3.4-5.0]", "3.4-5.0 mmol/L, range sent with the result"),
        ("potassium 3.1 mmol/L", "3.5-5.3 mmol/L, UK default range, none was sent"),
        # the side that was not sent is said to be ours
        ("potassium 5.5 mmol/L [3.4-]", "3.4-5.3 mmol/L, lower limit sent with the result, upper limit a UK default"),
        ("potassium 3.1 mmol/L [-5.0]", "3.5-5.0 mmol/L, upper limit sent with the result, lower limit a UK default"),
        # and is left out where no value can be outside on that side
        ("magnesium 0.60 mmol/L [0.75-]", "from 0.75 mmol/L, range sent with the result"),
    ],
)
def test_a_limit_is_called_the_laboratorys_only_if_it_was_sent(advised: Ask, result: str, expected: str) -> None:
    title = result.split(maxsplit=1)[0].capitalize()
    assert shown(advised(problems=CRAMP, results=[f"{result} 3 days ago"]), title) == expected


@pytest.mark.parametrize("person", ["female 50", "unknown 50"])
def test_a_limit_for_creatine_kinase_stands_alone(advised: Ask, person: str) -> None:
    advice = advised(problems=CRAMP, person=person, results=["ck-total 700 U/L [-320] 3 days ago"])
    assert shown(advice, "Creatine kinase") == "to 320 U/L, range sent with the result"


@pytest.mark.parametrize(
    ("result", "start", "expected"),
    [
        ("potassium 3.1 mmol/L", "Potassium", "3.5-5.3 mmol/L, UK default range, none was sent that can be used"),
        ("tsh 6.0 mIU/L", "Thyroid", "no range was sent that can be used"),
    ],
)
def test_a_range_that_was_sent_and_not_used_is_not_called_missing(
    content: Content, result: str, start: str, expected: str
) -> None:
    """As a range in words, or two that differ."""
    chart = chart_of(content.vocabulary, problems=CRAMP, results=[f"{result} 3 days ago"])
    unused = replace(chart, results=tuple(changed(r, range_unused=True) for r in chart.results))
    assert shown(advise(unused, content), start) == expected
