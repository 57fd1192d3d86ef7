"""F9: answers that unfold, never end or are simply huge are cut; the memory of the worker stays where it was."""

from collections.abc import Iterator

import pytest

from service.fhir.retrieved import Trouble
from tests.faults.conftest import serving
from tests.faults.figures import record
from tests.faults.process import MIB, forget_peak, needs_proc, peak, resident, worker_of
from tests.faults.server import Ehr, FaultyServer, bomb, status
from tests.faults.story import ask, body, judge, notes
from tests.faults.story import record as the_record
from tests.service.test_server import Running

pytestmark = needs_proc

SHAPES = {
    "gzip": Trouble.CUT_SHORT,
    "gzip in gzip": Trouble.NOT_FHIR,  # not what was asked for, and not unfolded
    "chunks": Trouble.CUT_SHORT,
    "plain": Trouble.CUT_SHORT,
}


@pytest.fixture(scope="module")
def own(fhir: FaultyServer) -> Iterator[Running]:
    """A service of its own, whose memory is that of its own calls; it has time, so that only size cuts an answer."""
    with serving(fhir, 5000) as up:
        yield up


def grown(own: Running, raw: bytes) -> tuple[list[dict], float]:
    """The cards of a call, and by how many MiB the worker was larger than before at its largest."""
    worker = worker_of(own)
    forget_peak(worker)
    before = resident(worker)
    answer = ask(own, raw)
    return answer.cards, (peak(worker) - before) / MIB


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bomb_is_cut_and_memory_does_not_grow(own: Running, ehr: Ehr, shape: str) -> None:
    ehr.put(*the_record())
    for _ in range(3):  # connections, buffers and caches are there before it is measured
        whole = ask(own, body(ehr)).cards
    ehr.answers("Observation", bomb(shape))
    after, growth = grown(own, body(ehr))

    judge(whole, after, "results")
    assert notes(after) == {"results": SHAPES[shape].value}
    assert growth < 20
    record("F9", f"memory growth at its peak: {shape}", growth, "MiB")


@pytest.mark.parametrize("shape", SHAPES)
def test_an_error_may_be_a_bomb_too_and_is_not_even_read(own: Running, ehr: Ehr, shape: str) -> None:
    ehr.put(*the_record())
    for _ in range(3):
        whole = ask(own, body(ehr)).cards
    ehr.answers("Observation", bomb(shape, code=500))
    after, growth = grown(own, body(ehr))

    judge(whole, after, "results")
    assert notes(after) == {"results": Trouble.SERVER_ERROR.value}
    assert growth < 20


@pytest.mark.parametrize("shape", ["gzip", "plain"])
def test_bombs_on_every_search_share_one_limit(own: Running, ehr: Ehr, shape: str) -> None:
    ehr.put(*the_record())
    for _ in range(3):
        ask(own, body(ehr))
    ehr.answers("*", bomb(shape))
    ehr.answers("Patient", status(404))  # one part is had, so that the call is answered
    after, growth = grown(own, body(ehr))

    assert set(notes(after).values()) == {Trouble.CUT_SHORT.value}
    assert growth < 20
    record("F9", f"memory growth at its peak: {shape}, seven at once", growth, "MiB")
