"""A cell at the far corner of a sheet: memory follows the cells that exist, not the rectangle around them."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
LIMIT_MB, LIMIT_S = 200, 20

VALIDATE = """
import re, sys
from importer.profile import Profile
from importer.session import Session
profile = Profile.load(options={"workspace": sys.argv[2], "source.processes": 1})
report = Session(profile, "validate").validate(sys.argv[1])
print("counts", dict(report.counts))
print("told", sorted((row, one.code) for one in report.clusters for row in one.rows))
print("peak", int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
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


def validated(content: bytes, ending: str, folder: Path) -> tuple[str, int, str]:
    """Check a workbook in a process of its own, rendering included.

    Returns:
        The counts, the peak memory in MB, and row and code of every issue.

    Raises:
        subprocess.TimeoutExpired: it took twice `LIMIT_S`: others may keep this machine busy.
    """
    path = folder / f"customers.{ending}"
    path.write_bytes(content)
    command = [sys.executable, "-c", VALIDATE, str(path), str(folder / "runs")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=2 * LIMIT_S)
    counts, peak = re.search(r"counts (.*)", done.stdout), re.search(r"peak (\d+)", done.stdout)
    assert counts is not None
    assert peak is not None
    told = re.search(r"told (.*)", done.stdout)
    assert told is not None
    return counts[1], int(peak[1]), told[1]


@needs_proc
@pytest.mark.parametrize("ending", FORMATS)
def test_a_coloured_cell_in_the_last_corner_costs_nothing(tmp_path: Path, ending: str) -> None:
    counts, peak_mb, _ = validated(FORMATS[ending](value=None), ending, tmp_path)

    assert counts == "{'read': 1, 'valid': 1, 'invalid': 0}"
    assert peak_mb < LIMIT_MB


@needs_proc
def test_the_case_of_the_far_styled_cells(tmp_path: Path) -> None:
    case = Path(__file__).parents[2] / "cases" / "far_styled_cells.xlsx"

    counts, peak_mb, _ = validated(case.read_bytes(), "xlsx", tmp_path)

    assert counts == "{'read': 1, 'valid': 1, 'invalid': 0}"
    assert peak_mb < LIMIT_MB


PLACES = {"last row": (1.0, 1), "first rows": (0.0, 16_384), "middle": (0.86, 702), "last corner": (1.0, 16_384)}
"""Where a text stands: how far down the sheet, and in which column if the sheet is as wide."""
ROWS = {"xls": 65_536}
COLUMNS = {"xls": 256}


@needs_proc
@pytest.mark.parametrize(
    "place", [pytest.param(place, marks=[] if place == "last row" else pytest.mark.slow) for place in PLACES]
)
@pytest.mark.parametrize("ending", FORMATS)
def test_a_text_far_from_the_table_costs_nothing_and_is_reported(tmp_path: Path, ending: str, place: str) -> None:
    down, right = PLACES[place]
    row = max(int(down * ROWS.get(ending, 1_048_576)), 4)
    column = min(right, COLUMNS.get(ending, right))

    content = FORMATS[ending](value="call back", row=row, column=column)
    counts, peak_mb, told = validated(content, ending, tmp_path)

    assert counts == "{'read': 2, 'valid': 1, 'invalid': 1}"
    assert f"({row}, '{'required_missing' if column == 1 else 'cell_outside_table'}')" in told
    assert peak_mb < LIMIT_MB
