"""A laboratory value we can stand behind, or why we cannot."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.entries import Area, Comparator, ResultStatus
from service.fhir.resource import from_json
from service.fhir.retrieved import Resources
from terminology.analytes import Limits
from tests.service.fhir.builders import (
    CALCIUM,
    CK,
    CK_MB,
    LOINC,
    MAGNESIUM,
    OURS,
    POTASSIUM,
    PREGNANT,
    SAMPLE_HAEMOLYSED,
    SNOMED,
    SODIUM,
    TSH,
    UCUM,
    V2_0493,
    chart,
    chart_of,
    concept,
    observation,
    quantity,
    result,
    why_unread,
)

HAEMOLYSED = concept((V2_0493, "HEM"))


def test_a_result_is_read_with_value_date_status_and_source():
    found = result(observation(value=3.14))

    assert (found.analyte, found.value, found.exact, found.sent) == (
        "potassium", Decimal("3.1"), Decimal("3.14"), "3.14 mmol/L",
    )  # fmt: skip
    assert (str(found.when), found.source, found.status) == ("2026-06-10", "Observation/o1", ResultStatus.FINAL)
    assert (found.comparator, found.limits, found.haemolysed, found.note) == (None, None, False, "")


@pytest.mark.parametrize(
    ("code", "value", "unit", "rounded"),
    [
        (POTASSIUM, 3.45, "mmol/L", "3.5"),
        (POTASSIUM, 3.449, "mEq/L", "3.4"),
        (SODIUM, 132.5, "mmol/L", "133"),
        (CALCIUM, 7.6, "mg/dL", "1.90"),
        (CALCIUM, 7.7, "mg/dl", "1.92"),
        (CALCIUM, 7.5, "mg/dL", "1.87"),
        (CALCIUM, 4.6, "mEq/L", "2.30"),
        (MAGNESIUM, 1.7, "mg/dL", "0.70"),
        (CK, 5.0, "ukat/L", "300"),
        (TSH, 2.5, "uIU/mL", "2.5"),
    ],
)
def test_values_are_converted_by_the_closed_table_and_rounded_half_up(code, value, unit, rounded):
    assert result(observation(code, value, unit)).value == Decimal(rounded)


@pytest.mark.parametrize(
    ("quantity_sent", "why"),
    [
        (quantity(4.2), "Potassium: the value has no unit"),
        (quantity(4.2, "mmol"), "Potassium: the unit 'mmol' is not one that can be converted"),
        (quantity(4.2, "mg%"), "Potassium: the unit 'mg%' is not one that can be converted"),
        (quantity(4.2, "<b>"), "Potassium: the unit 'b' is not one that can be converted"),
        (quantity(4.2, {}), "Potassium: the value has no unit"),
        (quantity(4.2, 7), "Potassium: the unit could not be read"),
        (quantity(4.2, ["mmol/L"]), "Potassium: the unit could not be read"),
        (quantity(4.2, "umol/L", code="mmol/L", system=UCUM),
         "Potassium: the unit 'umol/L' and its code 'mmol/L' contradict each other"),
        (quantity(4.2, code="mmol/L", system="http://example.org/units"), "Potassium: the value has no unit"),
        (quantity("4.2", "mmol/L"), "Potassium: the value was sent as text"),
        (quantity(True, "mmol/L"), "Potassium: the value is not a number that can be used"),
        (quantity([4.2], "mmol/L"), "Potassium: the value is not a number that can be used"),
        (quantity(10**30, "mmol/L"), "Potassium: the value is not a number that can be used"),
        (quantity(None, "mmol/L"), "Potassium: it has no value"),
        (quantity(0.99, "mmol/L"), "Potassium: 0.99 mmol/L is not a plausible value"),
        (quantity(12.1, "mmol/L"), "Potassium: 12.1 mmol/L is not a plausible value"),
        (quantity(0.0, "mmol/L"), "Potassium: 0.0 mmol/L is not a plausible value"),
        (quantity(-4.2, "mmol/L"), "Potassium: -4.2 mmol/L is not a plausible value"),
        (quantity(99, "mmol/L", comparator=">"), "Potassium: 99 mmol/L is not a plausible value"),
        (quantity(4.2, "mmol/L", comparator="~"), "Potassium: the value has a comparator that is not known"),
        (quantity(4.2, "mmol/L", comparator=["<"]), "Potassium: the value has a comparator that is not known"),
        ([], "Potassium: the value could not be read"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_stood_behind_is_named_and_never_guessed(quantity_sent, why):
    assert why_unread(observation(valueQuantity=quantity_sent)) == why


def test_the_ends_of_the_plausible_span_are_plausible():
    assert result(observation(value=1.0)).value == Decimal("1.0")
    assert result(observation(value=12.0)).value == Decimal("12.0")


def test_an_exponent_out_of_all_proportion_is_refused_at_no_cost():
    for number in (b"1e999999", b"1e-999999", b"0e999999999", b"1e21", b"1e99999999999999999999"):
        raw = (
            b'{"resourceType":"Observation","id":"o1","status":"final","subject":{"reference":"Patient/p1"},'
            b'"code":{"coding":[{"system":"http://loinc.org","code":"2823-3"}]},"effectiveDateTime":"2026-06-10",'
            b'"valueQuantity":{"unit":"mmol/L","value":' + number + b"}}"
        )
        (found,) = chart_of({"results": Resources((from_json(raw),))}).unread
        assert found.why == "Potassium: the value is not a number that can be used"


@pytest.mark.parametrize(
    "unit", ["m[IU]/L", "m[iU]/L", "u[IU]/mL", "u[iU]/mL", "µU/ml", "\N{GREEK SMALL LETTER MU}U/mL"]
)
def test_the_units_of_tsh_are_read_in_every_spelling_of_ucum_and_as_european_laboratories_print_them(unit):
    assert result(observation(TSH, 2.5, unit)).value == Decimal("2.5")


@pytest.mark.parametrize("unit", ["mmol/L", None])
def test_the_ucum_code_alone_tells_the_unit(unit):
    sent = quantity(4.2, unit, code="mmol/L", system=UCUM)

    assert result(observation(valueQuantity=sent)).value == Decimal("4.2")


def test_a_code_of_another_system_does_not_hide_the_unit():
    sent = quantity(4.2, "mmol/L", code="258813002", system=SNOMED)

    assert result(observation(valueQuantity=sent)).sent == "4.2 mmol/L"


@pytest.mark.parametrize(
    ("comparator", "read"),
    [("<", Comparator.LESS), ("<=", Comparator.AT_MOST), (">=", Comparator.AT_LEAST), (">", Comparator.MORE)],
)
def test_a_comparator_is_kept(comparator, read):
    sent = quantity(5000, "U/L", comparator=comparator)

    assert result(observation(CK, valueQuantity=sent)).comparator is read


@pytest.mark.parametrize(
    ("elements", "why"),
    [
        ({"valueString": "5.2 mmol/L"}, "Potassium: the value was sent as text"),
        ({"valueString": ">5000"}, "Potassium: the value was sent as text"),
        ({"valueInteger": 4}, "Potassium: the value has no unit"),
        ({"valueRange": {"low": {"value": 4}}}, "Potassium: the value was sent as a range or ratio"),
        ({"valueCodeableConcept": {"text": "low"}}, "Potassium: the value is not a number"),
        ({}, "Potassium: it has no value"),
        ({"dataAbsentReason": {"text": "specimen <unsuitable>"}},
         "Potassium: it has no value (reason given: specimen unsuitable)"),
        ({"dataAbsentReason": {"coding": [{"code": "error"}]}}, "Potassium: it has no value (reason given: error)"),
    ],
)  # fmt: skip
def test_a_result_without_a_quantity_is_named_with_its_reason(elements, why):
    assert why_unread(observation(value=None, **elements)) == why


@pytest.mark.parametrize(
    ("status", "read"),
    [
        ("final", ResultStatus.FINAL),
        ("amended", ResultStatus.AMENDED),
        ("corrected", ResultStatus.CORRECTED),
        ("unknown", ResultStatus.UNSTATED),
        ("preliminary", ResultStatus.PRELIMINARY),
    ],
)
def test_a_result_of_a_status_that_counts_keeps_it(status, read):
    assert result(observation(status=status)).status is read


@pytest.mark.parametrize(
    ("status", "why", "expected"),
    [
        ("entered-in-error", "Potassium: was entered in error", True),
        ("cancelled", "Potassium: was cancelled", True),
        ("not-done", "Potassium: was not done", True),
        ("registered", "Potassium: the result is not there yet", False),
        ("Final!", "Potassium: it has a status that is not known", False),
        (["final"], "Potassium: it has no status", False),
        (None, "Potassium: it has no status", False),
    ],
)
def test_a_result_of_any_other_status_is_named_and_not_used(status, why, expected):
    made = chart(observation(status=status))

    (found,) = made.unread
    assert (made.results, found.why, found.expected, found.about) == ((), why, expected, "potassium")


@pytest.mark.parametrize(
    ("elements", "printed"),
    [
        ({"effectiveDateTime": "2026-06"}, "2026-06"),
        ({"effectiveInstant": "2026-06-09T10:00:00Z"}, "2026-06-09"),
        ({"effectivePeriod": {"start": "2026-06-01", "end": "2026-06-03"}}, "2026-06-03"),
        ({"effectivePeriod": {"start": "2026-06-01"}}, "2026-06-01"),
    ],
)
def test_the_effective_time_is_read_in_every_form(elements, printed):
    made = {name: one for name, one in observation().items() if name != "effectiveDateTime"} | elements

    assert str(result(made).when) == printed


@pytest.mark.parametrize(
    ("elements", "why"),
    [
        ({}, "Potassium: it has no date"),
        ({"issued": "2026-06-10T10:00:00Z"}, "Potassium: it has no date of its own, only that of the report"),
        ({"effectiveDateTime": "last week"}, "Potassium: its date could not be read"),
        ({"effectiveDateTime": "2026-06-16"}, "Potassium: it is dated in the future"),
        ({"effectiveDateTime": "2026-06-15T23:30:00Z"}, "Potassium: it is dated in the future"),  # the 16th in London
    ],
)
def test_an_undated_or_future_result_is_unusable(elements, why):
    made = {name: one for name, one in observation().items() if name != "effectiveDateTime"} | elements

    assert why_unread(made) == why


def test_a_result_of_today_counts():
    assert result(observation(effectiveDateTime="2026-06-15T22:59:59Z")).value == Decimal("4.2")


@pytest.mark.parametrize(
    ("ranges", "read"),
    [
        ([{"low": quantity(3.5, "mmol/L"), "high": quantity(5.3, "mmol/L")}], ("3.5", "5.3")),
        ([{"low": quantity(3.5), "high": quantity(5.3)}], ("3.5", "5.3")),
        ([{"low": quantity(3500, "umol/L"), "high": quantity(5.3, "mmol/L")}], ("3.5", "5.3")),
        ([{"high": quantity(5.3, "mmol/L")}], (None, "5.3")),
        ([{"low": quantity(3.46, "mmol/L")}], ("3.5", None)),
        ({"low": quantity(3.5, "mmol/L"), "high": quantity(5.3, "mmol/L")}, ("3.5", "5.3")),
        ([{"type": concept((LOINC, "normal")), "low": quantity(3.5)}], ("3.5", None)),
        ([{"low": quantity(3.5)}, {"low": quantity(3.5)}], ("3.5", None)),
        ([{"low": quantity(3.5)}, {"text": "see report"}], ("3.5", None)),
        ([{"type": concept((LOINC, "critical")), "low": quantity(2)}, {"low": quantity(3.5)}], ("3.5", None)),
        ([{"low": quantity(0), "high": quantity(5.3)}], ("0.0", "5.3")),
    ],
)  # fmt: skip
def test_the_range_sent_with_a_result_is_read(ranges, read):
    limits = result(observation(referenceRange=ranges)).limits

    assert limits == Limits(*(None if one is None else Decimal(one) for one in read))


@pytest.mark.parametrize(
    "ranges",
    [
        [{"text": "3.5 - 5.3"}],
        [{"low": quantity(3.5), "high": quantity(5.3)}, {"low": quantity(3.7), "high": quantity(5.3)}],
        [{"low": quantity(5.3), "high": quantity(3.5)}],
        [{"low": quantity(0), "high": quantity(0)}],
        [{"low": quantity(4.2), "high": quantity(4.2)}],
        [{"low": quantity(3.5, "mg%"), "high": quantity(5.3, "mg%")}],
        [{"low": quantity("3.5"), "high": quantity(5.3)}],
        [{"low": quantity(True), "high": quantity(5.3)}],
        [{"low": quantity([3.5]), "high": quantity(5.3)}],
        [{"low": quantity(3.5, {"a": 1}), "high": quantity(5.3)}],
        [{"low": "3.5", "high": [5.3]}],
        [{"low": quantity(35), "high": quantity(53)}],
        [{"type": concept((LOINC, "critical")), "low": quantity(2)}],
        [], {}, "3.5-5.3", 7, [None],
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_relied_on_is_no_range(ranges):
    found = result(observation(referenceRange=ranges))

    assert found.limits is None
    assert found.range_unused


def test_no_range_and_one_that_is_used_are_no_range_left_unused():
    sent = [{"text": "see report"}, {"low": quantity(3.5), "high": quantity(5.3)}]

    assert not result(observation(referenceRange=sent)).range_unused
    assert not result(observation()).range_unused


def test_true_in_a_range_is_not_the_number_one():
    first = observation(id="o1", referenceRange=[{"low": quantity(1), "high": quantity(5.3)}])
    second = observation(id="o2", referenceRange=[{"low": quantity(True), "high": quantity(5.3)}])

    assert [one.limits is None for one in chart(first, second).results] == [False, True]


def test_a_look_alike_is_not_the_analyte_even_if_another_coding_is():
    made = chart(observation(value=745, unit="U/L", code=CK_MB), observation(id="o2") | {
        "code": concept(CK, CK_MB), "valueQuantity": quantity(745, "U/L"),
    })  # fmt: skip

    assert (made.results, made.unread, made.unmapped) == ((), (), {})


def test_a_code_without_a_table_is_counted_and_nothing_else():
    made = chart(observation(("http://example.org/local", "K")), observation(id="o2") | {"code": {"text": "Potassium"}})

    assert (made.results, made.unread, made.unmapped) == ((), (), {Area.RESULTS: 2})


def test_codes_for_two_analytes_are_refused():
    made = chart(observation() | {"code": concept(POTASSIUM, SODIUM)})

    assert sorted(one.why for one in made.unread) == [
        "Potassium: its codes name more than one test",
        "Sodium: its codes name more than one test",
    ]


def test_a_code_for_a_test_that_no_rule_reads_makes_it_ambiguous_too():
    both = concept((LOINC, "13959-2"), (SNOMED, "166708003"))  # ionised by one coding, adjusted by the other

    assert why_unread(observation(value=2.39) | {"code": both}) == (
        "Adjusted calcium: its codes name more than one test"
    )


def test_components_are_read_like_observations_of_their_own():
    panel = observation(value=None, code=(LOINC, "24326-1"), component=[
        {"code": concept(POTASSIUM), "valueQuantity": quantity(3.1, "mmol/L")},
        {"code": concept(SODIUM), "valueString": "normal"},
        {"code": concept(MAGNESIUM), "dataAbsentReason": {"text": "lost"}},
        "rubbish",
    ])  # fmt: skip

    made = chart(panel)

    assert [(one.analyte, one.value, one.source) for one in made.results] == [
        ("potassium", Decimal("3.1"), "Observation/o1")
    ]
    assert [one.why for one in made.unread] == [
        "Magnesium: it has no value (reason given: lost)",
        "Sodium: the value was sent as text",
    ]


def test_a_test_whose_value_stands_in_its_component_has_no_gap():
    parts = [{"code": concept(POTASSIUM), "valueQuantity": quantity(3.1, "mmol/L")}]
    unreadable = [{"code": concept(POTASSIUM), "valueString": "low"}]

    assert result(observation(value=None, component=parts)).value == Decimal("3.1")
    assert why_unread(observation(value=None, component=unreadable)) == "Potassium: the value was sent as text"


def test_a_test_without_a_value_is_a_gap_if_its_components_are_about_something_else():
    parts = [{"code": concept(SODIUM), "valueQuantity": quantity(140, "mmol/L")}]
    made = chart(observation(value=None, component=parts))

    assert [one.analyte for one in made.results] == ["sodium"]
    assert [one.why for one in made.unread] == ["Potassium: it has no value"]


def test_members_of_a_panel_are_counted_once():
    panel = observation(value=None, code=(LOINC, "24326-1"), id="panel", hasMember=[{"reference": "Observation/o1"}])

    assert [one.source for one in chart(panel, observation(id="o1")).results] == ["Observation/o1"]


def test_members_contained_in_a_panel_are_read():
    member = observation(id="k", value=3.1, without=("subject",))
    panel = observation(value=None, code=(LOINC, "24326-1"), contained=[member], hasMember=[{"reference": "#k"}])

    assert [(one.value, one.source) for one in chart(panel).results] == [(Decimal("3.1"), "Observation/o1")]


def test_a_contained_member_of_another_patient_is_not_read():
    member = observation(id="k", value=3.1, subject={"reference": "Patient/p2"})

    made = chart(observation(value=None, code=(LOINC, "24326-1"), contained=[member]))

    assert made.results == ()
    assert [one.expected for one in made.unread] == [True]


@pytest.mark.parametrize(
    "elements",
    [
        {"interpretation": [HAEMOLYSED]},
        {"interpretation": HAEMOLYSED},
        {"interpretation": [concept((SNOMED, "118128002"))]},
        {
            "contained": [{"resourceType": "Specimen", "id": "s", "condition": [HAEMOLYSED]}],
            "specimen": {"reference": "#s"},
        },
        {"specimen": {"reference": "Specimen/s1"}},
        {"specimen": {"reference": "https://ehr.example/fhir/Specimen/s1"}},
    ],
)
def test_haemolysis_is_read_from_the_specimen_or_the_interpretation(elements):
    specimen = {"resourceType": "Specimen", "id": "s1", "subject": OURS, "condition": [HAEMOLYSED]}

    assert result(observation(**elements), specimen).haemolysed


@pytest.mark.parametrize(
    "elements",
    [
        {"note": [{"text": "Haemolysed"}]},
        {"interpretation": [{"text": "Haemolysed"}]},
        {"interpretation": [concept(("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "H"))]},
        {"specimen": {"reference": "Specimen/s2"}},
        {"specimen": {"reference": "#s"}},
    ],
)
def test_haemolysis_is_never_read_from_words(elements):
    foreign = {
        "resourceType": "Specimen",
        "id": "s2",
        "subject": {"reference": "Patient/p2"},
        "condition": [HAEMOLYSED],
    }

    assert not result(observation(**elements), foreign).haemolysed


def a_haemolysis_test(**more):
    return observation(SAMPLE_HAEMOLYSED, value=None, id="h", valueBoolean=True) | more


@pytest.mark.parametrize(
    ("test", "potassium", "haemolysed"),
    [
        ({}, {}, True),
        ({"specimen": {"reference": "Specimen/s1"}, "effectiveDateTime": "2026-06-09"},
         {"specimen": {"reference": "Specimen/s1"}}, True),
        ({"valueBoolean": False}, {}, False),
        ({"status": "entered-in-error"}, {}, False),
        ({"effectiveDateTime": "2026-06-10"}, {"effectiveDateTime": "2026-06-10"}, False),
        ({"effectiveDateTime": "2026-06-10T10:00:00Z"}, {}, False),
        ({"subject": {"reference": "Patient/p2"}}, {}, False),
        ({"subject": None}, {}, False),
        # A contained specimen is its own resource's: another resource may call one of its own the same.
        ({"specimen": {"reference": "#s1"}, "effectiveDateTime": "2026-06-09"},
         {"specimen": {"reference": "#s1"}}, False),
    ],
)  # fmt: skip
def test_a_positive_test_for_haemolysis_counts_for_the_same_sample_only(test, potassium, haemolysed):
    made = chart(observation(**potassium), a_haemolysis_test(**test))

    assert [one.haemolysed for one in made.results] == [haemolysed]


@pytest.mark.parametrize(
    "elements",
    [{"note": [{"text": "Repeat <please>"}]}, {"comment": "Repeat <please>"}, {"comments": "Repeat <please>"}],
)
def test_a_remark_is_kept_to_be_shown(elements):
    assert result(observation(**elements)).note == "Repeat please"


def test_a_remark_is_cut_at_120_characters():
    assert len(result(observation(note=[{"text": "x" * 500}])).note) == 120


def test_a_pregnancy_given_as_a_value_is_a_problem():
    made = chart(observation(("http://loinc.org", "82810-3"), value=None, valueCodeableConcept=concept(PREGNANT)))

    assert [(one.concepts, str(one.when)) for one in made.problems] == [(frozenset({"pregnancy"}), "2026-06-10")]
    assert made.unmapped == {}


@given(value=st.decimals(min_value="1.0", max_value="12.0", places=3, allow_nan=False, allow_infinity=False))
def test_the_same_potassium_in_another_unit_is_the_same_result(value):
    in_millimoles = result(observation(value=float(value)))
    in_micromoles = result(observation(value=float(value * 1000), unit="umol/L"))

    assert (in_millimoles.value, in_millimoles.exact) == (in_micromoles.value, in_micromoles.exact)
