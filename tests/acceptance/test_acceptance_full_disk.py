"""A disk that really gets full, at every stage: one clear sentence, nothing lost, and the next try finishes."""

from __future__ import annotations

import csv
import gzip
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.conftest import Ran, User, Witness, ended, exactly_once, people, sandbox, wait_for
from tests.acceptance.small_disk import SmallDisk, small_disk

DISK_BYTES = 16_000_000
ROWS = 100
AT_ONCE = ("--rate", "1000/s")
JOURNAL = "The journal {workspace}/journal.sqlite3 cannot be written: database or disk is full. The disk is full: free"
RESULTS = "The disk is full: no results can be written to {workspace}/"
ARCHIVE = "The disk is full: nothing can be put into {inbox}/archive"


SMALL = people(200)
WIDE = "\n".join(
    line + (",Notes" if number == 0 else "," + "n" * 20_000) for number, line in enumerate(people(ROWS).splitlines())
)
"""Two megabytes: its results need far more than its journal grows by while it is sent."""


@dataclass(frozen=True)
class Stage:
    """When the disk gets full.

    Args:
        leaves: bytes that are left then.
        sending: it happens while rows are sent; else before the command begins.
        inbox: whether the folder is on that disk, and not the workspace.
        says: how the sentence begins.
    """

    leaves: int
    says: str
    sending: bool = True
    inbox: bool = False
    content: str = WIDE

    @property
    def rows(self) -> int:
        return self.content.count("@")


STAGES = {
    "before a run begins": Stage(210_000, "The ", sending=False),
    "before anything is sent": Stage(260_000, JOURNAL, sending=False),
    "while rows are sent": Stage(0, JOURNAL, content=SMALL),
    "while results are written": Stage(1_000_000, RESULTS),
    "while the file is put away": Stage(150_000, ARCHIVE, inbox=True),
}


@pytest.fixture
def disk(user: User) -> Iterator[SmallDisk]:
    with small_disk(user, DISK_BYTES) as found:
        yield found


@pytest.fixture
def profile(witness: Witness, profile_for: Callable[..., Path]) -> Path:
    more = "[nightly]\nsettle_s = 0.02"
    return profile_for(witness, delivery=['rate = "50/s"', "looks_after_s = [0, 0.1]"], more=more)


def gets_full(disk: SmallDisk, stage: Stage, start: Callable[[], subprocess.Popen[str]], witness: Witness) -> Ran:
    """Run a command, and let the disk get full at a stage of it."""
    if not stage.sending:
        disk.fill(leave=stage.leaves)
        return ended(start())
    process = start()
    wait_for(lambda: witness.ledger()["customers"] > 5, process)
    disk.fill(leave=stage.leaves)
    return ended(process)


def results(disk: SmallDisk, path: str) -> list[dict[str, str]]:
    """The rows of results, wherever they are."""
    inside = Path(path)
    seen = disk.content / inside.relative_to(disk.at) if inside.is_relative_to(disk.at) else inside
    with seen.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "stage",
    [pytest.param(stage, marks=[] if stage.inbox else pytest.mark.slow, id=name) for name, stage in STAGES.items()],
)
@pytest.mark.slow
def test_a_night_on_a_full_disk_says_so_and_the_next_one_finishes(
    user: User, witness: Witness, profile: Path, disk: SmallDisk, stage: Stage
) -> None:
    inbox, workspace = (disk.at, user.home) if stage.inbox else (user.home, disk.at)
    inbox, workspace = inbox / "inbox", workspace / "runs"
    seen = disk.content / "inbox" if stage.inbox else inbox
    seen.mkdir()
    (seen / "a.csv").write_text(stage.content)
    night = ("nightly", inbox, *sandbox(profile), "--workspace", workspace, "--json")
    ran = gets_full(disk, stage, lambda: disk.starts(*night, **witness.environ), witness)

    assert (ran.code, [one["fate"] for one in ran.json["imports"]]) == (1, ["held"])
    assert ran.json["error"].startswith(stage.says.format(workspace=workspace, inbox=inbox))
    assert re.search(r"disk is full|[Ff]ree some space", ran.json["error"])
    assert (seen / "processing" / "a.csv").read_text() == stage.content
    assert list((seen / "failed").iterdir()) == []
    if not stage.sending:
        assert witness.ledger()["requests"] == 0

    disk.clear()
    again = disk.types(*night, *AT_ONCE, **witness.environ)
    assert (again.code, [one["fate"] for one in again.json["imports"]]) == (0, ["imported"]), again.out
    assert again.json["counts"]["created"] == stage.rows
    (put,) = (seen / "archive").iterdir()
    assert (put / "a.csv").read_text() == stage.content
    exactly_once(witness, results(disk, f"{again.json['imports'][0]['put']}/results.csv"))


FIXES = {
    "before a run begins": "ree some space",
    "before anything is sent": "one that had not is started again",
    "while rows are sent": " --workspace disk/runs` then goes on",
    "while results are written": " --workspace disk/runs` then writes them, and sends nothing again",
}


@pytest.mark.parametrize("name", FIXES)
@pytest.mark.slow
def test_a_run_on_a_full_disk_says_so_and_what_it_says_mends_it(
    user: User, witness: Witness, profile: Path, disk: SmallDisk, name: str
) -> None:
    stage, workspace = STAGES[name], disk.at / "runs"
    where = (*sandbox(profile), "--workspace", workspace, "--json")
    run = ("run", user.has("a.csv", stage.content), *where)
    ran = gets_full(disk, stage, lambda: disk.starts(*run, **witness.environ), witness)

    assert (ran.code, ran.json["error"].startswith(stage.says.format(workspace=workspace))) == (1, True), ran.out
    assert FIXES[name] in ran.json["error"]
    disk.clear()
    again = disk.types(*(("resume", "last", *where) if stage.sending else run), *AT_ONCE, **witness.environ)
    assert (again.code, again.json["counts"]["created"]) == (0, stage.rows), again.out
    exactly_once(witness, results(disk, again.json["files"]["results"]))


@pytest.mark.parametrize("command", ["nightly", pytest.param("run", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_packed_file_that_cannot_be_unpacked_for_want_of_space_is_not_the_files_fault(
    user: User, witness: Witness, profile: Path, disk: SmallDisk, command: str
) -> None:
    (user.home / "inbox").mkdir()
    source = user.home / "inbox" / "a.csv.gz"
    source.write_bytes(gzip.compress(WIDE.encode()))
    what = "inbox" if command == "nightly" else source
    patterns = {"IMPORTER_NIGHTLY__PATTERNS": "*.gz"}
    environ = {**witness.environ, **patterns, "TMPDIR": str(disk.at)}
    disk.fill(leave=500_000)
    ran = disk.types(command, what, *sandbox(profile), "--json", **environ)

    assert (ran.code, witness.ledger()["requests"]) == (1, 0), ran.out
    assert ran.json["error"].startswith(f"The disk is full: 'a.csv.gz' cannot be kept in {disk.at} while it is read.")
    assert "TMPDIR" in ran.json["error"]
    disk.clear()
    again = disk.types(command, what, *sandbox(profile), "--json", *AT_ONCE, **environ)
    assert (again.code, again.json["counts"]["created"]) == (0, ROWS), again.out
