"""Corrections of a source: every way in reads the corrected cells, and whatever does not fit is refused."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from importer import Profile, validate
from tests.acceptance.conftest import Ran, User, Witness, people, sandbox
from tests.acceptance.test_acceptance_transform import DEADLY, MAPPED, RULES
from tests.acceptance.test_acceptance_transform import people as to_transform
from tests.remote_servers import web

ROWS = 6
WRONG = people(ROWS).replace("person1@example.com", "nobody")
FIXED = "row,column,before,after\n3,Email,nobody,person1@example.com\n"
CORRECTED = ("--corrections", "corrections.csv")


@pytest.fixture
def ready(user: User) -> User:
    """A user with a file in which one address is wrong, and the correction of it."""
    user.has("people.csv", WRONG)
    user.has("corrections.csv", FIXED)
    return user


def valid(ran: Ran, count: int = ROWS) -> None:
    assert ran.code == 0, ran.out + ran.err
    assert ran.json["counts"] == {"read": count, "valid": count, "invalid": 0}


# --------------------------------------------------------------------------- every way in


def test_corrected_cells_are_checked_and_stand_in_the_results_and_explain_shows_both(ready: User) -> None:
    wrong = ready.types("validate", "people.csv", "--json")
    ran = ready.types("validate", "people.csv", *CORRECTED, "--json")

    assert (wrong.code, wrong.json["counts"]["invalid"]) == (3, 1)
    valid(ran)
    assert ready.reads(ran.json["files"]["results"])[1]["Email"] == "person1@example.com"
    kept = ready.home / ran.json["files"]["corrections"]
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (FIXED, 0o600)
    (ready.home / "corrections.csv").unlink()
    shown = ready.types("explain", "last", "3", "--show-values", "--json").json
    assert shown["corrected"] == [{"column": "Email", "before": "nobody", "after": "person1@example.com"}]
    assert shown["cells"]["Email"] == "person1@example.com"
    told = ready.types("explain", "last", "3")
    assert "nobody" not in told.out
    assert "Corrected\n  Email: ••• -> •••" in told.out
    assert ready.types("explain", "last", "2", "--json").json["corrected"] == []


def test_a_profile_names_the_corrections_beside_itself(ready: User) -> None:
    (ready.home / "conf").mkdir()
    ready.has("conf/profile.toml", '[source]\ncorrections = "fixes.csv"\n')
    ready.has("conf/fixes.csv", FIXED)

    valid(ready.types("validate", "people.csv", "--config", "conf/profile.toml", "--json"))


def test_a_run_sends_what_was_corrected_and_the_same_content_is_known_again(
    ready: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    def run(*words: str) -> Ran:
        return ready.types("run", "people.csv", *words, *sandbox(profile_for(witness)), "--json", **witness.environ)

    ran = run(*CORRECTED)

    assert (ran.code, ran.json["counts"]["created"]) == (0, ROWS)
    assert "person1@example.com" in {one["primaryEmail"]["value"] for one in witness.customers()}
    again, without = run(*CORRECTED), run()
    assert again.code == 7
    assert (without.json["counts"]["existing"], without.json["counts"]["invalid"]) == (ROWS - 1, 1)
    assert len(witness.customers()) == ROWS
    run_id = ran.json["run_id"]
    assert ready.types("show", run_id, "--verify").code == 0
    ready.has("corrections.csv", FIXED + "4,Email,person2@example.com,other@example.com\n")
    changed = ready.types("show", run_id, "--verify", "--json").json["checks"]
    assert {one["what"] for one in changed if one["status"] == "differs"} == {"source"}


@pytest.mark.slow
def test_every_process_checks_the_corrected_cells(ready: User) -> None:
    text, said = people(600), ["row,column,before,after"]
    for number in range(1, 600, 3):
        text = text.replace(f"person{number}@example.com", f"nobody{number}")
        said.append(f"{number + 2},Email,nobody{number},person{number}@example.com")
    ready.has("people.csv", text)
    ready.has("corrections.csv", "\n".join(said))
    ready.has("p.toml", "[source]\nbatch_rows = 50\nprocesses = 2\n")

    ran = ready.types_for_real("validate", "people.csv", "--config", "p.toml", *CORRECTED, "--json")

    valid(ran, 600)
    assert {row["Email"] for row in ready.reads(ran.json["files"]["results"])} == {
        f"person{number}@example.com" for number in range(600)
    }


def test_a_workbook_is_read_corrected_and_its_annotated_copy_holds_the_corrected_cell(user: User) -> None:
    book = openpyxl.Workbook()
    for line in WRONG.splitlines():
        book.worksheets[0].append(line.split(","))
    book.worksheets[0]["A4"] = None
    book.save(user.home / "people.xlsx")
    user.has("corrections.csv", FIXED)

    ran = user.types("validate", "people.xlsx", *CORRECTED, "--json")

    valid(ran)
    sheet = openpyxl.load_workbook(user.home / ran.json["files"]["annotated"]).worksheets[0]
    cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    assert "person1@example.com" in cells
    assert "nobody" not in cells


@pytest.mark.slow
def test_a_file_at_an_address_and_standard_input_are_corrected_too(ready: User) -> None:
    with web() as site:
        site.files["/out/people.csv"] = WRONG.encode()
        valid(
            ready.types("validate", f"{site.url}/out/people.csv", *CORRECTED, "--json", IMPORTER_REMOTE__SETTLE_S="0")
        )
    valid(ready.types_for_real("validate", "-", *CORRECTED, "--json", stdin=WRONG))


def test_a_dataframe_is_corrected_by_the_numbers_of_its_rows(ready: User) -> None:
    frame = pd.read_csv(ready.home / "people.csv", dtype="str")
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    where = {"source.corrections": ready.home / "corrections.csv", "workspace": ready.home / "runs"}

    report = validate(frame, profile=Profile.load(options=where, environ={}))

    assert dict(report.counts) == {"read": ROWS, "valid": ROWS, "invalid": 0}


def test_people_are_told_that_cells_are_corrected(ready: User) -> None:
    shown, checked = (ready.types(command, "people.csv", *CORRECTED) for command in ("inspect", "validate"))

    assert "Corrections: corrections.csv (1 cell)" in shown.out
    assert "Corrected: 1 cell, as 'corrections.csv' says" in checked.out


def test_what_comes_back_fixed_goes_into_its_run_whatever_corrections_its_profile_names(
    ready: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    ready.has("people.csv", WRONG.replace("person2@example.com", "nobody too"))
    profile = profile_for(witness, more=f"[source]\ncorrections = '{ready.home / 'corrections.csv'}'\n")
    how = (*sandbox(profile), "--json")
    ran = ready.types("run", "people.csv", *how, **witness.environ)
    assert (ran.code, ran.json["counts"]["created"], ran.json["counts"]["invalid"]) == (3, ROWS - 1, 1)
    rejects = ready.home / ran.json["files"]["rejects"]
    rejects.write_text(rejects.read_text().replace("nobody too", "person2@example.com"))

    back = ready.types("run", rejects, *how, **witness.environ)

    assert (back.code, back.json["run_id"], back.json["counts"]["created"]) == (0, ran.json["run_id"], ROWS)


# --------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (FIXED.replace("nobody", "somebody"), "row 3, column 'Email'"),
        (FIXED + "99,Email,a,b\n", "corrects row 99, and 'people.csv' has no such row."),
        (FIXED.replace("3,Email", "3,E-mail"), "did you mean 'Email'?"),
        (FIXED.replace("before", "was"), "has no column 'before'"),
        (None, "There is no file"),
    ],
)
@pytest.mark.parametrize("command", ["validate", "run", "plan"])
def test_what_does_not_fit_is_refused_and_nothing_is_left(
    ready: User, command: str, said: str | None, message: str
) -> None:
    if said is None:
        (ready.home / "corrections.csv").unlink()
    else:
        ready.has("corrections.csv", said)

    ran = ready.types(command, "people.csv", *CORRECTED, "--json")

    assert (ran.code, message in ran.json["error"]) == (6, True), ran.out
    assert "nobody" not in ran.out + ran.err
    assert ready.types("runs", "--json").json["runs"] == []


def test_nightly_takes_no_corrections(ready: User) -> None:
    (ready.home / "in").mkdir()
    ready.has("p.toml", '[source]\ncorrections = "corrections.csv"\n')

    ran = ready.types("nightly", "in", "--config", "p.toml")

    assert (ran.code, "nightly imports whatever arrives" in ran.err) == (2, True), ran.err


@pytest.mark.slow
def test_a_run_that_was_killed_while_it_read_goes_on_with_the_same_corrections_alone(user: User) -> None:
    (user.home / "ours").mkdir()
    user.has("ours/our_rules.py", RULES.replace("\ndef clean(frame):", DEADLY))
    user.has("ours/profile.toml", f"{MAPPED}\n[source]\nbatch_rows = 100\nprocesses = 1\n")
    user.has("people.csv", to_transform(400))
    corrections = user.has("corrections.csv", "row,column,before,after\n3,Person,Ada;Adams,Bo;Adams\n")
    user.has("deadly", "")
    words = ("run", "people.csv", "--config", "ours/profile.toml", *CORRECTED)
    assert user.types_for_real(*words).code == -signal.SIGKILL
    (user.home / "deadly").unlink()
    text = corrections.read_text()

    corrections.write_text(text.replace("Bo", "Cy"))
    changed = user.types("resume", "last")
    corrections.unlink()
    gone = user.types("resume", "last")
    corrections.write_text(text)
    resumed = user.types("resume", "last", "--json")

    assert (changed.code, "corrections.csv, changed since the run" in changed.err) == (6, True), changed.err
    assert (gone.code, "There is no file" in gone.err) == (6, True), gone.err
    assert (resumed.code, resumed.json["counts"]["created"]) == (0, 400)
    assert user.reads(resumed.json["files"]["results"])[1]["Person"] == "Bo;Adams"


# --------------------------------------------------------------------------- plans


def test_a_plan_is_of_the_file_and_its_corrections(
    ready: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    where = sandbox(profile_for(witness))
    made = ready.types("plan", "people.csv", *CORRECTED, *where, "--json", **witness.environ)
    plan = made.json["files"]["plan"]
    assert (made.code, made.json["counts"]["valid"]) == (0, ROWS)
    assert "people.csv, corrected (" in ready.types("show", plan).out

    def sent() -> Ran:
        return ready.types("run", "--plan", plan, "--json", **witness.environ)

    ready.has("corrections.csv", FIXED.replace("person1", "another"))
    other = sent()
    ready.has("corrections.csv", FIXED)
    ready.has("people.csv", WRONG.replace("Givenc", "Other"))
    changed = sent()
    ready.has("people.csv", WRONG)
    ran = sent()

    assert (other.code, "the corrections of 'people.csv'" in other.json["error"]) == (6, True), other.out
    assert (changed.code, "the content of 'people.csv'" in changed.json["error"]) == (6, True), changed.out
    assert (ran.code, ran.json["counts"]["created"]) == (0, ROWS)


def test_a_plan_without_corrections_refuses_them(ready: User) -> None:
    plan = ready.types("plan", "people.csv", "--json").json["files"]["plan"]

    ran = ready.types("run", "--plan", plan, *CORRECTED, "--json")

    assert (ran.code, "the corrections of 'people.csv'" in ran.json["error"]) == (6, True), ran.out
