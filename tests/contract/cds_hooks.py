"""The CDS Hooks schemas and examples as the tests use them, and what the schemas cannot say."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

HERE = Path(__file__).resolve().parent


@cache
def validator(name: str) -> Draft202012Validator:
    """The schema ``name``.schema.json, ready. Compiled, for every answer that a test is given is judged by it."""
    return Draft202012Validator(json.loads((HERE / "schemas" / f"{name}.schema.json").read_text()))


def faults(name: str, value: Any) -> list[str]:
    """What a schema finds wrong, in words."""
    return [f"{_path(error.instance_path)}: {error.message}" for error in validator(name).iter_errors(value)]


def _path(steps: list[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


@cache
def manifest() -> tuple[dict[str, Any], ...]:
    """The rows of examples/manifest.json."""
    return tuple(json.loads((HERE / "examples" / "manifest.json").read_text()))


def example(file: str) -> bytes:
    """The bytes of an example."""
    return (HERE / "examples" / file).read_bytes()


def empty_members(value: Any, path: str = "$") -> list[str]:
    """Where a member is null or empty, which CDS Hooks forbids but for ``cards`` and ``services`` at the top (A3)."""
    found = []
    if isinstance(value, dict):
        for name, member in value.items():
            if member in (None, "", [], {}) and f"{path}.{name}" not in ("$.cards", "$.services"):
                found.append(f"{path}.{name}")
            found += empty_members(member, f"{path}.{name}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            found += empty_members(member, f"{path}[{number}]")
            if member in (None, "", [], {}):
                found.append(f"{path}[{number}]")
    return found
