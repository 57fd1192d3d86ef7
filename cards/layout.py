"""The parts of a card that follow from the kinds of its findings alone: put together once, and kept.

Nothing of a patient is in it, and nothing of a patient is kept by it (rule R12): the kinds, their sentences and their
facts all stand in the sheets.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from cards.card import WebLink
from cards.facts import Source
from cards.finding import Finding, Intent, Refer, RequestTest
from cards.frame import Frame
from cards.phrase import Phrase
from cards.topic import Does, Kind, Sentence, Suggestion, Topic

_MOST_LAYOUTS: Final = 1024  # so many different cards are kept; past that it begins anew


class Wording(msgspec.Struct, frozen=True, eq=False):
    """A sentence taken apart, its facts, whether it goes beyond the fact sheet, and both as the sentence is marked."""

    say: Phrase
    facts: tuple[str, ...]
    beyond: bool
    marks: str


class Script(msgspec.Struct, frozen=True, eq=False):
    """What is said of one kind of finding."""

    kind: Kind
    summary: Phrase
    found: Phrase | None
    why: tuple[Wording, ...]
    check: tuple[Wording, ...]
    consider: tuple[Wording, ...]
    not_known: tuple[Wording, ...]


Said: TypeAlias = tuple[Script, Finding]


class Layout(msgspec.Struct, frozen=True, eq=False):
    """The parts of a card that are the same for everyone with these kinds of findings.

    ``why``, ``check``, ``consider`` and ``not_known`` are None where a sentence names something of the patient;
    ``not_known`` holds for a record that was read to the end.
    """

    rules: tuple[str, ...]
    links: tuple[WebLink, ...]
    why: str | None
    check: str | None
    consider: str | None
    not_known: str | None
    basis: str


class Button(msgspec.Struct, frozen=True, eq=False):
    """The words of a suggestion; ``proposes`` is the whole of it if it is the same for everyone."""

    label: Phrase
    note: Phrase
    proposes: Intent | None


class Layouts:
    """The wording of all sheets, taken apart when it is first asked for, and kept.

    There are as many scripts and buttons as the sheets have findings and suggestions; of the layouts, one for each
    combination of findings that was met, at most 1,024 are kept.
    """

    def __init__(
        self, frame: Frame, sources: Mapping[str, Source], *, in_force: str, terminology: str, beyond: bool
    ) -> None:
        """``in_force``: the hash of the content; ``beyond``: whether what goes beyond the fact sheet is shown."""
        self._frame, self._sources, self._beyond = frame, sources, beyond
        self._in_force, self._terminology = in_force, terminology
        self._scripts: dict[tuple[Kind, bool], Script] = {}
        self._layouts: dict[tuple[str | Script, ...], Layout] = {}
        self._buttons: dict[Suggestion, Button] = {}

    def script(self, kind: Kind, *, beyond: bool) -> Script:
        """What is said of a kind. ``beyond``: the finding rests on more than the fact sheet, so every sentence does."""
        found = self._scripts.get((kind, beyond))
        if found is None:
            found = self._scripts[kind, beyond] = Script(
                kind,
                Phrase(kind.summary),
                Phrase(kind.found) if kind.found else None,
                *(
                    tuple(self._wording(one, beyond=beyond) for one in part if self._beyond or not one.beyond)
                    for part in (kind.why, kind.check, kind.consider, kind.not_known)
                ),
            )
        return found

    def layout(self, topic: Topic, shown: Iterable[Said]) -> Layout:
        """The layout of the topic's card with these findings."""
        scripts = tuple(dict.fromkeys(script for script, _ in shown))
        key: tuple[str | Script, ...] = (topic.code, *scripts)
        found = self._layouts.get(key)
        if found is None:
            if len(self._layouts) >= _MOST_LAYOUTS:
                self._layouts.clear()
            found = self._layouts[key] = self._lay_out(topic, scripts)
        return found

    def button(self, suggestion: Suggestion) -> Button:
        """The words of a suggestion."""
        found = self._buttons.get(suggestion)
        if found is None:
            found = self._buttons[suggestion] = _button(suggestion)
        return found

    def block(self, part: str, lines: Iterable[str]) -> str:
        """A part of a card: its heading and its lines, each once."""
        items = "\n".join([f"- {line}" for line in dict.fromkeys(lines)])
        return f"**{self._frame.words['parts'][part]}**\n\n{items}"

    def told(self, sentences: Iterable[tuple[str, Wording]]) -> Iterable[str]:
        """Sentences with the marks of what they rest on. One that several findings say stands once, with the facts of
        all, and as going beyond the fact sheet only if it does so in each.
        """
        sentences = list(sentences)
        if len({text for text, _ in sentences}) == len(sentences):  # nearly always
            return [f"{text} ({wording.marks})" for text, wording in sentences]
        facts: dict[str, dict[str, None]] = {}
        within: set[str] = set()
        for text, wording in sentences:
            facts.setdefault(text, {}).update(dict.fromkeys(wording.facts))
            if not wording.beyond:
                within.add(text)
        return [f"{text} ({self._marks(tuple(marks), beyond=text not in within)})" for text, marks in facts.items()]

    def _wording(self, sentence: Sentence, *, beyond: bool) -> Wording:
        beyond = beyond or sentence.beyond
        return Wording(Phrase(sentence.say), sentence.facts, beyond, self._marks(sentence.facts, beyond=beyond))

    def _marks(self, facts: tuple[str, ...], *, beyond: bool) -> str:
        return ", ".join((*facts, self._frame.words["marks"]["beyond"]) if beyond else facts)

    def _lay_out(self, topic: Topic, scripts: tuple[Script, ...]) -> Layout:
        rules = tuple(dict.fromkeys(script.kind.rule for script in scripts))
        return Layout(
            rules=rules,
            links=tuple(self._links(topic)),
            why=self._fixed("why", (one for script in scripts for one in script.why)),
            check=self._fixed("check", (one for script in scripts for one in script.check)),
            consider=self._fixed("consider", (one for script in scripts for one in script.consider)),
            not_known=self._fixed(
                "not_known", (one for script in scripts for one in script.not_known), self.always_unknown
            ),
            basis=self.block("basis", self._basis(scripts, rules)),
        )

    @property
    def always_unknown(self) -> str:
        """The line that ends the Not known part of every card."""
        return self._frame.say("not_known", "always")

    def _fixed(self, part: str, wordings: Iterable[Wording], *last: str) -> str | None:
        wordings = tuple(wordings)
        said = [(one.say.fixed, one) for one in wordings if one.say.fixed is not None]
        return self.block(part, (*self.told(said), *last)) if len(said) == len(wordings) else None

    def _links(self, topic: Topic) -> Iterator[WebLink]:
        for name in topic.sheet.links:
            source = self._sources[name]
            if source.url:
                yield WebLink(source.label, source.url)

    def _basis(self, scripts: tuple[Script, ...], rules: tuple[str, ...]) -> Iterator[str]:
        frame = self._frame
        yield frame.say(
            "basis",
            "rule",
            rules=", ".join(rules),
            version=frame.version,
            hash=self._in_force,
            terminology=self._terminology,
        )
        facts = {fact for script in scripts for fact in script.kind.facts}
        if facts:
            yield frame.say("basis", "facts", facts=", ".join(sorted(facts, key=lambda fact: int(fact[1:]))))
        named = dict.fromkeys(source for script in scripts for source in script.kind.sources)
        if named:
            yield frame.say("basis", "sources", sources="; ".join(self._sources[name].label for name in named))
        yield frame.say(
            "basis",
            "review",
            signed_by=frame.signed_by,
            reviewed=frame.reviewed.isoformat(),
            review_by=frame.review_by.isoformat(),
        )


def proposal(suggestion: Suggestion, label: str, note: str) -> Intent | None:
    """What a suggestion proposes with these words, where that is an order of its own: a test or a referral."""
    match suggestion.does:
        case Does.TEST:
            return RequestTest(suggestion.order, label, note)
        case Does.REFER:
            return Refer(suggestion.order, label, suggestion.priority, note)
        case Does.REVIEW | Does.REMOVE:
            return None


def _button(suggestion: Suggestion) -> Button:
    label, note = Phrase(suggestion.label), Phrase(suggestion.note)
    if label.fixed is None or note.fixed is None:
        return Button(label, note, None)
    return Button(label, note, proposal(suggestion, label.fixed, note.fixed))
