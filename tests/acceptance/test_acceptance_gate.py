"""A target that takes approved plans alone: every way in that has none is refused, and nothing arrives there."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance import after_create as steps
from tests.acceptance.conftest import Ran, User, Witness, ended, people, sandbox, wait_for
from tests.acceptance.plans import Site, site_of

ROWS = 20
OTHER_EMAIL = """
[mapping]
type = { value = "INDIVIDUAL" }
externalId = "ID"
firstName = "First Name"
lastName = "Last Name"
"primaryEmail.value" = { value = "team@example.com" }
"primaryPhoneNumber.number" = "Phone"
"primaryPhoneNumber.type" = { value = "MOBILE" }
"""


@pytest.fixture
def site(user: User, witness: Witness, profile_for: Callable[..., Path]) -> Site:
    return site_of(user, witness, profile_for)


@pytest.fixture
def imported(site: Site) -> Site:
    """After a run that rejected two of its rows, and a list of changes and a plan of an undo, all without a policy."""
    lines = people(ROWS).splitlines()
    lines[3] = lines[3].replace("@", " at ")
    lines[4] = lines[4].replace("@", " at ")
    file = site.user.has("people.csv", "\n".join(lines) + "\n")
    assert site.types("run", file, free=True).code == 3
    return site


def fixed(site: Site) -> Path:
    (rejects,) = site.user.home.glob("runs/*/rejects.csv")
    rejects.write_text(rejects.read_text().replace(" at ", "@"))
    return rejects


def changes(site: Site) -> Path:
    (results,) = site.user.home.glob("runs/*/results.csv")
    rows = [row for row in site.user.reads(results) if row["_customer_id"]]
    return site.user.has(
        "changes.csv", "_customer_id,Last Name\n" + "".join(f"{row['_customer_id']},Changed\n" for row in rows)
    )


def refused(ran: Ran, make: str) -> None:
    assert ran.code == 5, ran.out
    assert "approved plan" in ran.json["error"]
    assert "ben (up to 50,000 customers)" in ran.json["error"]
    assert make in ran.json["error"]


@pytest.mark.parametrize("more", [(), ("--force",), ("--as-new",), ("--yes",)])
def test_a_file_is_refused_before_it_is_read_and_before_anything_is_asked(site: Site, more: tuple[str, ...]) -> None:
    refused(site.types("run", "not-even-there.csv", *more), "importer plan not-even-there.csv")

    assert site.asked == 0
    assert not (site.user.home / "runs").exists()


def test_it_is_refused_in_a_process_of_its_own_too(site: Site) -> None:
    file = site.user.has("people.csv", people(ROWS))
    ran = site.user.types_for_real("run", file, *sandbox(site.profile), "--json", **site.environ)

    refused(ran, "importer plan people.csv")
    assert site.asked == 0


def live(site: Site, *words: str | Path) -> Ran:
    """Type a command for a live target, at the same server, without a terminal to ask on."""
    profile = site.user.home / "live.toml"
    profile.write_text(site.profile.read_text().replace("targets.sandbox", "targets.live"))
    return site.user.types(*words, "--config", profile, "--target", "live", "--json", **site.environ)


def test_at_a_live_target_the_approval_comes_before_the_yes(site: Site) -> None:
    file = site.user.has("people.csv", people(3))
    refused(live(site, "run", file), "importer plan people.csv")

    made = live(site, "plan", file, "--key", site.office.keys / "anna.key")
    assert made.code == 0, made.out
    plan = site.user.home / made.json["files"]["plan"]
    assert live(site, "run", "--plan", plan).code == 5
    assert site.approves(plan).code == 0
    unasked = live(site, "run", "--plan", plan)
    assert (unasked.code, "--yes" in unasked.json["error"]) == (2, True)
    assert site.asked == 0
    assert live(site, "run", "--plan", plan, "--yes").code == 0


@pytest.mark.slow
def test_at_a_live_target_whatever_goes_on_is_approved_before_it_is_confirmed(site: Site) -> None:
    text = people(3).replace("person1@", "person1 at ")
    del (free := dict(site.environ))["IMPORTER_APPROVAL_POLICY"]
    profile = site.user.home / "live.toml"
    profile.write_text(site.profile.read_text().replace("targets.sandbox", "targets.live"))
    words = ("--config", profile, "--target", "live", "--json")
    ran = site.user.types("run", site.user.has("people.csv", text), "--yes", *words, **free)
    assert ran.code == 3, ran.out
    before = site.changes

    refused(live(site, "update", changes(site)), "--update")
    refused(live(site, "retry", "last", "--fixed", fixed(site)), "importer plan --retry")
    plan = live(site, "undo", "last", "--plan").json["files"]["plan"]
    assert live(site, "undo", "last", "--apply", plan).code == 5
    for command in (("update", "changes.csv"), ("undo", "last", "--apply", plan)):
        assert site.user.types(*command, *words, **free).code == 2
    assert site.changes == before


@pytest.mark.slow
def test_steps_that_failed_are_refused_before_they_are_opened_again(user: User, site: Site) -> None:
    source = steps.source(user, [steps.row(50)])
    named = steps.profile(user, site.witness.base_url, steps=("limits = true",))
    ran = user.types("run", source, *named, "--json", **site.witness.environ)
    assert (ran.code, ran.json["follow_up"]["steps"]["limits"]) == (3, {"failed": 1}), ran.out
    asked = site.asked

    refused(user.types("retry", "last", *named, "--json", **site.environ), "importer plan --retry")

    assert site.looks("show", "last").json["follow_up"]["steps"]["limits"] == {"failed": 1}
    assert user.types("resume", "last", *named, "--json", **site.environ).code == 3
    assert site.asked == asked


@pytest.mark.slow
def test_rows_that_came_back_fixed_are_refused(imported: Site) -> None:
    before, rejects = imported.asked, fixed(imported)

    refused(imported.types("retry", "last", "--fixed", rejects), "importer plan --retry")
    refused(imported.types("run", rejects), "importer plan --retry")
    assert imported.types("run", rejects, "--as-new").code == 5
    assert imported.asked == before


@pytest.mark.slow
def test_another_profile_for_what_is_not_done_is_refused(imported: Site) -> None:
    before = imported.asked
    other = imported.user.has("other.toml", imported.profile.read_text() + OTHER_EMAIL)
    ran = imported.user.types("retry", "last", "--config", other, "--json", **imported.environ)

    refused(ran, "importer plan --retry")
    assert imported.asked == before


@pytest.mark.slow
def test_changes_are_refused_and_may_be_listed(imported: Site) -> None:
    before, file = imported.changes, changes(imported)

    refused(imported.types("update", file), "--update")
    listed = imported.types("update", file, "--dry-run")
    assert listed.code == 0, listed.out
    refused(imported.types("update", file), "--update")
    assert imported.changes == before


@pytest.mark.slow
def test_an_undo_is_refused_and_may_be_planned(imported: Site) -> None:
    before = imported.changes
    plan = imported.types("undo", "last", "--plan")
    assert plan.code == 0, plan.out

    ran = imported.types("undo", "last", "--apply", plan.json["files"]["plan"], "--yes")
    assert ran.code == 5, ran.out
    assert imported.changes == before


@pytest.mark.slow
def test_what_only_reads_is_not_refused(imported: Site) -> None:
    before = imported.changes

    assert imported.types("verify", "last").json["follow_up"]["open"] == 0
    assert imported.types("resume", "last").code == 3
    assert imported.user.types("show", "last", "--json", **imported.environ).code == 0
    assert imported.types("doctor").code == 0
    assert imported.changes == before


@pytest.mark.slow
def test_a_run_that_began_without_a_policy_does_not_go_on_under_one(
    site: Site, profile_for: Callable[..., Path]
) -> None:
    slow = profile_for(site.witness, "slow.toml", delivery=['rate = "20/s"'])
    file = site.user.has("people.csv", people(200))
    process = site.user.starts("run", file, *sandbox(slow), "--json", **site.witness.environ)
    wait_for(lambda: site.changes.get("create", 0) >= 5, process)
    process.send_signal(signal.SIGINT)
    assert ended(process).code == 130
    before = site.asked

    for command in ("resume", "retry"):
        refused(site.types(command, "last"), "importer plan --retry")
    assert site.asked == before
    assert site.types("resume", "last", free=True).code == 0


@pytest.mark.slow
def test_a_python_program_is_refused_too(site: Site) -> None:
    site.user.has("people.csv", people(3))
    program = site.user.has(
        "program.py",
        "import asyncio, sys, importer\n"
        f"profile = importer.Profile.load({str(site.profile)!r})\n"
        "async def work():\n"
        "    frame = importer.read('people.csv', profile=profile)\n"
        "    for source in ('people.csv', frame):\n"
        "        try:\n"
        "            await importer.run(source, profile=profile, target='sandbox', force=True)\n"
        "        except Exception as error:\n"
        "            print(error.exit_code, error)\n"
        "asyncio.run(work())\n",
    )
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, program],
        cwd=site.user.home,
        env={**site.user.environ, **site.environ},
        capture_output=True,
        text=True,
        check=True,
    )

    assert [line[:2] for line in done.stdout.splitlines()] == ["5 ", "5 "], done.stdout
    assert site.asked == 0


@pytest.mark.slow
def test_a_night_sends_nothing(site: Site) -> None:
    inbox = site.user.home / "inbox"
    inbox.mkdir()
    (inbox / "people.csv").write_text(people(5))
    site.types("nightly", inbox, "--yes")

    assert site.changes == {}


@pytest.mark.slow
def test_a_policy_that_is_lost_or_wrong_refuses_everything(site: Site) -> None:
    file = site.user.has("people.csv", people(3))
    for text in (None, "signatures = 1\n", "unknown = 1\n", "[[", site.office.path.read_text() + "[targets.x]\n"):
        if text is None:
            site.office.path.unlink()
        else:
            site.office.path.write_text(text)
        assert site.types("run", file).code in {2, 5}
    assert site.asked == 0


@pytest.mark.slow
def test_a_profile_that_asks_for_an_approval_is_refused_where_no_policy_is(site: Site) -> None:
    site.profile.write_text(site.profile.read_text() + "[approval]\nrequired = true\n")
    ran = site.types("run", site.user.has("people.csv", people(3)), free=True)

    assert ran.code == 5
    assert "/etc/importer/approval.toml" in ran.json["error"]
    assert site.asked == 0


@pytest.mark.slow
def test_a_profile_cannot_loosen_what_a_policy_asks_for(site: Site) -> None:
    site.profile.write_text(site.profile.read_text() + "[approval]\nrequired = false\nsignatures = 2\n")
    refused(site.types("run", site.user.has("people.csv", people(3))), "importer plan")
    assert site.asked == 0


@pytest.mark.slow
def test_the_emulator_inside_the_run_needs_no_approval(site: Site) -> None:
    ran = site.user.types("run", site.user.has("people.csv", people(3)), "--json", **site.environ)
    assert ran.code == 0, ran.out
