"""Customers that exist are changed: as the rows say and no more, once, whatever happens in between."""

from __future__ import annotations

import csv
import io
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Ran, User, Witness, ended, people, sandbox, serving_here, wait_for

pytestmark = pytest.mark.slow

QUICK = ['rate = "900/s"', "looks_after_s = [0, 0.1, 0.4]", "backoff_base_s = 0.02", "breaker_faults = 1000"]
LOST = 'seed = 5\n[[rule]]\nfault = "commit-then-drop"\non = ["update"]\nprobability = 0.1\n'


@dataclass
class Site:
    """Customers that a run has created, and its results file.

    Args:
        profile: names the emulator as the sandbox.
    """

    user: User
    witness: Witness
    profile: Path
    rows: list[dict[str, str]]

    def file(self, rows: list[dict[str, str]], name: str = "changes.csv") -> Path:
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return self.user.has(name, out.getvalue())

    def updates(self, file: Path, *more: str | Path) -> Ran:
        return self.user.types("update", file, *sandbox(self.profile), "--json", *more, **self.witness.environ)

    @property
    def written(self) -> int:
        """How many customers were written since they were created."""
        return int(self.witness.ledger()["committed"].get("update", 0))

    def there(self) -> dict[str, dict[str, Any]]:
        return {one["id"]: one for one in self.witness.customers()}

    def touch(self, customer_id: str, **changes: Any) -> None:
        """Have somebody else change a customer."""
        row = {"_customer_id": customer_id, **changes}
        elsewhere = ("--workspace", "elsewhere", "--force")
        assert self.updates(self.file([row], "touch.csv"), *elsewhere).code == 0


def created(user: User, witness: Witness, profile: Path, count: int) -> Site:
    ran = user.types("run", user.has("people.csv", people(count)), *sandbox(profile), "--json", **witness.environ)
    assert ran.code == 0, ran.out
    return Site(user, witness, profile, user.reads(ran.json["files"]["results"]))


@pytest.fixture
def site(user: User, witness: Witness, profile_for: Callable[..., Path]) -> Site:
    return created(user, witness, profile_for(witness, delivery=QUICK), 12)


def renamed(rows: list[dict[str, str]], but_every: int = 10) -> list[dict[str, str]]:
    """Give all but every tenth row another last name."""
    return [
        {**row, "Last Name": row["Last Name"] if number % but_every == 0 else f"New{row['Last Name']}"}
        for number, row in enumerate(rows)
    ]


def as_the_rows_say(before: Mapping[str, dict[str, Any]], after: Mapping[str, Any], rows: list[dict[str, str]]) -> None:
    """Every customer has the last name of its row, and is as it was in all else."""
    owned = {"updatedAt", "updatedBy", "lastName"}
    for row in rows:
        was, now = before[row["_customer_id"]], after[row["_customer_id"]]
        assert now["lastName"] == row["Last Name"]
        assert {k: v for k, v in now.items() if k not in owned} == {k: v for k, v in was.items() if k not in owned}


