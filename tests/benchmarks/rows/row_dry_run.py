"""A dry run of the whole legacy base, against the plain pipeline and `frictionless validate`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.bench import IMPORTER, Figure, Settings, a_folder, environ, take_turns
from tests.benchmarks.measuring import Measured, measure
from tests.benchmarks.peers import environment
from tests.benchmarks.people import write_people

PLAIN_TARGET, FRICTIONLESS_TARGET, AIM = 6.0, 2.0, 120_000
MEMORY_TARGET_MB, GROWTH_TARGET = 350, 1.2
VALIDATED = (0, 3)


def validate(source: Path, folder: Path, *, memory: bool = False) -> Measured:
    """Dry-run a file in a process of its own; what it wrote is removed."""
    workspace = folder / "runs"
    try:
        return measure(
            [*IMPORTER, "validate", source, "--workspace", workspace, "--json"],
            cwd=folder,
            environ=environ(),
            memory=memory,
            allowed=VALIDATED,
        )
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def run(settings: Settings) -> Iterator[Figure]:
    """Measure the dry run."""
    rows = settings.rows
    source = write_people(settings.data / f"people-{rows}.csv", rows)
    tenth = write_people(settings.data / f"people-{rows // 10}.csv", rows // 10)
    python = environment.python()
    with a_folder() as folder:
        plain: list[str | Path] = [python, environment.script("plain_pipeline.py"), source, folder / "rejects.csv"]
        frictionless: list[str | Path] = [python, "-m", "frictionless", "validate", source.name, "--json"]
        taken = take_turns(
            settings.rounds,
            {
                "importer": _side(lambda: validate(source, folder, memory=True), rows),
                "tenth": _side(lambda: validate(tenth, folder, memory=True), rows // 10),
                "plain": _side(lambda: measure(plain, cwd=folder, memory=True), rows),
                "frictionless": _side(lambda: measure(frictionless, cwd=source.parent, memory=True), rows),
            },
        )
    for side, what in (
        ("importer", f"importer, {rows:,} rows"),
        ("plain", "plain pipeline"),
        ("frictionless", "frictionless"),
    ):
        speeds = taken.all(f"{side}.per_s")
        yield Figure("dry run", what, taken.median(f"{side}.per_s"), "rows/s", rounds=speeds)
    for peer, target in (("plain", PLAIN_TARGET), ("frictionless", FRICTIONLESS_TARGET)):
        ratios = taken.ratios("importer.per_s", f"{peer}.per_s")
        yield Figure.judged("dry run", f"against {peer}", ratios, "x", at_least=target, settings=settings)
    peaks = taken.all("importer.peak_mb")
    yield Figure.judged("memory", f"importer, {rows:,} rows", peaks, "MB", at_most=MEMORY_TARGET_MB, settings=settings)
    growth = taken.ratios("importer.peak_mb", "tenth.peak_mb")
    yield Figure.judged(
        "memory", f"{rows:,} rows against {rows // 10:,}", growth, "x", at_most=GROWTH_TARGET, settings=settings
    )
    for peer in ("plain", "frictionless"):
        yield Figure("memory", peer, taken.median(f"{peer}.peak_mb"), "MB", rounds=taken.all(f"{peer}.peak_mb"))


def _side(measured: Callable[[], Measured], rows: int) -> Callable[[int], dict[str, float]]:
    def once(_: int) -> dict[str, float]:
        done = measured()
        return {"per_s": rows / done.wall_s, "peak_mb": done.peak_mb, "cpu_us": done.cpu_s / rows * 1e6}

    return once
