"""How an entry of the chart is printed: one line of content.toml each, the same on every card."""

from typing import Final

from cards.bands import UsedLimits, Whose, limits_for
from cards.case import Case
from cards.content import Content
from cards.entries import Allergy, Draft, Medicine, Order, Problem, Relative, Result, ResultStatus, Unread
from cards.figures import value_of
from cards.finding import Evidence
from cards.when import When
from terminology.vocabulary import Link

_BOTH: Final = frozenset({"low", "high"})


def date_of(when: When | None, content: Content) -> str:
    """The date as printed; the word for undated if there is none."""
    return content.frame.say("evidence", "undated") if when is None else str(when)


def describe(entry: Evidence, case: Case, content: Content) -> str:
    """One line of the Found part: value, unit, date, range used and whose, resource id (specification 3.6)."""
    known = case.printed.get(id(entry))
    if known is not None:
        return known[1]
    line = _describe(entry, case, content)
    case.printed[id(entry)] = (entry, line)  # kept with it, so that no other can have its identity
    return line


def _describe(entry: Evidence, case: Case, content: Content) -> str:
    say = content.frame.say
    match entry:
        case Result():
            return _result(entry, case, content)
        case Problem(label=label, when=when, source=source):
            return say("evidence", "problem", label=label, date=date_of(when, content), source=source)
        case Medicine():
            return _medicine(entry, case, content)
        case Order(label=label, status=status, when=when, source=source):
            return say(
                "evidence", "order", label=label, status=status.value, date=date_of(when, content), source=source
            )
        case Relative(label=label, source=source):
            return say("evidence", "relative", label=label, source=source)
        case Allergy(label=label, source=source):
            return say("evidence", "allergy", label=label, source=source)
        case Draft(label=label, link=link, source=source):
            return say("evidence", "draft", label=label, extras=_known_by(link, content), source=source)
        case Unread():
            return unread_line(entry, case, content)


def _result(result: Result, case: Case, content: Content) -> str:
    say = content.frame.say
    analyte = case.analyte(result.analyte)
    extras = ""
    if result.status is ResultStatus.UNSTATED:
        extras += say("evidence", "unstated")
    if result.status is ResultStatus.PRELIMINARY:
        extras += say("evidence", "preliminary")
    if result.haemolysed:
        extras += say("evidence", "haemolysed")
    if result.calculated_from:
        extras += say("evidence", "calculated", sent=result.calculated_from)
    elif result.sent_value is not None and (result.sent_unit != analyte.unit or result.sent_value != result.value):
        extras += say("evidence", "sent", sent=result.sent)
    if result.note:
        extras += say("evidence", "note", note=result.note)
    used = limits_for(result, analyte, case.chart.person)
    sides = frozenset(band.side for band in case.bands.of(result.analyte)) or _BOTH
    return say(
        "evidence",
        "result",
        title=analyte.title,
        value=value_of(result),
        unit=analyte.unit,
        date=str(result.when),
        range=" or ".join(dict.fromkeys(_range(one, result, analyte.unit, sides, content) for one in used)),
        extras=extras,
        source=result.source,
    )


def _range(used: UsedLimits, result: Result, unit: str, sides: frozenset[str], content: Content) -> str:
    """The range used and whose it is. ``sides``: those on which a value can be outside; no other is filled in here."""
    say = content.frame.say
    low, high, whose = used.limits.low, used.limits.high, used.whose.value
    if low is None and high is None:
        return say("evidence", "no_usable" if result.range_unused else "no_range")
    if used.whose is not Whose.LABORATORY:
        whose = say("evidence", "unused" if result.range_unused else "default", whose=whose)
    elif result.limits is not None and result.limits.low is None and low is not None:
        low, whose = (low, say("evidence", "upper_sent")) if "low" in sides else (None, whose)
    elif result.limits is not None and result.limits.high is None and high is not None:
        high, whose = (high, say("evidence", "lower_sent")) if "high" in sides else (None, whose)
    if low is None:
        return say("evidence", "range_high", high=str(high), unit=unit, whose=whose)
    if high is None:
        return say("evidence", "range_low", low=str(low), unit=unit, whose=whose)
    return say("evidence", "range", low=str(low), high=str(high), unit=unit, whose=whose)


def _medicine(medicine: Medicine, case: Case, content: Content) -> str:
    words, start = content.frame.words["evidence"], case.started(medicine)
    return words["medicine"].format(
        label=medicine.label,
        start=words["no_start"] if start is None else words["since"].format(date=start.isoformat()),
        extras="" if medicine.link is Link.CODE else _known_by(medicine.link, content),
        source=medicine.source,
    )


def _known_by(link: Link | None, content: Content) -> str:
    """Marks a medicine that no code names (3.8 no. 4)."""
    match link:
        case Link.BRAND:
            return content.frame.say("evidence", "by_brand")
        case Link.NAME:
            return content.frame.say("evidence", "by_name")
        case Link.CODE | None:
            return ""


def unread_line(entry: Unread, case: Case, content: Content) -> str:
    """One line of the Not known part: what it is about, why it was not used, where it stands."""
    about = about_of(entry, case)
    what = entry.why if entry.why.lower().startswith(about.lower()) else f"{about}: {entry.why}"
    where = entry.source or entry.area.value
    if entry.expected:
        return content.frame.say("not_known", "unused", what=what, source=where)
    if entry.when is None:
        return content.frame.say("not_known", "entry", what=what, source=where)
    return content.frame.say("not_known", "entry_dated", what=what, source=where, date=str(entry.when))


def about_of(entry: Unread, case: Case) -> str:
    """What an unread entry concerns, in words; the part of the record if that could not be told."""
    if entry.about in case.vocabulary.analytes:
        return case.vocabulary.analytes[entry.about].title
    return case.vocabulary.title(entry.about) if entry.about else entry.area.value.capitalize()
