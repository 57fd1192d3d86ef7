"""The symptom gate (specification 3.1; silence rules S1, S7, S12, S16)."""

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from cards.chart import Chart
from cards.content import Content
from cards.entries import Area, Input, Person, Reading, Sex
from cards.example_charts import AS_OF, ago, chart_of
from cards.presentation import Gate, Presentation, Symptom, of_age, presentation
from cards.when import Days, When
from terminology.vocabulary import Vocabulary


def look(content: Content, chart: Chart) -> Presentation:
    return presentation(chart, content.windows, content.gatekeeper)


def gate(content: Content, **lines: str | list[str] | bool) -> Gate:
    return look(content, chart_of(content.vocabulary, **lines)).gate


def span(first: date, last: date) -> When:
    return Days(first, last)


SYMPTOMS = {
    "muscle-cramp": {Symptom.CRAMP},
    "nocturnal-leg-cramp": {Symptom.CRAMP},
    "muscle-fasciculation": {Symptom.FASCICULATION},
    "cramp-fasciculation-syndrome": {Symptom.CRAMP, Symptom.FASCICULATION},
    "myokymia": {Symptom.MYOKYMIA},
    "eyelid-twitch": {Symptom.MYOKYMIA},
    "myotonia": {Symptom.MYOTONIA},
    "blepharospasm": {Symptom.FACIAL_SPASM},
    "hemifacial-spasm": {Symptom.FACIAL_SPASM},
}


@pytest.mark.parametrize("concept", SYMPTOMS)
def test_every_symptom_in_scope_opens_the_gate(content: Content, concept: str) -> None:
    seen = look(content, chart_of(content.vocabulary, problems=[f"{concept} 5 days ago"]))
    assert seen.gate is Gate.OPEN
    assert {symptom for symptom in Symptom if seen.shows(symptom)} == SYMPTOMS[concept]


@pytest.mark.parametrize("concept", ["hypertension", "muscle-weakness", "restless-legs", "health-anxiety", "tetany"])
def test_no_other_problem_opens_it(content: Content, concept: str) -> None:
    assert gate(content, problems=[f"{concept} 5 days ago"]) is Gate.NO_SYMPTOM


def test_nothing_at_all_keeps_it_shut(content: Content) -> None:
    assert gate(content) is Gate.NO_SYMPTOM


@pytest.mark.parametrize(("days", "expected"), [(365, Gate.OPEN), (366, Gate.NO_SYMPTOM)])
def test_a_symptom_counts_for_365_days(content: Content, days: int, expected: Gate) -> None:
    assert gate(content, problems=[f"muscle-cramp {days} days ago"]) is expected


def test_an_undated_symptom_counts(content: Content) -> None:
    assert gate(content, problems=["muscle-cramp undated"]) is Gate.OPEN


def test_a_resolved_symptom_does_not_count(content: Content) -> None:
    assert gate(content, problems=["muscle-cramp resolved 5 days ago"]) is Gate.NO_SYMPTOM


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2025, 6, 1), date(2025, 6, 30), Gate.OPEN),  # a month of which some days lie in the window
        (date(2025, 5, 1), date(2025, 5, 31), Gate.NO_SYMPTOM),
        (date(2025, 1, 1), date(2025, 12, 31), Gate.OPEN),
        (date(2024, 1, 1), date(2024, 12, 31), Gate.NO_SYMPTOM),
    ],
)
def test_a_partial_date_counts_if_any_of_its_days_may(
    content: Content, first: date, last: date, expected: Gate
) -> None:
    chart = chart_of(content.vocabulary, problems=["muscle-cramp 5 days ago"])
    dated = msgspec.structs.replace(chart.problems[0], when=span(first, last))
    assert look(content, replace(chart, problems=(dated,))).gate is expected


def test_the_newest_problem_is_named_first_and_the_undated_last(content: Content) -> None:
    lines = ["muscle-cramp undated", "muscle-cramp 30 days ago", "muscle-cramp 3 days ago"]
    seen = look(content, chart_of(content.vocabulary, problems=lines))
    assert [p.when for p in seen.shows(Symptom.CRAMP)] == [ago(3), ago(30), None]


def test_a_problem_that_is_two_symptoms_is_named_once(content: Content) -> None:
    seen = look(content, chart_of(content.vocabulary, problems=["cramp-fasciculation-syndrome 3 days ago"]))
    assert len(seen.shows(Symptom.CRAMP, Symptom.FASCICULATION)) == 1


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        (date(2010, 6, 16), Gate.UNDER_AGE),  # 15 years and 364 days
        (date(2010, 6, 15), Gate.OPEN),  # 16 today
    ],
)
def test_the_adult_rules_begin_on_the_sixteenth_birthday(content: Content, born: date, expected: Gate) -> None:
    assert gate(content, person=f"female born {born}", problems=["muscle-cramp 5 days ago"]) is expected


