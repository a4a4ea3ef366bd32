"""The longest time that the event loop is blocked in a whole import, prepared, sent and rendered in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from tests.benchmarks.bench import Figure, Settings, a_folder, environ
from tests.benchmarks.emulating import emulator, profile_for
from tests.benchmarks.measuring import measure
from tests.benchmarks.people import write_people

TARGET_MS = 20.0


def run(settings: Settings) -> Iterator[Figure]:
    """Measure the loop."""
    rows = settings.scaled(20_000, 1_000)
    source = write_people(settings.data / f"people-{rows}.csv", rows)
    longest: list[float] = []
    for _ in range(settings.rounds):
        with a_folder() as folder, emulator(folder) as target:
            profile = profile_for(target, folder, rate="1000000/s", concurrency=32)
            words = map(str, (source, profile, folder / "runs"))
            command = [sys.executable, "-m", "tests.benchmarks.beating", *words]
            done = measure(command, cwd=folder, environ=environ(**target.credentials))
        longest.append(float(json.loads(done.out)["longest_block_ms"]))
    yield Figure.judged("loop", f"longest block, {rows:,} rows", tuple(longest), "ms", at_most=TARGET_MS)
