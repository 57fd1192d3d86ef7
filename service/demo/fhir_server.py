"""A small read-only FHIR R4 server that holds the synthetic patients, for the demo profile alone.

It lets a newcomer see the other road of CDS Hooks, in which the service fetches what was not sent, without a second
process. It knows reads, and searches by ``patient`` (or ``subject``), ``code`` and ``_id``; it answers newest first,
in pages of ``_count``. Other parameters are not applied, and the self link names those that were, as FHIR asks.
What a patient's file says was refused is refused here too.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from service.demo.synthetic import patients

Json = dict[str, Any]

PAGE = 100
"""Matches of a page where ``_count`` does not say."""
MOST = 250
"""Matches of a page at most."""

_MOST_DIGITS = 5  # of a number in a search; there are not that many resources
_APPLIED = ("patient", "subject", "code", "_id", "_count", "_offset")
_DATES = ("effectiveDateTime", "recordedDate", "authoredOn", "performedDateTime", "date", "birthDate")
_CODES = ("code", "medicationCodeableConcept")


def read(kind: str, one: str, today: date) -> Json | None:
    """The resource of a type and an id, or None."""
    return next((found for found in _of(kind, today) if found["id"] == one), None)


def search(kind: str, asked: Mapping[str, str], base: str, today: date) -> tuple[int, Json]:
    """The status and the body of a search of one type: a searchset, or the refusal of a patient's record."""
    whom = _last(asked.get("patient") or asked.get("subject") or "")
    for patient in patients().values():
        if patient.id == whom and kind in patient.refused():
            return 403, patient.refused()[kind]
    found = sorted((one for one in _of(kind, today) if _matches(one, whom, asked)), key=_newest, reverse=True)
    size = min(_whole(asked.get("_count"), PAGE), MOST)
    start = _whole(asked.get("_offset"), 0)
    page = found[start : start + size]
    applied = {name: asked[name] for name in _APPLIED if name in asked}
    links = [{"relation": "self", "url": f"{base}/{kind}{_query(applied)}"}]
    if page and start + size < len(found):
        following = applied | {"_offset": str(start + size)}
        links.append({"relation": "next", "url": f"{base}/{kind}{_query(following)}"})
    entries = [{"fullUrl": f"{base}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in page]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
    return 200, bundle | ({"entry": entries} if entries else {})


def capabilities(today: date) -> Json:
    """The CapabilityStatement, by which a client sees that this is FHIR R4."""
    can = [{"code": "read"}, {"code": "search-type"}]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": today.isoformat(),
        "kind": "instance",
        "implementation": {"description": "Synthetic patients of the muscle-cds demo: no person is behind any of them"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": [{"type": kind, "interaction": can} for kind in sorted(_all(today))]}],
    }


@lru_cache(maxsize=1)
def _all(today: date) -> Mapping[str, tuple[Json, ...]]:
    """The resources of a day by type, without those that are refused. Nobody changes them."""
    found: dict[str, list[Json]] = {}
    for patient in patients().values():
        for one in patient.records(today):
            if one["resourceType"] not in patient.refused():
                found.setdefault(one["resourceType"], []).append(one)
    return {kind: tuple(resources) for kind, resources in found.items()}


def _of(kind: str, today: date) -> tuple[Json, ...]:
    return _all(today).get(kind, ())


def _matches(one: Json, whom: str, asked: Mapping[str, str]) -> bool:
    if whom and whom != (one["id"] if one["resourceType"] == "Patient" else _patient_of(one)):
        return False
    if "_id" in asked and one["id"] not in asked["_id"].split(","):
        return False
    return "code" not in asked or bool(
        _codes_of(one) & {token.rpartition("|")[2] for token in asked["code"].split(",")}
    )


def _patient_of(one: Json) -> str:
    reference: Json = one.get("subject") or one.get("patient") or {}
    return _last(reference.get("reference", ""))


def _codes_of(one: Json) -> set[str]:
    concept: Json = next((one[name] for name in _CODES if name in one), {})
    return {coding["code"] for coding in concept.get("coding", ())}


def _newest(one: Json) -> str:
    period = one.get("effectivePeriod", {})
    return str(next((one[name] for name in _DATES if name in one), period.get("start", "")))


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]


def _whole(text: str | None, otherwise: int) -> int:
    is_whole = text is not None and text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if text is not None and is_whole else otherwise


def _query(applied: Mapping[str, str]) -> str:
    return f"?{urlencode(applied)}" if applied else ""
