"""The site's overlay: local codes that a hospital adds to a concept, or takes away from it. See docs/local-codes.md.

The file is TOML and not a spreadsheet on purpose: spreadsheets round the last digits of long SNOMED CT identifiers.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
import tomli

from terminology.coding import Coding
from terminology.errors import BadContent
from terminology.lookup import Codes, CodeTables, mixed
from terminology.shapes import ALIKE, SHAPES, normal

_KEYS: Final = ("concept", "system", "code", "display", "reviewer", "date", "reason")
_HEADING: Final = re.compile(r"^\s*\[\[\s*(add|remove)\s*\]\]", re.MULTILINE)
_ADDRESS: Final = re.compile(r"(https?://|urn:)[^\s|]+")
_LONGEST_CODE: Final = 100


class Change(msgspec.Struct, frozen=True):
    """One reviewed change. ``act`` is add or remove; ``place`` is file and line."""

    act: str
    place: str
    concept: str
    system: str
    code: str
    display: str
    reviewer: str
    date: date
    reason: str


def apply(path: Path, tables: CodeTables, content_hash: str) -> str:
    """Changes the tables as the overlay says, and gives the hash of the changed content.

    Raises BadContent, naming file and line, if the file or one of its changes cannot be trusted.
    """
    changes = read(path)
    seen: dict[tuple[str, str, str], Change] = {}
    for change in changes:
        key = (change.concept, change.system, change.code)
        if key in seen:
            raise BadContent(
                f"{change.place}: {change.code} for {change.concept} stands at {seen[key].place} too. Keep one."
            )
        seen[key] = change
        _enact(change, tables)
    lines = (f"{c.act} {c.concept} {c.system} {c.code} {c.display} {c.reviewer} {c.date} {c.reason}" for c in changes)
    return mixed(content_hash, *lines)


def read(path: Path) -> tuple[Change, ...]:
    """The changes of an overlay file, in its order. Raises BadContent if one lacks what a reviewer must give."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # -sig: without the mark of editors on Windows
        found = tomli.loads(text)
    except OSError:
        raise BadContent(f"{path.name}: the overlay file cannot be read. Check its name and permissions.") from None
    except UnicodeDecodeError:
        raise BadContent(f"{path.name}: the file is not UTF-8 text. Save it again as UTF-8.") from None
    except tomli.TOMLDecodeError as error:
        raise BadContent(f"{path.name}: {error}. Correct the TOML there.") from None
    if unknown := sorted(set(found) - {"add", "remove"}):
        raise BadContent(
            f"{path.name}: there is no {unknown[0]!r} in an overlay. Write [[add]] or [[remove]] above each code."
        )
    return tuple(_changes(path.name, text, found))


def _changes(file: str, text: str, found: Mapping[str, Any]) -> Iterator[Change]:
    """Changes in file order. The n-th heading of a kind belongs to the n-th table of that kind."""
    waiting: dict[str, list[Any]] = {}
    for act, entries in found.items():
        if not isinstance(entries, list):
            raise BadContent(f"{file}: write [[{act}]] with two brackets on each side above each code.")
        waiting[act] = list(entries)
    for heading in _HEADING.finditer(text):
        act = heading[1]
        if waiting.get(act):
            line = text.count("\n", 0, heading.start(1)) + 1
            yield _change(act, f"{file}, line {line}", waiting[act].pop(0))
    for act, entries in waiting.items():
        if entries:
            raise BadContent(f"{file}: write each {act} under a heading [[{act}]] on a line of its own.")


def _change(act: str, place: str, entry: Any) -> Change:
    if not isinstance(entry, dict):
        raise BadContent(f"{place}: write each {act} under a heading [[{act}]] on a line of its own.")
    if unknown := sorted(set(entry) - set(_KEYS)):
        raise BadContent(f"{place}: there is no {unknown[0]!r} in an overlay. Write {', '.join(_KEYS)}.")
    texts: dict[str, str] = {}
    for key in _KEYS:
        value = entry.get(key)
        if key == "date":
            continue
        if not isinstance(value, str) or not value.strip():
            raise BadContent(f"{place}: {key} is missing. Write it as text between double quotes.")
        texts[key] = value.strip()
    return Change(act=act, place=place, date=_reviewed(place, entry.get("date")), **texts)


