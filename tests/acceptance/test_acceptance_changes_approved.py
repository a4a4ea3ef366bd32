"""An update and an undo of customers at a server that takes approved plans alone: every way in, and what is refused."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from importer.core.plans import Role
from importer.runs.plans.plan_file import PlanFile
from importer.runs.plans.update_plan import UpdatePlan
from importer.runs.undo_plan import UndoPlan
from importer.runs.wiring import SystemClock
from tests.acceptance.conftest import ROOT, Ran, User, Witness, people, sandbox, serving_here, wait_for
from tests.acceptance.test_acceptance_sheets import workbook
from tests.acceptance.test_acceptance_undo import statuses
from tests.acceptance.test_acceptance_update import QUICK, created, renamed
from tests.approvals import Office

ROWS = 40


@dataclass
class Desk:
    """Where Anna and Ben work; the customers were created before the policy was in force.

    Args:
        profile: names the emulator as the sandbox.
    """

    user: User
    witness: Witness
    office: Office
    profile: Path
    rows: list[dict[str, str]]
    run_id: str = ""

    @property
    def environ(self) -> dict[str, str]:
        return {
            **self.witness.environ,
            "IMPORTER_APPROVAL_POLICY": str(self.office.path),
            "IMPORTER_KEYS": str(self.office.keys),
        }

    def types(self, *words: str | Path, profile: Path | None = None) -> Ran:
        return self.user.types(*words, *sandbox(profile or self.profile), "--json", **self.environ)

    def approves(self, path: str | Path) -> Ran:
        return self.user.types("approve", path, "--key", "ben", "--yes", "--json", **self.environ)

    def undo_plan(self) -> str:
        planned = self.types("undo", "last", "--plan", "--key", "anna")
        assert planned.code == 0, planned.out
        return str(planned.json["files"]["plan"])

    def changes(self, name: str = "changes.csv") -> Path:
        lines = [",".join(self.rows[0]), *(",".join(row.values()) for row in renamed(self.rows))]
        return self.user.has(name, "\n".join(lines) + "\n")

    def update_plan(self, file: Path, code: int = 0) -> str:
        planned = self.types("plan", file, "--update", "--key", "anna")
        assert planned.code == code, planned.out
        self.run_id = planned.json["run_id"]
        return str(planned.json["files"]["plan"])

    def kept(self) -> Any:
        """What the receipt of the last run says of plans."""
        return self.user.types("show", "last", "--json", **self.environ).json["plans"]

    @property
    def done(self) -> dict[str, int]:
        """What was changed at the server."""
        committed = self.witness.ledger()["committed"]
        return {name: int(committed.get(name, 0)) for name in ("suspend", "update")}

    def reads(self, path: str | Path) -> Any:
        return json.loads((self.user.home / path).read_text())

    def edited(self, path: str, **edits: Any) -> Path:
        return self.user.has("edited.json", json.dumps({**self.reads(path), **edits}))

    def replayed(self, path: str, other: str) -> Path:
        """A plan under the signatures of another one."""
        return self.edited(path, signatures=self.reads(other)["signatures"])

    def older(self, plan: PlanFile) -> Path:
        """The same plan, made and approved two hours ago."""
        made_at = SystemClock().now() - 7_200.0
        older = plan.model_copy(update={"made_at": made_at, "signatures": ()}).sealed()
        roles: dict[str, Role] = {"anna": "author", "ben": "approver"}
        for name, role in roles.items():
            older = self.office.signs(older, name, role, at=made_at)
        path = self.user.home / "older.json"
        older.write(path)
        return path

    def expire(self, path: Path) -> None:
        """Have plans expire after an hour from now on."""
        self.office.decrees(head='valid = "1h"')
        shown = self.user.types("show", path, "--verify", "--json", **self.environ)
        assert (shown.code, shown.json["plan"]["expired"]) == (5, True), shown.out

    def proved(self, what: str, state: str) -> None:
        """What came of working out again what the plan of the last run says."""
        checks = self.user.types("show", "last", "--verify", "--json", **self.environ).json["checks"]
        assert [one["status"] for one in checks if one["what"].startswith(f"{what} of the ")] == [state], checks

    def tampers(self, statement: str) -> None:
        with closing(sqlite3.connect(self.user.home / "runs" / "journal.sqlite3")) as journal:
            journal.execute(statement)
            journal.commit()

    def killed(self, *words: str | Path, when: Callable[[], bool], slow: Path) -> None:
        process = self.user.starts(*words, *sandbox(slow), "--quiet", **self.environ)
        wait_for(when, process)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.fixture
def desk(user: User, witness: Witness, profile_for: Callable[..., Path], tmp_path: Path) -> Desk:
    profile = profile_for(witness, delivery=QUICK)
    rows = created(user, witness, profile, ROWS).rows
    office = Office(tmp_path / "office", witness.base_url.partition("://")[2])
    office.decrees()
    return Desk(user, witness, office, profile, rows)


def others(rows: int) -> str:
    """The same people under other last names."""
    return people(rows).replace("Family", "Other")


def refused(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran.out + ran.err
    said = json.dumps(ran.json, ensure_ascii=False)
    assert all(word in said for word in words), said


# --------------------------------------------------------------------------- the way back


def test_nobody_is_suspended_without_an_approval_and_with_one_all_are(desk: Desk) -> None:
    path = desk.undo_plan()

    refused(desk.types("undo", "last", "--apply", path), 5, "not approved", "ben (up to 50,000 customers)", "carol")
    assert desk.done["suspend"] == 0

    assert desk.approves(path).code == 0
    done = desk.types("undo", "last", "--apply", path)
    assert (done.code, desk.done["suspend"]) == (0, ROWS), done.out
    assert statuses(desk.witness) == {"SUSPENDED": ROWS}
    (kept,) = desk.kept()
    assert (kept["job"], kept["rows"], [one["name"] for one in kept["signatures"]]) == ("undo", ROWS, ["anna", "ben"])
    desk.proved("customers", "ok")


@pytest.mark.slow
def test_a_customer_that_was_taken_back_by_no_plan_is_found(desk: Desk) -> None:
    desk.tampers("UPDATE rows SET state = 'unknown' WHERE ordinal = 1")  # so that the plan leaves it alone
    planned = desk.types("undo", "last", "--plan", "--key", "anna")
    assert (planned.code, planned.json["counts"]["skipped"]) == (3, 1), planned.out
    path = planned.json["files"]["plan"]
    assert desk.approves(path).code == 0
    assert desk.types("undo", "last", "--apply", path).code == 0
    desk.proved("customers", "ok")

    desk.tampers("UPDATE rows SET state = 'created' WHERE ordinal = 1")
    desk.proved("customers", "ok")
    desk.tampers("INSERT INTO steps (run, ordinal, step, part, state) VALUES (1, 1, 'suspend', '', 'done')")
    desk.proved("customers", "differs")


def test_a_plan_of_an_undo_that_was_edited_or_bears_signatures_of_another_is_refused(desk: Desk) -> None:
    path = desk.undo_plan()
    other = desk.user.home / "other.json"
    planned = desk.types("undo", "last", "--plan", "--key", "anna", "--out", other)
    assert (planned.code, desk.approves(other).code, desk.approves(path).code) == (0, 0, 0)

    edited = desk.edited(path, entries=desk.reads(path)["entries"][:1])
    refused(desk.types("undo", "last", "--apply", edited), 6, "was edited")
    replayed = desk.replayed(path, str(other))
    refused(desk.types("undo", "last", "--apply", replayed), 5, "anna")
    assert desk.done["suspend"] == 0


@pytest.mark.slow
def test_who_may_approve_an_undo_is_said_and_where_nobody_may_that(desk: Desk) -> None:
    said = desk.types("undo", "last", "--plan", "--key", "anna").json
    assert "It can be approved by ben (up to 50,000 customers) or carol." in said["next_step"]
    assert ".json --key ben" in said["next_step"]
    assert " --apply " in said["next_command"]

    desk.office.decrees(but=["ben"])
    said = desk.types("undo", "last", "--plan", "--key", "carol").json
    assert "Nobody but carol may approve it, who has signed it already" in said["next_step"]
    assert said["next_command"].startswith("importer show ")


@pytest.mark.slow
def test_an_approved_undo_that_is_killed_goes_on_under_the_same_plan_after_it_has_expired(
    desk: Desk, profile_for: Callable[..., Path]
) -> None:
    slow = profile_for(desk.witness, "slow.toml", delivery=['rate = "30/s"', "concurrency = 2"])
    path = desk.older(UndoPlan.read(desk.user.home / desk.undo_plan()))
    words = ("undo", "last", "--apply", path)
    desk.killed(*words, when=lambda: statuses(desk.witness)["SUSPENDED"] >= 5, slow=slow)
    assert desk.done["suspend"] < ROWS
    desk.expire(path)

    done = desk.types(*words)

    assert (done.code, desk.done["suspend"]) == (0, ROWS), done.out


@pytest.mark.slow
def test_a_plan_that_was_approved_is_not_replaced_by_a_later_one(desk: Desk) -> None:
    """Not by the command that names it, and not by one that names no file."""
    path = desk.undo_plan()
    assert desk.approves(path).code == 0
    before, asked = desk.reads(path), desk.witness.ledger()["requests"]
    file = desk.changes()
    for words in (
        ("undo", "last", "--plan", "--out", path),
        ("plan", file, "--out", path),
        ("plan", file, "--update", "--out", path),
        ("plan", "--retry", "last", "--out", path),
    ):
        refused(desk.types(*words, "--key", "anna"), 2, "is a plan that ben has approved", "--out")
    assert (desk.reads(path), desk.witness.ledger()["requests"]) == (before, asked)

    assert desk.undo_plan() != path
    assert desk.reads(path) == before
    assert desk.types("undo", "last", "--apply", path).code == 0


# --------------------------------------------------------------------------- updates


@pytest.mark.slow
def test_nobody_is_updated_without_an_approval_and_with_one_all_are(desk: Desk) -> None:
    file = desk.changes()
    refused(desk.types("update", file), 5, "without an approved plan", "ben (up to 50,000 customers)", "--update")
    assert desk.types("update", file, "--dry-run").code == 0
    path = desk.update_plan(file)
    refused(desk.types("update", "--plan", path), 5, "not approved", "carol")
    assert desk.done["update"] == 0

    assert desk.approves(path).code == 0
    done = desk.types("update", "--plan", path)
    assert done.code == 0, done.out
    assert done.json["follow_up"]["updates"] == {"changed": 36, "unchanged": 4}
    assert desk.done["update"] == 36
    (kept,) = desk.kept()
    assert (kept["job"], kept["rows"]) == ("update", 36)
    desk.proved("bodies", "ok")
    desk.tampers("UPDATE rows SET customer_id = 'c-other' WHERE run = 3 AND ordinal = 5")
    desk.proved("bodies", "differs")
    refused(desk.types("update", file), 5)


@pytest.mark.slow
def test_what_differs_from_the_plan_of_an_update_is_named(desk: Desk, profile_for: Callable[..., Path]) -> None:
    file = desk.changes()
    path, content = desk.update_plan(file), file.read_text()
    assert desk.approves(path).code == 0

    file.write_text(content.replace("New", "Other", 1))
    refused(desk.types("update", "--plan", path), 6, "the content of 'changes.csv'")
    both = "the plan is of 'changes.csv', and this is 'else.csv'"
    refused(desk.types("update", desk.user.has("else.csv", file.read_text()), "--plan", path), 6, both)
    file.write_text(content)
    refused(desk.types("update", "--plan", desk.edited(path, rows=1)), 6, "was edited")
    stamped = profile_for(desk.witness, "stamped.toml", delivery=[*QUICK, 'import_key_metadata = "other"'])
    refused(desk.types("update", "--plan", path, profile=stamped), 6, "the profile (delivery.import_key_metadata)")
    other = desk.update_plan(desk.changes("other.csv"))
    assert desk.approves(other).code == 0
    refused(desk.types("update", "--plan", desk.replayed(path, other)), 5, "anna")
    assert desk.done["update"] == 0


@pytest.mark.slow
def test_a_list_that_has_gone_on_is_not_the_one_of_the_plan(desk: Desk) -> None:
    path = desk.update_plan(desk.changes())
    assert desk.approves(path).code == 0
    without = {**desk.witness.environ}
    assert desk.user.types("update", "changes.csv", *sandbox(desk.profile), "--json", **without).code == 0

    refused(desk.types("update", "--plan", path), 6, "the list")


@pytest.mark.slow
def test_an_approved_update_that_is_killed_goes_on_under_the_same_plan(
    desk: Desk, profile_for: Callable[..., Path]
) -> None:
    slow = profile_for(desk.witness, "slow.toml", delivery=['rate = "30/s"', "concurrency = 2"])
    path = desk.older(UpdatePlan.read(desk.user.home / desk.update_plan(desk.changes())))
    words = ("update", "--plan", path)
    desk.killed(*words, when=lambda: desk.done["update"] >= 4, slow=slow)
    assert desk.done["update"] < 36
    desk.expire(path)

    done = desk.types(*words)

    assert (done.code, desk.done["update"]) == (0, 36), done.out


@pytest.mark.slow
def test_the_plan_of_an_update_is_not_carried_out_elsewhere_nor_by_another_program(
    desk: Desk, profile_for: Callable[..., Path], tmp_path: Path
) -> None:
    path = desk.update_plan(desk.changes())
    assert desk.approves(path).code == 0
    program = tmp_path / "other"
    shutil.copytree(ROOT / "importer", program / "importer", ignore=shutil.ignore_patterns("__pycache__"))
    rule = program / "importer" / "customers" / "emails.py"
    rule.write_text(rule.read_text() + "\n# another rule\n")
    words = ("update", "--plan", path, "--json")

    refused(
        desk.user.types_for_real(*words, "--target", "emulator", **desk.environ), 6, "(then 'sandbox', now 'emulator')"
    )
    with serving_here() as other:
        elsewhere = sandbox(profile_for(other, "other.toml", delivery=QUICK))
        refused(desk.user.types_for_real(*words, *elsewhere, **{**desk.environ, **other.environ}), 6, "sandbox")
        assert other.ledger()["requests"] == 0
    ran = desk.user.types_for_real(*words, **{**desk.environ, "PYTHONPATH": str(program)})
    refused(ran, 6, "the program's rules (customers)")
    assert desk.done["update"] == 0

    assert desk.user.types_for_real(*words, **desk.environ).code == 0
    assert desk.done["update"] == 36


@pytest.mark.slow
def test_the_plan_of_an_update_is_of_one_sheet_of_its_workbook(desk: Desk) -> None:
    changed = [["ID", "Last Name"], ["L-1", "Newer"], ["L-2", "Newest"]]
    book = workbook(desk.user.home / "changes.xlsx", Notes=[["ID", "Last Name"], ["L-3", "Other"]], Changes=changed)
    planned = desk.types("plan", book, "--update", "--sheet", "Changes", "--key", "anna")
    assert (planned.code, planned.json["counts"]["existing"]) == (0, 2), planned.out
    path = planned.json["files"]["plan"]
    assert desk.approves(path).code == 0

    other = desk.user.types("update", "--plan", path, "--sheet", "Notes", "--json", **desk.environ)
    refused(other, 6, "the profile (source.sheet)")
    assert desk.done["update"] == 0
    done = desk.user.types("update", "--plan", path, "--json", **desk.environ)
    assert (done.code, desk.done["update"]) == (0, 2), done.out
    assert {one["lastName"] for one in desk.witness.customers() if one["lastName"].startswith("New")} == {
        "Newer",
        "Newest",
    }
    desk.proved("bodies", "ok")


@pytest.mark.slow
def test_a_retry_sends_nothing_that_the_plan_of_an_update_does_not_list(desk: Desk) -> None:
    """One customer was not there yet when the plan was made."""
    path = desk.update_plan(desk.user.has("by_id.csv", others(ROWS + 1)), code=3)
    assert desk.approves(path).code == 0
    assert desk.types("update", "--plan", path).code == 3
    assert desk.done["update"] == ROWS
    last = "\n".join(line for line in people(ROWS + 1).splitlines() if line.startswith(("ID,", f"L-{ROWS},")))
    elsewhere = ("--workspace", "elsewhere", "--json")
    created = desk.user.types(
        "run", desk.user.has("last.csv", last), *sandbox(desk.profile), *elsewhere, **desk.witness.environ
    )
    assert created.json["counts"]["created"] >= 1, created.out

    retried = desk.types("retry", desk.run_id)

    assert (retried.code, desk.done["update"]) == (3, ROWS), retried.out


@pytest.mark.slow
def test_an_import_that_updates_who_exists_is_covered_by_its_own_plan(desk: Desk) -> None:
    file = desk.user.has("again.csv", others(ROWS))
    planned = desk.types("plan", file, "--key", "anna", "--on-existing", "update")
    path = planned.json["files"]["plan"]
    assert desk.approves(path).code == 0

    done = desk.user.types("run", "--plan", path, "--json", **desk.environ)

    assert (done.code, desk.done["update"]) == (0, ROWS), done.out
