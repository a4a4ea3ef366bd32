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

from tests.unit.readers.test_readers_xlsb import cell, row, text, workbook

HEADER = ["firstName", "lastName", "phone", "email"]
PERSON = ["Anna", "Green", "+14155550100", "a0@example.com"]
LIMIT_MB = 200

VALIDATE = """
import re, sys
from importer.profile import Profile
from importer.session import Session
profile = Profile.load(options={"workspace": sys.argv[2], "source.processes": 1})
report = Session(profile, "validate").validate(sys.argv[1])
print("counts", dict(report.counts))
print("peak", int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


def xlsx(*, value: str | None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADER)
    sheet.append(PERSON)
    sheet.cell(1_048_576, 16_384, value).fill = PatternFill("solid", fgColor="FFFF0000")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xls(*, value: str | None) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Customers")
    for at, cells in enumerate([HEADER, PERSON]):
        for place, one in enumerate(cells):
            sheet.write(at, place, one)
    sheet.write(65_535, 255, value or "", xlwt.easyxf("pattern: pattern solid, fore_colour red"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(*, value: str | None) -> bytes:
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
    sheet.addElement(table.TableRow(numberrowsrepeated=1_048_573))
    last = table.TableRow()
    last.addElement(table.TableCell(numbercolumnsrepeated=16_383))
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


def xlsb(*, value: str | None) -> bytes:
    far = text(16_383, value) if value else cell(1, 16_383, b"")
    lines = [
        row(at, *(text(place, one) for place, one in enumerate(cells))) for at, cells in enumerate([HEADER, PERSON])
    ]
    return workbook(lines[1], row(1_048_575, far), header=lines[0])


FORMATS: dict[str, Callable[..., bytes]] = {"xlsx": xlsx, "xls": xls, "ods": ods, "xlsb": xlsb}


def validated(content: bytes, ending: str, folder: Path) -> tuple[str, int]:
    """Check a workbook in a process of its own, rendering included; returns the counts and the peak memory in MB."""
    path = folder / f"customers.{ending}"
    path.write_bytes(content)
    command = [sys.executable, "-c", VALIDATE, str(path), str(folder / "runs")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    counts, peak = re.search(r"counts (.*)", done.stdout), re.search(r"peak (\d+)", done.stdout)
    assert counts is not None
    assert peak is not None
    return counts[1], int(peak[1])


@needs_proc
@pytest.mark.parametrize("ending", FORMATS)
def test_a_coloured_cell_in_the_last_corner_costs_nothing(tmp_path: Path, ending: str) -> None:
    counts, peak_mb = validated(FORMATS[ending](value=None), ending, tmp_path)

    assert counts == "{'read': 1, 'valid': 1, 'invalid': 0}"
    assert peak_mb < LIMIT_MB


@needs_proc
def test_the_case_of_the_far_styled_cells(tmp_path: Path) -> None:
    case = Path(__file__).parents[2] / "cases" / "far_styled_cells.xlsx"

    counts, peak_mb = validated(case.read_bytes(), "xlsx", tmp_path)

    assert counts == "{'read': 1, 'valid': 1, 'invalid': 0}"
    assert peak_mb < LIMIT_MB
