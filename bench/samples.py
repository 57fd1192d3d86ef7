"""What raw samples say: minima, percentiles, ratios, and whether the machine was too restless to judge."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Final

QUIET: Final = 1.5  # the upper quartile of the control over its lower one, at most

Samples = Sequence[float]  # seconds, in the order they were taken


def percentile(samples: Samples, share: float) -> float:
    """The value under which this share (0 to 1) of the samples lies; the nearest sample, nothing in between."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratio_of_minima(ours: Samples, other: Samples) -> float:
    """For gates: what each costs when nothing gets in its way."""
    return min(ours) / min(other)


def paired_ratio(ours: Samples, other: Samples) -> float:
    """The median of the ratios of samples taken in the same round, for show: slow spells hit both."""
    return statistics.median(one / another for one, another in zip(ours, other, strict=True))


def spread(samples: Samples) -> float:
    """The upper quartile over the lower one."""
    low, _, high = statistics.quantiles(samples, n=4)
    return high / low


def is_noisy(controls: Mapping[str, Samples]) -> bool:
    """Whether a control (a fixed piece of work) took so unequal times that no ratio of this run can be trusted."""
    return any(spread(samples) > QUIET for samples in controls.values())
