"""`make bench`: measures every row of the table, prints it for people, and writes `build/bench.json` for machines."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.benchmarks.bench import BUILD, Figure, Settings
from tests.benchmarks.machine import machine

ROWS = (
    "dry_run",
    "issues",
    "workbook",
    "linear",
    "dask",
    "startup",
    "importing",
    "rate",
    "resume",
    "steps",
    "journal",
    "team",
    "workers",
    "loop",
    "plans",
    "console",
)
"""The modules `rows/row_*.py`, in the order of the table."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    default = int(os.environ.get("BENCH_ROWS", "1000000"))
    parser.add_argument("--rows", type=int, default=default, help="rows of the largest file (also BENCH_ROWS)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is measured")
    parser.add_argument("--only", nargs="*", choices=ROWS, default=ROWS, help="some rows of the table alone")
    parser.add_argument("--out", type=Path, default=BUILD / "bench.json", help="the figures as JSON")
    asked = parser.parse_args(arguments)
    settings = Settings(asked.rows, asked.rounds)
    known = _known(asked.out) if len(asked.only) < len(ROWS) else {}
    for name in asked.only:
        began, before = time.monotonic(), machine()
        figures = list(import_module(f"tests.benchmarks.rows.row_{name}").run(settings))
        known[name] = {
            "measured_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",  # noqa: TID251
            "took_s": time.monotonic() - began,
            "settings": asdict(settings),
            "machine": before,
            "figures": [asdict(figure) for figure in figures],
        }
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        _tell(figures)


def _known(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _tell(figures: Sequence[Figure]) -> None:
    for figure in figures:
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        spread = f"{min(figure.rounds):,.3g} to {max(figure.rounds):,.3g}" if len(figure.rounds) > 1 else ""
        parts = (f"{figure.row:<10}", f"{figure.what:<44}", f"{_short(figure.value):>9} {figure.unit:<24}")
        sys.stdout.write("".join(parts) + f"{spread:<22}{figure.target:<18}{verdict}\n")
    sys.stdout.flush()


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


main()
