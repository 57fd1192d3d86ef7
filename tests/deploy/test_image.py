"""The image is built as reliability section 6 and R19 ask. No container engine runs here: its file is read and linted."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import PACKAGES, ROOT, text_of

DOCKERFILE = text_of(Path("Dockerfile"))


def test_the_linter_has_nothing_to_say():
    beside = Path(sys.executable).with_name("hadolint")
    hadolint = beside if beside.exists() else shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed here")
    linted = subprocess.run(
        [hadolint, "--no-color", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert (linted.returncode, linted.stdout) == (0, ""), linted.stdout + linted.stderr


def test_the_image_has_two_stages_and_only_the_finished_environment_is_taken_over():
    assert re.findall(r"^FROM (.+)$", DOCKERFILE, flags=re.MULTILINE) == [
        "${PYTHON_IMAGE} AS build",
        "${PYTHON_IMAGE}",
    ]
    last = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    assert re.findall(r"^(?:COPY|ADD|RUN) .+$", last, flags=re.MULTILINE) == [
        "COPY --from=build /opt/muscle-cds /opt/muscle-cds"
    ]


def test_the_image_runs_as_a_user_without_rights():
    assert re.findall(r"^USER (.+)$", DOCKERFILE, flags=re.MULTILINE) == ["65532:65532"]


def test_every_package_in_the_image_is_checked_by_hash():
    installs = re.findall(r"pip (?:--python \S+ )?install (.+?)(?: \\)?$", DOCKERFILE, flags=re.MULTILINE)

    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install, install


def test_the_image_is_built_from_files_that_are_there():
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE)
        for name in line.split()[:-1]
    ]
    let_in = {line[1:] for line in text_of(Path(".dockerignore")).splitlines() if line.startswith("!")}

    assert copied
    for name in copied:
        assert (ROOT / name).exists(), f"{name} is not there"
        assert name in let_in, f"{name} is kept out by .dockerignore"


def test_every_package_of_ours_is_in_the_image():
    assert set(PACKAGES) == set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, flags=re.MULTILINE))
