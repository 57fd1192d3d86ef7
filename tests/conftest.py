"""Every answer that any test is given through a test client, and every body that is rendered, is judged on the way."""

import pytest
from flask.testing import FlaskClient
from hypothesis import settings

from service.hooks.response import Renderer
from tests.contract import answers
from tests.contract.cds_hooks import empty_members, faults
from tests.side_by_side import (
    pytest_collection_modifyitems,
    pytest_runtest_protocol,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

__all__ = [
    "pytest_collection_modifyitems",
    "pytest_runtest_protocol",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]  # hooks

settings.register_profile("nightly", max_examples=5_000, deadline=None)  # --hypothesis-profile=nightly
if settings.get_current_profile_name() == "default":  # where CI is set, Hypothesis has chosen a profile of its own
    settings.register_profile("untimed", deadline=None)  # timing belongs in the benchmark
    settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def _every_answer_is_judged():
    """Wraps the test client of the framework and the renderer for the whole run."""
    opened, rendered = FlaskClient.open, Renderer.body

    def judged_open(self, *args, **kwargs):
        response = opened(self, *args, **kwargs)
        if self.application.name == "muscle-cds":
            asked = response.request
            wrong = answers.problems(
                asked.method, asked.path, response.status_code, response.headers.get("Content-Type"), response.data
            )
            assert wrong == [], f"{asked.method} {asked.path} was answered {response.status_code}: {wrong}"
        return response

    def judged_body(self, answer):
        body = rendered(self, answer)
        wrong = faults("response", body) + empty_members(body)
        assert wrong == [], f"a rendered answer: {wrong}"
        return body

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FlaskClient, "open", judged_open)
        patch.setattr(Renderer, "body", judged_body)
        yield
