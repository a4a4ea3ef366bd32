"""What is handed out for fixing holds all that the source held, and says which row of which run each line is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pyarrow import parquet

from tests.acceptance.conftest import User, people

HEADER = "firstName,lastName,phone,email"
ROWS = (
    "Ann,Green,+14155550101,ann@example.com",
    "-Bob,Grey,+14155550102,bob@example.com,call back,=1+1",
    "Cy,Grey,call me,cy@example.com",
)


def checked(user: User, name: str, *options: str) -> dict[str, Any]:
    """The report of a dry run."""
    return user.types("validate", name, "--json", *options).json


def read(path: Path) -> list[dict[str, str]]:
    """The rows of results in a further format; blank cells left out."""
    rows: list[dict[str, Any]]
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    elif path.suffix == ".parquet":
        rows = parquet.read_table(path).to_pylist()
    else:
        lines = list(openpyxl.load_workbook(path).worksheets[0].values)
        rows = [dict(zip(map(str, lines[0]), line, strict=True)) for line in lines[1:]]
    return [{name: str(value) for name, value in row.items() if value not in (None, "")} for row in rows]


def test_surplus_cells_are_in_every_table_and_in_explain_for_their_row(user: User) -> None:
    user.has("customers.csv", "\n".join([HEADER, *ROWS, ""]))

    report = checked(user, "customers.csv", "--format", "xlsx,jsonl,parquet")

    expected = {"_extra_1": "call back", "_extra_2": "=1+1"}
    for kind in ("results", "rejects"):
        assert expected.items() <= next(row for row in user.reads(report["files"][kind]) if row["_row"] == "3").items()
    for kind in ("xlsx", "jsonl", "parquet"):
        lines = read(user.home / report["files"][kind])
        assert [{name: row[name] for name in expected if name in row} for row in lines] == [{}, expected, {}]
    story = user.types("explain", "last", "3", "--show-values", "--json").json
    assert expected.items() <= story["cells"].items()


@pytest.mark.parametrize("kind", ["rejects", "annotated", "results", "xlsx"])
def test_a_row_with_surplus_cells_is_still_invalid_when_it_comes_back_unfixed(user: User, kind: str) -> None:
    user.has("customers.csv", "\n".join([HEADER, *ROWS, ""]))
    handed_out = user.home / checked(user, "customers.csv", "--format", "xlsx")["files"][kind]
    shutil.copyfile(handed_out, user.home / f"back{handed_out.suffix}")

    again = checked(user, f"back{handed_out.suffix}")

    assert again["counts"]["invalid"] == 2
    assert "row_too_long" in {issue["code"] for issue in again["issues"]}
    assert {"-Bob"} <= {row["firstName"] for row in user.reads(again["files"]["results"])}


def test_a_remark_beside_the_table_of_a_workbook_stays_a_warning_on_its_way_back(user: User) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for line in people(4).splitlines():
        sheet.append(line.split(","))
    sheet["H3"] = "call her on Tuesday"
    sheet["A9"] = "=1+1"  # a formula: nothing may be moved, so our columns stand at the right
    book.save(user.home / "customers.xlsx")

    report = checked(user, "customers.xlsx", "--format", "xlsx")
    rows = {row["_row"]: row for row in user.reads(report["files"]["results"])}

    assert rows["3"]["_extra_1"] == "call her on Tuesday"
    assert rows["3"]["_warnings"].startswith("cell_outside_table: ")
    for kind in ("annotated", "results", "xlsx"):
        handed_out = user.home / report["files"][kind]
        shutil.copyfile(handed_out, user.home / f"{kind}{handed_out.suffix}")
        again = checked(user, f"{kind}{handed_out.suffix}")
        assert again["source_info"]["columns"] == ["ID", "First Name", "Last Name", "Email", "Phone"]
        assert ("cell_outside_table", "warning") in {(one["code"], one["severity"]) for one in again["issues"]}
        assert "row_too_long" not in {one["code"] for one in again["issues"]}


def test_every_line_of_an_annotated_workbook_names_its_run_and_row(user: User) -> None:
    user.has("customers.csv", people(3))

    report = checked(user, "customers.csv", "--format", "xlsx")

    sheet = openpyxl.load_workbook(user.home / report["files"]["annotated"]).worksheets[0]
    lines = [dict(zip(next(sheet.values), line, strict=True)) for line in list(sheet.values)[1:]]
    assert [(line["_run"], line["_row"]) for line in lines] == [(report["run_id"], row) for row in (2, 3, 4)]
