"""F8: next links that lead elsewhere, back, round in a ring or on for ever end at once or after five pages."""

from collections.abc import Callable, Iterator

import pytest

from service.fhir.retrieved import Trouble
from tests.faults.conftest import DEADLINE_MS
from tests.faults.figures import record
from tests.faults.server import Ehr, Exchange, FaultyServer, pages, running
from tests.faults.story import ask, body, judge, notes, topics
from tests.faults.story import record as the_record
from tests.service.test_server import Running

pytestmark = pytest.mark.alone

Plan = Callable[[int, Exchange], str | None]


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[FaultyServer]:
    """Where a next link leads."""
    with running() as other:
        yield other


def page(number: int) -> Plan:
    return lambda _number, exchange: f"{exchange.ehr.base}/Observation?_page={number}"


PLANS: dict[str, tuple[Plan, int]] = {
    "itself": (page(1), 2),  # the second address is new, the third is not
    "two in a ring": (lambda n, x: page(3 if n == 2 else 2)(n, x), 3),
    "endless": (lambda n, x: page(n + 1)(n, x), 5),
    "empty": (lambda _n, _x: "", 1),
    "a path alone": (lambda _n, _x: "Observation?_page=2", 1),
    "out of the base": (lambda _n, x: f"{x.ehr.base}/../r999/Observation", 1),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_search_that_does_not_end_is_cut_short_and_it_is_said(service: Running, ehr: Ehr, name: str) -> None:
    plan, most = PLANS[name]
    ehr.put(*the_record())
    whole = ask(service, body(ehr)).cards
    ehr.requests.clear()
    ehr.answers("Observation", pages(plan))
    answer = ask(service, body(ehr))

    judge(whole, answer.cards, "results")
    assert notes(answer.cards) == {"results": Trouble.CUT_SHORT.value}
    assert "biochemistry" in topics(answer.cards)  # what came is used
    assert len(ehr.asked("Observation")) == most
    assert answer.ms < DEADLINE_MS
    record("F8", f"pages asked for, next link: {name}", most)
    record("F8", f"answer, next link: {name}", answer.ms, "ms")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "token@127.0.0.1"])
def test_a_next_link_to_another_server_is_never_called(
    service: Running, ehr: Ehr, elsewhere: FaultyServer, host: str
) -> None:
    ehr.put(*the_record())
    whole = ask(service, body(ehr)).cards
    ehr.answers("Observation", pages(lambda _n, _x: f"http://{host}:{elsewhere.port}/fhir/Observation?_page=2"))
    after = ask(service, body(ehr)).cards

    judge(whole, after, "results")
    assert notes(after) == {"results": Trouble.CUT_SHORT.value}
    assert elsewhere.connections == 0
    record("F8", "connections to another server that next links named", elsewhere.connections)


def test_the_next_link_of_what_was_prefetched_is_no_exception(
    service: Running, ehr: Ehr, elsewhere: FaultyServer
) -> None:
    ehr.put(*the_record())
    sent = {"resourceType": "Bundle", "type": "searchset", "link": [], "entry": []}
    sent["link"] = [{"relation": "next", "url": f"{elsewhere.origin}/fhir/Observation?_page=2"}]
    after = ask(service, body(ehr, prefetch={"results": sent})).cards

    assert notes(after) == {"results": Trouble.CUT_SHORT.value}
    assert elsewhere.connections == 0
