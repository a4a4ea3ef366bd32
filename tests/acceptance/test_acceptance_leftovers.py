"""What a killed program leaves lies in the workspace, and the next command removes it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from importer.runs.purge import purge
from tests.acceptance.conftest import User, people, wait_for

ROWS = 60_000
FAR_FUTURE = 4e9


@pytest.fixture(scope="module")
def long_text() -> str:
    """A file that takes a while to be read."""
    return people(ROWS)


def journals(user: User) -> list[Path]:
    return sorted((user.home / "runs").glob("*/checked.sqlite3"))


def copies(user: User) -> list[Path]:
    return sorted((user.home / "runs" / "spool").glob("copy-*/*"))


@contextmanager
def feeding(user: User, text: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command whose standard input stays open behind a text."""
    temporary = user.home / "tmp"
    temporary.mkdir(exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", "importer", *arguments],
        cwd=user.home,
        env={**user.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(text)
        process.stdin.flush()
        yield process
        process.stdin.close()


def killed_while_checking(user: User, text: str) -> Path:
    """Kill a dry run with SIGKILL in the middle, and return what it leaves."""
    process = user.starts("validate", user.has("long.csv", text))
    wait_for(lambda: any(path.stat().st_size > 100_000 for path in journals(user)), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (left,) = journals(user)
    return left


@pytest.mark.parametrize("command", [["runs"], ["validate", "small.csv"], ["purge", "--older-than", "9w"]])
@pytest.mark.slow
def test_the_journal_of_a_killed_dry_run_is_removed_by_the_next_command(
    user: User, long_text: str, command: list[str]
) -> None:
    user.has("small.csv", people(2))
    left = killed_while_checking(user, long_text)

    assert user.types(*command).code == 0

    assert not left.parent.exists()


@pytest.mark.slow
def test_a_dry_run_at_work_is_left_alone(user: User, long_text: str) -> None:
    process = user.starts("validate", user.has("long.csv", long_text), "--json")
    wait_for(lambda: bool(journals(user)), process)

    purge(user.home / "runs", 0.0, FAR_FUTURE)
    user.types("runs")

    out, err = process.communicate()
    assert process.returncode == 0, err
    assert len(journals(user)) == 1
    assert f'"read": {ROWS}' in out


def test_the_copy_of_standard_input_is_in_the_workspace_and_goes_with_the_next_command(user: User) -> None:
    with feeding(user, people(3), "run", "-") as process:
        wait_for(lambda: bool(copies(user)), process)
        process.kill()
        process.wait()

    assert [path.name for path in copies(user)] == ["-"]
    assert list((user.home / "tmp").iterdir()) == []
    user.types("runs")
    assert copies(user) == []
