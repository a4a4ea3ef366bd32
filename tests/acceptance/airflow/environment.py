"""Airflow in an environment of its own: made once under `build/`, by the test itself (half a minute).

It never shares packages with ours: Airflow pins a hundred of its own. Where it cannot be installed the test says so
and is skipped; where `CI` is set it fails instead.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT

REHEARSAL = Path(__file__).with_name("rehearsal.py")
"""What is run with that Python."""

_LIST = Path(__file__).with_name("requirements.txt")
_VENV = ROOT / "build" / f"airflow-venv-{sys.version_info.major}.{sys.version_info.minor}"
INSTALL_S = 400
"""For the download too; a slow line does not fail the suite for ever."""


def python() -> Path:
    """Airflow's Python; its environment is made where it is not there, or where its list has changed."""
    wanted, ready = _LIST.read_text(encoding="utf-8"), _VENV / ".ready"
    with _alone():
        if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
            _make()
            ready.write_text(wanted, encoding="utf-8")
    return _VENV / "bin" / "python"


def _make() -> None:
    """Our own pip puts the packages there, and compiles none: few of their modules are ever loaded."""
    _call(sys.executable, "-m", "venv", "--clear", "--without-pip", _VENV)
    pip = (sys.executable, "-m", "pip", "--python", _VENV / "bin" / "python")
    _call(*pip, "install", "--quiet", "--no-compile", "--no-deps", "-r", _LIST)


def _call(*command: str | Path) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        _without(f"it took longer than {INSTALL_S} s")
    else:
        if done.returncode:
            _without((done.stderr.strip().splitlines() or ["no reason given"])[-1])


def _without(why: str) -> None:
    said = f"Airflow cannot be installed ({why}): the DAGs were not read by it"
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time: tests run in several processes."""
    _VENV.parent.mkdir(exist_ok=True)
    with _VENV.with_name(f"{_VENV.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
