"""What two people have signed is sent; what is forged, replayed, too large, too old or not theirs to sign is not."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from importer.approval import sign
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.wiring import SystemClock
from tests.acceptance.conftest import Ran, User, Witness, ended, people, sandbox, wait_for
from tests.approvals import Office

ROWS = 20
DAY = 86_400.0
QUICK = ['rate = "900/s"', "looks_after_s = [0, 0.1]"]


@dataclass
class Site:
    """A machine with a policy, and a file that Anna has planned."""

    user: User
    witness: Witness
    office: Office
    profile: Path
    plan: Path

    def types(self, *words: str | Path) -> Ran:
        return self.user.types(*words, "--json", **self.witness.environ)

    def sends(self) -> Ran:
        return self.types("run", "--plan", self.plan)

    def signs(self, *names: str, at: float = 0.0) -> None:
        """Have people approve the plan, whether they may or not."""
        made = ImportPlan.read(self.plan)
        for name in names:
            made = self.office.signs(made, name, at=at or SystemClock().now())
        made.write(self.plan)

    def becomes(self, **changes: Any) -> None:
        """Make another plan of it, which Anna has signed as well."""
        made = ImportPlan.read(self.plan).model_copy(update={**changes, "signatures": ()}).sealed()
        self.office.signs(made, "anna", "author", at=made.made_at).write(self.plan)

    @property
    def asked(self) -> int:
        """Requests that have arrived."""
        return int(self.witness.ledger()["requests"])


def machine(user: User, witness: Witness, profile: Path, rows: int = ROWS) -> Site:
    office = Office(user.home / "office", witness.base_url.partition("://")[2])
    office.decrees()
    user.environ.update(IMPORTER_APPROVAL_POLICY=str(office.path), IMPORTER_KEYS=str(office.keys))
    source = user.has("people.csv", people(rows))
    ran = user.types("plan", source, *sandbox(profile), "--key", "anna", "--json", **witness.environ)
    assert ran.code == 0, ran.out
    return Site(user, witness, office, profile, user.home / ran.json["files"]["plan"])


@pytest.fixture
def site(user: User, witness: Witness, profile_for: Callable[..., Path]) -> Site:
    return machine(user, witness, profile_for(witness, delivery=QUICK))


def refused(ran: Ran, why: str) -> None:
    assert ran.code == 5, ran.out
    assert why in ran.json["error"], ran.json["error"]


# --------------------------------------------------------------------------- what is sent


def test_a_plan_that_was_approved_is_sent_and_the_receipt_proves_it(site: Site) -> None:
    refused(site.sends(), "needs the signatures of 2 people and has 1")
    approved = site.types("approve", site.plan, "--key", "ben", "--yes")
    assert (approved.code, approved.json["approved"]) == (0, True)
    assert site.asked == 0

    sent = site.sends()
    assert (sent.code, sent.json["counts"]["created"]) == (0, ROWS)
    (kept,) = sent.json["plans"]
    assert [one["name"] for one in kept["signatures"]] == ["anna", "ben"]
    assert Path(sent.json["files"]["plan"]).name == kept["file"]

    receipt = json.loads((site.user.home / sent.json["files"]["receipt"]).read_text())
    assert receipt["plans"] == [kept]
    assert kept["file"] in receipt["files"]

    arrived = site.witness.ledger()["requests"]
    proved = site.types("show", "last", "--verify")
    assert (proved.code, {one["status"] for one in proved.json["checks"]}) == (0, {"ok"})
    names = [one["what"] for one in proved.json["checks"]]
    digest = kept["sha256"][:8]
    for what in (
        f"signature of anna under the plan {digest}",
        f"signature of ben under the plan {digest}",
        f"approval of the plan {digest}",
        f"bodies of the plan {digest}",
    ):
        assert what in names
    assert site.witness.ledger()["requests"] == arrived
    shown = site.user.types("show", "last").out
    assert f"Sent as the plan {digest} says (20 customers), made by anna, approved by ben." in shown
    assert f"the plan {digest} says" in (site.user.home / sent.json["files"]["html"]).read_text()


@pytest.mark.slow
def test_a_plan_is_signed_where_no_policy_is_by_the_key_that_is_named(site: Site) -> None:
    del site.user.environ["IMPORTER_APPROVAL_POLICY"]
    ran = site.types("plan", "people.csv", *sandbox(site.profile), "--key", "anna", "--out", "mine.json")

    assert ran.code == 0, ran.out
    assert [one.name for one in ImportPlan.read(site.user.home / "mine.json").signatures] == ["anna"]


@pytest.mark.slow
def test_a_key_of_somebody_who_may_not_make_plans_makes_none(site: Site) -> None:
    ran = site.types("plan", "people.csv", *sandbox(site.profile), "--key", "ben", "--out", "bens.json")

    refused(ran, "ben may not make plans. No plan was made. Plans are signed by anna or carol")
    assert not (site.user.home / "bens.json").exists()


# --------------------------------------------------------------------------- what is not


def is_forged(site: Site) -> None:
    site.signs("ben")
    made = ImportPlan.read(site.plan)
    anna, ben = made.signatures
    made.model_copy(update={"signatures": (anna, ben.model_copy(update={"signed_at": ben.signed_at - 1.0}))}).write(
        site.plan
    )


def is_replayed(site: Site) -> None:
    made = ImportPlan.read(site.plan)
    other = made.model_copy(update={"rows": 1}).sealed()
    made.signed(sign(other.sha256, "approver", site.office.signer("ben"), SystemClock().now())).write(site.plan)


def is_of_its_author_alone(site: Site) -> None:
    site.signs("anna")


def is_above_the_limit(site: Site) -> None:
    site.office.decrees(limit=ROWS - 1)
    site.signs("ben")


def has_expired(site: Site) -> None:
    now = SystemClock().now()
    site.becomes(made_at=now - 8 * DAY, expires_at=now - DAY)
    site.signs("ben", at=now - 7.5 * DAY)


def is_older_than_the_policy_allows(site: Site) -> None:
    now = SystemClock().now()
    site.becomes(made_at=now - 2 * DAY, expires_at=now + 5 * DAY)
    site.signs("ben", at=now - 1.9 * DAY)
    site.office.decrees(head='valid = "1d"')


def is_signed_by_a_key_that_was_removed(site: Site) -> None:
    site.signs("ben")
    site.office.decrees(but=["ben"])


def is_signed_by_a_key_that_was_replaced(site: Site) -> None:
    site.signs("ben")
    del site.office.signers["ben"]
    (site.office.keys / "ben.key").unlink()
    site.office.decrees()


def is_signed_by_a_stranger(site: Site) -> None:
    site.signs("dora")


def has_lost_its_policy(site: Site) -> None:
    site.signs("ben")
    site.office.path.unlink()


def needs_three(site: Site) -> None:
    site.signs("ben")
    site.office.decrees(head="signatures = 3")


HARM = (
    (is_forged, "the signature of ben is not genuine"),
    (is_replayed, "the signature of ben is not genuine"),
    (is_of_its_author_alone, "has 1"),
    (is_above_the_limit, "ben may approve up to 19 customers"),
    (has_expired, "it was good until"),
    (is_older_than_the_policy_allows, "it was good until"),
    (is_signed_by_a_key_that_was_removed, "ben is not in the policy"),
    (is_signed_by_a_key_that_was_replaced, "the signature of ben is not genuine"),
    (is_signed_by_a_stranger, "dora is not in the policy"),
    (has_lost_its_policy, "cannot be read"),
    (needs_three, "3 people and has 2"),
)


@pytest.mark.slow
@pytest.mark.parametrize(("harm", "why"), HARM, ids=lambda one: getattr(one, "__name__", ""))
def test_nothing_is_sent_by_a_plan_that(site: Site, harm: Callable[[Site], None], why: str) -> None:
    harm(site)
    refused(site.sends(), why)

    assert site.asked == 0
    assert len(list((site.user.home / "runs").glob("2*"))) == 1  # the dry run


@pytest.mark.slow
def test_nothing_is_sent_by_a_plan_that_shows_fewer_customers_than_it_sends(site: Site) -> None:
    site.becomes(rows=1)
    ran = site.types("approve", site.plan, "--key", "ben", "--yes")
    assert (ran.code, "is 1, and it is of 20" in ran.json["error"]) == (6, True)

    content = ImportPlan.model_validate_json(site.plan.read_bytes()).content
    site.plan.write_text(site.plan.read_text().replace('"rows": 1,', '"rows": 20,', 1))
    made = ImportPlan.model_validate_json(site.plan.read_bytes())
    fewer = content.model_copy(update={"bodies": content.bodies.model_copy(update={"count": 1})})
    made = made.model_copy(update={"content": fewer, "rows": 1, "signatures": ()}).sealed()
    site.office.signs(made, "anna", "author", at=made.made_at).write(site.plan)
    site.signs("ben")
    ran = site.sends()
    assert (ran.code, "the number of bodies (1 or 20)" in ran.json["error"]) == (6, True)
    assert site.asked == 0


@pytest.mark.slow
def test_it_is_refused_in_a_process_of_its_own_too(site: Site) -> None:
    is_forged(site)
    ran = site.user.types_for_real("run", "--plan", site.plan, "--json", **site.witness.environ)

    refused(ran, "not genuine")
    assert site.asked == 0


@pytest.mark.slow
def test_a_profile_makes_nothing_easier(site: Site) -> None:
    loose = site.profile.with_name("loose.toml")
    loose.write_text(site.profile.read_text() + '[approval]\nrequired = false\nvalid = "900d"\nsignatures = 2\n')
    needs_three(site)
    refused(site.types("run", "--plan", site.plan, *sandbox(loose)), "3 people and has 2")
    assert site.asked == 0


@pytest.mark.slow
def test_a_profile_may_ask_for_more(site: Site) -> None:
    tight = site.profile.with_name("tight.toml")
    tight.write_text(site.profile.read_text() + "[approval]\nsignatures = 3\n")
    site.signs("ben")
    refused(site.types("run", "--plan", site.plan, *sandbox(tight)), "3 people and has 2")
    site.signs("carol")
    assert site.types("run", "--plan", site.plan, *sandbox(tight)).code == 0


# --------------------------------------------------------------------------- a run that goes on


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_only_while_its_plan_is_approved(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    slow = machine(user, witness, profile_for(witness, delivery=['rate = "20/s"']), rows=200)
    slow.signs("ben")
    process = user.starts("run", "--plan", slow.plan, "--json", **witness.environ)
    wait_for(lambda: slow.witness.ledger()["committed"].get("create", 0) >= 5, process)
    process.send_signal(signal.SIGINT)
    assert ended(process).code == 130
    made = witness.ledger()["committed"]["create"]

    slow.office.decrees(but=["ben"])
    for command in ("resume", "retry"):
        refused(slow.types(command, "last"), "ben is not in the policy")
    slow.office.decrees()
    (kept,) = (one for one in user.home.glob("runs/*/plan-*.json"))
    whole = kept.read_text()
    kept.write_text(whole.replace('"rows": 200', '"rows": 2'))
    assert slow.types("resume", "last").code == 6
    assert witness.ledger()["committed"]["create"] == made

    kept.unlink()  # the journal has it, too
    assert slow.types("resume", "last", "--rate", "900/s").code == 0
    assert kept.read_text() == whole
    assert witness.ledger()["committed"]["create"] == 200
    assert slow.types("show", "last", "--verify").code == 0


# --------------------------------------------------------------------------- the proof


def plan_of(sent: Ran) -> str:
    """How the plan of a run is called."""
    return str(sent.json["plans"][0]["sha256"][:8])


def edits_the_copy(site: Site, run: Path) -> None:
    (copy,) = run.glob("plan-*.json")
    copy.write_text(copy.read_text().replace('"rows": 20', '"rows": 2'))


def removes_the_copy(site: Site, run: Path) -> None:
    (copy,) = run.glob("plan-*.json")
    copy.unlink()


def removes_ben_from_the_policy(site: Site, run: Path) -> None:
    site.office.decrees(but=["ben"])


def gives_ben_another_key(site: Site, run: Path) -> None:
    is_signed_by_a_key_that_was_replaced(site)


def makes_the_policy_wrong(site: Site, run: Path) -> None:
    site.office.path.write_text("[people")


def changes_what_was_sent(site: Site, run: Path) -> None:
    with closing(sqlite3.connect(site.user.home / "runs" / "journal.sqlite3")) as journal:
        journal.execute("UPDATE rows SET state = 'invalid' WHERE ordinal = 3")
        journal.commit()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "named", "code"),
    [
        (edits_the_copy, "plan ", 9),
        (removes_the_copy, "plan ", 9),
        (removes_ben_from_the_policy, "approval of the plan", 5),
        (gives_ben_another_key, "signature of ben", 5),
        (makes_the_policy_wrong, "approval of the plan", 5),
        (changes_what_was_sent, "bodies of the plan", 9),
    ],
)
def test_the_proof_fails_by_name(site: Site, harm: Callable[[Site, Path], None], named: str, code: int) -> None:
    site.signs("ben")
    run = site.user.home / "runs" / site.sends().json["run_id"]
    harm(site, run)
    proved = site.types("show", "last", "--verify")

    assert (proved.code, proved.json["exit_code"], proved.json["verified"]) == (code, code, False)
    wrong = [one["what"] for one in proved.json["checks"] if one["status"] not in {"ok", "gone"}]
    assert any(one.startswith(named) for one in wrong), proved.json["checks"]


@pytest.mark.slow
def test_the_proof_of_a_machine_without_a_policy_says_what_it_cannot_know(site: Site) -> None:
    site.signs("ben")
    sent = site.sends()
    del site.user.environ["IMPORTER_APPROVAL_POLICY"]
    proved = site.types("show", "last", "--verify")

    assert (proved.code, proved.json["verified"]) == (5, False)
    assert "not checked: there is no policy on this machine" in proved.json["error"]
    unchecked = [one["what"].partition(" under")[0] for one in proved.json["checks"] if one["status"] == "unchecked"]
    assert unchecked == ["signature of anna", "signature of ben", f"approval of the plan {plan_of(sent)}"]
    assert "unchecked  signature of ben" in site.user.types("show", "last", "--verify").out


@pytest.mark.slow
def test_the_proof_of_a_plan_that_nobody_had_to_sign_needs_no_policy(site: Site) -> None:
    del site.user.environ["IMPORTER_APPROVAL_POLICY"]
    assert site.sends().code == 0
    proved = site.types("show", "last", "--verify")

    assert (proved.code, proved.json["verified"]) == (0, True)


@pytest.mark.slow
def test_who_has_left_since_has_signed_all_the_same(site: Site) -> None:
    site.signs("ben")
    assert site.sends().code == 0
    policy = site.office.path.read_text()
    today = f"{datetime.fromtimestamp(SystemClock().now(), UTC):%Y-%m-%d}"
    for last_day, code, why in ((today, 0, ""), ("2026-01-01", 5, "signed after their last day")):
        site.office.path.write_text(policy.replace("[people.ben]", f"[people.ben]\nuntil = {last_day}"))
        proved = site.types("show", "last", "--verify")
        assert (proved.code, why in proved.out) == (code, True), proved.out


@pytest.mark.slow
def test_a_run_that_was_purged_says_what_cannot_be_proved_any_more(site: Site) -> None:
    site.signs("ben")
    sent = site.sends()
    assert sent.code == 0
    with closing(sqlite3.connect(site.user.home / "runs" / "journal.sqlite3")) as journal:
        journal.execute("UPDATE runs SET ended_at = ended_at - 40 * 86400")
        journal.commit()
    assert site.types("purge", "--older-than", "30d").code == 0
    proved = site.types("show", "last", "--verify")

    assert (proved.code, proved.json["verified"]) == (0, True)
    gone = {one["what"]: one["message"] for one in proved.json["checks"] if one["status"] == "gone"}
    digest = plan_of(sent)
    assert gone[f"bodies of the plan {digest}"] == "what was sent was purged"
    assert {f"plan {digest}", f"approval of the plan {digest}"} <= gone.keys()
