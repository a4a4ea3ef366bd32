"""What was handed out for fixing comes back to the run that it came from: nobody twice, nobody lost."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from tests.acceptance.conftest import (
    User,
    Witness,
    ended,
    exactly_once,
    people,
    sandbox,
    serving,
    wait_for,
    wait_until,
)
from tests.acceptance.test_acceptance_exactly_once import LATE, faulty, sends

pytestmark = pytest.mark.slow


def test_a_run_is_taken_up_again_without_naming_its_profile_or_its_target(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    source = user.has(
        "people.csv",
        "Who,Surname,Mail,Tel\nAnn,Doe,ann@example.com,212-555-0101\nBea,Roe,bea@example.com,212-555-0102\n",
    )
    mapping = '[mapping]\n"firstName" = "Who"\n"lastName" = "Surname"\n"primaryEmail.value" = "Mail"\n'
    mapping += '"primaryPhoneNumber.number" = "Tel"\n"primaryPhoneNumber.type" = { value = "MOBILE" }\n'
    profile = profile_for(witness, more=mapping)
    first = user.types("run", source, *sandbox(profile), "--limit", "2", "--json", **witness.environ)
    profile.unlink()

    for command in ("resume", "retry", "export"):
        again = user.types(command, first.json["run_id"], "--json", **witness.environ)
        assert (again.code, again.json["target"], again.json["counts"]["created"]) == (0, "sandbox", 2), again.out


def test_a_run_goes_to_no_other_target(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    source = user.has("people.csv", people(1))
    user.types("run", source)

    ran = user.types("retry", "last", *sandbox(profile_for(witness)), **witness.environ)

    assert (ran.code, "--as-new" in ran.err) == (2, True)
    assert witness.ledger()["customers"] == 0


def test_a_live_target_is_asked_about_again_and_its_key_never_kept(user: User, witness: Witness) -> None:
    source = user.has("people.csv", people(1))
    profile = user.has("live.toml", f'[targets.live]\nbase_url = "{witness.base_url}"\n')
    where = ("--config", profile, "--target", "live", "--yes")
    run_id = user.types("run", source, *where, "--json", **witness.environ).json["run_id"]

    refused = user.types("retry", run_id, **witness.environ)
    agreed = user.types("retry", run_id, "--yes", "--json", **witness.environ)

    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert (agreed.code, agreed.json["target"]) == (0, "live")
    journal = (user.home / "runs" / "journal.sqlite3").read_bytes()
    assert witness.environ["ROCKETKOR_API_KEY"].encode() not in journal
    assert witness.environ["ROCKETKOR_API_SECRET"].encode() not in journal


# --------------------------------------------------------------------------- the loop, over a server of its own

GERMANS = 20
GERMAN_MAP = """
[mapping]
"externalId" = "Kunde"
"firstName" = "Vorname"
"lastName" = "Nachname"
"primaryEmail.value" = "Mail"
"primaryPhoneNumber.number" = "Telefon"
"primaryPhoneNumber.type" = { value = "MOBILE" }
[source]
encoding = "cp1252"
delimiter = ";"
header_row = 1
[validation]
default_region = "DE"
"""
HEADER = ["Kunde", "Vorname", "Nachname", "Mail", "Telefon"]


def germans() -> list[list[str]]:
    """Fictional people with national numbers; every tenth has no usable address."""
    return [
        [f"0{number:03}", "Jürgen", f"Müller{chr(97 + number)}", _mail(number), f"030 {5550100 + number}"]
        for number in range(GERMANS)
    ]


def _mail(number: int) -> str:
    return f"person{number}@example.com" if number % 10 else f"person{number}(at)example.com"


def as_text(user: User) -> Path:
    path = user.home / "kunden.csv"
    path.write_bytes("\r\n".join(";".join(row) for row in [HEADER, *germans()]).encode("cp1252") + b"\r\n")
    return path


def as_workbook(user: User) -> Path:
    book = Workbook()
    for row in [HEADER, *germans()]:
        book.worksheets[0].append(row)
    path = user.home / "kunden.xlsx"
    book.save(path)
    return path


def fix_text(path: Path, to: Path) -> Path:
    """Fix a CSV as a person does, in an editor."""
    to.write_text(path.read_text(encoding="utf-8").replace("(at)", "@"), encoding="utf-8")
    return to


def fix_in_excel(path: Path, to: Path) -> Path:
    """Fix a CSV as a German Excel saves it: semicolons, cp1252, zeros at the beginning gone."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [[_in_excel(cell.replace("(at)", "@")) for cell in row] for row in csv.reader(file)]
    with to.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    return to


