"""The worked examples of the sheets: a chart in a clinician's words, and the findings and the card it should give.

    [[example]]
    name      = "Low potassium on a thiazide-like diuretic"
    finding   = ["outside"]            # exactly these kinds of this topic, [] for none
    ...                                # the record, as cards/example_charts.py reads it
    card      = "warning"              # indicator of the topic's card, "none" for no card
    says      = ["3.1", "indapamide"]  # found in the card, case ignored
    never     = ["stop"]               # not found in it
    suggests  = ["magnesium"]          # found in the labels of its suggestions
    never_suggests = ["remove"]        # not found in them

The same examples run in the tests and, by ``muscle-cds check``, on the hospital's machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cards.card import LONGEST_SUMMARY, Card
from cards.case import Case
from cards.chart import Chart
from cards.compose import compose
from cards.content import Content
from cards.example_charts import chart_from
from cards.finding import Finding
from cards.moment import Moment
from cards.phrase import placeholders
from cards.presentation import presentation
from cards.toml_file import Section
from cards.topic import Example, Topic
from cards.undecided import set_aside
from terminology.errors import BadContent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running one example showed. ``problems`` is empty if it is as expected."""

    topic: str
    example: str
    problems: tuple[str, ...]


def run(content: Content) -> Iterator[Outcome]:
    """Every worked example of every topic, with all that a site may switch off switched on."""
    content = replace(content, beyond=True, removal=True, critical_as_warning=False)
    for topic in content.topics:
        for example in topic.sheet.examples:
            yield Outcome(topic.code, example.name, tuple(_judge(topic, example, content)))


def _judge(topic: Topic, example: Example, content: Content) -> Iterator[str]:
    row = Section(f"{example.where or topic.code}: {example.name}", example.section)
    try:
        chart = chart_from(row, content.vocabulary)
    except (ValueError, ArithmeticError) as error:  # 31 February, 3.1.4 mmol/L, a hundred thousand years ago
        raise BadContent(f"{row.where}: a date, a time or a number cannot be: {error}") from error
    card_expected, says, never = row.text("card", ""), row.texts("says"), row.texts("never")
    suggests, silent = row.texts("suggests"), row.texts("never_suggests")
    failed = row.texts("failed_topics")
    row.done()
    case = case_of(chart, content, failed_topics=failed)
    rules = topic.rules(case.moment)
    if rules is None:
        raise BadContent(f"{topic.code}: {example.name}: the topic has no rules for this moment")
    findings = tuple(rules(case, topic.sheet)) if case.shows.gate in topic.sheet.gates else ()
    kinds = sorted({finding.kind for finding in findings})
    if kinds != sorted(set(example.finding)):
        yield f"found {kinds}, expected {sorted(example.finding)}"
    unsaid = [*dict.fromkeys(problem for finding in findings for problem in _unsaid(topic, finding))]
    if unsaid:
        yield from unsaid
        return
    card = compose(topic, findings, case, content)
    indicator = "none" if card is None else card.indicator.value
    if card_expected and indicator != card_expected:
        yield f"card is {indicator}, expected {card_expected}"
    text = "" if card is None else f"{card.summary}\n{card.detail}".lower()
    yield from (f"does not say {word!r}" for word in says if word.lower() not in text)
    yield from (f"says {word!r}" for word in never if word.lower() in text)
    labels = _labels(card)
    yield from (f"does not suggest {word!r}" for word in suggests if word.lower() not in labels)
    yield from (f"suggests {word!r}" for word in silent if word.lower() in labels)


def _unsaid(topic: Topic, finding: Finding) -> Iterator[str]:
    """What keeps the wording of a finding from being said: also of sentences that this card does not show."""
    kind = topic.sheet.kinds.get(finding.kind)
    if kind is None:
        yield f"the rules find {finding.kind!r}, but the sheet has no [finding.{finding.kind}]"
        return
    said = [(kind.where, text) for text in (kind.summary, kind.found, *(one.say for one in kind.sentences))]
    for name in finding.suggest:
        suggestion = topic.sheet.suggestions[name]
        said += [(suggestion.where, suggestion.label), (suggestion.where, suggestion.note)]
    may = f"it may name {', '.join(sorted(finding.fill))}" if finding.fill else "no placeholder belongs there"
    odd = [(where, name) for where, text in said for name in sorted(placeholders(text) - finding.fill.keys())]
    if odd:
        yield from (f"{where}: nothing is filled in for {{{name}}}; {may}" for where, name in odd)
        return
    length = len(kind.summary.format_map(finding.fill))
    if length > LONGEST_SUMMARY:
        yield f"{kind.where}: the summary has {length} characters when filled; shorten it to {LONGEST_SUMMARY}"


def _labels(card: Card | None) -> str:
    return "" if card is None else "\n".join(intent.label for intent in card.suggestions).lower()


def case_of(chart: Chart, content: Content, *, failed_topics: tuple[str, ...] = ()) -> Case:
    """The case the topics see for a chart: a chart with drafts is one of ordering."""
    chart = set_aside(chart, content.bands, content.vocabulary)
    moment = Moment.ORDER if chart.drafts else Moment.RECORD
    shows = presentation(chart, content.windows, content.gatekeeper, moment)
    return Case(chart, shows, content.windows, content.bands, content.vocabulary, failed_topics, moment)
