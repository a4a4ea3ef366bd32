"""A cell at the far corner of a sheet: memory follows the cells that exist, not the rectangle around them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from odf import style, table
from odf.opendocument import OpenDocumentSpreadsheet
from odf.text import P
from openpyxl.styles import PatternFill

from tests.unit.readers.test_readers_xlsb import cell, text, workbook
from tests.unit.readers.test_readers_xlsb import row as line

HEADER = ["firstName", "lastName", "phone", "email"]
PERSON = ["Anna", "Green", "+14155550100", "a0@example.com"]
LIMIT_MB, LIMIT_S = 240, 20
CLEAN = {"read": 1, "valid": 1, "invalid": 0}

VALIDATE = """
import json, re, sys
from importer.profile import Profile
from importer.runs.check import check
from importer.runs.context import Context
profile = Profile.load(options={"workspace": sys.argv[1], "source.processes": 1})
found = {}
for path in sys.argv[2:]:
    report = check(Context(profile, "validate"), path)
    reported = sorted((row, one.code) for one in report.clusters for row in one.rows)
    found[path.rpartition(".")[2]] = dict(report.counts), reported
print(json.dumps(found))
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


def xlsx(*, value: str | None, row: int = 1_048_576, column: int = 16_384) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADER)
    sheet.append(PERSON)
    sheet.cell(row, column, value).fill = PatternFill("solid", fgColor="FFFF0000")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xls(*, value: str | None, row: int = 65_536, column: int = 256) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Customers")
    for at, cells in enumerate([HEADER, PERSON]):
        for place, one in enumerate(cells):
            sheet.write(at, place, one)
    sheet.write(row - 1, column - 1, value or "", xlwt.easyxf("pattern: pattern solid, fore_colour red"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(*, value: str | None, row: int = 1_048_576, column: int = 16_384) -> bytes:
    document = OpenDocumentSpreadsheet()
    red = style.Style(name="red", family="table-cell")
    red.addElement(style.TableCellProperties(backgroundcolor="#ff0000"))
    document.automaticstyles.addElement(red)
    sheet = table.Table(name="Customers")
    for cells in (HEADER, PERSON):
        line = table.TableRow()
        for one in cells:
            line.addElement(_ods_text(one))
        sheet.addElement(line)
    sheet.addElement(table.TableRow(numberrowsrepeated=row - 3))
    last = table.TableRow()
    if column > 1:
        last.addElement(table.TableCell(numbercolumnsrepeated=column - 1))
    last.addElement(_ods_text(value) if value else table.TableCell(stylename="red"))
    sheet.addElement(last)
    document.spreadsheet.addElement(sheet)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def _ods_text(one: str) -> table.TableCell:
    made = table.TableCell(valuetype="string")
    made.addElement(P(text=one))
    return made


def xlsb(*, value: str | None, row: int = 1_048_576, column: int = 16_384) -> bytes:
    far = text(column - 1, value) if value else cell(1, column - 1, b"")
    lines = [
        line(at, *(text(place, one) for place, one in enumerate(cells))) for at, cells in enumerate([HEADER, PERSON])
    ]
    return workbook(lines[1], line(row - 1, far), header=lines[0])


FORMATS: dict[str, Callable[..., bytes]] = {"xlsx": xlsx, "xls": xls, "ods": ods, "xlsb": xlsb}


def validated(folder: Path, **contents: bytes) -> tuple[dict[str, Any], int]:
    """Check workbooks in a process of their own, rendering included.

    Args:
        contents: file name ending to content.

    Returns:
        By file name ending the counts, and row and code of every issue; the peak memory in MB.

    Raises:
        subprocess.TimeoutExpired: it took twice `LIMIT_S` each: others may keep this machine busy.
    """
    for ending, content in contents.items():
        (folder / f"customers.{ending}").write_bytes(content)
    paths = [str(folder / f"customers.{ending}") for ending in contents]
    command = [sys.executable, "-c", VALIDATE, str(folder / "runs"), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=2 * LIMIT_S * len(paths))
    *_, found, peak_mb = done.stdout.splitlines()
    return json.loads(found), int(peak_mb)


@needs_proc
@pytest.mark.slow
def test_a_coloured_cell_in_the_last_corner_costs_nothing(tmp_path: Path) -> None:
    found, peak_mb = validated(tmp_path, **{ending: make(value=None) for ending, make in FORMATS.items()})

    assert {ending: counts for ending, (counts, _) in found.items()} == dict.fromkeys(FORMATS, CLEAN)
    assert peak_mb < LIMIT_MB


@needs_proc
@pytest.mark.slow
def test_the_case_of_the_far_styled_cells(tmp_path: Path) -> None:
    case = Path(__file__).parents[2] / "cases" / "far_styled_cells.xlsx"

    found, peak_mb = validated(tmp_path, xlsx=case.read_bytes())

    assert found["xlsx"][0] == CLEAN
    assert peak_mb < LIMIT_MB


PLACES = {"last row": (1.0, 1), "first rows": (0.0, 16_384), "middle": (0.86, 702), "last corner": (1.0, 16_384)}
"""The place of a text: how far down the sheet, and in which column if the sheet is as wide."""
SIZES = {"xls": (65_536, 256)}


def far_place(place: str, ending: str) -> tuple[int, int]:
    """Row and column of a place in a sheet of a format."""
    down, right = PLACES[place]
    rows, columns = SIZES.get(ending, (1_048_576, 16_384))
    return max(int(down * rows), 4), min(right, columns)


@needs_proc
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.slow
def test_a_text_far_from_the_table_costs_nothing_and_is_reported(tmp_path: Path, place: str) -> None:
    at = {ending: far_place(place, ending) for ending in FORMATS}
    books = {ending: FORMATS[ending](value="call back", row=row, column=column) for ending, (row, column) in at.items()}

    found, peak_mb = validated(tmp_path, **books)

    assert [counts for counts, _ in found.values()] == [{"read": 2, "valid": 1, "invalid": 1}] * len(FORMATS)
    for ending, (row, column) in at.items():
        assert [row, "required_missing" if column == 1 else "cell_outside_table"] in found[ending][1]
    assert peak_mb < LIMIT_MB
