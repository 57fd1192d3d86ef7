"""F17: a login page, half an answer, another kind of thing: the input failed, and no text of it gets anywhere."""

import pytest

from service.fhir.retrieved import Trouble
from tests.faults.figures import record
from tests.faults.server import FHIR, Ehr, Fault, FaultyServer, cut, html, ok
from tests.faults.story import INPUTS, ask, body, judge, notes, said
from tests.faults.story import record as the_record
from tests.service.test_server import Running

MARK = "Zzmark7"
PAGE = f"<html><body><h1>{MARK}</h1><a href='http://evil.example'>Please log in</a></body></html>"
BUNDLE = b'{"resourceType":"Bundle","type":"searchset","entry":[]}'

FAULTS: dict[str, Fault] = {
    "an HTML page": html(PAGE),
    "an HTML page that says it is FHIR": html(PAGE, kind=FHIR),
    "cut JSON": cut(0.6, close=False),
    "an empty body": ok(b""),
    "blanks": ok(b"  \r\n "),
    "a list": ok(f'[{{"resourceType":"Bundle","id":"{MARK}"}}]'.encode()),
    "a text": ok(f'"{MARK}"'.encode()),
    "a number": ok(b"42"),
    "null": ok(b"null"),
    "an object without a type": ok(f'{{"id":"{MARK}"}}'.encode()),
    "another resource": ok({"resourceType": "CapabilityStatement", "name": MARK}),
    "a resource type that is a number": ok({"resourceType": 7, "id": MARK}),
    "no content type": ok(BUNDLE, kind=None),
    "plain text": ok(BUNDLE, kind="text/plain"),
    "XML": ok(f"<Bundle><id value='{MARK}'/></Bundle>".encode(), kind="application/fhir+xml"),
    "UTF-16": ok(BUNDLE.decode().encode("utf-16")),
    "two objects": ok(BUNDLE + BUNDLE),
    "brotli": ok(BUNDLE, headers={"Content-Encoding": "br"}),
    "gzip that is none": ok(BUNDLE, headers={"Content-Encoding": "gzip"}),
}

named: set[str] = set()


@pytest.fixture(scope="module")
def whole(service: Running, fhir: FaultyServer) -> list[dict]:
    """What is said when every search is answered well."""
    everything = fhir.ehr("r397")
    everything.put(*the_record())
    return ask(service, body(everything)).cards


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_fhir_is_a_failed_input_and_none_of_its_text_is_shown(
    service: Running, ehr: Ehr, whole: list[dict], fault: str
) -> None:
    ehr.put(*the_record())
    ehr.answers("Observation", FAULTS[fault])
    after = ask(service, body(ehr)).cards

    judge(whole, after, "results")
    assert notes(after) == {"results": Trouble.NOT_FHIR.value}
    assert MARK not in said(after)
    assert "log in" not in said(after)
    assert len(ehr.asked("Observation")) == 1
    named.add(fault)
    record("F17", "kinds of answers that are not FHIR and were named as such", len(named))


@pytest.mark.parametrize("kind", INPUTS)
def test_a_login_page_for_any_part_of_the_record_is_the_same(
    service: Running, ehr: Ehr, whole: list[dict], kind: str
) -> None:
    ehr.put(*the_record())
    ehr.answers(kind, html(PAGE, kind=FHIR))
    after = ask(service, body(ehr)).cards

    judge(whole, after, INPUTS[kind])
    assert notes(after) == {INPUTS[kind]: Trouble.NOT_FHIR.value}
    assert MARK not in said(after)


def test_a_login_page_for_every_part_is_no_answer_at_all(service: Running, ehr: Ehr) -> None:
    ehr.answers("*", html(PAGE))
    answer = ask(service, body(ehr))

    assert answer.status == 412
    assert MARK not in str(answer.body)
