"""The fact sheet is traced: a hole in either direction is a failure (style: each fact computed, asked or told)."""

import re
from pathlib import Path

import pytest

from cards.content import Content, load_content
from cards.facts import Fact, Handled
from cards.reference.traces import answering, asking, carried_by, claiming, kinds, naming, sentences, telling, unfounded
from cards.reference.traces import unclaimed as holes
from terminology.vocabulary import load

CONTENT: Content = load_content(load())
FACTS = list(CONTENT.facts.values())

# Rows of the decision table for an opened record (specification 3.3), and what each is about.
PATIENT_VIEW = {
    "P1": "weakness or wasting",
    "P2": "weakness with breathlessness",
    "P3": "bulbar signs or rigidity",
    "P4": "severe cramp",
    "P5": "already referred",
    "P5a": "breathlessness although referred",
    "P6": "red flag after the referral",
    "P7": "myotonia",
    "P8": "known neuromuscular disease",
    "P9": "electrolytes and calcium",
    "P10": "haemolysed potassium",
    "P11": "dialysis",
    "P12": "creatine kinase",
    "P13": "thyroid",
    "P14": "screen incomplete",
    "P15": "contributing medicines",
    "P16": "usually benign",
    "P17": "facial spasm",
    "P18": "quinine review",
    "P19": "could not be read",
}
# Rows of the decision table for an order in hand (specification 3.4) that speak, and those that are silent.
ORDERS = {
    "O2": "quinine, contraindication",
    "O3": "quinine, caution or interaction",
    "O4": "quinine otherwise",
    "O5": "diltiazem, contraindication",
    "O6": "diltiazem, caution or interaction",
    "O7": "diltiazem otherwise",
    "O9": "diuretic with an electrolyte out of range",
    "O10": "diuretic with a symptom",
    "O12": "stimulants",
    "O13": "long-acting beta-2 agonists",
    "O14": "statin with a high creatine kinase",
    "O15": "statin with muscle symptoms and no creatine kinase",
    "O16": "referral for isolated fasciculation",
    "O17": "referral with a red flag, tests missing",
    "O19": "a second referral",
    "O20": "nerve tests",
    "O21": "creatine kinase",
    "O22": "thyroid function",
}
SILENT_ORDERS = {"O1", "O8", "O11", "O18", "O23"}
SILENCE = {f"S{number}" for number in range(1, 18)}  # specification section 4

SPECIFICATION = Path(__file__).parents[2] / "shared" / "clinical" / "specification.md"


def test_the_fact_sheet_has_its_57_facts_in_order() -> None:
    assert list(CONTENT.facts) == [f"F{number}" for number in range(1, 58)]


def test_no_two_facts_say_the_same() -> None:
    # F7, F20 and F23 repeat "benign" of three different conditions: their words differ.
    words = [fact.words for fact in FACTS if fact.id not in {"F7", "F20", "F23"}]
    assert len(set(words)) == len(words)


def _published() -> dict[str, tuple[str, str]]:
    rows = re.findall(
        r"^\| (F\d+) \| (.*?) \| (.*?) \| .*? \|$", SPECIFICATION.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {name: (words, marks) for name, words, marks in rows}


@pytest.mark.skipif(not SPECIFICATION.is_file(), reason="the specification is not beside the project")
def test_words_and_marks_are_those_of_the_specification() -> None:
    published = _published()
    assert len(published) == len(FACTS)
    letters = {"c": Handled.COMPUTE, "a": Handled.ASK, "t": Handled.TELL}
    for fact in FACTS:
        words, marks = published[fact.id]
        assert fact.words == words
        allowed = {letters[mark] for mark in re.findall(r"\b[cat]\b", marks.lower())}
        assert set(fact.handled) <= allowed, fact.id
        # Diltiazem is computed when it is drafted; until orders are judged the fact is told, and says so.
        assert set(fact.handled) == allowed or (fact.id == "F45" and "drafted" in fact.not_computed), fact.id


def test_every_fact_is_handled_the_way_it_is_marked() -> None:
    assert list(holes(CONTENT)) == []


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.id)
def test_every_fact_reaches_a_card_in_a_worked_example(fact: Fact) -> None:
    carriers = carried_by(CONTENT, fact.id)
    shown = {
        kind.name for topic, kind in carriers if any(kind.name in example.finding for example in topic.sheet.examples)
    }
    assert shown


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.id)
def test_a_fact_that_is_not_computed_says_why_and_one_that_is_does_not(fact: Fact) -> None:
    assert bool(fact.not_computed) is (Handled.COMPUTE not in fact.handled)


def test_every_finding_and_sentence_names_its_facts_or_a_source() -> None:
    assert list(unfounded(CONTENT)) == []


def test_a_sentence_that_is_not_beyond_names_a_fact() -> None:
    for spoken in sentences(CONTENT):
        if not spoken.sentence.beyond:
            assert spoken.sentence.facts, f"{spoken.topic.code}/{spoken.kind.name}: {spoken.sentence.say}"


def test_no_sentence_or_finding_names_a_fact_or_source_that_is_not_there() -> None:
    facts, sources = set(CONTENT.facts), set(CONTENT.sources)
    for topic, kind in kinds(CONTENT):
        assert set(kind.facts) <= facts, f"{topic.code}/{kind.name}"
        assert set(kind.sources) <= sources, f"{topic.code}/{kind.name}"
    for spoken in sentences(CONTENT):
        assert set(spoken.sentence.facts) <= facts, spoken.sentence.say
        assert set(spoken.sentence.sources) <= sources, spoken.sentence.say
    for source in CONTENT.sources.values():
        assert set(source.facts) <= facts, source.id


def test_every_rule_a_sheet_names_is_a_row_of_the_specification() -> None:
    assert {kind.rule for _, kind in kinds(CONTENT)} <= PATIENT_VIEW.keys() | ORDERS.keys() | SILENT_ORDERS | SILENCE


@pytest.mark.parametrize("rule", [*PATIENT_VIEW, *ORDERS])
def test_every_row_of_the_decision_table_is_answered_by_a_finding(rule: str) -> None:
    assert answering(CONTENT, rule)


def test_every_finding_has_a_worked_example() -> None:
    for topic, kind in kinds(CONTENT):
        assert any(kind.name in example.finding for example in topic.sheet.examples), f"{topic.code}/{kind.name}"


def test_every_topic_shows_when_it_is_silent() -> None:
    quiet = {
        t.code
        for t in CONTENT.topics
        if any(not e.finding or e.section.get("card") == "none" for e in t.sheet.examples)
    }
    assert {topic.code for topic in CONTENT.topics} - quiet == set()


def test_every_source_is_used_or_is_a_page_to_link_to() -> None:
    used = {s for _, kind in kinds(CONTENT) for s in kind.sources}
    used |= {s for spoken in sentences(CONTENT) for s in spoken.sentence.sources}
    used |= {s for topic in CONTENT.topics for s in topic.sheet.links}
    waiting = {"E21"}  # diltiazem orders, which are not judged yet
    unused = {s.id for s in CONTENT.sources.values() if not s.url} - used - waiting
    assert unused <= SPARE


# Evidence rows that no card needs to say: the background of the rules.
SPARE = {"E3", "E5", "E6", "E8b", "E12", "E18", "AAN-2010", "PROJECT"}


def test_a_hole_is_found_where_there_is_one() -> None:
    assert claiming(CONTENT, "F16")
    assert asking(CONTENT, "F27")
    assert telling(CONTENT, "F2")
    assert naming(CONTENT, "F57")
    assert claiming(CONTENT, "F99") == []
    assert naming(CONTENT, "F2") == []
