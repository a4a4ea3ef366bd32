"""What needs an approval is not sent without it; what needs none is as it always was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import ApprovalMissingError, ImporterError, PlanRefusedError
from importer.core.plans import Job
from importer.journal import PlanFacts, RunFacts, RunHeader, StoredRun
from importer.profile import Profile
from importer.profile.delivery import TargetSettings
from importer.runs.context import Context, Machine
from importer.runs.plans.gate import admitted, is_begun, jobs_of, noted, require_of_run, requirement
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.plans.plan_file import PlanFile
from importer.runs.wiring import Destination, SystemClock
from tests.approvals import LIMIT, Office
from tests.unit.runs.test_runs_import_plan import PROFILE, a_plan

NOW = 1_790_000_000.0
DAY = 86_400.0
HOST = "sandbox.example.com"
WHERE = Destination("sandbox", TargetSettings(base_url=f"https://{HOST}"), "scope", HOST)
EMBEDDED = Destination("emulator", TargetSettings(), "emulator", "")
MAKE = "importer plan people.csv"


def profile(**approval: Any) -> Profile:
    return Profile.load(options={"approval": approval}, environ={})


def plan(**other: Any) -> PlanFile:
    content: dict[str, Any] = {
        "format": "plan 1", "job": "import", "run_id": "20261130T000000Z-abcdef", "made_at": NOW - DAY,
        "expires_at": NOW + 6 * DAY, "author": "anna@desk", "target": "sandbox", "host": HOST, "scope": "scope",
        "rows": 100,
    }  # fmt: skip
    return PlanFile(**{**content, **other}).sealed()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    found = Office(tmp_path, HOST)
    monkeypatch.setenv("IMPORTER_APPROVAL_POLICY", str(found.decrees()))
    return found


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMPORTER_APPROVAL_POLICY", raising=False)


def approved(office: Office, made: PlanFile) -> PlanFile:
    signed = office.signs(made, "anna", "author", at=NOW - DAY)
    return office.signs(signed, "ben", at=NOW - 3_600.0)


def passes(made: PlanFile | None, job: Job = "import", now: float = NOW, **approval: Any) -> list[str]:
    """Ask the gate; returns who counted."""
    return sorted(one.name for one in admitted(profile(**approval), WHERE, made, job, now, MAKE))


# --------------------------------------------------------------------------- who is asked at all


@pytest.mark.usefixtures("nobody")
def test_without_a_policy_and_without_a_word_in_the_profile_everything_is_taken() -> None:
    assert requirement(profile(), WHERE) is None
    assert passes(None) == passes(plan()) == []


@pytest.mark.usefixtures("nobody")
def test_nothing_that_checks_signatures_is_loaded_where_nothing_is_to_be_checked() -> None:
    code = "import sys, importer.runs.send, importer.runs.run; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("nobody")
def test_a_profile_that_asks_for_an_approval_where_no_policy_is_says_where_one_has_to_be() -> None:
    for made in (None, plan()):
        with pytest.raises(
            ApprovalMissingError, match=r"no policy.*/etc/importer/approval.toml.*IMPORTER_APPROVAL_POLICY"
        ):
            passes(made, required=True)


@pytest.mark.usefixtures("office")
def test_the_emulator_inside_the_run_is_never_asked_about() -> None:
    assert requirement(profile(required=True), EMBEDDED) is None


def test_a_server_that_the_policy_does_not_know_is_refused(office: Office) -> None:
    elsewhere = Destination("other", TargetSettings(base_url="https://api.example.com"), "scope", "api.example.com")
    with pytest.raises(ApprovalMissingError, match=r"does not know the server api\.example\.com"):
        requirement(profile(), elsewhere)


def test_a_server_that_needs_no_approval_gets_one_asked_for_by_the_profile_alone(office: Office) -> None:
    office.decrees(approval=False)
    assert passes(None) == []
    with pytest.raises(ApprovalMissingError, match="without an approved plan"):
        passes(None, required=True)


def test_what_no_plan_says_is_refused_with_who_may_approve_it_and_the_command_that_makes_one(office: Office) -> None:
    with pytest.raises(ApprovalMissingError) as refused:
        passes(None)
    assert refused.value.exit_code == 5
    assert "ben (up to 50,000 customers) or carol" in str(refused.value)
    assert MAKE in str(refused.value)


def test_a_policy_that_was_lost_is_never_no_policy(office: Office) -> None:
    office.path.unlink()
    with pytest.raises(ImporterError, match="cannot be read"):
        passes(approved(office, plan()))


# --------------------------------------------------------------------------- what is approved


def test_a_plan_that_two_people_signed_passes(office: Office) -> None:
    assert passes(approved(office, plan())) == ["anna", "ben"]


def forged(office: Office, made: PlanFile) -> PlanFile:
    signed = approved(office, made)
    other = office.signs(made, "ben", at=NOW - 60.0).signatures[0].signature
    return signed.model_copy(
        update={"signatures": (signed.signatures[0], signed.signatures[1].model_copy(update={"signature": other}))}
    )


def replayed(office: Office, made: PlanFile) -> PlanFile:
    return made.model_copy(update={"signatures": approved(office, plan(rows=1)).signatures})


def by_its_author_alone(office: Office, made: PlanFile) -> PlanFile:
    return office.signs(made, "carol", "author", at=NOW - 60.0)


def by_its_author_twice(office: Office, made: PlanFile) -> PlanFile:
    return office.signs(by_its_author_alone(office, made), "carol", at=NOW - 30.0)


def by_nobody(office: Office, made: PlanFile) -> PlanFile:
    return made


def by_somebody_unknown(office: Office, made: PlanFile) -> PlanFile:
    return office.signs(office.signs(made, "anna", "author", at=NOW), "dora", at=NOW)


@pytest.mark.parametrize(
    "signed", [forged, replayed, by_its_author_alone, by_its_author_twice, by_nobody, by_somebody_unknown]
)
def test_what_is_not_approved_does_not_pass(office: Office, signed: Any) -> None:
    with pytest.raises(ApprovalMissingError, match="not approved") as refused:
        passes(signed(office, plan()))
    assert refused.value.exit_code == 5


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"rows": LIMIT + 1}, "not approved"),
        ({"expires_at": NOW - 1.0}, "was good until"),
        ({"made_at": NOW - 8 * DAY}, "was good until"),
        ({"host": "other.example.com"}, r"one for other\.example\.com"),
    ],
)
def test_a_plan_beyond_what_was_allowed_does_not_pass(office: Office, other: dict[str, Any], what: str) -> None:
    with pytest.raises(ApprovalMissingError, match=what):
        passes(approved(office, plan(**other)))


def test_a_key_that_was_removed_does_not_count_any_more(office: Office) -> None:
    made = approved(office, plan())
    office.decrees(but=["ben"])
    with pytest.raises(ApprovalMissingError, match="ben"):
        passes(made)


def test_a_profile_asks_for_more_and_never_for_less(office: Office) -> None:
    made = approved(office, plan())
    with pytest.raises(ApprovalMissingError, match="3 people and has 2"):
        passes(made, signatures=3)
    with pytest.raises(ApprovalMissingError, match="was good until"):
        passes(made, valid="12h")

    office.decrees(head='valid = "12h"\nsignatures = 3')
    with pytest.raises(ApprovalMissingError, match=r"good until.*of 3 people"):
        passes(made, signatures=2, valid="30d", required=False)


def test_a_plan_for_another_job_does_not_pass(office: Office) -> None:
    with pytest.raises(PlanRefusedError, match="to import customers, not to take back"):
        passes(approved(office, plan()), "undo")


@pytest.mark.usefixtures("nobody")
def test_where_no_approval_is_needed_a_plan_still_expires() -> None:
    with pytest.raises(PlanRefusedError, match="expired") as refused:
        passes(plan(expires_at=NOW - 1.0))
    assert refused.value.exit_code == 6
    with pytest.raises(PlanRefusedError, match="expired"):
        passes(plan(), valid="12h")


# --------------------------------------------------------------------------- a run that goes on


def import_plan(**other: Any) -> ImportPlan:
    facts = {"host": HOST, "made_at": NOW - DAY, "expires_at": NOW + 6 * DAY, "rows": 100}
    return a_plan(**{**facts, **other})


def goes_on(facts: RunFacts, directory: Path, now: float = NOW, **options: Any) -> None:
    context = Context(PROFILE.with_options(options), machine=Machine(At(now)))
    header = RunHeader(
        "20261130T000000Z-abcdef", "scope", "sandbox", "people.csv", "/people.csv", "c0", "p0",
        dry_run=False, started_at=1.0,
    )  # fmt: skip
    require_of_run(context, WHERE, StoredRun(1, "stopped", header, facts), directory, jobs_of(facts))


class At(SystemClock):
    """A clock that is set to a moment."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


