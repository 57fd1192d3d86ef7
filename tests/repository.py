"""Which files belong to the project, for the tests that look at the project itself."""

import os
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("terminology", "cards", "service")


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, relative to its root: what git tracks or would track. Without git, what is there."""
    asked = (
        subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if (ROOT / ".git").exists()
        else None
    )
    names = asked.stdout.split("\0") if asked and asked.returncode == 0 else _walk()
    return tuple(sorted(Path(name) for name in names if name and (ROOT / name).is_file()))


def modules() -> tuple[Path, ...]:
    """Every Python module of the three packages."""
    return tuple(path for path in project_files() if path.parts[0] in PACKAGES and path.suffix == ".py")


def pages() -> tuple[Path, ...]:
    """Every Markdown page."""
    return tuple(path for path in project_files() if path.suffix == ".md")


def text_of(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _walk() -> Iterator[str]:
    made_by_tools = [line.strip("/ ") for line in text_of(Path(".gitignore")).splitlines() if line.strip()] + [".git"]
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not any(fnmatch(name, pattern) for pattern in made_by_tools)]
        for name in files:
            if not any(fnmatch(name, pattern) for pattern in made_by_tools):
                yield str((Path(folder) / name).relative_to(ROOT))