def _in_excel(cell: str) -> str:
    return str(int(cell)) if cell.isdigit() else cell


def fix_workbook(path: Path, to: Path) -> Path:
    """Fix a workbook, in a spreadsheet program."""
    book = load_workbook(path)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and "(at)" in cell.value:
                    cell.value = cell.value.replace("(at)", "@")
    book.save(to)
    return to


def whole(witness: Witness, results: list[dict[str, str]]) -> None:
    """Every person of the source is at the server once, with the data of the row, and the results map all of them."""
    there = {customer["externalId"]: customer for customer in witness.customers()}
    assert len(witness.customers()) == len(there) == len(results) == GERMANS
    assert [row["_row"] for row in results] == [str(number + 2) for number in range(GERMANS)]
    for row, person in zip(results, germans(), strict=True):
        customer = there[person[0]]
        assert (row["_status"], row["_customer_id"], row["Kunde"]) == ("created", customer["id"], person[0])
        assert customer["lastName"] == person[2]
        assert customer["primaryPhoneNumber"]["number"] == f"+4930{person[4].removeprefix('030 ')}"


WAYS: list[tuple[Callable[[User], Path], str, Callable[[Path, Path], Path], str]] = [
    (as_text, "rejects.csv", fix_text, "fixed.csv"),
    (as_text, "rejects.csv", fix_in_excel, "fixed.csv"),
    (as_text, "results.csv", fix_text, "fixed.csv"),
    (as_text, "results.xlsx", fix_workbook, "fixed.xlsx"),
    (as_text, "kunden.annotated.xlsx", fix_workbook, "fixed.xlsx"),
    (as_workbook, "kunden.annotated.xlsx", fix_workbook, "fixed.xlsx"),
    (as_workbook, "rejects.csv", fix_text, "fixed.csv"),
]


@pytest.mark.parametrize(("source", "handed_out", "fix", "name"), WAYS)
@pytest.mark.parametrize("typed", ["retry", "run"])
def test_fixed_rows_come_back_to_their_run(  # noqa: PLR0917
    user: User,
    witness: Witness,
    profile_for: Callable[..., Path],
    source: Callable[[User], Path],
    handed_out: str,
    fix: Callable[[Path, Path], Path],
    name: str,
    typed: str,
) -> None:
    profile = profile_for(witness, more=GERMAN_MAP)
    first = user.types("run", source(user), *sandbox(profile), "--format", "csv,xlsx", "--json", **witness.environ)
    assert (first.code, first.json["counts"]["invalid"]) == (3, GERMANS / 10)
    run_id, directory = first.json["run_id"], user.home / "runs" / first.json["run_id"]
    unfixed = directory / handed_out

    command: tuple[str | Path, ...] = ("retry", run_id, "--fixed") if typed == "retry" else ("run",)
    as_it_was = user.types(*command, unfixed, "--json", **witness.environ)
    assert (as_it_was.code, as_it_was.json["counts"]) == (3, first.json["counts"])
    assert witness.ledger()["customers"] == GERMANS - 2

    fixed = fix(unfixed, user.home / name)
    for _ in range(2):
        back = user.types(*command, fixed, "--json", **witness.environ)
        assert (back.code, back.json["run_id"], back.json["counts"]["created"]) == (0, run_id, GERMANS), back.out
        whole(witness, user.reads(directory / "results.csv"))
    assert witness.ledger()["counts"]["create"] == {"201": GERMANS}


@pytest.mark.parametrize("handed_out", ["rejects.csv", "kunden.annotated.xlsx"])
def test_fixed_rows_come_back_by_the_folder_of_a_night(
    user: User, witness: Witness, profile_for: Callable[..., Path], handed_out: str
) -> None:
    more = GERMAN_MAP + '[nightly]\nsettle_s = 0.0\n[results]\nformats = ["csv", "xlsx"]\n'
    night = ("nightly", "inbox", *sandbox(profile_for(witness, more=more)), "--json")
    (user.home / "inbox").mkdir()
    as_text(user).rename(user.home / "inbox" / "kunden.csv")
    first = user.types(*night, **witness.environ).json["imports"][0]
    assert (first["fate"], first["counts"]["invalid"]) == ("imported", GERMANS / 10)
    put = Path(first["put"])

    fix = fix_text if handed_out.endswith(".csv") else fix_workbook
    unfixed = user.home / "runs" / first["run_id"] / handed_out
    for name, code, created in (("unfixed", 3, 18), ("fixed", 0, GERMANS), ("again", 0, GERMANS)):
        back = user.home / "inbox" / f"{name}{unfixed.suffix}"
        kept = user.home / f"kept{unfixed.suffix}"
        if name == "unfixed":
            fix(unfixed, kept)
            back.write_bytes(unfixed.read_bytes())
        else:
            back.write_bytes(kept.read_bytes())
        came = user.types(*night, **witness.environ)
        (done,) = came.json["imports"]
        assert (came.code, done["fate"], done["run_id"]) == (code, "imported", first["run_id"]), came.out
        assert done["counts"]["created"] == created
        assert (Path(done["put"]) / back.name).exists()
    whole(witness, user.reads(put / "results.csv"))
    assert user.types("purge", "--older-than", "1h", "--dry-run").code == 0
    again = user.types("retry", first["run_id"], "--json", **witness.environ)
    assert again.code == 0, again.out  # the files that came back are not taken for the run's source


