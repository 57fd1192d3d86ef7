"""The unsigned orders in the context of order-select and order-sign, as far as the protocol goes (requirements D2-D7).

Only that they are a Bundle is looked at here; what each of them orders is read by the FHIR side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from service.errors import BadCall

WITH_SELECTIONS: Final = frozenset({"order-select"})
"""Hooks whose context names the orders the call is about. The others are about every draft."""


@dataclass(frozen=True, slots=True)
class DraftOrders:
    """``bundle``: JSON text of the Bundle of drafts, not yet read. ``selections``: which of them the call is about,
    as they were written, none of them if the list is empty; None if it is about all: order-sign, or a client that
    sends no selections at all (requirement D3, the examples' manifest; docs/decisions/0006).
    """

    bundle: msgspec.Raw = field(repr=False)
    selections: tuple[str, ...] | None = field(default=None, repr=False)


class _Typed(msgspec.Struct):
    resourceType: Any = None  # noqa: N815 -- FHIR's own spelling


_TYPED: Final = msgspec.json.Decoder(_Typed)
_ANY: Final = msgspec.json.Decoder()


def read_draft_orders(context: Mapping[str, msgspec.Raw], hook: str) -> tuple[DraftOrders, str]:
    """The drafts of a context, and a word for the log if what should tell them apart is missing.

    Raises BadCall if there is no Bundle of drafts: the order hooks are about nothing else.
    """
    bundle = context.get("draftOrders")
    if bundle is None:
        raise BadCall("context.draftOrders is missing: send the Bundle of unsigned orders.")
    try:
        kind = _TYPED.decode(bundle).resourceType
    except (msgspec.DecodeError, UnicodeDecodeError):
        kind = None
    if kind != "Bundle":
        raise BadCall("context.draftOrders is not a Bundle: send the unsigned orders as the entries of a FHIR Bundle.")
    if hook not in WITH_SELECTIONS:
        return DraftOrders(bundle), ""
    selections = _selections(context.get("selections"))
    return DraftOrders(bundle, selections), _ODD.get(selections, "")


_ODD: Final[dict[tuple[str, ...] | None, str]] = {None: "selections-missing", (): "selections-empty"}


def _selections(raw: msgspec.Raw | None) -> tuple[str, ...] | None:
    """The selections that are text; None if no list of them was sent."""
    try:
        sent = None if raw is None else _ANY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if sent is None or not isinstance(sent, list | str):
        return None
    listed = sent if isinstance(sent, list) else [sent]
    return tuple(text for one in listed if isinstance(one, str) and (text := one.strip()))
