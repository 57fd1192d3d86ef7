"""From the queries of a service to what came back for each: first what the EHR sent, then our own searches.

All searches of a call run side by side; the request thread waits for them against the clock and no longer (R6). What
is not there by then counts as not had, whatever arrives later. Nothing here is kept from one call to the next but
connections (R12).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from cards.entries import Area
from service.fhir.bounds import Budget, FhirBase, Limits, is_usable_token
from service.fhir.bundle import Page, decode
from service.fhir.ingredients import references_of
from service.fhir.outgoing import Observe, nobody
from service.fhir.queries import Query, is_fhir_id, medications_path
from service.fhir.resource import Resource
from service.fhir.retrieved import Failed, Nothing, Resources, Retrieved, Trouble
from service.fhir.watchdog import Watchdog

if TYPE_CHECKING:
    from service.fhir.client import FhirClient

_MEDICATION = frozenset({"Medication"})
_MEDICATION_SEARCHES = 2
"""How often Medications are asked for, for one query: those that medicines refer to, and what those are made of."""

_MEDICINE_RECORDS = frozenset({"MedicationStatement", "MedicationRequest", "MedicationOrder"})


class Retriever:
    """Gets the data of one call. Made once per process: the only servers it ever calls are ``bases`` (R4)."""

    def __init__(
        self,
        bases: Iterable[FhirBase],
        limits: Limits | None = None,
        *,
        observe: Observe = nobody,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """No connection is opened yet. ``observe`` is told of every request made, in the thread that made it.

        ``clock``: seconds that never go back; ``time.monotonic`` if None.
        """
        self._limits = limits or Limits()
        self._observe = observe
        self._clock = clock
        self._watchdog = Watchdog(clock)
        self._clients = self._clients_of(bases, "")
        self._executor = ThreadPoolExecutor(self._limits.threads, thread_name_prefix="fhir")

    def for_bases(self, bases: Iterable[FhirBase], client: str = "") -> "Retriever":
        """One that calls these servers only, with connections and circuit breakers of its own, and shares the threads
        of this one (R4). ``client``: the caller it is for, by its name in the settings.
        """
        view = copy(self)
        view._clients = self._clients_of(bases, client)  # noqa: SLF001 -- another of the same class
        return view

    @property
    def circuit_open(self) -> bool:
        """Whether one of its servers, at least, is left alone for now because it failed again and again (R6)."""
        return any(client.circuit_open for client in self._clients.values())

    def retrieve(
        self,
        queries: Iterable[Query],
        *,
        prefetch: Mapping[str, msgspec.Raw],
        fhir_server: str | None,
        token: str | None,
        patient_id: str,
        encounter_id: str | None,
        deadline: float,
    ) -> dict[str, Retrieved]:
        """What came back for each query, in the order of the queries.

        ``deadline``: the instant of ``time.monotonic``, in seconds, at which waiting ends; by default the start of the
        call and 2,000 ms, less the 200 ms kept for the rules. A prefetched key is read and not asked for again: a
        resource or Bundle as it is, null as Nothing, an OperationOutcome as Failed. What is absent, or cannot be read
        as FHIR at all, is fetched (R8, E9, E15). The encounter is left out of the answer if it was not sent and the
        context names none: it was not asked for. Never raises for anything a server does.
        """
        server = self._server(fhir_server, token)
        found: dict[str, Retrieved] = {}
        errands: list[_Errand] = []
        for query in queries:
            sent = prefetch.get(query.key)
            page = None if sent is None else decode(sent, types=query.types, most=self._limits.prefetch_entries)
            if isinstance(page, Page):
                so_far = found[query.key] = page.alone()
                if server is not None and self._goes_on(query, page, server):
                    errands.append(_Errand(query, so_far, page=page))
            elif page is not None:
                found[query.key] = page
            elif query.area is not Area.ENCOUNTER or encounter_id is not None:
                found[query.key] = Failed(Trouble.NO_SERVER if sent is None else Trouble.NOT_FHIR)
                path = None if server is None else query.path(patient_id=patient_id, encounter_id=encounter_id)
                if path is not None:
                    errands.append(_Errand(query, Failed(Trouble.NOT_ANSWERED), path=path))
        if server is not None and errands:
            self._run(errands, server, Budget(deadline=deadline, most_bytes=self._limits.hook_bytes, clock=self._clock))
            found.update((errand.query.key, errand.so_far) for errand in errands)
        return found

    def close(self) -> None:
        """End the threads and close the connections; for the end of the process, and for tests."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()
        self._watchdog.close()

    def _clients_of(self, bases: Iterable[FhirBase], client: str) -> "dict[str, FhirClient]":
        bases = tuple(bases)
        if not bases:
            return {}
        from service.fhir.client import FhirClient  # noqa: PLC0415 -- a service that calls nobody needs no HTTP library

        made = (
            FhirClient(
                base,
                self._limits,
                client=client,
                watchdog=self._watchdog,
                observe=self._observe,
                clock=self._clock,
            )
            for base in bases
        )
        return {one.base: one for one in made}

    def _server(self, fhir_server: str | None, token: str | None) -> "_Server | None":
        """The server to ask: only one whose base is listed, as a string, and only with a token unless it is open."""
        client = self._clients.get((fhir_server or "").removesuffix("/"))
        usable = token if token is not None and is_usable_token(token) else None
        if client is None or (usable is None and not client.open_server):
            return None
        return _Server(client, usable)

    @staticmethod
    def _goes_on(query: Query, page: Page, server: "_Server") -> bool:
        """Whether something is left to fetch although the EHR sent this."""
        if page.next_url is not None and server.client.path_of(page.next_url) is not None:
            return True
        return query.area is Area.MEDICINES and bool(_medications_missing(page.entries, server.client.base))

    def _run(self, errands: list["_Errand"], server: "_Server", budget: Budget) -> None:
        """Do all errands side by side, until the deadline.

        A machine that gives this process no more threads leaves some undone: they count as not answered, which is said
        on the card, and a call is not lost for it (R8).
        """
        under_way: list[Future[None]] = []
        with suppress(RuntimeError):
            for errand in errands:
                under_way.append(self._executor.submit(self._do, errand, server, budget))  # noqa: PERF401 -- see above
        done, late = wait(under_way, timeout=max(0.0, budget.seconds_left()))
        for future in late:
            future.cancel()
        for future in done:
            future.result()  # raises only for a defect of ours

    def _do(self, errand: "_Errand", server: "_Server", budget: Budget) -> None:
        """Fetch what one query still lacks. The errand tells at any time what there is so far."""
        query, page = errand.query, errand.page
        server = replace(server, asked_for=query.key)
        most = self._limits.prefetch_entries
        if page is None:
            most = self._limits.entries
            first = self._ask(server, errand.path, query.types, most, budget, is_read=query.is_read)
            if not isinstance(first, Page):
                errand.so_far = first
                return
            page = first
        whole = page.alone()
        for whole in self._pages(page, {errand.path}, server, query.types, most, budget):
            errand.so_far = whole
        if query.area is Area.MEDICINES:
            for entries in self._with_medications(whole.entries, server, budget):
                errand.so_far = msgspec.structs.replace(whole, entries=entries)

    def _pages(
        self, page: Page, asked: set[str], server: "_Server", types: frozenset[str], most: int, budget: Budget
    ) -> Iterator[Resources]:
        """The search as known after each page, the last one being final; cut short wherever it cannot go on (R9).

        ``asked``: the paths asked for already, none of which is asked for again.
        """
        whole = page.alone()
        total, matches, hurt = page.total, page.matches, page.trouble
        pages = 1
        while page.next_url is not None:
            yield whole
            path = server.client.path_of(page.next_url)
            room = most - len(whole.entries) - len(whole.broken)
            if path is None or path in asked or pages >= self._limits.pages or room <= 0:
                break
            asked.add(path)
            pages += 1
            following = self._ask(server, path, types, room, budget)
            if not isinstance(following, Page):
                break
            page = following
            matches += page.matches
            hurt = hurt or page.trouble
            more = page.next_url is not None or (total is not None and total > matches)
            trouble = hurt or (Trouble.CUT_SHORT if more else None)
            whole = Resources((*whole.entries, *page.entries), (*whole.broken, *page.broken), trouble)
        yield whole

    def _with_medications(
        self, entries: tuple[Resource, ...], server: "_Server", budget: Budget
    ) -> Iterator[tuple[Resource, ...]]:
        """The entries and the Medications that they refer to and the search did not bring, in the order they are named;
        then those and what these are made of, where that is a Medication of its own.
        """
        server = replace(server, asked_for="medications")
        asked: set[str] = set()
        for _ in range(_MEDICATION_SEARCHES):
            missing = [one for one in _medications_missing(entries, server.client.base) if one not in asked]
            ids = missing[: self._limits.medications - len(asked)]
            if not ids:
                return
            asked.update(ids)
            path, most = medications_path(ids), self._limits.entries
            first = self._ask(server, path, _MEDICATION, most, budget)
            if not isinstance(first, Page):
                return
            *_, whole = self._pages(first, {path}, server, _MEDICATION, most, budget)
            found = {one.id: one for one in whole.entries if one.resourceType == "Medication" and one.id in ids}
            entries = (*entries, *(found[one] for one in ids if one in found))
            yield entries

    @staticmethod
    def _ask(
        server: "_Server", path: str, types: frozenset[str], most: int, budget: Budget, *, is_read: bool = False
    ) -> Page | Nothing | Failed:
        """One request, and its answer as far as it can be read."""
        body = server.client.get(path, token=server.token, budget=budget, is_read=is_read, query=server.asked_for)
        if not isinstance(body, bytes):
            return body
        page = decode(body, types=types, most=most, failed=Trouble.SERVER_ERROR)
        if page is None or body.strip() == b"null":
            return Failed(Trouble.NOT_FHIR)
        return page


