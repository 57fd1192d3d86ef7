"""The findings of one topic become its card: six parts in a fixed order (specification 3.6)."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from cards.card import LONGEST_SUMMARY, Card, Link
from cards.case import Case
from cards.chart import Area, Reading
from cards.content import Content
from cards.finding import Finding, Indicator, Intent, Refer, RemoveDraft, RequestTest, ReviewMedicine
from cards.topic import Kind, Sentence, Speaks, Suggestion, Topic
from cards.wording import describe, unread_line

Said: TypeAlias = tuple[Kind, Finding]

_MOST_UNREAD = 8  # a card stays short: further entries are counted


def weight(finding: Finding, topic: Topic) -> Indicator:
    """How urgent a finding is: what the rule says, else what the sheet says."""
    return finding.indicator or topic.sheet.kinds[finding.kind].indicator


def allowed(finding: Finding, topic: Topic, content: Content) -> bool:
    """Whether the finding may be shown: what goes beyond the fact sheet can be switched off."""
    return content.beyond or not (finding.beyond or topic.sheet.kinds[finding.kind].beyond)


def speaks(topic: Topic, findings: Iterable[Finding], content: Content) -> Indicator | None:
    """The weight of the topic's card, or None if its findings make none."""
    return max(
        (
            weight(f, topic)
            for f in findings
            if allowed(f, topic, content) and topic.sheet.kinds[f.kind].speaks is Speaks.CARD
        ),
        default=None,
    )


def lines(topic: Topic, findings: Iterable[Finding], content: Content) -> list[Said]:
    """Those findings of a topic without a card that stand on another card."""
    kinds = topic.sheet.kinds
    return [(kinds[f.kind], f) for f in findings if allowed(f, topic, content) and kinds[f.kind].speaks is Speaks.LINE]


def compose(
    topic: Topic, findings: Iterable[Finding], case: Case, content: Content, guests: Iterable[Said] = ()
) -> Card | None:
    """The topic's card, or None if no finding makes one. The gravest finding gives the summary.

    ``guests``: lines of topics that make no card themselves.
    """
    kinds = topic.sheet.kinds
    own = [(kinds[f.kind], f) for f in findings if allowed(f, topic, content)]
    speaking = [(kind, f) for kind, f in own if kind.speaks is Speaks.CARD]
    if not speaking:
        return None
    lead_kind, lead = max(speaking, key=lambda said: weight(said[1], topic))
    adding = [(kind, f) for kind, f in own if kind.speaks in (Speaks.ADDS, Speaks.LINE)]
    shown = [*speaking, *adding, *guests]
    rules = tuple(dict.fromkeys(kind.rule for kind, _ in shown))
    return Card(
        topic=topic.code,
        topic_title=topic.sheet.title,
        indicator=weight(lead, topic),
        summary=_summary(lead_kind.summary.format(**lead.fill)),
        detail=_detail(topic, shown, rules, case, content),
        suggestions=tuple(dict.fromkeys(_suggestions(topic, [f for _, f in (*speaking, *adding)], content))),
        override_reasons=content.override_reasons,
        links=tuple(_links(topic, content)),
        rules=rules,
    )


def _summary(text: str) -> str:
    # A drug's name of unusual length may not break the protocol; tests show that no ordinary one comes near.
    return text if len(text) <= LONGEST_SUMMARY else text[: LONGEST_SUMMARY - 3].rstrip() + "..."


def _links(topic: Topic, content: Content) -> Iterator[Link]:
    for name in topic.sheet.links:
        source = content.sources[name]
        if source.url:
            yield Link(source.label, source.url)


def _detail(topic: Topic, kinds: list[Said], rules: tuple[str, ...], case: Case, content: Content) -> str:
    parts = {
        "found": _found(kinds, case, content),
        "why": _sentences(kinds, lambda kind: kind.why, content),
        "check": _sentences(kinds, lambda kind: kind.check, content),
        "consider": _sentences(kinds, lambda kind: kind.consider, content),
        "not_known": [*_sentences(kinds, lambda kind: kind.not_known, content), *_not_known(topic, case, content)],
        "basis": _basis_of(topic, kinds, rules, content),
    }
    blocks = []
    for name, lines in parts.items():
        items = "\n".join(f"- {line}" for line in dict.fromkeys(lines))
        blocks.append(f"**{content.frame.words['parts'][name]}**\n\n{items}")
    return "\n\n".join(blocks)


