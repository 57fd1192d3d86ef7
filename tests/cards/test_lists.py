"""What a rule looks for stands in its sheet: checked when it is loaded, changed in one place, and never in the rules."""

import ast
from dataclasses import replace
from importlib.resources import files
from itertools import chain
from pathlib import Path

import pytest

from cards.advise import advise
from cards.content import Content, check
from cards.entries import Area
from cards.example_charts import chart_of
from cards.lists import TABLES
from cards.moment import Moment
from cards.red_flags import RED_FLAGS
from cards.toml_file import read_section
from cards.topic import Topic, read_sheet
from cards.topics import TOPICS
from terminology.errors import BadContent

SHEETS = {topic.code: topic for topic in TOPICS}
ROW = '\n[[contraindication]]\nfinding = "contraindicated"\nconcepts = ["{}"]\nrule = "O2"\nsources = ["E15"]\n'


def changed(code: str, tmp_path: Path, *, add: str = "", old: str = "", new: str = "") -> Topic:
    """The topic with a copy of its sheet, changed as a pharmacist would change it."""
    name = code.replace("-", "_") + ".toml"
    text = (files("cards") / "topics" / name).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / name
    path.write_text(text.replace(old, new, 1) + add, encoding="utf-8")
    return replace(SHEETS[code], sheet=read_sheet(code, read_section(path)))


def with_topic(content: Content, topic: Topic) -> Content:
    return replace(content, topics=tuple(topic if t.code == topic.code else t for t in content.topics))


def drafted(content: Content, *drafts: str, problems: list[str], medicines: list[str] | None = None):
    chart = chart_of(content.vocabulary, problems=problems, drafts=[*drafts], medicines=medicines or [])
    return advise(chart, content, Moment.ORDER).cards


def test_a_contraindication_is_added_in_the_sheet_and_nowhere_else(content: Content, tmp_path: Path):
    problems = ["muscle-cramp 20 days ago", "hypothyroidism 900 days ago"]
    (before,) = drafted(content, "quinine 200 mg at night", problems=problems)
    after_change = with_topic(content, changed("quinine", tmp_path, add=ROW.format("hypothyroidism")))
    check(after_change)

    (after,) = drafted(after_change, "quinine 200 mg at night", problems=problems)

    assert (before.indicator.value, after.indicator.value) == ("info", "critical")
    assert "(hypothyroidism)" in after.summary


def test_a_class_of_medicines_is_added_in_the_sheet_and_nowhere_else(content: Content, tmp_path: Path):
    row = '\n[[interaction]]\nfinding = "related"\nmedicines = ["statin"]\nrule = "O3"\nsources = ["E15"]\n'
    lines = {"problems": ["muscle-cramp 20 days ago"], "medicines": ["atorvastatin"]}
    (before,) = drafted(content, "quinine 200 mg at night", **lines)

    (after,) = drafted(with_topic(content, changed("quinine", tmp_path, add=row)), "quinine 200 mg at night", **lines)

    assert "torvastatin" not in before.detail
    assert "Check atorvastatin against the product information" in after.detail