@dataclass(frozen=True, slots=True)
class _Server:
    """The one server of a call, the token that came with the call, and the query it is asked for."""

    client: "FhirClient"
    token: str | None = field(repr=False)
    asked_for: str = ""


class _Errand(msgspec.Struct):
    """One query under way: what is known so far, and what was sent for it or is to be asked."""

    query: Query
    so_far: Retrieved
    page: Page | None = None
    path: str = ""


def _medications_missing(entries: Iterable[Resource], base: str) -> tuple[str, ...]:
    """Ids of the Medications on this server that medicines, and the ingredients of other Medications, refer to and that
    are not among the entries.

    A contained one (``#1``), one of another server, and one by an id that is none are not asked for.
    """
    present = set()
    wanted: dict[str, None] = {}
    for resource in entries:
        references: Iterable[str] = ()
        if resource.resourceType == "Medication":
            if isinstance(resource.id, str):
                present.add(resource.id)
            references = references_of(resource)
        elif resource.resourceType in _MEDICINE_RECORDS:
            references = (_reference(resource.medicationReference) or _reference(resource.medication),)
        for reference in references:
            steps = reference.removeprefix(f"{base}/").split("/")
            if steps[0] == "Medication" and len(steps) > 1 and is_fhir_id(steps[1]):
                wanted[steps[1]] = None
    return tuple(one for one in wanted if one not in present)


def _reference(value: Any) -> str:
    """The text of a Reference, or of the Reference inside an R5 CodeableReference; "" if there is none."""
    for _ in range(2):
        value = value.get("reference") if isinstance(value, dict) else value
    return value if isinstance(value, str) else ""
