"""Memories that were lost or copied: no customer is created a second time because of one, and the way on is named."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, Ran, User, Witness, ended, exactly_once, people, sandbox, wait_for

ROWS = 200
JOURNAL = "journal.sqlite3"


@pytest.fixture
def profile(witness: Witness, profile_for: Callable[..., Path]) -> Path:
    return profile_for(witness, delivery=['rate = "100/s"', "concurrency = 4", "looks_after_s = [0, 0.1]"])


@pytest.fixture
def importing(user: User, witness: Witness, profile: Path) -> subprocess.Popen[str]:
    """An import in the middle of its sending."""
    source = user.has("people.csv", people(ROWS, external_ids=False))
    process = user.starts("run", source, *sandbox(profile), "--quiet", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] >= 60, process)
    assert process.poll() is None, process.communicate()
    return process


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _has_more_than(witness: Witness, customers: int) -> bool:
    return int(witness.ledger()["customers"]) > customers


def resumed(user: User, witness: Witness, *arguments: str) -> Ran:
    return user.types("resume", "last", *arguments, "--json", **witness.environ)


@pytest.mark.parametrize("kept", [0.0, 0.5])
@pytest.mark.slow
def test_a_journal_whose_tail_is_lost_sends_nothing_and_names_the_way_out(
    user: User, witness: Witness, importing: subprocess.Popen[str], kept: float
) -> None:
    killed(importing)
    before, tail = witness.ledger()["customers"], user.home / "runs" / f"{JOURNAL}-wal"
    content = tail.read_bytes()
    tail.write_bytes(content[: int(len(content) * kept)])

    refused = resumed(user, witness)
    assert refused.code == 1
    assert "has lost its last" in refused.json["error"]
    assert "importer doctor --accept-journal" in refused.json["error"]
    assert witness.ledger()["customers"] == before
    assert user.types("doctor", "--json", "--offline").json["error"].startswith("journal: ")

    tail.write_bytes(content)
    (user.home / "runs" / f"{JOURNAL}-shm").unlink(missing_ok=True)
    done = resumed(user, witness)
    assert done.code == 0, done.out
    exactly_once(witness, user.reads(done.json["files"]["results"]))


@pytest.mark.slow
def test_a_journal_is_refused_after_no_kill_whatsoever(
    user: User, witness: Witness, importing: subprocess.Popen[str]
) -> None:
    """The count of commits is behind, never ahead: at whatever moment a process dies, and whoever else is at work."""
    killed(importing)
    for kill in range(4):
        again = user.starts("resume", "last", "--json", **witness.environ)
        before = witness.ledger()["customers"]
        wait_for(partial(_has_more_than, witness, before + kill), again)
        assert user.types("show", "last", "--json").code == 0
        again.send_signal(signal.SIGKILL)
        out, err = again.communicate()
        assert "The journal" not in out + err
    count = user.home / "runs" / f"{JOURNAL}-commits"
    count.write_bytes(bytes(20))  # a power cut: it is not synced

    done = resumed(user, witness)
    assert done.code == 0, done.out
    exactly_once(witness, user.reads(done.json["files"]["results"]))


def test_a_copy_of_a_runs_results_in_the_workspace_is_not_taken_for_a_lost_run(
    user: User, witness: Witness, profile: Path
) -> None:
    rows = user.has("first.csv", people(3, external_ids=False))
    first = user.types("run", rows, *sandbox(profile), "--json", **witness.environ).json["run_id"]
    shutil.copytree(user.home / "runs" / first, user.home / "runs" / "for the customer")

    more = user.has("second.csv", people(5, external_ids=False))
    again = user.types("run", more, *sandbox(profile), "--json", **witness.environ)
    assert (again.code, witness.ledger()["customers"]) == (0, 5), again.out


def test_a_workspace_that_was_copied_while_it_was_used_does_not_go_on_with_its_run(
    user: User, witness: Witness, importing: subprocess.Popen[str]
) -> None:
    shutil.copytree(user.home / "runs", user.home / "copy")
    asked = resumed(user, witness, "--workspace", "copy")

    assert asked.code == 7
    assert "moved or copied" in asked.json["error"]
    assert "importer doctor --copied --workspace copy" in asked.json["error"]
    assert user.types("doctor", "--copied", "--offline", "--workspace", "copy").code == 0
    refused = resumed(user, witness, "--workspace", "copy")
    assert refused.code == 2
    assert "belongs to the workspace that this one was copied from" in refused.json["error"]

    assert ended(importing).code == 0
    (results,) = (user.home / "runs").glob("*/results.csv")
    exactly_once(witness, user.reads(results))


@pytest.mark.slow
def test_a_workspace_that_was_moved_goes_on_once_somebody_said_so(
    user: User, witness: Witness, importing: subprocess.Popen[str]
) -> None:
    killed(importing)
    shutil.copytree(user.home / "runs", user.home / "moved")  # as a move to another disk does
    shutil.rmtree(user.home / "runs")

    assert resumed(user, witness, "--workspace", "moved").code == 7
    assert user.types("doctor", "--moved", "--offline", "--workspace", "moved").code == 0
    done = resumed(user, witness, "--workspace", "moved")
    assert done.code == 0, done.out
    exactly_once(witness, user.reads(done.json["files"]["results"]))


@pytest.mark.slow
def test_on_a_terminal_the_question_is_asked(user: User, witness: Witness, importing: subprocess.Popen[str]) -> None:
    killed(importing)
    shutil.copytree(user.home / "runs", user.home / "moved")
    shutil.rmtree(user.home / "runs")

    shown = at_a_terminal(user, "n\n", "resume", "last", "--workspace", "moved", "--quiet", **witness.environ)
    assert "moved or copied" in shown
    assert "Is this a copy, and does the original go on with its runs? [y/N]" in shown
    (results,) = (user.home / "moved").glob("*/results.csv")
    exactly_once(witness, user.reads(results))


def at_a_terminal(user: User, answer: str, *arguments: str, **environ: str) -> str:
    """Run a command at a terminal, type an answer, and return what was shown."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "importer", *arguments]
    with subprocess.Popen(
        command, cwd=user.home, env={**user.environ, **environ}, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = b""
        with suppress(OSError):  # the terminal's other end is closed
            while piece := os.read(ours, 4_096):
                shown += piece
        assert process.wait(timeout=60) == 0, shown
    os.close(ours)
    return shown.decode()


def test_a_second_workspace_is_warned_of_the_customers_of_the_first(
    user: User, witness: Witness, profile: Path
) -> None:
    first = user.has("first.csv", people(3, external_ids=False))
    second = user.has("second.csv", people(6, external_ids=False))
    assert user.types("run", first, *sandbox(profile), "--json", **witness.environ).json["warning"] == ""
    again = user.types("run", second, *sandbox(profile), "--json", **witness.environ)
    assert again.json["warning"] == "", "its own customers are nobody else's"

    other = user.types("run", first, *sandbox(profile), "--workspace", "other", **witness.environ)
    assert "This target holds customers of another workspace (6 of its newest)." in other.err
    assert "another workspace" in (next((user.home / "other").glob("*/report.html"))).read_text(encoding="utf-8")


def test_no_message_advises_another_workspace() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "importer").rglob("*.py")]

    assert not [text for text in texts if "another --workspace" in text]


@pytest.mark.slow
def test_renaming_the_workspace_asks_nothing(user: User, witness: Witness, importing: subprocess.Popen[str]) -> None:
    killed(importing)
    (user.home / "runs").rename(user.home / "renamed")

    done = resumed(user, witness, "--workspace", "renamed")
    assert done.code == 0, done.out
    exactly_once(witness, user.reads(done.json["files"]["results"]))
