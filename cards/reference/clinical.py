"""The page that holds everything the cards may say: what a clinician reads instead of code."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from cards.content import Content
from cards.lists import Listing
from cards.moment import Moment
from cards.reference.markdown import code, page, table
from cards.toml_file import read_toml
from cards.topic import Does, Example, Kind, Sentence, Speaks, Suggestion, Topic

_MOMENTS = {Moment.RECORD: "when a record is opened", Moment.ORDER: "when an order is drafted"}
_SPEAKS = {
    Speaks.CARD: "makes a card",
    Speaks.ADDS: "adds to the topic's own card",
    Speaks.LINE: "a line on the topic's card, or else on the last card dealt",
    Speaks.SILENT: "makes no card, only withholds others",
}
_PARTS = ("why", "check", "consider", "not_known")  # those a kind of finding has sentences for
_LINES = ("person", "problems", "results", "medicines", "orders", "family", "unreadable", "incomplete", "unread")


def clinical_content(content: Content) -> str:
    """docs/reference/clinical-content.md."""
    frame = content.frame
    return page(
        "Clinical content",
        f"Everything the cards may say, version {frame.version}, {frame.signed_by}; reviewed {frame.reviewed}, review "
        f"due {frame.review_by}. Words in braces are filled from the record. A sentence marked *beyond* goes beyond "
        "the fact sheet and can be switched off. Facts are listed in [Traceability](traceability.md), bands, windows "
        "and limits in [Bands](bands.md). Topics stand in the order of the cards: gravest first, then in this order, "
        "at most four; the rest is folded into the last card. Clinicians who want to read the cards and not the rules: "
        "[What this service can say](../cards/index.md). How to change the content: "
        "[For authors of rules](../rule-authors.md).",
        *(block for topic in content.topics for block in _topic(topic, content)),
        "## Sources",
        table(
            ("Source", "What it is", "Address a card may link to"),
            ((code(s.id), s.label, s.url) for s in content.sources.values()),
        ),
        "## Reasons for overriding a card",
        table(("Code", "Shown as"), ((code(r.code), r.display) for r in content.override_reasons)),
    )


def _topic(topic: Topic, content: Content) -> Iterator[str]:
    sheet = topic.sheet
    gates = ", ".join(code(gate.value) for gate in sheet.gates)
    facts = [
        f"Topic {code(topic.code)}; asked {' and '.join(_MOMENTS[m] for m in sheet.moments)}, at the gates {gates}.",
    ]
    if sheet.reassures:
        facts.append("Reassuring: left out beside a critical card, and when rules failed.")
    if sheet.rests_on:
        facts.append(f"Entries of {', '.join(a.value for a in sheet.rests_on)} that could not be used are named.")
    links = [f"[{content.sources[name].label}]({content.sources[name].url})" for name in sheet.links]
    if links:
        facts.append(f"Links: {'; '.join(links)}.")
    facts.append(f"For clinicians: [{sheet.title}](../cards/{topic.code}.md).")
    yield f"## {sheet.title}"
    for rules in filter(None, (topic.find, topic.judge)):
        yield f"> {' '.join((inspect.getdoc(rules) or '').split())}"
    yield " ".join(facts)
    for kind in sheet.kinds.values():
        yield from _kind(kind, content)
    if sheet.suggestions:
        yield f"### Suggestions of {code(topic.code)}"
        yield table(
            ("Suggestion", "Proposes", "Text", "Note", "Not if already ordered or drafted"),
            (_suggestion(s) for s in sheet.suggestions.values()),
        )
    if thresholds := _thresholds(topic):
        yield f"### Thresholds of {code(topic.code)}"
        yield table(("Threshold", "Value", "Source"), thresholds)
    if lists := [*_lists(topic)]:
        yield f"### Lists of {code(topic.code)}"
        yield table(("List", "Names", "What it does", "Rule", "Rests on"), lists)
    yield f"### Worked examples of {code(topic.code)}"
    yield table(("Example", "Record", "Finds", "Card"), (_example(e) for e in sheet.examples))


def _kind(kind: Kind, content: Content) -> Iterator[str]:
    titles = content.frame.words["parts"]
    yield f"### {code(kind.name)}"
    about = [f"Rule {kind.rule}; {_SPEAKS[kind.speaks]}"]
    if kind.speaks is Speaks.CARD:
        about.append(f"usually {kind.indicator.value}")
    if kind.beyond:
        about.append("beyond the fact sheet")
    about.append(f"rests on {_rests(kind.facts, kind.sources)}")
    if kind.withholds:
        about.append(f"withholds {', '.join(code(name) for name in kind.withholds)}")
    yield "; ".join(about) + "."
    if kind.summary:
        yield f"**{kind.summary}**"
    if kind.when:
        yield f"When: {kind.when}"
    if rows := [_sentence(titles[part], s) for part in _PARTS for s in getattr(kind, part)]:
        yield table(("Part", "Sentence", "Rests on"), rows)
    if kind.found:
        yield f"Found: {kind.found}"


def _sentence(title: str, sentence: Sentence) -> tuple[str, str, str]:
    beyond = " *beyond*" if sentence.beyond else ""
    return title, sentence.say, _rests(sentence.facts, sentence.sources) + beyond


def _rests(facts: Iterable[str], sources: Iterable[str]) -> str:
    return ", ".join((*facts, *sources)) or "nothing of its own"


def _suggestion(suggestion: Suggestion) -> tuple[str, ...]:
    order = f" {code(suggestion.order)}" if suggestion.order else ""
    urgent = f", {suggestion.priority.value}" if suggestion.does is Does.REFER else ""
    beyond = " *beyond*" if suggestion.beyond else ""
    pending = ", ".join(code(name) for name in suggestion.pending)
    return (
        code(suggestion.name),
        f"{suggestion.does.value}{order}{urgent}{beyond}",
        suggestion.label,
        suggestion.note,
        pending,
    )


def _lists(topic: Topic) -> Iterator[tuple[str, ...]]:
    """The rows of ``[[contraindication]]`` and the like, then the named lists."""
    for name, rows in topic.sheet.rows.items():
        for row in rows:
            finding = " or ".join(code(kind) for kind in (row.finding, row.drafted) if kind)
            beside = f"beside {' or '.join(s.value for s in row.symptoms)}" if row.symptoms else ""
            above = f"above {code(row.above)}" if row.above else ""
            decide = f"rests on {', '.join(a.value for a in row.areas)}" if row.areas else ""
            does = "; ".join(part for part in (finding, beside, above, decide) if part)
            yield name, _names(row), does, row.rule, _rests(row.facts, row.sources)
    for name, one in topic.sheet.lists.items():
        yield code(name), _names(one), one.says, one.rule, _rests(one.facts, one.sources)


def _names(listing: Listing) -> str:
    return ", ".join(code(name) for name in listing.names)


def _thresholds(topic: Topic) -> list[tuple[str, str, str]]:
    """Read again from the sheet: the rules keep the number, this page also its source."""
    whole = read_toml(files("cards") / "topics" / f"{topic.code.replace('-', '_')}.toml")
    tables: Mapping[str, Mapping[str, Any]] = whole.get("threshold", {})
    return [(code(n), f"{t['value']} {t.get('unit', '')}".strip(), t["source"]) for n, t in tables.items()]


def _example(example: Example) -> tuple[str, ...]:
    section = example.section
    lines = [str(line) for name in _LINES if name in section for line in _listed(name, section[name])]
    marks = [name.replace("_", " ") for name, value in section.items() if value is True]
    found = ", ".join(code(kind) for kind in example.finding) or "nothing"
    return example.name, "; ".join([*lines, *marks]), found, str(section.get("card", ""))


def _listed(name: str, value: object) -> list[str]:
    texts = [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return [f"{name} {text}" if name in ("unreadable", "incomplete") else text for text in texts]
