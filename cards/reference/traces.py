"""Where each fact of the fact sheet went, and which finding answers each row of the specification."""

from collections.abc import Iterator
from dataclasses import dataclass

from cards.content import Content
from cards.facts import Handled
from cards.topic import Kind, Sentence, Speaks, Topic

ASKING = ("check",)
TELLING = ("why", "consider", "not_known")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence of a sheet and where it stands."""

    topic: Topic
    kind: Kind
    part: str
    sentence: Sentence


def kinds(content: Content) -> Iterator[tuple[Topic, Kind]]:
    """Every kind of finding, in the order of the topics and their sheets."""
    for topic in content.topics:
        for kind in topic.sheet.kinds.values():
            yield topic, kind


def sentences(content: Content, *parts: str) -> Iterator[Spoken]:
    """Every sentence that stands in one of these parts of a card; without parts, in any."""
    for topic, kind in kinds(content):
        for part in parts or (*TELLING, *ASKING):
            for sentence in getattr(kind, part):
                yield Spoken(topic, kind, part, sentence)


def claiming(content: Content, fact: str) -> list[tuple[Topic, Kind]]:
    """Findings that compute the fact."""
    return [(topic, kind) for topic, kind in kinds(content) if fact in kind.facts]


def asking(content: Content, fact: str) -> list[Spoken]:
    """Questions that put the fact to the clinician."""
    return [spoken for spoken in sentences(content, *ASKING) if fact in spoken.sentence.facts]


def telling(content: Content, fact: str) -> list[Spoken]:
    """Sentences that tell the fact."""
    return [spoken for spoken in sentences(content, *TELLING) if fact in spoken.sentence.facts]


def naming(content: Content, fact: str) -> list[tuple[Topic, Kind]]:
    """Findings whose card tells the fact by naming its source under Basis (F57, the references)."""
    sources = {source.id for source in content.sources.values() if fact in source.facts}
    return [(topic, kind) for topic, kind in kinds(content) if sources & set(kind.sources)]


def answering(content: Content, rule: str) -> list[tuple[Topic, Kind]]:
    """Findings that answer a row of the specification."""
    return [(topic, kind) for topic, kind in kinds(content) if kind.rule == rule]


def carried_by(content: Content, fact: str) -> list[tuple[Topic, Kind]]:
    """Every finding with which the fact, in whatever way, reaches a card."""
    spoken = [(s.topic, s.kind) for s in (*asking(content, fact), *telling(content, fact))]
    wanted = {(t.code, k.name) for t, k in (*claiming(content, fact), *spoken, *naming(content, fact))}
    return [(topic, kind) for topic, kind in kinds(content) if (topic.code, kind.name) in wanted]


def unclaimed(content: Content) -> Iterator[str]:
    """What the fact sheet asks of the content and the content does not do; empty if there is no hole."""
    for fact in content.facts.values():
        for how in fact.handled:
            match how:
                case Handled.COMPUTE:
                    done = bool(claiming(content, fact.id))
                case Handled.ASK:
                    done = bool(asking(content, fact.id))
                case Handled.TELL:
                    done = bool(telling(content, fact.id) or naming(content, fact.id))
            if not done:
                yield f"{fact.id} is marked {how.value}, and nothing does: {fact.words}"


def unfounded(content: Content) -> Iterator[str]:
    """Findings and sentences that name neither a fact nor a source; empty if there is no hole."""
    for topic, kind in kinds(content):
        if kind.speaks is not Speaks.SILENT and not (kind.facts or kind.sources):
            yield f"{topic.code}/{kind.name}"
    for spoken in sentences(content):
        if not (spoken.sentence.facts or spoken.sentence.sources):
            yield f"{spoken.topic.code}/{spoken.kind.name}: {spoken.sentence.say}"
