"""The findings of one topic become its card: six parts in a fixed order (specification 3.6).

What the sheets say of everyone alike is laid out once (cards/layout.py); here it meets what is this patient's.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from cards.card import LONGEST_SUMMARY, Card
from cards.case import Case
from cards.content import Content
from cards.entries import Area, Reading
from cards.finding import Finding, Indicator, Intent, RemoveDraft, ReviewMedicine
from cards.layout import Layout, Said, proposal
from cards.topic import Does, Speaks, Suggestion, Topic
from cards.wording import describe, unread_line

_MOST_UNREAD: Final = 8  # a card stays short: further entries are counted
_MANY_FOUND: Final = 8  # with more lines, entries that are alike stand once
_MOST_FOUND: Final = 40  # and so many at most: more than all that could speak against a medicine
_AREAS: Final = tuple(Area)


def heard(topic: Topic, findings: Iterable[Finding], content: Content) -> list[Said]:
    """The findings that may be shown, each with what is said of its kind.

    What goes beyond the fact sheet can be switched off.
    """
    kinds, layouts = topic.sheet.kinds, content.layouts
    said = [(layouts.script(kinds[f.kind], beyond=f.beyond), f) for f in findings]
    if content.beyond:
        return said
    return [(script, finding) for script, finding in said if not (finding.beyond or script.kind.beyond)]


def weight(said: Said) -> Indicator:
    """How urgent a finding is: what the rule says, else what the sheet says."""
    script, finding = said
    return finding.indicator or script.kind.indicator


def card_weight(own: Iterable[Said]) -> Indicator | None:
    """The weight of the topic's card, or None if its findings make none."""
    weights = [weight(said) for said in own if said[0].kind.speaks is Speaks.CARD]
    return max(weights, key=_rank) if weights else None


def guest_lines(own: Iterable[Said]) -> list[Said]:
    """Those findings of a topic without a card that stand on another card."""
    return [said for said in own if said[0].kind.speaks is Speaks.LINE]


def compose(topic: Topic, findings: Iterable[Finding], case: Case, content: Content) -> Card | None:
    """The topic's card, or None if no finding makes one."""
    return write(topic, heard(topic, findings, content), case, content)


def write(topic: Topic, own: Iterable[Said], case: Case, content: Content, guests: Iterable[Said] = ()) -> Card | None:
    """The topic's card, or None if no finding makes one. The gravest finding gives the summary.

    ``own``: its findings as :func:`heard`; ``guests``: lines of topics that make no card themselves.
    """
    speaking, adding = [], []
    for said in own:
        match said[0].kind.speaks:
            case Speaks.CARD:
                speaking.append(said)
            case Speaks.ADDS | Speaks.LINE:
                adding.append(said)
            case Speaks.SILENT:
                pass
    if not speaking:
        return None
    lead = max(speaking, key=_gravity)
    own = [*speaking, *adding]
    shown = [*own, *guests]
    layout = content.layouts.layout(topic, shown)
    return Card(
        topic=topic.code,
        topic_title=topic.sheet.title,
        indicator=weight(lead),
        summary=_summary(lead[0].summary.of(lead[1].fill)),
        detail=_detail(topic, layout, shown, case, content),
        suggestions=tuple(dict.fromkeys(_suggestions(topic, own, content))),
        override_reasons=content.override_reasons,
        links=layout.links,
        rules=layout.rules,
    )


def _rank(indicator: Indicator) -> int:
    return indicator.rank


def _gravity(said: Said) -> int:
    return weight(said).rank


def _summary(text: str) -> str:
    # A drug's name of unusual length may not break the protocol; tests show that no ordinary one comes near.
    return text if len(text) <= LONGEST_SUMMARY else text[: LONGEST_SUMMARY - 3].rstrip() + "..."


