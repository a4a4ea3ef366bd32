"""A plan of an import: made by a dry run, kept to by the run, and each thing that differs is refused by its name."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importer.runs.plans.import_plan import ImportPlan
from tests.acceptance import after_create as steps
from tests.acceptance.conftest import (
    ROOT,
    Ran,
    User,
    Witness,
    ended,
    exactly_once,
    logged,
    people,
    sandbox,
    serving_here,
    wait_for,
)
from tests.acceptance.test_acceptance_groups import GROUPED, businesses
from tests.acceptance.test_acceptance_transform import MAPPED, RULES
from tests.acceptance.test_acceptance_transform import people as to_transform

ROWS = 12
SHARED = """
[validation]
duplicates = "allow"
[mapping]
type = { value = "INDIVIDUAL" }
firstName = "First Name"
lastName = "Last Name"
"primaryEmail.value" = "Email"
"primaryPhoneNumber.number" = "Phone"
"primaryPhoneNumber.type" = { value = "MOBILE" }
"metadata.team" = "Team"
"""


@pytest.fixture
def options(witness: Witness, profile_for: Callable[..., Path]) -> tuple[str | Path, ...]:
    """What names a profile whose sandbox is the witness."""
    return sandbox(profile_for(witness))


def planned(user: User, *arguments: str | Path, **environ: str) -> Path:
    """Make a plan, and return its file."""
    ran = user.types("plan", *arguments, "--json", **environ)
    assert ran.code in {0, 3}, ran.out + ran.err
    return user.home / str(ran.json["files"]["plan"])


def said(plan: Path) -> dict[str, Any]:
    """What is in the file of a plan."""
    content = json.loads(plan.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def root(plan: Path) -> str:
    return str(said(plan)["content"]["bodies"]["root"])


def refused(ran: Ran, user: User, *names: str, witness: Witness | None = None) -> None:
    """The run was refused, everything that differs was named, and nothing was sent nor left."""
    assert ran.code == 6, ran.out + ran.err
    for name in names:
        assert name in ran.json["error"], (name, ran.json["error"])
    assert [one["dry_run"] for one in user.types("runs", "--json").json["runs"] if not one["dry_run"]] == []
    if witness is not None:
        assert witness.ledger()["customers"] == 0


def test_a_plan_is_made_and_sent_as_it_says(user: User, witness: Witness, options: tuple[str | Path, ...]) -> None:
    source = user.has("people.csv", people(ROWS))
    ran = user.types("plan", source, *options, "--json", **witness.environ)
    plan = user.home / ran.json["files"]["plan"]

    assert (ran.code, ran.json["counts"], ran.json["dry_run"]) == (0, {"read": 12, "valid": 12, "invalid": 0}, True)
    assert ran.json["next_command"].endswith(f"run --plan {plan.relative_to(user.home)}")
    assert witness.ledger()["requests"] == 0
    assert (plan.stat().st_mode & 0o777, plan.name, plan.parent.name) == (0o600, "plan.json", ran.json["run_id"])
    assert (said(plan)["rows"], said(plan)["job"], said(plan)["target"]) == (12, "import", "sandbox")
    assert "person1@example.com" not in plan.read_text()

    sent = user.types("run", "--plan", plan, "--json", **witness.environ)

    assert (sent.code, sent.json["counts"]["created"], sent.json["target"]) == (0, 12, "sandbox")
    exactly_once(witness, user.reads(sent.json["files"]["results"]))
    assert len(list((user.home / "runs" / sent.json["run_id"]).glob("plan-*.json"))) == 1
    again = user.types("run", "--plan", plan, "--json", **witness.environ)
    assert again.code == 7


def test_a_plan_replaces_a_plan_and_no_other_file(
    user: User, witness: Witness, options: tuple[str | Path, ...]
) -> None:
    text = people(3)
    source = user.has("people.csv", text)

    refused = user.types("plan", source, *options, "--out", source, "--json", **witness.environ)

    assert (refused.code, "is not replaced" in refused.json["error"]) == (2, True), refused.out
    assert source.read_text() == text
    for _ in range(2):
        assert user.types("plan", source, *options, "--out", "tonight.json", **witness.environ).code == 0


def test_people_are_told_what_a_plan_says_and_what_to_type_next(
    user: User, witness: Witness, options: tuple[str | Path, ...]
) -> None:
    text = people(3).replace("person1@example.com", "nobody")
    ran = user.types("plan", user.has("people.csv", text), *options, "--out", "tonight.json", **witness.environ)

    assert ran.code == 3
    assert "2 customers would be created at sandbox (" in ran.out
    assert "1 row is held back, with errors." in ran.out
    assert "It is good until " in ran.out
    assert "importer run --plan tonight.json" in ran.out
    sent = user.types("run", "--plan", "tonight.json", "--partial-ok", "--json", **witness.environ)
    assert (sent.code, sent.json["counts"]["created"], sent.json["counts"]["invalid"]) == (0, 2, 1)


# --------------------------------------------------------------------------- what differs


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda rows: [*rows[:3], rows[3].replace("Given", "Other"), *rows[4:]], ["'people.csv'", "row 4"]),
        (lambda rows: [*rows, people(ROWS + 1).splitlines()[-1]], ["'people.csv'", "1 row more"]),
        (lambda rows: rows[:-1], ["'people.csv'", "1 row fewer", "row 13"]),
        (
            lambda rows: [rows[0], *rows[2:4], rows[1], *rows[4:]],
            ["'people.csv'", "the order of the rows (rows 2 to 4)"],
        ),
        (lambda rows: [rows[0].replace("Phone", "Fax"), *rows[1:]], ["'people.csv'"]),
        (
            lambda rows: [rows[0].replace("Phone", "Work Phone"), *rows[1:]],
            ["'people.csv'", "the mapping of", "rows 2 to 13"],
        ),
        (lambda _: ["nothing"], ["'people.csv'", "cannot be used"]),
    ],
)  # fmt: skip
def test_a_file_that_changed_is_refused_by_its_rows(
    user: User,
    witness: Witness,
    options: tuple[str | Path, ...],
    change: Callable[[list[str]], list[str]],
    names: list[str],
) -> None:
    source = user.has("people.csv", people(ROWS))
    plan = planned(user, source, *options, **witness.environ)
    user.has("people.csv", "\n".join(change(people(ROWS).splitlines())) + "\n")

    refused(user.types("run", "--plan", plan, "--json", **witness.environ), user, *names, witness=witness)


def test_another_file_than_that_of_the_plan_is_refused_by_both_names(
    user: User, witness: Witness, options: tuple[str | Path, ...]
) -> None:
    plan = planned(user, user.has("people.csv", people(ROWS)), *options, **witness.environ)
    both = "the file (the plan is of 'people.csv', and this is 'other.csv')"

    ran = user.types("run", user.has("other.csv", people(3)), "--plan", plan, "--json", **witness.environ)
    refused(ran, user, both, witness=witness)
    ran = user.types("run", user.has("other.csv", "nothing\n"), "--plan", plan, "--json", **witness.environ)
    refused(ran, user, f"{both}, which cannot be used", witness=witness)


def test_another_profile_is_refused_by_its_keys(
    user: User, witness: Witness, profile_for: Callable[..., Path], options: tuple[str | Path, ...]
) -> None:
    source = user.has("people.csv", people(ROWS))
    plan = planned(user, source, *options, **witness.environ)
    more = '[validation]\nphone = "valid"\n[mapping]\nfirstName = "Last Name"\nlastName = "First Name"\n'
    other = sandbox(profile_for(witness, "other.toml", delivery=['on_existing = "skip"'], more=more))

    ran = user.types("run", source, "--plan", plan, *other, "--json", **witness.environ)

    keys = ("mapping.firstName", "mapping.lastName", "validation.phone", "delivery.on_existing")
    refused(ran, user, *keys, witness=witness)
    limited = user.types("run", source, "--plan", plan, "--limit", "3", "--json", **witness.environ)
    refused(limited, user, "source.limit", witness=witness)
    slower = sandbox(profile_for(witness, "slower.toml", delivery=['rate = "90/s"', "max_errors = 3"]))
    assert user.types("run", source, "--plan", plan, *slower, "--json", **witness.environ).code == 0


def test_another_target_and_another_account_are_refused(
    user: User, witness: Witness, options: tuple[str | Path, ...]
) -> None:
    source = user.has("people.csv", people(ROWS))
    plan = planned(user, source, *options, **witness.environ)

    other = user.types("run", "--plan", plan, "--target", "emulator", "--json")
    refused(other, user, "the target (then 'sandbox', now 'emulator')", "its server", witness=witness)
    key = {"ROCKETKOR_API_KEY": "another-key", "ROCKETKOR_API_SECRET": "another-secret"}
    refused(user.types("run", "--plan", plan, "--json", **key), user, "the account at 'sandbox'", witness=witness)


def test_customers_that_became_known_since_are_refused(
    user: User, witness: Witness, options: tuple[str | Path, ...]
) -> None:
    source = user.has("people.csv", people(ROWS))
    plan = planned(user, source, *options, **witness.environ)
    user.types("run", user.has("some.csv", people(3)), *options, **witness.environ)

    ran = user.types("run", "--plan", plan, "--json", **witness.environ)

    assert ran.code == 6
    assert "known from earlier runs (then 0, now 3)" in ran.json["error"]
    again = planned(user, source, *options, **witness.environ)
    assert (said(again)["rows"], said(again)["content"]["known"]["count"]) == (9, 3)
    assert root(again) == root(plan)
    sent = user.types("run", "--plan", again, "--json", **witness.environ)
    assert (sent.json["counts"]["created"], sent.json["counts"]["existing"]) == (9, 3)


@pytest.mark.slow
def test_another_program_is_refused_by_the_part_that_changed(user: User, tmp_path: Path) -> None:
    source = user.has("people.csv", people(ROWS))
    plan = planned(user, source)
    copy = tmp_path / "other"
    shutil.copytree(ROOT / "importer", copy / "importer", ignore=shutil.ignore_patterns("__pycache__"))
    rule = copy / "importer" / "customers" / "emails.py"
    rule.write_text(rule.read_text() + "\n# another rule\n")

    ran = user.types_for_real("run", "--plan", plan, "--json", PYTHONPATH=str(copy))

    refused(ran, user, "the program's rules (customers)")
    assert user.types_for_real("run", "--plan", plan, "--json").code == 0


@pytest.mark.slow
def test_a_plan_that_expired_or_was_edited_is_refused(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    source = user.has("people.csv", people(ROWS))
    short = sandbox(profile_for(witness, more='[approval]\nvalid = "1d"\n'))
    plan = planned(user, source, *short, **witness.environ)
    content = said(plan)
    plan.write_text(json.dumps({**content, "rows": 1}))
    refused(user.types("run", "--plan", plan, "--json", **witness.environ), user, "was edited")
    plan.write_text(json.dumps(content))
    old = ImportPlan.read(plan).model_copy(update={"made_at": 1.0, "expires_at": 2.0}).sealed()
    old.write(plan)

    refused(user.types("run", "--plan", plan, "--json", **witness.environ), user, "has expired")


# --------------------------------------------------------------------------- the same plan


@pytest.mark.slow
def test_a_plan_is_the_same_in_another_workspace_and_another_folder(user: User) -> None:
    source = user.has("people.csv", people(300, external_ids=False))
    user.types("run", user.has("else.csv", people(2, external_ids=False)))
    first = planned(user, source, "--config", user.has("small.toml", "[source]\nbatch_rows = 50\n"))
    second = planned(
        user, source, "--workspace", "elsewhere", "--config", user.has("one.toml", "[source]\nprocesses = 1\n")
    )

    assert root(first) == root(second)
    assert said(first)["content"]["bodies"] == said(second)["content"]["bodies"]
    (user.home / "moved").mkdir()
    moved = source.rename(user.home / "moved" / "renamed.csv")
    gone = user.types("run", "--plan", second, "--workspace", "third", "--json")
    assert (gone.code, f"'{source}', which is not there" in gone.json["error"]) == (6, True), gone.out
    ran = user.types("run", moved, "--plan", second, "--workspace", "third", "--json")
    assert (ran.code, ran.json["counts"]["created"]) == (0, 300)


@pytest.mark.slow
def test_only_the_first_rows_are_planned_and_sent(user: User) -> None:
    plan = planned(user, user.has("people.csv", people(ROWS)), "--limit", "5")

    ran = user.types("run", "--plan", plan, "--json")

    assert (ran.code, ran.json["counts"]["created"]) == (0, 5)


@pytest.mark.slow
def test_duplicates_and_rows_with_errors_are_no_part_of_a_plan(user: User) -> None:
    lines = people(6, external_ids=False).splitlines()
    source = user.has("people.csv", "\n".join([*lines, lines[2], lines[4].replace("@", " ")]) + "\n")
    plan = planned(user, source)
    alone = planned(user, user.has("alone.csv", "\n".join([lines[0], lines[1], *lines[3:]]) + "\n"))

    assert said(plan)["content"]["counts"] == {"read": 8, "valid": 5, "invalid": 3, "known": 0}
    assert root(plan) == root(alone)
    assert user.types("run", "--plan", plan, "--json").json["counts"]["created"] == 5


@pytest.mark.slow
def test_rows_that_share_a_key_are_matched_as_a_run_matches_them(user: User) -> None:
    more = user.has("allow.toml", SHARED)
    lines = [f"{line},{team}" for line, team in zip(people(4).splitlines(), ["Team", *"abcd"], strict=True)]
    other = lines[1].replace(",a", ",z")
    ran = user.types("run", user.has("first.csv", "\n".join([*lines, other]) + "\n"), "--config", more, "--json")
    assert ran.json["counts"]["created"] == 5
    third = lines[1].replace(",a", ",y")
    source = user.has("second.csv", "\n".join([lines[0], third, other, *lines[1:]]) + "\n")

    plan = planned(user, source, "--config", more)

    assert (said(plan)["rows"], said(plan)["content"]["known"]["count"]) == (1, 5)
    ran = user.types("run", "--plan", plan, "--json")
    assert (ran.code, ran.json["counts"]["created"], ran.json["counts"]["existing"]) == (0, 1, 5)
    assert [one["_status"] for one in user.reads(ran.json["files"]["results"])][:2] == ["created", "existing"]


@pytest.mark.slow
def test_the_rows_of_a_group_are_planned_as_one_customer(user: User) -> None:
    plan = planned(user, user.has("firms.csv", businesses()), "--config", user.has("grouped.toml", GROUPED))

    assert (said(plan)["rows"], said(plan)["content"]["bodies"]["count"]) == (2, 2)
    user.has("firms.csv", businesses().replace("Dee", "Eve"))
    refused(user.types("run", "--plan", plan, "--json"), user, "'firms.csv'", "row 2")
    user.has("firms.csv", businesses())
    assert user.types("run", "--plan", plan, "--json").json["counts"]["created"] == 4


@pytest.mark.slow
def test_a_function_of_the_user_is_a_part_of_the_plan(user: User) -> None:
    rules = user.has("our_rules.py", RULES)
    profile = user.has("profile.toml", MAPPED)
    plan = planned(user, user.has("people.csv", to_transform(4)), "--config", profile)
    rules.write_text(RULES.replace('"HOME"', '"WORK"'))

    named = user.types("run", "--plan", plan, "--config", profile, "--json")
    refused(named, user, "transform.sha256")
    refused(user.types("run", "--plan", plan, "--json"), user, "our_rules.py, which was changed since then")
    rules.write_text(RULES)
    assert user.types("run", "--plan", plan, "--json").json["counts"]["created"] == 4


@pytest.mark.slow
def test_documents_are_a_part_of_the_plan(user: User) -> None:
    rows = [steps.row(number) for number in (1, 2, 25)]
    source = steps.source(user, rows)
    with serving_here() as witness:
        named = steps.profile(user, witness.base_url, steps=("documents = true",))
        plan = planned(user, source, *named, **witness.environ)
        scan = user.home / "scans" / "p25.pdf"
        before = scan.read_bytes()
        scan.write_bytes(before.replace(b"scan", b"SCAN"))
        changed = user.types("run", "--plan", plan, "--json", **witness.environ)
        refused(changed, user, "the files of the documents", witness=witness)
        scan.write_bytes(before)

        sent = user.types("run", "--plan", plan, "--json", **witness.environ)
        assert sent.json["counts"].get("created") == 3, sent.out


@pytest.mark.slow
def test_a_workbook_is_planned(user: User) -> None:
    plan = planned(user, ROOT / "sample_data" / "customers.xlsx")

    ran = user.types("run", "--plan", plan, "--json")

    assert said(plan)["content"]["source"]["sheet"]
    assert ran.json["counts"]["created"] == said(plan)["rows"] > 0


# --------------------------------------------------------------------------- cut off, and wrong use


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_reads_is_held_to_its_plan_when_it_is_resumed(
    user: User, witness: Witness, options: tuple[str | Path, ...]
) -> None:
    source = user.has("people.csv", people(20_000))
    plan = planned(user, source, *options, **witness.environ)
    process = user.starts("run", "--plan", plan, "--json", **witness.environ)
    wait_for(lambda: logged(user).count("run_started") > 1, process)  # the first one is that of the plan
    process.send_signal(signal.SIGKILL)
    process.communicate()
    text = source.read_text()
    source.write_text(text.replace("Given", "Other", 1))

    assert user.types("resume", "last", "--json", **witness.environ).code == 6
    assert witness.ledger()["customers"] == 0
    source.write_text(text)
    (run_id,) = [one["run_id"] for one in user.types("runs", "--json").json["runs"] if not one["dry_run"]]
    (copy,) = (user.home / "runs" / run_id).glob("plan-*.json")
    content = copy.read_text()
    copy.write_text(content.replace('"rows": 20000', '"rows": 19999', 1))
    assert user.types("resume", "last", "--json", **witness.environ).code == 6
    copy.write_text(content)
    process = user.starts("resume", "last", "--rate", "900/s", "--json", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 10, process)
    process.send_signal(signal.SIGINT)
    assert ended(process).code == 130


@pytest.mark.slow
def test_wrong_use_is_explained(user: User) -> None:
    source = user.has("people.csv", people(ROWS))
    plan = planned(user, source)

    assert user.types("run").code == 2
    assert user.types("run", "--plan", plan, "--dry-run").code == 2
    for command in (("run", "--plan"), ("update", "--plan"), ("undo", "last", "--apply"), ("approve",), ("show",)):
        ran = user.types(*command, "nothing.json")
        assert (ran.code, "There is no plan 'nothing.json'" in ran.err) == (6, True), ran.err
    assert "'people.csv' is not a plan" in user.types("run", "--plan", "people.csv").err
    for command in (("update", "--plan"), ("undo", "last", "--apply"), ("retry", "last", "--plan")):
        ran = user.types(*command, plan, "--json")
        assert ran.code == 6
        assert "is a plan of an import, not a plan of" in ran.json["error"]
        assert "importer run --plan " in ran.json["error"]
    piped = user.types_for_real("plan", "-", "--json", stdin=people(3))
    assert user.types("run", "--plan", piped.json["files"]["plan"]).code == 2
    again = user.types_for_real("run", "-", "--plan", piped.json["files"]["plan"], "--json", stdin=people(3))
    assert (again.code, again.json["counts"]["created"]) == (0, 3)


@pytest.mark.slow
def test_without_credentials_the_account_has_to_be_named(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    source = user.has("people.csv", people(ROWS))
    ran = user.types("plan", source, *sandbox(profile_for(witness)), "--json")
    assert ran.code == 2
    assert "account" in ran.json["error"]

    profile = profile_for(witness, "named.toml")
    profile.write_text(profile.read_text() + 'account = "main"\n')
    plan = planned(user, source, *sandbox(profile))

    assert said(plan)["scope"].endswith("#main")
    assert user.types("run", "--plan", plan, "--json", **witness.environ).json["counts"]["created"] == 12
