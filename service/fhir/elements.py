"""Small tolerant accessors for elements of a resource: what is there is taken, what is not there is empty.

Nothing here raises, whatever JSON stands in the element (rule R10). Real records put objects where FHIR wants lists,
lists where it wants one object, and text where it wants numbers.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from service.fhir.resource import opened
from terminology.coding import Pair

_NO_PAIRS: Final[tuple[Pair, ...]] = ()
_WIDEST: Final = 20  # a power of ten no laboratory value of ours comes near; bounds the cost of arithmetic
_LONGEST_INTEGER: Final = 64  # bits


def words(value: Any) -> str:
    """The text, without white space around it; "" if it is not text."""
    return value.strip() if isinstance(value, str) else ""


def member(value: Any, name: str) -> Any:
    """The member of a JSON object; None if it is absent or the value is no object."""
    if type(value) is msgspec.Raw:
        value = opened(value)
    return value.get(name) if isinstance(value, dict) else None


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object of a list, or the one object that stands where a list belongs."""
    if type(value) is msgspec.Raw:
        value = opened(value)
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item


class _Coding(msgspec.Struct, gc=False):
    system: str = ""
    code: str = ""
    display: str = ""


class Coded(msgspec.Struct, gc=False):
    """A CodeableConcept as it ought to be written: with a list of codings, and texts where texts belong."""

    coding: list[_Coding]
    text: str = ""


def coded(concept: msgspec.Raw) -> Coded | None:
    """A concept that was kept as text, if it is written as it ought to be, as nearly every sender does; else None.

    Such a one need not be looked at member by member, and the accessors below say the same of it.
    """
    try:
        return _CODED.decode(concept)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


_CODED: Final = msgspec.json.Decoder(Coded)

_ABSENT_REASONS: Final = frozenset(
    {"http://terminology.hl7.org/CodeSystem/data-absent-reason", "http://hl7.org/fhir/data-absent-reason"}
)
_NOT_TOLD: Final = frozenset(
    {
        *("unknown", "asked-unknown", "temp-unknown", "not-asked", "asked-declined"),
        *("masked", "not-permitted", "unsupported", "error"),
    }
)
"""Codes of data-absent-reason (STU3, DSTU2: under its older address) that stand where a code is not known or not told.
The others say that there is no code to tell, or that the text has it."""

_NO_INFORMATION: Final = ("http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips", "no-medication-info")
"""The International Patient Summary: "No information about medications", which is not "No known medications"."""


def is_left_unsaid(concept: Any) -> bool:
    """Whether a concept only says that what it would name is not known, or not told.

    A text of its own names it after all: one that does not just repeat the reason.
    """
    if type(concept) is Coded:
        plain: Coded | None = concept
    elif type(concept) is msgspec.Raw:
        plain = coded(concept)
    else:
        try:
            plain = msgspec.convert(concept, Coded)
        except msgspec.ValidationError:
            plain = None
    if plain is None or not plain.coding:
        return False
    if any((one.system, one.code) == _NO_INFORMATION for one in plain.coding):
        return True
    if not all(one.system in _ABSENT_REASONS and one.code in _NOT_TOLD for one in plain.coding):
        return False
    text = plain.text.strip().casefold()
    return not text or any(text in (one.display.strip().casefold(), one.code) for one in plain.coding)


def pairs(concept: Any) -> tuple[Pair, ...]:
    """System and code of every coding of a CodeableConcept, of a list of them, or of a lone Coding."""
    if concept is None:
        return _NO_PAIRS
    if type(concept) is msgspec.Raw:
        plain = coded(concept)
        return _any_pairs(opened(concept)) if plain is None else pairs_of(plain)
    return _any_pairs(concept)


def pairs_of(plain: Coded) -> tuple[Pair, ...]:
    """System and code of every coding of a concept that is written as it ought to be."""
    if len(plain.coding) == 1 and (only := plain.coding[0]).code:
        return ((only.system, only.code),)
    return tuple([(one.system, one.code) for one in plain.coding if one.code])


def _any_pairs(concept: Any) -> tuple[Pair, ...]:
    """System and code of every coding, however it is written."""
    found: list[Pair] = []
    for one in objects(concept):
        inside = one.get("coding")
        for coding in objects(one if inside is None else inside):
            code = coding.get("code")
            if type(code) is int and code.bit_length() <= _LONGEST_INTEGER:
                code = str(code)
            if isinstance(code, str) and code:
                system = coding.get("system")
                found.append((system if isinstance(system, str) else "", code))
    return tuple(found)


def code_words(value: Any) -> frozenset[str]:
    """The codes of a status, in lower case: R4 writes a CodeableConcept where STU3 and DSTU2 write a plain code.

    A concept without a coding is taken by its text ("Active").
    """
    if type(value) is msgspec.Raw:
        value = opened(value)
    if isinstance(value, str):
        return frozenset((value.strip().lower(),)) if value.strip() else frozenset()
    codes = frozenset(code.strip().lower() for _, code in pairs(value))
    if codes:
        return codes
    return frozenset(words(one.get("text")).lower() for one in objects(value)) - {""}


def said(concept: Any) -> tuple[str, ...]:
    """The words of a concept: its text, then the displays of its codings, none of them empty."""
    found: list[str] = []
    for one in objects(concept):
        found.append(words(one.get("text")))
        found.extend(words(coding.get("display")) for coding in objects(one.get("coding")))
        if "coding" not in one:
            found.append(words(one.get("display")))
    return tuple(text for text in found if text)


def number(value: Any) -> Decimal | None:
    """A JSON number that arithmetic can bear; None for anything else, for text, true and false, and 1e999999."""
    if type(value) is Decimal:
        return value if value.is_finite() and -_WIDEST <= value.adjusted() <= _WIDEST else None
    if type(value) is int:
        return Decimal(value) if value.bit_length() <= _LONGEST_INTEGER else None
    if type(value) is float:
        return number(Decimal(repr(value)))
    return None


def contained(resources: Any, identity: str, kind: str) -> dict[str, Any] | None:
    """The contained resource that ``#identity`` refers to, if it is of that type."""
    for one in objects(resources):
        if one.get("resourceType") == kind and words(one.get("id")).removeprefix("#") == identity:
            return one
    return None
