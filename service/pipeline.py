"""One hook call, from what was asked to what is advised: the CDS Hooks side and the FHIR side meet here alone."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from cards.advise import advise
from cards.card import Advice
from cards.content import Content
from cards.entries import Area
from cards.moment import Moment
from service.answer import Answer
from service.errors import DataNotAvailable
from service.fhir.assemble import assemble
from service.fhir.basket import read_basket
from service.fhir.queries import Query
from service.fhir.read_drafts import concerns_us
from service.fhir.retrieve import Retriever
from service.fhir.retrieved import Failed, Retrieved
from service.hooks.request import HookCall

SILENT = Advice((), silent_because="no-order-judged")
KEPT_FOR_THE_RULES = 0.2  # seconds of the deadline (R6)


@dataclass(frozen=True, slots=True)
class Advisor:
    """Answers one hook call. Everything it needs from outside is handed to it.

    ``queries`` by service id; ``deadline``: seconds within which a call is answered. ``retriever`` fetches if callers
    are not told apart, ``by_client`` for each client by its name: only from the FHIR servers of that client (R4).
    """

    retriever: Retriever
    queries: Mapping[str, tuple[Query, ...]]
    content: Content
    today: Callable[[], date]
    zone: ZoneInfo
    deadline: float
    by_client: Mapping[str, Retriever] = field(default_factory=dict)

    def advise(self, call: HookCall) -> Answer:
        """
        1. Which orders is it about, and which data does this service need?
        2. Take what the record system already sent, and fetch the rest, within the time budget.
        3. Read it into a chart.
        4. Ask every topic what it finds, and deal the findings into cards.

        Raises DataNotAvailable if nothing of what is needed could be had (E14). An order hook brings the orders it is
        about, so there is always something to work with, and what could not be had is named on the cards. If it is
        about no order that a rule knows, nothing is fetched and nothing is said (architecture decision 6, F8).
        """
        basket = None if call.orders is None else read_basket(call.orders.bundle, call.orders.selections)
        if basket is not None and not concerns_us(basket, self.content.vocabulary):
            return Answer(SILENT, {}, {}, call.patient_id, call.encounter_id)
        queries = self.queries[call.service.id]
        deadline = time.monotonic() + self.deadline - KEPT_FOR_THE_RULES
        retrieved = (self.by_client[call.client] if call.client else self.retriever).retrieve(
            queries,
            prefetch=call.prefetch,
            fhir_server=call.fhir_server,
            token=call.token,
            patient_id=call.patient_id,
            encounter_id=call.encounter_id,
            deadline=deadline,
        )
        late = time.monotonic() >= deadline
        if basket is None:
            refuse_if_nothing_was_had(queries, retrieved, late=late)
        chart = assemble(
            retrieved,
            patient_id=call.patient_id,
            as_of=self.today(),
            zone=self.zone,
            vocabulary=self.content.vocabulary,
            for_clinician=call.for_clinician,
            encounter_id=call.encounter_id,
            basket=basket,
            with_doses=call.service.moment is Moment.ORDER,
        )
        judges_none = basket is not None and not any(draft.judged for draft in chart.drafts)
        advice = SILENT if judges_none else advise(chart, self.content, call.service.moment)
        drafts = frozenset(draft.source for draft in chart.drafts)
        return Answer(
            advice, chart.inputs, chart.unmapped, call.patient_id, call.encounter_id, drafts, late, chart.of_others
        )


def refuse_if_nothing_was_had(
    queries: tuple[Query, ...], retrieved: Mapping[str, Retrieved], *, late: bool = False
) -> None:
    """412 only when not one part of the record could be had; anything less is said on the cards (E14, R8).

    The encounter does not count: a call outside one has none.
    """
    asked = [query for query in queries if query.area is not Area.ENCOUNTER and query.key in retrieved]
    if all(isinstance(retrieved[query.key], Failed) for query in asked):
        keys = ", ".join(query.key for query in asked if query.needed)
        raise DataNotAvailable(
            f"None of the data this service needs was sent or could be fetched: send prefetch for {keys}, or a "
            "fhirServer that this service may call, with a token for it.",
            late=late,
        )
