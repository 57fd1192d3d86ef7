"""The judge of all answers sees what it is there to see, and is at work in every test (requirements A2 to A4, J2)."""

import json

import pytest
from flask import Flask

from service.hooks.response import Renderer
from tests.contract import answers
from tests.service.stand_ins import a_card, advises, an_answer, an_app, body

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}
JSON = "application/json"
CALL = "/cds-services/muscle-patient-view"


def judge(status, answer, *, method="POST", path=CALL, content_type=JSON):
    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return answers.problems(method, path, status, content_type, raw)


@pytest.mark.parametrize(
    ("status", "answer", "path"),
    [
        (200, {}, CALL),
        (200, {"cards": [{"summary": "x"}]}, CALL),
        (200, {"cards": None}, CALL),
        (200, {"cards": [], "systemActions": []}, CALL),
        (200, {"done": ""}, CALL + "/feedback"),
        (200, b"<html>", CALL),
        (400, {"resourceType": "OperationOutcome"}, CALL),
        (400, {"error": "no"}, CALL),
        (404, b"", CALL),
        (500, OUTCOME | {"issue": [{"severity": "bad", "code": "invalid"}]}, CALL),
        (500, OUTCOME | {"text": {}}, CALL),
    ],
)
def test_the_judge_finds_what_is_wrong(status, answer, path):
    assert judge(status, answer, path=path)


def test_the_judge_finds_a_wrong_discovery_and_a_wrong_content_type():
    assert judge(200, {"services": [{"id": "x"}]}, method="GET", path="/cds-services")
    assert judge(200, {"cards": []}, content_type="text/html")
    assert judge(400, OUTCOME, content_type=None)


def test_the_judge_lets_a_good_answer_through():
    assert judge(200, {"cards": []}) == []
    assert judge(200, {"services": []}, method="GET", path="/cds-services") == []
    assert judge(412, OUTCOME) == []
    assert judge(204, b"", method="OPTIONS", content_type="text/html") == []


def test_a2_the_judge_is_at_work_in_every_test_client_of_the_service():
    app = an_app(advises(a_card()))
    before = sum(answers.judged.values())
    app.test_client().post(CALL, data=body())

    assert sum(answers.judged.values()) == before + 1


def test_an_answer_of_the_service_that_is_wrong_ends_the_test_that_asked():
    wrong = Flask("muscle-cds")
    wrong.add_url_rule(CALL, view_func=lambda: ({"cards": [{}]}, 200), methods=["POST"])

    with pytest.raises(AssertionError, match='"summary" is a required property'):
        wrong.test_client().post(CALL)


def test_the_renderer_is_judged_too():
    renderer = Renderer(lambda *_: {}, "", "https://site.example/fhir")  # no label: an empty member

    with pytest.raises(AssertionError, match="label"):
        renderer.body(an_answer(a_card()))
