"""A file that was handed out is recognised in whatever form a spreadsheet program saved it, and no other file is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook

from importer.core.errors import SourceError
from importer.profile import SourceSettings
from importer.readers import open_handed_out, open_source

PINNED = SourceSettings(delimiter="|", encoding="ascii", header_row=7, sheet="Nowhere")
"""A profile that says everything else of its sources."""
ROWS = [["Name", "Ort", "_row", "_status", "_run"], ["Müller", "Köln; Süd", "2", "invalid", "R"]]


def text(delimiter: str) -> str:
    return "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in ROWS) + "\r\n"


@pytest.mark.parametrize(
    "saved",
    [
        text(",").encode(),
        text(";").encode("utf-8-sig"),
        text(";").encode("cp1252"),
        text("\t").encode("utf-16"),
        b"sep=;\r\n" + text(";").encode("cp1252"),
    ],
)
def test_a_text_is_read_by_what_it_is(tmp_path: Path, saved: bytes) -> None:
    path = tmp_path / "rejects.csv"
    path.write_bytes(saved)

    whole = open_handed_out(path, PINNED)
    assert whole is not None
    with closing(whole), closing(open_source(path, PINNED)) as without:
        assert [list(column) for batch in whole.batches() for column in batch.cells] == [[cell] for cell in ROWS[1]]
        assert whole.info.columns == tuple(ROWS[0])
        assert without.info.columns == ("Name", "Ort")
        assert [list(column) for batch in without.batches() for column in batch.cells] == [["Müller"], ["Köln; Süd"]]


def test_a_workbook_is_read_from_the_sheet_that_has_the_columns_under_its_titles(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["Notes"])
    sheet = book.create_sheet("Customers")
    for row in (["A title"], [], *ROWS):
        sheet.append(row)
    path = tmp_path / "fixed.xlsx"
    book.save(path)

    reader = open_handed_out(path, PINNED)
    assert reader is not None
    with closing(reader):
        assert (reader.info.sheet, reader.info.columns) == ("Customers", tuple(ROWS[0]))


@pytest.mark.parametrize("header", ["Name,Ort,_row", "Name,Ort,_run", "Name,Ort,my_run,_row", "_run of the mill,_row"])
def test_other_files_are_sources(tmp_path: Path, header: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"{header}\nAnn,Köln,2,x\n", encoding="utf-8")

    assert open_handed_out(path, SourceSettings()) is None


def test_a_workbook_without_the_columns_is_a_source(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["Name", "a _run in a cell"])
    book.worksheets[0].append(["Ann", "x"])
    book.save(tmp_path / "people.xlsx")

    assert open_handed_out(tmp_path / "people.xlsx", SourceSettings()) is None


def test_an_encoding_in_doubt_names_no_setting_that_would_not_help(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    path.write_bytes("Name,Ort,_row,_run\nŁódź,Źle,2,R\n".encode("cp1250") + b"\x81,\x8d,3,R\n")

    for opening in (open_handed_out, open_source):
        with pytest.raises(SourceError, match="cannot be detected from its bytes") as caught:
            opening(path, PINNED)
        assert "CSV UTF-8" in (caught.value.hint or "")
        assert "--encoding" not in (caught.value.hint or "")


def test_a_damaged_workbook_is_refused_by_whoever_reads_it_and_not_by_the_look_at_it(tmp_path: Path) -> None:
    part, book = "xl/worksheets/sheet1.xml", Workbook()
    for number in range(300):
        book.worksheets[0].append([f"Name {number}", f"{number**3} _ru"])
    path = tmp_path / "people.xlsx"
    book.save(path)
    with ZipFile(path) as archive:
        place = archive.getinfo(part).header_offset + len(part) + 60
    content = bytearray(path.read_bytes())
    content[place : place + 40] = b"\xff" * 40
    path.write_bytes(content)

    assert open_handed_out(path, SourceSettings()) is None
    with pytest.raises(SourceError, match="damaged"):
        open_source(path, SourceSettings())
