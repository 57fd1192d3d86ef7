import json
import random
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadCall, CallRejected, TooLarge
from service.hooks.request import MAX_BODY, MAX_DEPTH, MAX_MEMBERS, HookCall, depth, parse
from service.hooks.services import SERVICES
from tests.contract.cds_hooks import faults
from tests.service.stand_ins import a_request, body

SERVICE = SERVICES[0]
CANARY = "canary-4711"


def called(**changed: Any) -> HookCall:
    return parse(body(**changed), SERVICE)


def refusal(raw: bytes) -> str:
    with pytest.raises(CallRejected) as caught:
        parse(raw, SERVICE)
    assert CANARY not in str(caught.value)
    return str(caught.value)


def test_a_plain_request_is_understood():
    call = called(
        context={"userId": "Practitioner/gp-1", "patientId": "pat-1", "encounterId": "enc-9"},
        fhirServer="https://ehr.example.org/fhir",
        fhirAuthorization={"access_token": "secret", "token_type": "Bearer"},
    )

    assert (call.patient_id, call.encounter_id, call.for_clinician) == ("pat-1", "enc-9", True)
    assert (call.fhir_server, call.token) == ("https://ehr.example.org/fhir", "secret")
    assert call.oddities == ()
    assert json.loads(bytes(call.prefetch["patient"])) == {"resourceType": "Patient", "id": "pat-1"}


def test_the_token_and_the_prefetch_are_not_in_its_printed_form():
    call = called(
        fhirServer="https://e.example",
        fhirAuthorization={"access_token": CANARY, "token_type": "Bearer"},
        prefetch={CANARY: {"text": CANARY}},
    )

    assert CANARY not in repr(call)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "The body is empty"),
        (b" \r\n", "The body is empty"),
        (b"canary-4711", "not valid JSON"),
        (b'{"hook": "canary-4711', "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b'"canary-4711"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"hook":NaN}', "not valid JSON"),
        (b'{"prefetch":{"results":{"value":Infinity}}}', "not valid JSON"),
        (b'{"prefetch":{"results":{"value":-NaN}}}', "not valid JSON"),
        (b"\xef\xbb\xbf" + body(), "not valid JSON"),
        (body().decode().encode("utf-16"), "not UTF-8"),
        (b'{"prefetch":{"a":"\xff"}}', "not UTF-8"),
        (b'{"hook":"\\ud800"}', "not valid JSON"),
        (body() + b"x", "not valid JSON"),
        (b"{} // " + body(), "not valid JSON"),
        (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "nested deeper than 64"),
        (b"[" * 100_000 + b"]" * 100_000, "nested deeper than 64"),
        (b"[" * 100_000, "nested deeper than 64"),
    ],
)
def test_what_is_no_hook_request_is_refused_with_a_fixed_sentence(raw, sentence):
    assert sentence in refusal(raw)


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"hook": None}, "hook is missing"),
        ({"hook": ""}, "hook is missing"),
        ({"hook": {"canary-4711": 1}}, "hook is missing"),
        ({"hook": "canary-4711"}, "hook is not the one"),
        ({"hookInstance": None}, "hookInstance is missing"),
        ({"hookInstance": 5}, "hookInstance is missing"),
        ({"context": None}, "context is missing"),
        ({"context": ["canary-4711"]}, "context is missing"),
        ({"context": {"userId": "Practitioner/gp-1"}}, "context.patientId is missing"),
        ({"context": {"patientId": None}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": 4711}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": ["canary-4711"]}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": ""}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": "."}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": ".."}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": "Patient/.."}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": "../Patient/2"}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": "pat-1\n"}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": "pat-1?x=y"}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": "1&_id=2"}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": "pät"}}, "context.patientId is not a FHIR id"),
        ({"context": {"patientId": "a" * 257}}, "context.patientId is not a FHIR id"),
    ],
)
def test_the_sentence_names_the_part_that_is_wrong_and_never_repeats_it(changed, part):
    assert refusal(body(**changed)).startswith(part)


def test_text_that_cannot_be_text_is_refused():
    whole = body().replace(b'"pat-1"', b'"\\ud800"')

    assert refusal(whole).startswith(("context.patientId is not a FHIR id", "The body is not valid JSON"))


def test_a_number_that_is_too_long_to_read_is_refused():
    assert "not valid JSON" in refusal(body(extension={"n": 1}).replace(b'"n": 1', b'"n": ' + b"1" * 5000))


