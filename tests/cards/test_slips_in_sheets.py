"""What the worked examples say of a slip in a sheet, so that nobody has to meet it with a patient."""

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from cards.content import Content
from cards.examples import run
from cards.toml_file import read_section
from cards.topic import read_sheet
from terminology.errors import BadContent


@pytest.fixture
def thyroid(content: Content, tmp_path: Path) -> "Thyroid":
    return Thyroid(content, tmp_path / "thyroid.toml")


class Thyroid:
    """The sheet of one topic, to be changed, and what its examples then say."""

    def __init__(self, content: Content, path: Path) -> None:
        self.content, self.path = content, path
        self.text = (files("cards") / "topics" / "thyroid.toml").read_text(encoding="utf-8")

    def problems(self, *, old: str = "", new: str = "", add: str = "") -> Iterator[str]:
        assert old in self.text
        self.path.write_text(self.text.replace(old, new, 1) + add, encoding="utf-8")
        topic = next(topic for topic in self.content.topics if topic.code == "thyroid")
        changed = replace(topic, sheet=read_sheet("thyroid", read_section(self.path)))
        for outcome in run(replace(self.content, topics=(changed,))):
            yield from outcome.problems


def test_a_placeholder_of_a_sentence_that_no_example_shows_is_tried_too(thyroid: Thyroid) -> None:
    """The line of a finding without a card stands on other topics' cards only, where it would cost that card."""
    (said,) = thyroid.problems(old="TSH {value} mIU/L ({date}) was sent", new="TSH {vlue} mIU/L ({date}) was sent")

    assert said == "thyroid.toml: [finding.no-range], line 86: nothing is filled in for {vlue}; it may name date, value"


def test_a_placeholder_of_a_suggestion_is_tried_too(thyroid: Thyroid) -> None:
    said = set(thyroid.problems(old='label   = "Free T4"', new='label   = "Free T4 {when}"'))

    assert any("[suggestion.free-t4], line" in one and "{when}" in one for one in said)


def test_a_summary_that_would_be_cut_short_fails(thyroid: Thyroid) -> None:
    said = set(
        thyroid.problems(old='consider review"', new='consider a review of this and of all else that is known of it"')
    )

    assert any(re.search(r"the summary has 1[4-9]\d characters", one) and "shorten it to 139" in one for one in said), (
        said
    )


def test_a_finding_that_the_sheet_no_longer_describes_is_named(thyroid: Thyroid) -> None:
    thyroid.text = thyroid.text.replace("low-tsh", "low-thyrotropin")

    said = set(thyroid.problems())

    assert "the rules find 'low-tsh', but the sheet has no [finding.low-tsh]" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('person = "female born 1950-02-31"', "day is out of range for month"),
        ('results = ["tsh 3.1.4 mIU/L 3 days ago"]', "a number cannot be"),
        ('results = ["tsh 3.1 mIU/L 3 days ago at 25:00"]', "hour must be in"),
        ('problems = ["muscle-cramp 999999999 days ago"]', "a date, a time or a number cannot be"),
        ('results = ["tsh 3.1 3 days ago"]', "cannot read 'tsh 3.1 3 days ago'"),
        ('person = "woman 50"', "cannot read 'woman 50'"),
        ('cards = "none"', "unknown key 'cards'"),
    ],
)
def test_an_example_that_cannot_be_read_is_named_with_its_line(thyroid: Thyroid, line: str, said: str) -> None:
    with pytest.raises(BadContent) as refused:
        list(thyroid.problems(add=f'\n[[example]]\nname = "mine"\nfinding = []\n{line}\n'))

    assert str(refused.value).startswith("thyroid.toml: [[example]] no. 15, line 225: mine: ")
    assert said in str(refused.value)
