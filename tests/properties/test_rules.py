"""What holds for every chart, not only for the worked ones (specification P19; promises under fault, R8)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cards.advise import advise
from cards.card import Advice
from cards.chart import Area, Chart, Input, Reading
from cards.content import load_content
from cards.examples import chart_of
from cards.finding import Indicator, Refer
from cards.moment import Moment
from cards.presentation import Gate, presentation
from cards.topic import Speaks
from terminology.vocabulary import load

CONTENT = load_content(load())
REASSURING = tuple(t for t in CONTENT.topics if t.sheet.reassures)
CALM = frozenset(kind.rule for t in REASSURING for kind in t.sheet.kinds.values() if kind.speaks is Speaks.CARD)
Lines = dict[str, Any]

bounded = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

SYMPTOMS = (
    "muscle-cramp",
    "nocturnal-leg-cramp",
    "muscle-fasciculation",
    "cramp-fasciculation-syndrome",
    "myokymia",
    "eyelid-twitch",
    "myotonia",
    "blepharospasm",
    "hemifacial-spasm",
)
RED_FLAGS = (
    "muscle-weakness",
    "muscle-wasting",
    "foot-drop",
    "wrist-drop",
    "dysarthria",
    "dysphagia",
    "muscle-rigidity",
    "orthopnoea",
    "breathlessness-at-rest",
)
BACKGROUND = (
    "motor-neurone-disease",
    "peripheral-neuropathy",
    "dialysis",
    "pregnancy",
    "palliative-care",
    "malaria",
    "heart-failure",
    "health-anxiety",
    "restless-legs",
    "av-block",
    "hypothyroidism",
    "hypertension",
)
#: analyte: unit, range sent, lowest and highest value to try, decimal places
ANALYTES: Mapping[str, tuple[str, str, str, str, int]] = {
    "potassium": ("mmol/L", "3.5-5.3", "2.0", "7.5", 1),
    "sodium": ("mmol/L", "133-146", "115", "165", 0),
    "calcium-adjusted": ("mmol/L", "2.2-2.6", "1.60", "3.70", 2),
    "calcium-total": ("mmol/L", "2.2-2.6", "1.60", "3.70", 2),
    "albumin": ("g/L", "35-50", "20", "50", 0),
    "magnesium": ("mmol/L", "0.7-1.0", "0.30", "1.30", 2),
    "ck-total": ("U/L", "25-200", "40", "9000", 0),
    "tsh": ("mIU/L", "0.4-4.5", "0.05", "30.00", 2),
    "free-t4": ("pmol/L", "9-19", "4.0", "30.0", 1),
}
MEDICINES = (
    "indapamide",
    "furosemide",
    "spironolactone",
    "methylphenidate",
    "lisdexamfetamine",
    "salmeterol",
    "atorvastatin",
    "quinine",
    "digoxin",
    "warfarin",
    "levothyroxine",
)
ORDERS = ("refer-neurology", "order-ue", "order-ck", "order-tsh", "order-bone-profile", "order-magnesium")

days = st.integers(0, 420)


@st.composite
def problems(draw: st.DrawFn, concepts: tuple[str, ...], most: int) -> list[str]:
    lines = []
    for concept in draw(st.lists(st.sampled_from(concepts), max_size=most, unique=True)):
        how = draw(st.sampled_from(["", "", "", " resolved", " severe"]))
        when = draw(st.one_of(st.just("undated"), days.map(lambda d: f"{d} days ago"), st.just("20 days ago")))
        lines.append(f"{concept}{how} {when}")
    return lines


def result(analyte: str, value: Decimal, day: int, words: str = "", *, unit: str = "", ranged: bool = True) -> str:
    """A line of the examples: the value, given in the analyte's own unit, written in this or another unit."""
    own, limits, *_ = ANALYTES[analyte]
    factor = conversions(analyte)[unit] if unit else Decimal(1)
    bounds = "-".join(f"{Decimal(bound) / factor:f}" for bound in limits.split("-"))
    shown = f" [{bounds}]" if ranged else ""
    return f"{analyte} {value / factor:f} {unit or own}{shown} {day} days ago{words}"


