"""The page that traces each fact of the fact sheet to findings, sentences, examples and cards."""

from collections.abc import Iterable

from cards.content import Content
from cards.facts import Fact, Handled
from cards.reference.markdown import code, page, table
from cards.reference.traces import Spoken, answering, asking, carried_by, claiming, kinds, naming, telling
from cards.topic import Kind, Topic


def traceability(content: Content) -> str:
    """docs/reference/traceability.md."""
    return page(
        "Traceability",
        "Where each fact of the fact sheet is computed by a finding, asked in a question or told in a sentence, which "
        "worked examples show it and on which cards it can stand. What the findings, questions and sentences say is in "
        "[Clinical content](clinical-content.md).",
        "## Facts",
        table(
            ("Fact", "In our words", "Computed by", "Asked by", "Told by", "Examples", "Cards"),
            (_fact(content, fact) for fact in content.facts.values()),
        ),
        "## Facts that are not computed",
        table(
            ("Fact", "Why not"),
            ((fact.id, fact.not_computed) for fact in content.facts.values() if fact.not_computed),
        ),
        "## Rules",
        "Rows of the specification's decision table, and silence rules that earn a line.",
        table(
            ("Rule", "Findings"),
            ((rule, _kinds(answering(content, rule))) for rule in sorted(_rules(content), key=_rank)),
        ),
    )


def _fact(content: Content, fact: Fact) -> Iterable[str]:
    told = [*_places(telling(content, fact.id)), *(_place(pair) for pair in naming(content, fact.id))]
    carriers = carried_by(content, fact.id)
    examples = _examples(carriers)
    return (
        fact.id,
        fact.words,
        _kinds(claiming(content, fact.id)) if Handled.COMPUTE in fact.handled else "",
        ", ".join(dict.fromkeys(_places(asking(content, fact.id)))),
        ", ".join(dict.fromkeys(told)),
        f"{len(examples)}: {examples[0]}" if examples else "",
        ", ".join(dict.fromkeys(topic.sheet.title for topic, _ in carriers)),
    )


def _examples(carriers: Iterable[tuple[Topic, Kind]]) -> list[str]:
    found = [e.name for topic, kind in carriers for e in topic.sheet.examples if kind.name in e.finding]
    return list(dict.fromkeys(found))


def _place(pair: tuple[Topic, Kind]) -> str:
    topic, kind = pair
    return code(f"{topic.code}/{kind.name}")


def _places(spoken: Iterable[Spoken]) -> list[str]:
    return [_place((s.topic, s.kind)) for s in spoken]


def _kinds(found: Iterable[tuple[Topic, Kind]]) -> str:
    return ", ".join(_place(pair) for pair in found)


def _rules(content: Content) -> set[str]:
    return {kind.rule for _, kind in kinds(content)}


def _rank(rule: str) -> tuple[str, int, str]:
    digits = "".join(c for c in rule if c.isdigit())
    return (rule[0], int(digits or 0), rule)
