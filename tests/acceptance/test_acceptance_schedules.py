"""The schedules that are shipped to be copied, checked by their own tools where there are some."""

from __future__ import annotations

import json
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
from crontab import CronItem, CronSlices, CronTab

from importer.approval import SYSTEM
from importer.approval.keys import KEYS_VARIABLE
from importer.cli.entry import app
from importer.profile import Profile
from tests.acceptance.airflow import environment
from tests.acceptance.conftest import ROOT

SCHEDULES = ROOT / "configs" / "schedules"
NIGHT = "importer nightly /srv/customers/inbox --yes --quiet --log-format json"
ENVIRON = {"IMPORTER_CONFIG", "IMPORTER_WORKSPACE", "IMPORTER_TARGET"}


def text(name: str) -> str:
    return (SCHEDULES / name).read_text(encoding="utf-8")


def documents() -> dict[str, Any]:
    return {one["metadata"]["name"]: one for one in yaml.safe_load_all(text("kubernetes.yaml"))}


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every importer command that a schedule calls."""
    for path in sorted(SCHEDULES.iterdir()):
        for line in path.read_text(encoding="utf-8").splitlines():
            called = re.search(r'(?:^|[ "/=])importer ((?:doctor|nightly|purge)\b[^"|#]*)', line)
            if called and not line.lstrip().startswith("#"):
                yield path.name, shlex.split(called[1].strip())
    for name in ("importer-nightly", "importer-purge"):
        (container,) = documents()[name]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        assert container["command"][0] == "importer"
        yield f"kubernetes {name}", container["command"][1:]


def test_every_command_that_a_schedule_calls_is_one_of_ours() -> None:
    found = list(commands())
    assert {name for name, _ in found} == {
        "crontab", "importer-nightly.service", "importer-purge.service", "github-actions.yml", "airflow_dag.py",
        "kubernetes importer-nightly", "kubernetes importer-purge",
    }  # fmt: skip
    group: Any = typer.main.get_command(app)
    for name, (command, *options) in found:
        with group.commands[command].make_context(command, list(options)):
            pass
        assert command != "nightly" or "--yes" in options, name


def test_every_schedule_names_variables_that_the_profile_knows() -> None:
    named = {
        name
        for path in SCHEDULES.iterdir()
        for name in re.findall(r"\bIMPORTER_[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    assert named == ENVIRON | {KEYS_VARIABLE}
    Profile.load(environ=dict.fromkeys(ENVIRON - {"IMPORTER_CONFIG"}, "live"))


def test_every_schedule_of_a_night_says_where_the_policy_of_approvals_is_and_who_signs_its_plans() -> None:
    nights = ("crontab", "importer-nightly.service", "kubernetes.yaml", "github-actions.yml", "airflow_dag.py")
    for name in nights:
        said = text(name)
        assert str(SYSTEM) in said, name
        assert KEYS_VARIABLE in said, name


def test_a_service_that_hides_homes_has_its_keys_elsewhere_and_cannot_write_the_policy() -> None:
    unit = text("importer-nightly.service")
    (keys,) = re.findall(rf"^Environment={KEYS_VARIABLE}=(.+)$", unit, re.MULTILINE)

    assert "ProtectHome=yes" in unit
    assert keys.startswith("/var/lib/importer/")
    assert "ProtectSystem=strict" in unit
    assert not re.search(r"^ReadWritePaths=.*/etc", unit, re.MULTILINE)


def test_every_schedule_says_how_it_is_used_and_holds_no_secret() -> None:
    for path in SCHEDULES.iterdir():
        content = path.read_text(encoding="utf-8")
        assert content.startswith(("# ", '"""')), path.name
        assert not re.search(r"(?i)(secret|password|key)\s*[:=]\s*['\"]?[A-Za-z0-9+]{16,}", content), path.name


# --------------------------------------------------------------------------- cron


def jobs(crontab: str) -> list[CronItem]:
    """The lines of a system's crontab that a parser of crontabs understands."""
    return [job for job in CronTab(tab=crontab, user=False) if job.is_enabled() and job.is_valid()]


def test_cron_lines_are_a_time_a_user_and_a_command() -> None:
    content = text("crontab")
    lines = [line for line in content.splitlines() if line.strip() and not re.match(r"#|\w+=", line)]
    understood = jobs(content)

    assert [str(job.slices) for job in understood] == ["50 21 * * *", "0 22 * * *", "30 7 * * 0"]
    assert [job.command.split()[:2] for job in understood] == [
        ["importer", command] for command in ("doctor", "nightly", "purge")
    ]
    assert len(lines) == len(understood)
    assert {job.user for job in understood} == {"importer"}
    assert "%" not in "".join(lines)  # cron makes line ends of them
    assert content.endswith("\n")  # cron ignores a last line without an end


