"""Every command in the README runs, in the order in which a reader meets it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from importer.approval import key_of
from tests.acceptance.conftest import ROOT, SAMPLES, User, Witness, serving
from tests.approvals import Office
from tests.browser.consoles import console_of

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ").partition(" #")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
MAKE = [command for command in COMMANDS if command.startswith("make ")]
IMPORTER = [shlex.split(command)[1:] for command in COMMANDS if command.partition(" ")[0].endswith("importer")]
SMALLER = {
    "make crash-lab SEEDS=2000": ["SEEDS=50"],
    "make bench": ["ROWS=2000", "ROUNDS=1", "ONLY=startup"],
}
"""What takes long is run on less."""
RUN_BY_CI = {"make test", "make test-all", "make lint"}
"""Running the tests inside a test would never end: CI runs these by name."""
RUN_ELSEWHERE = {"make demo-nightly": "test_acceptance_three_nights.py"}
"""Run by a test of its own, which also reads what it shows."""


def test_the_readme_shows_commands() -> None:
    assert len(IMPORTER) > 10
    assert len(MAKE) + len(IMPORTER) == len(COMMANDS)
    for command in RUN_BY_CI:
        assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command, test in RUN_ELSEWHERE.items():
        assert command in MAKE
        assert command in Path(__file__).with_name(test).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in MAKE if command not in RUN_BY_CI | RUN_ELSEWHERE.keys()])
def test_a_make_command_of_the_readme_succeeds(command: str) -> None:
    ready = [f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.ready", f"DEMO=build/demo-{sys.version_info.minor}"]
    words = [*shlex.split(command), *SMALLER.get(command, [])]
    done = subprocess.run([*words, *ready], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_importer_command_of_the_readme_succeeds(user: User, witness: Witness) -> None:
    for sample in SAMPLES.iterdir():
        shutil.copy(sample, user.home / sample.name)
    shutil.copytree(ROOT / "configs", user.home / "configs")
    shutil.copytree(SAMPLES, user.home / "sample_data")
    (user.home / "inbox").mkdir()
    office = Office(user.home / "office", witness.base_url.partition("://")[2])
    sandbox = {"IMPORTER_TARGETS__SANDBOX__BASE_URL": witness.base_url, **witness.environ}
    sandbox["IMPORTER_KEYS"] = str(office.keys)
    for words in IMPORTER:
        if words[0] == "emulator":
            port = words[words.index("--port") + 1]
            words[words.index(port)] = "0"
            with serving(user, *words[1:]) as other:
                assert other.base_url
            continue
        if words[0] == "console":
            with console_of(user, *words[1:]) as console:
                assert console.link
            continue
        if words[0] == "approve":
            words.append("--yes")  # nobody is at a terminal to answer
        ran = user.types(*words, **sandbox)
        allowed = (0, 3) if "last" in words or "customers_messy" in " ".join(words) else (0,)
        assert ran.code in allowed, (words, ran.err, ran.out)
        if words[:2] == ["key", "new"]:
            office.signers[words[2]] = key_of(words[2], office.keys).unlock()
            sandbox["IMPORTER_APPROVAL_POLICY"] = str(office.decrees())


def test_every_command_is_in_the_readme(user: User) -> None:
    listed = re.findall(r"^  ([a-z]+)  ", user.types("--help").out, re.MULTILINE)

    assert {"run", "validate", "template"} <= set(listed)
    for command in listed:
        assert f"importer {command}" in README, command


def test_the_readme_is_short_and_its_places_exist() -> None:
    assert len(README.splitlines()) <= 150
    for place in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / place).exists(), place


@pytest.mark.slow
def test_the_python_of_the_readme_runs_unchanged_in_a_notebook(user: User) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shutil.copytree(ROOT / "configs", user.home / "configs")
    shutil.copytree(SAMPLES, user.home / "sample_data")
    shown = "report.counts['invalid'], len(rows), len(issues), rows.loc[4, '_status'], outcome.counts['invalid']"
    code = f"{block}\nprint({shown})"
    notebook = f"""
import ast, asyncio
cell = compile({code!r}, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
names = {{}}
asyncio.run(eval(cell, names))
"""
    done = subprocess.run(
        [sys.executable, "-c", notebook], cwd=user.home, env=user.environ, capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines()[-1:] == ["39 150 49 invalid 38"], done.stderr


@pytest.mark.slow
def test_the_python_of_the_readme_has_exact_types(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    script = tmp_path / "readme.py"
    body = "".join(f"    {line}\n" for line in block.splitlines())
    script.write_text(f"async def cells() -> None:\n{body}    reveal_type((customers, report, rows, issues))\n")
    words = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(script)]
    checked = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert f"{script}:" not in checked.stdout.replace(f"{script}:{len(block.splitlines()) + 2}: note", "")
    frame = "pandas.core.frame.DataFrame"
    assert f'"tuple[{frame}, importer.results.report.Report, {frame}, {frame}]"' in checked.stdout
