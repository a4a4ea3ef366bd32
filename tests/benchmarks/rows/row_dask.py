"""What a second worker of a Dask cluster brings: the same dry run with one and with two, on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.bench import IMPORTER, Figure, Settings, a_folder, environ, take_turns
from tests.benchmarks.measuring import measure
from tests.benchmarks.people import write_people

TARGET = 1.3


def run(settings: Settings) -> Iterator[Figure]:
    """Measure a dry run on one worker and on two, and beside them the processes that need no scheduler."""
    rows = settings.scaled(2_000_000, 2_000)
    source = write_people(settings.data / f"people-{rows}.csv", rows)
    with a_folder() as folder:
        sides = {f"{engine} {count}": _side(source, rows, folder, engine, count) for engine, count in _SIDES}
        taken = take_turns(settings.rounds, sides)
    for side in sides:
        yield Figure("dask", f"{side}, {rows:,} rows", taken.median(side), "rows/s", rounds=taken.all(side))
        cost = f"{side}.cpu_us"
        yield Figure("dask", f"{side}, processor a row", taken.median(cost), "us", rounds=taken.all(cost))
    ratios = taken.ratios("dask 2", "dask 1")
    yield Figure.judged("dask", "two workers against one", ratios, "x", at_least=TARGET, settings=settings)


_SIDES = (("dask", 1), ("dask", 2), ("asyncio", 1), ("asyncio", 2))


def _side(source: Path, rows: int, folder: Path, engine: str, count: int) -> Callable[[int], dict[str, float]]:
    def once(_: int) -> dict[str, float]:
        workspace = folder / "runs"
        command = [*IMPORTER, "validate", source, "--workspace", workspace, "--engine", engine, "--json", "--quiet"]
        try:
            settings = environ(IMPORTER_SOURCE__PROCESSES=str(count))
            done = measure(command, cwd=folder, environ=settings, allowed=(0, 3))
        finally:
            shutil.rmtree(workspace, ignore_errors=True)
        return {"": rows / done.wall_s, "cpu_us": done.cpu_s / rows * 1e6}

    return once
