"""How much of an allowed rate three workers of a Dask cluster use together, and whether they ever exceed it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.bench import IMPORTER, Figure, Rounds, Settings, a_folder, environ
from tests.benchmarks.emulating import emulator, profile_for
from tests.benchmarks.measuring import measure
from tests.benchmarks.people import write_people
from tests.benchmarks.rows.row_importing import SENT
from tests.dask_cluster import cluster_in
from tests.postgres import own_server

RATE, WORKERS, TARGET = 400, 3, 0.95
_LONG_S, _SHORT_S = 50.0, 3.0
_STRETCH = 0.2, 0.9
"""The part of the rows while whose requests nothing begins or ends: workers that are new load the program first."""


def run(settings: Settings) -> Iterator[Figure]:
    """Measure a run that nothing disturbs."""
    rows = int(RATE * (_SHORT_S if settings.quick else _LONG_S))
    source = write_people(settings.data / f"people-{rows}.csv", rows)
    taken = Rounds()
    with a_folder() as folder:
        for number in range(settings.rounds):
            for name, value in _sent(source, folder / str(number)).items():
                taken.add(name, value)
    what = f"{WORKERS} workers together: share used of {RATE}/s"
    yield Figure.judged("workers", what, taken.all("use"), "x", at_least=TARGET, settings=settings)
    largest = (max(taken.all("window")),)
    yield Figure.judged("workers", "most of all workers in any second", largest, "requests", at_most=RATE)


def _sent(source: Path, folder: Path) -> dict[str, float]:
    folder.mkdir()
    with own_server(durable=True) as server, emulator(folder) as target, cluster_in(folder / "cluster") as cluster:
        known = {**target.credentials, "IMPORTER_JOURNAL": server.database()}
        cluster.start(WORKERS, known)
        more = f'[engine]\nkind = "dask"\nscheduler = "{cluster.address}"'
        profile = profile_for(target, folder, rate=f"{RATE}/s", concurrency=64, more=more)
        command = [*IMPORTER, "run", source, "--target", "sandbox", "--config", profile, "--yes", "--json"]
        measure(command, cwd=folder, environ=environ(**known), allowed=SENT)
        arrivals, window = target.arrivals(), target.ledger()["largest_window"]
    first, last = (int(len(arrivals) * part) for part in _STRETCH)
    return {"use": (last - first) / (arrivals[last] - arrivals[first]) / RATE, "window": window}
