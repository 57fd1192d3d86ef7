"""The worked examples of the sheets: a chart in a clinician's words, and the findings it should give.

    [[example]]
    name      = "Low potassium on a thiazide-like diuretic"
    finding   = ["outside"]                                     # exactly these kinds of this topic, [] for none
    person    = "female 68"                                     # default "female 50"; or "male born 1958-02-11"
    problems  = ["muscle-cramp 20 days ago"]                    # also: undated, severe, resolved; "onset 100 days ago"
    results   = ["potassium 3.1 mmol/L [3.5-5.3] 12 days ago"]  # also: >5000, preliminary, corrected, ...
    medicines = ["indapamide since 200 days ago"]               # also: a+b, ended, by name, by brand, for malaria
    orders    = ["refer-neurology active 10 days ago"]
    family    = ["motor-neurone-disease in mother"]
    allergies = ["quinine"]
    drafts    = ["quinine 200 mg at night", "order-ck"]         # makes it an example of ordering; also: "for malaria",
                                                                # "by name", "of unknown dose", "as context"; doses as
                                                                # "40 mg daily", also in medicines
    unreadable = ["results"]                                    # a part of the record that could not be had
    unread    = ["potassium: the unit 'mg%' cannot be converted"]  # also: "problems/muscle-weakness: ..."
    card      = "warning"                                       # indicator of the topic's card, "none" for no card
    says      = ["3.1", "indapamide"]                           # found in the card, case ignored
    never     = ["stop"]                                        # not found in it
    suggests  = ["magnesium"]                                   # found in the labels of its suggestions

The same examples run in the tests and, by ``muscle-cds check``, on the hospital's machine.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from cards.card import LONGEST_SUMMARY, Card
from cards.case import Case
from cards.chart import (
    Allergy,
    Area,
    Chart,
    Comparator,
    Dose,
    Draft,
    Input,
    Medicine,
    Order,
    OrderStatus,
    Person,
    Problem,
    Reading,
    Relative,
    Result,
    ResultStatus,
    Sex,
    Unread,
)
from cards.compose import compose
from cards.content import Content
from cards.finding import Finding
from cards.moment import Moment
from cards.phrase import placeholders
from cards.presentation import presentation
from cards.toml_file import Section
from cards.topic import Example, Topic
from cards.undecided import set_aside
from cards.when import Days, Instant, When
from terminology.analytes import Analyte, Limits
from terminology.errors import BadContent
from terminology.vocabulary import Link, Vocabulary

AS_OF = date(2026, 6, 15)

_DAYS = r"(?P<days>\d+) days? ago"
_PROBLEM = re.compile(
    rf"(?P<concept>[a-z0-9-]+)(?P<severe> severe)?(?P<resolved> resolved)?( ({_DAYS}|undated))?"
    r"( onset (?P<onset>\d+) days ago)?"
)
_RESULT = re.compile(
    rf"(?P<analyte>[a-z0-9-]+) (?P<sign>[<>]=?)?(?P<value>[\d.]+) (?P<unit>\S+)"
    rf"( \[(?P<low>[\d.]*)-(?P<high>[\d.]*)\])? {_DAYS}( at (?P<hour>\d\d):(?P<minute>\d\d))?(?P<words>( [a-z]+)*)"
)
_DOSE = r"( (?P<mg>[\d.]+) mg (?P<times>at night|daily)| (?P<unknown>of unknown dose))?"
_MEDICINE = re.compile(
    rf"(?P<names>[a-z0-9+-]+){_DOSE}( since (?P<days>\d+) days ago)?(?P<ended> ended( (?P<end>\d+) days ago)?)?"
    r"( by (?P<link>name|brand))?( for (?P<reason>[a-z-]+))?"
)
_ORDER = re.compile(rf"(?P<concept>[a-z0-9-]+) (?P<status>active|draft|completed|other)( {_DAYS}|)")
_DRAFT = re.compile(
    rf"(?P<names>[a-z0-9+-]+){_DOSE}( by (?P<link>name|brand))?( for (?P<reason>[a-z-]+))?(?P<context> as context)?"
)
_FAMILY = re.compile(r"(?P<concept>[a-z-]+) in (?P<who>\w+)")
_PERSON = re.compile(r"(?P<sex>male|female|unknown) ((?P<age>\d+)|born (?P<born>\d{4}-\d\d-\d\d)|of unknown age)")


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
    sentences = (*kind.why, *kind.check, *kind.consider, *kind.not_known)
    said = [(kind.where, text) for text in (kind.summary, kind.found, *(one.say for one in sentences))]
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


def chart_of(vocabulary: Vocabulary, **lines: str | list[str] | bool) -> Chart:
    """A chart from lines in the language of the examples, for tests."""
    row = Section("chart", lines)
    chart = chart_from(row, vocabulary)
    row.done()
    return chart


def chart_from(row: Section, vocabulary: Vocabulary) -> Chart:
    """The chart of an example. Raises BadContent for a line that is not in the language."""
    unreadable = {_area(word, row) for word in row.texts("unreadable")}
    incomplete = {_area(word, row) for word in row.texts("incomplete")}
    inputs = {area: Input(Reading.COMPLETE) for area in Area}
    inputs |= {area: Input(Reading.FAILED, "the record system did not answer in time") for area in unreadable}
    inputs |= {area: Input(Reading.INCOMPLETE, "only part of it could be had") for area in incomplete}
    person = _person(row.text("person", "female 50"), row)
    drafts = tuple(_draft(line, number, vocabulary, row) for number, line in enumerate(row.texts("drafts"), 1))
    orders = tuple(_order(line, number, vocabulary, row) for number, line in enumerate(row.texts("orders"), 1))
    return Chart(
        as_of=AS_OF,
        person=Person(person.born, person.sex, row.flag("deceased"), row.flag("test_record")),
        inputs=inputs,
        problems=tuple(_problem(line, number, vocabulary, row) for number, line in enumerate(row.texts("problems"), 1)),
        results=tuple(_result(line, number, vocabulary, row) for number, line in enumerate(row.texts("results"), 1)),
        medicines=tuple(
            _medicine(line, number, vocabulary, row) for number, line in enumerate(row.texts("medicines"), 1)
        ),
        orders=(*orders, *_drafted_orders(drafts)),
        allergies=tuple(
            Allergy(frozenset({name}), vocabulary.title(name), f"AllergyIntolerance/a{number}")
            for number, name in enumerate(row.texts("allergies"), 1)
        ),
        drafts=drafts,
        relatives=tuple(_relative(line, number, vocabulary, row) for number, line in enumerate(row.texts("family"), 1)),
        unread=tuple(_unread(line, number, row) for number, line in enumerate(row.texts("unread"), 1)),
        for_clinician=not row.flag("for_patient"),
    )


def _match(pattern: re.Pattern[str], line: str, row: Section) -> Mapping[str, str | None]:
    found = pattern.fullmatch(line)
    if found is None:
        raise BadContent(f"{row.where}: cannot read {line!r}; cards/examples.py shows the form")
    return found.groupdict()


def _area(word: str, row: Section) -> Area:
    for area in Area:
        if area.value == word:
            return area
    raise BadContent(f"{row.where}: {word!r} is no part of a record")


def ago(days: int, at: time = time(12)) -> When:
    """Noon UTC so many days before the evaluation date of the examples."""
    day = AS_OF - timedelta(days=days)
    moment = datetime.combine(day, at, UTC)
    return Instant(moment, moment)


def _when(days: str | None) -> When | None:
    return None if days is None else ago(int(days))


def _person(line: str, row: Section) -> Person:
    found = _match(_PERSON, line, row)
    sex = Sex(found["sex"])
    if found["born"] is not None:
        born = date.fromisoformat(str(found["born"]))
    elif found["age"] is not None:
        born = AS_OF.replace(year=AS_OF.year - int(str(found["age"]))) - timedelta(days=30)
    else:
        return Person(None, sex)
    return Person(Days(born, born), sex)


def _known(concept: str, titled: Vocabulary) -> str:
    return titled.title(concept)


def _problem(line: str, number: int, vocabulary: Vocabulary, row: Section) -> Problem:
    found = _match(_PROBLEM, line, row)
    concept = str(found["concept"])
    return Problem(
        concepts=frozenset({concept}),
        label=_known(concept, vocabulary),
        when=_when(found["days"]),
        source=f"Condition/c{number}",
        active=found["resolved"] is None,
        severe=found["severe"] is not None,
        onset=_when(found["onset"]) or _when(found["days"]),
    )


def _result(line: str, number: int, vocabulary: Vocabulary, row: Section) -> Result:
    found = _match(_RESULT, line, row)
    name, unit = str(found["analyte"]), str(found["unit"])
    if name not in vocabulary.analytes:
        raise BadContent(f"{row.where}: there is no analyte {name!r}")
    analyte = vocabulary.analytes[name]
    words = frozenset((found["words"] or "").split())
    unknown = words - {"haemolysed", "preliminary", "corrected", "amended", "unstated"}
    exact = analyte.convert(Decimal(str(found["value"])), unit)
    if exact is None or unknown:
        raise BadContent(f"{row.where}: cannot read {line!r}: unknown unit or word")
    hour, minute = int(found["hour"] or 12), int(found["minute"] or 0)
    return Result(
        analyte=name,
        value=analyte.rounded(exact),
        exact=exact,
        when=ago(int(str(found["days"])), time(hour, minute)),
        source=f"Observation/o{number}",
        status=_status(words),
        comparator=Comparator(found["sign"]) if found["sign"] else None,
        limits=_limits(found["low"], found["high"], analyte, unit),
        sent_value=Decimal(str(found["value"])),
        sent_unit=unit,
        haemolysed="haemolysed" in words,
    )


def _status(words: Iterable[str]) -> ResultStatus:
    named = {"unstated": ResultStatus.UNSTATED} | {s.value: s for s in ResultStatus}
    return next((named[word] for word in words if word in named), ResultStatus.FINAL)


def _limits(low: str | None, high: str | None, analyte: Analyte, unit: str) -> Limits | None:
    def limit(text: str | None) -> Decimal | None:
        exact = analyte.convert(Decimal(text), unit) if text else None
        return None if exact is None else analyte.rounded(exact)

    return Limits(limit(low), limit(high)) if low or high else None


def _medicine(line: str, number: int, vocabulary: Vocabulary, row: Section) -> Medicine:
    found = _match(_MEDICINE, line, row)
    names = str(found["names"]).split("+")
    for name in names:
        if not vocabulary.classes_of(name):
            raise BadContent(f"{row.where}: there is no ingredient {name!r}")
    return Medicine(
        ingredients=frozenset(names),
        label=" and ".join(vocabulary.title(name) for name in names),
        link=Link(found["link"]) if found["link"] else Link.CODE,
        active=found["ended"] is None,
        source=f"MedicationStatement/m{number}",
        start=_when(found["days"]),
        end=_when(found["end"]),
        reasons=frozenset({str(found["reason"])}) if found["reason"] else frozenset(),
        dose=_dose(found),
    )


def _dose(found: Mapping[str, str | None]) -> Dose | None:
    if found["unknown"]:
        return Dose(why="the dose is given in words only")
    if found["mg"] is None:
        return None
    amount = Decimal(found["mg"])
    return Dose(night=amount if found["times"] == "at night" else None, daily=amount)


def _draft(line: str, number: int, vocabulary: Vocabulary, row: Section) -> Draft:
    found = _match(_DRAFT, line, row)
    names = frozenset(str(found["names"]).split("+"))
    is_order = all(name.startswith(("order-", "refer-")) for name in names)
    return Draft(
        ingredients=frozenset() if is_order else names,
        concepts=names if is_order else frozenset(),
        label=" and ".join(vocabulary.title(name) for name in sorted(names)),
        link=None if is_order else Link(found["link"]) if found["link"] else Link.CODE,
        judged=found["context"] is None,
        source=f"{'ServiceRequest' if is_order else 'MedicationRequest'}/d{number}",
        reasons=frozenset({str(found["reason"])}) if found["reason"] else frozenset(),
        dose=_dose(found),
    )


def _drafted_orders(drafts: Iterable[Draft]) -> Iterator[Order]:
    """Draft tests and referrals as they stand among the orders of a chart: dated today."""
    for draft in drafts:
        if draft.concepts:
            yield Order(draft.concepts, draft.label, OrderStatus.DRAFT, ago(0), draft.source)


def _order(line: str, number: int, vocabulary: Vocabulary, row: Section) -> Order:
    found = _match(_ORDER, line, row)
    concept = str(found["concept"])
    return Order(
        concepts=frozenset({concept}),
        label=_known(concept, vocabulary),
        status=OrderStatus(found["status"]),
        when=_when(found["days"]),
        source=f"ServiceRequest/s{number}",
    )


def _relative(line: str, number: int, vocabulary: Vocabulary, row: Section) -> Relative:
    found = _match(_FAMILY, line, row)
    concept, who = str(found["concept"]), str(found["who"])
    label = f"{_known(concept, vocabulary)}, {who}"
    return Relative(frozenset({concept}), who, label, f"FamilyMemberHistory/f{number}")


def _unread(line: str, number: int, row: Section) -> Unread:
    about, _, why = line.partition(": ")
    area, _, concept = about.rpartition("/")
    kind = "Condition" if area == Area.PROBLEMS.value else "Observation"
    return Unread(_area(area, row) if area else Area.RESULTS, concept, why, f"{kind}/u{number}", ago(1))
