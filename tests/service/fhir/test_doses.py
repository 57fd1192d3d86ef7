from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.entries import Dose
from cards.ordering import exceeding
from service.fhir import dose_codes, doses
from service.fhir.doses import dose_of
from service.fhir.resource import from_object
from terminology.vocabulary import Link, MedicineMatch
from tests.service.fhir.builders import UCUM

QUININE = MedicineMatch(frozenset({"quinine"}), Link.CODE)
NIGHTLY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["HS"]}}
DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}


def mg(value, unit="mg", **more):
    return {"value": value, "unit": unit, "system": UCUM, "code": unit} | more


def dosage(amount=None, timing=None, **more):
    made = {"doseAndRate": [{"doseQuantity": amount}]} if amount is not None else {}
    return made | ({"timing": timing} if timing else {}) | more


def read(*dosages, name="dosageInstruction", match=QUININE, kind="MedicationRequest"):
    return dose_of(from_object({"resourceType": kind, name: list(dosages)}), match)


def amounts(*dosages, **options):
    found = read(*dosages, **options)
    return tuple(None if one is None else str(one) for one in (found.night, found.daily))


def test_no_dosage_at_all_is_no_dose():
    assert dose_of(from_object({"resourceType": "MedicationRequest"}), QUININE) is None
    assert read() is None


@pytest.mark.parametrize(("value", "unit", "said"), [
    (300, "mg", "300"), (301, "mg", "301"), ("0.3", "g", "300"), ("300.0", "mg", "300"), ("62.5", "ug", "0.0625"),
    (500000, "ug", "500"), (1, "ng", "0.000001"),
])  # fmt: skip
def test_a_dose_at_night_is_read_in_milligrams(value, unit, said):
    assert amounts(dosage(mg(Decimal(value), unit), NIGHTLY)) == (said, said)
    assert read(dosage(mg(Decimal(value), unit), NIGHTLY)).why == ""


@pytest.mark.parametrize("unit", ["mg", "MG", "milligram", "Milligrams"])
def test_a_printed_unit_of_weight_is_enough(unit):
    assert amounts(dosage({"value": 200, "unit": unit}, NIGHTLY)) == ("200", "200")
    assert amounts(dosage({"value": 200, "unit": unit, "system": "http://snomed.info/sct", "code": "x"}, NIGHTLY)) == (
        "200",
        "200",
    )


@pytest.mark.parametrize("unit", ["microgram", "micrograms", "mcg", "ug", "\u00b5g", "\u03bcg"])
def test_a_microgram_has_many_spellings(unit):
    assert amounts(dosage({"value": 200, "unit": unit}, NIGHTLY)) == ("0.2", "0.2")


@pytest.mark.parametrize(("quantity", "why"), [
    ({"value": 1, "unit": "tablet"}, doses.NO_WEIGHT),
    ({"value": 1, "system": UCUM, "code": "{pill}"}, doses.NO_WEIGHT),
    ({"value": 5, "unit": "mL", "system": UCUM, "code": "mL"}, doses.NO_WEIGHT),
    ({"value": 300, "system": UCUM, "code": "MG"}, doses.NO_WEIGHT),
    ({"value": 300, "system": "urn:elsewhere", "code": "mg"}, doses.NO_WEIGHT),
    ({"value": 300, "unit": "g", "system": UCUM, "code": "mg"}, doses.CONTRADICTION),
    ({"value": 300}, doses.NO_UNIT),
    ({"value": 0, "unit": "mg"}, doses.NO_AMOUNT),
    ({"value": -5, "unit": "mg"}, doses.NO_AMOUNT),
    ({"value": True, "unit": "mg"}, doses.NO_AMOUNT),
    ({"value": "300", "unit": "mg"}, doses.NO_AMOUNT),
    ({"value": Decimal("1E+15"), "unit": "mg"}, doses.NO_AMOUNT),
    ({"unit": "mg"}, doses.NO_AMOUNT),
    ({"value": 300, "unit": "mg", "comparator": "~"}, doses.NO_UPPER_END),
    ("300 mg", doses.NO_AMOUNT),
])  # fmt: skip
def test_an_amount_that_is_no_weight_is_not_guessed(quantity, why):
    assert read(dosage(quantity, NIGHTLY)) == Dose(why=why)


