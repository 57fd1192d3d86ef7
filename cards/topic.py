"""A topic: a clinical subject with its rules (NAME.py) and its sheet (NAME.toml). It gives at most one card.

The sheet holds everything that is said: wording, weight, thresholds, facts and sources, what it withholds, worked
examples. The loader refuses a sheet that does not hold together, naming the file and the place.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from cards.case import Case
from cards.entries import AWAITED, Area
from cards.finding import Finding, Indicator, Priority
from cards.lists import TABLES, Listing, read_list, read_row
from cards.moment import Moment
from cards.phrase import placeholders
from cards.presentation import Gate
from cards.promises import Promise, read_promises
from cards.toml_file import Section, read_section
from terminology.closed import Closed
from terminology.errors import BadContent

_MARKUP: Final = re.compile(r"<[/!a-zA-Z]|&[a-zA-Z#]+;|\]\(|[*_`#]{2}|https?:|www\.")


class Speaks(Closed):
    """What a kind of finding does.

    CARD makes a card. ADDS adds lines to the topic's own card, if there is one. LINE does the same, and without that
    card stands on the last card dealt (the "detail line only" of the specification). SILENT only withholds others.
    """

    CARD = "card"
    ADDS = "adds"
    LINE = "line"
    SILENT = "silent"


class Does(Closed):
    """What a suggestion proposes: a test, a referral, to review a medicine, or to take a draft out of the basket."""

    TEST = "test"
    REFER = "refer"
    REVIEW = "review"
    REMOVE = "remove"


class Sentence(msgspec.Struct, frozen=True):
    """One sentence of a card, with the facts (F16) or sources (E2) it rests on."""

    say: str
    facts: tuple[str, ...]
    sources: tuple[str, ...]
    beyond: bool


class Kind(msgspec.Struct, frozen=True, eq=False):
    """A ``[finding.KIND]`` of a sheet: what is said when a rule finds it. Two are the same only if they are one."""

    name: str
    rule: str
    speaks: Speaks
    indicator: Indicator
    summary: str
    when: str  # when it is found, as a clinician reads it on the page
    found: str
    why: tuple[Sentence, ...]
    check: tuple[Sentence, ...]
    consider: tuple[Sentence, ...]
    not_known: tuple[Sentence, ...]
    withholds: tuple[str, ...]
    facts: tuple[str, ...]
    sources: tuple[str, ...]
    beyond: bool
    where: str = ""  # file, table and line, for messages

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """What it says in the parts of the detail, in their order."""
        return (*self.why, *self.check, *self.consider, *self.not_known)


class Suggestion(msgspec.Struct, frozen=True, eq=False):
    """A ``[suggestion.NAME]`` of a sheet.

    ``order``: the concept of a test or referral, "" otherwise. ``pending``: orders on record that already ask for the
    same, beside ``order`` itself (S5).
    """

    name: str
    does: Does
    order: str
    label: str
    note: str
    priority: Priority
    pending: tuple[str, ...]
    beyond: bool
    where: str = ""  # file, table and line, for messages


class Example(msgspec.Struct, frozen=True):
    """A worked example of a sheet, in the little language of cards/example_charts.py."""

    name: str
    finding: tuple[str, ...]
    section: Mapping[str, object]
    where: str = ""  # file, table and line, for messages


class Sheet(msgspec.Struct, frozen=True):
    """The whole of NAME.toml."""

    code: str
    title: str
    moments: tuple[Moment, ...]
    rests_on: tuple[Area, ...]
    reassures: bool  # withheld by any critical card, and when any topic's rules failed
    gates: tuple[Gate, ...]
    links: tuple[str, ...]
    appears: tuple[Promise, ...]  # when there is a card, as a clinician reads it; so too the next two
    silent: tuple[Promise, ...]
    never: tuple[Promise, ...]
    numbers: Mapping[str, Decimal]
    lists: Mapping[str, Listing]
    rows: Mapping[str, tuple[Listing, ...]]  # by table: the rows of [[contraindication]] and the like
    kinds: Mapping[str, Kind]
    suggestions: Mapping[str, Suggestion]
    examples: tuple[Example, ...]

    def number(self, name: str) -> Decimal:
        """A threshold of the sheet. Raises BadContent if there is none of that name."""
        if name not in self.numbers:
            raise BadContent(f"{self.code}.toml: [threshold.{name}] is missing")
        return self.numbers[name]

    def listed(self, name: str) -> Listing:
        """A ``[list.NAME]`` of the sheet. Raises BadContent if there is none of that name."""
        if name not in self.lists:
            raise BadContent(f"{self.code}.toml: [list.{name}] is missing")
        return self.lists[name]

    def concepts(self, name: str) -> tuple[str, ...]:
        """The concepts of a ``[list.NAME]``."""
        return self.listed(name).concepts

    def open_for(self, case: Case, *names: str) -> tuple[str, ...]:
        """Those of the suggestions that are not ordered or drafted already within the last 30 days (S5).

        Raises BadContent for a suggestion that the sheet does not have.
        """
        return tuple(name for name in names if not self._awaited(case, name))

    def _awaited(self, case: Case, name: str) -> bool:
        if name not in self.suggestions:
            raise BadContent(f"{self.code}.toml: [suggestion.{name}] is missing")
        suggestion = self.suggestions[name]
        if not suggestion.order:
            return False
        orders = (suggestion.order, *suggestion.pending)
        return bool(case.ordered(*orders, within=case.windows.pending, statuses=AWAITED))


Find = Callable[[Case, Sheet], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Topic:
    """A clinical subject: its rules decide whether something is said, its sheet holds what is said.

    ``find`` is asked when a record is opened, ``judge`` when orders are drafted; one of them may be missing. Their
    docstrings are sentences a GP would agree with, and are printed in the reference.
    """

    code: str
    find: Find | None
    sheet: Sheet
    judge: Find | None = None
    group: str = ""  # of analytes: ``find`` speaks of each of them

    def rules(self, moment: Moment) -> Find | None:
        """What decides at that moment; None if the topic has nothing to say then."""
        return self.find if moment is Moment.RECORD else self.judge


def load_topic(find: Find | None = None, judge: Find | None = None, *, beside: str, group: str = "") -> Topic:
    """The topic of a module: its rules and the sheet of the same name beside it.

    The topic's code is the file's name with hyphens; ``group`` is a group of analytes if the rules go through it.
    Raises BadContent if the sheet does not hold together.
    """
    path = Path(beside).with_suffix(".toml")
    code = path.stem.replace("_", "-")
    sheet = read_sheet(code, read_section(path))
    for moment, rules in ((Moment.RECORD, find), (Moment.ORDER, judge)):
        if (rules is None) is (moment in sheet.moments):
            raise BadContent(f"{path.name}: [topic] moments and the rules of {path.stem}.py do not agree")
    return Topic(code, find, sheet, judge, group)


def read_sheet(code: str, whole: Section) -> Sheet:
    """The sheet of one topic. Facts, sources and withheld topics are checked when all topics are together."""
    topic = whole.section("topic")
    sheet = Sheet(
        code=code,
        title=topic.said("title"),
        moments=tuple(topic.member(Moment, name) for name in topic.texts("moments")),
        rests_on=tuple(topic.member(Area, name) for name in topic.texts("rests_on")),
        reassures=topic.flag("reassures"),
        gates=tuple(topic.member(Gate, name) for name in topic.texts("gates")) or (Gate.OPEN,),
        links=topic.texts("links"),
        appears=read_promises(topic, "appears"),
        silent=read_promises(topic, "silent"),
        never=read_promises(topic, "never"),
        numbers={name: _threshold(table) for name, table in whole.sections("threshold").items()},
        lists={name: read_list(table) for name, table in whole.sections("list").items()},
        rows={name: tuple(read_row(row) for row in whole.rows(name)) for name in TABLES},
        kinds={name: _kind(name, table) for name, table in whole.sections("finding").items()},
        suggestions={name: _suggestion(name, table) for name, table in whole.sections("suggestion").items()},
        examples=tuple(_example(row) for row in whole.rows("example")),
    )
    topic.done()
    whole.done()
    _refuse_loose_ends(sheet, whole.where)
    return sheet


def _refuse_loose_ends(sheet: Sheet, where: str) -> None:
    """Raises BadContent where one part of the sheet names another that is not there, or shows nothing of it."""
    if not sheet.moments:
        raise BadContent(f"{where}: [topic] moments should name when the topic is asked")
    for row in chain(*sheet.rows.values()):
        for kind in filter(None, (row.finding, row.drafted)):
            if kind not in sheet.kinds:
                raise BadContent(f"{row.where}: there is no [finding.{kind}] to say why")
        if row.above and row.above not in sheet.numbers:
            raise BadContent(f"{row.where}: there is no [threshold.{row.above}]")
    shown = {kind for example in sheet.examples for kind in example.finding}
    for name in sheet.kinds:
        if name not in shown:
            raise BadContent(f"{where}: [finding.{name}] has no worked example; add an [[example]] with it")
    for kind in shown - set(sheet.kinds):
        raise BadContent(f"{where}: an example expects the finding {kind!r}, which the sheet does not describe")


def _threshold(table: Section) -> Decimal:
    value = table.number("value")
    table.text("source")  # a number without a source does not enter
    table.text("unit", "")
    table.done()
    return value


def _kind(name: str, table: Section) -> Kind:
    speaks = table.member(Speaks, table.text("speaks", "card"))
    beyond = table.flag("beyond")
    parts = {
        part: tuple(_sentence(row, beyond=beyond) for row in table.rows(part))
        for part in ("why", "check", "consider", "not_known")
    }
    kind = Kind(
        name=name,
        rule=table.text("rule"),
        speaks=speaks,
        indicator=table.member(Indicator, table.text("indicator", "info")),
        summary=_wording(table, "summary", default=""),
        when=table.text("when", ""),
        found=_wording(table, "found", default=""),
        why=parts["why"],
        check=parts["check"],
        consider=parts["consider"],
        not_known=parts["not_known"],
        withholds=table.texts("withholds"),
        facts=table.texts("facts"),
        sources=table.texts("sources"),
        beyond=beyond,
        where=table.where,
    )
    table.done()
    if speaks is Speaks.CARD and not (kind.summary and kind.why and kind.check and kind.consider):
        raise BadContent(f"{table.where}: a card needs summary, why, check and consider")
    if speaks is Speaks.CARD and not kind.when:
        raise BadContent(f"{table.where}: when should tell a clinician when there is this card")
    if speaks is not Speaks.SILENT and not (kind.facts or kind.sources):
        raise BadContent(f"{table.where}: facts or sources should say what the finding rests on")
    return kind


def _sentence(row: Section, *, beyond: bool) -> Sentence:
    sentence = Sentence(
        _wording(row, "say"), row.texts("facts"), row.texts("sources"), row.flag("beyond", default=beyond)
    )
    row.done()
    if not (sentence.facts or sentence.sources):
        raise BadContent(f"{row.where}: a sentence needs facts or sources")
    if not sentence.facts and not sentence.beyond:
        raise BadContent(f"{row.where}: a sentence without a fact is beyond the fact sheet: set beyond = true")
    return sentence


def _suggestion(name: str, table: Section) -> Suggestion:
    does = table.member(Does, table.text("does"))
    suggestion = Suggestion(
        name=name,
        does=does,
        order=table.text("order") if does in (Does.TEST, Does.REFER) else "",
        label=_wording(table, "label"),
        note=_wording(table, "note", default=""),
        priority=table.member(Priority, table.text("priority", "routine")),
        pending=table.texts("pending"),
        beyond=table.flag("beyond"),
        where=table.where,
    )
    table.done()
    return suggestion


def _example(row: Section) -> Example:
    name, finding = row.said("name"), row.texts("finding")
    return Example(name, finding, dict(row.table), row.where)


def _wording(table: Section, key: str, default: str | None = None) -> str:
    """A piece of wording: one line of plain words (R11), braces in order. What may stand in them, examples show."""
    text = table.said(key) if default is None else table.text(key, default)
    if not text.isprintable() or text != text.strip():
        raise BadContent(f"{table.where}: {key} should be one line with plain spaces only, and none around it")
    if markup := _MARKUP.search(text):
        raise BadContent(
            f"{table.where}: {key} holds {markup[0]!r}; write plain words, without HTML, Markdown or links"
        )
    try:
        placeholders(text)
    except ValueError as error:
        raise BadContent(f"{table.where}: {key}: {error}") from None
    return text
