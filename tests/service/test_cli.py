import gc
import json
import re
import subprocess
import sys
from datetime import date

import pytest
from click.testing import CliRunner

from cards import examples
from service import __main__ as command_line
from service.__main__ import main
from service.demo import patients
from terminology import build, lookup
from tests.contract.cds_hooks import faults
from tests.repository import ROOT
from tests.service.stand_ins import body


@pytest.fixture(autouse=True)
def no_settings_around(monkeypatch):
    for name in ("MUSCLE_CDS_PROFILE", "MUSCLE_CDS_CONFIG", "ENV"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments, given=None, **environment):
    return CliRunner().invoke(main, arguments, input=given, env=environment)


@pytest.fixture
def request_file(tmp_path):
    file = tmp_path / "request.json"
    file.write_text(json.dumps(patients()["low-potassium-on-indapamide"].on(date(2026, 6, 15))))
    return file


def test_evaluate_prints_the_response_for_the_day_it_is_given(request_file):
    done = run("evaluate", str(request_file), "--as-of", "2026-06-15")

    assert done.exit_code == 0, done.output
    answer = json.loads(done.output)
    assert faults("response", answer) == []
    assert "biochemistry" in {card["source"]["topic"]["code"] for card in answer["cards"]}


def test_evaluate_on_another_day_sees_other_ages(request_file):
    later = json.loads(run("evaluate", str(request_file), "--as-of", "2030-06-15").output)

    assert "biochemistry" not in {card["source"]["topic"]["code"] for card in later["cards"]}


def test_evaluate_reads_standard_input(request_file):
    done = run("evaluate", "-", "--as-of", "2026-06-15", given=request_file.read_bytes())

    assert done.exit_code == 0
    assert json.loads(done.output)["cards"]


@pytest.mark.parametrize("raw", [b"", b"[]", body(hook="order-sign"), body(prefetch=None)])
def test_evaluate_prints_a_refusal_and_exits_with_1(raw):
    done = run("evaluate", "-", given=raw)

    assert done.exit_code == 1
    assert json.loads(done.output)["resourceType"] == "OperationOutcome"


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    assert run("evaluate", str(tmp_path / "none.json")).exit_code == 2
    assert run("evaluate", "-", "--as-of", "yesterday", given=b"{}").exit_code == 2


@pytest.mark.parametrize("command", [("serve",), ("evaluate", "-"), ("check",), ("config", "check"), ("demo",)])
def test_a_setting_that_cannot_be_used_is_said_in_one_line_with_status_3(command):
    done = run(*command, given=b"{}", MUSCLE_CDS_PORT="no")

    assert done.exit_code == 3
    assert done.stderr.startswith("muscle-cds: port (MUSCLE_CDS_PORT) must be a whole number")
    assert done.stderr.count("\n") == 1


def test_serve_refuses_the_production_profile_before_it_opens_a_port():
    done = run("serve")

    assert done.exit_code == 3
    assert "MUSCLE_CDS_PROFILE=demo" in done.stderr


def test_a_start_that_is_refused_leaves_garbage_collection_on():
    assert run("serve").exit_code == 3
    assert gc.isenabled()


def test_demo_refuses_an_environment_that_is_production():
    assert run("demo", ENV="production").exit_code == 3


def test_config_check_prints_every_setting_and_refuses_what_cannot_be_served():
    demo = run("config", "check", MUSCLE_CDS_PROFILE="demo", MUSCLE_CDS_PORT="5001")

    assert demo.exit_code == 0
    assert "MUSCLE_CDS_PORT = 5001   (default: 5000)" in demo.output
    assert "MUSCLE_CDS_TIMEZONE = Europe/London\n" in demo.output
    assert run("config", "check").exit_code == 3


def test_check_runs_every_worked_example(monkeypatch):
    outcomes = [examples.Outcome("ck", "A rise", ()), examples.Outcome("ck", "A fall", ("expected 'x'",))]
    monkeypatch.setattr(examples, "run", lambda _: iter(outcomes[:1]))
    passed = run("check")
    monkeypatch.setattr(examples, "run", lambda _: iter(outcomes))
    failed = run("check")

    assert (passed.exit_code, failed.exit_code) == (0, 1)
    assert "ok    ck: A rise\n1 worked examples, 0 failed" in passed.output
    assert "FAIL  ck: A fall\n      expected 'x'\n2 worked examples, 1 failed" in failed.output
    assert "terminology tables checked" in passed.output


def test_check_refuses_an_index_that_is_not_what_the_tables_say(monkeypatch, tmp_path):
    other = tmp_path / "index.json"
    other.write_bytes(b"{}")
    run("check")  # the vocabulary itself is read from the true index
    monkeypatch.setattr(lookup, "INDEX", other)

    assert run("check").exit_code == 3


def test_terminology_export_writes_value_sets_under_the_sites_own_base(tmp_path):
    done = run("terminology", "export", str(tmp_path / "out"), MUSCLE_CDS_CANONICAL_BASE="https://site.example/fhir")

    files = list((tmp_path / "out").iterdir())
    assert done.exit_code == 0
    assert done.output == f"wrote {len(files)} value sets\n"
    assert json.loads(files[0].read_text())["url"].startswith("https://site.example/fhir/ValueSet/")


