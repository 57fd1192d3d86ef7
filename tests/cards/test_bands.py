"""Which result decides, and how far it is out: comparators, open ranges, unknown sex, results of the same time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.advise import advise
from cards.bands import Grade, Grading, Ungraded, Whose, Within
from cards.card import Advice
from cards.case import Case
from cards.chart import Chart, Recorded
from cards.content import Content
from cards.example_charts import chart_of
from cards.examples import case_of
from cards.figures import ratio_of
from cards.finding import Indicator
from cards.undecided import set_aside
from cards.when import Days, When
from terminology.analytes import Limits
from tests.cards.asked import dealt

Ask = Callable[..., Advice]
CRAMP = ["muscle-cramp 5 days ago"]


def span(first: date, last: date) -> When:
    """A date of month or year precision."""
    return Days(first, last)


def graded(content: Content, result: str, person: str = "female 50", *, medicines: tuple[str, ...] = ()) -> Grading:
    """The grade of one result, before anything is set aside."""
    chart = chart_of(content.vocabulary, person=person, results=[result], medicines=list(medicines))
    statin = frozenset({"statin"}) if medicines else frozenset[str]()
    (one,) = chart.results
    return content.bands.grade(one, content.vocabulary.analytes[one.analyte], chart.person, taking=statin)


def said(grading: Grading) -> str:
    match grading:
        case Grade(indicator, side, _, _):
            return f"{side} {indicator.value}"
        case Within():
            return "within"
        case Ungraded():
            return grading.name.lower()


def detail(advice: Advice, topic: str) -> str:
    return next(card.detail for card in advice.cards if card.topic == topic)


def test_nothing_is_a_multiple_of_a_limit_of_nothing(content: Content) -> None:
    raised = next(band for band in content.bands.of("ck-total") if band.is_ratio)

    assert raised.holds(Decimal(5000), Limits(None, Decimal(100)))
    assert not raised.holds(Decimal(5000), Limits(None, Decimal(0)))
    assert not raised.holds(Decimal(5000), Limits(None, None))


@pytest.mark.parametrize(("potassium", "expected"), [("6.4", "info"), ("6.5", "critical"), ("2.4", "critical")])
def test_dialysis_lowers_a_warning_to_information_and_leaves_what_is_critical(
    advised: Ask, potassium: str, expected: str
) -> None:
    found = advised(problems=[*CRAMP, "dialysis 900 days ago"], results=[f"potassium {potassium} mmol/L 0 days ago"])
    assert dealt(found)["biochemistry"] == expected


# comparators


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("potassium <2.5 mmol/L [3.5-5.3] 0 days ago", "low critical"),
        ("potassium <=2.5 mmol/L [3.5-5.3] 0 days ago", "low critical"),
        ("potassium <2.6 mmol/L [3.5-5.3] 0 days ago", "low warning"),
        ("potassium <3.5 mmol/L [3.5-5.3] 0 days ago", "low warning"),
        ("potassium <=3.5 mmol/L [3.5-5.3] 0 days ago", "comparator"),
        ("potassium <6.0 mmol/L [3.5-5.3] 0 days ago", "comparator"),
        ("potassium >6.4 mmol/L [3.5-5.3] 0 days ago", "high warning"),
        ("potassium >=6.5 mmol/L [3.5-5.3] 0 days ago", "high critical"),
        ("potassium >5.3 mmol/L [3.5-5.3] 0 days ago", "comparator"),
        ("ck-total >5000 U/L [40-320] 0 days ago", "high critical"),
        ("ck-total >=5000 U/L [40-320] 0 days ago", "high critical"),
        ("ck-total >4000 U/L [40-320] 0 days ago", "high warning"),
        ("ck-total <20 U/L [40-320] 0 days ago", "within"),
        ("ck-total <600 U/L [40-320] 0 days ago", "comparator"),
        ("magnesium <0.40 mmol/L [0.70-1.00] 0 days ago", "low critical"),
        ("tsh <0.1 mIU/L [0.4-4.5] 0 days ago", "low warning"),
        ("tsh <0.05 mIU/L 0 days ago", "low warning"),
        ("tsh <0.3 mIU/L 0 days ago", "comparator"),
        ("tsh >100 mIU/L 0 days ago", "high warning"),
    ],
)
def test_a_comparator_counts_only_if_every_value_it_allows_is_judged_the_same_way(
    content: Content, result: str, expected: str
) -> None:
    assert said(graded(content, result)) == expected


def test_a_comparator_gives_the_least_grave_band_it_allows(content: Content) -> None:
    assert said(graded(content, "sodium <129 mmol/L [133-146] 0 days ago")) == "low warning"
    assert said(graded(content, "sodium <125 mmol/L [133-146] 0 days ago")) == "low critical"


def test_an_undecided_comparator_lets_the_older_value_count_and_is_named(advised: Ask) -> None:
    results = ["potassium <6.0 mmol/L [3.5-5.3] 1 days ago", "potassium 3.0 mmol/L [3.5-5.3] 9 days ago"]
    advice = advised(problems=CRAMP, results=results)
    assert dealt(advice)["biochemistry"] == "warning"
    assert "Potassium 3.0" in advice.cards[0].summary
    not_known = advice.cards[0].detail.partition("**Not known**")[2]
    assert "<6.0 mmol/L" in not_known
    assert "does not decide" in not_known


@pytest.mark.parametrize(
    ("result", "decides"),
    [
        ("free-t4 <9 pmol/L [9-25] 3 days ago", True),
        ("free-t4 <=8.9 pmol/L [9-25] 3 days ago", True),
        ("free-t4 <=9 pmol/L [9-25] 3 days ago", False),
        ("free-t4 <20 pmol/L [9-25] 3 days ago", False),
        ("free-t4 <5 pmol/L 3 days ago", False),  # no range was sent: nothing places it
        ("free-t3 >6.8 pmol/L [3.1-6.8] 3 days ago", True),
        ("free-t3 >=6.9 pmol/L [3.1-6.8] 3 days ago", True),
        ("free-t3 >=6.8 pmol/L [3.1-6.8] 3 days ago", False),
        ("free-t3 >4 pmol/L [3.1-6.8] 3 days ago", False),
        ("calcium-total <2.0 mmol/L [2.2-2.6] 3 days ago", False),  # nothing can be worked out from it
        ("albumin <20 g/L [35-50] 3 days ago", False),
    ],
)
def test_a_comparator_decides_of_an_analyte_without_bands_by_the_range_sent(
    content: Content, result: str, decides: bool
) -> None:
    chart = chart_of(content.vocabulary, problems=CRAMP, results=[result])
    seen = set_aside(chart, content.bands, content.vocabulary)

    assert len(seen.results) == decides
    assert len(seen.unread) == (not decides)
    assert all("does not decide" in entry.why for entry in seen.unread)


def test_an_undecided_comparator_is_set_aside_also_when_the_sex_is_not_known(content: Content) -> None:
    assert graded(content, "ck-total <6000 U/L 0 days ago", "unknown 50") is Ungraded.COMPARATOR


# ranges


@pytest.mark.parametrize(
    ("result", "expected", "whose"),
    [
        ("potassium 3.4 mmol/L [3.3-5.3] 0 days ago", "within", Whose.LABORATORY),
        ("potassium 3.4 mmol/L 0 days ago", "low warning", Whose.DEFAULT),
        ("potassium 3.4 mmol/L [-5.0] 0 days ago", "low warning", Whose.LABORATORY),  # the open side is filled in
        ("potassium 3.4 mmol/L [3.3-] 0 days ago", "within", Whose.LABORATORY),
        ("potassium 2.5 mmol/L [2.0-5.3] 0 days ago", "low critical", Whose.LABORATORY),  # critical is absolute
        ("potassium 5.5 mmol/L [3.5-6.0] 0 days ago", "within", Whose.LABORATORY),
        ("ck-total 301 U/L [-200] 0 days ago", "high info", Whose.LABORATORY),
        ("ck-total 301 U/L [25-] 0 days ago", "high info", Whose.LABORATORY),
        ("tsh 9.99 mIU/L 0 days ago", "within", Whose.NONE),
        ("tsh 10.0 mIU/L 0 days ago", "high warning", Whose.NONE),
        ("tsh 0.10 mIU/L 0 days ago", "within", Whose.NONE),
        ("tsh 0.09 mIU/L 0 days ago", "low warning", Whose.NONE),
        ("tsh 5.0 mIU/L [-4.5] 0 days ago", "high info", Whose.LABORATORY),
    ],
)
def test_the_range_sent_wins_and_a_side_it_leaves_open_is_filled_in(
    content: Content, result: str, expected: str, whose: Whose
) -> None:
    grading = graded(content, result)
    assert said(grading) == expected
    assert isinstance(grading, Grade | Within)
    assert grading.used.whose is whose


# creatine kinase and sex


@pytest.mark.parametrize(
    ("result", "person", "expected"),
    [
        ("ck-total 480 U/L 0 days ago", "male 50", "within"),
        ("ck-total 481 U/L 0 days ago", "male 50", "high info"),
        ("ck-total 300 U/L 0 days ago", "unknown 50", "within"),
        ("ck-total 301 U/L 0 days ago", "unknown 50", "sex"),
        ("ck-total 480 U/L 0 days ago", "unknown 50", "sex"),
        ("ck-total 481 U/L 0 days ago", "unknown 50", "high info"),
        ("ck-total 1001 U/L 0 days ago", "unknown 50", "high info"),  # raised for both: warning for women, info for men
        ("ck-total 1601 U/L 0 days ago", "unknown 50", "high warning"),
        ("ck-total 315 U/L [-320] 0 days ago", "unknown 50", "within"),  # a range was sent: the sex is not asked
    ],
)
def test_the_sex_picks_the_limit_and_nothing_else(content: Content, result: str, person: str, expected: str) -> None:
    assert said(graded(content, result, person)) == expected


@pytest.mark.parametrize(
    ("person", "value", "said_so"),
    [
        ("female 50", "250", True),
        ("male 50", "250", False),
        ("unknown 50", "250", False),
        ("female 50", ">=200", False),
        ("female 50", "<250", False),  # it may lie inside the range
    ],
)
def test_a_trivial_rise_is_called_one_only_if_it_is_above_every_limit_that_may_apply(
    advised: Ask, person: str, value: str, said_so: bool
) -> None:
    advice = advised(problems=CRAMP, person=person, results=[f"ck-total {value} U/L 1 days ago"])
    assert "ck" not in dealt(advice)
    assert any("a trivial rise" in card.detail for card in advice.cards) is said_so


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (1200, "info CK 1200 U/L, 3.75 to 6 x upper limit"),  # over five times the limit of women
        (2001, "warning CK 2001 U/L, 6.25 to 10.005 x upper limit"),  # over ten times it, and a statin
        (3199, "warning CK 3199 U/L, 9.99 to 15.99 x upper limit"),
        (3200, "critical CK 3200 U/L, 10 to 16 x upper limit"),
    ],
)
def test_a_value_above_both_limits_is_never_kept_silent_because_they_differ_in_how_far(
    advised: Ask, value: int, says: str
) -> None:
    """Only what lies above one limit and within the other cannot be placed (3.2); else the milder of the two holds."""
    statin = ["atorvastatin since 300 days ago"]
    result = f"ck-total {value} U/L 1 days ago"
    advice = advised(problems=CRAMP, person="unknown 50", results=[result], medicines=statin)
    (card,) = [c for c in advice.cards if c.topic == "ck"]
    assert f"{card.indicator.value} {card.summary}".startswith(says)


def test_both_multiples_are_printed_when_the_sex_is_not_known(advised: Ask) -> None:
    advice = advised(problems=CRAMP, person="unknown 50", results=["ck-total 500 U/L 1 days ago"])
    assert "CK 500 U/L, 1.56 to 2.5 x upper limit" in next(c.summary for c in advice.cards if c.topic == "ck")


# the multiple that is printed


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [
        ("310", "200", "1.55"),
        ("302", "200", "1.51"),
        ("301", "200", "1.505"),
        ("300", "200", "1.5"),
        ("1601", "320", "5.003"),
        ("1600", "320", "5"),
        ("3199", "320", "9.99"),
        ("3200", "320", "10"),
        ("4200", "320", "13.12"),
        ("800", "200", "4"),
        ("8000", "200", "40"),
    ],
)
def test_a_multiple_is_rounded_down_and_never_reads_as_the_mark_it_is_above(
    value: str, limit: str, expected: str
) -> None:
    marks = [Decimal("1.5"), Decimal(5), Decimal(10)]
    assert ratio_of(Decimal(value), Decimal(limit), marks) == expected


@given(value=st.integers(1, 1_000_000), limit=st.integers(30, 2_000))
def test_a_printed_multiple_never_contradicts_the_band(value: int, limit: int) -> None:
    marks = [Decimal("1.5"), Decimal(5), Decimal(10)]
    printed = Decimal(ratio_of(Decimal(value), Decimal(limit), marks))
    exact = Decimal(value) / Decimal(limit)
    assert printed <= exact
    assert exact - printed < Decimal("0.01")
    for mark in marks:
        assert (printed > mark) == (exact > mark)
        assert (printed >= mark) == (exact >= mark)


# which of several results decides


SAME = "potassium {} mmol/L [3.5-5.3] 3 days ago at 09:00{}"


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_results_of_the_same_time_the_graver_decides_and_both_are_printed(advised: Ask, order: int) -> None:
    results = [SAME.format("3.3", ""), SAME.format("2.4", "")][::order]
    advice = advised(problems=CRAMP, results=results)
    assert dealt(advice)["biochemistry"] == "critical"
    assert "Potassium 2.4" in advice.cards[0].summary
    assert "Potassium 3.3 mmol/L" in detail(advice, "biochemistry")


@pytest.mark.parametrize("order", [1, -1])
def test_beside_an_unharmed_sample_a_haemolysed_one_does_not_lower_the_card(advised: Ask, order: int) -> None:
    results = [SAME.format("6.9", " haemolysed"), SAME.format("6.6", "")][::order]
    advice = advised(problems=CRAMP, results=results)
    assert dealt(advice)["biochemistry"] == "critical"
    assert "haemolysed sample" in detail(advice, "biochemistry")


def test_of_two_ck_of_the_same_time_the_graver_decides_and_both_are_printed(advised: Ask) -> None:
    results = ["ck-total 400 U/L [25-200] 3 days ago at 09:00", "ck-total 1200 U/L [25-200] 3 days ago at 09:00"]
    advice = advised(problems=CRAMP, results=results)
    assert dealt(advice)["ck"] == "warning"
    assert "400 U/L" in detail(advice, "ck")


def test_of_two_tsh_of_the_same_time_the_graver_decides_and_both_are_printed(advised: Ask) -> None:
    results = ["tsh 5.0 mIU/L [0.4-4.5] 3 days ago at 09:00", "tsh 12 mIU/L [0.4-4.5] 3 days ago at 09:00"]
    advice = advised(problems=CRAMP, results=results)
    assert dealt(advice)["thyroid"] == "warning"
    assert "5.00 mIU/L" in detail(advice, "thyroid")


@pytest.mark.parametrize("word", ["corrected", "amended"])
def test_a_corrected_result_replaces_the_final_of_the_same_time(advised: Ask, word: str) -> None:
    advice = advised(problems=CRAMP, results=[SAME.format("2.4", ""), SAME.format("4.2", f" {word}")])
    assert "biochemistry" not in dealt(advice)


def test_a_corrected_result_does_not_replace_a_later_final(advised: Ask) -> None:
    results = [SAME.format("4.2", " corrected"), "potassium 2.4 mmol/L [3.5-5.3] 2 days ago"]
    assert dealt(advised(problems=CRAMP, results=results))["biochemistry"] == "critical"


def test_results_of_different_hours_of_a_day_are_not_of_the_same_time(advised: Ask) -> None:
    results = [SAME.format("2.4", ""), "potassium 4.2 mmol/L [3.5-5.3] 3 days ago at 15:00"]
    assert "biochemistry" not in dealt(advised(problems=CRAMP, results=results))


def test_a_result_without_a_stated_status_counts_and_says_so(advised: Ask) -> None:
    advice = advised(problems=CRAMP, results=["potassium 2.4 mmol/L [3.5-5.3] 3 days ago unstated"])
    assert dealt(advice)["biochemistry"] == "critical"
    assert "status not stated" in detail(advice, "biochemistry")


@pytest.mark.parametrize(
    ("topic", "abnormal", "later"),
    [
        ("biochemistry", "potassium 2.4 mmol/L 20 days ago", "potassium 4.1 mmol/L 1 days ago preliminary"),
        ("ck", "ck-total 5200 U/L 20 days ago", "ck-total 120 U/L 1 days ago preliminary"),
        ("thyroid", "tsh 12 mIU/L 20 days ago", "tsh 3.1 mIU/L 1 days ago preliminary"),
    ],
)
def test_a_later_preliminary_value_is_shown_beside_the_one_that_speaks(
    advised: Ask, topic: str, abnormal: str, later: str
) -> None:
    """Preliminary: shown (3.2), so that no card can say that it was never repeated beside a repeat it keeps back."""
    text = detail(advised(problems=CRAMP, results=[abnormal, later]), topic)
    assert ", preliminary;" in text
    assert "no repeat was found" not in text


def test_a_preliminary_result_hides_nothing_and_makes_no_card(advised: Ask) -> None:
    results = ["potassium 6.9 mmol/L [3.5-5.3] 0 days ago preliminary", "potassium 3.2 mmol/L [3.5-5.3] 4 days ago"]
    advice = advised(problems=CRAMP, results=results)
    assert dealt(advice)["biochemistry"] == "warning"
    assert "Potassium 3.2" in advice.cards[0].summary
    assert "preliminary" in detail(advice, "biochemistry")


# partial dates


def dated(chart: Chart, when: When) -> Chart:
    return replace(chart, results=tuple(msgspec.structs.replace(r, when=when) for r in chart.results))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (span(date(2026, 6, 1), date(2026, 6, 30)), "critical"),  # may be of these days
        (span(date(2026, 5, 1), date(2026, 5, 31)), "warning"),  # 15 days old at the least
        (span(date(2026, 1, 1), date(2026, 12, 31)), "critical"),
        (span(date(2026, 2, 1), date(2026, 2, 28)), None),  # 107 days old at the least
    ],
)
def test_a_partial_date_is_given_its_youngest_reading_where_the_value_is_abnormal(
    content: Content, when: When, expected: str | None
) -> None:
    chart = chart_of(content.vocabulary, problems=CRAMP, results=["potassium 2.4 mmol/L [3.5-5.3] 0 days ago"])
    assert dealt(advise(dated(chart, when), content)).get("biochemistry") == expected


def test_a_partial_date_that_may_be_the_same_moment_is_a_tie(content: Content) -> None:
    results = ["potassium 2.4 mmol/L [3.5-5.3] 0 days ago", "potassium 4.2 mmol/L [3.5-5.3] 3 days ago"]
    chart = chart_of(content.vocabulary, problems=CRAMP, results=results)
    low, normal = chart.results
    month = msgspec.structs.replace(low, when=span(date(2026, 6, 1), date(2026, 6, 14)))
    assert dealt(advise(replace(chart, results=(month, normal)), content))["biochemistry"] == "critical"


def test_a_result_of_the_future_never_counts(content: Content) -> None:
    chart = chart_of(content.vocabulary, problems=CRAMP, results=["potassium 2.4 mmol/L [3.5-5.3] 0 days ago"])
    future = dated(chart, span(date(2026, 6, 16), date(2026, 6, 16)))
    assert "biochemistry" not in dealt(advise(future, content))


# properties


GRAVITY = [None, *Indicator]


def gravity(grading: Grading) -> int:
    return GRAVITY.index(grading.indicator if isinstance(grading, Grade) else None)


@given(tenths=st.integers(10, 34), lower=st.integers(1, 10))
def test_a_lower_potassium_is_never_judged_milder(content: Content, tenths: int, lower: int) -> None:
    def at(value: int) -> int:
        return gravity(graded(content, f"potassium {Decimal(value) / 10} mmol/L 0 days ago"))

    assert at(max(10, tenths - lower)) >= at(tenths)


@given(value=st.integers(90, 200))
def test_sodium_in_meq_is_judged_as_in_mmol(content: Content, value: int) -> None:
    one, other = (graded(content, f"sodium {value} {unit} 0 days ago") for unit in ("mmol/L", "mEq/L"))
    assert said(one) == said(other)


@given(days=st.integers(4, 400), tenths=st.integers(10, 100))
def test_an_older_result_changes_nothing_while_a_newer_one_is_there(content: Content, days: int, tenths: int) -> None:
    newest = "potassium 3.1 mmol/L [3.5-5.3] 3 days ago"
    older = f"potassium {Decimal(tenths) / 10} mmol/L [3.5-5.3] {days} days ago"

    def newest_of(*results: str) -> list[Decimal]:
        case: Case = case_of(chart_of(content.vocabulary, problems=CRAMP, results=list(results)), content)
        match case.chart.latest("potassium"):
            case Recorded(found):
                return [r.value for r in found]
            case _:
                return []

    assert newest_of(newest, older) == newest_of(newest)
    with_older = advise(chart_of(content.vocabulary, problems=CRAMP, results=[newest, older]), content)
    alone = advise(chart_of(content.vocabulary, problems=CRAMP, results=[newest]), content)
    assert dealt(with_older) == dealt(alone)


def test_the_same_chart_is_graded_by_the_bands_of_the_content_that_asks(content):
    chart = chart_of(
        content.vocabulary, problems=["muscle-cramp 3 days ago"], results=["potassium 5.6 mmol/L 1 days ago"]
    )
    without_bands = replace(content, bands=replace(content.bands, rows=()))

    assert isinstance(case_of(chart, content).grade(chart.results[0]), Grade)
    assert isinstance(case_of(chart, without_bands).grade(chart.results[0]), Within)
