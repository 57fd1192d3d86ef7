"""Units, rounding and plausible spans, at their boundaries."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.analytes import Analyte, Limits, plain_unit
from terminology.tables import read
from terminology.vocabulary import load

ANALYTES = load().analytes
UNITS = read().units

finite = st.decimals(min_value=Decimal("0.001"), max_value=Decimal(100000), places=6)


def rounded(analyte: str, value: str, unit: str) -> Decimal | None:
    found = ANALYTES[analyte]
    converted = found.convert(Decimal(value), unit)
    return None if converted is None else found.rounded(converted)


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "expected"),
    [
        ("calcium-adjusted", "7.6", "mg/dL", "1.90"),
        ("calcium-adjusted", "7.7", "mg/dL", "1.92"),
        ("calcium-adjusted", "7.5", "mg/dL", "1.87"),
        ("calcium-total", "4.2", "mEq/L", "2.10"),
        ("magnesium", "1.7", "mg/dL", "0.70"),
        ("magnesium", "1.4", "meq/L", "0.70"),
        ("ck-total", "5.0", "ukat/L", "300"),
        ("ck-total", "5.0", "µkat/L", "300"),
        ("ck-total", "5.0", "μkat/L", "300"),
        ("ck-total", "315", "[IU]/L", "315"),
        ("potassium", "3.5", "mEq/L", "3.5"),
        ("potassium", "3.5", "meq/l", "3.5"),
        ("sodium", "133", "mmol/l", "133"),
        ("albumin", "3.5", "g/dL", "35"),
        ("albumin", "3.5", "g/dl", "35"),
        ("tsh", "10.0", "m[IU]/L", "10.00"),
        ("tsh", "10.0", "uIU/mL", "10.00"),
        ("tsh", "10.0", "uIU/ml", "10.00"),
        ("tsh", "10.0", "μIU/mL", "10.00"),
        ("free-t4", "1.0", "ng/dL", "12.9"),
        ("free-t3", "3.0", "pg/mL", "4.6"),
    ],
)
def test_a_value_is_converted_by_the_closed_table_and_rounded_half_up(
    analyte: str, value: str, unit: str, expected: str
):
    assert str(rounded(analyte, value, unit)) == expected


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [
        ("potassium", ""),
        ("potassium", "mmol"),
        ("potassium", "MMOL/L"),
        ("potassium", "Mmol/L"),
        ("potassium", "mmol/24h"),
        ("calcium-total", "mg%"),
        ("calcium-adjusted", "mg/DL"),
        ("ck-total", "ng/mL"),
        ("ck-total", "%"),
        ("tsh", "mcU/mL"),  # seen in real records, and in no source of the table: refused, not guessed
        ("tsh", "IU/L"),  # known, and implausible for TSH whatever the number
        ("tsh", "[IU]/L"),
        ("tsh", "mIU/mL"),
        ("albumin", "mg/L"),
        ("free-t4", "mIU/L"),
    ],
)
def test_a_unit_outside_the_table_is_refused_and_never_guessed(analyte: str, unit: str):
    assert ANALYTES[analyte].convert(Decimal("2.1"), unit) is None


@pytest.mark.parametrize(
    ("analyte", "value"),
    [
        ("potassium", "22"),
        ("potassium", "0.0"),
        ("potassium", "12.1"),
        ("sodium", "14"),
        ("calcium-adjusted", "238"),
        ("calcium-total", "8.9"),
        ("magnesium", "0"),
        ("albumin", "4.1"),
        ("ck-total", "0"),
        ("tsh", "2100"),
        ("tsh", "0"),
        ("free-t4", "0"),
    ],
)
def test_an_implausible_value_is_refused(analyte: str, value: str):
    assert not ANALYTES[analyte].is_plausible(Decimal(value))


@pytest.mark.parametrize(
    ("analyte", "values"),
    [
        ("potassium", "1.0 2.4 2.5 2.6 3.1 3.4 3.5 4.2 5.4 5.5 6.4 6.5 9.9 12.0"),
        ("sodium", "110 124 125 129 130 133 146 150 160 180"),
        ("calcium-adjusted", "1.20 1.87 1.89 1.90 1.92 2.19 2.20 3.00 3.49 3.50 4.50"),
        ("calcium-total", "1.40 2.10 3.60"),
        ("magnesium", "0.10 0.20 0.40 0.41 0.69 0.70 1.00 3.00"),
        ("albumin", "10 15 35 40 55"),
        ("ck-total", "20 300 301 315 1600 1601 3200 4999 5000 200000"),
        ("tsh", "0.001 0.01 0.1 4.5 9.99 10.0 150 400"),
        ("free-t4", "0.5 8.0 15.0 22.0 100"),
        ("free-t3", "0.5 4.6 46"),
    ],
)
def test_every_value_that_illness_can_give_is_plausible(analyte: str, values: str):
    for value in values.split():
        assert ANALYTES[analyte].is_plausible(Decimal(value)), value


@pytest.mark.parametrize(
    ("analyte", "low", "high"),
    [
        ("potassium", "3.5", "5.3"),
        ("sodium", "133", "146"),
        ("calcium-adjusted", "2.20", "2.60"),
        ("magnesium", "0.70", "1.00"),
    ],
)
def test_the_limits_are_those_of_the_specification(analyte: str, low: str, high: str):
    assert ANALYTES[analyte].limits == Limits(Decimal(low), Decimal(high))


def test_creatine_kinase_has_a_limit_for_each_sex_and_none_for_all():
    ck = ANALYTES["ck-total"]

    assert ck.limits is None
    assert ck.limits_male == Limits(Decimal(40), Decimal(320))
    assert ck.limits_female == Limits(Decimal(25), Decimal(200))


def test_tsh_has_no_limits_of_its_own():
    tsh = ANALYTES["tsh"]

    assert (tsh.limits, tsh.limits_male, tsh.limits_female) == (None, None, None)
    assert tsh.unit == "mIU/L"


def test_the_groups_hold_what_the_rules_ask_for():
    def members(group: str) -> set[str]:
        return {name for name, analyte in ANALYTES.items() if group in analyte.groups}

    assert members("electrolytes") == {"potassium", "sodium", "calcium-adjusted", "magnesium"}
    assert members("thyroid") == {"tsh", "free-t4", "free-t3"}


@pytest.mark.parametrize("name", sorted(ANALYTES))
def test_limits_lie_inside_the_plausible_span_and_have_its_precision(name: str):
    analyte = ANALYTES[name]

    for limits in (analyte.limits, analyte.limits_male, analyte.limits_female):
        for end in () if limits is None else (limits.low, limits.high):
            assert end is not None
            assert analyte.is_plausible(end)
            assert analyte.rounded(end) == end


@pytest.mark.parametrize("name", sorted(ANALYTES))
def test_the_unit_a_card_prints_is_one_that_is_read(name: str):
    analyte = ANALYTES[name]

    assert analyte.convert(Decimal(7), analyte.unit) == 7


@pytest.mark.parametrize("row", UNITS, ids=lambda row: f"{row['analyte']} {row['spelling']}")
def test_every_row_of_the_table_converts_as_it_says_or_not_at_all(row):
    converted = ANALYTES[row["analyte"]].convert(Decimal(3), row["spelling"])

    refused = not row["factor"] or row["relation"] in {
        "code-dependent",
        "not-comparable",
        "not-convertible",
        "implausible",
    }
    assert converted == (None if refused else 3 * Decimal(row["factor"]))
    assert ANALYTES[row["analyte"]].convert(Decimal(3), row["ucum"]) == converted


@given(st.sampled_from([row for row in UNITS if row["relation"] in {"identity", "scale", "mass", "valence"}]), finite)
def test_conversion_is_multiplication_by_the_factor_of_the_table(row, value: Decimal):
    analyte = ANALYTES[row["analyte"]]

    assert analyte.convert(value, row["spelling"]) == value * Decimal(row["factor"])


@given(st.sampled_from(sorted(ANALYTES)), finite, finite)
def test_conversion_and_rounding_keep_the_order_of_values(name: str, one: Decimal, other: Decimal):
    analyte = ANALYTES[name]
    low, high = sorted((one, other))

    for unit in analyte.conversions:
        below, above = analyte.convert(low, unit), analyte.convert(high, unit)
        assert below is not None
        assert above is not None
        assert analyte.rounded(below) <= analyte.rounded(above)


@given(st.decimals(), st.text())
def test_no_number_and_no_unit_makes_conversion_raise(value: Decimal, unit: str):
    for analyte in ANALYTES.values():
        for spelling in (unit, analyte.unit):
            converted = analyte.convert(value, spelling)
            if converted is not None:
                analyte.rounded(converted)
        analyte.is_plausible(value)


@given(st.text())
def test_the_plain_spelling_of_a_unit_is_stable(unit: str):
    assert plain_unit(plain_unit(unit)) == plain_unit(unit)


def test_rounding_is_half_up():
    potassium = ANALYTES["potassium"]

    assert str(potassium.rounded(Decimal("3.45"))) == "3.5"
    assert str(potassium.rounded(Decimal("3.449"))) == "3.4"
    assert str(potassium.rounded(Decimal(4))) == "4.0"


def test_an_analyte_with_an_open_span_takes_any_value():
    open_span = Limits(None, None)
    analyte = Analyte("x", "X", frozenset(), "g/L", 0, open_span, None, None, None, {})

    assert analyte.is_plausible(Decimal("1e9"))