def test_of_three_hundred_customers_those_that_differ_are_written_once_and_never_again(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    site = created(user, witness, profile_for(witness, delivery=QUICK), 300)
    before, rows = site.there(), renamed(site.rows)
    ran = site.updates(site.file(rows))

    assert ran.code == 0, ran.out
    assert ran.json["follow_up"]["updates"] == {"changed": 270, "unchanged": 30}
    assert (ran.json["counts"]["existing"], ran.json["counts"]["created"]) == (300, 0)
    assert site.written == 270
    as_the_rows_say(before, site.there(), rows)

    again = site.updates(site.file(rows))
    assert again.json["follow_up"]["updates"] == {"unchanged": 300}
    assert site.written == 270


@pytest.mark.slow
def test_an_update_that_is_killed_and_typed_again_writes_every_customer_once(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    site = created(user, witness, profile_for(witness, delivery=['rate = "300/s"', *QUICK[1:]]), 300)
    before, rows = site.there(), renamed(site.rows)
    file = site.file(rows)
    for until in (60, 160):
        process = user.starts("update", file, *sandbox(site.profile), "--quiet", **witness.environ)
        wait_for(lambda until=until: site.written >= until, process)  # type: ignore[misc]
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    last = site.updates(file)

    assert last.code == 0, last.out
    assert last.json["follow_up"]["steps"] == {"update": {"done": 300}}
    assert site.written == 270
    as_the_rows_say(before, site.there(), rows)


def test_lost_answers_write_nobody_twice_and_leave_no_doubt(user: User, profile_for: Callable[..., Path]) -> None:
    with serving_here(user.has("faults.toml", LOST)) as witness:
        site = created(user, witness, profile_for(witness, delivery=QUICK), 300)
        before, rows = site.there(), renamed(site.rows)
        ran = site.updates(site.file(rows))

        assert ran.code == 0, ran.out
        assert ran.json["follow_up"]["updates"] == {"changed": 270, "unchanged": 30}
        assert witness.ledger()["faults"]["commit-then-drop"] > 10
        assert site.written == 270
        as_the_rows_say(before, site.there(), rows)


@pytest.mark.slow
def test_a_stop_is_gone_on_with(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    site = created(user, witness, profile_for(witness, delivery=['rate = "200/s"', *QUICK[1:]]), 120)
    rows = renamed(site.rows)
    process = user.starts("update", site.file(rows), *sandbox(site.profile), "--json", **witness.environ)
    wait_for(lambda: site.written > 5, process)
    process.send_signal(signal.SIGTERM)
    stopped = ended(process)
    resumed = user.types("resume", stopped.json["run_id"], *sandbox(site.profile), "--json", **witness.environ)

    assert (stopped.code, resumed.code) == (143, 0), stopped.out + resumed.out
    assert site.written == 108
    assert resumed.json["follow_up"]["updates"] == {"changed": 108, "unchanged": 12}


# ------------------------------------------------------------------ the list


def test_a_list_shows_every_field_masked_and_writes_nobody(site: Site) -> None:
    rows = renamed(site.rows, 4)
    ran = site.updates(site.file(rows), "--dry-run")
    results = site.user.reads(ran.json["files"]["results"])

    assert (ran.code, ran.json["dry_run"], site.written) == (0, True, 0)
    assert ran.json["follow_up"]["steps"] == {"update": {"done": 3, "listed": 9}}
    assert "9 of 12 customers would change at sandbox" in ran.json["verdict"]
    assert {row["_differences"] for row in results} == {"", "lastName: F••• → N•••"}
    assert "importer update" in ran.json["next_command"]


def test_the_update_goes_on_from_the_list_and_leaves_alone_who_has_changed_since(site: Site) -> None:
    file = site.file(renamed(site.rows, 4))
    listed = site.updates(file, "--dry-run")
    touched = site.rows[1]["_customer_id"]
    site.touch(touched, **{"First Name": "Somebody"})
    ran = site.updates(file)
    results = {row["_customer_id"]: row for row in site.user.reads(ran.json["files"]["results"])}

    assert (ran.code, ran.json["run_id"]) == (3, listed.json["run_id"])
    assert ran.json["follow_up"]["steps"] == {"update": {"done": 11, "failed": 1}}
    assert "The customer was changed since the list was made; nothing was sent." in results[touched]["_warnings"]
    assert site.there()[touched]["lastName"] == site.rows[1]["Last Name"]
    assert site.written == 1 + 8


@pytest.mark.slow
def test_a_list_that_is_carried_out_is_not_carried_out_again(site: Site) -> None:
    file = site.file(renamed(site.rows, 4))
    site.updates(file, "--dry-run")
    site.updates(file)
    last = site.updates(file)
    assert last.json["follow_up"]["updates"] == {"unchanged": 12}
    assert site.written == 9


@pytest.mark.slow
def test_a_list_that_was_stopped_is_finished_first(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    site = created(user, witness, profile_for(witness, delivery=['rate = "100/s"', *QUICK[1:]]), 120)
    file = site.file(renamed(site.rows))
    read = witness.ledger()["requests"]
    process = user.starts("update", file, *sandbox(site.profile), "--dry-run", "--json", **witness.environ)
    wait_for(lambda: witness.ledger()["requests"] > read + 150, process)
    process.send_signal(signal.SIGTERM)
    stopped = ended(process)
    run_id = stopped.json["run_id"]
    refused = site.updates(file)
    finished = user.types("resume", run_id, *sandbox(site.profile), "--json", **witness.environ)
    written, done = site.written, site.updates(file)

    assert (stopped.code, refused.code, finished.code) == (143, 7, 0), refused.out
    assert f"importer resume {run_id}" in refused.out
    assert (written, finished.json["job"]) == (0, "list")
    assert (done.json["run_id"], done.json["follow_up"]["updates"]) == (run_id, {"changed": 108, "unchanged": 12})


def test_a_live_target_is_read_for_a_list_and_changed_with_consent_alone(site: Site) -> None:
    profile = site.user.has("live.toml", site.profile.read_text("utf-8").replace("targets.sandbox", "targets.live"))
    file = site.file(renamed(site.rows))
    live = ("update", file, "--config", profile, "--target", "live", "--json")
    listed = site.user.types(*live, "--dry-run", **site.witness.environ)
    refused = site.user.types(*live, **site.witness.environ)
    written = site.written
    done = site.user.types(*live, "--yes", **site.witness.environ)

    assert (listed.code, refused.code, written) == (0, 2, 0), listed.out
    assert "has to be confirmed" in refused.json["error"]
    assert (done.code, done.json["run_id"], site.written) == (0, listed.json["run_id"], 10)


def test_a_run_of_changes_is_not_read_back(site: Site) -> None:
    site.updates(site.file(renamed(site.rows)))
    ran = site.user.types("verify", "last", *sandbox(site.profile), **site.witness.environ)
    assert (ran.code, "changed customers that exist" in ran.err) == (2, True)


# ------------------------------------------------------------------ what a row may name


def test_what_a_row_does_not_name_stays(site: Site) -> None:
    row = site.rows[0]
    before = site.there()[row["_customer_id"]]
    file = site.user.has("one.csv", f"ID,Email\n{row['ID']},new@example.com\n{site.rows[1]['ID']},\n")
    ran = site.updates(file)

    after = site.there()[row["_customer_id"]]
    assert after["primaryEmail"]["value"] == "new@example.com"
    assert {**after, "primaryEmail": 0, "updatedAt": 0} == {**before, "primaryEmail": 0, "updatedAt": 0}
    assert [(one["code"], one["rows"]) for one in ran.json["issues"]] == [("nothing_to_update", [3])]


def test_bad_rows_are_one_sentence_each_and_nothing_is_sent(site: Site) -> None:
    known = site.rows[0]["_customer_id"]
    file = site.user.has(
        "bad.csv",
        "id,Type,First Name,Last Name,Business Name\n"
        "00000000-0000-4000-8000-000000000000,,Eva,Example,\n"
        ",,Eva,Example,\n"
        f"{site.rows[1]['_customer_id']},,,,\n"
        f"{known},BUSINESS,,,Example Bakery\n"
        f"{site.rows[2]['_customer_id']},,,,Example Bakery\n",
    )
    profile = site.user.has(
        "bad.toml",
        site.profile.read_text(encoding="utf-8")
        + '[mapping]\nid = "id"\ntype = "Type"\nfirstName = "First Name"\nlastName = "Last Name"\n'
        'businessName = "Business Name"\n',
    )
    ran = site.user.types("update", file, *sandbox(profile), "--json", **site.witness.environ)
    results = site.user.reads(ran.json["files"]["results"])
    said = [row["_error_message"] or row["_warnings"].removeprefix("cannot_change: ") for row in results]

    assert (ran.code, site.written) == (3, 0)
    assert [row["_status"] for row in results] == ["rejected", "invalid", "invalid", "existing", "existing"]
    assert said == [
        "The account has no customer under this id or external id; nothing was sent.",
        "This row names no customer: it has neither the id of one nor an external id; fill in one of them.",
        "This row names a customer and nothing to change; fill in what is to change, or take the row out.",
        "The type of a customer cannot be changed; nothing was sent.",
        "Business name does not belong to this type of customer; nothing was sent.",
    ]


def test_a_customer_of_another_account_is_not_there(site: Site) -> None:
    with serving_here() as other:
        profile = site.user.has(
            "other.toml", site.profile.read_text("utf-8").replace(site.witness.base_url, other.base_url)
        )
        ran = site.user.types("update", site.file(renamed(site.rows)), *sandbox(profile), "--json", **other.environ)
    assert ran.code == 3
    assert (ran.json["counts"]["rejected"], site.written) == (12, 0)
    assert [one["code"] for one in ran.json["issues"]] == ["no_such_customer"]


def test_two_rows_about_one_customer_are_both_refused(site: Site) -> None:
    rows = [site.rows[0], {**site.rows[0], "Last Name": "Other"}]
    ran = site.updates(site.file(rows))
    assert (ran.code, ran.json["counts"]["invalid"], site.written) == (3, 2, 0)


def test_a_row_that_was_refused_comes_back_fixed(site: Site) -> None:
    rows = renamed(site.rows[:4], 9)
    right, rows[2]["_customer_id"] = rows[2]["_customer_id"], "00000000-0000-4000-8000-000000000000"
    ran = site.updates(site.file(rows))
    refused = site.user.reads(ran.json["files"]["rejects"])
    fixed = site.file([{**row, "id_at_target": right} for row in refused], "fixed.csv")
    again = site.user.types("retry", "last", "--fixed", fixed, *sandbox(site.profile), "--json", **site.witness.environ)

    assert (ran.code, len(refused)) == (3, 1)
    assert again.code == 0, again.out
    assert again.json["follow_up"]["updates"] == {"changed": 3, "unchanged": 1}
    assert site.written == 3


def test_the_same_file_may_still_be_imported(site: Site) -> None:
    file = site.user.has("new.csv", people(13))
    updated = site.updates(file)
    ran = site.user.types("run", file, *sandbox(site.profile), "--json", **site.witness.environ)

    assert (updated.code, updated.json["counts"]["rejected"]) == (3, 1)
    assert (ran.code, ran.json["counts"]["created"], ran.json["counts"]["existing"]) == (0, 1, 12)


def test_a_profile_of_changes_makes_no_customers(site: Site) -> None:
    profile = site.user.has("partial.toml", site.profile.read_text("utf-8") + "[validation]\npartial = true\n")
    for command in ("run", "validate"):
        where = () if command == "validate" else ("--target", "sandbox")
        ran = site.user.types(command, site.file(site.rows), "--config", profile, *where, **site.witness.environ)
        assert (ran.code, "validation.partial is on" in ran.err) == (2, True), ran.err


def test_an_id_that_the_api_shows_in_part_has_to_be_in_the_row(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=QUICK)
    lines = people(2).splitlines()
    head, rows = f"{lines[0]},SSN,SSN Country", [f"{line},900-00-000{at},USA" for at, line in enumerate(lines[1:])]
    source = user.has("people.csv", "\n".join([head, *rows]) + "\n")
    mapped = user.has(
        "ssn.toml",
        profile.read_text("utf-8") + '[mapping]\nexternalId = "ID"\nfirstName = "First Name"\nlastName = "Last Name"\n'
        '"primaryEmail.value" = "Email"\n"primaryPhoneNumber.number" = "Phone"\n'
        '"primaryPhoneNumber.type" = { value = "MOBILE" }\nsocialId = "SSN"\nsocialIdCountryCode = "SSN Country"\n',
    )
    ran = user.types("run", source, *sandbox(mapped), "--json", **witness.environ)
    assert ran.code == 0, ran.out
    short = user.has("short.csv", "ID,Last Name\nL-0,Brown\n")
    whole = user.has("whole.csv", "ID,Last Name,SSN\nL-1,Brown,900-00-0001\n")
    refused = user.types("update", short, *sandbox(profile), "--json", **witness.environ)
    done = user.types("update", whole, *sandbox(profile), "--json", **witness.environ)

    assert [one["code"] for one in refused.json["issues"]] == ["value_hidden"]
    assert (refused.code, done.code) == (3, 0), done.out
    assert witness.ledger()["committed"]["update"] == 1
    assert {one["lastName"] for one in witness.customers()} == {"Familya", "Brown"}


# ------------------------------------------------------------------ run --on-existing


@pytest.fixture
def changed(site: Site) -> Path:
    """The file of the run, with other last names in all rows but every fourth."""
    lines = people(12).splitlines()
    changed = [line if at % 4 == 0 else line.replace("Family", "NewFamily") for at, line in enumerate(lines[1:])]
    return site.user.has("again.csv", "\n".join([lines[0], *changed]) + "\n")


def again(site: Site, file: Path, mode: str, *more: str) -> Ran:
    return site.user.types(
        "run", file, *sandbox(site.profile), "--on-existing", mode, "--json", *more, **site.witness.environ
    )


def test_a_run_updates_the_customers_that_it_finds_with_other_data(site: Site, changed: Path) -> None:
    before = site.there()
    ran = again(site, changed, "update")

    assert (ran.code, ran.json["counts"]["existing"]) == (0, 12), ran.out
    assert ran.json["follow_up"]["steps"] == {"update": {"done": 9}}
    assert (site.written, ran.json["issues"]) == (9, [])
    rows = [
        {"_customer_id": row["_customer_id"], "Last Name": ("" if at % 4 == 0 else "New") + row["Last Name"]}
        for at, row in enumerate(site.rows)
    ]
    as_the_rows_say(before, site.there(), rows)


def test_customers_that_only_the_target_knows_are_updated_as_well(site: Site, changed: Path) -> None:
    ran = again(site, changed, "update", "--workspace", "elsewhere")

    assert (ran.code, ran.json["counts"]["existing"], site.written) == (0, 12, 9), ran.out
    assert {one["metadata"]["importKey"] for one in site.there().values()} != set()


@pytest.mark.parametrize("workspace", ["runs", "elsewhere"])
def test_a_run_may_leave_them_as_they_are_without_a_word(site: Site, changed: Path, workspace: str) -> None:
    ran = again(site, changed, "skip", "--workspace", workspace)

    assert (ran.code, ran.json["counts"]["existing"], site.written) == (0, 12, 0), ran.out
    assert ran.json["issues"] == []


def test_without_a_word_from_the_user_they_are_reported(site: Site, changed: Path) -> None:
    ran = again(site, changed, "report")
    assert (site.written, [one["code"] for one in ran.json["issues"]]) == (0, ["differs_from_imported"])
