"""The OpenAPI document is true of a service as a hospital runs it, too: real server, callers who are proven, one token
a call. What is signed is as odd as ever; who signs is not in doubt.
"""

from collections import Counter

import pytest

from tests.contract.odd_calls import CHECKS, DOCUMENT, api, examples
from tests.faults.production import in_production, token
from tests.service.hooks.tokens import bearer

EXAMPLES = 30  # for each operation
OPERATIONS = [f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods]
made: Counter[tuple[str, int]] = Counter()
"""How many calls were made, by operation and status."""

API = api()


@API.auth(refresh_interval=None)
class OneTokenACall:
    """Signs each call for its own address."""

    def get(self, case, _context):
        return token(case.path)

    def set(self, case, signed, _context):
        case.headers = {**(case.headers or {}), **bearer(signed)}


@pytest.fixture(scope="module")
def service():
    with in_production() as running:
        yield running


@API.parametrize()
@examples(EXAMPLES)
def test_whatever_a_proven_caller_sends_there_is_no_defect_and_the_answer_is_as_described(case, service):
    response = case.call(base_url=f"http://127.0.0.1:{service.port}")
    made[f"{case.method.upper()} {case.path}", response.status_code] += 1
    case.validate_response(response, checks=CHECKS)


def test_many_calls_were_made_to_every_operation_and_none_was_refused_for_its_token(service):
    """Runs after the test above, in this order, in one process."""
    if not made:
        pytest.skip("the calls are made by the test before this one, which was not run")
    statuses = Counter()
    for (_, status), calls in made.items():
        statuses[status] += calls
    print(f"{made.total()} calls: {dict(sorted(statuses.items()))}")  # noqa: T201 -- for the note of a release: pytest -s

    assert {operation for operation, _ in made} >= set(OPERATIONS)  # and other methods, which are refused
    assert made.total() >= len(OPERATIONS) * EXAMPLES // 2
    assert {200, 400} <= set(statuses)
    assert 401 not in statuses
    assert [line["status"] for line in service.asked() if line["status"] >= 500] == []
