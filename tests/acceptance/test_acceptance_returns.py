"""What was handed out for fixing comes back to the run that it came from: nobody twice, nobody lost."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from tests.acceptance.conftest import User, Witness, people, sandbox


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
