"""What is shipped for a cluster: Compose and Kubernetes files, checked by their own tools, and started as they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from crontab import CronSlices

from importer.cli.entry import app
from importer.core.target_kinds import credential_variables
from importer.profile import Profile
from tests.acceptance.cluster import (
    CLUSTER,
    COMPOSE,
    ELSEWHERE,
    FLOWS,
    JOURNAL,
    NOBODY,
    README,
    SHOWN,
    allowed,
    container,
    documents,
    environ_of,
    environments,
    everything,
    pods,
    services,
)
from tests.acceptance.conftest import ROOT

# --------------------------------------------------------------------------- their own tools


def test_the_schemas_of_kubernetes_accept_every_document() -> None:
    for document in everything():
        kubernetes_validate.validate(document, "1.30", strict=True)
    assert all(CronSlices.is_valid(one["spec"]["schedule"]) for one in documents("CronJob").values())


def judged(compose: Path) -> int:
    """Hold a file against the schema that is published for Compose."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(compose)]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode


def test_the_schema_of_compose_accepts_ours_and_notices_a_wrong_word(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("cap_drop", "cap_drops"))

    assert (judged(COMPOSE), judged(wrong)) == (0, 1)


def composed(compose: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What Compose itself makes of a file."""
    program = shutil.which("docker-compose")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("docker-compose is not installed, and CI runs every test")
        pytest.skip("docker-compose is not installed")
    command = [program, "--file", str(compose), "config", "--quiet"]
    return subprocess.run(
        command, env={"PATH": os.environ["PATH"], **environ}, capture_output=True, text=True, check=False, timeout=60
    )


def test_compose_itself_accepts_the_file_and_asks_for_the_journal(tmp_path: Path) -> None:
    assert composed(COMPOSE, JOURNAL).returncode == 0
    assert "IMPORTER_JOURNAL" in composed(COMPOSE, {}).stderr
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("depends_on: [scheduler]", "depends_on: [other]"))
    assert composed(wrong, JOURNAL).returncode != 0


# --------------------------------------------------------------------------- names that exist


def test_every_variable_is_one_of_this_program_or_of_dask() -> None:
    dask = pytest.importorskip("dask", reason="the group 'dask' is not installed")
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    absent = object()
    for name, environ in environments():
        ours = {one: text for one, text in environ.items() if one.startswith("IMPORTER_")}
        rest = {one for one in environ if one.startswith("DASK_")}
        assert {one.removesuffix("_FILE") for one in environ.keys() - ours.keys() - rest} <= credential_variables(), (
            name
        )
        settings = {one: text for one, text in ours.items() if one.removesuffix("_FILE") not in ELSEWHERE}
        Profile.load(environ={**settings, **JOURNAL, "IMPORTER_CONFIG": str(ROOT / "configs" / "nightly.toml")})
        for one in rest:
            key = one.removeprefix("DASK_").lower().replace("__", ".").replace("_", "-")
            assert dask.config.get(key, default=absent) is not absent, (name, one)


def commands() -> Iterator[list[str]]:
    yield from (container(pod)["command"] for pod in pods().values())
    yield from (service["entrypoint"] for service in services().values() if "entrypoint" in service)
    yield from (
        ["importer", *shlex.split(shown[0])]
        for text in (README, COMPOSE.read_text())
        for shown in re.finditer(r"(?<=run --rm importer ).*?(?=  |$)", text, re.MULTILINE)
    )


def test_every_command_and_option_is_one_of_this_program_or_of_dask() -> None:
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    from distributed.cli import dask_scheduler, dask_worker

    of_dask = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}
    ours: Any = typer.main.get_command(app)
    seen = set()
    for program, command, *options in commands():
        known = {"dask": of_dask, "importer": ours.commands}[program]
        with known[command].make_context(command, list(options)):
            seen.add((program, command))
    assert seen == {("dask", "scheduler"), ("dask", "worker"), ("importer", "nightly"), ("importer", "validate")}


def test_both_files_start_the_same_programs_with_the_same_settings() -> None:
    settings = documents("ConfigMap")["importer-dask"]["data"]
    for name in ("scheduler", "worker"):
        there, here = container(pods()[f"importer-{name}"]), services()[name]
        assert [word.replace("importer-scheduler", "scheduler") for word in there["command"]] == here["entrypoint"]
        assert here["environment"].keys() == environ_of(pods()[f"importer-{name}"]).keys()
    for name, service in services().items():
        of_dask = {one: text for one, text in service["environment"].items() if one.startswith("DASK_")}
        places = {one for one, text in settings.items() if text.startswith("/")}
        assert of_dask.keys() == settings.keys(), name
        assert {one: text for one, text in of_dask.items() if one not in places} == {
            one: text for one, text in settings.items() if one not in places
        }


# --------------------------------------------------------------------------- no more than is needed


def test_every_pod_is_unprivileged_confined_and_limited() -> None:
    assert (
        documents("Namespace")["importer"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    )
    for name, pod in pods().items():
        spec, one = pod["spec"], container(pod)
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] == NOBODY, name
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }, name  # fmt: skip
        assert one["resources"]["limits"].keys() == {"cpu", "memory"}, name
        assert ("livenessProbe" in one) is (name in documents("Deployment")), name
        assert {mount["name"] for mount in one["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}, name


def test_every_service_is_unprivileged_confined_and_limited() -> None:
    for name, service in services().items():
        assert (service["user"], service["read_only"], service["cap_drop"]) == ("10001:10001", True, ["ALL"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert "ports" not in service, name
        assert ("outside" in service["networks"]) is (name != "scheduler"), name
    networks = yaml.safe_load(COMPOSE.read_text())["networks"]
    assert networks == {"cluster": {"internal": True}, "outside": {}}


def test_everything_uses_the_image_that_is_built_with_the_group() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    image = f"registry.example.com/rocketkor-importer:{version[1]}"
    said = (CLUSTER / "kubernetes" / "cluster.yaml").read_text(encoding="utf-8")

    assert {container(pod)["image"] for pod in pods().values()} == {image}
    assert {service["image"] for service in services().values()} == {image}
    assert f"docker build --build-arg LOCK=requirements-optional.lock --tag {image} ." in said
    assert services()["scheduler"]["build"] == {"context": "../..", "args": {"LOCK": "requirements-optional.lock"}}
    optional = (ROOT / "requirements-optional.lock").read_text(encoding="utf-8")
    assert all(re.search(rf"^{name}==", optional, re.MULTILINE) for name in ("dask", "distributed", "psycopg"))


def test_every_file_that_a_variable_names_is_mounted_and_no_other_secret_is() -> None:
    for name, pod in pods().items():
        secrets = {one["name"] for one in pod["spec"]["volumes"] if "secret" in one}
        mounts = {one["mountPath"] for one in container(pod)["volumeMounts"] if one["name"] in secrets}
        named = re.findall(r"/run/secrets/[a-z]+", " ".join(environ_of(pod).values()))
        assert mounts == set(named), name
    for name, service in services().items():
        named = re.findall(r"/run/secrets/([a-z.-]+)", " ".join(service["environment"].values()))
        given = set(service["secrets"]) - {"journal-ca.pem"}  # named by the address of the journal
        assert given == set(named), name
    for worker in (environ_of(pods()["importer-worker"]), services()["worker"]["environment"]):
        ours = {one.removesuffix("_FILE") for one in worker if not one.startswith("DASK_")}
        access = {one.removesuffix("_FILE") for one in credential_variables()}
        assert ours == {"IMPORTER_JOURNAL"} | ELSEWHERE | access


def test_the_secrets_of_the_page_are_those_that_are_mounted() -> None:
    made = set(re.findall(r"create (?:secret generic|configmap) (\S+)", README))
    used = {
        one.get("secret", {}).get("secretName") or one["configMap"]["name"]
        for pod in pods().values()
        for one in pod["spec"]["volumes"]
        if "secret" in one or "configMap" in one
    }
    assert made == used
    secrets = yaml.safe_load(COMPOSE.read_text())["secrets"]
    assert {name for service in services().values() for name in service["secrets"]} == set(secrets)
    assert {one["file"] for one in secrets.values() if Path(one["file"]).name not in README} == set()


def test_what_the_commands_of_the_page_name_is_there() -> None:
    objects = {f"{one['kind'].lower()}/{one['metadata']['name']}" for one in everything()}
    for command in SHOWN:
        program, *words = shlex.split(command)
        if program == "kubectl":
            named = {word.removeprefix("--from=") for word in words if word.startswith("--from=")}
            named |= {f"{words[3]}/{words[4]}"} if "scale" in words else set()
            assert named <= objects, command
            assert "--filename" not in words or (CLUSTER / words[-1]).is_dir()
        elif program == "docker":
            chosen = set(words) & {"scheduler", "worker", "importer"} or {"scheduler"}
            assert (words[0], chosen <= services().keys()) == ("compose", True), command
        else:
            assert program in {"mkdir", "openssl", "export"}, command  # run by test_acceptance_cluster_started.py


def test_the_policies_allow_what_is_needed_and_nothing_else() -> None:
    out = {(whose, *flow) for whose, flows in FLOWS.items() for flow in flows}
    within = {(whose, peer, port) for whose, peer, port in out if peer in FLOWS}

    assert set(allowed("egress", "to")) == out
    assert {(peer, whose, port) for whose, peer, port in allowed("ingress", "from")} == within
    assert documents("NetworkPolicy")["importer-nothing"]["spec"] == {
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
    }  # fmt: skip
    assert all(one["spec"]["policyTypes"] == ["Ingress", "Egress"] for one in documents("NetworkPolicy").values())
    assert {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods().values()} == set(FLOWS)
