import re

import pytest

from service import errors
from service.errors import BadContent, BadSettings, CallRejected, MuscleCdsError


def family(kind, level=0):
    yield level, kind.__name__
    for child in kind.__subclasses__():
        if child.__module__ in ("service.errors", "terminology.errors"):
            yield from family(child, level + 1)


def test_the_tree_in_the_docstring_is_the_family():
    rows = (
        re.match(r"((?:│  |   )*)((?:├─ |└─ )?)([A-Z]\w+)(?: {2,}|$)", line) for line in errors.__doc__.splitlines()
    )
    drawn = [(len(row[1]) // 3 + bool(row[2]), row[3]) for row in rows if row]

    assert drawn[0] == (0, "MuscleCdsError")
    assert sorted(drawn) == sorted(family(MuscleCdsError))


@pytest.mark.parametrize("kind", CallRejected.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_status_of_its_own_that_the_tree_tells(kind):
    assert 400 <= kind.status < 500 or kind.status == 503  # R1: not now
    assert re.search(rf"{kind.__name__} +{kind.status}\b", errors.__doc__)


def test_what_is_found_at_the_start_is_no_refusal_of_a_call():
    assert not issubclass(BadContent, CallRejected)
    assert not issubclass(BadSettings, CallRejected)
