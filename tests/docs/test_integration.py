"""The guides for integrators work as they stand: files are written, commands run in order, and what they print is shown.

A page's blocks: ``sh`` is run, and the ``text`` block right behind it is what it prints, where … stands for anything. A
block behind "Write this as `NAME`" is written to that file. ``console`` is for elsewhere: a FHIR server
on the internet, a container engine. Ports are replaced by free ones, and addresses of a hospital are never called.
"""

import json
import re
import subprocess
import uuid
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from service.commands import answer_once
from service.fhir.queries import queries_for
from service.hooks.services import SERVICES
from service.settings import Settings
from terminology.vocabulary import load
from tests.counterparts.records import cramp
from tests.docs.test_hospital import environment, wait_for
from tests.fhir_stub import bundle
from tests.ports import free_port
from tests.repository import ROOT, pages, text_of

__all__ = ["environment"]  # a fixture

FOLDER = Path("docs/integration")
GUIDES = [page for page in pages() if page.parent == FOLDER] + [Path("docs/local-codes.md")]
STEP = re.compile(
    r"Write this as `(?P<name>[\w.-]+)`[^\n]*(?:\n[^\n`]+)*\n\n```(?:json|toml|python)\n(?P<file>.*?)^```"
    r"|^```sh\n(?P<command>.*?)^```(?:\n\n```text\n(?P<printed>.*?)^```)?",
    re.DOTALL | re.MULTILINE,
)
STAYS = {re.compile(r"muscle-cds (?:serve|demo)"): "5000", re.compile(r"python -m http\.server"): "8000"}
OWN_HEADING = "## The check that shows it works"


@pytest.mark.parametrize("page", GUIDES, ids=str)
def test_the_page_ends_with_a_check_that_shows_what_it_prints(page):
    _, heading, check = text_of(page).rpartition(OWN_HEADING)

    assert heading
    assert "\n## " not in check
    assert any(step["printed"] for step in STEP.finditer(check))


def test_the_first_page_leads_to_every_guide():
    index = text_of(FOLDER / "index.md")

    assert {page.name for page in GUIDES} - {"index.md"} <= {
        Path(target).name for target in re.findall(r"\]\(([^)#]+)", index)
    }


@pytest.mark.parametrize("page", GUIDES, ids=str)
def test_the_page_can_be_followed_from_its_first_to_its_last_line(page, tmp_path, environment):
    ports = {port: free_port() for port in STAYS.values()}
    text = text_of(page)
    for port, free in ports.items():
        text = re.sub(rf"(?<=[ :]){port}\b", str(free), text)
    with ExitStack() as up:
        for step in STEP.finditer(text):
            if step["name"]:
                (tmp_path / step["name"]).write_text(step["file"])
                continue
            command = step["command"]
            stays = next((port for pattern, port in STAYS.items() if pattern.search(command)), None)
            if stays:
                up.enter_context(staying(command, tmp_path, environment, ports[stays]))
                continue
            done = subprocess.run(["sh", "-e", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60)  # fmt: skip
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            assert looks_like(step["printed"] or "…", done.stdout), f"{command}\n{done.stdout}\n{done.stderr}"


def looks_like(shown, printed):
    """Whether what is shown is what was printed, … standing for anything; blanks at the ends of lines do not count."""
    shown, printed = ("\n".join(map(str.rstrip, text.strip().splitlines())) for text in (shown, printed))
    return re.fullmatch(".*".join(map(re.escape, shown.split("…"))), printed, re.DOTALL) is not None


@pytest.mark.parametrize(("shown", "printed"), [("200\n401", "200\n200"), ("a … c", "a b"), ("warning …", "info x")])
def test_what_is_shown_and_not_printed_is_noticed(shown, printed):
    assert not looks_like(shown, printed)
    assert looks_like(shown, shown.replace("…", "b"))


@contextmanager
def staying(command, folder, environment, port):
    """A command that goes on until it is stopped, once it answers at its port."""
    started = re.sub(r"(muscle-cds|python) (?=serve|demo|-m)", r"exec \1 ", command)
    with (folder / "staying.log").open("a") as log:
        process = subprocess.Popen(
            ["sh", "-c", started], cwd=folder, env=environment, stdout=log, stderr=log, text=True
        )
        try:
            wait_for(port, process)
            yield
        finally:
            process.terminate()
            process.wait(30)


# --- what is asked of a FHIR server -----------------------------------------------------------------------------------


@pytest.mark.parametrize("service", [one.id for one in SERVICES])
def test_every_query_stands_in_the_table_of_what_is_asked(service):
    rows = [row for row in text_of(FOLDER / "fhir-servers.md").splitlines() if row.startswith("| `")]
    for query in queries_for(service, load()):
        parts = urlsplit(query.template)
        (row,) = (row for row in rows if f"`{parts.path.partition('/')[0]}`" in row.partition(" | ")[0])
        asked = {name: value for name, (value,) in parse_qs(parts.query).items()}
        assert f"`_count={asked['_count']}`" in row if asked else "read by id" in row
        assert all(f"`{name}" in row for name in asked)


# --- a GP record as the page has a bridge sort it ---------------------------------------------------------------------

SAMPLE = ROOT.parent / "shared" / "fhir-samples" / "uk-gpconnect-stu3" / "mold-full-record.json"


@pytest.mark.skipif(not SAMPLE.is_file(), reason="the FHIR samples are not at hand")
def test_a_published_gp_record_sorted_as_the_page_says_is_understood():
    rows = re.findall(r"^   \| ([\w ,]+) \| `(\w+)` \|$", text_of(FOLDER / "uk-primary-care.md"), re.MULTILINE)
    found = [entry["resource"] for entry in json.loads(SAMPLE.read_bytes())["entry"]]
    (patient,) = (one for one in found if one["resourceType"] == "Patient")
    found.append(cramp(patient["id"], date(2010, 3, 6)))  # the record has none; it is the symptom that is asked about
    prefetch = {
        key: bundle(*(one for one in found if one["resourceType"] in re.findall(r"\b[A-Z]\w+", kinds)))
        for kinds, key in rows
    }
    prefetch["patient"] = patient
    request = {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "prefetch": prefetch,
               "context": {"userId": "Practitioner/gp-1", "patientId": patient["id"]}}  # fmt: skip

    answer = answer_once(Settings(), json.dumps(request).encode(), date(2010, 3, 6))

    assert {query.key for query in queries_for("muscle-patient-view", load())} - {"encounter"} <= prefetch.keys()
    potassium = answer["cards"][0]
    assert potassium["summary"].startswith("Potassium 3.1 mmol/L (2010-02-23) outside range")
    assert "status not stated" in potassium["detail"]
    assert "Not checked" not in potassium["detail"]


# --- addresses of the public sandbox ----------------------------------------------------------------------------------


def test_the_addresses_of_the_sandbox_say_what_the_page_says_of_them():
    addresses = re.findall(r"https://sandbox\.cds-hooks\.org/\?\S+", text_of(FOLDER / "public-sandbox.md"))

    asked = [{name: value for name, (value,) in parse_qs(urlsplit(one).query).items()} for one in addresses]
    assert asked == [
        {
            "serviceDiscoveryURL": "http://127.0.0.1:5000/cds-services",
            "fhirServiceUrl": "http://127.0.0.1:5000/demo/fhir",
            "patientId": "demo-low-potassium-on-indapamide",
        },
        {
            "serviceDiscoveryURL": "http://127.0.0.1:8080/cds-services",
            "fhirServiceUrl": "http://127.0.0.1:8080/fhir",
            "patientId": "demo-low-potassium-on-indapamide",
        },
    ]
