"""What the tests of this folder count, printed at the end of a run: how much was compared is to be seen, not only that."""

from collections import Counter, defaultdict

import pytest

TALLY = pytest.StashKey[defaultdict[str, Counter[str]]]()


def count_of(config: pytest.Config, what: str) -> Counter[str]:
    """The count of one counterpart, begun at nought."""
    return config.stash.setdefault(TALLY, defaultdict(Counter))[what]


def given(config: pytest.Config) -> dict[str, dict[str, int]]:
    """All counts of this process, for another one to :func:`take`."""
    return {what: dict(count) for what, count in config.stash.get(TALLY, {}).items()}


def take(config: pytest.Config, counts: dict[str, dict[str, int]]) -> None:
    """Add what another process counted."""
    for what, count in counts.items():
        count_of(config, what).update(count)


def show(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the counts."""
    for which, count in config.stash.get(TALLY, {}).items():
        terminalreporter.write_line(f"{which}: " + ", ".join(f"{number} {what}" for what, number in count.items()))