def conversions(analyte: str) -> Mapping[str, Decimal]:
    """The other units of an analyte that can stand in a line, with what a value in them is multiplied by."""
    entry = CONTENT.vocabulary.analytes[analyte]
    return {name: factor for name, factor in entry.conversions.items() if " " not in name and factor}


@st.composite
def values(draw: st.DrawFn, analyte: str) -> Decimal:
    _, _, lowest, highest, places = ANALYTES[analyte]
    return draw(st.decimals(Decimal(lowest), Decimal(highest), places=places))


@st.composite
def measured(draw: st.DrawFn, *, plain: bool = False) -> list[tuple[str, Decimal, int, str, bool]]:
    """Results of at most two days for each analyte; of one day never two, which only their times could tell apart."""
    found = []
    shared = draw(st.integers(0, 30))
    for analyte in draw(st.lists(st.sampled_from(sorted(ANALYTES)), max_size=6, unique=True)):
        for day in draw(st.lists(st.one_of(st.just(shared), days), min_size=1, max_size=2, unique=True)):
            words = "" if plain else draw(st.sampled_from(["", "", "", " haemolysed", " preliminary", " unstated"]))
            found.append((analyte, draw(values(analyte)), day, words, draw(st.booleans())))
    return found


@st.composite
def charts(draw: st.DrawFn, *, plain: bool = False) -> Lines:
    medicines = [
        name
        + draw(
            st.sampled_from(["", " since 20 days ago", " since 200 days ago", " since 300 days ago ended 100 days ago"])
        )
        for name in draw(st.lists(st.sampled_from(MEDICINES), max_size=4, unique=True))
    ]
    orders = [
        f"{name} {draw(st.sampled_from(['active', 'draft', 'completed']))} {draw(st.integers(0, 200))} days ago"
        for name in draw(st.lists(st.sampled_from(ORDERS), max_size=2, unique=True))
    ]
    return {
        "person": draw(st.sampled_from(["female 50", "male 70", "unknown 40"])),
        "problems": draw(problems(SYMPTOMS, 3)) + draw(problems(RED_FLAGS, 2)) + draw(problems(BACKGROUND, 2)),
        "results": [result(a, v, d, w, ranged=r) for a, v, d, w, r in draw(measured(plain=plain))],
        "medicines": medicines,
        "orders": orders,
    }


def built(lines: Lines) -> Chart:
    return chart_of(CONTENT.vocabulary, **lines)


def advised(chart: Chart) -> Advice:
    return advise(chart, CONTENT)


Said = tuple[str, Indicator, str, frozenset[str], frozenset[str]]


def said(advice: Advice) -> list[Said]:
    """Every card as what it says: the order of lines within a part is not compared."""
    return [
        (c.topic, c.indicator, c.summary, frozenset(c.detail.splitlines()), frozenset(s.label for s in c.suggestions))
        for c in advice.cards
    ]


def topics(advice: Advice) -> dict[str, Indicator]:
    return {card.topic: card.indicator for card in advice.cards}


def reassures(advice: Advice) -> bool:
    """Whether a reassuring card is shown, or folded into another."""
    return any(rule in CALM for card in advice.cards for rule in card.rules)


INFORMATION = 1


def urgency(advice: Advice) -> int:
    return max((list(Indicator).index(card.indicator) + INFORMATION for card in advice.cards), default=0)


@bounded
@given(lines=charts())
def test_every_chart_gives_a_few_well_formed_cards_in_their_order(lines: Lines) -> None:
    advice = advised(built(lines))
    assert advice.failed_topics == ()
    assert len(advice.cards) <= 4
    assert len(topics(advice)) == len(advice.cards)
    assert bool(advice.cards) is not bool(advice.silent_because)
    for card in advice.cards:
        assert 0 < len(card.summary) < 140
        assert "\n" not in card.summary
        assert "{" not in card.summary + card.detail
    weights = [card.indicator for card in advice.cards if card.topic != "data-quality"]
    assert all(one >= other for one, other in pairwise(weights))


@bounded
@given(lines=charts())
def test_the_same_chart_gives_the_same_cards(lines: Lines) -> None:
    assert advised(built(lines)) == advised(built(lines))


