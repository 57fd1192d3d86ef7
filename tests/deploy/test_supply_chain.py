"""R19: what ships is pinned by hash, listed with its licence, written down as an SBOM, and audited or said not to be."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.licences import ALLOWED, ALLOWED_FOR, IMAGE, PAGE, RUNTIME, installed, page, parts, pins
from tests.repository import ROOT, project_files, text_of
from tests.uncovered import UNCOVERED

DEV = Path("requirements/dev.txt")
SCRIPTS = sorted(
    path
    for path in project_files()
    if (path.parts[0] == ".ci" or path.is_relative_to("deploy")) and text_of(path).startswith("#!")
)


# --- pins; their form and what they have to hold: tests/docs/test_requirements.py ------------------------------------


def test_the_image_adds_the_driver_of_the_shared_store_and_nothing_else():
    assert {name for name in pins(IMAGE) if name not in pins(RUNTIME)} == ALLOWED_FOR.keys()


def test_the_image_installs_the_list_that_was_audited():
    assert f"--requirement {IMAGE.as_posix()}" in text_of(Path("Dockerfile"))
    assert f"--requirement {DEV.as_posix()}" in text_of(Path(".ci/audit"))


# --- licences -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def here():
    pytest.importorskip("piplicenses", reason="pip-licenses is not installed here")
    found = installed()
    other = {name for name, version in pins(IMAGE).items() if name not in found or found[name].version != version}
    if other:
        pytest.skip(f"not installed here as requirements/ pins it: {', '.join(sorted(other))}")
    return found


def test_everything_that_ships_is_under_a_licence_we_chose_to_live_with(here):
    not_chosen = {
        one.name: one.licence
        for one in here.values()
        if not parts(one.licence) <= ALLOWED and one.licence != ALLOWED_FOR.get(one.name)
    }

    assert not_chosen == {}


def test_the_list_is_current_and_holds_exactly_what_is_pinned(here):
    assert text_of(PAGE) == page(here), "run 'make licences'"
    listed = dict(re.findall(r"^\| ([a-z0-9-]+) \| (\S+) \|", text_of(PAGE), flags=re.MULTILINE))
    assert listed == pins(IMAGE)


def test_copyleft_is_named_in_the_notice():
    assert "psycopg" in text_of(Path("NOTICE"))
    assert "docs/licences.md" in text_of(Path("NOTICE"))


# --- SBOM ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("listed", "written"), [(RUNTIME, "muscle-cds"), (IMAGE, "muscle-cds-image")])
def test_the_sbom_is_cyclonedx_and_holds_every_package_with_its_hashes(tmp_path, listed, written):
    program = Path(sys.executable).with_name("cyclonedx-py")
    if not program.exists():
        pytest.skip("cyclonedx-bom is not installed here")
    rule = text_of(Path("Makefile"))
    command = re.search(rf"cyclonedx-py (.+?) \\\n\s+--output-file dist/{written}\.cdx\.json {listed}", rule)[1]
    out = tmp_path / "sbom.json"
    subprocess.run(
        [program, *command.split(), "--output-file", out, listed],
        cwd=ROOT,
        env=os.environ | UNCOVERED,
        check=True,
        timeout=60,
        capture_output=True,
    )

    sbom = json.loads(out.read_text())
    assert sbom["bomFormat"] == "CycloneDX"
    assert sbom["metadata"]["component"]["name"] == "muscle-cds"
    assert {one["name"]: one["version"] for one in sbom["components"]} == pins(listed)
    for one in sbom["components"]:
        hashes = [each for place in one["externalReferences"] for each in place.get("hashes", [])]
        assert {each["alg"] for each in hashes} == {"SHA-256"}


def test_the_sbom_stays_out_of_the_repository():
    assert "dist/" in text_of(Path(".gitignore")).splitlines()


# --- audit --------------------------------------------------------------------------------------------------------

BELIEVED = 'case "$*" in *known-to-be-bad*) echo \'{"vulns": [{"id": "KNOWN-1"}]}\'; exit 1;; esac; '


def audit(tmp_path, auditor):
    fake = tmp_path / "auditor"
    fake.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/asked\n{auditor}\n')
    fake.chmod(0o755)
    return subprocess.run(
        [ROOT / ".ci/audit"],
        env={"PATH": "/usr/bin:/bin", "PIP_AUDIT": str(fake)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "auditor", ["echo 'No known vulnerabilities found'", "echo 'ERROR: not found' >&2; exit 1", "exit 127"]
)
def test_an_auditor_that_could_not_ask_is_not_believed(tmp_path, auditor):
    done = audit(tmp_path, auditor)

    assert (done.returncode, done.stdout) == (0, "dependency audit: not run\n")


def test_an_audit_that_finds_nothing_is_strict_and_over_everything(tmp_path):
    done = audit(tmp_path, BELIEVED + "exit 0")

    assert (done.returncode, done.stdout) == (0, "dependency audit: nothing is known against any package\n")
    asked = (tmp_path / "asked").read_text().splitlines()[-1]
    assert "--strict" in asked
    assert "--require-hashes --requirement requirements/dev.txt" in asked


def test_an_audit_that_finds_something_or_misses_an_answer_fails(tmp_path):
    done = audit(tmp_path, BELIEVED + "echo 'urllib3 2.8.0 CVE'; exit 1")

    assert done.returncode == 1
    assert done.stdout.endswith("dependency audit: failed\n")


def test_ci_runs_the_audit_the_lint_and_the_tests():
    run = text_of(Path(".ci/run"))

    assert re.search(r"^make lint$", run, flags=re.MULTILINE)
    assert re.search(r"^\.ci/audit$", run, flags=re.MULTILINE)
    assert re.search(r"^make test PYTEST_ARGS=.*--cov-fail-under", run, flags=re.MULTILINE)


# --- scripts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_a_script_stops_at_the_first_thing_that_goes_wrong_and_is_well_formed(path):
    text = text_of(path)
    shell = "bash" if "bash" in text.splitlines()[0] else "sh"

    assert re.search(r"^set -euo? ?(pipefail)?$", text, flags=re.MULTILINE)
    checked = subprocess.run([shell, "-n", ROOT / path], capture_output=True, text=True, check=False, timeout=20)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_shellcheck_has_nothing_to_say(path):
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed here")
    checked = subprocess.run(["shellcheck", ROOT / path], capture_output=True, text=True, check=False, timeout=60)

    assert checked.returncode == 0, checked.stdout
