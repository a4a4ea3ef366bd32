"""The schedules that are shipped to be copied, checked by their own tools where there are some."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Self
from unittest import mock

import kubernetes_validate
import pytest
import typer
import yaml

from importer.cli.app import app
from importer.profile import Profile
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
    assert named == ENVIRON
    Profile.load(environ=dict.fromkeys(named - {"IMPORTER_CONFIG"}, "live"))


def test_every_schedule_says_how_it_is_used_and_holds_no_secret() -> None:
    for path in SCHEDULES.iterdir():
        content = path.read_text(encoding="utf-8")
        assert content.startswith(("# ", '"""')), path.name
        assert not re.search(r"(?i)(secret|password|key)\s*[:=]\s*['\"]?[A-Za-z0-9+]{16,}", content), path.name


# --------------------------------------------------------------------------- cron


def test_cron_lines_are_a_time_a_user_and_a_command() -> None:
    limits = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    jobs = [line.split(None, 6) for line in text("crontab").splitlines() if re.match(r"[\d*]", line)]

    assert [job[6].split()[1] for job in jobs] == ["doctor", "nightly", "purge"]
    for job in jobs:
        assert job[5] == "importer"
        assert all(one == "*" or low <= int(one) <= high for one, (low, high) in zip(job, limits, strict=False))
        assert "%" not in job[6]  # cron makes line ends of them


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


def test_systemd_understands_when_the_timers_go_off() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
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
    rules = found["importer-nightly"]["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert 75 in rules[0]["onExitCodes"]["values"]
    assert 7 not in rules[0]["onExitCodes"]["values"]


# --------------------------------------------------------------------------- GitHub Actions


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


class Task:
    """Stands in for an operator: Airflow itself takes minutes to install."""

    def __init__(self, **given: Any) -> None:
        self.given, self.after = given, list[str]()
        Dag.open[-1].tasks[given["task_id"]] = self

    def __rshift__(self, other: Task) -> Task:
        other.after.append(self.given["task_id"])
        return other


class Dag:
    """Stands in for a DAG."""

    open: list[Dag] = []  # noqa: RUF012  # the fake's own memory

    def __init__(self, **given: Any) -> None:
        self.given = given
        self.tasks: dict[str, Task] = {}

    def __enter__(self) -> Self:
        Dag.open.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        return None


def test_the_airflow_dags_run_once_at_a_time_and_treat_later_as_skipped() -> None:
    names = ("airflow", "airflow.sdk", "airflow.providers", "airflow.providers.standard",
             "airflow.providers.standard.operators", "airflow.providers.standard.operators.bash")  # fmt: skip
    modules = {name: ModuleType(name) for name in names}
    modules["airflow.sdk"].DAG = Dag  # type: ignore[attr-defined]
    modules["airflow.providers.standard.operators.bash"].BashOperator = Task  # type: ignore[attr-defined]
    Dag.open.clear()
    with mock.patch.dict(sys.modules, modules):
        runpy.run_path(str(SCHEDULES / "airflow_dag.py"))

    night, purge = Dag.open
    assert night.tasks["nightly"].given["bash_command"] == NIGHT
    assert night.tasks["nightly"].given["skip_on_exit_code"] == 75
    assert night.tasks["nightly"].after == ["doctor"]
    assert list(purge.tasks) == ["purge"]
    for dag in (night, purge):
        assert (dag.given["catchup"], dag.given["max_active_runs"]) == (False, 1)
        assert set(dag.given["default_args"]["env"]) == ENVIRON
        assert dag.given["start_date"].tzinfo is not None
