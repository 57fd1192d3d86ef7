"""Contributing medicines about to be prescribed (specification O9-O13, 3.8 no. 4, 6, 17, 21 and 22; HZ12, vignette V11)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cards.advise import advise
from cards.card import LONGEST_SUMMARY, Advice, Card
from cards.content import Content
from cards.entries import Area, Input, Reading
from cards.example_charts import chart_of
from cards.moment import Moment
from tests.cards.asked import dealt, only, part, suggested

Ask = Callable[..., Advice]

CRAMP = ["muscle-cramp 20 days ago"]
NORMAL = ["potassium 4.2 mmol/L [3.5-5.3] 10 days ago", "sodium 139 mmol/L [133-146] 10 days ago"]


def the_card(advice: Advice) -> Card:
    return only(advice, "medicines")


def test_v11_furosemide_with_cramp_and_a_low_potassium(ordered: Ask) -> None:
    card = the_card(
        ordered(
            person="male born 1949-08-17",
            problems=["muscle-cramp 44 days ago"],
            results=[
                "potassium 3.3 mmol/L [3.5-5.3] 13 days ago",
                "sodium 136 mmol/L [133-146] 13 days ago",
                "calcium-adjusted 2.35 mmol/L [2.2-2.6] 13 days ago",
            ],
            drafts=["furosemide 40 mg daily"],
        )
    )
    assert card.indicator.value == "warning"
    assert card.summary == (
        "Furosemide drafted with Potassium 3.3 mmol/L (2026-06-02): consider checking or correcting first"
    )
    assert card.suggestions == ()


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("potassium 3.4 mmol/L [3.5-5.3] 90 days ago", {"medicines": "warning"}),
        ("potassium 3.5 mmol/L [3.5-5.3] 90 days ago", {}),
        ("potassium 3.4 mmol/L [3.5-5.3] 91 days ago", {}),
        ("potassium 2.4 mmol/L [3.5-5.3] 3 days ago", {"medicines": "warning"}),
        ("potassium 3.1 mmol/L [3.5-5.3] 10 days ago haemolysed", {"medicines": "warning"}),
        ("potassium 3.1 mmol/L [3.5-5.3] 10 days ago preliminary", {}),
        ("potassium 5.9 mmol/L [3.5-5.3] 10 days ago", {}),
        ("sodium 132 mmol/L [133-146] 10 days ago", {"medicines": "warning"}),
        ("sodium 133 mmol/L [133-146] 10 days ago", {}),
        ("calcium-adjusted 2.19 mmol/L [2.2-2.6] 180 days ago", {"medicines": "warning"}),
        ("calcium-adjusted 2.20 mmol/L [2.2-2.6] 180 days ago", {}),
        ("calcium-adjusted 2.19 mmol/L [2.2-2.6] 181 days ago", {}),
        ("magnesium 0.69 mmol/L [0.7-1.0] 10 days ago", {"medicines": "warning"}),
        ("magnesium 0.70 mmol/L [0.7-1.0] 10 days ago", {}),
    ],
)
def test_a_diuretic_with_a_low_electrolyte_is_a_warning_without_any_symptom(
    ordered: Ask, result: str, expected: dict[str, str]
) -> None:
    assert dealt(ordered(results=[result], drafts=["bendroflumethiazide 2.5 mg daily"])) == expected


def test_a_low_calcium_is_seen_after_adjustment(ordered: Ask) -> None:
    results = ["calcium-total 2.10 mmol/L [2.2-2.6] 5 days ago", "albumin 42 g/L [35-50] 5 days ago"]
    assert "Adjusted calcium 2.06" in the_card(ordered(results=results, drafts=["furosemide"])).summary


def test_a_low_magnesium_is_beyond_the_fact_sheet(content: Content) -> None:
    lines = {"results": ["magnesium 0.60 mmol/L [0.7-1.0] 10 days ago"], "drafts": ["furosemide"]}
    chart = chart_of(content.vocabulary, **lines)
    assert dealt(advise(chart, content, Moment.ORDER)) == {"medicines": "warning"}
    assert advise(chart, replace(content, beyond=False), Moment.ORDER).cards == ()


@pytest.mark.parametrize(
    ("potassium", "expected"),
    [
        ("5.0", {}),
        ("5.1", {"medicines": "warning"}),
        (">5.5", {"medicines": "warning"}),
        ("6.8", {"medicines": "warning"}),  # never more: O9 has no critical card
    ],
)
@pytest.mark.parametrize("draft", ["spironolactone", "amiloride", "eplerenone", "amiloride+furosemide"])
def test_a_potassium_sparing_diuretic_with_a_potassium_over_5(
    ordered: Ask, draft: str, potassium: str, expected: dict[str, str]
) -> None:
    results = [f"potassium {potassium} mmol/L [3.5-5.3] 90 days ago"]
    assert dealt(ordered(results=results, drafts=[draft])) == expected


def test_a_high_potassium_is_no_matter_for_a_loop_diuretic_or_an_old_result(ordered: Ask) -> None:
    high = ["potassium 5.1 mmol/L [3.5-5.3] 5 days ago"]
    assert dealt(ordered(results=high, drafts=["furosemide"])) == {}
    old = ["potassium 5.1 mmol/L [3.5-5.3] 91 days ago"]
    assert dealt(ordered(results=old, drafts=["spironolactone"])) == {}


def test_of_a_combination_the_part_that_spares_potassium_is_named(ordered: Ask) -> None:
    results = ["potassium 5.1 mmol/L [3.5-5.3] 5 days ago"]
    card = the_card(ordered(results=results, drafts=["amiloride+furosemide"]))
    assert card.summary.startswith("Amiloride drafted with Potassium 5.1 mmol/L")


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ("sodium 131 mmol/L [133-146]", "Potassium 5.6"),
        ("calcium-adjusted 2.10 mmol/L [2.2-2.6]", "Potassium 5.6"),
        ("calcium-adjusted 1.80 mmol/L [2.2-2.6]", "Adjusted calcium 1.80"),
    ],
)
def test_the_potassium_leads_unless_another_value_is_very_low(ordered: Ask, other: str, named: str) -> None:
    results = ["potassium 5.6 mmol/L [3.5-5.3] 5 days ago", f"{other} 5 days ago"]
    card = the_card(ordered(results=results, drafts=["spironolactone"]))
    assert f"with {named} mmol/L" in card.summary
    assert "Potassium 5.6" in card.detail


def test_a_haemolysed_high_potassium_may_be_spurious(ordered: Ask) -> None:
    card = the_card(
        ordered(results=["potassium 5.6 mmol/L [3.5-5.3] 5 days ago haemolysed"], drafts=["spironolactone"])
    )
    assert card.indicator.value == "warning"
    assert "may be spurious" in card.detail


def test_dialysis_lowers_every_warning_of_the_topic(ordered: Ask) -> None:
    dialysis = "dialysis 900 days ago"
    low, high = ["potassium 3.1 mmol/L [3.5-5.3] 5 days ago"], ["potassium 5.6 mmol/L [3.5-5.3] 5 days ago"]
    assert dealt(ordered(problems=[dialysis], results=low, drafts=["furosemide"])) == {"medicines": "info"}
    assert dealt(ordered(problems=[dialysis], results=high, drafts=["spironolactone"])) == {"medicines": "info"}
    assert dealt(ordered(problems=[dialysis, *CRAMP], drafts=["furosemide"])) == {"medicines": "info"}


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("muscle-cramp 365 days ago", {"medicines": "info"}),
        ("muscle-cramp 366 days ago", {}),
        ("muscle-cramp resolved 20 days ago", {}),
        ("nocturnal-leg-cramp undated", {"medicines": "info"}),
        ("muscle-fasciculation 20 days ago", {"medicines": "info"}),
        ("eyelid-twitch 20 days ago", {"medicines": "info"}),
        ("myotonia 20 days ago", {"medicines": "info"}),
        ("hemifacial-spasm 20 days ago", {"medicines": "info"}),
        ("muscle-weakness 20 days ago", {}),
    ],
)
def test_a_diuretic_with_normal_results_speaks_for_an_active_symptom_only(
    ordered: Ask, problem: str, expected: dict[str, str]
) -> None:
    assert dealt(ordered(problems=[problem], results=NORMAL, drafts=["indapamide"])) == expected


def test_every_diuretic_is_judged(content: Content, ordered: Ask) -> None:
    for name in sorted(content.vocabulary.ingredients_of("diuretic")):
        assert dealt(ordered(problems=CRAMP, results=NORMAL, drafts=[name])) == {"medicines": "info"}, name


@pytest.mark.parametrize(
    ("lines", "orders"),
    [
        ({}, ["order-ue"]),
        ({"results": ["potassium 4.2 mmol/L [3.5-5.3] 91 days ago"]}, ["order-ue"]),
        ({"results": ["potassium 4.2 mmol/L [3.5-5.3] 10 days ago haemolysed"]}, ["order-ue"]),
        ({"results": ["potassium 5.8 mmol/L [3.5-5.3] 10 days ago haemolysed"]}, ["order-ue"]),
        ({"results": ["potassium 4.2 mmol/L [3.5-5.3] 10 days ago preliminary"]}, ["order-ue"]),
        ({"unread": ["potassium: the unit 'mg%' cannot be converted"]}, ["order-ue"]),
        ({"orders": ["order-ue active 30 days ago"]}, []),
        ({"orders": ["order-ue active 31 days ago"]}, ["order-ue"]),
        ({"orders": ["order-renal-panel active 2 days ago"]}, []),
        ({"unreadable": ["orders"]}, []),  # the U&E may be ordered already
    ],
)
def test_without_a_usable_ue_it_is_a_warning_and_a_pending_ue_only_takes_the_suggestion(
    ordered: Ask, lines: dict[str, list[str]], orders: list[str]
) -> None:
    card = the_card(ordered(problems=CRAMP, drafts=["indapamide"], **lines))
    assert card.indicator.value == "warning"
    assert card.summary == "Indapamide drafted with no usable recent U&E on record: consider U&E first"
    assert suggested(card) == orders


@pytest.mark.parametrize("draft", ["order-ue", "order-ue as context", "order-electrolytes"])
def test_a_drafted_ue_takes_the_suggestion(ordered: Ask, draft: str) -> None:
    card = the_card(ordered(problems=CRAMP, drafts=["indapamide", draft]))
    assert card.indicator.value == "warning"
    assert suggested(card) == []


@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_results_that_could_not_be_read_are_not_called_missing(ordered: Ask, how: str) -> None:
    card = the_card(ordered(problems=CRAMP, drafts=["indapamide"], **{how: ["results"]}))
    assert card.indicator.value == "info"
    assert "no usable" not in card.detail
    assert "Not checked or not complete: results" in card.detail
    assert suggested(card) == []


def test_an_abnormal_value_that_was_read_speaks_although_the_search_was_cut_short(ordered: Ask) -> None:
    results = ["potassium 3.1 mmol/L [3.5-5.3] 10 days ago"]
    assert dealt(ordered(results=results, drafts=["indapamide"], incomplete=["results"])) == {"medicines": "warning"}


def test_the_drafted_diuretic_has_no_start_but_one_that_is_taken_does(ordered: Ask) -> None:
    assert dealt(ordered(problems=CRAMP, results=NORMAL, drafts=["indapamide"])) == {"medicines": "info"}
    taken = ["furosemide since 5 days ago"]
    advice = ordered(problems=CRAMP, results=NORMAL, medicines=taken, drafts=["indapamide"])
    assert dealt(advice) == {"medicines": "warning"}


def test_a_renewal_is_not_said_to_be_added(ordered: Ask) -> None:
    lines = {"problems": CRAMP, "results": NORMAL, "medicines": ["indapamide since 200 days ago"]}
    card = the_card(ordered(drafts=["indapamide"], **lines))
    assert card.indicator.value == "info"
    assert "on record as taken already; the draft may renew it" in card.detail
    assert "since 2025-11-27" in card.detail
    for word in ("added", "new medicine", "begin"):
        assert word not in card.summary
    other = the_card(ordered(drafts=["furosemide"], **lines))
    assert "taken already" not in other.detail


@pytest.mark.parametrize("results", [[], NORMAL])
def test_a_diuretic_without_symptom_and_with_normal_or_no_results_is_silent(ordered: Ask, results: list[str]) -> None:
    assert ordered(results=results, drafts=["indapamide", "spironolactone"]).cards == ()


@pytest.mark.parametrize(
    ("draft", "problem", "expected"),
    [
        ("methylphenidate", "muscle-fasciculation", {"medicines": "info"}),
        ("dexmethylphenidate", "muscle-cramp", {"medicines": "info"}),
        ("lisdexamfetamine", "eyelid-twitch", {"medicines": "info"}),
        ("methylphenidate", "muscle-weakness", {}),
        ("caffeine", "muscle-cramp", {}),
        ("salmeterol", "muscle-cramp", {"medicines": "info"}),
        ("formoterol", "nocturnal-leg-cramp", {"medicines": "info"}),
        ("salmeterol", "muscle-fasciculation", {}),
        ("salbutamol", "muscle-cramp", {}),
    ],
)
def test_stimulants_speak_for_a_symptom_and_inhalers_for_cramp(
    ordered: Ask, draft: str, problem: str, expected: dict[str, str]
) -> None:
    assert dealt(ordered(problems=[f"{problem} 20 days ago"], drafts=[draft])) == expected


@pytest.mark.parametrize(("draft", "shown"), [("methylphenidate", 1), ("lisdexamfetamine", 0), ("salmeterol", 0)])
def test_what_goes_beyond_the_fact_sheet_can_be_switched_off(content: Content, draft: str, shown: int) -> None:
    chart = chart_of(content.vocabulary, problems=CRAMP, drafts=[draft])
    assert len(advise(chart, content, Moment.ORDER).cards) == 1
    assert len(advise(chart, replace(content, beyond=False), Moment.ORDER).cards) == shown


def test_methylphenidate_is_not_said_to_alter_electrolytes(ordered: Ask) -> None:
    card = the_card(
        ordered(problems=CRAMP, results=["potassium 3.0 mmol/L [3.5-5.3] 3 days ago"], drafts=["methylphenidate"])
    )
    assert card.indicator.value == "info"
    assert not {"electrolyte", "electrolytes", "potassium"} & set(card.detail.lower().split())


@pytest.mark.parametrize("how", ["name", "brand"])
def test_a_draft_without_a_code_may_be_named_and_nothing_else(ordered: Ask, how: str) -> None:
    low = ["potassium 3.1 mmol/L [3.5-5.3] 10 days ago"]
    assert ordered(results=low, drafts=[f"furosemide by {how}"]).cards == ()
    card = the_card(ordered(problems=CRAMP, results=low, drafts=[f"furosemide by {how}"]))
    assert card.indicator.value == "info"
    assert suggested(card) == []
    bare = the_card(ordered(problems=CRAMP, drafts=[f"furosemide by {how}"]))
    assert bare.indicator.value == "info"
    assert "no usable" not in bare.detail


def test_a_draft_that_is_context_is_not_judged(ordered: Ask) -> None:
    low = ["potassium 3.1 mmol/L [3.5-5.3] 10 days ago"]
    assert (
        ordered(problems=CRAMP, results=low, drafts=["furosemide as context", "methylphenidate as context"]).cards == ()
    )
    card = the_card(ordered(problems=CRAMP, results=low, drafts=["furosemide as context", "methylphenidate"]))
    assert "Furosemide" not in card.summary
    assert card.indicator.value == "info"


@pytest.mark.parametrize(
    ("draft", "taken", "renewed"),
    [
        ("hydrochlorothiazide+losartan", "losartan", None),
        ("indapamide+perindopril", "perindopril", None),
        ("hydrochlorothiazide+losartan", "hydrochlorothiazide+losartan", "Hydrochlorothiazide"),
        ("amiloride+furosemide", "furosemide", "Furosemide"),
        ("furosemide", "amiloride+furosemide", "Furosemide"),
        ("amiloride+furosemide", "amiloride+furosemide", "Amiloride and Furosemide"),
    ],
)
def test_of_a_combination_only_what_contributes_is_called_a_renewal(
    ordered: Ask, draft: str, taken: str, renewed: str | None
) -> None:
    """HZ15: a diuretic added to losartan is new, although losartan is on record."""
    results = ["potassium 4.2 mmol/L [3.5-5.3] 10 days ago"]
    card = the_card(ordered(problems=CRAMP, results=results, medicines=[f"{taken} since 200 days ago"], drafts=[draft]))
    said = f"- {renewed} is on record as taken already; the draft may renew it."
    assert ("taken already" in card.detail) is (renewed is not None)
    assert (said in card.detail) is (renewed is not None)


@pytest.mark.parametrize("draft", ["indapamide", "methylphenidate", "dexamfetamine", "salmeterol"])
def test_the_symptom_that_a_card_rests_on_is_found_in_it(ordered: Ask, draft: str) -> None:
    """6.2 no. 2: every input used is named."""
    card = the_card(ordered(problems=CRAMP, results=NORMAL, drafts=[draft]))
    assert "Muscle cramp, 2026-05-26 (Condition/c1)" in part(card, "Found")


def test_several_drafts_make_one_card_and_the_same_medicine_twice_one_finding(ordered: Ask) -> None:
    twice = the_card(
        ordered(problems=CRAMP, results=NORMAL, drafts=["furosemide 20 mg daily", "furosemide 40 mg daily"])
    )
    assert twice.summary.startswith("Furosemide drafted: may contribute")
    assert "MedicationRequest/d1" in twice.detail
    assert "MedicationRequest/d2" in twice.detail
    assert twice.detail.count("Consider whether Furosemide is needed") == 1
    drafts = ["furosemide", "indapamide", "methylphenidate", "salmeterol"]
    several = the_card(ordered(problems=CRAMP, results=NORMAL, drafts=drafts))
    assert several.summary.startswith("Furosemide and indapamide and methylphenidate drafted")
    assert "Salmeterol" in several.detail


def test_no_summary_is_too_long(content: Content, ordered: Ask) -> None:
    longest = sorted(
        content.vocabulary.ingredients_of("diuretic"), key=lambda name: -len(content.vocabulary.title(name))
    )
    results = ["calcium-adjusted 1.95 mmol/L [2.2-2.6] 5 days ago", "potassium 5.9 mmol/L [3.5-5.3] 5 days ago"]
    for drafts in (longest[:6], ["+".join(longest[:2])]):
        summary = the_card(ordered(problems=CRAMP, results=results, drafts=drafts)).summary
        assert len(summary) <= LONGEST_SUMMARY
        assert not summary.endswith("...")


def test_heart_failure_is_named_beside_a_diuretic(ordered: Ask) -> None:
    problems = [*CRAMP, "heart-failure 900 days ago"]
    assert "may be essential" in the_card(ordered(problems=problems, results=NORMAL, drafts=["furosemide"])).detail
    assert "may be essential" not in the_card(ordered(problems=problems, drafts=["methylphenidate"])).detail


def test_palliative_care_and_age_under_16_are_silent(ordered: Ask) -> None:
    low = {"results": ["potassium 3.1 mmol/L [3.5-5.3] 10 days ago"], "drafts": ["furosemide", "methylphenidate"]}
    assert ordered(problems=[*CRAMP, "palliative-care 9 days ago"], **low).cards == ()
    assert ordered(person="male 15", problems=CRAMP, **low).cards == ()
    assert dealt(ordered(person="male 16", problems=CRAMP, **low)) == {"medicines": "warning"}
    assert dealt(ordered(person="male of unknown age", problems=CRAMP, **low)) == {"medicines": "warning"}


@pytest.mark.parametrize("flag", ["deceased", "test_record", "for_patient"])
def test_the_gate_is_silent_for_the_dead_test_records_and_patients(ordered: Ask, flag: str) -> None:
    low = {"results": ["potassium 3.1 mmol/L [3.5-5.3] 10 days ago"], "drafts": ["furosemide"]}
    assert ordered(problems=CRAMP, **low, **{flag: True}).cards == ()


def test_cards_of_an_opened_record_are_not_repeated(ordered: Ask) -> None:
    low = ["potassium 3.1 mmol/L [3.5-5.3] 10 days ago"]
    assert (
        ordered(problems=CRAMP, results=low, medicines=["furosemide since 300 days ago"], drafts=["order-ue"]).cards
        == ()
    )


@pytest.mark.parametrize(
    ("drafts", "unreadable", "expected"),
    [
        (["furosemide"], ["results"], {"data-quality": "info"}),
        (["furosemide"], ["problems"], {"data-quality": "info"}),
        (["furosemide"], ["medicines", "orders", "allergies"], {}),  # they make no card of a diuretic
        (["furosemide by name"], ["results"], {}),
        (["furosemide by name"], ["problems"], {"data-quality": "info"}),
        (["methylphenidate"], ["problems"], {"data-quality": "info"}),
        (["methylphenidate"], ["results"], {}),
        (["salmeterol"], ["problems"], {"data-quality": "info"}),
        (["levothyroxine"], ["problems", "results"], {}),
        (["order-ue", "order-bone-profile", "order-magnesium"], ["problems", "results"], {}),  # O23
        (["furosemide as context", "order-ue"], ["results"], {}),
    ],
)
def test_data_quality_speaks_for_a_judged_order_only(
    ordered: Ask, drafts: list[str], unreadable: list[str], expected: dict[str, str]
) -> None:
    assert dealt(ordered(drafts=drafts, unreadable=unreadable)) == expected


def test_data_quality_is_left_out_beside_another_card_which_names_what_was_not_read(ordered: Ask) -> None:
    card = the_card(ordered(problems=CRAMP, drafts=["furosemide"], unreadable=["results"]))
    assert "Not checked or not complete: results" in card.detail


def test_a_part_that_was_never_asked_for_counts_as_not_read(content: Content) -> None:
    chart = chart_of(content.vocabulary, drafts=["furosemide"])
    chart = replace(chart, inputs={**chart.inputs, Area.RESULTS: Input(Reading.NOT_ASKED)})
    assert dealt(advise(chart, content, Moment.ORDER)) == {"data-quality": "info"}
