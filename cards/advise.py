"""A chart becomes advice: the gate, then every topic, then the deck."""

from collections.abc import Iterable
from dataclasses import replace

from cards.card import Advice
from cards.case import Case
from cards.chart import Chart
from cards.content import Content
from cards.deck import LAST, NotComposed, deal
from cards.finding import Finding
from cards.moment import Moment
from cards.presentation import Gate, presentation
from cards.topic import Topic
from cards.undecided import set_aside


def advise(chart: Chart, content: Content, moment: Moment = Moment.RECORD) -> Advice:
    """Everything there is to say of this chart.

    A topic whose rules raise costs its own card and no other (requirement J4, trap T3): it is named in
    ``failed_topics``, the data-quality card says so, and no reassuring card is shown beside it.
    """
    chart = set_aside(chart, content.bands, content.vocabulary)
    shows = presentation(chart, content.windows, content.gatekeeper, moment)
    case = Case(chart, shows, content.windows, content.bands, content.vocabulary, moment=moment)
    asked = content.asked(moment, shows.gate)
    errors: dict[str, BaseException] = {}
    while True:
        found = _ask([t for t in asked if t.code not in errors] if errors else asked, case, errors)
        try:
            cards = deal(found, replace(case, failed_topics=tuple(errors)) if errors else case, content)
        except NotComposed as failure:  # leave that topic out and deal again: the data-quality card will name it
            errors[failure.topic] = failure.__cause__ or failure
            continue
        return Advice(
            cards=cards,
            silent_because="" if cards else _why_silent(shows.gate),
            failed_topics=tuple(errors),
            errors=tuple(errors.values()),
        )


def _ask(topics: Iterable[Topic], case: Case, errors: dict[str, BaseException]) -> dict[str, tuple[Finding, ...]]:
    found: dict[str, tuple[Finding, ...]] = {}
    knowing = case if not errors else replace(case, failed_topics=tuple(errors))
    for topic in sorted(topics, key=lambda t: t.code == LAST):  # the last one speaks for those that failed
        rules = topic.rules(case.moment)
        if rules is None:
            continue
        try:
            found[topic.code] = tuple(rules(knowing, topic.sheet))
        except Exception as error:  # noqa: BLE001 -- one rule that fails costs one card, not the answer
            errors[topic.code] = error
            knowing = replace(case, failed_topics=tuple(errors))
    return found


def _why_silent(gate: Gate) -> str:
    return "nothing-to-say" if gate is Gate.OPEN else gate.value
