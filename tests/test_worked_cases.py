"""The worked cases, played by an EHR over HTTP against the running service: both modes, both dialects.

``tests/cases`` holds cases of our own in the form of the clinical vignettes; the vignettes and the script that plays
the EHR stand beside the project where they are present.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.uncovered import UNCOVERED

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT.parent / "shared" / "cases"
RUNNER = CASES / "run_cases.py"
OURS = ROOT / "tests" / "cases"
AT_ONCE = """
import runpy, socketserver, sys
socketserver.StreamRequestHandler.disable_nagle_algorithm = True
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs the script; without it each answer of its FHIR server on a kept connection waits 40 ms to be sent."""

pytestmark = pytest.mark.skipif(not RUNNER.is_file(), reason="the script that plays the EHR is not beside the project")


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """The service, started as an integrator would, and the port its FHIR server may be called on."""
    port, fhir_port = free_port(), free_port()
    ours = {
        "MUSCLE_CDS_PROFILE": "demo",
        "MUSCLE_CDS_FHIR_BASES": f"http://127.0.0.1:{fhir_port}/fhir",
        "MUSCLE_CDS_DRAIN_SECONDS": "0",
    }
    service = subprocess.Popen(
        [sys.executable, "-m", "service", "serve", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | UNCOVERED | ours,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/cds-services", service)
        yield port, fhir_port
    finally:
        service.terminate()
        service.wait(timeout=30)


def _wait_for(url: str, service: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert service.poll() is None, "the service ended instead of coming up"
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                answer.read()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the service did not come up")


def play(folder: Path, ports: tuple[int, int]) -> None:
    port, fhir_port = ports
    command = [
        sys.executable,
        "-c",
        AT_ONCE,
        str(RUNNER),
        "--base-url",
        f"http://127.0.0.1:{port}",
        "--fhir-port",
        str(fhir_port),
    ]

    played = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False, timeout=110)

    failures = [line for line in played.stdout.splitlines() if not line.startswith("pass")]
    assert played.returncode == 0, "\n".join(failures[:60])


@pytest.mark.parametrize("folder", [CASES, OURS], ids=["vignettes", "our own cases"])
def test_every_worked_case_gives_exactly_the_expected_cards(folder: Path, ports: tuple[int, int]) -> None:
    play(folder, ports)


def test_orders_that_are_signed_are_judged_as_orders_that_are_selected(ports: tuple[int, int], tmp_path: Path) -> None:
    signed = 0
    for file in (*CASES.glob("V*.json"), *OURS.glob("X*.json")):
        case = json.loads(file.read_text(encoding="utf-8"))
        if case["hook"] != "order-select":
            continue
        case["hook"] = "order-sign"
        # What is not selected is context at selection; at signing every draft is judged.
        case["variants"] = [one for one in case.get("variants", []) if "drafts.0.selected" not in one.get("set", {})]
        (tmp_path / file.name).write_text(json.dumps(case), encoding="utf-8")
        signed += 1
    (tmp_path / "codes.json").write_bytes((OURS / "codes.json").read_bytes())

    assert signed
    play(tmp_path, ports)
