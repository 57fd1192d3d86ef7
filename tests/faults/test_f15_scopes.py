"""F15: what the token does not permit is named as that; if it permits nothing, the answer is 412."""

import pytest

from service.fhir.retrieved import Trouble
from tests.faults.figures import record
from tests.faults.server import Ehr, FaultyServer, ok, status
from tests.faults.story import INPUTS, ORDER_SELECT, ask, body, judge, medicine, notes, topics
from tests.faults.story import record as the_record
from tests.fhir_stub import outcome
from tests.service.test_server import Running

HOW = {
    "401": status(401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}),
    "403": status(403),
    "403 in HTML": status(403, body=b"<html>Forbidden</html>", kind="text/html"),
    "200 with an OperationOutcome": ok(outcome("forbidden")),
}


@pytest.fixture(scope="module")
def whole(service: Running, fhir: FaultyServer) -> list[dict]:
    """What is said when all is permitted."""
    everything = fhir.ehr("r398")
    everything.put(*the_record())
    return ask(service, body(everything)).cards


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", INPUTS)
def test_what_is_not_permitted_is_named_so_and_asked_for_once(
    service: Running, ehr: Ehr, whole: list[dict], kind: str, how: str
) -> None:
    ehr.put(*the_record())
    ehr.answers(kind, HOW[how])
    after = ask(service, body(ehr)).cards

    judge(whole, after, INPUTS[kind])
    assert notes(after) == {INPUTS[kind]: Trouble.NOT_PERMITTED.value}
    assert len(ehr.asked(kind)) == 1


@pytest.mark.parametrize("how", HOW)
def test_when_nothing_is_permitted_the_call_cannot_be_answered(service: Running, ehr: Ehr, how: str) -> None:
    ehr.put(*the_record())
    ehr.answers("*", HOW[how])
    answer = ask(service, body(ehr))

    assert answer.status == 412
    assert answer.body["resourceType"] == "OperationOutcome"
    record("F15", f"searches made when all are answered {how}", len(ehr.requests))


@pytest.mark.parametrize("how", ["401", "403"])
def test_an_order_is_judged_by_what_it_brings_and_the_card_says_what_was_not_permitted(
    service: Running, ehr: Ehr, how: str
) -> None:
    ehr.answers("*", HOW[how])
    draft = medicine("d1", "317972000", "Bumetanide 1mg tablets") | {"status": "draft"}
    context = {
        "userId": "Practitioner/gp-1",
        "patientId": "p1",
        "selections": ["MedicationRequest/d1"],
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]},
    }
    answer = ask(service, body(ehr, hook="order-select", context=context), ORDER_SELECT)

    assert topics(answer.cards).keys() == {"data-quality"}
    assert set(notes(answer.cards).values()) == {Trouble.NOT_PERMITTED.value}
    assert {"results", "problems"} <= notes(answer.cards).keys()
    assert answer.cards[0]["indicator"] == "info"
