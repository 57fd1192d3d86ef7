"""How values and names are put into a sentence. It needs no content, so topics may share it."""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Final

from cards.entries import Result

_MOST_PLACES: Final = 9  # decimals of a ratio; results and limits are far too coarse to need more


def value_of(result: Result) -> str:
    """The value with its comparator: ``3.1``, ``>5000``."""
    sign = "" if result.comparator is None else result.comparator.value
    return f"{sign}{result.value}"


def ratio_of(value: Decimal, limit: Decimal, marks: Iterable[Decimal] = ()) -> str:
    """A multiple of the upper limit, rounded down so that it never reads higher than it is.

    Two decimals at most, unless a value above one of the ``marks`` would then read as the mark itself: 301 of 200 with
    the mark 1.5 reads 1.505, not 1.5.
    """
    exact, marked = value / limit, frozenset(marks)
    for places in range(2, _MOST_PLACES + 1):
        shown = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN)
        if shown == exact or shown not in marked:
            break
    return f"{shown.normalize():f}"


def inside_a_sentence(title: str) -> str:
    """A title as it stands inside a sentence: ``optic neuritis``, but ``AV block``."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def listed(names: Iterable[str]) -> str:
    """``U&E, calcium and TSH``, each once."""
    once = list(dict.fromkeys(names))
    return " and ".join([", ".join(once[:-1]), once[-1]] if len(once) > 1 else once)
