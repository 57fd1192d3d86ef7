"""A short run of the harness in every run of the suite; ``make fuzz SECONDS=60`` for a long one."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.figures import record
from tests.fuzz import corpus
from tests.repository import ROOT
from tests.uncovered import UNCOVERED

SECONDS = int(os.environ.get("FUZZ_SECONDS", "8"))

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this Python or machine"
)


@needs_atheris
@pytest.mark.timeout(SECONDS + 120)
def test_no_bytes_make_the_readers_of_requests_fail(tmp_path: Path) -> None:
    seeds = corpus.write(tmp_path / "corpus")
    done = subprocess.run(
        [
            sys.executable, str(ROOT / "tests/fuzz/parser.py"), f"-max_total_time={SECONDS}", "-max_len=65536",
            "-timeout=10", "-rss_limit_mb=2048", "-seed=1", "-print_final_stats=1",
            f"-artifact_prefix={tmp_path}/", str(tmp_path / "corpus"),
        ],
        cwd=ROOT, env=os.environ | UNCOVERED, capture_output=True, text=True, timeout=SECONDS + 100, check=False,
    )  # fmt: skip
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)|Done (\d+) runs", done.stderr)
    covered = re.findall(r"cov: (\d+)", done.stderr)

    assert done.returncode == 0, done.stderr[-3_000:] + done.stdout[-2_000:]
    assert runs is not None
    assert int(runs[1] or runs[2]) > seeds
    assert covered
    record("Fuzz", f"inputs that the readers of requests took in {SECONDS} s without a defect", int(runs[1] or runs[2]))
    record("Fuzz", "branches met", int(covered[-1]))
