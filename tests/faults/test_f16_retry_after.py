"""F16: whatever ``Retry-After`` says, nobody waits for it and nobody asks again; the note names the input."""

import pytest

from service.fhir.retrieved import Trouble
from tests.faults.figures import record
from tests.faults.server import Ehr, status
from tests.faults.story import ask, body, judge, notes
from tests.faults.story import record as the_record
from tests.service.test_server import Running

pytestmark = pytest.mark.alone

LATER = {
    "30 seconds": "30",
    "a date": "Fri, 01 Jan 2100 00:00:00 GMT",
    "rubbish": "soon, perhaps",
    "a negative number": "-1",
    "a number without end": "9" * 400,
    "nothing": "",
}
MS = 1500  # far below any wait, and far above what a busy machine adds; the deadline is twice as long
slowest = 0.0


@pytest.mark.parametrize("said", LATER)
@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_not_waited_for_and_nothing_is_asked_again(
    service: Running, ehr: Ehr, code: int, said: str
) -> None:
    global slowest  # noqa: PLW0603 -- the figure is the worst of all cases
    ehr.put(*the_record())
    whole = ask(service, body(ehr)).cards
    ehr.requests.clear()
    ehr.answers("Observation", status(code, {"Retry-After": LATER[said]}))
    answer = ask(service, body(ehr))

    judge(whole, answer.cards, "results")
    assert notes(answer.cards) == {"results": Trouble.SERVER_ERROR.value}
    assert len(ehr.asked("Observation")) == 1
    assert answer.ms < MS
    slowest = max(slowest, answer.ms)
    record("F16", "answer, one search told to come back later: worst of 12", slowest, "ms")


@pytest.mark.parametrize("code", [429, 503])
def test_when_every_search_is_told_to_come_back_later_the_answer_is_at_once(
    service: Running, ehr: Ehr, code: int
) -> None:
    ehr.answers("*", status(code, {"Retry-After": "30"}))
    answer = ask(service, body(ehr))

    assert answer.status == 412
    assert answer.ms < MS
    again = len(ehr.requests) - len({one.path for one in ehr.requests})
    assert again == 0
    record("F16", f"answer, every search {code}", answer.ms, "ms")
    record("F16", f"requests made again, every search {code}", again)


def test_a_call_after_many_503_does_not_ask_and_after_many_429_does(service: Running, ehr: Ehr) -> None:
    sent = {"patient": the_record()[0], "problems": the_record()[1]}
    ehr.answers("*", status(429, {"Retry-After": "30"}))
    calls = [ask(service, body(ehr, prefetch=sent)) for _ in range(3)]
    assert {why for call in calls for why in notes(call.cards).values()} == {Trouble.SERVER_ERROR.value}

    ehr.answers("*", status(503, {"Retry-After": "30"}))
    calls = [ask(service, body(ehr, prefetch=sent)) for _ in range(3)]
    assert set(notes(calls[-1].cards).values()) == {Trouble.LEFT_ALONE.value}