def test_values_that_begin_alike_are_told_apart():
    alike = [list(range(100)), [*range(99), 7], [*range(99), 8]]
    call = called(prefetch={"a": alike[0], "b": alike[1], "c": alike[2], str(alike[2]).replace(" ", ""): None})

    assert [json.loads(bytes(call.prefetch[key])) for key in "abc"] == alike


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not():
    whole = body()
    assert parse(whole + b" " * (MAX_BODY - len(whole)), SERVICE).patient_id == "pat-1"
    with pytest.raises(TooLarge):
        parse(whole + b" " * (MAX_BODY - len(whole) + 1), SERVICE)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"hook":"patient-view","hook":"patient-view","hookInstance":"i","context":{"patientId":"p"}}',
        b'{"hook":"patient-view","hookInstance":"i","context":{"patientId":"p","patientId":"q"}}',
        b'{"hook":"patient-view","hookInstance":"i","context":{"patientId":"p"},"context":{"patientId":"q"}}',
        b'{"hook":"patient-view","hookInstance":"i","context":{"patientId":"p"},"prefetch":{},"prefetch":{"results":null}}',
        b'{"hook":"patient-view","hookInstance":"i","context":{"patientId":"p"},"prefetch":{"results":{"a":1},"results":null}}',
        b'{"hook":"patient-view","hookInstance":"i","context":{"patientId":"p"},"p\\u0072efetch":{"a":null},"prefetch":{}}',
    ],
)
def test_a_name_that_is_given_twice_in_the_envelope_is_refused(raw):
    assert "given twice" in refusal(raw)


def test_a_thousand_keys_are_looked_at_and_more_are_refused():
    """F13. A hundred thousand are in tests/faults/test_f13_json.py, with the time they take."""
    raws = [b'"k%d":{}' % number for number in range(MAX_MEMBERS)]
    whole = body()[:-1].replace(b'"prefetch"', b'"other"') + b',"prefetch":{%s}}'

    assert len(parse(whole % b",".join(raws), SERVICE).prefetch) == MAX_MEMBERS
    assert "given twice" in refusal(whole % b",".join([*raws[1:], b'"k7":{}']))
    assert "more than 1000 members" in refusal(whole % b",".join([*raws, b'"one":{}']))
    assert "more than 1000 members" in refusal(body()[:-1] + b',"extension":{%s,"one":{}}}' % b",".join(raws))


def test_a_number_that_is_too_large_is_refused_in_the_envelope_and_costs_a_resource_alone():
    assert "too large" in refusal(body()[:-1] + b',"extension":[1e999]}')
    assert parse(body()[:-1].replace(b'"prefetch"', b'"other"') + b',"prefetch":{"results":{"v":1e999}}}', SERVICE)


def test_a_body_that_repeats_the_beginning_of_a_piece_again_and_again_is_still_understood():
    repeated = json.dumps("[" * 100_000).encode()
    whole = body()[:-1].replace(b'"prefetch"', b'"other"') + b',"prefetch":{"s":%s,"p":%s}}'

    assert set(parse(whole % (repeated, b"[" * 60 + b"]" * 60), SERVICE).prefetch) == {"s", "p"}


@given(st.dictionaries(st.text('[]{}"\\kx', max_size=4), st.deferred(lambda: JSON), max_size=5), st.data())
def test_a_repeated_prefetch_key_is_always_seen_and_nothing_else_is(prefetch, data):
    members = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in prefetch.items()]
    whole = body(prefetch=None).decode()[:-1] + ',"prefetch":{%s}}'
    assert set(parse((whole % ",".join(members)).encode(), SERVICE).prefetch) == set(prefetch)
    if prefetch:
        again = json.dumps(data.draw(st.sampled_from(sorted(prefetch)))) + ":" + json.dumps(data.draw(JSON))
        members.insert(data.draw(st.integers(0, len(members))), again)
        assert "given twice" in refusal((whole % ",".join(members)).encode())


def test_a_piece_that_looks_like_prefetch_elsewhere_does_no_harm():
    call = called(
        extension={"same": {"resourceType": "Patient", "id": "pat-1"}, "text": '{"a":1} {} []'},
        prefetch={
            "patient": {"resourceType": "Patient", "id": "pat-1"},
            "results": {},
            "problems": {"deep": {}},
            "other": [{}, {}],
        },
    )

    assert set(call.prefetch) == {"patient", "results", "problems", "other"}


@pytest.mark.parametrize(
    ("user", "for_clinician"),
    [
        ("Practitioner/1", True),
        ("PractitionerRole/1", True),
        ("Patient/1", False),
        ("RelatedPerson/1", False),
        ("https://ehr.example.org/fhir/Patient/1", False),
        ("Patient/1/_history/2", False),
        ("https://ehr.example.org/fhir/RelatedPerson/1/_history/2", False),
        ("Patient/1/", False),
        ("https://ehr.example.org/Patient/fhir/Practitioner/1", True),
        ("NotPatient/1", True),
        ("dr-house", True),
        (None, True),
        (7, True),
    ],
)
def test_a_patient_or_a_relative_is_not_a_clinician(user, for_clinician):
    assert called(context={"userId": user, "patientId": "pat-1"}).for_clinician is for_clinician


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        ({"access_token": "t", "token_type": "Bearer"}, "t"),
        ({"access_token": "t", "token_type": "bearer", "expires_in": "soon"}, "t"),
        ({"access_token": "t", "token_type": "mac"}, None),
        ({"access_token": "t"}, None),
        ({"access_token": "", "token_type": "Bearer"}, None),
        ({"access_token": 5, "token_type": "Bearer"}, None),
        ({"token_type": "Bearer"}, None),
        ("Bearer t", None),
        ([], None),
    ],
)
def test_only_what_is_plainly_a_bearer_token_is_used_and_the_call_goes_on(authorization, token):
    assert called(fhirServer="https://e.example/fhir", fhirAuthorization=authorization).token == token


