"""FHIR dates of any precision, record text made safe, and whose resource it is."""

import string
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.elements import number
from service.fhir.moments import moment
from service.fhir.references import Whose, whose
from service.fhir.resource import opened
from service.fhir.shown import shown
from tests.service.fhir.builders import LONDON, resource


@pytest.mark.parametrize(
    ("sent", "first", "last", "printed"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "2026"),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28), "2026-02"),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), "2024-02"),
        ("2026-06-10", date(2026, 6, 10), date(2026, 6, 10), "2026-06-10"),
        ("2026-06-10T09:00:00Z", date(2026, 6, 10), date(2026, 6, 10), "2026-06-10"),
        ("2026-06-10T09:00:00.123456789+01:00", date(2026, 6, 10), date(2026, 6, 10), "2026-06-10"),
        ("2026-06-10T09:00:00", date(2026, 6, 10), date(2026, 6, 10), "2026-06-10"),
        ("2026-06-10T09:00", date(2026, 6, 10), date(2026, 6, 10), "2026-06-10"),
        ("2016-12-31T23:59:60Z", date(2016, 12, 31), date(2016, 12, 31), "2016-12-31"),
        (" 2026-06-10 ", date(2026, 6, 10), date(2026, 6, 10), "2026-06-10"),
    ],
)
def test_a_date_of_any_precision_is_read_as_the_days_it_can_mean(sent, first, last, printed):
    when = moment(sent, LONDON)

    assert (when.first_day, when.last_day, str(when)) == (first, last, printed)
    assert when.earliest <= when.latest
    assert when.earliest.tzinfo is UTC


@pytest.mark.parametrize(
    "sent",
    [
        None, 20260610, True, [], {}, "", "yesterday", "10/06/2026", "2026-13", "2026-02-30", "20260610", "2026-W24-3",
        "2026-06-10T25:00:00Z", "2026-06-10T24:00:00", "0000", "0001-01-01T00:00:00Z", "1879-12-31", "2026-06-10T", "2026-6-1",
        "٢٠٢٦-06-10", "2026-06-10" * 9,
    ],
)  # fmt: skip
def test_what_is_no_date_is_read_as_none(sent):
    assert moment(sent, LONDON) is None


def test_a_day_is_a_day_of_the_configured_zone():
    late = moment("2026-06-10T23:30:00Z", LONDON)

    assert late.first_day == date(2026, 6, 11)
    assert moment("2026-06-10T23:30:00Z", UTC_ZONE).first_day == date(2026, 6, 10)


def test_a_time_without_a_zone_is_one_of_the_configured_zone():
    assert moment("2026-06-10T09:00:00", LONDON).earliest == datetime(2026, 6, 10, 8, tzinfo=UTC)
    assert moment("2026-01-10T09:00:00", LONDON).earliest == datetime(2026, 1, 10, 9, tzinfo=UTC)


def test_a_time_without_seconds_is_any_of_its_minute():
    when = moment("2026-06-10T09:00Z", LONDON)

    assert when.earliest == datetime(2026, 6, 10, 9, tzinfo=UTC)
    assert when.latest == datetime(2026, 6, 10, 9, 0, 59, 999999, tzinfo=UTC)
    assert when.earliest <= moment("2026-06-10T09:00:59Z", LONDON).earliest <= when.latest


def test_a_day_lasts_from_midnight_to_midnight_of_the_zone():
    when = moment("2026-06-10", LONDON)

    assert when.earliest == datetime(2026, 6, 9, 23, tzinfo=UTC)
    assert when.latest == datetime(2026, 6, 10, 22, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Europe/London", "Pacific/Kiritimati", "America/Los_Angeles", "UTC"])
def test_the_end_of_time_is_a_date_in_every_zone(name):
    for sent in ("9999", "9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59", "9999-12-31T23:59:59-12:00"):
        assert moment(sent, ZoneInfo(name)).latest.year >= 9999


UTC_ZONE = ZoneInfo("UTC")


@given(st.text(alphabet=string.digits + "-:TZ+. ", max_size=45) | st.text(max_size=60))
def test_no_text_makes_reading_a_date_fail(text):
    when = moment(text, LONDON)

    assert when is None or (when.earliest <= when.latest and when.first_day <= when.last_day)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Furosemide 20mg tablets", "Furosemide 20mg tablets"),
        ("Co-amilofruse 5mg/40mg (A&B)", "Co-amilofruse 5mg/40mg (A B)"),
        ("<img src=x onerror=alert(1)>", "img src x onerror alert(1)"),
        ("[click](javascript:alert(1))", "click (javascript alert(1))"),
        ("see www.evil.example", "see ww w. evil. example"),
        ("WWW.1.example", "WW W.1. example"),
        ("it is www", "it is ww w"),
        ("http://evil.example/x", "http //evil. example/x"),
        ("a\u202eb\u200bc\x00d", "abcd"),
        ("one\ntwo\tthree", "one two three"),
        ("5\u00b5g 1.73m\u00b2", "5µg 1.73m2"),
        ("2\u00bd tablets", "2 1/2 tablets"),  # not 21 2
        ("\u00bd tablet", "1/2 tablet"),
        ("1\u20442 tablet", "1/2 tablet"),
        ("x10\u2079/L", "x10^9/L"),  # not 109
        ("10\u207b\u2076", "10^-6"),
        ("it\u2019s 2.5 mg", "it's 2.5 mg"),
        ("**bold** _it_ `code` ~x~ |", "bold it code x"),
        ("\uff1cscript\uff1e", "script"),
        ("", ""),
        ("***", ""),
    ],
)
def test_record_text_is_made_safe_to_show(text, safe):
    assert shown(text) == safe


