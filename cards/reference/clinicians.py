"""A page for each card that a clinician reads in two minutes, and the page that lists them; all from the sheets."""

import re
from collections.abc import Iterable, Iterator, Mapping

from cards.content import Content
from cards.figures import inside_a_sentence
from cards.finding import Indicator
from cards.lists import Listing
from cards.moment import Moment
from cards.promises import Promise
from cards.reference.markdown import page, table
from cards.topic import Does, Kind, Sentence, Speaks, Suggestion, Topic

_WEIGHTS = {
    Indicator.CRITICAL: "critical: for today",
    Indicator.WARNING: "warning: worth a look now",
    Indicator.INFO: "information",
}
_MOMENTS = {Moment.RECORD: "a record is opened", Moment.ORDER: "an order is drafted"}
_PARTS = ("why", "check", "consider", "not_known")  # those a kind of finding has sentences for
_DOES = {
    Does.TEST: "a draft order",
    Does.REFER: "a draft referral",
    Does.REVIEW: "a draft task",
    Does.REMOVE: "to take a draft away",
}
_SCOPE = "symptom in scope"
_TABLES = {
    "contraindication": "Speaks against it",
    "caution": "Asks for care",
    "interaction": "Interacts with it",
    "review-caution": "Makes the review a warning (of an electrolyte, a low value)",
    "contributor": "May contribute",
    "disturbance": "Electrolytes",
    "judged": "Orders that are judged, besides quinine, diltiazem and neurology referrals",
}


def clinician_pages(content: Content) -> Mapping[str, str]:
    """The pages by file name: ``index.md`` and one for each topic, ``quinine.md``."""
    return {"index.md": _index(content)} | {f"{topic.code}.md": _page(topic, content) for topic in content.topics}


def _index(content: Content) -> str:
    rows = (
        (
            f"[{topic.sheet.title}]({topic.code}.md)",
            " and when ".join(_MOMENTS[moment] for moment in topic.sheet.moments),
            ", ".join(
                _WEIGHTS[weight].partition(":")[0]
                for weight in _WEIGHTS
                if any(kind.indicator is weight for kind in _cards(topic))
            ),
            topic.sheet.appears[0].say,
        )
        for topic in content.topics
    )
    return page(
        "What this service can say, and what it never says",
        f"For clinicians. A short introduction is in [For clinicians](../for-clinicians.md). {_signed(content)}",
        "## What it can say",
        "Each card has a page. When several apply, the gravest stands first, then this order.",
        _scope(content),
        table(("Card", "When", "Shown as", "For example"), rows),
        "## What it never says or does",
        _bullets(content.promises.never),
        "## When there is no card at all",
        _bullets(content.promises.silent),
        "## What it says of itself on every card",
        "What could not be read or is not known, the row of the rules, the sources, the version, and whether a "
        f'clinician has signed the content off. "{content.frame.words["marks"]["beyond"].capitalize()}" marks what '
        "goes beyond the fact sheet that the service is made from; a site can switch it off.",
        "A card can be dismissed with one of these reasons: "
        f"{'; '.join(reason.display.lower() for reason in content.override_reasons)}.",
    )


def _page(topic: Topic, content: Content) -> str:
    sheet = topic.sheet
    cards = [*_cards(topic)]
    blocks = [
        "## When it appears",
        f"It can appear when {' and when '.join(_MOMENTS[moment] for moment in sheet.moments)}.",
        _bullets(sheet.appears),
        "## The line you see first",
        "Words in square brackets are filled from the record.",
        table(
            ("When", "Shown as", "Line"),
            ((kind.when, _WEIGHTS[kind.indicator], _filled(kind.summary)) for kind in cards),
        ),
        "## When it stays silent",
        _bullets(sheet.silent),
        "## What it never does",
        _bullets(sheet.never),
        "What holds for every card: [what it never says or does](index.md#what-it-never-says-or-does).",
    ]
    if sheet.suggestions:
        blocks += ["## What it can propose", "\n".join(_proposals(sheet.suggestions.values()))]
    if looked_for := [*_looked_for(topic, content)]:
        blocks += ["## What else in the record it looks for", "\n".join(looked_for)]
    blocks += [
        "## What it says, in full",
        "For whoever wants to read every sentence: each card opens on these.",
        *(block for kind in cards for block in _said(kind, content)),
    ]
    if added := [*_added(topic, content)]:
        blocks += ["### What may be added, where it applies", "\n".join(added)]
    blocks += ["## What it rests on", *_rests(topic, content)]
    if any(_SCOPE in text for text in blocks):
        blocks.insert(3, _scope(content))
    return page(
        sheet.title,
        f"For clinicians; the other cards are listed in [What this service can say](index.md). {_signed(content)} In "
        "brackets stands what a sentence rests on: P, O, S and numbers with a dot are rows of the clinical "
        "specification, HZ a hazard of its log, F a fact of the fact sheet; facts and other sources are listed at the "
        "end.",
        *blocks,
    )


