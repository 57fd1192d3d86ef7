"""Requirements I1 to I9 over the whole service; the finer points of reading reports stand in tests/service/hooks."""

import json
import uuid
from datetime import UTC, datetime

import pytest

from service.app import create_advisor, create_app
from service.hooks.services import SERVICES
from service.observe import AccessLog
from service.store import MemoryStore
from tests.contract.calls import TODAY, all_parts, cards_of, demo_settings, one_of_each_hook, request_of
from tests.contract.cds_hooks import faults

STAMP = "2026-06-15T09:00:00Z"
NONE = {"recorded": 0, "repeated": 0, "unmatched": 0, "timedAtReceipt": 0}
CANARY = "c4n4ry"


@pytest.fixture
def lines():
    return []


@pytest.fixture
def client(lines):
    settings = demo_settings()
    advisor = create_advisor(settings, all_parts(), today=lambda: TODAY)
    log = AccessLog(lines.append, lambda: datetime(2026, 6, 15, tzinfo=UTC))
    return create_app(settings, all_parts(), advise=advisor.advise, log=log, store=MemoryStore()).test_client()


def report(client, *items, service="muscle-patient-view"):
    body = {"feedback": list(items)}
    return client.post(f"/cds-services/{service}/feedback", json=body)


def overridden(card, **more):
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": STAMP} | more


def accepted(card):
    chosen = [{"id": one["uuid"]} for one in card["suggestions"][:1]]
    return {"card": card["uuid"], "outcome": "accepted", "outcomeTimestamp": STAMP, "acceptedSuggestions": chosen}


@pytest.mark.parametrize("service", [one.id for one in SERVICES])
def test_i1_i7_every_service_takes_feedback_and_answers_with_a_small_body(client, service):
    response = report(client, overridden(str(uuid.uuid4())), service=service)

    assert response.status_code == 200
    assert response.get_json() == NONE | {"recorded": 1, "unmatched": 1}


def test_i2_i3_i4_i5_one_post_may_tell_of_many_cards_of_several_calls(client):
    shown = [(request, card) for request in one_of_each_hook() for card in cards_of(client, request)]
    first = next(card for _, card in shown if "suggestions" in card)
    reason = {name: first["overrideReasons"][0][name] for name in ("code", "system", "display")}
    items = [overridden(card["uuid"], overrideReason={"reason": reason, "userComment": "no"}) for _, card in shown]
    items.append(accepted(first))

    assert faults("feedback", {"feedback": items}) == []
    assert report(client, *items).get_json() == NONE | {"recorded": len(items)}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"feedback": []}', b'{"feedback": {}}', b'{"feedback": [5]}', b'{"feedback": [{"outcome": "accepted"}]}'])  # fmt: skip
def test_i2_i8_what_is_no_report_is_refused(client, body):
    assert client.post("/cds-services/muscle-patient-view/feedback", data=body).status_code == 400


@pytest.mark.parametrize("stamp", [None, "", "yesterday", 5, "2026-06-15T09:00:00"], ids=str)
def test_i3_a_time_that_cannot_be_used_loses_no_report(client, stamp):
    assert report(client, overridden(str(uuid.uuid4())) | {"outcomeTimestamp": stamp}).get_json()["recorded"] == 1


@pytest.mark.parametrize("suggestions", [None, [], "x", ["a"], [{"id": 5}]], ids=str)
def test_i4_accepted_suggestions_in_another_form_lose_no_report(client, suggestions):
    (card, *_) = cards_of(client, request_of())
    item = accepted(card) | {"acceptedSuggestions": suggestions}

    assert report(client, item).get_json() == NONE | {"recorded": 1}


@pytest.mark.parametrize("reason", [None, {}, "x", {"reason": "x"}, {"reason": {"code": 5}}, [{"userComment": "x"}]], ids=str)  # fmt: skip
def test_i5_a_reason_in_another_form_loses_no_report(client, reason):
    (card, *_) = cards_of(client, request_of())

    assert report(client, overridden(card["uuid"], overrideReason=reason)).get_json() == NONE | {"recorded": 1}


def test_i6_the_same_report_again_is_answered_and_counted_once(client):
    (card, *_) = cards_of(client, request_of())
    item, later = overridden(card["uuid"]), overridden(card["uuid"]) | {"outcomeTimestamp": "2026-06-15T10:00:00Z"}

    assert report(client, item).get_json() == NONE | {"recorded": 1}
    assert report(client, item).get_json() == NONE | {"repeated": 1}
    assert report(client, accepted(card), later).get_json() == NONE | {"recorded": 2}


def test_i8_an_unknown_card_is_recorded_and_counted(client):
    assert report(client, overridden(str(uuid.uuid4()))).get_json()["unmatched"] == 1


def test_i9_a_comment_is_never_logged_and_never_repeated(client, lines):
    (card, *_) = cards_of(client, request_of())
    answer = report(
        client, overridden(card["uuid"], overrideReason={"userComment": CANARY, "reason": {"code": CANARY}})
    )

    assert answer.status_code == 200
    assert json.loads(lines[-1])["status"] == 200
    assert CANARY not in answer.text + "".join(lines)
