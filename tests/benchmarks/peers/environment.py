"""The environment of the peers: made once under `build/`, by the benchmark itself."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.benchmarks.bench import BUILD

_HERE = Path(__file__).resolve().parent
_VENV = BUILD / "bench-venv"


@cache
def python() -> Path:
    """The peers' Python; their environment is made where it is not there, or where its list has changed."""
    wanted = (_HERE / "requirements.txt").read_text(encoding="utf-8")
    ready = _VENV / ".ready"
    inside = _VENV / "bin" / "python"
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", _VENV], check=True)
        subprocess.run([inside, "-m", "pip", "install", "--quiet", "-r", _HERE / "requirements.txt"], check=True)
        ready.write_text(wanted, encoding="utf-8")
    return inside


def script(name: str) -> Path:
    """The path of a peer's script."""
    return _HERE / name
