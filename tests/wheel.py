"""The built wheel, alone: built, installed into an empty environment, and used away from the checkout.

python -m tests.wheel
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = (
    "importer/py.typed",
    "importer/journal/sql/schema.sql",
    "importer/journal/postgres/schema.sql",
    "importer/results/templates/report.html.j2",
)


def main() -> int:
    """Build, install, use; any trouble is an exception."""
    with tempfile.TemporaryDirectory(prefix="wheel-") as folder:
        place = Path(folder)
        wheel = build(place)
        check_contents(wheel)
        python = install(place, wheel)
        use(place, python)
    print(f"{wheel.name}: built, installed alone, and used")  # noqa: T201
    return 0


def build(place: Path) -> Path:
    """Build the wheel from the checkout."""
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT)
    (wheel,) = place.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """The package and its data, and nothing that belongs to the checkout."""
    names = zipfile.ZipFile(wheel).namelist()
    missing = set(DATA) - set(names)
    assert not missing, missing
    strangers = [name for name in names if not name.startswith(("importer/", "rocketkor_importer-"))]
    assert not strangers, strangers


def install(place: Path, wheel: Path) -> Path:
    """Install the wheel with the locked versions of what it needs; returns the new environment's Python."""
    venv.create(place / "venv", with_pip=True)
    python = place / "venv" / "bin" / "python"
    call(python, "-m", "pip", "install", "--quiet", "--constraint", versions(place), wheel)
    return python


def versions(place: Path) -> Path:
    """The lock without its hashes: a wheel of our own has none there."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line.rstrip(" \\") for line in lines if "==" in line]
    path = place / "constraints.txt"
    path.write_text("\n".join(pins) + "\n", encoding="utf-8")
    return path


def use(place: Path, python: Path) -> None:
    """Import the sample customers with the installed program, in a folder of its own."""
    importer = python.with_name("importer")
    reported = call(importer, "run", ROOT / "sample_data" / "customers.csv", "--json", cwd=place)
    report = json.loads(reported)
    assert report["counts"]["created"] == report["counts"]["read"] == 200, reported
    assert "RocketKOR" in call(importer, "--help", cwd=place)
    call(python, "-c", "from importer import Profile, run, validate", cwd=place)


def call(*command: object, cwd: Path | None = None) -> str:
    """Run a program to its end and return its standard output."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(f"{command[0]} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
