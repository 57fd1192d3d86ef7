"""The list of what is installed with the service and under which licence: ``make licences`` writes docs/licences.md.

Names and versions come from requirements/, licences from what each package says about itself, read by pip-licenses.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.repository import ROOT, text_of

PAGE = Path("docs/licences.md")
RUNTIME, IMAGE = Path("requirements/runtime.txt"), Path("requirements/postgres.txt")

# What may be installed with the service. A new one is a decision: what does it ask of us, and of who deploys?
ALLOWED = frozenset(
    {
        "Apache-2.0",
        "BSD",  # two clauses or three: the package does not say
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "Unlicense",
        "0BSD",
        "CC0-1.0",
    }
)
# Copyleft, only for these: used unchanged as a library, in the image and with the extra "postgres" (NOTICE).
ALLOWED_FOR = {"psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only"}

# Older ways of saying the same, as packages write them.
SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


class Package(NamedTuple):
    name: str
    version: str
    licence: str  # an SPDX expression, or what the package says


def pins(path: Path) -> dict[str, str]:
    """Names and versions of a requirements file."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==(\S+)", text_of(path), flags=re.MULTILINE))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, Package]:
    """Every package of the image by name, as it is installed here; one that is not installed is not in it."""
    wanted = pins(IMAGE)
    told = subprocess.run(
        [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json", "--with-system"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = (
        Package(normal(one["Name"]), one["Version"], SPDX.get(one["License"], one["License"]))
        for one in json.loads(told.stdout)
    )
    return {one.name: one for one in found if one.name in wanted}


def parts(licence: str) -> set[str]:
    """The licences an expression names."""
    return set(re.split(r" (?:AND|OR) |; ", licence.replace("(", "").replace(")", "")))


def page(packages: dict[str, Package]) -> str:
    runtime = pins(RUNTIME)
    rows = [
        f"| {one.name} | {one.version} | {one.licence} | {'every installation' if one.name in runtime else 'the image, and the extra `postgres`'} |"
        for one in sorted(packages.values())
    ]
    return "\n".join(
        [
            "# Licences of what is installed",
            "",
            "Made by `make licences`; a test fails when it is not current, or when a licence is not one of those we chose to",
            "live with (`tests/deploy/licences.py`). Versions and hashes stand in `requirements/`; `make sbom` writes the same as",
            "CycloneDX JSON. Licences of the medical terminologies: [what a site needs](../terminology/LICENSING.md).",
            "",
            "| Package | Version | Licence | Part of |",
            "|---|---|---|---|",
            *rows,
            "",
            "psycopg is under the LGPL: it is used unchanged as a library, and whoever runs the image may put another version in its",
            "place. The wheel psycopg-binary brings libpq (PostgreSQL licence) and OpenSSL (Apache-2.0) with it. The image also holds",
            "Python and a Debian base with licences of their own, in `/usr/share/doc` of the image.",
            "",
        ]
    )


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page(installed()), encoding="utf-8")