def test_a_night_that_refuses_a_file_that_came_back_prints_no_command_on_a_file_that_it_moves_away(
    user: User, witness: Witness, profile_for: Callable[..., Path], refused: tuple[str, Path]
) -> None:
    run_id, directory = refused
    rejects = (directory / "rejects.csv").read_text().replace("(at)", "@")
    night = ("nightly", "inbox", *sandbox(profile_for(witness, more="[nightly]\nsettle_s = 0.0\n")), "--json")
    (user.home / "inbox").mkdir()
    for run in ("", "20200101T000000Z-abcdef"):
        (user.home / "inbox" / "back.csv").write_text(rejects.replace(run_id, run))
        ran = user.types(*night, **witness.environ)
        (done,) = ran.json["imports"]
        why = (Path(done["put"]) / "why.txt").read_text()
        assert (ran.code, done["fate"]) == (2, "refused"), ran.out
        for text in (done["error"], why):
            assert "_run" in text
            assert "--as-new" in text
            assert not any(word in text for word in ("processing", "importer run", "importer retry"))
    assert witness.ledger()["customers"] == 2


def test_a_night_whose_map_was_completed_checks_again_what_is_not_done(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    (user.home / "inbox").mkdir()
    lines = people(4).splitlines()
    typed = [f"{lines[0]},Kind", *(f"{line},{'Handy' if n == 2 else 'MOBILE'}" for n, line in enumerate(lines[1:]))]
    source = "\n".join(typed) + "\n"
    rule = '"primaryPhoneNumber.type" = {{ column = "Kind", map = {{ mobile = "MOBILE"{} }} }}\n'
    mapping = '[nightly]\nsettle_s = 0.0\n[mapping]\n"externalId" = "ID"\n"firstName" = "First Name"\n'
    mapping += '"lastName" = "Last Name"\n"primaryEmail.value" = "Email"\n"primaryPhoneNumber.number" = "Phone"\n'
    night = ("nightly", "inbox", "--json", *sandbox(profile_for(witness, more=mapping + rule.format(""))))
    (user.home / "inbox" / "a.csv").write_text(source)
    first = user.types(*night, **witness.environ).json["imports"][0]
    assert (first["counts"]["created"], first["counts"]["invalid"]) == (3, 1)

    profile_for(witness, more=mapping + rule.format(', handy = "MOBILE"'))
    (user.home / "inbox" / "a.csv").write_text(source)
    again = user.types(*night, **witness.environ).json["imports"][0]

    assert (again["run_id"], again["counts"]["created"], again["fate"]) == (first["run_id"], 4, "imported")
    assert witness.ledger()["counts"]["create"] == {"201": 4}


# --------------------------------------------------------------------------- what is refused


@pytest.fixture
def refused(user: User, witness: Witness, profile_for: Callable[..., Path]) -> tuple[str, Path]:
    """A run of three people, one of them without a usable address; its id, and its directory."""
    source = user.has("people.csv", people(3).replace("person1@example.com", "person1(at)example.com"))
    first = user.types("run", source, *sandbox(profile_for(witness)), "--json", **witness.environ)
    assert (first.code, first.json["counts"]["created"]) == (3, 2)
    return first.json["run_id"], user.home / "runs" / first.json["run_id"]


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_under_another_profile_or_to_another_target_nothing_is_taken(
    user: User, witness: Witness, profile_for: Callable[..., Path], refused: tuple[str, Path]
) -> None:
    run_id, directory = refused
    fixed = user.has("fixed.csv", (directory / "rejects.csv").read_text().replace("(at)", "@"))
    other = profile_for(witness, "other.toml", more='[validation]\ndefault_region = "DE"')
    with serving(user) as elsewhere:
        there = profile_for(elsewhere, "there.toml")
        for words in (
            ("run", fixed, "--config", other, "--target", "sandbox"),
            ("retry", run_id, "--fixed", fixed, "--config", other),
            ("run", fixed, "--target", "emulator"),
            ("retry", run_id, "--fixed", fixed, "--target", "emulator"),
            ("run", fixed, *sandbox(there)),
            ("run", fixed, "--workspace", "another"),
        ):
            ran = user.types(*words, **(elsewhere if there in words else witness).environ)
            assert ran.code == 2, (words, ran.err)
        assert elsewhere.ledger()["customers"] == 0
    assert witness.ledger()["customers"] == 2

    anew = user.types("run", fixed, "--as-new", "--json")
    assert (anew.code, anew.json["counts"]["created"], anew.json["target"]) == (0, 1, "emulator")


def test_rejects_of_a_rehearsal_go_to_the_real_target_only_as_new(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    source = user.has("people.csv", people(2).replace("person1@example.com", "person1(at)example.com"))
    rejects = user.types("run", source, "--json").json["files"]["rejects"]
    fixed = user.has("fixed.csv", (user.home / rejects).read_text().replace("(at)", "@"))
    where = sandbox(profile_for(witness))

    ran = user.types("run", fixed, *where, **witness.environ)
    assert (ran.code, "rehearsal" in ran.err, "--as-new" in ran.err) == (2, True, True)
    assert witness.ledger()["customers"] == 0
    assert user.types("run", fixed, *where, "--as-new", **witness.environ).code == 0
    assert witness.ledger()["customers"] == 1


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda lines: [*lines, lines[1]], "returned_row_repeated"),
        (lambda lines: [lines[0], lines[1].replace(",3,", ",99,", 1)], "returned_row_unknown"),
        (lambda lines: [lines[0], lines[1].replace(",3,", ",,", 1)], "returned_row_unknown"),
        (lambda lines: [lines[0], lines[1].rpartition(",")[0] + ",20200101T000000Z-aaaaaa"], "returned_run_other"),
        (lambda lines: [lines[0], lines[1].rpartition(",")[0] + ","], "returned_run_other"),
    ],
)
@pytest.mark.parametrize("typed", ["retry", "run"])
def test_a_line_that_identifies_no_row_is_an_error_and_not_a_new_customer(  # noqa: PLR0917
    user: User,
    witness: Witness,
    refused: tuple[str, Path],
    spoil: Callable[[list[str]], list[str]],
    code: str,
    typed: str,
) -> None:
    run_id, directory = refused
    good = lines_of(directory / "results.csv")[1]
    lines = spoil(lines_of(directory / "rejects.csv"))
    fixed = user.has("fixed.csv", "\n".join([*lines, good]).replace("(at)", "@") + "\n")

    command = ("retry", run_id, "--fixed", fixed) if typed == "retry" else ("run", fixed)
    back = user.types(*command, "--json", **witness.environ)

    assert (back.code, back.json["counts"]["created"], back.json["counts"]["invalid"]) == (3, 2, 1), back.out
    assert code in [issue["code"] for issue in back.json["issues"]]
    assert witness.ledger()["customers"] == 2