def _reviewed(place: str, value: Any) -> date:
    if type(value) is date:
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise BadContent(f"{place}: date is missing or no day. Write the day of the review, such as date = 2026-03-01.")


def _enact(change: Change, tables: CodeTables) -> None:
    about = tables.about.get(change.concept)
    if about is None:
        raise BadContent(
            f"{change.place}: there is no concept {change.concept!r}. See terminology/titles.toml for those there are."
        )
    system, code = _key(change, tables)
    wanted = [tables.of(about)] if about != "medicine" else [tables.by_code, tables.by_brand]
    if change.act == "add":
        _may_be_added(change, about, system, code, tables)
        _put(wanted[0], system, code, change.concept)
        if about != "medicine":
            tables.search.setdefault(change.concept, {}).setdefault(system, []).append(code)
        if about == "order":
            _offer(change, tables)
        return
    taken = [_take(table, system, code, change.concept) for table in wanted]  # each of them, not only the first
    if not any(taken):
        raise BadContent(
            f"{change.place}: {change.code} does not stand for {change.concept} in the tables as they are loaded, so "
            "it cannot be removed. Take this entry away, or correct system, code or concept."
        )
    codes = tables.search.get(change.concept, {}).get(system, [])
    if code in codes:
        codes.remove(code)
    if about == "order":
        sent = (change.system, change.code)
        offered = tables.offers.get(change.concept, ())
        tables.offers[change.concept] = tuple(coding for coding in offered if (coding.system, coding.code) != sent)


def _offer(change: Change, tables: CodeTables) -> None:
    """A code added to an order is sent with it, unless a coding of the same system is sent already."""
    offered = tables.offers.get(change.concept, ())
    if all(coding.system != change.system for coding in offered):
        tables.offers[change.concept] = (*offered, Coding(change.system, change.code, change.display))


def _key(change: Change, tables: CodeTables) -> tuple[str, str]:
    """System and code as the tables hold them, after the same checks of shape that our own rows pass."""
    system = tables.systems.get(change.system)
    if system is None:
        if _ADDRESS.fullmatch(change.system) is None:
            raise BadContent(
                f"{change.place}: the system {change.system!r} is not an address. Write the address that the "
                "laboratory or the record system puts into 'system', such as https://lab.example/codes."
            )
        if len(change.code) > _LONGEST_CODE or "|" in change.code:
            raise BadContent(f"{change.place}: a code has at most {_LONGEST_CODE} characters and no '|'. Correct it.")
        return change.system, change.code
    fits = SHAPES.get(system)
    if fits is None or not fits(change.code):
        raise BadContent(
            f"{change.place}: {change.code!r} cannot be a code of {change.system} (shape or check digit). Look it up "
            "again. If it is a code of your own, give it the system of your own."
        )
    return ALIKE.get(system, system), normal(system, change.code)


def _may_be_added(change: Change, about: str, system: str, code: str, tables: CodeTables) -> None:
    known = tables.of(about).get(system, {}).get(code, frozenset())
    if change.concept in known:
        raise BadContent(f"{change.place}: {change.code} stands for {change.concept} already. Take this entry away.")
    excluded = tables.excluded.get(system, {}).get(code) if about == "result" else None
    not_that = tables.not_problems.get(system, {}).get(code, frozenset()) if about == "problem" else frozenset()
    if excluded or change.concept in not_that:
        raise BadContent(
            f"{change.place}: {change.code} is excluded: it must not be read as {change.concept} "
            "(value_sets/results_excluded.csv or value_sets/problems.csv says why). Take this entry away."
        )
    if about == "result" and known:
        raise BadContent(
            f"{change.place}: {change.code} stands for {', '.join(sorted(known))} already, and a result is one thing. "
            "Remove it there first, if that is wrong."
        )


def _put(table: Codes, system: str, code: str, concept: str) -> None:
    codes = table.setdefault(system, {})
    codes[code] = codes.get(code, frozenset()) | {concept}


def _take(table: Codes, system: str, code: str, concept: str) -> bool:
    codes = table.get(system, {})
    meaning = codes.get(code, frozenset())
    if concept not in meaning:
        return False
    if rest := meaning - {concept}:
        codes[code] = rest
    else:
        del codes[code]
    return True
