"""A workspace that cannot be written can still be looked at, and its files be written elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import User, Witness, people, sandbox, wait_for
from tests.acceptance.small_disk import SmallDisk, small_disk

DISK_BYTES = 8_000_000
LOG_ONLY = ("journal.sqlite3-shm",)


@pytest.fixture
def disk(user: User) -> Iterator[SmallDisk]:
    with small_disk(user, DISK_BYTES) as mounted:
        yield mounted


def workspace(disk: SmallDisk) -> tuple[str, str]:
    return "--workspace", str(disk.at / "runs")


def imported(user: User, disk: SmallDisk) -> tuple[str, str]:
    """An import and a dry run on the disk; returns their ids."""
    source = user.has("people.csv", people(20).replace("person3@", "nobody-"))
    sent = disk.types("run", source, *workspace(disk), "--json").json["run_id"]
    checked = disk.types("validate", source, *workspace(disk), "--json").json["run_id"]
    return sent, checked


def read_only(disk: SmallDisk) -> None:
    disk.freeze()


def full(disk: SmallDisk) -> None:
    disk.fill()


@pytest.mark.parametrize(("spoilt", "dry_runs_too"), [(read_only, True), (full, False)])
@pytest.mark.slow
def test_a_workspace_that_cannot_be_written_is_looked_at(
    user: User, disk: SmallDisk, spoilt: Callable[[SmallDisk], None], dry_runs_too: bool
) -> None:
    sent, checked = imported(user, disk)
    spoilt(disk)

    runs = disk.types("runs", *workspace(disk), "--json")
    assert [run["run_id"] for run in runs.json["runs"]] == [checked, sent]
    for run_id in (sent, checked) if dry_runs_too else (sent,):
        assert disk.types("show", run_id, *workspace(disk), "--json").json["run_id"] == run_id
        explained = disk.types("explain", run_id, "2", *workspace(disk), "--show-values", "--json")
        assert (explained.code, explained.json["cells"]["Email"]) == (0, "person0@example.com")
        written = disk.types("export", run_id, *workspace(disk), "--out", "elsewhere", "--json")
        assert (written.code, written.json["counts"]["invalid"]) == (3, 1), written
        assert Path(written.json["files"]["results"]) == Path("elsewhere/results.csv")
        assert len(user.reads("elsewhere/results.csv")) == 20
    refused = disk.types("export", sent, *workspace(disk))
    assert (refused.code, "--out" in refused.err) == (1, True)


@pytest.mark.parametrize("lost", [(), pytest.param(LOG_ONLY, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_what_a_killed_run_left_in_its_log_is_read_too(
    user: User, disk: SmallDisk, witness: Witness, profile_for: Callable[..., Path], lost: tuple[str, ...]
) -> None:
    profile = profile_for(witness, delivery=['rate = "100/s"'])
    source = user.has("people.csv", people(200))
    process = disk.starts("run", source, *sandbox(profile), *workspace(disk), **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 20, process)
    process.kill()
    process.communicate()
    for name in lost:
        (disk.content / "runs" / name).unlink()
    disk.freeze()

    shown = disk.types("show", "last", *workspace(disk), "--json").json
    assert shown["counts"]["created"] > 0
    written = disk.types("export", "last", *workspace(disk), "--out", "elsewhere", "--json")
    assert (written.code, written.json["counts"]) == (4, shown["counts"])
    assert len(user.reads("elsewhere/results.csv")) == 200
