"""How much of an allowed rate is used, whether it is ever exceeded, and what a row costs meanwhile."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.bench import IMPORTER, Figure, Rounds, Settings, a_folder, environ
from tests.benchmarks.emulating import emulator, profile_for
from tests.benchmarks.measuring import measure
from tests.benchmarks.people import write_people
from tests.benchmarks.rows.row_importing import SENT

RATES, USE_TARGET, CPU_TARGET_MS, CPU_RATE = (10, 100, 1_000), 0.98, 3.0, 100
_LONG_S, _SHORT_S = 20.0, 3.0


def run(settings: Settings) -> Iterator[Figure]:
    """Measure three rates."""
    seconds = _SHORT_S if settings.quick else _LONG_S
    for rate in RATES:
        rows = int(rate * seconds)
        source = write_people(settings.data / f"people-{rows}.csv", rows)
        taken = Rounds()
        with a_folder() as folder:
            for _ in range(settings.rounds):
                for name, value in _sent(source, folder, rate).items():
                    taken.add(name, value)
        use, window = taken.all("use"), taken.all("window")
        yield Figure.judged("rate", f"share used of {rate:,}/s", use, "x", at_least=USE_TARGET, settings=settings)
        yield Figure.judged("rate", f"most in any second at {rate:,}/s", (max(window),), "requests", at_most=rate)
        if rate == CPU_RATE:
            what = f"processor a row at {rate}/s, start included"
            yield Figure.judged("rate", what, taken.all("cpu_ms"), "ms", at_most=CPU_TARGET_MS, settings=settings)


def _sent(source: Path, folder: Path, rate: int) -> dict[str, float]:
    workspace = folder / "runs"
    try:
        with emulator(folder) as target:
            profile = profile_for(target, folder, rate=f"{rate}/s", concurrency=64)
            command = [*IMPORTER, "run", source, "--target", "sandbox", "--config", profile, "--workspace", workspace]
            done = measure(
                [*command, "--yes", "--json"], cwd=folder, environ=environ(**target.credentials), allowed=SENT
            )
            ledger = target.ledger()
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
    sent = sum(json.loads(done.out)["counts"][state] for state in ("created", "rejected", "failed"))
    # From the first request to the last one: a rate of n/s has n starts in a second, and so n - 1 gaps.
    use = (ledger["requests"] - 1) / ledger["span_s"] / rate
    return {"use": use, "window": ledger["largest_window"], "cpu_ms": done.cpu_s / sent * 1e3}
