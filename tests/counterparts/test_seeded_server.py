"""The synthetic patients go into a FHIR server nobody here wrote by the command for it, and are valid R4 to that server."""

import subprocess
import sys
import time

from service.demo import patients, records
from tests.counterparts import sekmet
from tests.counterparts.test_real_fhir_server import TODAY, TOKEN
from tests.repository import ROOT


def test_the_seed_command_fills_a_strict_server_twice_over_without_a_complaint(tmp_path):
    whole = [record for name, record in records(TODAY).items() if not patients()[name].refused()]
    wanted = {f"/fhir/{one['resourceType']}/{one['id']}" for record in whole for one in record}
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with sekmet.running(tmp_path, token=TOKEN, strict=True) as fhir:
        for status in (201, 200):  # made, then brought up to date
            after = max((line.number for line in fhir.lines()), default=0)
            done = subprocess.run(
                [sys.executable, "-m", "service", "seed", fhir.base, "--token-file", str(token), "--wait", "20"],
                cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            for _ in range(100):  # its log is written a little after its answers
                put = {line.url: line.status for line in fhir.lines(after) if line.method == "PUT"}
                if len(put) >= len(wanted):
                    break
                time.sleep(0.1)
            assert put.keys() == wanted
            assert set(put.values()) == {status}
