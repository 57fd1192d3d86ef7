"""Words that no card says, and where a sheet says one: language.toml held against the sheets.

For ``muscle-cds check`` and the tests; a service that answers does without.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files

from cards.toml_file import Section, read_section
from cards.topic import Topic
from terminology.errors import BadContent


@dataclass(frozen=True, slots=True)
class Refusal:
    """A ``[[refused]]`` of language.toml. ``summary_only``: it is refused in the line that is seen first alone."""

    words: re.Pattern[str]
    why: str
    summary_only: bool


@dataclass(frozen=True, slots=True)
class Language:
    """The content of language.toml."""

    refused: tuple[Refusal, ...]
    allowed: re.Pattern[str]

    def slips(self, topics: Iterable[Topic]) -> Iterator[str]:
        """Every use of a refused word: file, table and line, the word, the sentence, and why it is refused."""
        for topic in topics:
            yield from self._found(f"{topic.code.replace('-', '_')}.toml: [topic]", topic.sheet.title)
            for kind in topic.sheet.kinds.values():
                yield from self._found(kind.where, kind.summary, in_summary=True)
                for text in (kind.found, *(one.say for one in kind.sentences)):
                    yield from self._found(kind.where, text)
            for one in topic.sheet.suggestions.values():
                yield from self._found(one.where, one.label)
                yield from self._found(one.where, one.note)

    def _found(self, where: str, text: str, *, in_summary: bool = False) -> Iterator[str]:
        said = self.allowed.sub("", text)
        for refusal in self.refused:
            if (in_summary or not refusal.summary_only) and (found := refusal.words.search(said)):
                yield f"{where}: {found[0]!r} in {text!r}: {refusal.why}"


def load_language() -> Language:
    """The content of language.toml. Raises BadContent for a table without words, a reason or a source."""
    whole = read_section(files("cards") / "language.toml")
    refused = tuple(_refusal(row) for row in whole.rows("refused"))
    allowed = whole.section("allowed")
    says = allowed.texts("says")
    allowed.said("source")
    allowed.done()
    whole.done()
    return Language(refused, re.compile("|".join(map(re.escape, says)) or r"(?!)", re.IGNORECASE))


def _refusal(row: Section) -> Refusal:
    words, where = row.texts("words"), row.text("in", "")
    refusal = Refusal(_any_of(words), row.said("why"), where == "summary")
    row.said("source")
    row.done()
    if not words or where not in ("", "summary"):
        raise BadContent(f'{row.where}: words should name what is not said, and "in" may be "summary"')
    return refusal


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    found = (rf"\b{re.escape(word.removesuffix('*'))}" + (r"\w*" if word.endswith("*") else r"\b") for word in words)
    return re.compile("|".join(found), re.IGNORECASE)
