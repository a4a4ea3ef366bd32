"""Locks on files and folders: one holder at a time, and asking takes nothing away from anybody."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from importer.core.locks import is_locked, locked

_HOLD = """
import sys
from pathlib import Path
from importer.core.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, creates=True):
        assert is_locked(path)
        with pytest.raises(BlockingIOError), locked(path):
            pass
    assert not is_locked(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_can_be_locked_without_a_file_beside_it(tmp_path: Path) -> None:
    with locked(tmp_path, waits=True):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_asking_twice_at_once_is_not_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    path.chmod(0o400)  # a workspace that is read-only can be asked
    assert not is_locked(path)
    assert not is_locked(path)


def test_a_lock_that_is_not_there_is_an_error_of_whoever_asks(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        is_locked(tmp_path / "lock")


def test_a_killed_program_lets_go_of_its_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_locked(tmp_path)
        holder.kill()
        holder.wait()
    assert not is_locked(tmp_path)
