"""Nights at a target that takes only what was approved: a file waits as a plan, and what people signed is sent once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from importer.runs.plans.import_plan import ImportPlan
from tests.acceptance.conftest import Ran, User, Witness, ended, exactly_once, people, sandbox, wait_for
from tests.approvals import Office

ROWS = 20
QUICK = {"IMPORTER_NIGHTLY__SETTLE_S": "0.02", "IMPORTER_NIGHTLY__POLL_S": "0.05"}
SENDING = ['rate = "900/s"', "looks_after_s = [0, 0.1]"]


@dataclass
class Nights:
    """A folder of files, a server that takes only approved plans, and the people of its policy."""

    user: User
    witness: Witness
    office: Office
    profile: Path

    @property
    def inbox(self) -> Path:
        return self.user.home / "inbox"

    @property
    def words(self) -> tuple[str | Path, ...]:
        return ("nightly", "inbox", *sandbox(self.profile), "--json")

    def arrives(self, name: str = "a.csv", rows: int = ROWS) -> None:
        (self.inbox / name).write_text(people(rows))

    def passes(self, *more: str, **environ: str) -> Ran:
        return self.user.types(*self.words, *more, **self.witness.environ, **environ)

    def approves(self, *names: str, plan: str = "a.csv.plan.json") -> None:
        for name in names:
            ran = self.user.types("approve", self.inbox / "approval" / plan, "--key", name, "--yes", "--json")
            assert ran.code == 0, ran.out

    @property
    def plan(self) -> ImportPlan:
        return ImportPlan.read(self.inbox / "approval" / "a.csv.plan.json")

    @property
    def asked(self) -> int:
        return int(self.witness.ledger()["requests"])

    @property
    def files(self) -> set[str]:
        """The files of the folder that are not results."""
        found = (path.relative_to(self.inbox) for path in self.inbox.rglob("*") if path.is_file())
        return {str(path) for path in found if path.name.endswith((".csv", "plan.json")) and "results" not in path.name}


@pytest.fixture
def nights(user: User, witness: Witness, profile_for: Callable[..., Path]) -> Nights:
    office = Office(user.home / "office", witness.base_url.partition("://")[2])
    office.decrees()
    user.environ.update(IMPORTER_APPROVAL_POLICY=str(office.path), IMPORTER_KEYS=str(office.keys), **QUICK)
    (user.home / "inbox").mkdir()
    return Nights(user, witness, office, profile_for(witness, delivery=SENDING))


def only(ran: Ran) -> dict[str, Any]:
    (one,) = ran.json["imports"]
    assert isinstance(one, dict)
    return one


def waits(nights: Nights, ran: Ran, *words: str) -> None:
    """The file waits, and nothing was sent."""
    one = only(ran)
    assert (ran.code, one["fate"], one["exit_code"], ran.json["unapproved"]) == (5, "unapproved", 5, 1), ran.out
    for word in words:
        assert word in one["error"], one["error"]
    assert nights.asked == 0


def sent_once(nights: Nights, ran: Ran, rows: int = ROWS) -> None:
    """The file was imported, once, and is in the archive with its plan."""
    one = only(ran)
    assert (ran.code, one["fate"]) == (0, "imported"), ran.out
    exactly_once(nights.witness, nights.user.reads(nights.user.home / "runs" / one["run_id"] / "results.csv"))
    assert len(nights.witness.customers()) == rows
    (folder,) = (nights.inbox / "archive").iterdir()
    assert {"a.csv", "a.csv.plan.json", "receipt.json"} <= {path.name for path in folder.iterdir()}
    assert list((nights.inbox / "approval").iterdir()) == []


def test_a_file_waits_until_it_is_signed_and_is_sent_once(nights: Nights) -> None:
    nights.arrives()
    first = nights.passes()
    waits(nights, first, "It can be approved by ben (up to 50,000 customers) or carol.")
    assert nights.files == {"approval/a.csv", "approval/a.csv.plan.json"}
    assert only(first)["plan"] == str(nights.inbox / "approval" / "a.csv.plan.json")
    assert only(first)["next_step"].split()[-2:] == ["approve", only(first)["plan"]]
    assert only(first)["counts"] == {"read": ROWS, "valid": ROWS, "invalid": 0, "known": 0}
    assert nights.plan.signatures == ()
    before = nights.plan

    waits(nights, nights.passes())
    assert nights.plan == before
    nights.approves("ben")
    waits(nights, nights.passes(), "It can be approved by carol.")
    nights.approves("carol")

    sent_once(nights, nights.passes())
    assert nights.passes().json["imports"] == []
    assert len(nights.witness.customers()) == ROWS


@pytest.mark.slow
def test_the_key_of_the_night_signs_as_the_author_and_people_read_what_waits(nights: Nights) -> None:
    nights.arrives()
    words = (*nights.words[:-1],)
    ran = nights.user.types(*words, **nights.witness.environ, IMPORTER_APPROVAL__KEY="anna")

    assert ran.code == 5
    assert "a.csv: waits for an approval, nothing was sent" in ran.err
    assert "importer approve " in ran.err
    assert [(one.role, one.name) for one in nights.plan.signatures] == [("author", "anna")]
    nights.approves("ben")
    sent_once(nights, nights.passes())


@pytest.mark.slow
def test_a_file_that_is_edited_while_it_waits_gets_a_new_plan(nights: Nights) -> None:
    nights.arrives()
    nights.passes()
    nights.approves("ben", "carol")
    file = nights.inbox / "approval" / "a.csv"
    state = file.stat()
    file.write_text(people(ROWS + 1))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    waits(nights, nights.passes(), "Different are: the content of 'a.csv'", "A new plan was made.")
    assert (nights.plan.rows, nights.plan.signatures) == (ROWS + 1, ())
    file.write_text(people(ROWS))
    waits(nights, nights.passes(), "The file was changed after its plan was made. A new plan was made.")

    nights.approves("ben", "carol")
    sent_once(nights, nights.passes())


@pytest.mark.slow
def test_a_plan_that_has_expired_is_made_again(nights: Nights) -> None:
    nights.arrives()
    nights.passes()
    plan = nights.inbox / "approval" / "a.csv.plan.json"
    old = nights.plan.model_copy(update={"made_at": 1_790_000_000.0, "expires_at": 1_790_000_100.0}).sealed()
    old.write(plan)
    waits(nights, nights.passes(), "was good until", "A new plan was made.")

    assert nights.plan.sha256 != old.sha256
    nights.approves("ben", "carol")
    sent_once(nights, nights.passes())


@pytest.mark.slow
def test_customers_that_are_known_meanwhile_make_another_plan(nights: Nights) -> None:
    nights.arrives("a.csv", 10)
    nights.arrives("b.csv", ROWS)
    assert nights.passes().json["unapproved"] == 2
    nights.approves("ben", "carol")
    nights.approves("ben", "carol", plan="b.csv.plan.json")
    ran = nights.passes()

    assert [one["fate"] for one in ran.json["imports"]] == ["imported", "unapproved"], ran.out
    assert "the customers that are known from earlier runs (then 0, now 10)" in ran.json["imports"][1]["error"]
    assert len(nights.witness.customers()) == 10
    nights.approves("ben", "carol", plan="b.csv.plan.json")
    assert nights.passes().code == 0
    assert len(nights.witness.customers()) == ROWS


@pytest.mark.slow
def test_a_second_file_of_the_same_name_waits_beside_the_first(nights: Nights) -> None:
    nights.arrives()
    nights.passes()
    nights.arrives(rows=5)
    ran = nights.passes("--as-new", "--force")

    assert [(one["file"], one["fate"]) for one in ran.json["imports"]] == [("a.csv", "unapproved")] * 2
    assert nights.files == {
        "approval/a.csv",
        "approval/a.csv.plan.json",
        "approval/2/a.csv",
        "approval/2/a.csv.plan.json",
    }
    nights.approves("ben", "carol", plan="2/a.csv.plan.json")
    assert nights.passes().json["unapproved"] == 1
    assert len(nights.witness.customers()) == 5
    assert nights.files & {"approval/a.csv", "approval/2/a.csv"} == {"approval/a.csv"}


@pytest.mark.slow
def test_what_the_policy_does_not_bind_is_as_it_was(nights: Nights) -> None:
    nights.office.decrees(approval=False)
    nights.arrives()
    ran = nights.passes()

    assert (ran.code, only(ran)["fate"]) == (0, "imported"), ran.out
    assert not (nights.inbox / "approval").exists()


@pytest.mark.slow
def test_a_server_that_the_policy_does_not_know_is_refused_before_a_file_is_touched(nights: Nights) -> None:
    Office(nights.office.folder, "api.example.com", nights.office.signers).decrees()
    nights.arrives()
    ran = nights.passes()

    assert (ran.code, nights.files, nights.asked) == (5, {"a.csv"}, 0)
    assert "does not know the server" in ran.json["error"]


@pytest.mark.slow
def test_doctor_says_how_many_files_wait(nights: Nights) -> None:
    nights.arrives()
    nights.passes()
    ran = nights.user.types("doctor", "inbox", *sandbox(nights.profile), "--json", **nights.witness.environ)
    said = {(one["check"], one["message"]) for one in ran.json["checks"]}

    assert ("approvals", "1 file waits for the approval of its plan") in said
    assert "night key" in {check for check, _ in said}
    assert ("night", "none is at work, and none was cut off") in said


@pytest.mark.slow
def test_a_watched_folder_notices_a_signature_and_reports_a_state_once(nights: Nights) -> None:
    nights.arrives()
    watching = nights.user.starts(*nights.words[:-1], "--watch", **nights.witness.environ)
    wait_for((nights.inbox / "approval" / "a.csv.plan.json").exists, watching)
    nights.approves("ben")
    nights.approves("carol")
    wait_for(lambda: any((nights.inbox / "archive").glob("*/a.csv")), watching)
    watching.send_signal(signal.SIGTERM)
    done = ended(watching)

    assert len(nights.witness.customers()) == ROWS
    assert done.err.count("waits for an approval") <= 2, done.err


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1, 60])
def test_a_pass_that_is_killed_while_it_sends_goes_on_and_sends_nothing_twice(nights: Nights, after: int) -> None:
    nights.arrives(rows=100)
    nights.passes()
    nights.approves("ben", "carol")
    slow = ("--rate", "60/s")
    killed = nights.user.starts(*nights.words, *slow, **nights.witness.environ)
    if after:
        wait_for(lambda: nights.witness.ledger()["customers"] >= after, killed)
    else:
        wait_for(lambda: bool(list((nights.user.home / "runs").glob("*/plan-*.json"))), killed)
    killed.kill()
    killed.wait()
    killed.communicate()

    sent_once(nights, nights.passes(), 100)


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.3, 0.9, 1.5])
def test_a_pass_that_is_killed_while_it_plans_loses_no_file(nights: Nights, delay: float) -> None:
    nights.arrives(rows=2000)
    killed = nights.user.starts(*nights.words, **nights.witness.environ)
    try:
        killed.wait(delay)
    except Exception:  # noqa: BLE001  # it is still at work
        killed.kill()
    killed.communicate()
    assert len({name for name in nights.files if name.endswith("a.csv")}) == 1

    waits(nights, nights.passes())
    nights.approves("ben", "carol")
    sent_once(nights, nights.passes("--rate", "5000/s"), 2000)


@pytest.mark.slow
def test_a_key_that_is_removed_while_a_run_is_cut_off_holds_the_rest(nights: Nights) -> None:
    nights.arrives(rows=100)
    nights.passes()
    nights.approves("ben", "carol")
    killed = nights.user.starts(*nights.words, "--rate", "60/s", **nights.witness.environ)
    wait_for(lambda: nights.witness.ledger()["customers"] >= 5, killed)
    killed.kill()
    killed.communicate()
    nights.office.decrees(but=["ben"])
    before = len(nights.witness.customers())
    ran = nights.passes()

    assert (ran.code, only(ran)["fate"]) == (5, "unapproved"), ran.out
    assert len(nights.witness.customers()) == before
    nights.office.decrees()
    sent_once(nights, nights.passes(), 100)


@pytest.mark.slow
def test_fixed_rows_of_a_run_wait_as_well_and_go_back_into_it(nights: Nights) -> None:
    lines = people(ROWS).splitlines()
    lines[3] = lines[3].replace("@", " at ")
    (nights.inbox / "a.csv").write_text("\n".join(lines) + "\n")
    assert nights.passes().code == 5
    nights.approves("ben", "carol")
    first = nights.passes()
    assert (first.code, len(nights.witness.customers())) == (3, ROWS - 1)
    rejects = nights.user.home / "runs" / only(first)["run_id"] / "rejects.csv"
    (nights.inbox / "fixed.csv").write_text(rejects.read_text().replace(" at ", "@"))

    waiting = nights.passes()
    assert (waiting.code, only(waiting)["fate"]) == (5, "unapproved"), waiting.out
    assert only(nights.passes())["fate"] == "unapproved"
    assert len(nights.witness.customers()) == ROWS - 1
    nights.approves("ben", "carol", plan="fixed.csv.plan.json")
    done = nights.passes()

    assert (done.code, only(done)["fate"], only(done)["run_id"]) == (0, "imported", only(first)["run_id"]), done.out
    assert len(nights.witness.customers()) == ROWS
    assert list((nights.inbox / "approval").iterdir()) == []


@pytest.mark.slow
def test_rows_that_come_back_as_wrong_as_they_were_wait_for_nobody(nights: Nights) -> None:
    lines = people(ROWS).splitlines()
    lines[3] = lines[3].replace("@", " at ")
    (nights.inbox / "a.csv").write_text("\n".join(lines) + "\n")
    assert nights.passes().code == 5
    nights.approves("ben", "carol")
    first = nights.passes()
    rejects = nights.user.home / "runs" / only(first)["run_id"] / "rejects.csv"
    (nights.inbox / "fixed.csv").write_text(rejects.read_text().replace(" at ", "  at  "))

    back = nights.passes()

    assert (back.code, only(back)["fate"], only(back)["run_id"]) == (3, "imported", only(first)["run_id"]), back.out
    assert len(nights.witness.customers()) == ROWS - 1
    assert list((nights.inbox / "approval").iterdir()) == []
    assert nights.user.types("show", "last", "--verify", "--json").code == 0


@pytest.mark.slow
def test_a_run_whose_plan_does_not_hold_any_more_waits_with_a_plan_of_the_rest(nights: Nights) -> None:
    nights.arrives(rows=60)
    assert nights.passes().code == 5
    nights.approves("ben", "carol")
    process = nights.user.starts(*nights.words, "--rate", "20/s", **nights.witness.environ)
    wait_for(lambda: len(nights.witness.customers()) >= 5, process)
    process.send_signal(signal.SIGINT)
    ended(process)
    nights.office.decrees(but=["ben"])
    before = len(nights.witness.customers())

    held = nights.passes()
    assert (held.code, only(held)["fate"]) == (5, "unapproved"), held.out
    assert len(nights.witness.customers()) == before
    nights.office.decrees()
    nights.approves("ben", "carol")
    done = nights.passes()

    assert (done.code, only(done)["fate"]) == (0, "imported"), done.out
    assert len(nights.witness.customers()) == 60
