"""What a plan costs: made, against the dry run that it is; kept to, against a run that checks the same file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.bench import IMPORTER, Figure, Settings, a_folder, environ, take_turns
from tests.benchmarks.measuring import Measured, measure
from tests.benchmarks.people import write_people
from tests.benchmarks.rows.row_dry_run import MEMORY_TARGET_MB, VALIDATED

MOST = 1.1
"""How much longer it may take with a plan."""
ALLOWED = environ(ROCKETKOR_API_KEY="bench", ROCKETKOR_API_SECRET="bench")  # nothing is sent with them
PROFILE = '[targets.live]\nbase_url = "https://api.example.com"\naccount = "bench"\n'


def run(settings: Settings) -> Iterator[Figure]:
    """Measure plans."""
    rows = settings.rows
    source = write_people(settings.data / f"people-{rows}.csv", rows)
    with a_folder() as folder:
        profile = folder / "live.toml"
        profile.write_text(PROFILE, encoding="utf-8")
        live = ("--config", profile, "--target", "live")
        plan = folder / "kept.json"
        command = (*IMPORTER, "plan", source, *live, "--out", plan, "--workspace", folder / "made", "--json")
        measure(command, cwd=folder, environ=ALLOWED, allowed=VALIDATED)
        loading = (sys.executable, "-m", "tests.benchmarks.loading", source, profile)
        taken = take_turns(
            settings.rounds,
            {
                "dry run": _side(
                    folder,
                    lambda work: (*IMPORTER, "validate", source, "--config", profile, "--workspace", work, "--json"),
                ),
                "plan": _side(folder, lambda work: (*IMPORTER, "plan", source, *live, "--workspace", work, "--json")),
                "run": _side(folder, lambda work: (*loading, work)),
                "run of a plan": _side(folder, lambda work: (*loading, work, plan)),
            },
        )
    for side in ("dry run", "plan", "run", "run of a plan"):
        yield Figure("plans", f"{side}, checked", rows / taken.median(side), "rows/s")
    for with_plan, without in (("plan", "dry run"), ("run of a plan", "run")):
        ratios = taken.ratios(with_plan, without)
        yield Figure.judged("plans", f"{with_plan} against {without}", ratios, "x", at_most=MOST, settings=settings)
        busy = taken.ratios(f"{with_plan}.cpu_s", f"{without}.cpu_s")
        yield Figure("plans", f"{with_plan} against {without}, processor", median(busy), "x", rounds=busy)
    peaks = taken.all("plan.peak_mb")
    yield Figure.judged("plans", "memory of a plan", peaks, "MB", at_most=MEMORY_TARGET_MB, settings=settings)


def _side(folder: Path, command: Callable[[Path], tuple[str | Path, ...]]) -> Callable[[int], dict[str, float]]:
    def once(_: int) -> dict[str, float]:
        work = folder / "runs"
        try:
            done: Measured = measure(command(work), cwd=folder, environ=ALLOWED, memory=True, allowed=VALIDATED)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return {"": done.wall_s, "cpu_s": done.cpu_s, "peak_mb": done.peak_mb}

    return once