def test_record_text_is_cut_at_120_characters():
    assert shown("a" * 120) == "a" * 120
    assert shown("a" * 121) == "a" * 120
    assert len(shown("\ufdfa" * 5_000)) <= 120


@given(st.text())
def test_whatever_the_text_only_harmless_signs_are_shown(text):
    safe = shown(text)

    assert len(safe) <= 120
    assert all(sign.isalpha() or sign.isdecimal() or sign in " .,;()/%+^'µ-" for sign in safe)
    assert safe == safe.strip()
    assert shown(safe) == safe
    assert not any(dot == "." and after.isalpha() for dot, after in pairwise(safe))


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"subject": {"reference": "Patient/p1"}}, Whose.OURS),
        ({"patient": {"reference": "Patient/p1"}}, Whose.OURS),
        ({"subject": {"reference": "https://ehr.example/fhir/Patient/p1"}}, Whose.OURS),
        ({"subject": {"reference": "Patient/p1/_history/3"}}, Whose.OURS),
        ({"subject": {"reference": "https://ehr.example/fhir/Patient/p1/_history/3"}}, Whose.OURS),
        ({"subject": {"reference": "urn:uuid:p1"}}, Whose.OURS),
        ({"subject": {"reference": "p1"}}, Whose.OURS),
        ({"subject": "Patient/p1"}, Whose.OURS),
        ({"subject": [{"reference": "Patient/p1"}]}, Whose.OURS),
        ({"subject": {"reference": "#p1"}, "contained": [{"resourceType": "Patient", "id": "p1"}]}, Whose.OURS),
        ({"subject": {"reference": "Patient/p10"}}, Whose.FOREIGN),
        ({"subject": {"reference": "Patient/P1"}}, Whose.FOREIGN),
        ({"subject": {"reference": "Group/p1"}}, Whose.FOREIGN),
        ({"subject": {"reference": "https://ehr.example/fhir/Patient/p2"}}, Whose.FOREIGN),
        ({"subject": {"reference": "Patient/p1"}, "patient": {"reference": "Patient/p2"}}, Whose.FOREIGN),
        ({"subject": {"reference": "urn:uuid:other"}}, Whose.UNPROVEN),
        ({"subject": {"reference": "#p1"}}, Whose.UNPROVEN),
        ({"subject": {"reference": "#x"}, "contained": [{"resourceType": "Patient", "id": "x"}]}, Whose.UNPROVEN),
        ({"subject": {"identifier": {"value": "p1"}, "display": "p1"}}, Whose.UNPROVEN),
        ({"subject": {"reference": 7}}, Whose.UNPROVEN),
        ({"subject": {"reference": "Patient?identifier=https://hospital.example/numbers|2"}}, Whose.UNPROVEN),
        ({}, Whose.UNPROVEN),
    ],
)
def test_whose_it_is_is_read_from_any_form_of_reference(elements, expected):
    assert whose(resource({"resourceType": "Observation"} | elements), "p1") is expected


@pytest.mark.parametrize(
    "text", [b'"\xff"', b'[1e99999999999999999999,"\xff"]', b"[" * 2000 + b"]" * 2000, b"[", b"null"]
)
def test_an_element_kept_as_text_that_cannot_be_opened_is_as_if_it_were_not_there(text):
    assert opened(msgspec.Raw(text)) is None


def test_a_number_greater_than_any_is_no_number_and_does_no_harm_to_what_stands_beside_it():
    for digits in (b"1e99999999999999999999", b"-1.5e99999999999999999999", b"1e-99999999999999999999"):
        element = opened(msgspec.Raw(b'{"value":' + digits + b',"unit":"mg"}'))

        assert element["unit"] == "mg"
        assert number(element["value"]) is None