def test_words_alone_are_not_a_dose():
    assert read({"text": "Quinine sulfate 300mg: take ONE at night"}) == Dose(why=doses.IN_WORDS)
    assert read({"text": "One at night", "timing": NIGHTLY}) == Dose(why=doses.IN_WORDS)
    assert read({"timing": NIGHTLY, "doseAndRate": [{"rateQuantity": mg(5, "mg/h")}]}) == Dose(why=doses.A_RATE)


def test_the_upper_end_of_a_range_counts():
    ranged = {"doseAndRate": [{"doseRange": {"low": mg(200), "high": mg(300)}}], "timing": NIGHTLY}
    open_ended = {"doseAndRate": [{"doseRange": {"low": mg(200)}}], "timing": NIGHTLY}

    assert amounts(ranged) == ("300", "300")
    assert read(open_ended) == Dose(why=doses.NO_UPPER_END, least=Decimal(200))


@pytest.mark.parametrize("spelled", [
    {"doseQuantity": mg(300)}, {"doseSimpleQuantity": mg(300)}, {"quantityQuantity": mg(300)},
    {"dose": {"doseQuantity": mg(300)}}, {"doseRange": {"high": mg(300)}}, {"quantityRange": {"high": mg(300)}},
    {"doseAndRate": {"doseQuantity": mg(300)}},
    {"doseAndRate": [{"doseQuantity": mg(200)}, {"doseQuantity": mg(300)}]},
])  # fmt: skip
def test_other_versions_write_the_dose_elsewhere(spelled):
    assert amounts(spelled | {"timing": NIGHTLY}) == ("300", "300")
    assert amounts(spelled | {"timing": NIGHTLY}, name="dosage", kind="MedicationStatement") == ("300", "300")


