"""A sheet, or any other content, that does not hold together stops the start and says where."""

from copy import deepcopy
from dataclasses import replace

import pytest

from cards.content import Content, check, load_content
from cards.toml_file import Section, read_section
from cards.topic import read_sheet
from terminology.errors import BadContent
from terminology.vocabulary import load

KIND = {
    "rule": "P9",
    "summary": "{analyte} low",
    "when": "The value is low.",
    "facts": ["F16"],
    "why": [{"say": "Metabolic disorders may cause cramp.", "facts": ["F16"]}],
    "check": [{"say": "Ask about medicines.", "facts": ["F29"]}],
    "consider": [{"say": "Consider a repeat test.", "facts": ["F36"]}],
}
SHEET = {
    "topic": {
        "title": "A subject",
        "moments": ["record"],
        **{part: [{"say": "So it is.", "rule": "P9"}] for part in ("appears", "silent", "never")},
    },
    "threshold": {"high": {"value": "5.4", "source": "specification P14"}},
    "finding": {"low": KIND},
    "suggestion": {"repeat": {"does": "test", "order": "order-ue", "label": "Repeat"}},
    "example": [{"name": "Low", "finding": ["low"]}],
}


def read(**changes):
    """The sheet with dotted places changed; None takes a place away."""
    whole = deepcopy(SHEET)
    for place, value in changes.items():
        *steps, last = place.split("__")
        table = whole
        for step in steps:
            table = table[step]
        if value is None:
            del table[last]
        else:
            table[last] = value
    return read_sheet("subject", Section("subject.toml", whole))


def test_a_sheet_that_holds_together_is_read():
    sheet = read()

    assert sheet.kinds["low"].why[0].facts == ("F16",)
    assert str(sheet.number("high")) == "5.4"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"topic__title": None}, r"\[topic\]: title is missing"),
        ({"topic__moments": []}, "moments should name when"),
        ({"topic__moments": ["noon"]}, "'noon' should be one of record, order"),
        ({"topic__gates": ["ajar"]}, "'ajar' should be one of"),
        ({"topic__tilte": "A subject"}, "unknown key 'tilte'"),
        ({"threshold__high__value": 5.4}, "value should be text in double quotes"),
        ({"threshold__high__value": "about 5"}, "should be a number in quotes"),
        ({"threshold__high__value": "NaN"}, "should be a finite number"),
        ({"threshold__high__source": None}, "source is missing"),
        ({"finding__low__rule": None}, "rule is missing"),
        ({"finding__low__indicator": "red"}, "'red' should be one of info, warning, critical"),
        ({"finding__low__speaks": "loudly"}, "'loudly' should be one of"),
        ({"finding__low__summary": ""}, "a card needs summary, why, check and consider"),
        ({"finding__low__summary": "{analyte low"}, "summary: a brace stands alone or has no end"),
        ({"finding__low__summary": "{analyte}} low"}, "summary: a brace stands alone or has no end"),
        ({"finding__low__summary": "{} low"}, r"\{\} is no placeholder"),
        ({"finding__low__summary": "{analyte:>9} low"}, r"\{analyte:>9\} is no placeholder"),
        ({"finding__low__check": [{"say": " ", "facts": ["F16"]}]}, "say is empty"),
        ({"finding__low__summary": "{analyte}\nlow"}, "summary should be one line"),
        (
            {"finding__low__summary": "{analyte} low "},
            "summary should be one line with plain spaces only, and none around",
        ),
        ({"finding__low__check": [{"say": "Ask\tabout it.", "facts": ["F16"]}]}, "say should be one line"),
        ({"finding__low__summary": "<b>{analyte}</b> low"}, "summary holds '<b'; write plain words"),
        ({"finding__low__summary": "**{analyte}** low"}, r"summary holds '\*\*'"),
        ({"finding__low__summary": "[{analyte}](https://a.example)"}, r"summary holds '\]\('"),
        ({"finding__low__summary": "{analyte}: www.a.example"}, "summary holds 'www.'"),
        ({"suggestion__repeat__label": "Repeat {"}, "label: a brace stands alone"),
        ({"finding__low__when": ""}, "when should tell a clinician"),
        ({"topic__silent": []}, "silent should say at least one thing"),
        ({"topic__never": [{"say": "It never does."}]}, "rule is missing"),
        ({"finding__low__check": []}, "a card needs summary, why, check and consider"),
        ({"finding__low__facts": []}, "facts or sources should say what"),
        ({"finding__low__why": [{"say": "So it is."}]}, "a sentence needs facts or sources"),
        ({"finding__low__why": [{"say": "So it is.", "sources": ["E1"]}]}, "set beyond = true"),
        ({"suggestion__repeat__does": "order"}, "'order' should be one of test, refer, review, remove"),
        ({"suggestion__repeat__order": None}, "order is missing"),
        ({"example": []}, r"\[finding.low\] has no worked example"),
        ({"example": [{"name": "High", "finding": ["low", "high"]}]}, "the finding 'high'"),
    ],
)
def test_a_sheet_that_does_not_hold_together_names_the_place(changes, said):
    with pytest.raises(BadContent, match=said) as refused:
        read(**changes)

    assert "subject.toml" in str(refused.value)


def test_a_table_that_is_misspelt_is_named_with_its_line(tmp_path):
    path = tmp_path / "subject.toml"
    path.write_text("[topic]\n\n[[exmaple]]\n\n[findng.low]\n", encoding="utf-8")

    for key, line in (("exmaple", 3), ("findng", 5)):
        whole = read_section(path)
        whole.table = {key: whole.table[key]}
        with pytest.raises(BadContent, match=f"subject.toml, line {line}: unknown key '{key}'"):
            whole.done()


def test_a_threshold_that_is_not_there_is_named():
    with pytest.raises(BadContent, match=r"subject.toml: \[threshold.low\] is missing"):
        read().number("low")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"finding__low__facts": ["F58"]}, "there is no fact 'F58'"),
        ({"finding__low__sources": ["E99"]}, "there is no source 'E99'"),
        ({"finding__low__withholds": ["weather"]}, "there is no topic 'weather'"),
        ({"topic__links": ["ELSEWHERE"]}, "there is no source 'ELSEWHERE'"),
        ({"suggestion__repeat__order": "order-horoscope"}, "there is no concept 'order-horoscope'"),
    ],
)
def test_a_sheet_that_names_what_does_not_exist_is_refused(content: Content, changes, said):
    topic = replace(content.topics[0], code="subject", sheet=read(**changes))

    with pytest.raises(BadContent, match=said):
        check(replace(content, topics=(topic,)))


@pytest.mark.parametrize(
    "licence", ["loinc", "sct-uk-extension", "sct-affiliate", "dmd-ogl3", "rxnorm-free", "icd10-who", "icpc2-wonca"]
)
def test_the_content_loads_without_a_licence_that_the_site_does_not_hold(licence: str):
    assert load_content(load(without_licences=frozenset({licence}))).topics