@pytest.mark.parametrize(
    ("right", "wrong"), [("50 21", "60 21"), ("0  22", "0  24"), ("* * 0", "* * 9"), ("*  i", "i")]
)
def test_cron_lines_that_are_wrong_would_be_noticed(right: str, wrong: str) -> None:
    assert len(jobs(text("crontab").replace(right, wrong, 1))) == 2


def test_every_other_schedule_with_a_cron_expression_has_one_that_cron_understands() -> None:
    found = [*re.findall(r'(?:cron|schedule): "(.+?)"', text("github-actions.yml") + text("kubernetes.yaml"))]

    assert len(found) == 3
    assert all(CronSlices.is_valid(expression) for expression in found)


# --------------------------------------------------------------------------- systemd


@pytest.fixture
def units(tmp_path: Path) -> list[str]:
    """The units, with a program that is there in place of ours."""
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("CI"):
            pytest.fail("systemd is not installed, and CI runs every test")
        pytest.skip("systemd-analyze is not installed")
    for path in (*SCHEDULES.glob("*.service"), *SCHEDULES.glob("*.timer")):
        content = path.read_text(encoding="utf-8").replace("/opt/importer/bin/importer", "/bin/true")
        (tmp_path / path.name).write_text(content, encoding="utf-8")
    return sorted(str(path) for path in tmp_path.iterdir())


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_systemd_accepts_the_units_without_a_warning(units: list[str]) -> None:
    assert len(units) == 4
    verified = analyze("verify", "--man=no", *units)

    assert (verified.returncode, [line for line in verified.stderr.splitlines() if "importer-" in line]) == (0, [])


def test_systemd_finds_the_services_hardened(units: list[str]) -> None:
    for unit in units:
        if unit.endswith(".service"):
            judged = analyze("security", "--offline=true", "--no-pager", "--threshold=20", unit)
            assert judged.returncode == 0, judged.stdout[-2_000:]


def test_systemd_understands_when_the_timers_go_off(units: list[str]) -> None:
    assert len([unit for unit in units if unit.endswith(".timer")]) == 2
    for name in ("importer-nightly.timer", "importer-purge.timer"):
        (when,) = re.findall(r"OnCalendar=(.+)", text(name))
        assert analyze("calendar", when).returncode == 0


# --------------------------------------------------------------------------- Kubernetes


def test_kubernetes_schema_accepts_every_document() -> None:
    for document in documents().values():
        kubernetes_validate.validate(document, "1.30", strict=True)