def test_an_ingredient_with_a_row_of_its_own_is_looked_for_whatever_its_class(content: Content, tmp_path: Path):
    row = '\n[[interaction]]\nfinding = "qt-medicine"\ningredients = ["pravastatin"]\nrule = "O3"\nsources = ["E14"]\n'
    lines = {"problems": ["muscle-cramp 20 days ago"], "medicines": ["pravastatin", "atorvastatin"]}

    (card,) = drafted(with_topic(content, changed("quinine", tmp_path, add=row)), "quinine 200 mg at night", **lines)

    assert "With pravastatin: both prolong the QT interval" in card.detail
    assert "torvastatin" not in card.detail


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ROW.format("horoscope"), "there is no problem concept 'horoscope'"),
        (ROW.format("statin"), "there is no problem concept 'statin'"),
        (ROW.format("order-ck"), "there is no problem concept 'order-ck'"),
        (ROW.format("tinnitus").replace("concepts", "orders"), "there is no order concept 'tinnitus'"),
        (ROW.format("tinnitus").replace("concepts", "medicines"), "there is no class of medicines 'tinnitus'"),
        (ROW.format("tinnitus").replace("concepts", "ingredients"), "'tinnitus' is no ingredient"),
        (ROW.format("tinnitus").replace("E15", "E99"), "there is no source 'E99'"),
        (ROW.format("tinnitus").replace('sources = ["E15"]', 'facts = ["F99"]'), "there is no fact 'F99'"),
        (ROW.format("tinnitus").replace('concepts = ["tinnitus"]', 'analyte = "tinnitus"'), "there is no analyte"),
        (ROW.format("tinnitus").replace('sources = ["E15"]', ""), "facts or sources should say why"),
        (ROW.format("tinnitus").replace('rule = "O2"', ""), "rule is missing"),
        (ROW.format("tinnitus").replace('concepts = ["tinnitus"]', ""), "should say what is looked for"),
        (ROW.format("tinnitus").replace('"contraindicated"', '"forbidden"'), r"no \[finding.forbidden\]"),
        (ROW.format("tinnitus") + 'above = "sky"\n', r"no \[threshold.sky\]"),
        (ROW.format("tinnitus") + 'symptoms = ["boredom"]\n', "'boredom' should be one of cramp"),
        (ROW.format("tinnitus") + 'because = "so"\n', "unknown key 'because'"),
    ],
)
def test_a_row_that_does_not_hold_together_names_file_and_line(content: Content, tmp_path: Path, row, said):
    text = (files("cards") / "topics" / "quinine.toml").read_text(encoding="utf-8")
    line = text.count("\n") + 2  # the blank line stands before it

    with pytest.raises(BadContent, match=said) as refused:
        check(with_topic(content, changed("quinine", tmp_path, add=row)))

    assert "quinine.toml: [[contraindication]] no. 6" in str(refused.value)
    assert f"line {line}" in str(refused.value)


def test_a_list_without_a_rule_or_a_use_is_refused(tmp_path: Path):
    with pytest.raises(BadContent, match=r"diltiazem.toml: \[list.spare\], line \d+: says is missing"):
        changed("diltiazem", tmp_path, add='\n[list.spare]\nconcepts = ["angina"]\n')


def test_a_list_that_a_rule_asks_for_and_the_sheet_lacks_is_named(tmp_path: Path):
    topic = changed("diltiazem", tmp_path, old="[list.cardiac]", new="[list.heart]")

    with pytest.raises(BadContent, match=r"diltiazem.toml: \[list.cardiac\] is missing"):
        topic.sheet.concepts("cardiac")


@pytest.mark.parametrize("place", ["presentation.toml", "red_flags.toml"])
def test_the_shared_lists_are_checked_too(content: Content, place, monkeypatch):
    if place == "presentation.toml":
        content = replace(content, gatekeeper=replace(content.gatekeeper, palliative=("horoscope",)))
    else:
        monkeypatch.setattr("cards.content.RED_FLAGS", replace(RED_FLAGS, known=("horoscope",)))

    with pytest.raises(BadContent, match=f"{place}: there is no concept 'horoscope'"):
        check(content)


def test_a_draft_is_judged_wherever_data_quality_says_so():
    """The classes of the order rules stand in data_quality.toml once more, with what decides; they may not drift."""
    judged = SHEETS["data-quality"].sheet.rows["judged"]
    named = {name for row in judged if row.by_name for name in row.medicines}
    contributors = chain(*(row.medicines for row in SHEETS["medicines"].sheet.rows["contributor"]))
    tests = SHEETS["test-appropriateness"].sheet.lists.values()

    assert named == set(contributors)
    assert {order for row in judged for order in row.orders} == {order for one in tests for order in one.orders}
    assert all(Area.PROBLEMS in row.areas for row in judged)


#: What a topic is about, and what results it reads: the subject itself, not a list that a site may wish to change.
SUBJECTS = {"quinine", "malaria", "diltiazem", "statin", "diuretic", "potassium-sparing"}


@pytest.mark.parametrize("topic", TOPICS, ids=[topic.code for topic in TOPICS])
def test_no_condition_and_no_class_of_medicines_stands_in_the_rules(content: Content, topic: Topic):
    """Clinical content is what a clinician can read and change without code."""
    sheet = topic.sheet
    own = {*sheet.kinds, *sheet.suggestions, *sheet.numbers, *sheet.lists, *TABLES}
    tables = content.vocabulary.tables
    clinical = ({*tables.titles, *tables.classes} - {*content.vocabulary.analytes}) - own - SUBJECTS
    path = files("cards") / "topics" / (topic.code.replace("-", "_") + ".py")
    texts = {
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert not texts & clinical
    assert not {f'has("{name}")' for name in own if f'has("{name}")' in path.read_text(encoding="utf-8")}
