"""Where settings are written: the TOML file that MUSCLE_CDS_CONFIG names, and MUSCLE_CDS_... variables.

Both are read against the rows of the table of settings; a name that is not in it stops the start. A row's metadata may
hold ``key``, its name in the file where that is another; ``file_only``, if it has no variable; and ``secret``, if it
may hold a password: then it comes from the environment, or from a file of its own that ``..._FILE`` names (R18).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field
from pathlib import Path
from typing import Any

import tomli

from service import values
from service.errors import BadSettings

PREFIX = "MUSCLE_CDS_"

Rows = Sequence[Field[Any]]


def key_of(row: Field[Any]) -> str:
    """The key of a setting in the TOML file."""
    return str(row.metadata.get("key", row.name))


def place_of(row: Field[Any]) -> str:
    """Where a setting is given: its variable, or its tables in the file where it can only stand there."""
    return f"[[{key_of(row)}]]" if row.metadata.get("file_only") else PREFIX + row.name.upper()


def _known(rows: Rows) -> str:
    return ", ".join(key_of(row) for row in rows)


def from_environment(environment: Mapping[str, str], rows: Rows) -> Iterator[tuple[str, str]]:
    """The settings in the environment, by name, unread. Raises BadSettings for a variable that is none."""
    names = {row.name for row in rows if not row.metadata.get("file_only")}
    secret = {row.name for row in rows if row.metadata.get("secret")}
    for variable, value in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable == PREFIX + "CONFIG":
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name.removesuffix("_file") in secret and name.endswith("_file") and variable == variable.upper():
            if variable.removesuffix("_FILE") in environment:
                raise BadSettings(f"{variable} and {variable.removesuffix('_FILE')} are both set: only one can count.")
            yield name.removesuffix("_file"), _secret_in(variable, value)
            continue
        if name not in names or variable != variable.upper():
            raise BadSettings(
                f"{variable} is not a setting. Known are {PREFIX}CONFIG and {PREFIX}... of: {_known(rows)}."
            )
        yield name, value


def _secret_in(variable: str, path: str) -> str:
    """The text of the file that ``..._FILE`` names, as container platforms hand out secrets."""
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip()  # -sig: without the mark of editors on Windows
    except (OSError, UnicodeDecodeError):
        raise BadSettings(f"The file that {variable} names cannot be read.") from None


def from_file(path: str, rows: Rows) -> dict[str, object]:
    """The settings in the file, by name, unread. Raises BadSettings."""
    try:
        written = tomli.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError:
        raise BadSettings(f"The file that {PREFIX}CONFIG names cannot be read.") from None
    except UnicodeDecodeError:
        raise BadSettings(f"The file that {PREFIX}CONFIG names is not UTF-8 text. Save it again as UTF-8.") from None
    except tomli.TOMLDecodeError as why:
        raise BadSettings(f"The file that {PREFIX}CONFIG names is not TOML: {why}.") from None
    by_key = {key_of(row): row for row in rows}
    for key in written:
        if key not in by_key:
            raise BadSettings(f"{key!r} in the file that {PREFIX}CONFIG names is not a setting. Known: {_known(rows)}.")
        if by_key[key].metadata.get("secret") and values.has_password(written[key]):
            variable = PREFIX + key.upper()
            raise BadSettings(
                f"{key} holds a password: give it as {variable}, or name a file that holds it in {variable}_FILE."
            )
    return {by_key[key].name: value for key, value in written.items()}