@pytest.mark.parametrize(("repeat", "daily"), [
    ({"frequency": 3, "period": 1, "periodUnit": "d"}, "600"),
    ({"frequency": 1, "period": 8, "periodUnit": "h"}, "600"),
    ({"period": 6, "periodUnit": "h"}, "800"),
    ({"period": 5, "periodUnit": "h"}, "1000"),
    ({"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}, "400"),
    ({"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"}, "1200"),
    ({"frequency": 2, "period": 1, "periodUnits": "d"}, "400"),
    ({"frequency": 1, "period": 1, "periodUnit": "wk"}, "200"),
    ({"frequency": 3, "period": 1, "periodUnit": "wk"}, "200"),
    ({"frequency": 3, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon"]}, "600"),
    ({"frequency": 1, "period": 2, "periodUnit": "d"}, "200"),
    ({"frequency": 10, "period": 1, "periodUnit": "wk"}, "400"),
    ({"frequency": 1, "period": 1, "periodUnit": "mo"}, "200"),
    ({"when": ["MORN", "HS"]}, "400"),
    ({"frequency": 1, "period": 1, "periodUnit": "d", "when": ["MORN", "HS"]}, "400"),
    ({"timeOfDay": ["08:00:00", "14:00:00", "22:00:00"]}, "600"),
    ({"when": "HS"}, "200"),
    ({"frequency": 3, "period": 1, "periodUnit": "d", "when": ["AC"]}, "600"),
])  # fmt: skip
def test_the_most_in_a_day_is_worked_out_from_the_timing(repeat, daily):
    assert amounts(dosage(mg(200), {"repeat": repeat})) == ("200", daily)


@pytest.mark.parametrize("repeat", [
    {}, {"frequency": 3}, {"frequency": 3, "period": 1}, {"frequency": 3, "period": 0, "periodUnit": "d"},
    {"frequency": 3, "period": 1, "periodUnit": "fortnight"}, {"when": ["AC"]}, {"frequency": 1, "when": ["C"]},
    {"period": Decimal("1E-15"), "periodUnit": "s"}, {"count": 5}, {"boundsDuration": mg(5, "d")},
])  # fmt: skip
def test_how_often_is_not_guessed(repeat):
    assert read(dosage(mg(200), {"repeat": repeat})) == Dose(Decimal(200), None, doses.HOW_OFTEN)


@pytest.mark.parametrize(("code", "times"), sorted(dose_codes.TIMES_A_DAY.items()))
@pytest.mark.parametrize("written", ["coding", "text"])
def test_codes_of_timing_are_read(code, times, written):
    concept = {"coding": [{"code": code}]} if written == "coding" else {"text": code}
    found = read(dosage(mg(100), {"code": concept}))

    assert found.daily == 100 * times
    assert found.night == (None if code in dose_codes.IN_THE_MORNING else 100)


def test_of_a_code_and_a_repeat_that_differ_the_more_frequent_counts():
    assert amounts(dosage(mg(100), DAILY | {"code": {"text": "TID"}})) == ("100", "300")
    assert amounts(dosage(mg(100), DAILY | {"code": {"text": "thrice, as explained"}})) == ("100", "100")


def test_one_dose_a_day_counts_as_one_at_night_unless_a_time_of_day_says_otherwise():
    assert amounts(dosage(mg(300), DAILY)) == ("300", "300")
    assert amounts(dosage(mg(300))) == ("300", None)
    assert amounts(dosage(mg(300), {"repeat": {"when": ["EVE"]}})) == ("300", "300")
    for when in sorted(dose_codes.BY_DAY):
        assert read(dosage(mg(300), {"repeat": {"when": [when]}})) == Dose(None, Decimal(300), doses.BY_DAY_ONLY)
    assert amounts(dosage(mg(300), {"repeat": {"when": ["MORN", "NIGHT"]}})) == ("300", "600")


def test_instructions_that_go_together_are_added_up():
    by_day = dosage(mg(200), {"repeat": {"when": ["NOON"]}})
    at_night = dosage(mg(300), NIGHTLY)

    assert amounts(at_night, dosage(mg(100), NIGHTLY)) == ("400", "400")
    assert amounts(at_night | {"sequence": 1}, dosage(mg(100), NIGHTLY, sequence=1)) == ("400", "400")
    assert amounts(by_day, at_night) == ("300", "500")
    assert amounts(dosage(mg(100), DAILY), at_night) == ("400", "400")


def test_of_steps_that_follow_each_other_the_highest_counts():
    steps = [dosage(mg(amount), NIGHTLY, sequence=number) for number, amount in enumerate((100, 300, 200), 1)]

    assert amounts(*steps) == ("300", "300")
    assert amounts(*reversed(steps)) == ("300", "300")
    assert read(*steps, {"sequence": 4, "text": "then as before"}) == Dose(why=doses.IN_WORDS, least=Decimal(300))


def test_one_instruction_that_cannot_be_read_leaves_the_whole_unknown():
    other = {"text": "and another if needed"}
    assert read(dosage(mg(300), NIGHTLY), other) == Dose(why=doses.IN_WORDS, least=Decimal(300))
    assert read(dosage(mg(300), NIGHTLY), dosage(mg(100))) == Dose(Decimal(400), None, doses.HOW_OFTEN)


TABLETS = {"value": 2, "unit": "tablet"}
TWICE = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}


@pytest.mark.parametrize(("dosages", "least"), [
    ([dosage(mg(400), NIGHTLY), {"text": "take with food"}], 400),
    ([dosage(mg(400), NIGHTLY, sequence=1), dosage(TABLETS, NIGHTLY, sequence=2)], 400),
    ([dosage(mg(200), NIGHTLY), dosage(mg(200), NIGHTLY), dosage(TABLETS, NIGHTLY)], 400),
    ([{"doseAndRate": [{"doseQuantity": mg(400)}, {"doseQuantity": TABLETS}], "timing": NIGHTLY}], 400),
    ([{"doseAndRate": [{"doseQuantity": TABLETS}, {"doseQuantity": mg(400)}], "timing": NIGHTLY}], 400),
    ([{"doseAndRate": [{"doseRange": {"low": mg(400)}}], "timing": NIGHTLY}], 400),
    ([{"doseAndRate": [{"doseRange": {"low": mg(400), "high": TABLETS}}], "timing": NIGHTLY}], 400),
    ([dosage(mg(300, comparator=">"), NIGHTLY)], 300),
    ([dosage(mg(200, comparator=">="), TWICE)], 400),
    ([dosage(mg(200), TWICE), {"text": "and another if needed"}], 400),
    ([dosage(mg(200), {"repeat": {"when": ["MORN"]}}), {"text": "and another if needed"}], 200),
    ([dosage(mg(300), NIGHTLY), dosage(TABLETS, {"repeat": {"when": ["MORN"]}})], None),
    ([dosage(TABLETS, NIGHTLY)], None),
])  # fmt: skip
def test_of_a_dose_known_in_part_the_part_taken_for_certain_is_kept(dosages, least):
    """Rows O3 and O6: to add an instruction in words to 400 mg at night makes it no smaller dose."""
    found = read(*dosages)

    assert found.why
    assert found.least == least


@pytest.mark.parametrize("needed", [{"asNeededBoolean": True}, {"asNeededCodeableConcept": {"text": "cramp"}}])
def test_as_needed_counts_as_always_needed(needed):
    assert amounts(dosage(mg(300), NIGHTLY, **needed)) == ("300", "300")


@pytest.mark.parametrize(("limit", "daily"), [
    ({"numerator": mg(300), "denominator": mg(1, "d")}, "300"),
    ({"numerator": mg(300), "denominator": mg(24, "h")}, "300"),
    ({"numerator": mg(300), "denominator": {"value": 1, "unit": "day"}}, "300"),
    ({"numerator": mg(200), "denominator": mg(12, "h")}, "400"),
    ({"numerator": mg(500), "denominator": mg(1, "wk")}, "500"),
    ({"numerator": mg(5000), "denominator": mg(1, "d")}, "800"),
    ({"numerator": {"value": 2, "unit": "tablet"}, "denominator": mg(1, "d")}, "800"),
    ({"numerator": mg(300), "denominator": mg(0, "d")}, "800"),
    ({"numerator": mg(300)}, "800"),
    ({"numerator": mg(1), "denominator": mg(Decimal("1E-15"), "s")}, "800"),
])  # fmt: skip
@pytest.mark.parametrize("listed", [True, False], ids=["R5", "R4"])
def test_a_limit_lowers_the_most_in_a_day(limit, daily, listed):
    four_times = {"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}}

    made = dosage(mg(200), four_times, maxDosePerPeriod=[limit] if listed else limit)
    assert amounts(made) == ("200", daily)


def test_a_limit_tells_the_most_in_a_day_where_nothing_else_does():
    limit = {"numerator": mg(300), "denominator": mg(1, "d")}
    found = read({"text": "when cramp comes", "maxDosePerPeriod": limit})

    assert (found.night, found.daily, found.why) == (None, 300, doses.IN_WORDS)
    assert amounts(dosage(mg(200), maxDosePerPeriod=[limit, {"numerator": mg(250), "denominator": mg(1, "d")}])) == (
        "200",
        "250",
    )


def test_the_dose_of_a_combination_is_nobodys():
    both = MedicineMatch(frozenset({"amiloride", "furosemide"}), Link.CODE)
    with_brand = MedicineMatch(frozenset({"furosemide"}), Link.CODE, frozenset({"amiloride"}))

    for match in (both, with_brand):
        assert read(dosage(mg(40), DAILY), match=match) == Dose(why=doses.A_COMBINATION)
        assert read(match=match) is None


KEYS = [
    "value",
    "unit",
    "code",
    "system",
    "coding",
    "text",
    "repeat",
    "frequency",
    "period",
    "periodUnit",
    "when",
    "doseAndRate",
    "doseQuantity",
    "doseRange",
    "high",
    "low",
    "timing",
    "sequence",
    "maxDosePerPeriod",
    "numerator",
    "denominator",
    "timeOfDay",
    "dayOfWeek",
    "comparator",
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.sampled_from(["mg", "d", "HS", "BID", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(ANYTHING)
def test_no_dosage_whatever_it_holds_raises(value):
    found = read(value)

    assert found is None or (found.night is not None and found.daily is not None) or found.why


@given(ANYTHING)
def test_no_further_instruction_hides_a_dose_that_is_too_much(other):
    assert exceeding(read(dosage(mg(400), NIGHTLY), other), Decimal(300)) >= 400


@given(st.integers(1, 4000), st.integers(1, 12), st.integers(1, 48), st.sampled_from(["h", "d", "wk"]))
def test_the_most_in_a_day_is_never_less_than_one_dose(amount, frequency, period, unit):
    repeat = {"frequency": frequency, "period": period, "periodUnit": unit}
    found = read(dosage(mg(amount), {"repeat": repeat}))

    assert found.night == amount
    assert found.daily % amount == 0
    assert found.daily >= amount