def test_terminology_build_says_what_it_wrote(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "write", lambda: (tmp_path / "names.csv", tmp_path / "index.json"))

    assert run("terminology", "build").output == "wrote names.csv\nwrote index.json\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("serve",),
        ("demo",),
        ("evaluate",),
        ("check",),
        ("config", "check"),
        ("terminology", "build"),
        ("terminology", "export"),
    ],
)
def test_every_command_explains_itself(arguments):
    done = run(*arguments, "--help")

    assert done.exit_code == 0
    assert "Usage:" in done.output


def test_starting_the_application_does_not_load_the_fhir_classes():
    code = (
        "import sys; from service.app import create_app; from service.commands import answer_once; from service.settings import *; "
        "create_app(Settings(profile=Profile.DEMO)); "
        "sys.exit('fhir.resources' in sys.modules or 'pydantic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_exit_statuses_are_documented():
    assert "0 done; 1" in command_line.__doc__
    assert "3 a setting" in command_line.__doc__


CLIENT = '[[client]]\nname = "ehr"\nissuer = "https://ehr.example"\njwks_url = "https://ehr.example/jwks"\n'


@pytest.fixture
def site(tmp_path):
    def written(text):
        file = tmp_path / "site.toml"
        file.write_text(text)
        return str(file)

    return written


def test_config_check_shows_what_each_client_may_do_and_masks_passwords(site):
    file = site(f'public_url = "https://cds.example"\n{CLIENT}tenants = ["a", "b"]\n')
    done = run("config", "check", MUSCLE_CDS_CONFIG=file, MUSCLE_CDS_STORE="postgresql+psycopg://cds:c4n4ry@db/cds")

    assert done.exit_code == 0, done.output
    assert "client ehr:\n  issuer = https://ehr.example\n" in done.output
    assert "  algorithms = ES384,RS384\n" in done.output
    assert "  tenants = a,b\n" in done.output
    assert "  replay = strict\n" in done.output
    assert "MUSCLE_CDS_STORE = postgresql+psycopg://cds:***@db/cds" in done.output
    assert "c4n4ry" not in done.output


def test_a_password_with_a_sign_in_it_that_should_have_been_encoded_is_masked_whole():
    store = "postgresql+psycopg://cds:c4n@4ry@db/cds"
    done = run("config", "check", MUSCLE_CDS_PROFILE="demo", MUSCLE_CDS_STORE=store)

    assert "MUSCLE_CDS_STORE = postgresql+psycopg://cds:***@db/cds" in done.output
    assert "4ry" not in done.output


def test_config_check_shows_unsafe_settings_before_it_refuses_them(site):
    text = f'public_url = "https://cds.example"\n{CLIENT}replay = "off"\norigins = ["*"]\n'
    refused = run("config", "check", MUSCLE_CDS_CONFIG=site(text))
    taken_on = run("config", "check", MUSCLE_CDS_CONFIG=site(text), MUSCLE_CDS_ACCEPT_RISK="replay-off,any-origin")

    assert refused.exit_code == 3
    assert "  replay = off\n" in refused.stdout
    assert "replay-off" in refused.stderr
    assert "any-origin" in refused.stderr
    assert taken_on.exit_code == 0
    assert "accepted risk: any-origin\naccepted risk: replay-off\n" in taken_on.output


@pytest.mark.parametrize("command", [("serve",), ("config", "check")])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"no \[\[client\]\]"),
        (CLIENT, "public_url"),
        (f'{CLIENT}audiences = ["x"]\n{CLIENT.replace("ehr", "other")}', "public_url"),
        (f'public_url = "https://cds.example"\nfhir_bases = ["https://ehr.example/fhir"]\n{CLIENT}', "fhir_bases"),
        (CLIENT + 'replay = "off"', "replay-off"),
        (CLIENT + 'reply = "off"', r"\[\[client\]\] 'ehr': 'reply' is not a key"),
    ],
)
def test_a_production_service_that_would_not_know_who_calls_does_not_start(site, command, text, says):
    done = run(*command, MUSCLE_CDS_CONFIG=site(text))

    assert done.exit_code == 3
    assert re.search(says, done.stderr)


@pytest.mark.parametrize("command", [("serve",), ("config", "check")])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('store = "mysql://cds@db/cds"', "store must be"),
        ('without_licences = ["loink"]', "no licence loink"),
        (f"overlay = '{__file__}'", "Correct the TOML"),
        (CLIENT + 'fhir_bases = ["https://ehr.example/a%20b"]', "fhir_bases must be"),
        (CLIENT.replace("jwks_url", "jwks_file").replace("https://ehr.example/jwks", __file__), "no usable public key"),
    ],
)
def test_what_a_start_refuses_the_check_before_it_refuses_too(site, command, text, says):
    """An upgrade is tried with the check; until now it passed settings that the start then refused."""
    text = f'public_url = "https://cds.example"\n{text}\n{"" if CLIENT[:10] in text else CLIENT}'
    done = run(*command, MUSCLE_CDS_CONFIG=site(text))

    assert done.exit_code == 3
    assert says in done.stderr


def test_a_client_with_fixed_audiences_needs_no_public_address(site):
    assert run("config", "check", MUSCLE_CDS_CONFIG=site(CLIENT + 'audiences = ["x"]')).exit_code == 0