def _scope(content: Content) -> str:
    """What the pages call a symptom in scope."""
    words = content.gatekeeper.words.values()
    return (
        f"A {_SCOPE} is {', '.join(words)}, coded as an active problem and dated within the last "
        f"{content.windows.symptom} days, or not dated at all."
    )


def _signed(content: Content) -> str:
    frame = content.frame
    return f"Content {frame.version}, {frame.signed_by}; reviewed {frame.reviewed}, review due {frame.review_by}."


def _cards(topic: Topic) -> Iterator[Kind]:
    return (kind for kind in topic.sheet.kinds.values() if kind.speaks is Speaks.CARD)


def _bullets(promises: Iterable[Promise]) -> str:
    return "\n".join(f"- {one.say} ({one.rule})" for one in promises)


def _filled(text: str) -> str:
    """A line of a sheet with its placeholders as a clinician reads them: ``{date}`` becomes ``[date]``."""
    return re.sub(r"\{(\w+)\}", lambda found: f"[{'number' if found[1] == 'n' else found[1]}]", text)


def _said(kind: Kind, content: Content) -> Iterator[str]:
    yield f"### {kind.when.rstrip('.')}"
    yield f"**{_filled(kind.summary)}**"
    yield "\n".join(f"- {sentence}" for sentence in _sentences(kind, content))


def _sentences(kind: Kind, content: Content) -> Iterator[str]:
    """Every sentence of a kind of finding, after the title of the part of a card that it stands in."""
    for part in _PARTS:
        title = content.frame.words["parts"][part]
        yield from (f"**{title}.** {_sentence(one)}" for one in getattr(kind, part))


def _added(topic: Topic, content: Content) -> Iterator[str]:
    for kind in topic.sheet.kinds.values():
        if kind.speaks in (Speaks.ADDS, Speaks.LINE):
            found = [f"**Found.** {_filled(kind.found)} {_ids(kind.facts, kind.sources)}"] if kind.found else []
            said = [*found, *_sentences(kind, content)]
            if said:
                yield f"- {' '.join(said)}"


def _sentence(sentence: Sentence) -> str:
    beyond = ", beyond the fact sheet" if sentence.beyond else ""
    return f"{_filled(sentence.say)} {_ids(sentence.facts, sentence.sources, beyond)}"


def _ids(facts: Iterable[str], sources: Iterable[str], beyond: str = "") -> str:
    return f"({', '.join((*facts, *sources))}{beyond})"


def _proposals(suggestions: Iterable[Suggestion]) -> Iterator[str]:
    for label, does in dict.fromkeys((_filled(one.label), _DOES[one.does]) for one in suggestions):
        yield f"- {label} ({does})"


def _looked_for(topic: Topic, content: Content) -> Iterator[str]:
    for name, rows in topic.sheet.rows.items():
        if rows:
            named = [_titles(row, content) for row in rows]
            if name == "judged":  # one order may stand in several rows
                named = [title for titles in named for title in titles.split(", ")]
            yield f"- **{_TABLES[name]}:** {'; '.join(dict.fromkeys(named))}."
    for one in topic.sheet.lists.values():
        yield f"- **{one.says}:** {_titles(one, content)}."


def _titles(listing: Listing, content: Content) -> str:
    titles = [content.vocabulary.title(name) for name in listing.names if name != listing.analyte]
    names = [inside_a_sentence(title) for title in titles]
    if listing.analyte:
        analyte = inside_a_sentence(content.vocabulary.title(listing.analyte))
        names = [f"{analyte} ({', '.join(names)})" if names else analyte]
    beside = f" (beside {' or '.join(symptom.value for symptom in listing.symptoms)})" if listing.symptoms else ""
    return ", ".join(names) + beside


def _rests(topic: Topic, content: Content) -> Iterator[str]:
    kinds = [*topic.sheet.kinds.values()]
    cited = [(kind.facts, kind.sources) for kind in kinds]
    for kind in kinds:
        cited += [(s.facts, s.sources) for s in kind.sentences]
    listings = (*topic.sheet.lists.values(), *(row for rows in topic.sheet.rows.values() for row in rows))
    cited += [(one.facts, one.sources) for one in listings]
    facts = {name for named, _ in cited for name in named}
    sources = {name for _, named in cited for name in named} | {*topic.sheet.links}
    if named := [fact for fact in content.facts.values() if fact.id in facts]:
        yield "Facts of the fact sheet:"
        yield "\n".join(f"- {fact.id}: {fact.words}" for fact in named)
    if others := [source for source in content.sources.values() if source.id in sources]:
        yield "Other sources:"
        yield "\n".join(f"- {one.id}: {f'[{one.label}]({one.url})' if one.url else one.label}" for one in others)
    yield (
        "The numbers it uses are listed with their sources in [Bands, windows and limits](../reference/bands.md); the "
        "rules, thresholds and worked examples in [Clinical content](../reference/clinical-content.md)."
    )
