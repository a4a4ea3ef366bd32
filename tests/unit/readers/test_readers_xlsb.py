"""Binary workbooks: written here record by record after [MS-XLSB], and read alike by two other readers."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import pyxlsb
from python_calamine import CalamineWorkbook

from importer.core.errors import SourceError
from importer.profile.settings import SourceSettings
from importer.readers import open_source
from importer.readers.workbook.cells import rk_number

TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>"""
RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
RELATION = (
    '<Relationship Id="{}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="{}"/>'
)


def record(kind: int, content: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 0x80 else bytes([(kind & 0x7F) | 0x80, kind >> 7])
    size = len(content)
    length = b""
    while True:
        length += bytes([(size & 0x7F) | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return head + length + content


def wide(text: str) -> bytes:
    data = text.encode("utf-16-le")
    return struct.pack("<I", len(data) // 2) + data


def cell(kind: int, column: int, content: bytes, style: int = 0) -> bytes:
    return record(kind, struct.pack("<II", column, style) + content)


def row(number: int, *cells: bytes, hidden: bool = False) -> bytes:
    flags = 0x10 if hidden else 0
    return record(0, struct.pack("<IIHBBB", number, 0, 300, 0, flags, 0) + struct.pack("<I", 0)) + b"".join(cells)


def text(column: int, value: str) -> bytes:
    return cell(6, column, wide(value))


def real(column: int, value: float, style: int = 0) -> bytes:
    return cell(5, column, struct.pack("<d", value), style)


def whole(column: int, value: int, style: int = 0) -> bytes:
    return cell(2, column, struct.pack("<i", value << 2 | 2), style)


STRINGS = ("ID", "Name", "Zip", "Born", "Active", "Score")
HEADER = row(0, *(cell(7, i, struct.pack("<I", i)) for i in range(len(STRINGS))))
ROWS = [
    row(
        1,
        whole(0, 1),
        text(1, "Sarah Green"),
        whole(2, 2139, 1),
        real(3, 33050.0, 2),
        cell(4, 4, b"\x01"),
        real(5, 12.5),
    ),
    row(
        3,
        whole(0, 2),
        text(1, "Zoë"),
        whole(2, 94110, 1),
        real(3, 33051.0, 2),
        cell(4, 4, b"\x00"),
        cell(2, 5, struct.pack("<I", 1250 << 2 | 3)),
    ),
]
FORMULA = struct.pack("<HI", 0, 0)


def workbook(
    *rows: bytes, hidden_first: bool = False, before: bytes = b"", after: bytes = b"", header: bytes = HEADER
) -> bytes:
    sheet = record(129) + record(148, struct.pack("<4I", 0, 9, 0, 9)) + before + record(145)
    sheet += b"".join((header, *rows)) + record(146) + after + record(130)
    sheets = [("rId9", "Notes", 1)] if hidden_first else []
    bundle = b"".join(
        record(156, struct.pack("<II", state, i + 1) + wide(key) + wide(name))
        for i, (key, name, state) in enumerate([*sheets, ("rId1", "Customers", 0)])
    )
    parts = {
        "[Content_Types].xml": TYPES.encode(),
        "_rels/.rels": RELATIONS.format(RELATION.format("rId1", "officeDocument", "xl/workbook.bin")).encode(),
        "xl/_rels/workbook.bin.rels": RELATIONS.format(
            RELATION.format("rId1", "worksheet", "worksheets/sheet1.bin")
            + RELATION.format("rId9", "worksheet", "worksheets/sheet1.bin")
            + RELATION.format("rId2", "styles", "styles.bin")
            + RELATION.format("rId3", "sharedStrings", "sharedStrings.bin")
        ).encode(),
        "xl/workbook.bin": record(131)
        + record(153, struct.pack("<II", 0, 0) + wide(""))
        + record(143)
        + bundle
        + record(144)
        + record(132),
        "xl/styles.bin": record(278)
        + record(615, struct.pack("<I", 1))
        + record(44, struct.pack("<H", 164) + wide("00000"))
        + record(616)
        + record(617, struct.pack("<I", 3))
        + b"".join(record(47, struct.pack("<HH", 0, number) + b"\x00" * 12) for number in (0, 164, 14))
        + record(618)
        + record(279),
        "xl/sharedStrings.bin": record(159, struct.pack("<II", 6, 6))
        + b"".join(record(19, b"\x00" + wide(s)) for s in STRINGS)
        + record(160),
        "xl/worksheets/sheet1.bin": sheet,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def read(content: bytes, folder: Path) -> tuple[Any, list[list[str]], list[int], list[Any]]:
    path = folder / "customers.xlsb"
    path.write_bytes(content)
    reader = open_source(path, SourceSettings())
    batches = list(reader.batches())
    rows = [list(cells) for batch in batches for cells in zip(*batch.cells, strict=True)]
    issues = [issue for batch in batches for issue in batch.issues]
    info = reader.info
    reader.close()
    return info, rows, [number for batch in batches for number in batch.rows], issues


def test_cells_of_every_kind_are_read_as_the_person_sees_them(tmp_path: Path) -> None:
    info, rows, numbers, issues = read(workbook(*ROWS), tmp_path)
    assert info.columns == STRINGS
    assert rows == [
        ["1", "Sarah Green", "02139", "1990-06-26", "TRUE", "12.5"],
        ["2", "Zoë", "94110", "1990-06-27", "FALSE", "12.5"],
    ]
    assert numbers == [2, 4]
    assert not issues


def test_two_other_readers_see_the_same_values(tmp_path: Path) -> None:
    path = tmp_path / "customers.xlsb"
    path.write_bytes(workbook(*ROWS))
    by_calamine = CalamineWorkbook.from_path(path).get_sheet_by_name("Customers").to_python()
    assert by_calamine[1][1] == "Sarah Green"
    assert by_calamine[1][2] == 2139
    assert by_calamine[1][5] == 12.5
    with pyxlsb.open_workbook(str(path)) as book, book.get_sheet("Customers") as sheet:
        by_pyxlsb = [[item.v for item in line] for line in sheet.rows()]
    assert by_pyxlsb[0][:6] == list(STRINGS)
    assert by_pyxlsb[1][2] == 2139


def test_error_cells_and_failed_formulas_are_named(tmp_path: Path) -> None:
    failed = row(4, whole(0, 3), cell(3, 1, b"\x2a"), cell(11, 2, b"\x17" + FORMULA), text(3, "x"))
    _, rows, _, issues = read(workbook(*ROWS, failed), tmp_path)
    assert rows[2][1:3] == ["#N/A", "#REF!"]
    assert [(issue.ordinal, issue.code, issue.column) for issue in issues] == [
        (2, "cell_error", "Name"),
        (2, "cell_error", "Zip"),
    ]


def test_results_of_formulas_are_read(tmp_path: Path) -> None:
    formulas = row(
        4,
        cell(9, 0, struct.pack("<d", 3.0) + FORMULA),
        cell(8, 1, wide("Ann") + FORMULA),
        cell(10, 4, b"\x01" + FORMULA),
    )
    _, rows, _, issues = read(workbook(*ROWS, formulas), tmp_path)
    assert rows[2] == ["3", "Ann", "", "", "TRUE", ""]
    assert not issues


def test_hidden_sheets_rows_and_merged_cells_are_mentioned(tmp_path: Path) -> None:
    hidden = row(4, whole(0, 3), text(1, "Ann"), hidden=True)
    after = record(161, b"\x00" * 16) + record(176, struct.pack("<4I", 1, 2, 0, 0))
    columns = record(60, struct.pack("<4IH", 0, 0, 0, 0, 1))
    info, rows, _, _ = read(workbook(*ROWS, hidden, hidden_first=True, after=after, before=columns), tmp_path)
    assert info.sheet == "Customers"
    assert len(rows) == 3
    reported = " ".join(info.warnings)
    assert "Hidden sheets are not read: Notes" in reported
    assert "1 row of the sheet is hidden by a filter" in reported
    assert "Some columns of the sheet are hidden" in reported
    assert "merged over several rows, the last ones in row 3" in reported


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(row(4, whole(3, 1), whole(2, 1)), id="cells out of order"),
        pytest.param(row(1, whole(0, 1)), id="rows out of order"),
        pytest.param(row(4, whole(99_999, 1)), id="a column beyond the end"),
        pytest.param(row(9_999_999, whole(0, 1)), id="a row beyond the end"),
        pytest.param(row(4, cell(7, 0, struct.pack("<I", 4_000_000))), id="a string that is not there"),
        pytest.param(row(4, record(6, struct.pack("<III", 0, 0, 70_000))), id="a string longer than its record"),
        pytest.param(row(4, record(2, b"\x00")), id="a record that is too short"),
        pytest.param(b"\x06\xff\xff\xff\x7f", id="a record of 256 MB"),
        pytest.param(row(4, whole(0, 1, style=77)), id="a style that is not there"),
    ],
)
def test_a_damaged_sheet_is_refused(broken: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        read(workbook(*ROWS, broken), tmp_path)


@pytest.mark.parametrize(
    ("packed", "number"),
    [
        (struct.unpack("<I", struct.pack("<i", -5 << 2 | 2))[0], -5.0),
        (struct.unpack("<I", struct.pack("<i", 12345 << 2 | 3))[0], 123.45),
        (0x3FF00000, 1.0),
        (0x3FF00001, 0.01),
    ],
)
def test_packed_numbers_are_unpacked(packed: int, number: float) -> None:
    assert rk_number(packed) == number


def test_a_number_beyond_fifteen_digits_is_named(tmp_path: Path) -> None:
    long = row(4, real(0, 1234567890123456.0), text(1, "1234567890123456"), real(2, 123456789012345.0))
    _, rows, _, issues = read(workbook(*ROWS, long), tmp_path)
    assert rows[2][:3] == ["1234567890123456", "1234567890123456", "123456789012345"]
    assert [(issue.ordinal, issue.code, issue.column) for issue in issues] == [(2, "number_shortened", "ID")]