@pytest.mark.parametrize(("as_of", "expected"), [(date(2023, 2, 28), False), (date(2023, 3, 1), True)])
def test_who_is_born_on_29_february_has_a_birthday_on_1_march_of_a_common_year(as_of: date, expected: bool) -> None:
    assert of_age(span(date(2008, 2, 29), date(2008, 2, 29)), as_of, 15) is expected


def test_no_birth_date_is_too_late_to_be_compared() -> None:
    assert of_age(span(date(9999, 12, 31), date(9999, 12, 31)), date(2026, 6, 15), 16) is False
    assert of_age(span(date(2004, 2, 29), date(9999, 12, 31)), date(2026, 6, 15), 16) is None


def test_who_is_born_on_29_february_comes_of_age_on_it_in_a_leap_year() -> None:
    born = span(date(2008, 2, 29), date(2008, 2, 29))
    assert of_age(born, date(2024, 2, 28), 16) is False
    assert of_age(born, date(2024, 2, 29), 16) is True


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2010, 1, 1), date(2010, 12, 31), None),
        (date(2009, 1, 1), date(2009, 12, 31), True),
        (date(2011, 1, 1), date(2011, 12, 31), False),
        (date(2010, 6, 1), date(2010, 6, 30), None),
        (date(2010, 5, 1), date(2010, 5, 31), True),
    ],
)
def test_a_year_or_month_of_birth_decides_only_if_all_its_days_agree(
    first: date, last: date, expected: bool | None
) -> None:
    assert of_age(span(first, last), AS_OF, 16) is expected


def test_an_unknown_age_is_told_apart_from_a_young_one(content: Content) -> None:
    assert gate(content, person="female of unknown age", problems=["muscle-cramp 5 days ago"]) is Gate.AGE_UNKNOWN


def test_age_does_not_matter_without_a_symptom(content: Content) -> None:
    assert gate(content, person="female of unknown age") is Gate.NO_SYMPTOM
    assert gate(content, person="female 9") is Gate.NO_SYMPTOM


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({"deceased": True}, Gate.DECEASED),
        ({"test_record": True}, Gate.TEST_RECORD),
        ({"for_patient": True}, Gate.NOT_CLINICIAN),
    ],
)
def test_the_dead_the_invented_and_the_patient_himself_get_no_card(
    content: Content, lines: dict[str, bool], expected: Gate
) -> None:
    assert gate(content, problems=["muscle-cramp 5 days ago"], **lines) is expected


@pytest.mark.parametrize("reading", [Reading.FAILED, Reading.NOT_PERMITTED, Reading.NOT_ASKED])
@pytest.mark.parametrize("problems", [[], ["muscle-cramp 5 days ago"]])
def test_problems_that_could_not_be_had_decide_nothing(
    vocabulary: Vocabulary, content: Content, reading: Reading, problems: list[str]
) -> None:
    chart = chart_of(vocabulary, problems=problems)
    chart = replace(chart, inputs={**chart.inputs, Area.PROBLEMS: Input(reading, "refused")})
    assert look(content, chart).gate is Gate.PROBLEMS_UNREADABLE


def test_problems_cut_short_without_a_symptom_are_not_the_same_as_no_symptom(content: Content) -> None:
    assert gate(content, incomplete=["problems"]) is Gate.PROBLEMS_UNREADABLE


def test_problems_cut_short_with_a_symptom_are_enough_to_open(content: Content) -> None:
    assert gate(content, incomplete=["problems"], problems=["muscle-cramp 5 days ago"]) is Gate.OPEN


@pytest.mark.parametrize("area", [area.value for area in Area if area is not Area.PROBLEMS])
def test_no_other_part_of_the_record_shuts_the_gate(content: Content, area: str) -> None:
    assert gate(content, unreadable=[area], problems=["muscle-cramp 5 days ago"]) is Gate.OPEN


@pytest.mark.parametrize(("person", "adult"), [("male 15", False), ("male 16", True), ("male of unknown age", None)])
def test_topics_that_speak_without_a_symptom_can_see_the_age(content: Content, person: str, adult: bool | None) -> None:
    assert look(content, chart_of(content.vocabulary, person=person)).adult is adult


def test_a_patient_without_a_birth_date_is_of_no_age() -> None:
    assert Person(None, Sex.UNKNOWN).born is None
    assert of_age(None, AS_OF, 16) is None
