"""The screen of the fact sheet, test by test: done, awaited, or missing (specification 3.2, P14; 3.8 no. 9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import msgspec

from cards.bands import Grade
from cards.case import Case
from cards.chart import newest
from cards.entries import AWAITED, Area, Order, Result
from cards.moment import Moment
from cards.toml_file import read_section
from terminology.closed import Closed
from terminology.errors import BadContent


class ScreenTest(Closed):
    """The four tests, as tables of screening.toml."""

    UE = "ue"
    CALCIUM = "calcium"
    TSH = "tsh"
    CK = "ck"


SCREEN_TESTS: Final = tuple(ScreenTest)


@dataclass(frozen=True, slots=True)
class ScreenTestContent:
    """What screening.toml says of one test."""

    title: str
    analytes: tuple[str, ...]
    order: str
    pending: tuple[str, ...]
    facts: tuple[str, ...]
    since: tuple[str, ...]  # medicines after whose latest start a result counts as done


class Standing(Closed):
    """Where a test stands. SPOKEN_FOR: an abnormal haemolysed potassium, whose own card asks for the repeat.

    That card is shown when a record is opened. Beside an order there is none, so the test is missing (3.4, 3.7).
    """

    DONE = "done"
    PENDING = "pending"
    SPOKEN_FOR = "spoken for"
    MISSING = "missing"


class Screened(msgspec.Struct, frozen=True, gc=False):
    """One test, its state and what the state rests on."""

    test: ScreenTest
    state: Standing
    results: tuple[Result, ...] = ()
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Screen:
    """The content of screening.toml, and the questions asked of it."""

    tests: Mapping[ScreenTest, ScreenTestContent]

    def look(self, case: Case, test: ScreenTest) -> Screened:
        """Where one test stands. Only where :meth:`can_tell_what_is_missing` can MISSING be relied on (3.8 no. 13)."""
        content = self.tests[test]
        recent = case.surely_fresh(*content.analytes)  # a comparator that does not decide was set aside before
        is_ue = test is ScreenTest.UE
        counted = _settling(case, recent, content.since) if is_ue and recent else recent
        if counted:
            return Screened(test, Standing.DONE, tuple(counted))
        awaited = case.ordered(*content.pending, within=case.windows.pending, statuses=AWAITED)
        if awaited:
            return Screened(test, Standing.PENDING, orders=awaited)
        if is_ue and case.moment is Moment.RECORD:
            haemolysed = tuple([r for r in newest(recent) if r.haemolysed and isinstance(case.grade(r), Grade)])
            if haemolysed:
                return Screened(test, Standing.SPOKEN_FOR, haemolysed)
        return Screened(test, Standing.MISSING)

    def can_tell_what_is_missing(self, case: Case) -> bool:
        """Whether all that decides was read to the end: results, medicines and orders."""
        return case.complete(Area.RESULTS, Area.MEDICINES, Area.ORDERS)

    def missing(self, case: Case, *tests: ScreenTest) -> tuple[ScreenTest, ...]:
        """Those of the tests (default all four) that are neither done nor awaited nor spoken for (P1, P7, P14).

        None if what is done or awaited could not be read to the end: unknown is not missing (3.8 no. 13).
        """
        if not self.can_tell_what_is_missing(case):
            return ()
        return tuple(t for t in tests or SCREEN_TESTS if self.look(case, t).state is Standing.MISSING)


def _settling(case: Case, potassium: list[Result], since: tuple[str, ...]) -> list[Result]:
    """Potassium that counts as U&E done: not haemolysed, taken after the latest start of an active diuretic (3.2)."""
    taken = case.taking(*since) if since else ()
    starts = [start for m in taken if (start := case.started(m)) is not None]
    last = max(starts, default=None)
    return [r for r in potassium if not r.haemolysed and (last is None or r.when.first_day > last)]


def load_screen() -> Screen:
    """The content of screening.toml. Raises BadContent if a test is missing."""
    whole = read_section(files("cards") / "screening.toml")
    tables = whole.sections("test")
    whole.done()
    found = {}
    for test in ScreenTest:
        if test.value not in tables:
            raise BadContent(f"{whole.where}: [test.{test.value}] is missing")
        table = tables.pop(test.value)
        found[test] = ScreenTestContent(
            title=table.text("title"),
            analytes=table.texts("analytes"),
            order=table.text("order"),
            pending=table.texts("pending"),
            facts=table.texts("facts"),
            since=table.texts("since"),
        )
        table.done()
    for table in tables.values():
        raise BadContent(f"{table.where}: there is no such test; remove it or correct its spelling")
    return Screen(found)


SCREEN: Final = load_screen()
