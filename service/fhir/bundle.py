"""From JSON text to resources, entry by entry: a bad entry costs that entry and no other (R10, requirement E17).

Lenient about what real servers and EHRs send; never lenient about completeness: whatever hints that something was
left out makes the answer cut short, because less data must never yield more reassurance.
"""

from decimal import Decimal
from typing import Any

import msgspec

from service.fhir.resource import READ, Resource, Typed, from_json, from_object
from service.fhir.retrieved import Failed, Nothing, Resources, Trouble

ENTRIES_OF_A_PREFETCH = 5_000
"""Entries read of one prefetched Bundle, at most; a legal request may hold that many and must not fail."""

NOT_AN_OBJECT = "an entry that is no resource"
NO_TYPE = "a resource that does not say what it is"
NESTED = "a Bundle inside a Bundle"
TOO_DEEP = "an entry nested too deep to be read"


class Page(msgspec.Struct, frozen=True):
    """One answer: a Bundle, or a single resource.

    ``trouble``: something in this page says that it does not hold everything. ``next_url``: where it goes on, as the
    sender wrote it and not to be trusted; "" if there is more but no address. ``total``: how many matches the sender
    says there are over all pages; ``matches``: how many entries of this page count towards it.
    """

    entries: tuple[Resource, ...]
    broken: tuple[str, ...] = ()
    trouble: Trouble | None = None
    next_url: str | None = None
    total: int | None = None
    matches: int = 0

    def alone(self) -> Resources:
        """The page as the whole answer: cut short if it says that there is more."""
        more = self.next_url is not None or (self.total is not None and self.total > self.matches)
        return Resources(self.entries, self.broken, self.trouble or (Trouble.CUT_SHORT if more else None))


def decode(
    raw: bytes | msgspec.Raw,
    *,
    types: frozenset[str],
    most: int = ENTRIES_OF_A_PREFETCH,
    failed: Trouble = Trouble.SENT_AS_FAILED,
) -> Page | Nothing | Failed | None:
    """What was sent for one query. Never raises, whatever the bytes are.

    A Bundle, or a single resource of one of the ``types``, is a Page, of which at most ``most`` entries are read (R9).
    ``null`` is Nothing: the sender looked (requirement E10). An OperationOutcome is ``failed`` (E11, R8), or not
    permitted if its code says so, as the status 403 would have. It is Nothing only if every issue of it is of severity
    information or warning and says no more than "not found" or "for your information": any other warning may mean
    that data was withheld. Anything else (text, HTML, a number, a
    list, a resource of another type) is None: as good as not sent (E15).
    """
    try:
        bundle = _BUNDLE.decode(raw)
        _must_be_text(raw)
    except UNREADABLE:
        return _decode_one_by_one(raw, types, most, failed)
    if bundle is None:
        return Nothing()
    if bundle.resourceType != "Bundle":
        return _decode_single(raw, types, failed)
    entries = bundle.entry or []
    return _page(entries[:most], [], bundle, types, cut=len(entries) > most)


class _Search(msgspec.Struct, gc=False):
    mode: str | None = None


class _Entry(msgspec.Struct, gc=False):
    resource: Typed | None = None
    search: _Search | None = None


class _Bundle(msgspec.Struct, gc=False):
    """A Bundle all of whose entries are well formed and of types that are read: one pass over the bytes."""

    resourceType: Any = None  # noqa: N815 -- FHIR's own spelling
    entry: list[_Entry] | None = None
    link: Any = None
    total: Any = None
    issues: Any = None  # R5: an OperationOutcome about the search


class _LooseBundle(msgspec.Struct, gc=False):
    """A Bundle with a bad entry: each entry is kept as text, to be read alone."""

    resourceType: Any = None  # noqa: N815 -- FHIR's own spelling
    entry: list[msgspec.Raw] | None = None
    link: Any = None
    total: Any = None
    issues: Any = None  # R5: an OperationOutcome about the search


class _LooseEntry(msgspec.Struct, gc=False):
    resource: msgspec.Raw = msgspec.Raw(b"null")
    search: Any = None


def _decode_one_by_one(
    raw: bytes | msgspec.Raw, types: frozenset[str], most: int, failed: Trouble
) -> Page | Nothing | Failed | None:
    """The slow way, after something in the text was not as expected."""
    try:
        bundle = _LOOSE_BUNDLE.decode(raw)
    except UNREADABLE:
        return _decode_single(raw, types, failed)
    if bundle.resourceType != "Bundle":
        return _decode_single(raw, types, failed)
    texts = bundle.entry or []
    entries: list[_Entry] = []
    broken: list[str] = []
    for text in texts[:most]:
        try:
            entries.append(_decode_entry(text))
        except RecursionError:
            broken.append(TOO_DEEP)
        except UNREADABLE:
            broken.append(NOT_AN_OBJECT)
    return _page(entries, broken, bundle, types, cut=len(texts) > most)


def _decode_entry(text: msgspec.Raw) -> _Entry:
    _must_be_text(bytes(text))
    loose = _LOOSE_ENTRY.decode(text)
    mode = loose.search.get("mode") if isinstance(loose.search, dict) else None
    resource = from_json(loose.resource)
    return _Entry(resource, _Search(mode if isinstance(mode, str) else None))


