"""The page for a hospital works as it stands: its files are written, its commands run, and they show what it says."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from service.clients import Client
from service.reference import CLIENT_KEYS
from service.settings import options, read
from tests.contract.calls import topics
from tests.contract.cds_hooks import faults
from tests.ports import free_port
from tests.repository import ROOT, text_of

PAGE = Path("docs/hospital.md")
EXAMPLE = ROOT / "deploy" / "muscle-cds.example.toml"
BLOCK = re.compile(r"^```(sh|toml|python|json)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SERVE = "muscle-cds serve"
NAMES = {"toml": "muscle-cds.toml", "python": "sign.py", "json": "request.json"}


@pytest.fixture
def environment(tmp_path):
    """A folder with the commands ``muscle-cds`` and ``python`` of this tree first on the path, and nothing set but that
    a service that is told to end does not wait for calls to come.
    """
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, runs in (("python", ""), ("muscle-cds", " -m service")):
        (commands / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)}{runs} "$@"\n')
        (commands / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSCLE_CDS_") and name != "ENV"}
    path = f"{commands}{os.pathsep}{os.environ.get('PATH', '')}"
    return kept | {"PATH": path, "PYTHONPATH": str(ROOT), "NO_PROXY": "*", "MUSCLE_CDS_DRAIN_SECONDS": "0"}


def wait_for(port, process):
    for _ in range(200):
        assert process.poll() is None, process.communicate()[1]
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the service did not start")


def test_the_page_can_be_followed_from_its_first_to_its_last_line(tmp_path, environment):
    folder, port = tmp_path / "mine", free_port()
    folder.mkdir()
    page = text_of(PAGE).replace("port = 5000", f"port = {port}").replace("127.0.0.1:5000", f"127.0.0.1:{port}")
    said, serving = [], None
    try:
        for kind, text in BLOCK.findall(page):
            if kind != "sh":
                (folder / NAMES[kind]).write_text(text)
            elif SERVE in text:
                script = text.replace(SERVE, f"exec {SERVE}")
                serving = subprocess.Popen(["sh", "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
                wait_for(port, serving)
            else:
                ran = subprocess.run(["sh", "-e", "-c", text], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)  # fmt: skip
                assert ran.returncode == 0, ran.stderr
                said.append(ran.stdout)
    finally:
        if serving is not None:
            serving.terminate()
            log, _ = serving.communicate(timeout=30)

    assert "client main-record-system" in said[1]
    assert said[-2].split() == ["200"]
    assert said[-1].split() == ["401", "401", "200", "401"]
    answer = json.loads((folder / "answer.json").read_text())
    assert faults("response", answer) == []
    assert "missing-tests" in topics(answer["cards"])
    assert json.loads((folder / "refusal.json").read_text())["resourceType"] == "OperationOutcome"
    reasons = [json.loads(line).get("not_trusted") for line in log.splitlines() if '"request"' in line]
    assert reasons == [None, "no-token", "bad-audience", None, "replayed"]


# --- the example file -------------------------------------------------------------------------------------------------


def test_the_example_file_can_be_used_as_it_is():
    settings = read({"MUSCLE_CDS_CONFIG": str(EXAMPLE)})

    assert settings.public_url == "https://cds.hospital.example"
    assert [client.name for client in settings.clients] == ["main-record-system"]


def test_what_the_example_file_has_commented_out_are_keys_with_their_defaults():
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    start = lines.index("[[client]]")
    settings = tomllib.loads("\n".join(re.sub(r"^# (\w+ = )", r"\1", line) for line in lines[:start]))
    client = tomllib.loads("\n".join(re.sub(r"^# (\w+ = )", r"\1", line) for line in lines[start:]))["client"][0]
    defaults = {option.name: option.default for option in options()}

    assert set(settings) <= defaults.keys()
    assert set(client) == set(CLIENT_KEYS)
    commented = {found[1] for line in lines[:start] if (found := re.match(r"# (\w+) = ", line))} - {
        "overlay",
        "metrics_address",
        "audit_file",
        "fhir_ca_file",
        "fhir_proxy",
    }
    for key in commented:
        written = settings[key]
        assert (str(written).lower() if isinstance(written, bool) else "" if written == [] else str(written)) == defaults[key]  # fmt: skip


def test_the_example_file_names_every_setting_but_the_few_a_hospital_leaves_alone():
    named = set(re.findall(r"^(?:# )?(\w+) = ", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    left = {option.name for option in options()} - named

    assert left == {"fhir_bases", "authentication", "clients", "origins"} - named


def test_every_key_of_a_client_is_described():
    assert list(CLIENT_KEYS) == [row.name for row in fields(Client)]