def _detail(topic: Topic, layout: Layout, shown: list[Said], case: Case, content: Content) -> str:
    layouts = content.layouts
    block, told = layouts.block, layouts.told
    not_known = layout.not_known
    gaps = list(_gaps(topic, case, content))
    if gaps or not_known is None:
        said = told((w.say.of(f.fill), w) for script, f in shown for w in script.not_known)
        not_known = block("not_known", (*said, *gaps, layouts.always_unknown))
    parts = (
        block("found", _found(shown, case, content)),
        layout.why or block("why", told((w.say.of(f.fill), w) for script, f in shown for w in script.why)),
        layout.check or block("check", told((w.say.of(f.fill), w) for script, f in shown for w in script.check)),
        layout.consider
        or block("consider", told((w.say.of(f.fill), w) for script, f in shown for w in script.consider)),
        not_known,
        layout.basis,
    )
    return "\n\n".join(parts)


def _found(shown: list[Said], case: Case, content: Content) -> Iterable[str]:
    ids: dict[str, str] = {}  # by line; of a sentence it is ""
    for script, finding in shown:
        if script.found is not None:
            ids[script.found.of(finding.fill)] = ""
        for entry in finding.evidence:
            ids[describe(entry, case, content)] = entry.source
    return ids if len(ids) <= _MANY_FOUND else _in_few(ids, content)


def _in_few(ids: dict[str, str], content: Content) -> Iterator[str]:
    """Many lines in few: entries that are alike but for their id, as those of a repeat prescription are, stand once
    with the number of the others, and what a card cannot hold is counted. ``ids``: by line.
    """
    say = content.frame.say
    alike: dict[str, list[str]] = {}
    for line, identity in ids.items():
        alike.setdefault(line.replace(identity, ""), []).append(line)
    for first, *others in list(alike.values())[:_MOST_FOUND]:
        yield say("evidence", "alike", line=first, count=str(len(others))) if others else first
    if left := sum(len(more) for more in list(alike.values())[_MOST_FOUND:]):
        yield say("evidence", "more", count=str(left))


def _gaps(topic: Topic, case: Case, content: Content) -> Iterator[str]:
    """What was not read of this record, or not applied of the rules."""
    say, chart = content.frame.say, case.chart
    if chart.wanting:
        for area in _AREAS:
            state = chart.inputs.get(area)
            if state is not None and state.reading is not Reading.COMPLETE:
                yield say("not_known", "input", area=area.value, why=state.why or state.reading.value)
    entries = [u for u in chart.unread if u.area in topic.sheet.rests_on]
    if len(entries) > _MOST_UNREAD:
        entries = list(dict.fromkeys(entries))  # those of other patients have no id, and are all alike
    for entry in entries[:_MOST_UNREAD]:
        yield unread_line(entry, case, content)
    if len(entries) > _MOST_UNREAD:
        yield say("not_known", "more", count=str(len(entries) - _MOST_UNREAD))
    for code in case.failed_topics:
        yield say("not_known", "topic_failed", topic=code)


def _suggestions(topic: Topic, own: list[Said], content: Content) -> Iterator[Intent]:
    for _, finding in own:
        for name in finding.suggest:
            suggestion = topic.sheet.suggestions[name]
            if (content.beyond or not suggestion.beyond) and (content.removal or suggestion.does is not Does.REMOVE):
                yield from _intents(suggestion, finding, content)


def _intents(suggestion: Suggestion, finding: Finding, content: Content) -> Iterator[Intent]:
    button = content.layouts.button(suggestion)
    if button.proposes is not None:
        yield button.proposes
        return
    label, note = button.label.of(finding.fill), button.note.of(finding.fill)
    if (proposed := proposal(suggestion, label, note)) is not None:
        yield proposed
    elif suggestion.does is Does.REMOVE:
        for draft in finding.remove:
            yield RemoveDraft(label, note, draft.source)
    else:
        for medicine in finding.review:
            yield ReviewMedicine(label, note, medicine.source)
