"""Values given only as less or more than a number that does not decide, such as potassium "<6.0" (3.8 no. 15).

They are unusable: an older value that can be read counts in their place, and they are named under "Not known".
"""

from dataclasses import replace

from cards.bands import Bands, Ungraded
from cards.chart import Area, Chart, Result, Unread
from terminology.vocabulary import Vocabulary


def set_aside(chart: Chart, bands: Bands, vocabulary: Vocabulary) -> Chart:
    """The chart with such values moved from the results to the unread entries; itself if there are none.

    Analytes without bands (total calcium, albumin, the thyroid hormones) are left to the topics that read them.
    """
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
    return bands.grade(result, vocabulary.analytes[result.analyte], chart.person) is Ungraded.COMPARATOR


def _unread(result: Result, vocabulary: Vocabulary) -> Unread:
    sign = "" if result.comparator is None else result.comparator.value
    unit = vocabulary.analytes[result.analyte].unit
    why = f"{sign}{result.value} {unit}, {Ungraded.COMPARATOR.value}"
    return Unread(Area.RESULTS, result.analyte, why, result.source, result.when)
