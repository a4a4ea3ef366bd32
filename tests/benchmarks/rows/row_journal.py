"""What the journal costs while sending: the same pool, client and emulator, with the journal and without one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.bench import Figure, Settings, a_folder, environ, take_turns
from tests.benchmarks.emulating import emulator
from tests.benchmarks.measuring import measure
from tests.benchmarks.people import write_people
from tests.benchmarks.rows.row_importing import CONCURRENCY, ready_bodies

TARGET = 0.85


def run(settings: Settings) -> Iterator[Figure]:
    """Measure sending with and without a journal."""
    rows = settings.scaled(20_000, 1_000)
    source = write_people(settings.data / f"people-{rows}.csv", rows)
    with a_folder() as folder:
        bodies = ready_bodies(source, folder)
        sides = {"with": _side(bodies, folder, "journal"), "without": _side(bodies, folder, "none")}
        taken = take_turns(settings.rounds, sides)
    for side in ("with", "without"):
        yield Figure("journal", f"{side} a journal", taken.median(side), "rows/s", rounds=taken.all(side))
    ratios = taken.ratios("with", "without")
    yield Figure.judged("journal", "with against without", ratios, "x", at_least=TARGET, settings=settings)


def _side(bodies: Path, folder: Path, memory: str) -> Callable[[int], dict[str, float]]:
    def once(number: int) -> dict[str, float]:
        with emulator(folder) as target:
            work = folder / f"{memory}-{number}"
            work.mkdir()
            words = (target.base_url, bodies, work, memory)
            command = [sys.executable, "-m", "tests.benchmarks.sending", *map(str, words)]
            done = measure([*command, str(CONCURRENCY)], cwd=folder, environ=environ(**target.credentials))
        return {"": float(json.loads(done.out)["per_s"])}

    return once