def _must_be_text(raw: bytes | msgspec.Raw) -> None:
    """Raises UnicodeDecodeError if a server's bytes are not UTF-8: elements that are kept as text would be found out
    only when they are opened. What came in a request was looked at as a whole, and is kept as text already.
    """
    if type(raw) is bytes and not raw.isascii():
        raw.decode()


def _decode_single(raw: bytes | msgspec.Raw, types: frozenset[str], failed: Trouble) -> Page | Nothing | Failed | None:
    try:
        resource = from_json(raw)
        _must_be_text(raw)
    except UNREADABLE:
        return None
    if resource.resourceType == "OperationOutcome":
        if _says_nothing_found(resource):
            return Nothing()
        return Failed(Trouble.NOT_PERMITTED if _says_not_permitted(resource) else failed)
    if not isinstance(resource.resourceType, str) or resource.resourceType not in types:
        return None
    return Page((resource,), matches=1)


def _page(
    entries: list[_Entry], broken: list[str], bundle: _Bundle | _LooseBundle, types: frozenset[str], *, cut: bool
) -> Page:
    kept: list[Resource] = []
    matches = len(entries) + len(broken)
    told = isinstance(bundle.issues, dict) and _says_incomplete(from_object(bundle.issues))
    trouble = Trouble.CUT_SHORT if cut or told else None
    for entry in entries:
        resource = entry.resource
        mode = None if entry.search is None else entry.search.mode
        if resource is not None and mode == "match" and type(resource) in READ:  # what nearly every entry is
            kept.append(resource)
            continue
        kind = None if resource is None else resource.resourceType
        if _is_no_match(mode, kind, types):
            matches -= 1
        if resource is None:
            broken.append(NOT_AN_OBJECT)
        elif mode == "outcome" or kind == "OperationOutcome":
            if _says_incomplete(resource):
                trouble = Trouble.CUT_SHORT
        elif not isinstance(kind, str):
            broken.append(NO_TYPE)
        elif kind == "Bundle":
            broken.append(NESTED)
        else:
            kept.append(resource)
    total = bundle.total if type(bundle.total) is int else None
    return Page(tuple(kept), tuple(broken), trouble, _next_url(bundle.link), total, matches)


def _is_no_match(mode: str | None, kind: Any, types: frozenset[str]) -> bool:
    """Whether an entry stands beside the matches, and ``Bundle.total`` does not count it: what is included, and an
    OperationOutcome. Of an entry without a mode its type tells: a Medication is no match of a search for statements.
    """
    if mode in {"include", "outcome"} or kind == "OperationOutcome":
        return True
    return mode is None and isinstance(kind, str) and kind != "Bundle" and kind not in types


def _next_url(links: Any) -> str | None:
    for link in _listed(links):
        if isinstance(link, dict) and link.get("relation") == "next":
            url = link.get("url")
            return url if isinstance(url, str) else ""
    return None


HARMLESS = frozenset({"information", "warning", "success"})
"""Severities of an issue that tell of no error."""

_NOTHING_FOUND = frozenset({"not-found", "informational", "success"})
_NOT_PERMITTED = frozenset({"security", "login", "expired", "forbidden"})
_UNFINISHED = frozenset(
    {
        *_NOT_PERMITTED,
        "suppressed",
        *("too-costly", "timeout", "throttled", "transient", "incomplete", "lock-error", "no-store", "exception"),
    }
)
"""Codes of issue-type that say, whatever the severity, that not everything was given or looked for."""


def _says_incomplete(outcome: Resource) -> bool:
    """Whether an OperationOutcome beside the matches says that they are not all (R8): read by severity and code.

    A warning such as Epic's "no results" or "may not hold the entire record", which it sends with most answers under
    the code ``processing``, says nothing about this search.
    """
    issues = _issues(outcome)
    return not issues or any(severity not in HARMLESS or code in _UNFINISHED for severity, code in issues)


def _says_nothing_found(outcome: Resource) -> bool:
    """Whether an OperationOutcome in place of the matches only says that there are none."""
    issues = _issues(outcome)
    return bool(issues) and all(severity in HARMLESS and code in _NOTHING_FOUND for severity, code in issues)


def _says_not_permitted(outcome: Resource) -> bool:
    return any(code in _NOT_PERMITTED for _, code in _issues(outcome))


def _issues(outcome: Resource) -> list[tuple[str, str]]:
    """Severity and code of each issue; "" for what cannot be read."""
    issues = (issue if isinstance(issue, dict) else {} for issue in _listed(outcome.issue))
    return [(_word(issue.get("severity")), _word(issue.get("code"))) for issue in issues]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _listed(value: Any) -> list[Any]:
    """The value as a list; some senders put an object where FHIR wants a list of them."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


UNREADABLE = (msgspec.MsgspecError, RecursionError, ValueError, ArithmeticError)
_BUNDLE = msgspec.json.Decoder(_Bundle | None, float_hook=Decimal)
_LOOSE_BUNDLE = msgspec.json.Decoder(_LooseBundle, float_hook=Decimal)
_LOOSE_ENTRY = msgspec.json.Decoder(_LooseEntry, float_hook=Decimal)
