"""The compose file keeps what reliability section 6 promises. No container engine runs here: it is read, and held
against the Compose schema that check-jsonschema brings with it.
"""

import json
import os
import re
import shutil
import stat
import subprocess
from itertools import chain
from pathlib import Path

import pytest
import yaml

from service.fhir.bounds import Limits
from service.settings import LOOPBACK, Settings, options
from tests.repository import ROOT, text_of
from tests.service.test_cli import run

COMPOSE = yaml.safe_load(text_of(Path("docker-compose.yml")))
DOCKERFILE = text_of(Path("Dockerfile"))
SERVICES = COMPOSE["services"]
EACH = pytest.mark.parametrize("name", SERVICES)
ONCE = {name for name, one in SERVICES.items() if one.get("restart") == "no"}
OURS = {name for name, one in SERVICES.items() if one["image"] == "muscle-cds"}
MADE_BY_PREPARE = {"muscle-cds.toml", "store", "database-password", "tls.crt", "tls.key"}
VARIABLES = {option.variable for option in options()} | {"MUSCLE_CDS_CONFIG", "MUSCLE_CDS_STORE_FILE"}


def test_the_file_is_what_the_compose_schema_says_it_may_be():
    schemas = pytest.importorskip("check_jsonschema.builtin_schemas", reason="check-jsonschema is not installed here")
    jsonschema = pytest.importorskip("jsonschema")
    schema = schemas.get_builtin_schema("vendor.compose-spec")

    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    broken = json.loads(json.dumps(COMPOSE)) | {"services": {"a": {"depends_on": {"b": {"condition": "sometimes"}}}}}
    assert list(validator.iter_errors(broken))


# --- what holds for every container -------------------------------------------------------------------------------


@EACH
def test_a_container_can_neither_write_nor_gain_rights(name):
    container = SERVICES[name]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["user"] == ("70:70" if name == "database" else "65532:65532")
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & container.keys()
    assert "/tmp" in [mount.partition(":")[0] for mount in container["tmpfs"]]
    assert all(":size=" in mount for mount in container["tmpfs"])


@EACH
def test_a_container_has_limits_and_its_log_an_end(name):
    assert {"mem_limit", "pids_limit", "cpus"} <= SERVICES[name].keys()
    assert SERVICES[name]["logging"]["options"]["max-size"]


def test_the_service_has_room_for_the_threads_of_several_workers():
    """The runbook says to add workers where calls are too many; each has its own threads and those of its searches."""
    of_a_worker = Settings().threads + Limits().threads + 8

    assert SERVICES["hooks"]["pids_limit"] >= 4 * of_a_worker


def test_the_proxy_starts_no_process_for_every_processor_of_a_large_host():
    (processes,) = re.findall(r"^worker_processes (\w+);", text_of(Path("deploy/nginx/production.conf")), re.MULTILINE)

    assert int(processes) < SERVICES["edge"]["pids_limit"] / 2


@EACH
def test_a_container_that_stays_has_a_health_check_and_one_that_ends_has_none(name):
    check = SERVICES[name]["healthcheck"]

    if name in ONCE or name == "fhir":  # the FHIR image holds nothing that could ask: seed asks from outside
        assert check == {"disable": True}
    else:
        assert check["test"][0] == "CMD"
        assert {"interval", "timeout", "start_period", "retries"} <= check.keys()


@EACH
def test_a_container_waits_for_what_it_needs_in_the_state_it_needs_it(name):
    for other, how in SERVICES[name].get("depends_on", {}).items():
        expected = {"service_completed_successfully"} if other in ONCE else {"service_healthy"}
        if other == "fhir":
            expected = {"service_started"}
        assert {how["condition"]} == expected, f"{name} waits for {other}"
        assert set(SERVICES[other].get("profiles", [])) <= set(SERVICES[name].get("profiles", []))


@EACH
def test_what_a_container_mounts_is_in_the_tree_and_read_only_or_a_volume_that_is_declared(name):
    for volume in SERVICES[name].get("volumes", []):
        source, _, rest = volume.partition(":")
        if source.startswith("./"):
            assert (ROOT / source).is_file()
            assert rest.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


@EACH
def test_nothing_is_published_beyond_this_machine_unless_it_is_asked_for(name):
    for port in SERVICES[name].get("ports", []):
        assert port.startswith(("127.0.0.1:", "${EDGE_ADDRESS:-127.0.0.1}:"))


@EACH
def test_an_image_of_somebody_else_is_pinned(name):
    image = SERVICES[name]["image"]

    assert name in OURS or re.fullmatch(r"[a-z/]+:v?[0-9][\w.-]+", image)
    assert (SERVICES[name].get("build") == ".") == (name in OURS)


@EACH
def test_settings_that_are_set_exist(name):
    named = {key for key in SERVICES[name].get("environment", {}) if key.startswith("MUSCLE_CDS_")}

    assert named <= VARIABLES


@EACH
def test_no_password_stands_in_the_file(name):
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET|TOKEN|STORE", key):
            assert key.endswith("_FILE")
            assert value.startswith("/run/secrets/")