@pytest.fixture
def sent_by(office: Office, tmp_path: Path) -> RunFacts:
    """What a run has noted that sends by an approved plan."""
    made = office.signs(import_plan(), "anna", "author", at=NOW - DAY)
    made = office.signs(made, "ben", at=NOW - 3_600.0)
    return RunFacts(plans=(noted(made, admitted(PROFILE, WHERE, made, "import", NOW, MAKE), tmp_path),))


def test_a_run_keeps_its_plan_for_its_owner_alone_and_goes_on_by_it_after_it_expired(
    sent_by: RunFacts, tmp_path: Path
) -> None:
    (kept,) = sent_by.plans
    assert (tmp_path / kept.file).stat().st_mode & 0o777 == 0o600
    assert (kept.root, [one.name for one in kept.signatures]) == (import_plan().root, ["anna", "ben"])
    goes_on(sent_by, tmp_path, now=NOW + 30 * DAY)


def test_a_run_without_a_plan_does_not_go_on_and_the_command_for_one_is_named(office: Office, tmp_path: Path) -> None:
    with pytest.raises(ApprovalMissingError, match=r"approved plan.*importer plan --retry"):
        goes_on(RunFacts(), tmp_path)


def removes_ben(office: Office, directory: Path) -> None:
    office.decrees(but=["ben"])