def test_a_changed_row_that_is_done_is_said_and_never_sent(
    user: User, witness: Witness, refused: tuple[str, Path]
) -> None:
    run_id, directory = refused
    text = (directory / "results.csv").read_text().replace("(at)", "@").replace("Givena", "Changed")
    back = user.types("retry", run_id, "--fixed", user.has("fixed.csv", text), "--json", **witness.environ)

    assert (back.code, back.json["counts"]["created"]) == (3, 3)
    assert "returned_row_done" in [issue["code"] for issue in back.json["issues"]]
    assert sorted(customer["firstName"] for customer in witness.customers()) == ["Givena", "Givenb", "Givenc"]
    results = user.reads(directory / "results.csv")
    assert [row["First Name"] for row in results] == ["Givena", "Givenb", "Givenc"]
    assert "returned_row_done" in results[0]["_warnings"]


def test_a_row_with_surplus_cells_comes_back_unfixed_and_stays_refused(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    lines = people(6).splitlines()
    lines[2] += ",surplus"
    run = ("run", user.has("people.csv", "\n".join(lines) + "\n"), *sandbox(profile_for(witness)), "--json")
    first = user.types(*run, **witness.environ).json
    assert (first["counts"]["created"], first["counts"]["invalid"]) == (5, 1)
    rejects = user.home / first["files"]["rejects"]
    header, row = lines_of(rejects)
    without = [
        ",".join(cell for cell in line.split(",") if cell not in {"_extra_1", "surplus"}) for line in (header, row)
    ]

    for unfixed in (rejects, user.has("lost.csv", "\n".join(without) + "\n")):
        back = user.types("run", unfixed, "--json", **witness.environ)
        assert (back.code, back.json["counts"]["invalid"]) == (3, 1)
    assert witness.ledger()["customers"] == 5
    fixed = user.has("fixed.csv", f"{header}\n{row.replace('surplus', '')}\n")
    assert user.types("run", fixed, "--json", **witness.environ).json["counts"]["created"] == 6


# --------------------------------------------------------------------------- a dry run goes on to the import


@pytest.mark.parametrize("typed", ["retry", "run"])
def test_what_a_dry_run_handed_out_comes_back_as_the_import_of_all_rows(
    user: User, witness: Witness, profile_for: Callable[..., Path], typed: str
) -> None:
    profile, source = profile_for(witness, more=GERMAN_MAP), as_text(user)
    checked = user.types("validate", source, "--config", profile, "--json")
    assert (checked.code, checked.json["counts"]) == (3, {"read": GERMANS, "valid": 18, "invalid": 2})
    fixed = fix_text(user.home / checked.json["files"]["rejects"], user.home / "fixed.csv")
    source.unlink()

    command = ("retry", checked.json["run_id"], "--fixed", fixed) if typed == "retry" else ("run", fixed)
    words = (*command, "--target", "sandbox")
    said = user.types(*words, **witness.environ)
    assert (said.code, "continues the dry run" in said.err) == (0, True), said.err
    for _ in range(2):
        again = user.types(*words, "--json", **witness.environ)
        assert (again.code, again.json["counts"]["created"]) == (0, GERMANS)
        assert again.json["run_id"] != checked.json["run_id"]
        whole(witness, user.reads(again.json["files"]["results"]))
    assert witness.ledger()["counts"]["create"] == {"201": GERMANS}


def test_a_dry_run_names_a_live_target_for_nobody(user: User, witness: Witness) -> None:
    profile = user.has("live.toml", f'target = "live"\n[targets.live]\nbase_url = "{witness.base_url}"\n')
    source = user.has("people.csv", people(2).replace("person1@example.com", "person1(at)example.com"))
    checked = user.types("validate", source, "--config", profile, "--json").json
    fixed = user.has("fixed.csv", (user.home / checked["files"]["rejects"]).read_text().replace("(at)", "@"))

    refused = user.types("retry", checked["run_id"], "--fixed", fixed, "--yes", **witness.environ)
    assert (refused.code, "--target live" in refused.err) == (2, True)
    assert witness.ledger()["customers"] == 0


def test_a_dry_run_that_nothing_came_back_for_is_not_retried(user: User) -> None:
    checked = user.types("validate", user.has("people.csv", people(2)), "--json").json
    ran = user.types("retry", checked["run_id"])
    assert (ran.code, "is a dry run" in ran.err) == (2, True)


def test_a_file_whose_run_was_cleared_is_refused_with_a_way_on(user: User, refused: tuple[str, Path]) -> None:
    run_id, directory = refused
    user.has("cleared.csv", (directory / "rejects.csv").read_text().replace(run_id, "").replace("(at)", "@"))

    ran = user.types("run", "cleared.csv")

    assert (ran.code, "its column '_run' is blank" in ran.err, "--as-new" in ran.err) == (2, True, True), ran.err


def test_a_part_of_a_file_that_came_back_is_asked_for_by_its_lines(
    user: User, witness: Witness, refused: tuple[str, Path]
) -> None:
    fixed = user.has("fixed.csv", (refused[1] / "rejects.csv").read_text().replace("(at)", "@"))

    ran = user.types("run", fixed, "--limit", "1", **witness.environ)

    assert (ran.code, "--limit" in ran.err, witness.ledger()["customers"]) == (2, True, 2), ran.err


@pytest.mark.parametrize("command", [("retry", "last", "--fixed"), ("run",)])
def test_a_workbook_with_two_sheets_of_fixed_rows_is_refused_until_one_is_left(
    user: User, command: tuple[str, ...]
) -> None:
    source = user.has("people.csv", people(3).replace("person1@", "person1(at)"))
    first = user.types("run", source, "--format", "csv,xlsx", "--json")
    fixed = fix_workbook(user.home / "runs" / first.json["run_id"] / "results.xlsx", user.home / "fixed.xlsx")
    book = load_workbook(fixed)
    book.copy_worksheet(book.worksheets[0])
    book.save(user.home / "two.xlsx")

    two = user.types(*command, "two.xlsx")
    assert (two.code, "Sheets 1 and 2" in two.err) == (2, True), two.err
    assert [row["_status"] for row in user.reads(first.json["files"]["results"])] == ["created", "invalid", "created"]
    assert user.types(*command, fixed, "--json").json["counts"]["created"] == 3


@pytest.mark.parametrize("column", ["_run", "_row"])
@pytest.mark.parametrize("typed", ["retry", "run"])
def test_what_was_moved_into_our_columns_is_repeated_nowhere(
    user: User, witness: Witness, refused: tuple[str, Path], column: str, typed: str
) -> None:
    run_id, directory = refused
    with (directory / "rejects.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    secret = "person1@example.com" if column == "_run" else "2125550101"
    rows[0][header.index(column)] = secret
    with (user.home / "moved.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])

    words = ("retry", run_id, "--fixed") if typed == "retry" else ("run",)
    ran = user.types(*words, "moved.csv", **witness.environ)

    assert ran.code == (2 if (typed, column) == ("run", "_run") else 3), ran.err
    written = [path.read_text(encoding="utf-8") for path in (directory / "report.json", directory / "run.log.jsonl")]
    assert not any(secret in text for text in (ran.out, ran.err, *written))
    assert witness.ledger()["customers"] == 2


def without(path: Path, to: Path, *names: str, more: str = "") -> Path:
    """A file of the run with columns deleted, and one of another name added behind the source's."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    at = [place for place, name in enumerate(rows[0]) if name not in names]
    last = len([name for name in rows[0] if not name.startswith("_") and name not in names])
    with to.open("w", encoding="utf-8", newline="") as file:
        for number, row in enumerate(rows):
            kept = [row[place] for place in at]
            added = [more if number == 0 else "1990-01-01"] if more else []
            csv.writer(file).writerow([*kept[:last], *added, *kept[last:]])
    return to


def test_surplus_cells_whose_columns_were_deleted_are_still_there_and_the_row_says_what_to_do(user: User) -> None:
    lines = people(3).splitlines()
    lines[1] += ",left over"
    lines[2] = lines[2].replace("@", "(at)")
    first = user.types("run", user.has("people.csv", "\n".join(lines) + "\n"), "--json")
    rejects = user.home / first.json["files"]["rejects"]
    rejects.write_text(rejects.read_text().replace("(at)", "@"))

    cut = user.types("run", without(rejects, user.home / "cut.csv", "_extra_1"), "--json")
    (row,) = [row for row in user.reads(cut.json["files"]["rejects"]) if row["_row"] == "2"]
    assert (cut.json["counts"]["created"], row["_extra_1"]) == (2, "left over")
    assert "clear those cells in the new rejects.csv" in row["_error_message"]

    user.has("cleared.csv", rejects.read_text().replace("left over", ""))
    cleared = user.types("run", "cleared.csv", "--json")
    assert (cleared.code, cleared.json["counts"]["created"]) == (0, 3), cleared.out


def test_a_column_that_was_deleted_takes_no_cells_of_another_one(user: User) -> None:
    source = user.has("people.csv", people(3).replace("person1@", "person1(at)"))
    first = user.types("run", source, "--json")
    handed_out = user.home / first.json["files"]["results"]
    handed_out.write_text(handed_out.read_text().replace("person1(at)", "person1@"))

    moved = without(handed_out, user.home / "moved.csv", "Last Name", more="Checked on")
    back = user.types("run", moved, "--json")

    assert (back.code, back.json["counts"]["created"], back.json["returned"]["refused"]) == (0, 3, []), back.out
    for row, line in zip(user.reads(back.json["files"]["results"]), people(3).splitlines()[1:], strict=True):
        assert [row[name] for name in ("ID", "First Name", "Last Name", "Email", "Phone")] == line.split(",")


@pytest.mark.parametrize("wrong", [{1, 3}, {0}, {0, 1, 2, 3}, {4}])
def test_of_rows_that_may_be_customers_of_their_own_each_that_comes_back_fixed_is_one(
    user: User, witness: Witness, profile_for: Callable[..., Path], wrong: set[int]
) -> None:
    profile = profile_for(witness, more='[validation]\nduplicates = "allow"')
    mails = [f"twin{'(at)' if number in wrong else '@'}example.com" for number in range(5)]
    lines = [f"Ann,Twin,{mail},+12125550101" for mail in mails]
    source = user.has("twins.csv", "\n".join(["First Name,Last Name,Email,Phone", *lines]) + "\n")
    first = user.types("run", source, *sandbox(profile), "--json", **witness.environ)
    assert first.json["counts"]["created"] == 5 - len(wrong)
    rejects = user.home / first.json["files"]["rejects"]
    fixed = user.has("fixed.csv", rejects.read_text().replace("(at)", "@"))

    for _ in range(2):
        back = user.types("run", fixed, "--json", **witness.environ)
        assert (back.code, back.json["counts"]["created"]) == (0, 5), back.out
    ids = {row["_customer_id"] for row in user.reads(first.json["files"]["results"])}
    assert ids == {customer["id"] for customer in witness.customers()}
    assert len(ids) == 5


# --------------------------------------------------------------------------- rows in doubt

NEVER = LATE.format(commit_s=1_000.0, answer_s=1_000.0) + "from_request = 0\nfor_requests = 4\n"
"""The first create goes nowhere, and nobody hears of it."""
PATIENCE = ("read_timeout_s = 0.2", "looks_after_s = [0, 0.1]", "max_attempts = 1")


def corrected(user: User, report: dict[str, Any]) -> Path:
    """The rejects of a run with every address changed."""
    text = (user.home / report["files"]["rejects"]).read_text(encoding="utf-8")
    return user.has("fixed.csv", text.replace("@example.com", "@example.org"))


def test_a_row_in_doubt_is_looked_up_as_it_was_sent_before_it_is_taken_as_fixed(user: User) -> None:
    with faulty(user, LATE.format(commit_s=1.0, answer_s=60.0)) as witness:
        ran, _ = sends(user, witness, people(3, external_ids=False), *PATIENCE)
        assert (ran.code, ran.json["counts"]["unknown"]) == (8, 3)
        wait_until(lambda: len(witness.customers()) == 3)

        fixed = corrected(user, ran.json)
        for _ in range(2):
            back = user.types("run", fixed, "--json", **witness.environ)
            assert (back.json["counts"]["read"], back.json["counts"]["created"]) == (3, 3), back.out
            results = user.reads(back.json["files"]["results"])
            assert all("fix_not_sent" in row["_warnings"] for row in results)
            assert len(witness.customers()) == 3


def test_a_row_in_doubt_that_was_not_created_is_sent_as_it_was_fixed(user: User) -> None:
    with faulty(user, NEVER) as witness:
        ran, _ = sends(user, witness, people(1, external_ids=False), *PATIENCE)
        assert (ran.code, ran.json["counts"]["unknown"]) == (8, 1)

        back = user.types("run", corrected(user, ran.json), "--json", **witness.environ)
        assert (back.code, back.json["counts"]["created"]) == (0, 1), back.out
        assert [customer["primaryEmail"]["value"] for customer in witness.customers()] == ["person0@example.org"]


def test_a_row_in_doubt_whose_fixed_form_has_errors_stays_in_doubt_and_is_not_sent(user: User) -> None:
    with faulty(user, NEVER) as witness:
        ran, _ = sends(user, witness, people(1, external_ids=False), *PATIENCE)
        spoilt = corrected(user, ran.json)
        spoilt.write_text(spoilt.read_text().replace("@example.org", "(at)example.org"))

        back = user.types("run", spoilt, "--json", **witness.environ)
        assert (back.code, back.json["counts"]["unknown"], len(witness.customers())) == (8, 1, 0)
        assert {"returned_in_doubt"} < {issue["code"] for issue in back.json["issues"]}


# --------------------------------------------------------------------------- killed in the middle, and once more


@pytest.mark.slow
def test_a_return_that_was_killed_is_there_as_a_whole_or_not_at_all(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    lines = people(60).replace("@example.com", "(at)example.com").splitlines()
    source = user.has("people.csv", "\n".join(lines) + "\n")
    where = sandbox(profile_for(witness, delivery=['rate = "20/s"']))
    first = user.types("run", source, *where, "--json", **witness.environ)
    fixed = user.has("fixed.csv", (user.home / first.json["files"]["rejects"]).read_text().replace("(at)", "@"))
    back = user.starts("run", fixed, **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 5, back)
    back.kill()
    ended(back)

    busy = user.starts("run", fixed, **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 20, busy)
    meanwhile = user.types("retry", first.json["run_id"], "--fixed", fixed, **witness.environ)
    assert meanwhile.code == 7
    busy.kill()
    ended(busy)

    again = user.types("resume", first.json["run_id"], "--rate", "500/s", "--json", **witness.environ)
    assert (again.code, again.json["counts"]["created"]) == (0, 60), again.out
    assert len(witness.customers()) == 60
    exactly_once(witness, user.reads(again.json["files"]["results"]))


def test_what_is_not_done_is_checked_again_under_another_profile_in_the_same_run(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    lines = people(3).splitlines()
    typed = [f"{lines[0]},Kind", *(f"{line},{'Handy' if n == 1 else 'MOBILE'}" for n, line in enumerate(lines[1:]))]
    source = user.has("people.csv", "\n".join(typed) + "\n")
    mapping = '[mapping]\n"externalId" = "ID"\n"firstName" = "First Name"\n"lastName" = "Last Name"\n'
    mapping += '"primaryEmail.value" = "Email"\n"primaryPhoneNumber.number" = "Phone"\n'
    rule = '"primaryPhoneNumber.type" = {{ column = "Kind", map = {{ mobile = "MOBILE"{} }} }}\n'
    poor = profile_for(witness, more=mapping + rule.format(""))
    first = user.types("run", source, *sandbox(poor), "--json", **witness.environ)
    assert (first.code, first.json["counts"]["created"]) == (3, 2)

    run_id = first.json["run_id"]
    complete = profile_for(witness, "complete.toml", more=mapping + rule.format(', handy = "MOBILE"'))
    again = user.types("retry", run_id, *sandbox(complete), "--json", **witness.environ)
    assert (again.code, again.json["run_id"], again.json["counts"]["created"]) == (0, run_id, 3), again.out
    complete.unlink()
    assert user.types("retry", run_id, "--json", **witness.environ).code == 0
    exactly_once(witness, user.reads(again.json["files"]["results"]))


@pytest.mark.parametrize("source", [as_text, as_workbook])
def test_a_workbook_that_is_handed_out_again_holds_what_was_fixed_before(
    user: User, witness: Witness, profile_for: Callable[..., Path], source: Callable[[User], Path]
) -> None:
    options = (*sandbox(profile_for(witness, more=GERMAN_MAP)), "--format", "csv,xlsx", "--json")
    first = user.types("run", source(user), *options, **witness.environ)
    annotated = user.home / first.json["files"]["annotated"]
    half = user.home / "half.xlsx"
    book = load_workbook(annotated)
    for row in book.worksheets[0].iter_rows():
        for cell in row:
            if cell.value == _mail(0):  # the number is spoilt while the address is fixed
                cell.value = "person0@example.com"
                phone = book.worksheets[0].cell(cell.row, cell.column + 1)
                phone.value = "030"
    book.save(half)

    back = user.types("run", half, "--format", "csv,xlsx", "--json", **witness.environ)
    assert (back.code, back.json["counts"]["invalid"]) == (3, 2)
    texts = {str(cell.value) for row in load_workbook(annotated).worksheets[0].iter_rows() for cell in row}
    assert {"person0@example.com", "030"} <= texts
    again = user.types("run", annotated, "--format", "csv,xlsx", "--json", **witness.environ)
    assert (again.json["counts"], again.json["returned"]["changed"]) == (back.json["counts"], 0)
    assert user.reads(again.json["files"]["results"])[0]["Telefon"] == "030"


def test_how_sources_are_read_says_nothing_about_a_file_that_came_back(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    source = user.home / "people.csv"
    source.write_text(people(3).replace("person1@", "person1(at)").replace(",", ";"), encoding="utf-8")
    where = sandbox(profile_for(witness))
    first = user.types("run", source, *where, "--delimiter", ";", "--json", **witness.environ).json
    fixed = user.has("fixed.csv", (user.home / first["files"]["rejects"]).read_text().replace("(at)", "@"))

    for words in ((), ("--delimiter", ";"), where):
        back = user.types("run", fixed, *words, "--json", **witness.environ)
        assert (back.code, back.json["run_id"], back.json["counts"]["created"]) == (0, first["run_id"], 3), back.out


@pytest.mark.parametrize("source", [as_text, as_workbook])
def test_with_a_profile_by_init_the_printed_command_alone_brings_the_rows_back(
    user: User, witness: Witness, source: Callable[[User], Path]
) -> None:
    path = source(user)
    assert user.types("init", path).code == 0
    profile = path.with_suffix(".toml")
    more = f'default_region = "DE"\n[targets.sandbox]\nbase_url = "{witness.base_url}"\n'
    profile.write_text(profile.read_text(encoding="utf-8").replace("[validation]\n", "[validation]\n" + more, 1))
    first = user.types("run", path, *sandbox(profile), "--json", **witness.environ)
    assert (first.code, first.json["counts"]["invalid"]) == (3, 2)

    words = shlex.split(first.json["next_command"])[1:]
    handed_out = Path(words[words.index("--fixed") + 1])
    (fix_text if handed_out.suffix == ".csv" else fix_workbook)(user.home / handed_out, user.home / handed_out)
    back = user.types(*words, "--json", **witness.environ)

    assert (back.code, back.json["run_id"], back.json["counts"]["created"]) == (0, first.json["run_id"], GERMANS)
    results = user.reads(back.json["files"]["results"])
    ids = {customer["id"]: customer["primaryEmail"]["value"] for customer in witness.customers()}
    assert len(ids) == GERMANS
    assert [ids[row["_customer_id"]] for row in results] == [row["Mail"] for row in results]