# --- to try it ----------------------------------------------------------------------------------------------------


def test_a_plain_up_starts_the_service_and_its_proxy_and_nothing_else():
    assert {name for name, one in SERVICES.items() if "profiles" not in one} == {"proxy", "service"}


def test_the_demo_profile_is_reached_through_the_proxy_only():
    service = SERVICES["service"]

    assert service["environment"]["MUSCLE_CDS_PROFILE"] == "demo"
    assert service["network_mode"] == "service:proxy"
    assert "ports" not in service


def test_proxy_and_service_agree_on_the_port():
    port = next(option.default for option in options() if option.name == "port")
    proxied = re.search(r"upstream muscle_cds \{\s*server ([\w.]+):(\d+);", text_of(Path("deploy/nginx/nginx.conf")))

    assert proxied[1] in LOOPBACK
    assert proxied[2] == port
    assert f"EXPOSE {port}" in DOCKERFILE
    assert f'CMD ["muscle-cds", "serve", "--port", "{port}"]' in DOCKERFILE
    assert f"server hooks:{port};" in text_of(Path("deploy/compose/upstream.conf"))
    check = ["CMD", "python", "-m", "service.health", port]
    assert SERVICES["service"]["healthcheck"]["test"] == check
    assert SERVICES["hooks"]["healthcheck"]["test"] == [*check, "/readyz"]
    assert f'"python", "-m", "service.health", "{port}"' in DOCKERFILE


def test_everyone_knows_the_fhir_server_of_the_sandbox_by_one_address():
    """A browser on the host and the service in its network: the address in a request has to be one that is listed."""
    published, inside = SERVICES["proxy"]["ports"][0].removeprefix("127.0.0.1:").split(":")
    base = f"http://127.0.0.1:{published}/fhir"

    assert published == inside
    assert SERVICES["service"]["environment"]["MUSCLE_CDS_FHIR_BASES"] == base
    assert SERVICES["fhir"]["environment"]["hapi.fhir.server_address"] == base
    assert SERVICES["seed"]["command"][:3] == ["muscle-cds", "seed", base]
    assert SERVICES["service"]["environment"]["MUSCLE_CDS_PUBLIC_URL"] == base.removesuffix("/fhir")
    assert "set $fhir_server fhir:8080;" in text_of(Path("deploy/nginx/nginx.conf"))


# --- as a hospital runs it ----------------------------------------------------------------------------------------


def test_copies_of_the_service_start_after_the_tables_are_made():
    hooks = SERVICES["hooks"]

    assert hooks["deploy"]["replicas"] == 2
    assert hooks["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["command"] == ["muscle-cds", "db", "upgrade"]
    assert "MUSCLE_CDS_PROFILE" not in hooks["environment"]  # production is the default


def test_the_database_is_reached_by_those_who_need_it_and_reaches_nobody():
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert {name for name, one in SERVICES.items() if "back" in one.get("networks", [])} == {
        "hooks",
        "migrate",
        "prune",
        "database",
    }
    assert SERVICES["database"]["networks"] == ["back"]


def test_every_secret_is_declared_and_made_by_the_script():
    asked = {
        secret["source"] if isinstance(secret, dict) else secret
        for secret in chain.from_iterable(one.get("secrets", []) for one in SERVICES.values())
    }

    assert asked == COMPOSE["secrets"].keys()
    assert {one["file"] for one in COMPOSE["secrets"].values()} == {f"./deploy/site/{name}" for name in MADE_BY_PREPARE}
    assert "deploy/site/" in text_of(Path(".gitignore")).splitlines()


def test_what_the_script_makes_is_accepted_by_the_service_and_is_not_made_twice(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here")
    deploy = tmp_path / "deploy"
    (deploy / "compose").mkdir(parents=True)
    for name in ("compose/prepare", "muscle-cds.example.toml"):
        shutil.copy(ROOT / "deploy" / name, deploy / name)
    done = [
        subprocess.run([deploy / "compose" / "prepare"], capture_output=True, text=True, check=False, timeout=60)
        for _ in range(2)
    ]

    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 2
    assert done[0].stdout.count("made ") == 3
    assert done[1].stdout == "ready: docker compose --profile shared up --build edge\n"
    site = deploy / "site"
    assert {file.name for file in site.iterdir()} == MADE_BY_PREPARE
    assert stat.S_IMODE(site.stat().st_mode) == 0o700
    assert (site / "database-password").read_text().strip() in (site / "store").read_text()

    environment = {
        "MUSCLE_CDS_CONFIG": str(site / "muscle-cds.toml"),
        "MUSCLE_CDS_STORE_FILE": str(site / "store"),
        "MUSCLE_CDS_HOST": SERVICES["hooks"]["environment"]["MUSCLE_CDS_HOST"],
    }
    checked = run("config", "check", **environment)
    assert checked.exit_code == 0, checked.output
    assert (site / "database-password").read_text().strip() not in checked.output
    assert "@database:5432/muscle_cds" in checked.output


def test_the_script_can_be_run():
    assert os.access(ROOT / "deploy" / "compose" / "prepare", os.X_OK)
