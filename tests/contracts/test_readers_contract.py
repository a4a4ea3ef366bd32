"""What every format promises, run over each of them: a new format joins the list and must pass."""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from odf import table as odf_table
from odf.opendocument import OpenDocumentSpreadsheet
from odf.text import P
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.batches import RawBatch
from importer.core.errors import SourceError
from importer.core.ports import Reader
from importer.core.sources import SourceInfo
from importer.profile.settings import SourceSettings
from importer.readers import content_hash, open_frame, open_source
from importer.readers.dataframe.reading import read_frame
from importer.readers.opening import FORMATS
from importer.readers.workbook.origin import BOOKS

HEADER = ["ID", "Name", "Email", "Zip"]
ROWS = [[f"C{n:03d}", f"Zo\u00eb {n}", f"zoe{n}@example.com", f"0{2000 + n}"] for n in range(1, 41)]


def as_csv(rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def as_xlsx(rows: list[list[str]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    assert isinstance(book.active, Worksheet)
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def as_xls(rows: list[list[str]]) -> bytes:
    book, out = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("Sheet")
    for i, row in enumerate(rows):
        for j, text in enumerate(row):
            sheet.write(i, j, text)
    book.save(out)
    return out.getvalue()


def as_ods(rows: list[list[str]]) -> bytes:
    document, out = OpenDocumentSpreadsheet(), io.BytesIO()
    sheet = odf_table.Table(name="Sheet")
    for row in rows:
        line = odf_table.TableRow()
        for text in row:
            cell = odf_table.TableCell(valuetype="string")
            cell.addElement(P(text=text))
            line.addElement(cell)
        sheet.addElement(line)
    document.spreadsheet.addElement(sheet)
    document.write(out)
    return out.getvalue()


def as_xlsb(rows: list[list[str]]) -> bytes:
    """Through the record writer of the tests of that format."""
    path = Path(__file__).parents[1] / "unit" / "readers" / "test_readers_xlsb.py"
    spec = importlib.util.spec_from_file_location("xlsb_writer", path)
    assert spec is not None
    assert spec.loader is not None
    writer: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    lines = [writer.row(i, *(writer.text(j, text) for j, text in enumerate(row))) for i, row in enumerate(rows)]
    content: bytes = writer.workbook(*lines, header=b"")
    return content


WRITERS: dict[str, Callable[[list[list[str]]], bytes]] = {
    "csv": as_csv,
    "xlsx": as_xlsx,
    "xls": as_xls,
    "ods": as_ods,
    "xlsb": as_xlsb,
}


@pytest.fixture(params=sorted(WRITERS))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"customers.{request.param}"
    path.write_bytes(WRITERS[request.param]([HEADER, *ROWS]))
    return path


@pytest.fixture
def reader(path: Path) -> Iterator[Reader]:
    with closing(open_source(path, SourceSettings(batch_rows=16))) as reader:
        yield reader


def flat(batches: list[RawBatch]) -> list[list[str]]:
    return [list(row) for batch in batches for row in zip(*batch.cells, strict=True)]


def test_every_format_is_in_the_contract() -> None:
    assert set(WRITERS) == (set(FORMATS) - {"excel"}) | set(BOOKS)


def test_info_is_known_before_the_first_batch(reader: Reader, path: Path) -> None:
    info = reader.info
    assert isinstance(info, SourceInfo)
    assert info.name == path.name
    assert info.columns == tuple(HEADER)
    assert info.format in FORMATS
    assert {"header_row"} <= {found.what for found in info.detected}
    assert all(0 <= found.confidence <= 1 for found in info.detected)


def test_rows_come_in_order_with_the_numbers_a_person_sees(reader: Reader) -> None:
    batches = list(reader.batches())
    assert flat(batches) == ROWS
    assert [number for batch in batches for number in batch.rows] == list(range(2, 42))
    assert all(0 < len(batch) <= 16 for batch in batches)
    assert [batch.first for batch in batches] == [sum(map(len, batches[:i])) for i in range(len(batches))]
    assert all(len(column) == len(batch) for batch in batches for column in batch.cells)


def test_batches_can_be_read_again_and_left_early(reader: Reader) -> None:
    next(iter(reader.batches()))
    assert flat(list(reader.batches())) == flat(list(reader.batches())) == ROWS


def test_closing_twice_is_harmless(reader: Reader) -> None:
    reader.close()
    reader.close()


def test_the_same_content_has_the_same_hash(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(path.read_bytes())
    assert content_hash(path) == content_hash(other)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_file_that_is_cut_off_is_refused_or_named(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    rows, named, refused = flat([]), False, ""
    try:
        with closing(open_source(path, SourceSettings())) as reader:
            batches = list(reader.batches())
            rows, named = flat(batches), any(batch.issues for batch in batches)
    except SourceError as refusal:
        refused = refusal.hint
    assert refused or named or rows == ROWS[: len(rows)]


def test_a_header_without_rows_is_refused(path: Path) -> None:
    path.write_bytes(WRITERS[path.suffix[1:]]([HEADER]))
    with pytest.raises(SourceError, match="no data rows"):
        open_source(path, SourceSettings())


def test_the_same_text_becomes_a_dataframe_and_a_source_again(reader: Reader) -> None:
    frame = read_frame(reader, SourceSettings())
    assert list(frame.columns) == HEADER
    assert frame.to_numpy().tolist() == ROWS
    assert frame.index.tolist() == list(range(2, 42))
    with closing(open_frame(frame, SourceSettings(batch_rows=16))) as again:
        assert (again.info.name, again.info.columns) == (reader.info.name, reader.info.columns)
        for batch, same in zip(again.batches(), reader.batches(), strict=True):
            assert batch.frame.equals(same.frame)
            assert (batch.first, batch.issues, batch.surplus) == (same.first, same.issues, same.surplus)
