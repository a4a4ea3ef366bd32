"""Rows that a run sends again are planned, approved, and sent as planned."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from importer.journal.sql.packing import pack_payloads, unpack_payloads
from importer.runs.plans.return_plan import ReturnPlan
from tests.acceptance.conftest import User, Witness, exactly_once, people, sandbox, wait_for
from tests.acceptance.plans import Site, site_of
from tests.acceptance.test_acceptance_groups import GROUPED, WRONG, businesses, fixed

ROWS = 12


@pytest.fixture
def site(user: User, witness: Witness, profile_for: Callable[..., Path]) -> Site:
    """After an approved run of which two rows were refused."""
    site = site_of(user, witness, profile_for)
    lines = people(ROWS).splitlines()
    lines[3] = lines[3].replace("@", " at ")
    lines[4] = lines[4].replace("@", " at ")
    plan = site.plans(user.has("people.csv", "\n".join(lines) + "\n"))
    assert site.approves(plan).code == 0
    assert site.types("run", "--plan", plan).code == 3
    return site


def rejects(site: Site) -> Path:
    """The rejected rows, fixed."""
    path = site.user.home / "runs" / run_of(site) / "rejects.csv"
    fixed = site.user.home / "fixed.csv"
    fixed.write_text(path.read_text().replace(" at ", "@"))
    return fixed


def run_of(site: Site) -> str:
    return site.runs[0]


def test_fixed_rows_are_sent_as_they_were_approved(site: Site) -> None:
    fixed, run_id = rejects(site), run_of(site)
    refused = site.types("retry", run_id, "--fixed", fixed)
    assert (refused.code, "importer plan --retry" in refused.json["error"]) == (5, True)

    plan = site.plans("--retry", run_id, "--fixed", fixed)
    early = site.types("retry", run_id, "--fixed", fixed, "--plan", plan)
    assert (early.code, site.changes["create"]) == (5, ROWS - 2)
    assert site.approves(plan).code == 0
    ran = site.types("retry", run_id, "--fixed", fixed, "--plan", plan)

    assert (ran.code, ran.json["counts"]["created"]) == (0, ROWS), ran.out
    assert site.changes["create"] == ROWS
    exactly_once(site.witness, site.user.reads(ran.json["files"]["results"]))
    proved(site, run_id, "bodies", ["ok", "ok"])


# --------------------------------------------------------------------------- the proof


def proved(site: Site, run_id: str, what: str, states: list[str]) -> None:
    """What came of working out again what its plans say."""
    shown = site.looks("show", run_id, "--verify")
    found = [one["status"] for one in shown.json["checks"] if one["what"].startswith(f"{what} of the ")]
    assert (found, shown.code) == (states, 9 if {*states} - {"ok"} else 0), shown.out


def returned(site: Site, fixed: Path) -> None:
    """Send fixed rows as they were planned and approved."""
    plan = site.plans(fixed)
    assert site.approves(plan).code == 0
    assert site.types("retry", run_of(site), "--fixed", fixed, "--plan", plan).code in {0, 3}


def tampers(site: Site, ordinal: int) -> None:
    """Have the journal say something else about a row that was sent."""
    with closing(sqlite3.connect(site.user.home / "runs" / "journal.sqlite3")) as journal:
        (rows,) = journal.execute("SELECT payloads FROM batches WHERE run = 1").fetchone()
        bodies = unpack_payloads(rows)
        bodies[ordinal] = bodies[ordinal].replace(b"Given", b"Other")
        journal.execute("UPDATE batches SET payloads = ? WHERE run = 1", (pack_payloads(bodies),))
        journal.commit()


@pytest.mark.slow
def test_every_plan_of_a_run_that_rows_came_back_to_twice_is_proved(site: Site) -> None:
    run_id, fixed = run_of(site), rejects(site)
    whole = fixed.read_text().splitlines()
    fixed.write_text("\n".join([*whole[:2], whole[2].replace("@", " at ")]) + "\n")
    returned(site, fixed)
    returned(site, rejects(site))

    assert site.looks("show", run_id).json["counts"]["created"] == ROWS
    proved(site, run_id, "bodies", ["ok", "ok", "ok"])


@pytest.mark.slow
@pytest.mark.parametrize("ordinal", [0, 2])
def test_a_row_that_is_not_what_was_planned_is_found(site: Site, ordinal: int) -> None:
    """One that the import has sent, and one that came back."""
    returned(site, rejects(site))
    proved(site, run_of(site), "bodies", ["ok", "ok"])
    tampers(site, ordinal)

    proved(site, run_of(site), "bodies", ["ok", "differs"])


@pytest.mark.slow
def test_what_was_not_as_planned_before_rows_came_back_stays_unproved(site: Site) -> None:
    tampers(site, 0)
    returned(site, rejects(site))

    proved(site, run_of(site), "bodies", ["missing", "ok"])


@pytest.mark.slow
def test_rows_that_failed_are_sent_again_as_planned_and_proved(site: Site) -> None:
    with closing(sqlite3.connect(site.user.home / "runs" / "journal.sqlite3")) as journal:
        journal.execute("UPDATE rows SET state = 'failed', customer_id = NULL WHERE ordinal IN (5, 7, 8)")
        journal.commit()
    plan = site.plans("--retry", run_of(site))
    assert json.loads(plan.read_text())["content"]["sent"] == "5,7-8"
    assert site.approves(plan).code == 0
    assert site.types("retry", run_of(site), "--plan", plan).code == 3

    proved(site, run_of(site), "bodies", ["ok", "ok"])


@pytest.mark.slow
def test_where_nothing_is_to_be_sent_again_there_is_no_plan(site: Site) -> None:
    run_id = run_of(site)
    unfixed = site.user.home / "runs" / run_id / "rejects.csv"
    for words in ((run_id,), (run_id, "--fixed", unfixed)):
        ran = site.types("plan", "--retry", *words)
        assert (ran.code, ran.json["files"]) == (3, {}), ran.out
        assert ran.json["verdict"] == f"There is nothing to send again of the run {run_id}; no plan was made."
        assert f"importer plan --retry {run_id} --fixed " in ran.json["next_step"]
    said = site.user.types("plan", "--retry", run_id, **site.environ)
    assert said.err.startswith("There is nothing to send again")
    assert not list(site.user.home.rglob("return-plan-*.json"))
    back = site.types("retry", run_id, "--fixed", unfixed)
    assert (back.code, site.changes["create"]) == (3, ROWS - 2), back.out
    assert site.looks("show", run_id, "--verify").code == 0


@pytest.mark.slow
def test_steps_that_are_new_to_a_run_are_counted_with_its_customers(site: Site) -> None:
    """Few rows were approved, and a step is begun for every customer: those are what the plan is of."""
    run_id = run_of(site)
    other = site.user.has(
        "steps.toml", site.profile.read_text() + '[after_create]\nidentity_verification = "Standard"\n'
    )
    words = ("--config", other, "--target", "sandbox", "--json")

    made = site.user.types("plan", "--retry", run_id, *words, **site.environ)

    assert (made.code, made.json["plan"]["rows"]) == (0, ROWS - 2), made.out


@pytest.mark.slow
def test_a_plan_of_fixed_rows_is_shown_to_people_and_to_programs(site: Site) -> None:
    plan = site.plans("--retry", run_of(site), "--fixed", rejects(site))

    shown = site.user.types("show", plan, **site.environ)

    assert (shown.code, "source     fixed.csv" in shown.out) == (0, True), shown.out
    assert site.looks("show", plan).json["plan"]["source"]["name"] == "fixed.csv"


@pytest.mark.slow
def test_a_file_that_names_its_run_is_planned_and_sent_without_naming_it(site: Site) -> None:
    fixed = rejects(site)
    plan = site.plans(fixed)
    assert site.approves(plan).code == 0

    ran = site.types("run", fixed, "--plan", plan)

    assert (ran.code, ran.json["counts"]["created"], site.changes["create"]) == (0, ROWS, ROWS), ran.out


@pytest.mark.slow
def test_one_more_cell_that_was_changed_after_the_approval_is_refused(site: Site) -> None:
    fixed, run_id = rejects(site), run_of(site)
    plan = site.plans("--retry", run_id, "--fixed", fixed)
    assert site.approves(plan).code == 0
    lines = fixed.read_text().splitlines()
    lines[1] = lines[1].replace("@", "x@", 1)
    fixed.write_text("\n".join(lines) + "\n")
    before = site.looks("show", run_id).json["counts"]

    ran = site.types("retry", run_id, "--fixed", fixed, "--plan", plan)

    assert ran.code == 6, ran.out
    assert "the content of 'fixed.csv'" in ran.json["error"]
    assert "row 4" in ran.json["error"]
    assert site.looks("show", run_id).json["counts"] == before
    assert site.changes["create"] == ROWS - 2


@pytest.mark.slow
def test_a_plan_of_a_run_that_has_gone_on_since_is_refused(site: Site) -> None:
    fixed, run_id = rejects(site), run_of(site)
    plan = site.plans("--retry", run_id, "--fixed", fixed)
    assert site.approves(plan).code == 0
    assert site.types("retry", run_id, "--fixed", fixed, "--plan", plan).code == 0

    again = site.types("retry", run_id, "--fixed", fixed, "--plan", plan)

    assert (again.code, "has gone on since" in again.json["error"]) == (6, True), again.out
    assert site.changes["create"] == ROWS


@pytest.mark.slow
def test_a_plan_of_something_else_is_refused(site: Site) -> None:
    fixed, run_id = rejects(site), run_of(site)
    other = site.plans(site.user.has("others.csv", people(3)))
    assert site.approves(other).code == 0

    refused = site.types("retry", run_id, "--fixed", fixed, "--plan", other)

    assert refused.code == 6, refused.out
    assert site.changes["create"] == ROWS - 2


@pytest.mark.slow
@pytest.mark.parametrize("lie", ["rows", "count", "counts"])
def test_a_plan_that_says_less_than_is_sent_is_refused(site: Site, lie: str) -> None:
    fixed, run_id = rejects(site), run_of(site)
    path = site.plans("--retry", run_id, "--fixed", fixed)
    made = ReturnPlan.read(path)
    content = made.content
    less: dict[str, Any] = {"rows": 1}
    if lie == "count":
        less["content"] = content.model_copy(update={"bodies": content.bodies.model_copy(update={"count": 1})})
    if lie == "counts":
        less = {"content": content.model_copy(update={"counts": {**content.counts, "sent": 1}})}
    made = made.model_copy(update={**less, "signatures": ()}).sealed()
    made = site.office.signs(made, "anna", "author", at=made.made_at)
    site.office.signs(made, "ben", at=made.made_at).write(path)

    ran = site.types("retry", run_id, "--fixed", fixed, "--plan", path)

    assert (ran.code, site.changes["create"]) == (6, ROWS - 2), ran.out


@pytest.mark.slow
def test_an_unfinished_run_under_another_profile_needs_a_plan_of_its_own(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    site = site_of(user, witness, profile_for, more='[validation]\nphone = "valid"\n')
    lines = people(ROWS).splitlines()
    lines[3] = f"{lines[3].rpartition(',')[0]},+15556589"
    plan = site.plans(user.has("people.csv", "\n".join(lines) + "\n"))
    assert site.approves(plan).code == 0
    assert site.types("run", "--plan", plan).code == 3
    run_id = run_of(site)
    other = user.has("other.toml", site.profile.read_text().replace('phone = "valid"', 'phone = "e164"'))
    words = ("--config", other, "--target", "sandbox", "--json")

    assert user.types("retry", run_id, *words, **site.environ).code == 5
    made = user.types("plan", "--retry", run_id, *words, "--key", site.office.keys / "anna.key", **site.environ)
    assert made.code == 0, made.out
    assert site.approves(Path(made.json["files"]["plan"])).code == 0
    under_its_own = site.types("retry", run_id, "--plan", made.json["files"]["plan"])
    assert under_its_own.code == 6, under_its_own.out
    ran = user.types("retry", run_id, *words, "--plan", made.json["files"]["plan"], **site.environ)
    assert (ran.code, site.changes["create"]) == (0, ROWS), ran.out
    proved(site, run_id, "bodies", ["ok", "ok"])


@pytest.mark.slow
def test_a_run_that_began_without_a_policy_is_planned_and_goes_on(site: Site, profile_for: Callable[..., Path]) -> None:
    slow = profile_for(site.witness, "slow.toml", delivery=['rate = "20/s"', "looks_after_s = [0, 0.1]"])
    file = site.user.has("more.csv", people(100).replace("person", "other").replace("L-", "M-"))
    process = site.user.starts("run", file, *sandbox(slow), "--json", **site.witness.environ)
    wait_for(lambda: site.changes.get("create", 0) >= ROWS + 5, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    run_id = run_of(site)
    assert site.types("resume", run_id).code == 5

    plan = site.plans("--retry", run_id)
    assert site.approves(plan).code == 0
    ran = site.types("retry", run_id, "--plan", plan)

    assert (ran.code, ran.json["counts"]["created"]) == (0, 100), ran.out
    assert len({one["primaryEmail"]["value"] for one in site.witness.customers()}) == ROWS - 2 + 100
    assert len(site.witness.customers()) == ROWS - 2 + 100
    proved(site, run_id, "bodies", ["ok"])


@pytest.mark.slow
def test_what_was_killed_in_the_middle_goes_on_under_its_plan(site: Site, profile_for: Callable[..., Path]) -> None:
    lines = people(100).replace("person", "other").replace("L-", "M-").splitlines()
    lines = [lines[0], *(line.replace("@", " at ") for line in lines[1:])]
    plan = site.plans(
        site.user.has("more.csv", "\n".join([*lines[:50], *(one.replace(" at ", "@") for one in lines[50:])]))
    )
    assert site.approves(plan).code == 0
    assert site.types("run", "--plan", plan).code == 3
    run_id = run_of(site)
    fixed = site.user.home / "fixed.csv"
    fixed.write_text((site.user.home / "runs" / run_id / "rejects.csv").read_text().replace(" at ", "@"))
    again = site.plans("--retry", run_id, "--fixed", fixed)
    assert site.approves(again).code == 0
    slow = ("--rate", "20/s")
    before = site.changes["create"]
    process = site.user.starts(
        "retry", run_id, "--fixed", fixed, "--plan", again, *sandbox(site.profile), *slow, **site.environ
    )
    wait_for(lambda: site.changes["create"] >= before + 5, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    ran = site.types("resume", run_id)

    assert (ran.code, ran.json["counts"]["created"]) == (0, 100), ran.out
    assert len({one["primaryEmail"]["value"] for one in site.witness.customers()}) == ROWS - 2 + 100
    assert len(site.witness.customers()) == ROWS - 2 + 100
    proved(site, run_id, "bodies", ["ok", "ok"])


@pytest.mark.slow
def test_the_plan_of_a_group_that_comes_back_is_proved_without_a_policy_too(user: User) -> None:
    profile = user.has("grouped.toml", GROUPED)
    planned = user.types("plan", user.has("firms.csv", businesses(*WRONG)), "--config", profile, "--json")
    sent = user.types("run", "--plan", planned.json["files"]["plan"], "--json")
    assert (sent.code, sent.json["counts"]["created"]) == (3, 1), sent.out
    again = user.types("plan", back := fixed(user, sent, ",nobody,", ",cid@example.com,"), "--json")
    assert again.code == 0, again.out
    plan = again.json["files"]["plan"]
    done = user.types("retry", "last", "--fixed", back, "--plan", plan, "--json")
    assert done.json["counts"]["created"] == 4, done.out

    shown = user.types("show", "last", "--verify", "--json")
    assert (shown.code, {one["status"] for one in shown.json["checks"]}) == (0, {"ok"}), shown.out
