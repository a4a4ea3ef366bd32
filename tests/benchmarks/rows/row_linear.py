"""The cost of a row as the file grows: what the start costs is taken off, since it is the same for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.bench import Figure, Settings, a_folder, take_turns
from tests.benchmarks.people import write_people
from tests.benchmarks.rows.row_dry_run import validate

TARGET = 1.15


def run(settings: Settings) -> Iterator[Figure]:
    """Measure files of three sizes."""
    sizes = [settings.rows // 100, settings.rows // 10, settings.rows]
    none = write_people(settings.data / "people-10.csv", 10)
    with a_folder() as folder:
        sides = {str(rows): _side(settings.data / f"people-{rows}.csv", rows, none, folder) for rows in sizes}
        taken = take_turns(settings.rounds, sides)
    for kind, unit in (("cpu_us", "us of processor a row"), ("wall_us", "us a row")):
        medians = [taken.median(f"{rows}.{kind}") for rows in sizes]
        for rows, value in zip(sizes, medians, strict=True):
            yield Figure("growth", f"{rows:,} rows", value, unit, rounds=taken.all(f"{rows}.{kind}"))
        dearest = taken.ratios(f"{sizes[-1]}.{kind}", f"{sizes[1]}.{kind}")
        what = f"{sizes[-1]:,} rows against {sizes[1]:,}, {unit}"
        yield Figure.judged("growth", what, dearest, "x", at_most=TARGET, settings=settings)


def _side(path: Path, rows: int, none: Path, folder: Path) -> Callable[[int], dict[str, float]]:
    write_people(path, rows)

    def once(_: int) -> dict[str, float]:
        start, whole = validate(none, folder), validate(path, folder)
        return {
            "cpu_us": (whole.cpu_s - start.cpu_s) / rows * 1e6,
            "wall_us": (whole.wall_s - start.wall_s) / rows * 1e6,
        }

    return once
