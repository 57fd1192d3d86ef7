"""Values given only as less or more than a number that does not decide, such as potassium "<6.0" (3.8 no. 15).

They are unusable: an older value that can be read counts in their place, and they are named under "Not known".
"""

from dataclasses import replace
from typing import Final

from cards.bands import Bands, Ungraded
from cards.calcium import ALBUMIN, TOTAL
from cards.chart import Chart
from cards.entries import Area, Result, Unread
from terminology.vocabulary import Vocabulary

_CALCULATED_WITH: Final = frozenset({TOTAL, ALBUMIN})
"""What is only used to work out adjusted calcium, which takes a number."""


def set_aside(chart: Chart, bands: Bands, vocabulary: Vocabulary) -> Chart:
    """The chart with such values moved from the results to the unread entries; itself if there are none."""
    undecided = [r for r in chart.results if r.comparator is not None and _is_undecided(r, chart, bands, vocabulary)]
    if not undecided:
        return chart
    unread = [*chart.unread, *(_unread(r, vocabulary) for r in undecided)]
    moved = frozenset(undecided)
    return replace(
        chart,
        results=tuple(r for r in chart.results if r not in moved),
        unread=tuple(sorted(unread, key=lambda entry: (entry.source, entry.about, entry.why))),
    )


def _is_undecided(result: Result, chart: Chart, bands: Bands, vocabulary: Vocabulary) -> bool:
    if result.analyte in _CALCULATED_WITH:
        return True
    if bands.of(result.analyte):
        return bands.grade(result, vocabulary.analytes[result.analyte], chart.person) is Ungraded.COMPARATOR
    return not _lies_on_one_side(result)


def _lies_on_one_side(result: Result) -> bool:
    """Whether every value that the comparator allows is low, or every one high, by the range sent and no other."""
    if result.limits is None:
        return False
    low, high = result.limits.low, result.limits.high
    return (low is not None and result.is_below(low)) or (high is not None and result.is_above(high))


def _unread(result: Result, vocabulary: Vocabulary) -> Unread:
    sign = "" if result.comparator is None else result.comparator.value
    unit = vocabulary.analytes[result.analyte].unit
    why = f"{sign}{result.value} {unit}, {Ungraded.COMPARATOR.value}"
    return Unread(Area.RESULTS, result.analyte, why, result.source, result.when)
