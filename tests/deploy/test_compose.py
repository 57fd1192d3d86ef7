"""The compose file and the image keep what reliability section 6 promises. No container engine runs here: they are read."""

import re
from pathlib import Path

import pytest
import yaml

from service.settings import LOOPBACK, options
from tests.repository import ROOT, project_files, text_of

COMPOSE = yaml.safe_load(text_of(Path("docker-compose.yml")))
DOCKERFILE = text_of(Path("Dockerfile"))
SERVICES = COMPOSE["services"]
EACH = pytest.mark.parametrize("name", SERVICES)


@EACH
def test_a_container_can_neither_write_nor_gain_rights(name):
    container = SERVICES[name]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in container["security_opt"]
    assert container["user"] == "65532:65532"
    assert [mount.partition(":")[0] for mount in container["tmpfs"]] == ["/tmp"]


@EACH
def test_a_container_has_limits_and_a_health_check(name):
    container = SERVICES[name]

    assert {"mem_limit", "pids_limit", "cpus", "healthcheck"} <= container.keys()


@EACH
def test_what_a_container_mounts_is_in_the_tree_and_read_only(name):
    for volume in SERVICES[name].get("volumes", []):
        source, _, mode = volume.split(":")
        assert (ROOT / source).is_file()
        assert mode == "ro"


@EACH
def test_nothing_is_published_beyond_this_machine(name):
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


def test_the_demo_profile_is_reached_through_the_proxy_only():
    service = SERVICES["service"]

    assert service["environment"]["MUSCLE_CDS_PROFILE"] == "demo"
    assert service["network_mode"] == "service:proxy"
    assert "ports" not in service


def test_the_compose_file_sets_settings_that_exist():
    assert set(SERVICES["service"]["environment"]) <= {option.variable for option in options()}


def test_proxy_and_service_agree_on_the_port():
    port = next(option.default for option in options() if option.name == "port")
    proxied = re.search(r"upstream muscle_cds \{\s*server ([\w.]+):(\d+);", text_of(Path("deploy/nginx/nginx.conf")))

    assert proxied[1] in LOOPBACK
    assert proxied[2] == port
    assert f"EXPOSE {port}" in DOCKERFILE
    assert f'CMD ["muscle-cds", "serve", "--port", "{port}"]' in DOCKERFILE
    assert SERVICES["service"]["healthcheck"]["test"][-1] == port
    assert f'"python", "-m", "service.health", "{port}"' in DOCKERFILE


# --- the image ----------------------------------------------------------------------------------------------------


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
    ours = {path.parts[0] for path in project_files() if path.name == "__init__.py" and len(path.parts) == 2}

    assert ours - {"tests"} <= set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, flags=re.MULTILINE))
