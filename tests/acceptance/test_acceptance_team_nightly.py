"""A night that outlives its host: two hosts with homes of their own, one folder, one journal in PostgreSQL."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.conftest import Ran, User, Witness, exactly_once, people, sandbox, user_in, wait_for, wait_until
from tests.postgres import shared_server

_QUICK = {"IMPORTER_NIGHTLY__SETTLE_S": "0.02", "IMPORTER_JOURNAL__LEASE_S": "2"}


@pytest.fixture
def team(user: User, witness: Witness) -> dict[str, User]:
    """Two hosts, each with a home of its own."""
    environ = {**witness.environ, **_QUICK, "IMPORTER_JOURNAL": shared_server().database()}
    found = {}
    for name in ("first", "second"):
        (user.home / name).mkdir()
        found[name] = user_in(user.home / name)
        found[name].environ.update(environ)
    return found


@pytest.fixture
def folder(user: User) -> Path:
    path = user.home / "inbox"
    path.mkdir()
    return path


def killed_in_the_middle(host: User, folder: Path, profile: Path, witness: Witness) -> int:
    """A nightly that dies while it sends; its process id."""
    night = host.starts("nightly", folder, *sandbox(profile), "--quiet")
    wait_for(lambda: witness.ledger()["customers"] > 20, night)
    night.send_signal(signal.SIGKILL)
    night.communicate()
    return night.pid


@pytest.mark.slow
def test_the_nightly_of_another_host_finishes_the_file_of_a_host_that_died_and_creates_everybody_once(
    user: User, team: dict[str, User], folder: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "60/s"', "looks_after_s = [0, 0.1, 0.4]"])
    (folder / "people.csv").write_text(people(200))
    first, second = team.values()
    metrics = second.home / "night.prom"
    second.environ["IMPORTER_METRICS__TEXTFILE"] = str(metrics)
    there = user.home / "mounted"  # elsewhere than on the first host
    there.symlink_to(folder)

    pid = killed_in_the_middle(first, folder, profile, witness)
    nights: list[Ran] = []

    def is_free() -> bool:
        nights.append(second.types("nightly", there, *sandbox(profile), "--rate", "900/s", "--json"))
        return nights[-1].code != 7

    wait_until(is_free)
    (done,) = nights[-1].json["imports"]
    counted = metrics.read_text()
    again = second.types("nightly", there, *sandbox(profile), "--json")

    assert [night.json["error"] for night in nights[:-1] if f"process {pid}" not in night.json["error"]] == []
    assert (nights[-1].code, done["fate"], done["resumed"]) == (0, "imported", True)
    assert done["counts"]["created"] == done["counts"]["read"] == 200
    assert 'importer_last_night_exit_code{target="sandbox"} 0.0' in counted
    (archived,) = folder.glob("archive/*_people.csv/people.csv")
    assert not list((folder / "processing").iterdir())
    assert again.json["imports"] == []
    exactly_once(witness, second.reads(str(archived.parent / "results.csv")))


@pytest.mark.slow
def test_a_file_is_left_to_a_host_that_works_and_the_report_says_who_has_it(
    user: User, team: dict[str, User], folder: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    slow = profile_for(witness, delivery=['rate = "20/s"'])
    (folder / "people.csv").write_text(people(200))
    own = user.home / "own"
    own.mkdir()
    for host in team.values():
        host.environ["IMPORTER_JOURNAL__LEASE_S"] = "30"  # nobody dies
    shutil.copy(folder / "people.csv", own)
    first, second = team.values()

    night = first.starts("nightly", folder, *sandbox(slow), "--quiet")
    wait_for(lambda: witness.ledger()["customers"] > 2, night)
    shutil.rmtree(folder / ".importer" / "locks")  # as where the file system has no locks that another host sees
    shared = second.types("nightly", folder, *sandbox(slow), "--json")
    copied = second.types("nightly", own, *sandbox(slow), "--json")
    night.terminate()
    night.communicate()
    finished = first.types("nightly", folder, *sandbox(slow), "--rate", "900/s", "--json")
    known = second.types("nightly", own, *sandbox(slow), "--json")

    assert (shared.code, copied.code) == (7, 7)
    assert "Another importer nightly works in this folder" in shared.json["error"]
    assert copied.json["imports"][0]["fate"] == "held"
    assert f"(process {night.pid} on " in shared.json["error"]
    assert f"(process {night.pid} on " in copied.json["imports"][0]["error"]
    assert (finished.code, finished.json["counts"]["created"]) == (0, 200)
    assert (known.code, known.json["imports"][0]["fate"]) == (0, "known")
    assert witness.ledger()["customers"] == 200


def test_a_file_whose_run_was_over_when_its_host_died_is_put_away_with_its_results_by_another_host(
    user: User, team: dict[str, User], folder: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "900/s"'])
    left = folder / "processing" / "people.csv"
    left.parent.mkdir()
    left.write_text(people(5))
    first, second = team.values()
    mounted = user.home / "mounted"
    mounted.symlink_to(folder)

    first.types("run", left, *sandbox(profile), "--quiet")
    done = second.types("nightly", mounted, *sandbox(profile), "--json")

    assert (done.code, done.json["imports"][0]["fate"], done.json["counts"]["created"]) == (0, "imported", 5)
    (results,) = folder.glob("archive/*_people.csv/results.csv")
    assert (results.parent / "people.csv").exists()
    exactly_once(witness, second.reads(results))


@pytest.mark.slow
@pytest.mark.parametrize("mounted_elsewhere", [False, True])
def test_a_file_whose_host_died_while_it_was_read_is_imported_by_another_host(
    user: User,
    team: dict[str, User],
    folder: Path,
    witness: Witness,
    profile_for: Callable[..., Path],
    *,
    mounted_elsewhere: bool,
) -> None:
    profile = profile_for(witness, delivery=['rate = "900/s"'])
    (folder / "people.csv").write_text(people(20))
    first, second = team.values()
    there = folder
    if mounted_elsewhere:
        there = user.home / "mounted"
        there.symlink_to(folder)
    first.types("runs")  # makes the journal

    with psycopg.connect(first.environ["IMPORTER_JOURNAL"]) as session:
        session.execute("LOCK importer.rows IN SHARE MODE")
        night = first.starts("nightly", folder, *sandbox(profile), "--quiet")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'importer.rows'::regclass"
        wait_for(lambda: session.execute(waiting).fetchone() != (0,), night)
        night.send_signal(signal.SIGKILL)
        night.communicate()
    nights: list[Ran] = []

    def is_free() -> bool:
        nights.append(second.types("nightly", there, *sandbox(profile), "--json"))
        return nights[-1].code != 7

    wait_until(is_free)

    assert (nights[-1].code, nights[-1].json["counts"]["created"]) == (0, 20)
    (archived,) = folder.glob("archive/*_people.csv/people.csv")
    assert not list((folder / "processing").iterdir())
    exactly_once(witness, second.reads(archived.parent / "results.csv"))