def test_a_token_without_a_server_is_not_used():
    call = called(fhirAuthorization={"access_token": "t", "token_type": "Bearer"})

    assert (call.fhir_server, call.token) == (None, None)


@pytest.mark.parametrize("prefetch", [None, [], "x", 5, {}])
def test_a_prefetch_that_is_no_object_is_no_prefetch(prefetch):
    assert called(prefetch=prefetch).prefetch == {}


def test_a_prefetched_patient_who_is_someone_else_is_refused():
    raw = body(prefetch={"patient": {"resourceType": "Patient", "id": CANARY}})

    assert refusal(raw).startswith("prefetch.patient is not the Patient of context.patientId")


@pytest.mark.parametrize(
    "sent", [None, "x", [], {}, {"resourceType": "OperationOutcome", "id": "x"}, {"resourceType": "Patient"}]
)
def test_a_prefetched_patient_that_names_nobody_is_left_to_the_reader(sent):
    assert called(prefetch={"patient": sent}).patient_id == "pat-1"


def test_an_id_written_as_a_reference_is_stripped_and_noted():
    call = called(context={"userId": "Practitioner/1", "patientId": "Patient/pat-1", "encounterId": "Encounter/e"})

    assert (call.patient_id, call.encounter_id, call.oddities) == ("pat-1", "e", ("patientId-is-reference",))


@pytest.mark.parametrize("encounter", ["..", "a/b", "", 5, None, ["e"]])
def test_an_encounter_id_that_is_no_id_counts_as_none(encounter):
    assert called(context={"patientId": "pat-1", "encounterId": encounter}).encounter_id is None


def test_a_hook_instance_of_any_form_is_served_and_noted():
    assert called(hookInstance="trigger 7").oddities == ("hookInstance-not-uuid",)


def nested(value: Any) -> int:
    """Depth, the plain way."""
    if isinstance(value, dict):
        return 1 + max((nested(member) for member in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((nested(member) for member in value), default=0)
    return 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='[]{}"\\,: aé\n', max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('[]{}"\\x', max_size=4), inner, max_size=4),
    max_leaves=30,
)


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_the_depth_of_any_json_is_counted_exactly(value, indent, ascii_only):
    assert depth(json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()) == nested(value)


@pytest.mark.parametrize("levels", [1, 63, 64, 65])
def test_the_depth_is_exact_at_the_limit(levels):
    raw = b'{"a":[' * (levels // 2) + b"[" * (levels % 2) + b"]" * (levels % 2) + b"]}" * (levels // 2)

    assert depth(raw) == levels
    assert (depth(raw) > MAX_DEPTH) is (levels > 64)


IDS = st.sampled_from(
    ["pat-1", "Patient/pat-1", "Patient/", "..", "Patient/.", "a/b", "", "a b", "é", "x_1", "a" * 256]
)
ANYTHING = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "hook": st.just("patient-view") | ANYTHING,
            "hookInstance": st.uuids().map(str) | ANYTHING,
            "context": st.fixed_dictionaries({}, optional={"patientId": IDS | ANYTHING, "userId": ANYTHING}) | ANYTHING,
            "prefetch": st.dictionaries(st.text(max_size=3), JSON, max_size=3) | ANYTHING,
            "fhirServer": ANYTHING,
            "fhirAuthorization": JSON,
            "extension": JSON,
        },
    )
)
def test_the_gate_is_the_minimum_schema_and_nothing_more(request):
    wanted = not faults("request-minimum", request) and request["hook"] == "patient-view"
    try:
        parse(json.dumps(request).encode(), SERVICE)
        served = True
    except BadCall:
        served = False

    assert served is wanted


@given(st.binary(max_size=60), st.integers(0, 400))
def test_no_damage_to_a_request_raises_anything_but_a_refusal(noise, place):
    whole = body(prefetch={"patient": {"resourceType": "Patient", "id": "pat-1", "x": [1, {"y": "[{"}]}})
    damaged = whole[: place % len(whole)] + noise + whole[place % len(whole) + len(noise) :]
    with suppress(BadCall):
        parse(damaged, SERVICE)


def test_prefetched_values_are_kept_as_they_came():
    value = {"resourceType": "Bundle", "entry": [{"resource": {"value": 1.10}}] * random.Random(1).randint(2, 5)}
    call = called(prefetch={"results": value})

    assert isinstance(call.prefetch["results"], msgspec.Raw)
    assert json.loads(bytes(call.prefetch["results"])) == value


def test_a_request_is_the_same_however_it_is_spaced():
    assert parse(json.dumps(a_request(), indent=3).encode(), SERVICE).patient_id == called().patient_id
