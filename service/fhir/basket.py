"""The unsigned orders of a session as they came, entry by entry, and which of them a call is about (D3, D4, D7).

A bad entry costs that entry and no other. An order without an id is known by its ``fullUrl``, as are the Medications
that Epic sends as entries of their own.
"""

from typing import Any, Final

import msgspec

from service.fhir.bundle import ENTRIES_OF_A_PREFETCH, NO_TYPE, NOT_AN_OBJECT, TOO_DEEP, UNREADABLE
from service.fhir.elements import words
from service.fhir.read_medicines import REQUESTS
from service.fhir.read_orders import TYPES as ORDERS
from service.fhir.references import type_and_id
from service.fhir.resource import Resource, from_json

DRAFT_TYPES: Final = REQUESTS | ORDERS
"""What is read of the drafts; other types (diets, devices, glasses) are skipped one by one (D7)."""


class Entry(msgspec.Struct, frozen=True):
    """One order. ``judged``: the call is about it; otherwise it is context."""

    resource: Resource
    judged: bool


class Basket(msgspec.Struct, frozen=True):
    """What the session holds: the orders of the types we read, Medications sent beside them, and, for each entry that
    is no resource at all, why.
    """

    orders: tuple[Entry, ...] = ()
    medications: tuple[Resource, ...] = ()
    broken: tuple[str, ...] = ()


class _Selected:
    """The selections, ready to be asked of thousands of drafts."""

    def __init__(self, selections: tuple[str, ...]) -> None:
        self._whole = frozenset(selections)
        self._named = frozenset(type_and_id(one) for one in selections)

    def means(self, resource: Resource, full_url: str) -> bool:
        """Whether any of them names the order."""
        identity = resource.id
        if full_url and full_url in self._whole:
            return True
        return isinstance(identity, str) and any((k, identity) in self._named for k in ("", resource.resourceType))


class _Bundle(msgspec.Struct, gc=False):
    entry: msgspec.Raw = msgspec.Raw(b"null")


class _Entry(msgspec.Struct, gc=False):
    fullUrl: Any = None  # noqa: N815 -- FHIR's own spelling
    resource: msgspec.Raw = msgspec.Raw(b"null")


def read_basket(raw: bytes | msgspec.Raw, selections: tuple[str, ...] | None) -> Basket:
    """The drafts in the text of a Bundle of any type. Never raises, whatever the bytes are.

    ``selections``: which of them the call is about: ``Type/id``, an id alone, an absolute URL that ends in it, or the
    ``fullUrl`` of the entry; None means all. A selection that leads nowhere selects nothing (architecture decision 6).
    At most 5,000 entries are read.
    """
    orders: list[Entry] = []
    medications: list[Resource] = []
    broken: list[str] = []
    selected = None if selections is None else _Selected(selections)
    for text in _texts(raw):
        try:
            entry = _ENTRY.decode(text)
            resource = from_json(entry.resource)
        except RecursionError:
            broken.append(TOO_DEEP)
            continue
        except UNREADABLE:
            broken.append(NOT_AN_OBJECT)
            continue
        full_url = words(entry.fullUrl)
        if type(resource.resourceType) is not str:
            broken.append(NO_TYPE)
        elif resource.resourceType == "Medication":
            medications += _under_each_name(resource, full_url)
        elif resource.resourceType in DRAFT_TYPES:
            known = _known_by(resource, full_url)
            orders.append(Entry(known, selected is None or selected.means(known, full_url)))
    return Basket(tuple(orders), tuple(medications), tuple(broken))


def _texts(raw: bytes | msgspec.Raw) -> list[msgspec.Raw]:
    """The text of each entry; one object where a list belongs is one entry."""
    try:
        inside = _BUNDLE.decode(raw).entry
    except UNREADABLE:
        return []
    try:
        return (_LIST.decode(inside) or [])[:ENTRIES_OF_A_PREFETCH]
    except UNREADABLE:
        return [inside]


def _known_by(resource: Resource, full_url: str) -> Resource:
    """The order with its id; one without takes the last segment of its ``fullUrl``, if that is of its type."""
    if isinstance(resource.id, str) and resource.id:
        return resource
    kind, identity = type_and_id(full_url)
    if not identity or kind not in ("", resource.resourceType):
        return resource
    return msgspec.structs.replace(resource, id=identity)


def _under_each_name(medication: Resource, full_url: str) -> list[Resource]:
    """The Medication by its id, and by the last segment of its ``fullUrl``: references of both kinds find it."""
    by_url = _known_by(msgspec.structs.replace(medication, id=None), full_url)
    return [one for one in (medication, by_url) if one.id is not None]


_BUNDLE = msgspec.json.Decoder(_Bundle)
_LIST = msgspec.json.Decoder(list[msgspec.Raw] | None)
_ENTRY = msgspec.json.Decoder(_Entry)