@bounded
@given(lines=charts(), random=st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(lines: Lines, random: Any) -> None:
    chart = built(lines)

    def mixed(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(entries, len(entries)))

    other = replace(
        chart,
        problems=mixed(chart.problems),
        results=mixed(chart.results),
        medicines=mixed(chart.medicines),
        orders=mixed(chart.orders),
    )
    assert said(advised(other)) == said(advised(chart))


@bounded
@given(lines=charts(plain=True), data=st.data())
def test_an_older_result_changes_nothing(lines: Lines, data: st.DataObject) -> None:
    chart = built(lines)
    assume(chart.results)
    newer = data.draw(st.sampled_from(chart.results))
    oldest = max(r.when.oldest(chart.as_of) for r in chart.results if r.analyte == newer.analyte)
    line = result(newer.analyte, data.draw(values(newer.analyte)), oldest + data.draw(st.integers(1, 300)))
    before = advised(chart)
    assume(not _earlier_one_counts(before))
    assert said(advised(built({**lines, "results": [*lines["results"], line]}))) == said(before)


def _earlier_one_counts(advice: Advice) -> bool:
    """Where the newest value cannot stand for a test, an earlier one may."""
    return "missing-tests" in topics(advice)


SENT = re.compile(r", (sent as|adjusted here:) [^;]*")


@bounded
@given(lines=charts(), results=measured(), data=st.data())
def test_the_same_value_in_another_unit_changes_nothing(lines: Lines, results: Any, data: st.DataObject) -> None:
    own, other = [], []
    for analyte, value, day, words, ranged in results:
        own.append(result(analyte, value, day, words, ranged=ranged))
        unit = data.draw(st.sampled_from(["", *sorted(conversions(analyte))]))
        other.append(result(analyte, value, day, words, unit=unit, ranged=ranged))
    before, after = (advised(built({**lines, "results": r})) for r in (own, other))

    def compared(advice: Advice) -> list[Said]:
        return [(t, i, s, frozenset(SENT.sub("", line) for line in d), g) for t, i, s, d, g in said(advice)]

    assert compared(after) == compared(before)


@bounded
@given(lines=charts(), red=st.lists(st.sampled_from(RED_FLAGS), min_size=1, max_size=3, unique=True), data=st.data())
def test_taking_a_red_flag_away_never_raises_the_urgency(lines: Lines, red: list[str], data: st.DataObject) -> None:
    flags = [f"{concept} {data.draw(st.integers(0, 380))} days ago" for concept in red]
    kept = [line for line in lines["problems"] if line.split()[0] not in RED_FLAGS]
    with_all = advised(built({**lines, "problems": [*kept, *flags]}))
    with_fewer = advised(built({**lines, "problems": [*kept, *flags[1:]]}))
    # A red flag already referred is met with silence (P5); without it the explanation may be given again.
    assert urgency(with_fewer) <= max(urgency(with_all), INFORMATION)


ENTRIES = {Area.PROBLEMS: "problems", Area.RESULTS: "results", Area.MEDICINES: "medicines", Area.ORDERS: "orders"}


@st.composite
def damaged(draw: st.DrawFn, chart: Chart) -> tuple[Chart, frozenset[Area]]:
    """The chart with some parts of the record not read, or read only in part."""
    areas = draw(st.sets(st.sampled_from(sorted(ENTRIES, key=str)), min_size=1))
    inputs = dict(chart.inputs)
    for area in sorted(areas, key=str):
        reading = draw(st.sampled_from([Reading.FAILED, Reading.NOT_PERMITTED, Reading.NOT_ASKED, Reading.INCOMPLETE]))
        inputs[area] = Input(reading, f"{area.value} not had")
        entries = getattr(chart, ENTRIES[area])
        kept = [e for e in entries if reading is Reading.INCOMPLETE and draw(st.booleans())]
        chart = replace(chart, **{ENTRIES[area]: tuple(kept)})
    return replace(chart, inputs=inputs), frozenset(areas)


def _gate(chart: Chart) -> Gate:
    return presentation(chart, CONTENT.windows, CONTENT.gatekeeper).gate


@bounded
@given(lines=charts(), data=st.data())
def test_less_data_never_gives_more_reassurance(lines: Lines, data: st.DataObject) -> None:
    chart = built(lines)
    before = advised(chart)
    less, areas = data.draw(damaged(chart))
    after = advised(less)
    if reassures(after) and not reassures(before):
        # Only a critical result may give way: results that could not be had take no explanation away (V13), and the
        # failure is said beside it.
        assert areas == {Area.RESULTS}
        assert Indicator.CRITICAL in topics(before).values()
        assert "data-quality" in topics(after)


@bounded
@given(lines=charts(), data=st.data())
def test_what_is_not_read_is_never_said_to_be_missing(lines: Lines, data: st.DataObject) -> None:
    less, areas = data.draw(damaged(built(lines)))
    after = advised(less)
    if areas & {Area.RESULTS, Area.MEDICINES, Area.ORDERS}:
        assert "missing-tests" not in topics(after)
        assert not any("No usable recent" in card.summary for card in after.cards)
    for card in after.cards:
        for area in areas:
            assert f"{area.value} not had" in card.detail


@bounded
@given(lines=charts(), data=st.data())
def test_a_record_that_was_not_read_is_never_answered_with_silence(lines: Lines, data: st.DataObject) -> None:
    less, _ = data.draw(damaged(built(lines)))
    after = advised(less)
    palliative = bool(less.has("palliative-care"))  # S6: critical cards only
    if _gate(less) in (Gate.OPEN, Gate.PROBLEMS_UNREADABLE) and not palliative:
        assert "data-quality" in topics(after)
        assert after.cards[-1].topic == "data-quality"


@bounded
@given(lines=charts())
def test_no_referral_is_proposed_while_it_is_unknown_whether_one_runs(lines: Lines) -> None:
    chart = built(lines)
    inputs = {**chart.inputs, Area.ORDERS: Input(Reading.FAILED, "orders not had")}
    after = advised(replace(chart, orders=(), inputs=inputs))
    assert not any(isinstance(s, Refer) for card in after.cards for s in card.suggestions)


@bounded
@given(lines=charts())
def test_without_a_symptom_only_the_review_of_quinine_may_speak(lines: Lines) -> None:
    kept = [line for line in lines["problems"] if line.split()[0] not in SYMPTOMS]
    advice = advised(built({**lines, "problems": kept}))
    assert topics(advice).keys() <= {"quinine"}


@bounded
@given(lines=charts(), mark=st.sampled_from(["deceased", "test_record", "for_patient"]))
def test_some_charts_are_met_with_silence_whatever_they_hold(lines: Lines, mark: str) -> None:
    assert advised(built({**lines, mark: True})).cards == ()


@bounded
@given(lines=charts())
def test_a_site_that_wants_no_critical_card_loses_none(lines: Lines) -> None:
    chart = built(lines)
    lowered = advise(chart, replace(CONTENT, critical_as_warning=True))
    assert [c.topic for c in lowered.cards] == [c.topic for c in advised(chart).cards]
    assert Indicator.CRITICAL not in topics(lowered).values()


@bounded
@given(lines=charts(), index=st.integers(0, 30))
def test_whichever_rule_fails_nothing_reassures_and_the_failure_is_said(lines: Lines, index: int) -> None:
    record = [t for t in CONTENT.topics if Moment.RECORD in t.sheet.moments and t.code != "data-quality"]
    victim = record[index % len(record)]

    def fails(*_: object) -> Iterable[object]:
        raise RuntimeError

    broken = replace(CONTENT, topics=tuple(replace(t, find=fails) if t is victim else t for t in CONTENT.topics))
    chart = built(lines)
    after = advise(chart, broken)
    assert victim.code not in topics(after)
    if after.failed_topics:
        assert not reassures(after)
        if _gate(chart) is Gate.OPEN and not chart.has("palliative-care"):
            assert "data-quality" in topics(after)


@pytest.mark.parametrize("analyte", sorted(ANALYTES))
def test_the_units_tried_here_are_those_of_the_terminology(analyte: str) -> None:
    unit, _, lowest, highest, _ = ANALYTES[analyte]
    assert CONTENT.vocabulary.analytes[analyte].unit == unit
    assert conversions(analyte)
    assert Decimal(lowest) < Decimal(highest)
