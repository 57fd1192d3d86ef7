"""Requests that were good, and are damaged in a few places: members taken away, changed, moved, doubled; bytes flipped."""

import copy
import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from hypothesis import strategies as st

Json: TypeAlias = Any
Path: TypeAlias = tuple[str | int, ...]

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
ODD: list[Json] = [
    None, True, 0, -1, 1.5, 1e308, 10**30, "", " ", "null", "\u202e", "\0", "<b>x</b>", "[x](http://evil.example)", "a" * 5_000,
    "1899-13-45", "2026", "9999-12-31T23:59:60Z", "http://loinc.org", "entered-in-error", "Patient/other", "#contained",
    [], {}, [[]], [None], {"resourceType": "Bundle"}, OUTCOME, {"coding": [{}]}, {"value": "<0.1"}, {"reference": 7},
]  # fmt: skip


def places(value: Json, path: Path = ()) -> Iterator[Path]:
    """Every place in a JSON value below its root."""
    members: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from places(member, (*path, key))


def at(value: Json, path: Path) -> Json:
    for key in path:
        value = value[key]
    return value


@st.composite
def mutated(draw: st.DrawFn, bases: tuple[Json, ...]) -> tuple[Json, bytes]:
    """One of the good requests, and the bytes of it after one to six mutations."""
    base = draw(st.sampled_from(bases))
    changed = copy.deepcopy(base)
    for _ in range(draw(st.integers(1, 6))):
        found = list(places(changed))
        if not found:
            break
        # The upper part of a request decides more than the depth of a resource, so it is met as often.
        shallow = [path for path in found if len(path) <= 3]
        *above, key = draw(st.sampled_from(draw(st.sampled_from([found, shallow or found]))))
        parent = at(changed, tuple(above))
        match draw(st.sampled_from(["drop", "odd", "odd", "swap", "double", "wrap", "add"])):
            case "drop":
                del parent[key]
            case "odd":
                parent[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "swap":
                parent[key] = copy.deepcopy(at(changed, draw(st.sampled_from(found))))
            case "double" if isinstance(parent, list):
                parent.extend([copy.deepcopy(parent[key])] * draw(st.integers(1, 30)))
            case "wrap":
                parent[key] = draw(st.sampled_from([[parent[key]], {"value": parent[key]}, {"entry": [parent[key]]}]))
            case _ if isinstance(parent, dict):
                parent[draw(st.sampled_from(["extension", "_status", "x" * 300, "\ud7ff", "contained"]))] = parent[key]
    raw = json.dumps(changed, ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")
    if draw(st.integers(0, 9)) == 0 and raw:  # one in ten loses its form as well
        place = draw(st.integers(0, len(raw) - 1))
        raw = (
            raw[:place]
            + draw(st.sampled_from([b"", b"\x00", b"\xff", b'"', b"{", b"NaN", b"\\ud800", raw[:40]]))
            + raw[place + 1 :]
        )
    return base, raw
