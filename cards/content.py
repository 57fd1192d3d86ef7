"""Everything the rules say and rest on, loaded once and checked against itself."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import chain

from cards.bands import Bands, load_bands
from cards.card import Reason
from cards.facts import Fact, Source, load_facts, load_sources
from cards.frame import Frame, load_frame
from cards.layout import Layouts
from cards.moment import Moment
from cards.presentation import Gate, Gatekeeper, load_gatekeeper
from cards.promises import Promises, load_promises
from cards.red_flags import RED_FLAGS
from cards.screening import load_screen
from cards.toml_file import known
from cards.topic import Topic
from cards.windows import Windows, load_windows
from terminology.errors import BadContent
from terminology.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Content:
    """The clinical content in force. ``topics`` are in the order a clinician should meet them (specification 3.5)."""

    topics: tuple[Topic, ...]
    frame: Frame
    facts: Mapping[str, Fact]
    sources: Mapping[str, Source]
    windows: Windows
    bands: Bands
    gatekeeper: Gatekeeper
    promises: Promises  # what holds for every card
    vocabulary: Vocabulary
    hash: str
    beyond: bool  # whether what goes beyond the fact sheet is shown
    removal: bool  # whether a contraindicated draft may be proposed for removal (docs/decisions/0005)
    critical_as_warning: bool  # a site that wants no critical cards gets them as warnings (specification 6.2)
    _asked: dict[tuple[Moment, Gate], tuple[Topic, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    layouts: Layouts = field(init=False, repr=False, compare=False)
    override_reasons: tuple[Reason, ...] = field(init=False, repr=False, compare=False)
    """Coded reasons for overriding, the same for every topic."""

    def __post_init__(self) -> None:
        """Settle what follows from the content alone."""
        terminology = f"{self.vocabulary.version} ({self.vocabulary.content_hash[:12]})"
        layouts = Layouts(self.frame, self.sources, in_force=self.hash, terminology=terminology, beyond=self.beyond)
        reasons = tuple(Reason(code, display) for code, display in self.frame.words["override"].items())
        object.__setattr__(self, "layouts", layouts)
        object.__setattr__(self, "override_reasons", reasons)

    def asked(self, moment: Moment, gate: Gate) -> tuple[Topic, ...]:
        """The topics that are asked at that moment, behind that gate."""
        found = self._asked.get((moment, gate))
        if found is None:
            found = tuple(t for t in self.topics if moment in t.sheet.moments and gate in t.sheet.gates)
            self._asked[moment, gate] = found
        return found

    @property
    def version(self) -> str:
        """Version of the clinical content, such as 1.1.0."""
        return self.frame.version

    @property
    def label(self) -> str:
        """What Card.source names: the rule set and its version."""
        return f"{self.frame.label} {self.frame.version}"


def load_content(
    vocabulary: Vocabulary, *, beyond: bool = True, removal: bool = False, critical_as_warning: bool = False
) -> Content:
    """Load and check all content. Raises BadContent, naming file and place, if anything does not hold together."""
    from cards.topics import TOPICS  # noqa: PLC0415 -- topics use the modules of this package, not the other way

    content = Content(
        topics=TOPICS,
        frame=load_frame(),
        facts=load_facts(),
        sources=load_sources(),
        windows=load_windows(),
        bands=load_bands(vocabulary.analytes),
        gatekeeper=load_gatekeeper(),
        promises=load_promises(),
        vocabulary=vocabulary,
        hash=_hash(),
        beyond=beyond,
        removal=removal,
        critical_as_warning=critical_as_warning,
    )
    check(content)
    return content


def check(content: Content) -> None:
    """Raise BadContent if a sheet names a fact, source, topic, concept or class that does not exist."""
    _check_shared(content)
    codes = {topic.code for topic in content.topics}
    for topic in content.topics:
        where = f"{topic.code.replace('-', '_')}.toml"
        known(where, "source", topic.sheet.links, content.sources)
        for kind in topic.sheet.kinds.values():
            place = kind.where or f"{where}: [finding.{kind.name}]"
            known(place, "fact", (*kind.facts, *(f for s in kind.sentences for f in s.facts)), content.facts)
            known(place, "source", (*kind.sources, *(x for s in kind.sentences for x in s.sources)), content.sources)
            known(place, "topic", kind.withholds, codes)
        for listing in (*topic.sheet.lists.values(), *chain(*topic.sheet.rows.values())):
            listing.check(content.vocabulary)
            known(listing.where, "fact", listing.facts, content.facts)
            known(listing.where, "source", listing.sources, content.sources)
        for suggestion in topic.sheet.suggestions.values():
            if suggestion.order:  # words go without codes, so a title is enough
                known(suggestion.where, "concept", (suggestion.order,), content.vocabulary.tables.titles)
        _check_group(topic, content)


def _check_group(topic: Topic, content: Content) -> None:
    """A topic that speaks of every analyte of a group can do so of each: there are bands, and a repeat to propose."""
    for analyte in content.vocabulary.analytes_in(topic.group) if topic.group else ():
        whose = f"{analyte} is in the group {topic.group!r}"
        if not content.bands.of(analyte):
            raise BadContent(f"bands.toml: {whose}, but has no [[band]]; write when its results are called what")
        if f"repeat-{analyte}" not in topic.sheet.suggestions:
            raise BadContent(f"{topic.code}.toml: {whose}, but there is no [suggestion.repeat-{analyte}]; write one")


def _check_shared(content: Content) -> None:
    """The lists that several topics share: symptoms, signs, the screen and what a band asks for beside a value."""
    shared = {
        "presentation.toml": (*content.gatekeeper.palliative, *chain(*content.gatekeeper.symptoms.values())),
        "red_flags.toml": RED_FLAGS.concepts,
        "screening.toml": chain(*((t.order, *t.pending, *t.analytes) for t in load_screen().tests.values())),
    }
    for place, names in shared.items():
        _named_in(place, "concept", names, content.vocabulary.tables.titles)
    classes = chain(*(t.since for t in load_screen().tests.values()))
    _named_in("screening.toml", "class of medicines", classes, content.vocabulary.tables.classes)
    asked_for = chain(*(content.bands.ask_for(analyte) for analyte in content.vocabulary.analytes))
    _named_in("bands.toml", "class of medicines", asked_for, content.vocabulary.tables.classes)
    known("windows.toml: [look_back]", "analyte", content.windows.look_back, content.vocabulary.analytes)
    for analyte in content.vocabulary.analytes:
        if analyte not in content.windows.look_back:  # no card could rest on its results
            raise BadContent(
                f"windows.toml: [look_back]: {analyte} is missing; write for how many days its results count as recent"
            )


def _named_in(file: str, what: str, named: Iterable[str], there_are: Iterable[str]) -> None:
    """Raise BadContent, with the line, for the first name in a shared file that is none of those there are."""
    for name in named:
        if name not in there_are:
            lines = files("cards").joinpath(file).read_text(encoding="utf-8-sig").splitlines()
            line = next((f", line {number}" for number, text in enumerate(lines, 1) if f'"{name}"' in text), "")
            raise BadContent(f"{file}{line}: there is no {what} {name!r}")


def _hash() -> str:
    """First 12 hexadecimal digits of the SHA-256 over all content files and rules, so that any change shows."""
    digest = hashlib.sha256()
    for name, data in sorted(_content_files(files("cards"))):
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()[:12]


def _content_files(folder: Traversable) -> Iterable[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name == "topics":
            for inner in entry.iterdir():
                if inner.name.endswith((".toml", ".py")):
                    yield f"topics/{inner.name}", inner.read_bytes()
        elif entry.name.endswith((".toml", ".py")):
            yield entry.name, entry.read_bytes()
