"""What the tests of this folder count, printed at the end of a run: how much was compared is to be seen, not only that."""

from collections import Counter, defaultdict

import pytest

TALLY = pytest.StashKey[defaultdict[str, Counter[str]]]()


def count_of(config: pytest.Config, what: str) -> Counter[str]:
    """The count of one counterpart, begun at nought."""
    return config.stash.setdefault(TALLY, defaultdict(Counter))[what]
