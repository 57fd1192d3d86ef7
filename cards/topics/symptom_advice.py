"""Cramp, fasciculation and myokymia without a red flag: what to check, explain and look out for."""

from collections.abc import Iterator

from cards.case import Case
from cards.entries import Area, Problem
from cards.figures import listed
from cards.finding import Finding
from cards.presentation import Symptom, of_age
from cards.red_flags import (
    POWER,
    RedFlag,
    breathless,
    each_named,
    may_be_known,
    named_symptom,
    old_signs,
    printed,
    resolved_weakness,
    secondary_myopathy,
    unread_parts,
    unread_signs,
)
from cards.topic import Sheet, load_topic

SYMPTOMS = (Symptom.FASCICULATION, Symptom.CRAMP, Symptom.MYOKYMIA)  # the first that is there gives the summary


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Cramp, fasciculation or myokymia without a red flag is usually benign: check power, explain, and say when to
    seek advice.
    """
    shown = case.shows.shows(*SYMPTOMS)
    if not shown or not case.complete(Area.PROBLEMS):
        return  # benign advice may not rest on a problem list that was read in part: weakness may stand in the rest
    if may_be_known(case):
        return
    yield from _power(case)
    for symptom in SYMPTOMS:
        if problems := case.shows.shows(symptom):
            yield Finding(symptom.value, evidence=problems)
    yield from _of_cramp(case, sheet)
    yield from _long_twitch(case, sheet)
    yield from _worry(case, sheet)
    yield from _family(case, sheet)
    if breathing := breathless(case):
        yield Finding("breathing", evidence=breathing)
    yield Finding("limits")


def _power(case: Case) -> Iterator[Finding]:
    """What the record holds on weakness, before anything is called benign (HZ01)."""
    unread, parts, old, myopathy = unread_signs(case), unread_parts(case), old_signs(case), secondary_myopathy(case)
    old_power = tuple(p for flag in old if flag.sign in POWER for p in flag.problems)
    if unread:
        yield Finding("sign-unread", evidence=unread, fill={"symptom": named_symptom(case)})
    if parts:
        areas = listed([area.value for area in parts])
        yield Finding("part-unread", fill={"symptom": named_symptom(case), "areas": areas})
    if myopathy:
        fill = {"symptom": named_symptom(case), "date": printed(p.when for p in myopathy)}
        yield Finding("myopathy", evidence=myopathy, fill=fill)
    if old_power:
        fill = {"symptom": named_symptom(case), "date": printed(p.when for p in old_power), "days": _window(case)}
        yield Finding("background", evidence=old_power, fill=fill)
    for flag in old:
        if flag.sign not in POWER:
            yield _old_sign(case, flag)
    if resolved := resolved_weakness(case):
        yield Finding("resolved", fill={"labels": each_named(resolved)})
    if not (unread or parts or old_power):
        yield Finding("no-weakness")


def _old_sign(case: Case, flag: RedFlag) -> Finding:
    return Finding("old-sign", flag.problems, {"sign": flag.word, "days": _window(case)}, about=flag.sign.value)


def _window(case: Case) -> str:
    return str(case.windows.symptom)


def _of_cramp(case: Case, sheet: Sheet) -> Iterator[Finding]:
    cramp = case.shows.shows(Symptom.CRAMP)
    if not cramp:
        return
    pregnancy = case.chart.has(*sheet.concepts("pregnancy"))
    if pregnancy:
        yield Finding("pregnancy", evidence=pregnancy)
    else:
        yield Finding("medicines")
    if any(problem.concepts & frozenset(sheet.concepts("nocturnal")) for problem in cramp):
        yield Finding("nocturnal")
        if of_age(case.chart.person.born, case.chart.as_of, int(sheet.number("older"))):
            yield Finding("older", fill={"years": str(sheet.number("older"))})
    if restless := case.chart.has(*sheet.concepts("restless-legs")):
        yield Finding("restless-legs", evidence=restless)


def _long_twitch(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """A twitch of the eyelid, or myokymia that may be one, with an onset longer ago than NG127 allows for (D4)."""
    days = sheet.number("eyelid")
    lasting = [p for p in case.shows.shows(Symptom.MYOKYMIA) if _onset_days(case, p) > days]
    if lasting:
        onsets = printed(p.onset or p.when for p in lasting)
        yield Finding("long-twitch", fill={"date": onsets, "days": str(days)})


def _onset_days(case: Case, problem: Problem) -> int:
    began = problem.onset or problem.when
    return -1 if began is None else began.oldest(case.chart.as_of)


def _worry(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Recorded health anxiety, or a health professional: nothing of it may stand in the summary (HZ25)."""
    anxiety = case.chart.has(*sheet.concepts("health-anxiety"))
    profession = case.chart.has(*sheet.concepts("health-professional"))
    if anxiety or profession:
        yield Finding("explanation", evidence=(*anxiety, *profession))
    if anxiety:
        yield Finding("health-anxiety")


def _family(case: Case, sheet: Sheet) -> Iterator[Finding]:
    if benign := tuple(r for r in case.chart.relatives if r.concepts & frozenset(sheet.concepts("benign-in-family"))):
        yield Finding("family-benign", evidence=benign)
    if disease := tuple(r for r in case.chart.relatives if r.concepts & frozenset(sheet.concepts("disease-in-family"))):
        yield Finding("family-disease", evidence=disease)


TOPIC = load_topic(find, beside=__file__)
