"""The image: its Dockerfile is sound, its steps make a program that works, and it needs no rights and no network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from importer.approval import SYSTEM
from tests.acceptance.building import Stage, Step, build, context, steps
from tests.acceptance.conftest import ROOT

DOCKERFILE = ROOT / "Dockerfile"
NOBODY = 10001
HEALTH = ["importer", "doctor", "--offline", "--quiet"]


def of(name: str) -> list[Step]:
    return [step for step in steps(DOCKERFILE) if step.name == name]


def test_a_linter_of_dockerfiles_finds_nothing() -> None:
    linter = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert linter
    done = subprocess.run([linter, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    bad = subprocess.run([linter, "-"], input=b"FROM python\nRUN sudo true\n", capture_output=True, check=False)
    assert bad.returncode == 1


def test_everything_is_installed_by_hash_and_our_own_wheel_without_an_index() -> None:
    installs = [part for step in of("RUN") for part in step.value.split("&&") if "pip install" in part]

    assert len(installs) == 3
    assert all("--require-hashes -r" in part or "--no-index --no-deps /wheels/" in part for part in installs)
    assert not re.search(r"pip install (.* )?[\"']?importer\b", DOCKERFILE.read_text(encoding="utf-8"))


def test_the_image_has_two_stages_and_a_user_without_rights() -> None:
    bases = [step.value for step in of("FROM")]
    (user,) = of("USER")

    assert bases == ["python:3.13-slim-trixie AS build", "python:3.13-slim-trixie"]
    assert user.value == f"{NOBODY}:{NOBODY}"
    assert of("ADD") == []
    assert not re.search(r"(?i)(secret|api_key|password)\s*=", DOCKERFILE.read_text(encoding="utf-8"))
    last = [step.name for step in steps(DOCKERFILE)][-6:]
    assert last == ["USER", "WORKDIR", "VOLUME", "HEALTHCHECK", "ENTRYPOINT", "CMD"]  # nothing is run as root after


def test_an_image_that_keeps_to_approvals_has_their_group_and_mounts_the_policy_read_only() -> None:
    said = DOCKERFILE.read_text(encoding="utf-8")
    optional = (ROOT / "requirements-optional.lock").read_text(encoding="utf-8")

    assert f"--volume {SYSTEM}:{SYSTEM}:ro" in said
    assert "--build-arg LOCK=requirements-optional.lock" in said
    assert re.search(r"^cryptography==", optional, re.MULTILINE)


def test_only_what_is_copied_enters_the_build(tmp_path: Path) -> None:
    entered = {str(path.relative_to(tmp_path)) for path in context(ROOT, tmp_path).rglob("*") if path.is_file()}
    folders = {name.split("/")[0] for name in entered if "/" in name}
    copied = {word for step in of("COPY") if "--from" not in step.value for word in step.words()[:-1]}

    assert folders == {"importer"}
    assert {name for name in entered if "/" not in name} | {"importer"} == copied
    assert not [name for name in entered if "__pycache__" in name]


def test_kubernetes_uses_the_image_that_is_built() -> None:
    content = (ROOT / "configs" / "schedules" / "kubernetes.yaml").read_text(encoding="utf-8")
    (built,) = set(re.findall(r"docker build --tag (\S+) \.", content))
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)

    assert version
    assert built == f"registry.example.com/rocketkor-importer:{version[1]}"
    for document in yaml.safe_load_all(content):
        if document["kind"] == "CronJob":
            pod = document["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            assert container["image"] == built
            assert pod["securityContext"]["runAsUser"] == NOBODY
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


# --------------------------------------------------------------------------- built


pytestmark = pytest.mark.xdist_group("image")
"""It is built once: that takes a minute and a half."""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The image's file system, read-only but for its volume and /tmp; it needs the package index, as an engine does."""
    built = build(ROOT, tmp_path_factory.mktemp("image"))
    (built.folder / "tmp").mkdir()
    writable = {built.folder / "tmp", built.path(built.settings["VOLUME"].strip('[]"'))}
    closed = [path for path in (built.folder, *built.folder.rglob("*")) if path.is_dir() and path not in writable]
    for path in closed:
        path.chmod(0o555)
    yield built
    for path in closed:
        path.chmod(0o755)


def does(image: Stage, *command: str, network: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command with the container's environment and nothing else: a superuser loses every right first."""
    without_rights = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
    nowhere = {} if network else {f"{kind}_proxy": "http://127.0.0.1:9" for kind in ("http", "https", "all")}
    return subprocess.run(
        [*without_rights, *command],
        cwd=image.path(""),
        env={**image.environ, "TMPDIR": str(image.folder / "tmp"), "LANG": "C.UTF-8", **nowhere},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def program(image: Stage, *arguments: str, **options: bool) -> subprocess.CompletedProcess[str]:
    words = Step("ENTRYPOINT", image.settings["ENTRYPOINT"]).words()
    words[0] = str(image.path(f"/opt/importer/bin/{words[0]}"))
    return does(image, *words, *arguments, **options)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_steps_of_the_dockerfile_make_a_program_that_imports_and_writes_only_to_its_volume(image: Stage) -> None:
    source = image.path("people.csv")
    shutil.copy(ROOT / "sample_data" / "customers.csv", source)
    source.chmod(0o644)

    done = program(image, "run", "people.csv", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["created"] == 200
    assert (image.path("runs") / "journal.sqlite3").exists()
    with pytest.raises(subprocess.CalledProcessError):
        does(image, "touch", str(image.path("/opt/importer/new"))).check_returncode()
    assert program(image, "--version").stdout.startswith("importer 0.")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_image_holds_what_running_needs_and_no_tool_that_installs(image: Stage) -> None:
    (packages,) = image.path("/opt/importer/lib").glob("python3*/site-packages")
    names = {path.name.rpartition(".dist-info")[0].rpartition("-")[0].lower() for path in packages.glob("*.dist-info")}

    assert {"rocketkor_importer", "aiohttp", "pandas"} <= names
    assert not names & {"pip", "hatchling", "pytest", "mypy", "moto", "apprise"}
    (reported,) = image.path("/etc/users").read_text(encoding="utf-8").splitlines()
    assert f"--uid {NOBODY} --user-group" in reported


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_health_check_of_the_image_is_quick_and_needs_no_network(image: Stage) -> None:
    words = Step("HEALTHCHECK", image.settings["HEALTHCHECK"].partition("CMD ")[2]).words()
    assert words == HEALTH
    began = time.monotonic()

    done = program(image, *words[1:], network=False)

    assert done.returncode == 0, done.stdout
    assert time.monotonic() - began < 10
    image.path("runs").mkdir(exist_ok=True)
    image.path("runs").chmod(0)
    try:
        refused = program(image, *words[1:], network=False)
        assert (refused.returncode, refused.stderr) == (1, ""), refused.stdout
        assert "is not writable for you" in refused.stdout
    finally:
        image.path("runs").chmod(0o700)
