"""The Kubernetes files fit their schemas, fit together, and keep what reliability R16 and section 6 promise. No cluster
runs here: they are read, validated offline, and built with kubectl where it is there.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from service.server import GRACEFUL_SECONDS
from service.settings import options
from tests.repository import ROOT, project_files, text_of
from tests.service.test_cli import run

K8S = Path("deploy/k8s")
FILES = [path for path in project_files() if path.is_relative_to(K8S)]
KUSTOMIZATIONS = [path for path in FILES if path.name == "kustomization.yaml"]
MANIFESTS = [
    path for path in FILES if path.suffix == ".yaml" and path not in KUSTOMIZATIONS and "patch" not in path.name
]
LISTED_ELSEWHERE = {"monitoring.coreos.com/v1"}  # of an operator: no schema of Kubernetes itself


def documents(path):
    return [one for one in yaml.safe_load_all(text_of(path)) if one]


RESOURCES = {(one["kind"], one["metadata"]["name"]): one for path in MANIFESTS for one in documents(path)}
POD_OF = {
    "Deployment": lambda one: one["spec"]["template"],
    "Job": lambda one: one["spec"]["template"],
    "CronJob": lambda one: one["spec"]["jobTemplate"]["spec"]["template"],
}
PODS = {key: POD_OF[key[0]](one) for key, one in RESOURCES.items() if key[0] in POD_OF}
EACH_POD = pytest.mark.parametrize("pod", PODS.values(), ids=["-".join(key) for key in PODS])


# --- schemas ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MANIFESTS, ids=str)
def test_a_manifest_fits_the_schema_of_its_kind(path):
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed here")

    for one in documents(path):
        if one["apiVersion"] not in LISTED_ELSEWHERE:
            validate.validate(one, validate.latest_version(), strict=True)


def test_the_validator_finds_a_member_that_does_not_exist():
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed here")

    with pytest.raises(validate.ValidationError):
        validate.validate(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"portz": []}},
            validate.latest_version(),
            strict=True,
        )


# --- kustomize ----------------------------------------------------------------------------------------------------


def named_by(path):
    """The files and folders a kustomization names, relative to its folder."""
    said = yaml.safe_load(text_of(path))
    generated = [
        file.partition("=")[2] or file
        for kind in ("configMapGenerator", "secretGenerator")
        for one in said.get(kind, [])
        for file in one["files"]
    ]
    patches = [one["path"] for one in said.get("patches", [])]
    return said.get("resources", []) + said.get("components", []) + generated + patches


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=str)
def test_a_kustomization_names_every_file_beside_it_and_only_what_is_there(path):
    named = named_by(path)
    beside = {file.name for file in FILES if file.parent == path.parent and file != path}

    assert len(set(named)) == len(named)
    assert {name for name in named if not name.startswith("../")} == beside
    for name in named:
        if name.startswith("../"):
            assert ((ROOT / path.parent / name).resolve() / "kustomization.yaml").is_file()


@pytest.mark.parametrize("path", [path for path in FILES if "patch" in path.name], ids=str)
def test_a_patch_names_a_resource_that_exists(path):
    for one in documents(path):
        assert (one["kind"], one["metadata"]["name"]) in RESOURCES


def test_kubectl_builds_the_example_site_and_what_it_builds_fits_the_schemas():
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed here")
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed here")
    built = subprocess.run(
        ["kubectl", "kustomize", str(ROOT / K8S / "example-site")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (built.returncode, built.stderr) == (0, "")
    made = list(yaml.safe_load_all(built.stdout))
    for one in made:
        if one["apiVersion"] not in LISTED_ELSEWHERE:
            validate.validate(one, validate.latest_version(), strict=True)
    kinds = sorted(one["kind"] for one in made)
    assert kinds == sorted([kind for kind, _ in RESOURCES] + ["ConfigMap", "Secret"])
    assert {one["metadata"].get("namespace") for one in made if one["kind"] != "Namespace"} == {"muscle-cds"}
    (deployment,) = [one for one in made if one["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {port["name"] for port in container["ports"]} == {"hooks", "metrics"}
    assert {one["name"] for one in container["env"]} >= {"MUSCLE_CDS_CONFIG", "MUSCLE_CDS_METRICS_ADDRESS"}
    assert container["image"].startswith("registry.hospital.example/muscle-cds:")


def test_the_settings_of_the_example_site_are_accepted_by_the_service():
    site = ROOT / K8S / "example-site"
    checked = run(
        "config",
        "check",
        MUSCLE_CDS_CONFIG=str(site / "muscle-cds.toml"),
        MUSCLE_CDS_STORE_FILE=str(site / "store.example"),
        MUSCLE_CDS_HOST="0.0.0.0",
    )

    assert checked.exit_code == 0, checked.output
    assert "change-me" not in checked.output


# --- what holds for every pod -------------------------------------------------------------------------------------


@EACH_POD
def test_a_pod_can_neither_write_nor_gain_rights(pod):
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 65532
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys() == {"cpu", "memory"}


@EACH_POD
def test_a_pod_is_not_given_variables_that_would_stop_the_start(pod):
    """Kubernetes sets MUSCLE_CDS_SERVICE_HOST for a Service of that name, and an unknown setting stops the start."""
    assert pod["spec"]["enableServiceLinks"] is False


KNOWN = {option.variable for option in options()} | {"MUSCLE_CDS_CONFIG", "MUSCLE_CDS_STORE_FILE"}


def test_a_patch_sets_settings_that_exist():
    (patch,) = documents(K8S / "metrics" / "deployment-patch.yaml")
    (container,) = patch["spec"]["template"]["spec"]["containers"]

    assert {one["name"] for one in container["env"]} <= KNOWN
    assert {int(one["value"].rpartition(":")[2]) for one in container["env"]} == {
        port["containerPort"] for port in container["ports"]
    }


@EACH_POD
def test_a_pod_sets_settings_that_exist_and_holds_no_secret(pod):
    for container in pod["spec"]["containers"]:
        assert {one["name"] for one in container["env"]} <= KNOWN
        for mount in container["volumeMounts"]:
            assert mount["name"] in {volume["name"] for volume in pod["spec"]["volumes"]}
            assert mount.get("readOnly", False) == (mount["mountPath"] != "/tmp")


@EACH_POD
def test_a_command_in_a_pod_exists(pod):
    (container,) = pod["spec"]["containers"]
    program, *arguments = container["command"]

    assert program == "muscle-cds"
    assert run(*[one for one in arguments if not one.startswith("-") and not one.isdigit()], "--help").exit_code == 0


# --- how it comes and goes ----------------------------------------------------------------------------------------

HOOKS = PODS["Deployment", "muscle-cds"]["spec"]


def test_the_probes_ask_what_they_are_for():
    (container,) = HOOKS["containers"]

    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "hooks"}
    assert container["startupProbe"]["httpGet"] == {"path": "/livez", "port": "hooks"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "hooks"}


def test_a_pod_has_time_to_finish_what_it_began():
    (container,) = HOOKS["containers"]
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    not_ready = next(int(option.default) for option in options() if option.name == "drain_seconds")

    assert before == 5
    assert HOOKS["terminationGracePeriodSeconds"] == 30
    assert before + not_ready + GRACEFUL_SECONDS < HOOKS["terminationGracePeriodSeconds"]


def test_a_release_takes_no_copy_away_before_there_is_another():
    deployment = RESOURCES["Deployment", "muscle-cds"]["spec"]

    assert deployment["replicas"] >= 2
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert RESOURCES["PodDisruptionBudget", "muscle-cds"]["spec"]["maxUnavailable"] == 1


def test_tables_are_changed_by_a_job_and_pruned_by_another():
    assert PODS["Job", "muscle-cds-migration"]["spec"]["containers"][0]["command"] == ["muscle-cds", "db", "upgrade"]
    assert PODS["CronJob", "muscle-cds-prune"]["spec"]["containers"][0]["command"] == ["muscle-cds", "prune"]
    assert RESOURCES["CronJob", "muscle-cds-prune"]["spec"]["concurrencyPolicy"] == "Forbid"


def test_services_budgets_and_policies_choose_pods_that_exist():
    labels = [pod["metadata"]["labels"] for pod in PODS.values()]
    chosen = {
        key: one["spec"]["selector"].get("matchLabels", one["spec"]["selector"])
        if "selector" in one["spec"]
        else one["spec"]["podSelector"]["matchLabels"]
        for key, one in RESOURCES.items()
        if key[0] in ("Service", "PodDisruptionBudget", "NetworkPolicy")
    }

    assert len(chosen) == 6
    for key, wanted in chosen.items():
        assert any(wanted.items() <= have.items() for have in labels), key
    monitor = RESOURCES["ServiceMonitor", "muscle-cds"]["spec"]
    service = RESOURCES["Service", "muscle-cds-metrics"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]


def test_every_pod_is_under_a_policy_that_names_where_it_may_call():
    """R4: egress is limited in the network as well; nothing leads to everywhere."""
    policies = [one["spec"] for (kind, _), one in RESOURCES.items() if kind == "NetworkPolicy"]
    for pod in PODS.values():
        limited = [
            one
            for one in policies
            if "Egress" in one["policyTypes"]
            and one["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
        ]
        assert limited
        for policy in limited:
            for rule in policy["egress"]:
                assert rule["to"]
                assert {port["port"] for port in rule["ports"]} <= {53, 443, 5432}
                assert all(one.get("ipBlock", {}).get("cidr") != "0.0.0.0/0" for one in rule["to"])
    jobs = next(one for one in policies if one["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "jobs")
    assert {port["port"] for rule in jobs["egress"] for port in rule["ports"]} == {53, 5432}


def test_the_ingress_takes_requests_in_whole_and_shows_hooks_only():
    ingress = RESOURCES["Ingress", "muscle-cds"]
    said = {key.rpartition("/")[2]: value for key, value in ingress["metadata"]["annotations"].items()}

    assert said["proxy-request-buffering"] == "on"
    assert said["proxy-body-size"] == "5m"
    (rule,) = ingress["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/cds-services"]
    assert re.search(
        rf'public_url = "https://{re.escape(rule["host"])}"', text_of(K8S / "example-site/muscle-cds.toml")
    )
