"""Codes that are numbers, kept in a tenth of the memory that a look-up table of texts takes.

The codes of medicines are some 43,000, of which a record holds a handful. They stay as they stand in the index, in the
order of their size, and one is found by halving: about half a microsecond, and only the first time, since what a code
of our tables means is remembered (vocabulary.py).
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from terminology.index import Numbers

#: Digits that a code may have: every such number has room in eight bytes.
MOST_DIGITS: Final = 19

_NONE: Final[frozenset[str]] = frozenset()


def is_number(code: str) -> bool:
    """Whether a code is a number as it would be printed, and not too large."""
    return len(code) <= MOST_DIGITS and code.isascii() and code.isdigit() and code[0] != "0"


def packed(codes: Iterable[tuple[str, int]]) -> Numbers:
    """Codes for which :func:`is_number` holds, each with the number of its group."""
    ordered = sorted((int(code), group) for code, group in codes)
    return Numbers(_bytes("Q", [code for code, _ in ordered]), _bytes("H", [group for _, group in ordered]))


class Numbered:
    """What the codes of one system mean; asked and changed like a table of texts."""

    def __init__(self, numbers: Numbers, meanings: Sequence[frozenset[str]]) -> None:
        """``meanings``: by number of the group; an empty one means nothing."""
        self._codes, self._groups = _array("Q", numbers.codes), _array("H", numbers.groups)
        self._meanings = meanings
        self._changed: dict[str, frozenset[str]] = {}  # by the overlay of the site; an empty one was taken away

    def get(self, code: str, default: frozenset[str] = _NONE, /) -> frozenset[str]:
        """What a code means; the default if nothing."""
        return (self._changed[code] if code in self._changed else self._found(code)) or default

    def __setitem__(self, code: str, meaning: frozenset[str]) -> None:
        self._changed[code] = meaning

    def __delitem__(self, code: str) -> None:
        self._changed[code] = _NONE

    def update(self, meanings: Mapping[str, frozenset[str]]) -> None:
        """Add codes, or change what they mean."""
        self._changed.update(meanings)

    def _found(self, code: str) -> frozenset[str]:
        if not is_number(code):
            return _NONE
        number = int(code)
        place = bisect_left(self._codes, number)
        if place == len(self._codes) or self._codes[place] != number:
            return _NONE
        return self._meanings[self._groups[place]]


def _array(kind: str, raw: bytes) -> "array[int]":
    return _lowest_first(array(kind, raw))


def _bytes(kind: str, numbers: Sequence[int]) -> bytes:
    return _lowest_first(array(kind, numbers)).tobytes()


def _lowest_first(numbers: "array[int]") -> "array[int]":
    """With the lowest byte first, or from that to the order of this machine."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
