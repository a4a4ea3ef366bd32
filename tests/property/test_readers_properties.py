"""What must hold for any table: text comes back as written, quick ways agree with exact ones, damage never escapes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
import zipfile
from contextlib import closing, suppress
from decimal import Decimal
from typing import Any, Literal

import openpyxl
import pyarrow as pa
import pytest
import xlsxwriter
import xlwt
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from importer.core.errors import SourceError
from importer.profile.settings import SourceLimits, SourceSettings
from importer.readers import open_source
from importer.readers.text.dialect import Dialect
from importer.readers.text.feed import Feed
from importer.readers.text.plain import parsed
from importer.readers.text.records import read_blocks
from importer.readers.workbook.cells import number_text, serial_text, time_text
from importer.readers.workbook.numberformats import renderer
from tests.effort import examples

LIMITS = SourceLimits()
quick = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\x1a\ufdd0\ufeff\r", exclude_categories=["Cs"]), max_size=12
)
CELLS = st.one_of(
    WORDS, st.sampled_from(['say "hi"', "a,b", "a;b", "x\ny", "x\r\ny", " padded ", "'quoted'", "back\\slash", "NA"])
)


def tables(width: int = 4) -> st.SearchStrategy[list[list[str]]]:
    return st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12)


def read(content: bytes, **how: Any) -> list[list[str]]:
    with closing(open_source("-", SourceSettings(**how), stdin=io.BytesIO(content))) as reader:
        return [list(row) for batch in reader.batches() for row in zip(*batch.cells, strict=True)]


def records(text: str, dialect: Dialect, piece: int = 1 << 20) -> list[tuple[int, list[str]]]:
    """The records that hold anything, with their numbers."""
    feed = Feed(_Pieces(text.encode(), piece), "utf-8", LIMITS)
    blocks = read_blocks(feed, dialect, LIMITS, "x")
    pairs = [pair for block in blocks for pair in zip(block.numbers, block.as_rows(), strict=True)]
    return [(number, list(row)) for number, row in pairs if any(map(str.strip, row))]


class _Pieces(io.BytesIO):
    """A stream that gives a chosen number of bytes at a time."""

    def __init__(self, content: bytes, piece: int) -> None:
        super().__init__(content)
        self._piece = piece

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(self._piece, self._piece if size is None or size < 0 else size))


@quick
@given(
    rows=tables(),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    everywhere=st.booleans(),
)
def test_a_table_written_by_a_program_comes_back_as_it_was(
    rows: list[list[str]], delimiter: str, end: str, everywhere: bool
) -> None:
    rows = [["1", *row] for row in rows]
    out = io.StringIO(newline="")
    quoting: Any = csv.QUOTE_ALL if everywhere else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(
        [["ID", "A", "B", "C", "D"], *rows]
    )
    found = read(out.getvalue().encode(), delimiter=delimiter, quote='"', header_row=1, encoding="utf-8")
    assert found == rows


@quick
@given(text=st.text(st.sampled_from('ab,"\n\r; '), max_size=60), piece=st.integers(1, 9))
def test_records_do_not_depend_on_where_the_pieces_end(text: str, piece: int) -> None:
    dialect = Dialect(",", width=2)
    assert records(text, dialect, piece) == records(text, dialect)


@quick
@given(
    rows=st.lists(st.lists(st.text("ab '.", max_size=3), min_size=3, max_size=3), min_size=1),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_plain_blocks_are_split_as_the_exact_parser_would(rows: list[list[str]], end: str) -> None:
    text = "".join(",".join(row) + end for row in rows)
    plain = parsed(text, Dialect(",", width=3))
    assert plain is not None
    assert rows_of(plain) == list(csv.reader(io.StringIO(text, newline="")))


@quick
@given(
    rows=st.lists(st.lists(st.text('ab ",', max_size=4) | st.just('x\n"y"'), min_size=3, max_size=3), min_size=1),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_sound_quoted_blocks_are_parsed_as_the_exact_parser_would(
    rows: list[list[str]], end: str, quoting: Literal[0, 1]
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(rows)
    plain = parsed(text.getvalue(), Dialect(",", width=3))
    assert plain is not None
    assert rows_of(plain) == rows


@given(text=st.text(st.sampled_from('ab,"\n\r\x00\ufeff'), max_size=40))
@settings(max_examples=examples(600), deadline=None)
def test_a_block_is_parsed_only_where_that_is_exact(text: str) -> None:
    plain = parsed(text, Dialect(",", width=2))
    if plain is None:
        return
    assert rows_of(plain) == list(csv.reader(io.StringIO(text, newline=""), strict=True))


def rows_of(table: pa.Table) -> list[list[str]]:
    return [list(row) for row in zip(*map(pa.ChunkedArray.to_pylist, table.columns), strict=True)]


@quick
@given(
    content=st.binary(max_size=300),
    codec=st.sampled_from(["utf-8", "utf-16-be", "utf-16-le", "cp1252", "shift_jis", "utf-8-sig"]),
    piece=st.integers(1, 40),
)
def test_any_bytes_are_decoded_and_every_fault_has_its_place(content: bytes, codec: str, piece: int) -> None:
    feed = Feed(_Pieces(content, piece), codec, LIMITS)
    text = ""
    while more := feed.take():
        text += more
    assert all(0 <= offset < len(content) for offset in feed.offsets)
    assert list(feed.offsets) == sorted(feed.offsets)
    with suppress(UnicodeDecodeError):
        assert text == content.decode(codec).rstrip("\x1a\x00") or text.count("\ufdd0")


@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
@example(4155550123.0)
@example(4.155550123e9)
@example(12.300000000000001)
def test_a_number_is_written_in_full_and_keeps_fifteen_digits(value: float) -> None:
    text = number_text(repr(value))
    assert "e" not in text.lower()
    assert not text.endswith(".0")
    assert float(text) == pytest.approx(value, rel=1e-14, abs=0)
    assert Decimal(text) == Decimal(text)


@given(st.integers(61, 2_958_465), st.integers(0, 86_399))
def test_a_day_count_is_the_date_that_excel_shows(days: int, seconds: int) -> None:
    shown = dt.datetime.fromisoformat("1899-12-30") + dt.timedelta(days=days, seconds=seconds)
    text = serial_text(repr(days + seconds / 86_400), "datetime", epoch_1904=False)
    assert text == (shown.date().isoformat() if seconds == 0 else shown.isoformat(" "))


@given(st.integers(0, 10**9), st.integers(1, 12))
def test_a_format_of_zeros_pads_and_never_cuts(value: int, zeros: int) -> None:
    assert renderer(164, "0" * zeros, epoch_1904=False)(str(value)) == str(value).zfill(zeros)


@given(st.text(st.sampled_from('0#?.,;-()"\\[]<>=@dmyhsGE% _*/'), max_size=20), st.integers(0, 10**10))
def test_no_number_format_breaks_or_loses_digits(code: str, value: int) -> None:
    assert isinstance(renderer(164, code, epoch_1904=False)(str(value)), str)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(-1e10, 1e10).map(lambda value: round(value, 6)),
    st.dates(dt.date(1900, 3, 1), dt.date(2199, 1, 1)),
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co"), exclude_characters="_\ufffe\uffff"),
        max_size=9,
    ).filter(lambda text: not text.startswith(("=", "{="))),
)


def shown(value: Any) -> str:
    """What a person sees of a value that calamine gives."""
    if isinstance(value, str | bool):
        return str(value) if isinstance(value, str) else str(value).upper()
    return number_text(repr(value)) if isinstance(value, int | float) else time_text(value)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=8))
def test_a_workbook_is_read_as_calamine_reads_it(rows: list[list[Any]]) -> None:
    content = _workbook([["ID", "A", "B", "C"], *([i, *row] for i, row in enumerate(rows, 1))])
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    expected = [[shown(value) for value in row] for row in sheet.to_python(skip_empty_area=False)[1:]]
    found = read(content, header_row=1)
    assert [row + [""] * (4 - len(row)) for row in expected] == found


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=8))
def test_an_old_workbook_is_read_as_calamine_reads_it(rows: list[list[Any]]) -> None:
    content = _old_workbook([["ID", "A", "B", "C"], *([i, *row] for i, row in enumerate(rows, 1))])
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    expected = [[shown(value) for value in row] for row in sheet.to_python(skip_empty_area=False)[1:]]
    assert [row + [""] * (4 - len(row)) for row in expected] == read(content, header_row=1)


def _old_workbook(rows: list[list[Any]]) -> bytes:
    book, out = xlwt.Workbook(), io.BytesIO()
    sheet, date = book.add_sheet("A"), xlwt.easyxf(num_format_str="D/M/YYYY")
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if value is not None:
                sheet.write(i, j, value, date) if isinstance(value, dt.date) else sheet.write(i, j, value)
    book.save(out)
    return out.getvalue()


LONG = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)


@settings(max_examples=examples(15), deadline=None)
@given(st.lists(LONG, min_size=40, max_size=60))
def test_strings_cut_between_records_of_an_old_workbook_are_put_together(texts: list[str]) -> None:
    texts = [f"{i} {text * 9}" for i, text in enumerate(texts)]
    content = _old_workbook([["ID", "Text"], *([i, text] for i, text in enumerate(texts, 1))])
    assert [row[1] for row in read(content, header_row=1)] == texts


def _workbook(rows: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False, "strings_to_urls": False})
    sheet, date = book.add_worksheet(), book.add_format({"num_format": "d/m/yyyy"})
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if isinstance(value, dt.date):
                sheet.write_datetime(i, j, dt.datetime.combine(value, dt.time()), date)
            elif isinstance(value, str):
                sheet.write_string(i, j, value)
            else:
                sheet.write(i, j, value)
    book.close()
    return out.getvalue()


def _seeds() -> dict[str, bytes]:
    text = "Name,Email,Phone\n" + "".join(f'"Ann, {i}",ann{i}@example.com,4155550{i:03d}\n' for i in range(40))
    modern, old = io.BytesIO(), io.BytesIO()
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    legacy = xlwt.Workbook()
    sheet = legacy.add_sheet("A")
    for i, line in enumerate(csv.reader(text.splitlines())):
        book.active.append(line)
        for j, cell in enumerate(line):
            sheet.write(i, j, cell)
    book.save(modern)
    legacy.save(old)
    shared = _workbook([list(line) for line in csv.reader(text.splitlines())])
    return {
        "csv": text.encode(),
        "utf-16": text.encode("utf-16"),
        "xlsx": modern.getvalue(),
        "shared": shared,
        "xls": old.getvalue(),
    }


SEEDS = _seeds()


@settings(max_examples=examples(150), deadline=None)
@given(kind=st.sampled_from(sorted(SEEDS)), seed=st.integers(0, 2**32), inside=st.booleans())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(kind: str, seed: int, inside: bool) -> None:
    dice = random.Random(seed)
    content = SEEDS[kind]
    damaged = _damaged_part(content, dice) if inside and content.startswith(b"PK") else _damaged(content, dice)
    with suppress(SourceError):
        read(damaged)


def _damaged(content: bytes, dice: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(dice.choice([1, 2, 8])):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(4)
        if kind == 0:
            data[at : at + 1] = bytes([dice.randrange(256)])
        elif kind == 1:
            del data[at : at + dice.randrange(40)]
        elif kind == 2:
            data[at : at + 4] = dice.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"])
        else:
            del data[at:]
    return bytes(data)


def _damaged_part(content: bytes, dice: random.Random) -> bytes:
    source, out = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    hit = dice.choice(source.namelist())
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = source.read(name)
            target.writestr(name, _damaged(part, dice) if name == hit else part)
    return out.getvalue()
