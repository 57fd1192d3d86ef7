"""The wheel holds everything the service reads when it runs."""

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.repository import PACKAGES, ROOT, project_files

NEEDED = 77  # setuptools before this does not know the licence fields of pyproject.toml


def test_every_file_of_the_packages_is_in_the_wheel(tmp_path):
    try:
        builder = int(version("setuptools").partition(".")[0])
    except PackageNotFoundError:
        builder = 0
    if builder < NEEDED:
        pytest.skip("requirements/build.txt is not installed here (make test does it)")
    tree, out = tmp_path / "tree", tmp_path / "out"
    shipped = [path for path in project_files() if path.parts[0] in PACKAGES]
    for path in [*shipped, *map(Path, ("pyproject.toml", "README.md", "LICENSE", "NOTICE"))]:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tree / path)

    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-index",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(out),
            str(tree),
        ],
        check=True,
        timeout=100,
        capture_output=True,
    )

    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    assert held == {path.as_posix() for path in shipped}
