"""The steps of the Dockerfile without an engine: each stage is a bare folder, in which its steps are run.

The folder stands for the stage's file system: absolute paths of our own in a step lead into it. The base image's
`python` is the Python that runs the tests, and `useradd` writes into the folder. All else is real: the build context
that `.dockerignore` leaves, pip with the hashes of the lock, the wheel.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from dockerfile_parse import DockerfileParser

OURS = ("/opt", "/src", "/wheels", "/var/lib/importer")
"""Places that the Dockerfile makes; everything else belongs to the base image."""

INSTALL_S = 500
_USERADD = """\
#!/bin/sh
# Stands for the base image's: the user is written down, and gets the home that is asked for.
printf '%s\\n' "$*" >> "$STAGE/etc/users"
while [ $# -gt 0 ]; do [ "$1" = --home-dir ] && mkdir -p "$2"; shift; done
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of the Dockerfile: its name in capitals, and its text without line breaks."""

    name: str
    value: str

    def words(self) -> list[str]:
        """The words of the step, whether it is written as a list or as a line."""
        return json.loads(self.value) if self.value.startswith("[") else shlex.split(self.value)


@dataclass(slots=True)
class Stage:
    """One stage that was built.

    Args:
        folder: what stands for `/`.
        environ: what `ENV` and `ARG` set.
        settings: the last value of every other instruction.
    """

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    within: str = "/"

    def inside(self, text: str) -> str:
        """Have absolute paths of ours lead into the folder."""
        return re.sub(rf"(?<![\w/.])({'|'.join(OURS)})(?=[/\s:\"]|$)", lambda found: f"{self.folder}{found[1]}", text)

    def path(self, name: str) -> Path:
        """A path of the stage, relative ones from its `WORKDIR`."""
        return self.folder / (Path(self.within) / name).relative_to("/")


def steps(dockerfile: Path) -> list[Step]:
    """Every instruction, in order, comments left out."""
    parsed = DockerfileParser(path=str(dockerfile)).structure
    return [Step(one["instruction"], one["value"]) for one in parsed if one["instruction"] != "COMMENT"]


def context(root: Path, into: Path) -> Path:
    """Copy what an engine would be given: the files that `.dockerignore` lets in."""
    rules = [line for line in (root / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    for path in sorted(_tracked(root)):
        if _enters(path, rules):
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / path, into / path)
    return into


def _tracked(root: Path) -> list[str]:
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode == 0:
        return [name for name in found.stdout.splitlines() if (root / name).is_file()]
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


def _enters(path: str, rules: list[str]) -> bool:
    """Docker's way: the last rule that fits a path, or a folder above it, decides."""
    enters = True
    heads = ["/".join(path.split("/")[:length]) for length in range(1, path.count("/") + 2)]
    for rule in filter(None, rules):
        pattern = rule.removeprefix("!")
        if any(fnmatch(head, pattern) or fnmatch(f"/{head}", pattern.replace("**", "*")) for head in heads):
            enters = rule.startswith("!")
    return enters


def build(root: Path, place: Path, **arguments: str) -> Stage:
    """Run every step; gives the last stage, which is the image.

    Args:
        root: the folder with the Dockerfile.
        place: an empty folder to build in.
        arguments: what `--build-arg` would set.
    """
    given = context(root, place / "context")
    stages: dict[str, Stage] = {}
    for step in steps(root / "Dockerfile"):
        if step.name == "FROM":
            name = step.value.partition(" AS ")[2] or "image"
            stages[name] = _begun(place / name)
        else:
            _do(step, list(stages.values())[-1], stages, given, arguments)
    return stages["image"]


def _begun(folder: Path) -> Stage:
    tools = folder / "usr" / "bin"
    tools.mkdir(parents=True)
    (folder / "etc").mkdir()
    (tools / "python").symlink_to(sys.executable)
    (tools / "useradd").write_text(_USERADD, encoding="utf-8")
    (tools / "useradd").chmod(0o755)
    return Stage(folder)


def _do(step: Step, stage: Stage, stages: dict[str, Stage], given: Path, arguments: dict[str, str]) -> None:
    match step.name:
        case "ARG":
            name, _, default = step.value.partition("=")
            stage.environ[name] = arguments.get(name, default)
        case "ENV":
            stage.environ |= {name: stage.inside(value) for name, _, value in (w.partition("=") for w in step.words())}
        case "WORKDIR":
            stage.within = step.value
            stage.path("").mkdir(parents=True, exist_ok=True)
        case "COPY":
            _copy(step.words(), stage, stages, given)
        case "RUN":
            _run(step.value, stage)
        case _:
            stage.settings[step.name] = step.value


def _copy(words: list[str], stage: Stage, stages: dict[str, Stage], given: Path) -> None:
    *sources, target = [word for word in words if not word.startswith("--")]
    other = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), "")
    for source in sources:
        origin = stages[other].path(source) if other else given / source
        goal = stage.path(target) / Path(source).name if target.endswith("/") else stage.path(target)
        if origin.is_dir():
            shutil.copytree(origin, goal, symlinks=True, dirs_exist_ok=True)
            _moved(goal, stages[other].folder if other else given, stage.folder)
        else:
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, goal)


def _moved(place: Path, old: Path, new: Path) -> None:
    """In an image both stages have the same paths; here scripts name the folder of the stage that made them."""
    for path in place.glob("bin/*"):
        if path.is_file() and not path.is_symlink() and str(old).encode() in (content := path.read_bytes()):
            path.write_bytes(content.replace(str(old).encode(), str(new).encode()))


def _run(command: str, stage: Stage) -> None:
    done = subprocess.run(
        ["/bin/sh", "-euc", stage.inside(command)],
        cwd=stage.path(""),
        env=_environ(stage, PATH=f"{stage.folder}/usr/bin:/usr/bin:/bin", STAGE=str(stage.folder)),
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def _environ(stage: Stage, **more: str) -> dict[str, str]:
    """What the machine says about indexes, proxies and certificates, then the stage's, then what is said here."""
    machine = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return {"HOME": str(stage.folder / "root"), **machine, **proxies, **stage.environ, **more}
