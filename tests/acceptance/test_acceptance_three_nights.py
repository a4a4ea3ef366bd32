"""`make demo-nightly`: three nights in under a minute, and a night that goes wrong ends the show."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT

MINUTE_S = 60


def demo_nightly(to: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run what the README shows; it has a minute."""
    return subprocess.run(
        ["make", "demo-nightly", f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.ready", f"DEMO={to}"],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", **environ},
        capture_output=True,
        text=True,
        timeout=MINUTE_S,
        check=False,
    )


def put(inbox: Path, place: str) -> dict[str, Counter[str]]:
    """The files in a place, each with the rows per state of the results beside it."""
    found = {}
    for folder in (inbox / place).iterdir():
        results = folder / "results.csv"
        rows = csv.DictReader(results.read_text("utf-8").splitlines()) if results.exists() else []
        found[folder.name.partition("_")[2]] = Counter(row["_status"] for row in rows)
    return found


@pytest.mark.slow
@pytest.mark.timeout(MINUTE_S + 10)
def test_three_nights_are_shown_with_what_they_end_in(tmp_path: Path) -> None:
    done = demo_nightly(str(tmp_path / "demo"))

    assert done.returncode == 0, done.stderr
    assert re.findall(r"=== Night (\d)", done.stdout) == ["1", "2", "3"]
    assert re.findall(r"exit code (\d+)", done.stdout) == ["0", "6", "3"]
    inbox = tmp_path / "demo-nightly" / "inbox"
    archive = {
        "customers-monday.csv": {"created": 120},
        "businesses-monday.csv": {"created": 60},
        "customers-tuesday.csv": {"created": 80, "existing": 41},
        "customers-again.csv": {},
        "customers-wednesday.csv": {"created": 111, "invalid": 39},
    }
    assert (put(inbox, "archive"), put(inbox, "failed")) == (archive, {"broken-tuesday.xlsx": {}})
    for name in (*archive, "broken-tuesday.xlsx"):
        assert f"arrived: {name}" in done.stdout
        assert re.search(rf"^(archive|failed)/\S+_{re.escape(name)}$", done.stdout, re.MULTILINE)
        assert f"{name}: " in done.stderr
    assert "Fix the rows in rejects.csv" in done.stderr


@pytest.mark.parametrize(("code", "night"), [(9, 1), (0, 2)])
def test_a_night_that_ends_in_another_way_ends_the_show(tmp_path: Path, code: int, night: int) -> None:
    """The program is a stand-in that ends every night in the same way."""
    program = tmp_path / "importer"
    program.write_text(f"#!/bin/sh\nexit {code}\n")
    program.chmod(0o755)
    done = subprocess.run(
        [ROOT / "sample_data" / "nights.sh", tmp_path / "demo"],
        env={**os.environ, "IMPORTER": str(program)},
        capture_output=True,
        text=True,
        timeout=MINUTE_S,
        check=False,
    )

    assert done.returncode == 1
    assert f"Night {night} ended with exit code {code}" in done.stderr
    assert len(re.findall("=== Night", done.stdout)) == night
