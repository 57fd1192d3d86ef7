"""F7: a FHIR server that sends us elsewhere is not followed, with a token or without; the input failed, and it is said."""

from collections.abc import Iterator

import pytest

from service.fhir.retrieved import Trouble
from tests.faults.figures import record
from tests.faults.server import Ehr, FaultyServer, redirect, running
from tests.faults.story import TOKEN, ask, body, judge, notes, topics
from tests.faults.story import record as the_record
from tests.service.test_server import Running


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[FaultyServer]:
    """Where the redirects lead; it would answer."""
    with running() as other:
        other.ehr().put(*the_record())
        yield other


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_gets_no_token(
    service: Running, ehr: Ehr, elsewhere: FaultyServer, code: int, host: str
) -> None:
    ehr.put(*the_record())
    whole = ask(service, body(ehr)).cards
    ehr.requests.clear()
    ehr.answers("Observation", redirect(code, f"http://{host}:{elsewhere.port}/fhir/Observation?patient=p1"))
    after = ask(service, body(ehr)).cards

    judge(whole, after, "results")
    assert notes(after) == {"results": Trouble.SERVER_ERROR.value}
    assert "biochemistry" not in topics(after)
    assert elsewhere.connections == 0
    assert {one.method for one in ehr.requests} == {"GET"}  # no search of ours is a POST that could be repeated
    assert all(one.all_of("authorization") == [f"Bearer {TOKEN}"] for one in ehr.requests)
    assert len(ehr.asked("Observation")) == 1
    record("F7", "connections to where 10 redirects led", elsewhere.connections)


def test_when_every_search_is_redirected_nothing_is_said(service: Running, ehr: Ehr, elsewhere: FaultyServer) -> None:
    ehr.answers("*", redirect(302, f"{elsewhere.origin}/fhir/"))
    answer = ask(service, body(ehr))

    assert answer.status == 412
    assert elsewhere.connections == 0


def test_a_server_that_needs_no_token_is_not_followed_either(
    service: Running, ehr: Ehr, elsewhere: FaultyServer
) -> None:
    ehr.put(*the_record())
    ehr.answers("Observation", redirect(307, f"{elsewhere.origin}/fhir/Observation"))
    after = ask(service, body(fhirServer=ehr.base)).cards

    assert notes(after) == {"results": Trouble.SERVER_ERROR.value}
    assert elsewhere.connections == 0
    assert all(one.all_of("authorization") == [] for one in ehr.requests)