def test_kubernetes_runs_one_at_a_time_unprivileged_on_a_volume_that_stays() -> None:
    found = documents()
    assert found["importer-runs"]["kind"] == "PersistentVolumeClaim"
    for name in ("importer-nightly", "importer-purge"):
        spec = found[name]["spec"]
        pod = spec["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert spec["concurrencyPolicy"] == "Forbid"
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert {"claimName": "importer-runs"} in [one.get("persistentVolumeClaim") for one in pod["volumes"]]
        mounted = {one["name"] for one in container["volumeMounts"]}
        assert mounted == {one["name"] for one in pod["volumes"]}
    night = found["importer-nightly"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (policy,) = [one for one in night["containers"][0]["volumeMounts"] if one["mountPath"] == str(SYSTEM.parent)]
    (volume,) = [one for one in night["volumes"] if one["name"] == policy["name"]]
    assert policy["readOnly"] is True
    assert [one["configMap"].get("optional", False) for one in volume["projected"]["sources"]] == [False, True]
    rules = found["importer-nightly"]["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert 75 in rules[0]["onExitCodes"]["values"]
    assert 7 not in rules[0]["onExitCodes"]["values"]


# --------------------------------------------------------------------------- GitHub Actions


def judged(workflow: Path) -> subprocess.CompletedProcess[str]:
    """Hold a workflow against the schema that is published for them."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_schema_of_github_workflows_accepts_ours() -> None:
    done = judged(SCHEDULES / "github-actions.yml")

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("right", "wrong"), [("timeout-minutes", "timeout-minuts"), ("- cron:", "- crom:"), ("runs-on:", "runs_on:")]
)
def test_the_schema_of_github_workflows_would_notice_a_wrong_word(tmp_path: Path, right: str, wrong: str) -> None:
    path = tmp_path / "workflow.yml"
    path.write_text(text("github-actions.yml").replace(right, wrong), encoding="utf-8")

    assert judged(path).returncode == 1


def test_github_actions_are_scheduled_one_at_a_time_on_a_runner_that_remembers() -> None:
    workflow = yaml.safe_load(text("github-actions.yml"))
    job = workflow["jobs"]["nightly"]

    assert workflow[True]["schedule"] == [{"cron": "0 22 * * *"}]  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert "self-hosted" in job["runs-on"]
    assert all(set(step) <= {"name", "run", "if", "continue-on-error"} for step in job["steps"])
    assert "upload-artifact" not in text("github-actions.yml")


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (75, 0), (3, 3), (7, 7)])
def test_the_step_of_the_night_passes_on_every_exit_code_but_later(tmp_path: Path, code: int, expected: int) -> None:
    steps = yaml.safe_load(text("github-actions.yml"))["jobs"]["nightly"]["steps"]
    (night,) = [step["run"] for step in steps if "nightly" in step["run"]]
    program = tmp_path / "importer"
    program.write_text(f"#!/bin/sh\nexit {code}\n")
    program.chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-c", night], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, check=False
    )

    assert done.returncode == expected


# --------------------------------------------------------------------------- Airflow

NIGHTS = {"0": ("success", "success"), "75": ("skipped", "success"), "3": ("failed", "failed")}
"""Exit code of a night: how its task ends, and how the DAG does. The doctor complains in each of them."""
REHEARSAL_S = 300
"""On a machine that others keep busy, too: Airflow is compiled meanwhile."""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a real Airflow makes of the DAGs, and of nights that end in different ways."""
    home, python = tmp_path_factory.mktemp("airflow"), environment.python()
    program = home / "importer"
    log = '"$IMPORTER_TARGET" "$ROCKETKOR_API_KEY_FILE" "$@"'
    program.write_text(
        f"#!/bin/sh\ncd {home}; echo {log} >> called\nif [ $1 = nightly ]; then exit $(cat CODE); fi; exit 3\n"
    )
    program.chmod(0o755)
    environ = {
        "PATH": f"{home}:/usr/bin:/bin", "HOME": str(home), "AIRFLOW_HOME": str(home / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(SCHEDULES), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONDONTWRITEBYTECODE": "1", "ROCKETKOR_API_KEY_FILE": "/etc/importer/rocketkor.key",
    }  # fmt: skip
    command = [*map(str, (python, environment.REHEARSAL, SCHEDULES / "airflow_dag.py")), "import_customers", *NIGHTS]
    done = subprocess.run(
        command, env=environ, cwd=home, capture_output=True, text=True, check=False, timeout=REHEARSAL_S
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    reported = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(reported, dict)
    called = home / "called"
    return {**reported, "called": called.read_text("utf-8").splitlines() if called.exists() else []}


@pytest.mark.timeout(environment.INSTALL_S + REHEARSAL_S + 10)
@pytest.mark.xdist_group("airflow")
@pytest.mark.slow
def test_airflow_reads_the_dags_without_an_error(airflow: dict[str, Any]) -> None:
    night, purge = airflow["dags"]["import_customers"], airflow["dags"]["purge_old_imports"]

    assert airflow["errors"] == {}
    assert night["tasks"]["nightly"]["command"] == NIGHT
    assert {name: task["after"] for name, task in night["tasks"].items()} == {"doctor": [], "nightly": ["doctor"]}
    assert (night["schedule"], purge["schedule"], list(purge["tasks"])) == ("0 22 * * *", "30 7 * * 0", ["purge"])
    for dag in (night, purge):
        assert (dag["catchup"], dag["max_active_runs"]) == (False, 1)
        assert all(set(task["env"]) == ENVIRON for task in dag["tasks"].values())


@pytest.mark.timeout(environment.INSTALL_S + REHEARSAL_S + 10)
@pytest.mark.xdist_group("airflow")
@pytest.mark.slow
def test_airflow_runs_the_night_whatever_the_doctor_says_and_takes_later_as_skipped(airflow: dict[str, Any]) -> None:
    for code, (task, dag) in NIGHTS.items():
        assert airflow["runs"][code] == {"doctor": "failed", "nightly": task, "": dag}
    night = [
        f"live /etc/importer/rocketkor.key {command.removeprefix('importer ')}"
        for command in ("importer doctor", NIGHT)
    ]
    assert airflow["called"] == night * len(NIGHTS)