def asks_for_three(office: Office, directory: Path) -> None:
    office.decrees(head="signatures = 3")


def lowers_the_limit(office: Office, directory: Path) -> None:
    office.decrees(limit=99)


@pytest.mark.parametrize("change", [removes_ben, asks_for_three, lowers_the_limit])
def test_a_run_does_not_go_on_under_a_policy_that_does_not_approve_its_plan_any_more(
    office: Office, sent_by: RunFacts, tmp_path: Path, change: Callable[[Office, Path], None]
) -> None:
    change(office, tmp_path)
    with pytest.raises(ApprovalMissingError, match="not approved"):
        goes_on(sent_by, tmp_path)


def is_gone(path: Path) -> None:
    path.unlink()


def is_edited(path: Path) -> None:
    path.write_text(path.read_text().replace('"rows": 100', '"rows": 101'))


def is_another(path: Path) -> None:
    import_plan(rows=1).write(path, instead=True)


@pytest.mark.parametrize(
    ("copy", "how"),
    [(is_gone, "is gone"), (is_edited, "was edited, or cannot be read"), (is_another, "is another plan")],
)
def test_a_run_does_not_go_on_without_the_plan_that_it_noted(
    sent_by: RunFacts, tmp_path: Path, copy: Callable[[Path], None], how: str
) -> None:
    (kept,) = sent_by.plans
    copy(tmp_path / kept.file)
    with pytest.raises(PlanRefusedError) as refused:
        goes_on(sent_by, tmp_path)

    name = kept.sha256[:8]
    assert refused.value.message == (
        f"The copy of the plan {name} by which the run was begun {how}: '{tmp_path / kept.file}'."
    )
    assert refused.value.hint.startswith(f"Put the plan {name} back under that name, or make a plan of what is left: ")
    assert "importer plan --retry 20261130T000000Z-abcdef" in refused.value.hint


@pytest.mark.usefixtures("office")
def test_the_command_that_plans_an_update_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(ApprovalMissingError, match=r"importer plan /people\.csv .*--update"):
        goes_on(RunFacts(job="update"), tmp_path)


def test_a_run_does_not_go_on_under_a_profile_that_sends_something_else(sent_by: RunFacts, tmp_path: Path) -> None:
    goes_on(sent_by, tmp_path, delivery={"rate": "1/s"})
    with pytest.raises(PlanRefusedError, match=r"delivery\.on_existing"):
        goes_on(sent_by, tmp_path, delivery={"on_existing": "update"})


def test_a_run_that_only_lists_needs_no_plan() -> None:
    assert jobs_of(RunFacts(job="update", lists_only=True)) == set()
    assert jobs_of(RunFacts(job="update")) == {"update"}
    assert jobs_of(RunFacts()) == {"import", "return"}


def test_what_was_begun_in_time_may_be_finished(office: Office) -> None:
    made = approved(office, plan())
    late = NOW + 30 * DAY
    with pytest.raises(ApprovalMissingError, match="was good until"):
        passes(made, now=late)

    counted = admitted(profile(), WHERE, made, "import", late, MAKE, expiry=False)
    assert [one.name for one in counted] == ["anna", "ben"]
    assert not is_begun(RunFacts(), made)
    assert is_begun(RunFacts(plans=(PlanFacts(sha256=made.sha256),)), made)
