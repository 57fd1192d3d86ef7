"""What holds for every chart, not only for the worked ones (specification P19; promises under fault, R8)."""

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cards.advise import advise
from cards.card import Advice
from cards.chart import Area, Chart, Input, Reading
from cards.finding import Indicator, Refer
from cards.moment import Moment
from cards.presentation import Gate, presentation
from tests.properties.charts import (
    ANALYTES,
    CONTENT,
    INFORMATION,
    RED_FLAGS,
    SYMPTOMS,
    Lines,
    Said,
    advised,
    bounded,
    built,
    charts,
    conversions,
    measured,
    reassures,
    result,
    said,
    topics,
    urgency,
    values,
)

pytestmark = pytest.mark.no_cover  # tests/uncovered.py


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
    assume(newer.analyte not in PAIRED or _newest_total_is_adjusted(chart))
    oldest = max(r.when.oldest(chart.as_of) for r in chart.results if r.analyte == newer.analyte)
    line = result(newer.analyte, data.draw(values(newer.analyte)), oldest + data.draw(st.integers(1, 300)))
    before = advised(chart)
    assume(not _earlier_one_counts(before))
    assert said(advised(built({**lines, "results": [*lines["results"], line]}))) == said(before)


PAIRED = ("calcium-total", "albumin")


def _newest_total_is_adjusted(chart: Chart) -> bool:
    """Where the newest total has no albumin of its day, an earlier one that has may count."""
    totals, albumins = ({r.when.first_day for r in chart.results if r.analyte == name} for name in PAIRED)
    return bool(totals) and max(totals) in albumins


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