def _found(kinds: list[Said], case: Case, content: Content) -> list[str]:
    lines: list[str] = []
    for kind, finding in kinds:
        if kind.found:
            lines.append(kind.found.format(**finding.fill))
        lines += [describe(entry, case, content) for entry in finding.evidence]
    return lines


def _sentences(kinds: list[Said], part: Callable[[Kind], tuple[Sentence, ...]], content: Content) -> list[str]:
    return [
        f"{sentence.say.format(**finding.fill)} {_marks(sentence, finding, content)}"
        for kind, finding in kinds
        for sentence in part(kind)
        if content.beyond or not sentence.beyond
    ]


def _marks(sentence: Sentence, finding: Finding, content: Content) -> str:
    """What a sentence rests on, in brackets."""
    if sentence.beyond or finding.beyond:
        return f"({', '.join([*sentence.facts, content.frame.words['marks']['beyond']])})"
    return f"({', '.join(sentence.facts)})"


def _not_known(topic: Topic, case: Case, content: Content) -> Iterator[str]:
    say, chart = content.frame.say, case.chart
    for area in Area:
        state = chart.inputs.get(area)
        if state is not None and state.reading is not Reading.COMPLETE:
            yield say("not_known", "input", area=area.value, why=state.why or state.reading.value)
    entries = [u for u in chart.unread if u.area in topic.sheet.rests_on]
    for entry in entries[:_MOST_UNREAD]:
        yield unread_line(entry, case, content)
    if len(entries) > _MOST_UNREAD:
        yield say("not_known", "more", count=str(len(entries) - _MOST_UNREAD))
    for code in case.failed_topics:
        yield say("not_known", "topic_failed", topic=code)
    yield say("not_known", "always")


def _basis_of(topic: Topic, kinds: list[Said], rules: tuple[str, ...], content: Content) -> tuple[str, ...]:
    """The last part of a card. It says nothing of the patient, so it is put together once for all who get the same."""
    key = (topic.code, *rules, *(kind.name for kind, _ in kinds))
    found = content.basis.get(key)
    if found is None:
        found = content.basis[key] = tuple(_basis(kinds, rules, content))
    return found


def _basis(kinds: list[Said], rules: tuple[str, ...], content: Content) -> Iterator[str]:
    frame = content.frame
    yield frame.say(
        "basis",
        "rule",
        rules=", ".join(rules),
        version=frame.version,
        hash=content.hash,
        terminology=f"{content.vocabulary.version} ({content.vocabulary.content_hash[:12]})",
    )
    facts = {fact for kind, _ in kinds for fact in kind.facts}
    if facts:
        yield frame.say("basis", "facts", facts=", ".join(sorted(facts, key=lambda fact: int(fact[1:]))))
    named = dict.fromkeys(source for kind, _ in kinds for source in kind.sources)
    if named:
        yield frame.say("basis", "sources", sources="; ".join(content.sources[name].label for name in named))
    yield frame.say(
        "basis",
        "review",
        signed_by=frame.signed_by,
        reviewed=frame.reviewed.isoformat(),
        review_by=frame.review_by.isoformat(),
    )


def _suggestions(topic: Topic, shown: list[Finding], content: Content) -> Iterator[Intent]:
    for finding in shown:
        for name in finding.suggest:
            suggestion = topic.sheet.suggestions[name]
            if (content.beyond or not suggestion.beyond) and (content.removal or suggestion.does != "remove"):
                yield from _intents(suggestion, finding)


def _intents(suggestion: Suggestion, finding: Finding) -> Iterator[Intent]:
    label, note = suggestion.label.format(**finding.fill), suggestion.note.format(**finding.fill)
    match suggestion.does:
        case "test":
            yield RequestTest(suggestion.order, label, note)
        case "refer":
            yield Refer(suggestion.order, label, suggestion.priority, note)
        case "remove":
            for draft in finding.remove:
                yield RemoveDraft(label, note, draft.source)
        case _:
            for medicine in finding.review:
                yield ReviewMedicine(label, note, medicine.source)
