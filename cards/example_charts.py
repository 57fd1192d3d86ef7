"""The little language of the worked examples: a patient's record in a clinician's words, a line for each entry.

    person    = "female 68"                                     # default "female 50"; or "male born 1958-02-11"
    problems  = ["muscle-cramp 20 days ago"]                    # also: undated, severe, resolved; "onset 100 days ago"
    results   = ["potassium 3.1 mmol/L [3.5-5.3] 12 days ago"]  # also: >5000, preliminary, corrected, ...
    medicines = ["indapamide since 200 days ago"]               # also: a+b, ended, by name, by brand, for malaria
    orders    = ["refer-neurology active 10 days ago"]
    family    = ["motor-neurone-disease in mother"]
    allergies = ["quinine"]
    drafts    = ["quinine 200 mg at night", "order-ck"]         # makes it an example of ordering; also: "for malaria",
                                                                # "by name", "of unknown dose", "as context"; doses as
                                                                # "40 mg daily" or "of unknown dose, at least 40 mg",
                                                                # also in medicines
    unreadable = ["results"]                                    # a part of the record that could not be had
    incomplete = ["problems"]                                   # one that was read in part
    unread    = ["potassium: the unit 'mg%' cannot be converted"]  # also: "problems/muscle-weakness: ..."

Also ``deceased``, ``test_record`` and ``for_patient``, each true or left out. All examples are of one day, AS_OF.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from cards.chart import Chart
from cards.entries import (
    Allergy,
    Area,
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
from cards.toml_file import Section
from cards.when import Days, Instant, When
from terminology.analytes import Analyte, Limits
from terminology.errors import BadContent
from terminology.vocabulary import Link, Vocabulary

AS_OF: Final = date(2026, 6, 15)
"""The day on which the rules see every example."""

_DAYS = r"(?P<days>\d+) days? ago"
_PROBLEM = re.compile(
    rf"(?P<concept>[a-z0-9-]+)(?P<severe> severe)?(?P<resolved> resolved)?( ({_DAYS}|undated))?"
    r"( onset (?P<onset>\d+) days ago)?"
)
_RESULT = re.compile(
    rf"(?P<analyte>[a-z0-9-]+) (?P<sign>[<>]=?)?(?P<value>[\d.]+) (?P<unit>\S+)"
    rf"( \[(?P<low>[\d.]*)-(?P<high>[\d.]*)\])? {_DAYS}( at (?P<hour>\d\d):(?P<minute>\d\d))?(?P<words>( [a-z]+)*)"
)
_DOSE = (
    r"( (?P<mg>[\d.]+) mg (?P<times>at night|daily)| (?P<unknown>of unknown dose)(, at least (?P<least>[\d.]+) mg)?)?"
)
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


def chart_of(vocabulary: Vocabulary, **lines: str | list[str] | bool) -> Chart:
    """A chart from lines in the language of the examples, for tests."""
    row = Section("chart", lines)
    chart = chart_from(row, vocabulary)
    row.done()
    return chart


def chart_from(row: Section, vocabulary: Vocabulary) -> Chart:
    """The chart of an example. Raises BadContent for a line that is not in the language."""
    unreadable = {row.member(Area, word) for word in row.texts("unreadable")}
    incomplete = {row.member(Area, word) for word in row.texts("incomplete")}
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
        raise BadContent(f"{row.where}: cannot read {line!r}; cards/example_charts.py shows the form")
    return found.groupdict()


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


def _problem(line: str, number: int, vocabulary: Vocabulary, row: Section) -> Problem:
    found = _match(_PROBLEM, line, row)
    concept = str(found["concept"])
    return Problem(
        concepts=frozenset({concept}),
        label=vocabulary.title(concept),
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
        least = found["least"]
        return Dose(why="the dose is given in words only", least=None if least is None else Decimal(least))
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
        label=vocabulary.title(concept),
        status=OrderStatus(found["status"]),
        when=_when(found["days"]),
        source=f"ServiceRequest/s{number}",
    )


def _relative(line: str, number: int, vocabulary: Vocabulary, row: Section) -> Relative:
    found = _match(_FAMILY, line, row)
    concept, who = str(found["concept"]), str(found["who"])
    label = f"{vocabulary.title(concept)}, {who}"
    return Relative(frozenset({concept}), who, label, f"FamilyMemberHistory/f{number}")


def _unread(line: str, number: int, row: Section) -> Unread:
    about, _, why = line.partition(": ")
    area, _, concept = about.rpartition("/")
    kind = "Condition" if area == Area.PROBLEMS.value else "Observation"
    return Unread(row.member(Area, area) if area else Area.RESULTS, concept, why, f"{kind}/u{number}", ago(1))
