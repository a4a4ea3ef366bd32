"""How soon a run of many finished rows goes on: from typing `resume` to the first new request."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.benchmarks.bench import IMPORTER, Figure, Settings, a_folder, environ
from tests.benchmarks.emulating import Target, emulator, profile_for
from tests.benchmarks.people import write_people

TARGET_S, UNSENT = 10.0, 40

_FINISH = """
UPDATE rows SET state = 'created', customer_id = printf('00000000-0000-4000-8000-%012x', ordinal), http_status = 201,
       attempts = 1
 WHERE state IN ('ready', 'unsent');
INSERT OR REPLACE INTO identities (scope, key, run, ordinal, since)
SELECT runs.scope, rows.key, rows.run, rows.ordinal, 0
  FROM rows JOIN runs USING (run) WHERE rows.state = 'created';
INSERT OR REPLACE INTO attempts SELECT run, ordinal, 1, 'create', 0, 0.01, 'accept', 201, '', '' FROM rows
 WHERE state = 'created';
"""
_REOPEN = """
CREATE TEMP TABLE chosen AS SELECT run, ordinal, key FROM rows
 WHERE state = 'created' AND http_status = 201 AND ordinal >= {first} ORDER BY ordinal LIMIT {count};
DELETE FROM identities WHERE key IN (SELECT key FROM chosen);
UPDATE rows SET state = 'unsent', customer_id = NULL WHERE (run, ordinal) IN (SELECT run, ordinal FROM chosen);
DROP TABLE chosen;
"""


def run(settings: Settings) -> Iterator[Figure]:
    """Measure the resumption."""
    rows = settings.rows
    source = write_people(settings.data / f"people-{rows}.csv", rows)
    taken: list[float] = []
    with a_folder() as folder, emulator(folder) as target:
        workspace = folder / "runs"
        _stop_at_once(source, workspace, target, folder)
        _change(workspace, _FINISH)
        for number in range(settings.rounds):
            # Always rows near the end: whatever looks for them has to pass all the others.
            _change(workspace, _REOPEN.format(first=rows - (number + 1) * 100, count=UNSENT))
            taken.append(_first_request_s(workspace, target, folder))
    what = f"to the first request, {rows:,} rows finished"
    yield Figure.judged("resume", what, tuple(taken), "s", at_most=TARGET_S, settings=settings)


def _stop_at_once(source: Path, workspace: Path, target: Target, folder: Path) -> None:
    """Have a run of the whole source that was stopped after its first requests."""
    profile = profile_for(target, folder, rate="1/s", concurrency=1)
    with started(["run", source, "--target", "sandbox", "--yes"], profile, workspace, target, folder) as process:
        _wait_for_creates(target, 0, process)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130, "the run did not stop well"


def _change(workspace: Path, script: str) -> None:
    with closing(sqlite3.connect(workspace / "journal.sqlite3")) as journal:
        journal.executescript(script)


def _first_request_s(workspace: Path, target: Target, folder: Path) -> float:
    profile = profile_for(target, folder, rate="1000/s", concurrency=16)
    before = _creates(target)
    began = time.perf_counter()
    with started(["resume", "last", "--target", "sandbox", "--yes"], profile, workspace, target, folder) as process:
        _wait_for_creates(target, before, process)
        taken_s = time.perf_counter() - began
        assert process.wait() in {0, 3}, "the resumed run failed"
    return taken_s


def started(
    words: list[str | Path], profile: Path, workspace: Path, target: Target, folder: Path
) -> subprocess.Popen[bytes]:
    """Start a command that nothing is read of."""
    command = [*IMPORTER, *words, "--config", profile, "--workspace", workspace, "--quiet"]
    return subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env=environ(**target.credentials),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _creates(target: Target) -> int:
    return sum(target.ledger()["counts"].get("create", {}).values())


def _wait_for_creates(target: Target, before: int, process: subprocess.Popen[bytes]) -> None:
    while _creates(target) <= before:
        assert process.poll() is None, "it ended without a request"
        time.sleep(0.02)  # noqa: TID251  # a stopwatch on another process
