"""The screen, test by test: what is done, awaited, spoken for or missing (specification 3.2, P14, 3.8 no. 9, 13, 18)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import msgspec
import pytest

from cards.card import Advice
from cards.content import Content
from cards.example_charts import chart_of
from cards.examples import case_of
from cards.finding import RequestTest
from cards.screening import Screened, ScreenTest, Standing, load_screen
from cards.when import Days

Ask = Callable[..., Advice]
SCREEN = load_screen()
CRAMP = ["muscle-cramp 5 days ago"]


def look(content: Content, test: ScreenTest, **lines: list[str]) -> Screened:
    return SCREEN.look(case_of(chart_of(content.vocabulary, problems=CRAMP, **lines), content), test)


def standing(content: Content, test: ScreenTest, **lines: list[str]) -> Standing:
    return look(content, test, **lines).state


@pytest.mark.parametrize(
    ("test", "line", "days"),
    [
        (ScreenTest.UE, "potassium 4.2 mmol/L {} days ago", 90),
        (ScreenTest.CALCIUM, "calcium-adjusted 2.35 mmol/L {} days ago", 180),
        (ScreenTest.CALCIUM, "calcium-total 2.35 mmol/L {} days ago", 180),
        (ScreenTest.TSH, "tsh 2.1 mIU/L {} days ago", 365),
        (ScreenTest.CK, "ck-total 90 U/L {} days ago", 180),
    ],
)
def test_a_test_is_done_to_the_last_day_of_its_look_back(
    content: Content, test: ScreenTest, line: str, days: int
) -> None:
    assert standing(content, test, results=[line.format(days)]) is Standing.DONE
    assert standing(content, test, results=[line.format(days + 1)]) is Standing.MISSING


def test_sodium_alone_is_no_u_and_e(content: Content) -> None:
    assert standing(content, ScreenTest.UE, results=["sodium 139 mmol/L 3 days ago"]) is Standing.MISSING


@pytest.mark.parametrize("word", ["preliminary", ""])
def test_a_preliminary_result_does_not_count_as_done(content: Content, word: str) -> None:
    state = standing(content, ScreenTest.CK, results=[f"ck-total 90 U/L 3 days ago {word}".strip()])
    assert state is (Standing.MISSING if word else Standing.DONE)


def test_an_undecided_comparator_does_not_count_as_done(content: Content) -> None:
    assert standing(content, ScreenTest.UE, results=["potassium <6.0 mmol/L 3 days ago"]) is Standing.MISSING
    assert standing(content, ScreenTest.UE, results=["potassium <3.0 mmol/L 3 days ago"]) is Standing.DONE


def test_a_partial_date_counts_as_done_only_if_all_its_days_do(content: Content) -> None:
    chart = chart_of(content.vocabulary, problems=CRAMP, results=["potassium 4.2 mmol/L 3 days ago"])

    def month(first: date, last: date) -> Standing:
        when = Days(first, last)
        dated = replace(chart, results=(msgspec.structs.replace(chart.results[0], when=when),))
        return SCREEN.look(case_of(dated, content), ScreenTest.UE).state

    assert month(date(2026, 4, 1), date(2026, 4, 30)) is Standing.DONE
    assert month(date(2026, 3, 1), date(2026, 3, 31)) is Standing.MISSING  # 1 March is 106 days ago


@pytest.mark.parametrize(("days", "expected"), [(29, Standing.DONE), (30, Standing.MISSING), (31, Standing.MISSING)])
def test_a_u_and_e_counts_only_if_taken_after_the_first_day_of_the_newest_diuretic(
    content: Content, days: int, expected: Standing
) -> None:
    medicines = ["indapamide since 30 days ago", "spironolactone since 400 days ago"]
    results = [f"potassium 4.2 mmol/L {days} days ago"]
    assert standing(content, ScreenTest.UE, results=results, medicines=medicines) is expected


@pytest.mark.parametrize(
    "medicine",
    [
        "indapamide since 10 days ago ended 2 days ago",
        "indapamide since 10 days ago by name",
        "atorvastatin since 10 days ago",
    ],
)
def test_only_an_active_diuretic_known_by_its_code_asks_for_a_newer_u_and_e(content: Content, medicine: str) -> None:
    results = ["potassium 4.2 mmol/L 30 days ago"]
    assert standing(content, ScreenTest.UE, results=results, medicines=[medicine]) is Standing.DONE


def test_a_repeat_prescription_is_not_a_new_start(content: Content) -> None:
    medicines = ["indapamide since 10 days ago", "indapamide since 60 days ago ended 12 days ago"]
    results = ["potassium 4.2 mmol/L 30 days ago"]
    assert standing(content, ScreenTest.UE, results=results, medicines=medicines) is Standing.DONE


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["potassium 4.2 mmol/L [3.5-5.3] 1 days ago haemolysed"], Standing.MISSING),
        (["potassium 6.8 mmol/L [3.5-5.3] 1 days ago haemolysed"], Standing.SPOKEN_FOR),
        (["potassium 3.1 mmol/L [3.5-5.3] 1 days ago haemolysed"], Standing.SPOKEN_FOR),
        (
            ["potassium 4.2 mmol/L [3.5-5.3] 1 days ago haemolysed", "potassium 4.0 mmol/L [3.5-5.3] 9 days ago"],
            Standing.DONE,
        ),
        (  # as the other card, it goes by what was corrected
            [
                "potassium 3.4 mmol/L [3.5-5.3] 1 days ago haemolysed",
                "potassium 3.5 mmol/L [3.5-5.3] 1 days ago haemolysed corrected",
            ],
            Standing.MISSING,
        ),
        (  # the card speaks of the newest only, so an older haemolysed value speaks for nothing
            [
                "potassium 4.2 mmol/L [3.5-5.3] 1 days ago haemolysed",
                "potassium 6.8 mmol/L [3.5-5.3] 9 days ago haemolysed",
            ],
            Standing.MISSING,
        ),
    ],
)
def test_a_haemolysed_potassium_is_spoken_for_if_abnormal_and_missing_if_normal(
    content: Content, results: list[str], expected: Standing
) -> None:
    assert standing(content, ScreenTest.UE, results=results) is expected


@pytest.mark.parametrize(
    ("order", "awaited"),
    [
        ("order-ue", {ScreenTest.UE}),
        ("order-electrolytes", {ScreenTest.UE}),
        ("order-renal-panel", {ScreenTest.UE, ScreenTest.CALCIUM}),
        ("order-bmp", {ScreenTest.UE, ScreenTest.CALCIUM}),
        ("order-cmp", {ScreenTest.UE, ScreenTest.CALCIUM}),
        ("order-bone-profile", {ScreenTest.CALCIUM}),
        ("order-tft", {ScreenTest.TSH}),
        ("order-ck", {ScreenTest.CK}),
        ("order-hba1c", set()),
    ],
)
@pytest.mark.parametrize("status", ["active", "draft"])
def test_an_order_or_a_draft_awaits_the_tests_it_holds(
    content: Content, order: str, awaited: set[ScreenTest], status: str
) -> None:
    orders = [f"{order} {status} 30 days ago"]
    assert {t for t in ScreenTest if standing(content, t, orders=orders) is Standing.PENDING} == awaited


@pytest.mark.parametrize("order", ["order-ck active 31 days ago", "order-ck completed 3 days ago", "order-ck active"])
def test_an_old_completed_or_undated_order_awaits_nothing(content: Content, order: str) -> None:
    assert standing(content, ScreenTest.CK, orders=[order]) is Standing.MISSING


def missing_card(advice: Advice) -> str | None:
    return next((card.summary for card in advice.cards if card.topic == "missing-tests"), None)


def test_one_suggestion_is_made_for_each_missing_test(advised: Ask) -> None:
    advice = advised(problems=CRAMP)
    orders = [i.order for card in advice.cards for i in card.suggestions if isinstance(i, RequestTest)]
    assert orders == ["order-ue", "order-bone-profile", "order-tsh", "order-ck"]


@pytest.mark.parametrize("result", ["potassium 3.5 mmol/L 91 days ago", "potassium 5.4 mmol/L 91 days ago"])
def test_an_old_potassium_at_the_edge_of_its_limits_presses_nothing(advised: Ask, result: str) -> None:
    assert (missing_card(advised(problems=CRAMP, results=[result])) or "").startswith("No usable recent U&E")


@pytest.mark.parametrize(
    "result",
    [
        "potassium 3.4 mmol/L 91 days ago",
        "potassium 5.5 mmol/L 91 days ago",
        "potassium <3.5 mmol/L 91 days ago",
        "potassium >6.0 mmol/L 4000 days ago",
    ],
)
def test_an_old_potassium_outside_its_limits_presses_for_a_repeat(advised: Ask, result: str) -> None:
    assert "not repeated: consider U&E now" in (missing_card(advised(problems=CRAMP, results=[result])) or "")


def test_an_old_abnormal_potassium_that_was_repeated_presses_nothing(advised: Ask) -> None:
    results = ["potassium 2.4 mmol/L 300 days ago", "potassium 4.2 mmol/L 200 days ago"]
    assert (missing_card(advised(problems=CRAMP, results=results)) or "").startswith("No usable recent U&E")


def test_a_haemolysed_normal_potassium_is_no_repeat_of_an_abnormal_one(advised: Ask) -> None:
    results = ["potassium 2.4 mmol/L 300 days ago", "potassium 4.2 mmol/L 200 days ago haemolysed"]
    assert "Potassium 2.4" in (missing_card(advised(problems=CRAMP, results=results)) or "")


def test_an_old_abnormal_potassium_presses_nothing_once_the_u_and_e_is_ordered(advised: Ask) -> None:
    advice = advised(
        problems=CRAMP, results=["potassium 2.4 mmol/L 300 days ago"], orders=["order-ue active 2 days ago"]
    )
    assert (missing_card(advice) or "").startswith("No usable recent calcium, TSH and CK")


@pytest.mark.parametrize("area", ["results", "medicines", "orders"])
@pytest.mark.parametrize("state", ["unreadable", "incomplete"])
def test_nothing_is_called_missing_when_a_search_failed_or_was_cut_short(advised: Ask, area: str, state: str) -> None:
    advice = advised(problems=CRAMP, results=["potassium 2.4 mmol/L 300 days ago"], **{state: [area]})
    assert missing_card(advice) is None
    assert any(card.topic == "data-quality" for card in advice.cards)


@pytest.mark.parametrize(
    ("usual", "title"),
    [
        ("potassium 4.2 mmol/L", "Potassium 4.2 mmol/L"),
        ("calcium-total 2.35 mmol/L", "Calcium (total) 2.35 mmol/L"),
        ("tsh 2.1 mIU/L", "Thyroid stimulating hormone (TSH) 2.10 mIU/L"),
        ("ck-total 90 U/L", "Creatine kinase (CK) 90 U/L"),
    ],
)
def test_a_preliminary_value_of_a_missing_test_is_shown(advised: Ask, usual: str, title: str) -> None:
    """It never counts as done, but who is asked to consider the test should see that it is under way (3.2)."""
    advice = advised(problems=CRAMP, results=[f"{usual} 400 days ago", f"{usual} 1 days ago preliminary"])
    (card,) = [c for c in advice.cards if c.topic == "missing-tests"]
    assert any(
        line.startswith(f"- {title} on 2026-06-14") and ", preliminary;" in line for line in card.detail.split("\n")
    )
    assert f"- {title} on 2025-05-11" in card.detail


def test_a_preliminary_value_older_than_the_last_one_is_not_shown(advised: Ask) -> None:
    results = ["potassium 4.2 mmol/L 91 days ago", "potassium 4.1 mmol/L 80 days ago preliminary"]
    older = ["potassium 4.2 mmol/L 91 days ago", "potassium 4.1 mmol/L 92 days ago preliminary"]
    assert "Potassium 4.1" in next(c for c in advised(problems=CRAMP, results=results).cards).detail
    assert "Potassium 4.1" not in next(c for c in advised(problems=CRAMP, results=older).cards).detail
