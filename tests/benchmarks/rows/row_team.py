"""What a team's journal costs while sending: the same pool, client and emulator, in PostgreSQL and in a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from importer.journal import keep_elsewhere
from tests.benchmarks.bench import Figure, Settings, a_folder, environ, take_turns
from tests.benchmarks.emulating import emulator
from tests.benchmarks.measuring import measure
from tests.benchmarks.people import write_people
from tests.benchmarks.rows.row_importing import CONCURRENCY, ready_bodies
from tests.postgres import Server, own_server

TARGET = 0.7


def run(settings: Settings) -> Iterator[Figure]:
    """Measure sending with either journal; both put every commit on the disk."""
    rows = settings.scaled(20_000, 1_000)
    source = write_people(settings.data / f"people-{rows}.csv", rows)
    with a_folder() as folder, own_server(durable=True) as server:
        bodies = ready_bodies(source, folder)
        sides = {"postgres": _side(bodies, folder, server), "sqlite": _side(bodies, folder, None)}
        taken = take_turns(settings.rounds, sides)
    for side, what in (("postgres", "in PostgreSQL"), ("sqlite", "in a file")):
        yield Figure("team", f"journal {what}", taken.median(side), "rows/s", rounds=taken.all(side))
    ratios = taken.ratios("postgres", "sqlite")
    yield Figure.judged("team", "PostgreSQL against a file", ratios, "x", at_least=TARGET, settings=settings)


def _side(bodies: Path, folder: Path, server: Server | None) -> Callable[[int], dict[str, float]]:
    def once(number: int) -> dict[str, float]:
        with emulator(folder) as target:
            work = folder / f"{'sqlite' if server is None else 'postgres'}-{number}"
            work.mkdir()
            if server is not None:
                keep_elsewhere(work, server.database())
            words = (target.base_url, bodies, work, "journal")
            command = [sys.executable, "-m", "tests.benchmarks.sending", *map(str, words)]
            done = measure([*command, str(CONCURRENCY)], cwd=folder, environ=environ(**target.credentials))
        return {"": float(json.loads(done.out)["per_s"])}

    return once
