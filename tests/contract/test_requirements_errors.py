"""Requirements J1 to J5, M1 to M3 and N2, N3: refusals, deadlines, and what stays out of the log."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from cards.content import Content
from cards.topic import Topic
from service.app import create_advisor, create_app
from service.hooks.request import MAX_BODY
from service.observe import AccessLog
from tests.contract.calls import (
    TODAY,
    address_of,
    all_parts,
    cards_of,
    demo_settings,
    one_of_each_hook,
    records_of,
    request_of,
    service,
    topics,
)
from tests.fhir_stub import TOKEN, Reply, running
from tests.service.stand_ins import an_app

CALL = "/cds-services/muscle-patient-view"
CANARY = "c4n4ry"


def fails(_call):
    raise LookupError(CANARY)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", CALL, b"{}", 400),
        ("POST", CALL, CANARY.encode(), 400),
        ("POST", "/cds-services/" + CANARY, b"{}", 404),
        ("GET", "/" + CANARY + "?" + CANARY, None, 404),
        ("GET", CALL, None, 405),
        ("POST", CALL, json.dumps(request_of(prefetch=None)).encode(), 412),
        ("POST", CALL, b" " * (MAX_BODY + 1), 413),
    ],
)
def test_j1_j2_j5_t10_every_refusal_is_an_operation_outcome_that_gives_nothing_away(client, method, path, body, status):
    response = client.open(path, method=method, data=body)

    assert response.status_code == status
    OperationOutcome.model_validate(response.get_json())
    assert response.get_json()["id"] == response.headers["X-Correlation-ID"]
    assert not any(word in response.text for word in (CANARY, "Traceback", ".py", "<", "Error", "service/"))


def test_j1_j2_j5_t10_a_defect_is_a_500_that_gives_nothing_away():
    response = an_app(fails).test_client().post(CALL, json=request_of())

    assert response.status_code == 500
    OperationOutcome.model_validate(response.get_json())
    assert not any(word in response.text for word in (CANARY, "LookupError", "Traceback", ".py", "<"))


def with_a_rule_that_raises(code):
    """The real content in which one topic fails."""

    def raises(_case, _sheet):
        raise ZeroDivisionError(CANARY)

    def broken(topic: Topic) -> Topic:
        return replace(topic, find=raises) if topic.code == code else topic

    content: Content = all_parts().content
    return replace(content, topics=tuple(broken(topic) for topic in content.topics))


def test_j4_t3_a_rule_that_raises_costs_its_card_and_the_failure_is_said_and_logged():
    lines: list[str] = []
    settings = demo_settings()
    parts = replace(all_parts(), content=with_a_rule_that_raises("biochemistry"))
    advisor = create_advisor(settings, parts, today=lambda: TODAY)
    log = AccessLog(lines.append, lambda: datetime(2026, 6, 15, tzinfo=UTC))
    client = create_app(settings, parts, advise=advisor.advise, log=log).test_client()
    found = topics(cards_of(client, request_of()))

    assert "biochemistry" not in found
    assert "medicines" in found
    assert "data-quality" in found
    assert "symptom-advice" not in found  # what reassures is withheld
    assert json.loads(lines[-1])["failed_topics"] == ["biochemistry"]
    assert CANARY not in "".join(lines)


# --- speed ------------------------------------------------------------------------------------------------------------


def test_m1_the_searches_of_a_call_run_side_by_side():
    with running() as stub:
        stub.put(*records_of(request_of()))
        stub.delay = 0.1
        client = service(demo_settings(fhir_bases=[stub.base], deadline_ms=10_000))
        request = request_of(fhirServer=stub.base, fhirAuthorization={"access_token": TOKEN, "token_type": "Bearer"})
        del request["prefetch"]
        cards_of(client, request)

        assert stub.busiest >= 4


def test_m2_what_is_not_there_by_the_deadline_counts_as_missing():
    with running() as stub:
        stub.put(*records_of(request_of()))
        stub.answers("Observation", Reply(200, b"{}", delay=5))
        client = service(demo_settings(fhir_bases=[stub.base], deadline_ms=600))
        request = request_of(fhirServer=stub.base, fhirAuthorization={"access_token": TOKEN, "token_type": "Bearer"})
        del request["prefetch"]
        found = cards_of(client, request)

    assert "biochemistry" not in topics(found)
    assert "Not checked or not complete: results (the record system did not answer in time)" in json.dumps(found)


# --- extensions -------------------------------------------------------------------------------------------------------


def test_n1_n3_incoming_extensions_change_nothing_and_are_not_logged():
    lines: list[str] = []
    client = service(demo_settings(), AccessLog(lines.append, lambda: datetime(2026, 6, 15, tzinfo=UTC)))
    plain = [topics(cards_of(client, request)) for request in one_of_each_hook()]
    extended = []
    for request in one_of_each_hook():
        block = {"com.epic.cdshooks.request.bpa-trigger-action": "23", "internal.user.id": CANARY, "x": {"y": [CANARY]}}
        request |= {"extension": block}
        request["context"]["extension"] = block
        extended.append(topics(cards_of(client, request)))

    assert extended == plain
    assert lines
    assert CANARY not in "".join(lines)


def test_the_log_of_a_refused_call_names_no_part_of_it():
    lines: list[str] = []
    client = service(demo_settings(), AccessLog(lines.append, lambda: datetime(2026, 6, 15, tzinfo=UTC)))
    client.post(address_of(request_of()), data=CANARY.encode(), headers={"Authorization": f"Bearer {CANARY}"})

    assert json.loads(lines[-1])["status"] == 400
    assert CANARY not in "".join(lines)
