"""A whole import into an emulator in another process, against a bare loop that posts ready-made bodies to the same."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.bench import IMPORTER, Figure, Settings, a_folder, environ, take_turns
from tests.benchmarks.emulating import emulator, profile_for
from tests.benchmarks.measuring import measure
from tests.benchmarks.peers import environment
from tests.benchmarks.people import write_people

TARGET, WHOLE_TARGET, CONCURRENCY = 0.85, 0.8, 32
SENT = (0, 3)


def run(settings: Settings) -> Iterator[Figure]:
    """Measure the import."""
    rows = settings.scaled(20_000, 1_000)
    source = write_people(settings.data / f"people-{rows}.csv", rows)
    with a_folder() as folder:
        bodies = ready_bodies(source, folder)
        count = bodies.read_bytes().count(b"\n")
        sides = {"importer": _importer(source, folder, count), "bare": _bare(bodies, folder, count)}
        taken = take_turns(settings.rounds, sides)
    for side, what in (("importer", "importer, while sending"), ("bare", "bare loop")):
        yield Figure("import", what, taken.median(side), "rows/s", rounds=taken.all(side))
        speeds = taken.all(f"{side}.whole")
        yield Figure(
            "import",
            f"{what.split(',')[0]}, from start to exit",
            taken.median(f"{side}.whole"),
            "rows/s",
            rounds=speeds,
        )
        yield Figure("import", f"{what.split(',')[0]}, processor", taken.median(f"{side}.cpu_us"), "us a row")
    for part, what, target in (("", "while sending", TARGET), (".whole", "from start to exit", WHOLE_TARGET)):
        ratios = taken.ratios(f"importer{part}", f"bare{part}")
        yield Figure.judged("import", f"against the bare loop, {what}", ratios, "x", at_least=target, settings=settings)


def ready_bodies(source: Path, folder: Path) -> Path:
    """Write the request bodies of a file's valid rows, one a line."""
    from importer.journal.sql.packing import unpack_payloads
    from importer.journal.sqlite.database import SqliteDatabase

    with emulator(folder) as target:
        profile = profile_for(target, folder, rate="1000000/s", concurrency=CONCURRENCY)
        workspace = folder / "bodies"
        command: list[str | Path] = [
            *IMPORTER,
            "run",
            source,
            "--target",
            "sandbox",
            "--config",
            profile,
            "--workspace",
            workspace,
            "--yes",
        ]
        measure([*command, "--quiet"], cwd=folder, environ=environ(**target.credentials), allowed=SENT)
    database = SqliteDatabase(workspace / "journal.sqlite3")
    blobs = [blob for (blob,) in database.connection.execute("SELECT payloads FROM batches ORDER BY first")]
    database.close()
    path = folder / "bodies.jsonl"
    path.write_bytes(b"".join(body + b"\n" for blob in blobs for body in unpack_payloads(blob) if body))
    shutil.rmtree(workspace)
    return path


def _importer(source: Path, folder: Path, count: int) -> Callable[[int], dict[str, float]]:
    def once(_: int) -> dict[str, float]:
        workspace = folder / "runs"
        try:
            with emulator(folder) as target:
                profile = profile_for(target, folder, rate="1000000/s", concurrency=CONCURRENCY)
                command: list[str | Path] = [
                    *IMPORTER,
                    "run",
                    source,
                    "--target",
                    "sandbox",
                    "--config",
                    profile,
                    "--workspace",
                    workspace,
                ]
                done = measure(
                    [*command, "--yes", "--json"], cwd=folder, environ=environ(**target.credentials), allowed=SENT
                )
                sending_s = target.ledger()["span_s"]
                assert json.loads(done.out)["counts"]["created"] == count, "not every valid row was created"
        finally:
            shutil.rmtree(workspace, ignore_errors=True)
        return {"": count / sending_s, "whole": count / done.wall_s, "cpu_us": done.cpu_s / count * 1e6}

    return once


def _bare(bodies: Path, folder: Path, count: int) -> Callable[[int], dict[str, float]]:
    def once(_: int) -> dict[str, float]:
        with emulator(folder) as target:
            loop: list[str | Path] = [
                sys.executable,
                environment.script("bare_loop.py"),
                target.base_url,
                str(CONCURRENCY),
                bodies,
            ]
            done = measure(loop, cwd=folder, environ=environ(**target.credentials))
            ledger = target.ledger()
            assert ledger["customers"] == count, "not every body made a customer"
        return {"": count / ledger["span_s"], "whole": count / done.wall_s, "cpu_us": done.cpu_s / count * 1e6}

    return once
