"""What was sent is read entry by entry, and what it does not say is not taken for "nothing there"."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.bundle import NESTED, NO_TYPE, NOT_AN_OBJECT, TOO_DEEP, Page, decode
from service.fhir.elements import number
from service.fhir.retrieved import Failed, Nothing, Resources, Trouble
from tests.fhir_stub import bundle, outcome

OBSERVATION = {"resourceType": "Observation", "id": "o1", "valueQuantity": {"value": 3.10}}
TYPES = frozenset({"Observation"})


def read(value, **options):
    return decode(value if isinstance(value, bytes) else json.dumps(value).encode(), types=TYPES, **options)


def ids(page):
    return [one.id for one in page.entries]


def observations(count):
    return [{"resourceType": "Observation", "id": f"o{n}"} for n in range(count)]


def entry(resource, mode="match"):
    return {"resource": resource, "search": {"mode": mode}}


def test_a_bundle_is_its_entries_in_order():
    page = read(bundle(*observations(3)))

    assert ids(page) == ["o0", "o1", "o2"]
    assert page.alone() == Resources(page.entries)


def test_raw_text_is_read_like_bytes():
    raw = msgspec.json.decode(
        b'{"results":' + json.dumps(bundle(OBSERVATION)).encode() + b"}", type=dict[str, msgspec.Raw]
    )

    assert ids(decode(raw["results"], types=TYPES)) == ["o1"]


def test_numbers_keep_their_digits():
    text = json.dumps(bundle(OBSERVATION)).replace("3.1", "3.10").encode()
    value = read(text).entries[0].valueQuantity.value

    assert isinstance(value, Decimal)
    assert str(value) == "3.10"


@pytest.mark.parametrize(
    "empty", [bundle(), {"resourceType": "Bundle"}, {"resourceType": "Bundle", "total": 0, "entry": None}]
)
def test_an_empty_bundle_is_complete_and_empty(empty):
    assert read(empty).alone() == Resources(())


def test_a_bundle_without_a_type_is_read():
    assert ids(read({"resourceType": "Bundle", "entry": [{"resource": OBSERVATION}]})) == ["o1"]


def test_a_single_resource_of_the_type_asked_for_is_read_as_one_entry():
    page = read(OBSERVATION)

    assert ids(page) == ["o1"]
    assert page.alone().trouble is None


@pytest.mark.parametrize(
    "useless",
    [
        {"resourceType": "Patient", "id": "p1"},
        {"resourceType": ["Observation"]},
        {},
        [],
        [OBSERVATION],
        "text",
        "<html>Tomcat</html>",
        7,
        1.5,
        True,
        b"<html><body>Log in</body></html>",
        b"",
        b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Obs',
        b"\xff\xfe",
        {"resourceType": "Bundle", "entry": "x"},
        {"resourceType": "Bundle", "entry": {"resource": OBSERVATION}},
        b"[" * 100_000,
        b'{"resourceType":"Bundle","entry":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
)
def test_what_is_not_an_answer_is_as_good_as_not_sent(useless):
    assert read(useless) is None


@pytest.mark.parametrize("null", [b"null", b" null\n"])
def test_null_means_that_the_sender_looked_and_has_nothing(null):
    assert read(null) == Nothing()


def test_an_operationoutcome_in_place_of_the_data_is_a_failure():
    assert read(outcome("exception")) == Failed(Trouble.SENT_AS_FAILED)
    assert read(outcome("exception", "fatal"), failed=Trouble.SERVER_ERROR) == Failed(Trouble.SERVER_ERROR)


@pytest.mark.parametrize("code", ["forbidden", "security", "login", "expired"])
def test_a_refusal_told_by_an_operationoutcome_is_the_same_as_a_status_403(code):
    assert read(outcome(code)) == Failed(Trouble.NOT_PERMITTED)


@pytest.mark.parametrize(
    ("severity", "code", "answer"),
    [
        ("information", "not-found", Nothing()),
        ("warning", "not-found", Nothing()),
        ("information", "informational", Nothing()),
        ("warning", "processing", Failed(Trouble.SENT_AS_FAILED)),
        ("information", "suppressed", Failed(Trouble.SENT_AS_FAILED)),
        ("error", "not-found", Failed(Trouble.SENT_AS_FAILED)),
        ("odd", "not-found", Failed(Trouble.SENT_AS_FAILED)),
    ],
)
def test_an_operationoutcome_is_nothing_only_if_it_says_no_more_than_that(severity, code, answer):
    assert read(outcome(code, severity)) == answer


@pytest.mark.parametrize("issue", [None, [], "x", [None], {"severity": 1}])
def test_an_operationoutcome_that_says_nothing_readable_is_a_failure(issue):
    assert read({"resourceType": "OperationOutcome", "issue": issue}) == Failed(Trouble.SENT_AS_FAILED)


@pytest.mark.parametrize("mode", ["outcome", "match", None])
def test_a_harmless_outcome_beside_the_matches_is_left_out(mode):
    page = read(
        {"resourceType": "Bundle", "entry": [entry(outcome("processing", "warning"), mode), entry(OBSERVATION)]}
    )

    assert page.alone() == Resources(page.entries)
    assert ids(page) == ["o1"]


def test_an_entry_that_is_marked_as_outcome_is_never_a_match_whatever_it_holds():
    page = read({"resourceType": "Bundle", "entry": [entry(OBSERVATION), entry(OBSERVATION, "outcome")]})

    assert ids(page) == ["o1"]


@pytest.mark.parametrize(
    ("severity", "code"),
    [
        ("error", "processing"),
        ("fatal", "exception"),
        ("warning", "timeout"),
        ("information", "suppressed"),
        ("?", "x"),
    ],
)
def test_an_outcome_that_tells_of_missing_data_cuts_the_answer_short(severity, code):
    page = read({"resourceType": "Bundle", "entry": [entry(OBSERVATION), entry(outcome(code, severity), "outcome")]})

    assert ids(page) == ["o1"]
    assert page.alone().trouble is Trouble.CUT_SHORT


@pytest.mark.parametrize(
    ("severity", "code", "trouble"),
    [
        ("error", "processing", Trouble.CUT_SHORT),
        ("warning", "incomplete", Trouble.CUT_SHORT),
        ("warning", "processing", None),
        ("information", "informational", None),
    ],
)
def test_the_issues_of_an_r5_bundle_are_read_like_an_outcome_among_its_entries(severity, code, trouble):
    for beside in ([], [entry("no resource")]):  # read in one pass, and entry by entry
        sent = {"resourceType": "Bundle", "issues": outcome(code, severity), "entry": [entry(OBSERVATION), *beside]}

        assert ids(read(sent)) == ["o1"]
        assert read(sent).alone().trouble is trouble


@pytest.mark.parametrize("issues", [None, "none", [], 7])
def test_issues_that_are_no_outcome_say_nothing(issues):
    assert read(bundle(OBSERVATION) | {"issues": issues}).alone().trouble is None


@pytest.mark.parametrize(("link", "next_url"), [("http://x/y?_page=2", "http://x/y?_page=2"), (7, ""), (None, "")])
def test_a_next_link_means_there_is_more(link, next_url):
    page = read(bundle(OBSERVATION) | {"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": link}]})

    assert page.next_url == next_url
    assert page.alone().trouble is Trouble.CUT_SHORT


@pytest.mark.parametrize("link", [None, [], "next", [None, 3, {}], [{"relation": "self", "url": "x"}]])
def test_links_that_are_no_next_link_do_not_mean_that_there_is_more(link):
    assert read(bundle(OBSERVATION) | {"link": link}).alone().trouble is None


def test_an_entry_that_could_not_be_read_was_sent_all_the_same():
    whole = read({"resourceType": "Bundle", "total": 2, "entry": [entry(OBSERVATION), entry("no resource")]}).alone()

    assert (len(whole.entries), len(whole.broken), whole.trouble) == (1, 1, None)


def test_a_total_larger_than_what_was_sent_means_that_the_rest_was_left_out():
    included = entry({"resourceType": "Medication", "id": "m1"}, "include")
    sent = {"resourceType": "Bundle", "total": 2, "entry": [entry(OBSERVATION), included]}

    assert read(sent).alone().trouble is Trouble.CUT_SHORT
    assert read(sent | {"total": 1}).alone().trouble is None
    assert read(sent | {"total": 1.5}).alone().trouble is None
    assert read(sent | {"total": "2"}).alone().trouble is None


@pytest.mark.parametrize(
    "beside",
    [
        entry(outcome("processing", "warning"), "outcome"),
        {"resource": outcome("processing", "warning")},
        {"resource": {"resourceType": "Specimen", "id": "s1"}},  # included by a sender that marks nothing
        {"resource": {"resourceType": "Practitioner", "id": "d1"}},
    ],
)
def test_what_stands_beside_the_matches_never_makes_up_for_one_that_is_missing(beside):
    sent = {"resourceType": "Bundle", "total": 2, "entry": [{"resource": OBSERVATION}, beside]}

    assert read(sent).alone().trouble is Trouble.CUT_SHORT
    assert read(sent | {"total": 1}).alone().trouble is None
    assert read(sent | {"entry": [*sent["entry"], {"resource": OBSERVATION}]}).alone().trouble is None


@pytest.mark.parametrize(
    "bad", [{"search": {"mode": "match"}}, {"resource": {"id": "o2"}}, {"resource": bundle()}, None]
)
def test_a_bad_entry_counts_as_one_match(bad):
    sent = {"resourceType": "Bundle", "total": 3, "entry": [{"resource": OBSERVATION}, bad]}

    assert read(sent).matches == 2
    assert read(sent).alone().trouble is Trouble.CUT_SHORT


def test_more_entries_than_are_read_cut_the_answer_short():
    assert read(bundle(*observations(5)), most=5).alone().trouble is None

    page = read(bundle(*observations(6)), most=5)
    assert ids(page) == ["o0", "o1", "o2", "o3", "o4"]
    assert page.alone().trouble is Trouble.CUT_SHORT


def test_a_legal_prefetch_of_5000_entries_is_read_whole():
    page = read(bundle(*observations(5_000)))

    assert len(page.entries) == 5_000
    assert page.alone().trouble is None


BAD_ENTRIES = {
    b"null": NOT_AN_OBJECT,
    b"7": NOT_AN_OBJECT,
    b'"x"': NOT_AN_OBJECT,
    b"[]": NOT_AN_OBJECT,
    b"{}": NOT_AN_OBJECT,
    b'{"resource":null}': NOT_AN_OBJECT,
    b'{"resource":"x"}': NOT_AN_OBJECT,
    b'{"resource":[]}': NOT_AN_OBJECT,
    b'{"resource":{"resourceType":"Observation","valueString":"\xff"}}': NOT_AN_OBJECT,
    b'{"resource":{"resourceType":"Observation","code":{"text":"\xff"}}}': NOT_AN_OBJECT,  # kept as text until it is opened
    b'{"resource":{"resourceType":"Observation","category":[{"text":"\xff"}]}}': NOT_AN_OBJECT,  # read by nobody
    b'{"resource":{"valueInteger":1e99999999999999999999}}': NO_TYPE,
    b'{"resource":{}}': NO_TYPE,
    b'{"resource":{"resourceType":7}}': NO_TYPE,
    b'{"resource":{"resourceType":"Bundle"}}': NESTED,
}


def test_a_number_that_no_decimal_can_hold_costs_itself_alone():
    odd = b'{"resource":{"resourceType":"Observation","id":"odd","valueInteger":1e99999999999999999999}}'
    page = read(b'{"resourceType":"Bundle","entry":[' + odd + b"]}")
    (one,) = page.entries
    assert one.id == "odd"
    assert number(one.valueInteger) is None
    assert page.broken == ()


@pytest.mark.parametrize("position", [0, 25, 50])
@pytest.mark.parametrize("bad", BAD_ENTRIES)
def test_f20_one_bad_entry_costs_that_entry_and_no_other(bad, position):
    entries = [json.dumps(entry(one)).encode() for one in observations(50)]
    entries.insert(position, bad)
    page = read(b'{"resourceType":"Bundle","entry":[' + b",".join(entries) + b"]}")

    assert ids(page) == [f"o{n}" for n in range(50)]
    assert page.broken == (BAD_ENTRIES[bad],)


def test_a_single_resource_that_is_not_utf_8_is_as_good_as_not_sent():
    assert read(b'{"resourceType":"Observation","code":{"text":"\xb5mol"}}') is None


def test_f20_an_entry_nested_700_deep_does_no_harm_to_the_others():
    deep = b'{"resource":{"resourceType":"Observation","id":"deep","note":' + b"[" * 700 + b"]" * 700 + b"}}"
    good = json.dumps(entry(OBSERVATION)).encode()
    page = read(b'{"resourceType":"Bundle","entry":[' + deep + b"," + good + b"]}")

    assert "o1" in ids(page)
    assert page.broken in {(), (TOO_DEEP,)}


@pytest.mark.parametrize("search", [None, 7, "match", [], {"mode": 7}, {"mode": None}])
def test_an_odd_search_element_does_not_cost_the_entry(search):
    page = read({"resourceType": "Bundle", "entry": [{"resource": OBSERVATION, "search": search}, entry(OBSERVATION)]})

    assert ids(page) == ["o1", "o1"]
    assert page.broken == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "entry", "resource", "search", "mode", "link", "relation", "url", "issue", "total"]
            ),
            inner | st.sampled_from(["Bundle", "Observation", "OperationOutcome", "next", "outcome"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_json_was_sent_nothing_is_raised(value):
    assert isinstance(read(value), Page | Nothing | Failed | None)


@given(st.binary(max_size=60))
def test_whatever_bytes_were_sent_nothing_is_raised(value):
    assert isinstance(read(value), Page | Nothing | Failed | None)


@given(st.lists(JSON, max_size=4), st.integers(0, 4))
def test_what_stands_beside_a_good_entry_never_hides_it(others, place):
    entries = [*others[:place], entry(OBSERVATION), *others[place:]]

    assert "o1" in ids(read({"resourceType": "Bundle", "entry": entries}))
