"""The small parts of reading workbooks: strings, numbers and their formats, old containers, the choice of a sheet."""

from __future__ import annotations

import datetime as dt
import io
import struct
from typing import Any

import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from importer.core.errors import SourceError
from importer.readers.workbook.cells import iso_text, number_text, serial_text, time_text
from importer.readers.workbook.numberformats import date_kind, digit_sections, plain_text, renderer
from importer.readers.workbook.package import unescaped
from importer.readers.workbook.sheetrows import BlockBuilder
from importer.readers.workbook.sheets import Sheet, choose_sheet, describe_sheets
from importer.readers.workbook.strings import SharedStrings
from importer.readers.workbook.xls.container import workbook_stream
from importer.readers.workbook.xls.records import Cursor, plain_string, read_records


class TestSharedStrings:
    def test_a_few_stay_in_memory_and_are_the_quickest_sequence(self) -> None:
        strings = SharedStrings(100, "x")
        strings.add(["a", "Zoë"])
        strings.settle()
        assert list(strings.all()) == ["a", "Zoë"]
        assert isinstance(strings.all(), list)

    def test_very_many_are_read_from_disk_one_by_one(self) -> None:
        strings = SharedStrings(100, "x")
        for start in range(0, 1_200_000, 100_000):
            strings.add([f"Zoë {n}" for n in range(start, start + 100_000)])
        strings.settle()
        found = strings.all()
        assert not isinstance(found, list)
        assert len(found) == 1_200_000
        assert (found[0], found[1_199_999], found[3:5]) == ("Zoë 0", "Zoë 1199999", ["Zoë 3", "Zoë 4"])
        with pytest.raises(IndexError):
            found[1_200_000]
        strings.close()

    def test_one_beyond_the_limit_is_refused(self) -> None:
        with pytest.raises(SourceError, match="more than the 3 characters"):
            SharedStrings(3, "x").add(["abcd"])


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("00000", "2139", "02139"),
        ("00000-0000", "21391234", "2139-1234".zfill(10)),
        ("000-00-0000", "12345678", "012-34-5678"),
        ("(000) 000-0000", "4155550101", "(415) 555-0101"),
        ("[<=9999999]###-####;(###) ###-####", "5550101", "555-0101"),
        ("[<=9999999]###-####;(###) ###-####", "4155550101", "(415) 555-0101"),
        ("[>=1000][Red]0000;000", "5", "005"),
        ('"C-"0000', "7", "C-0007"),
        ("\\C000", "7", "C007"),
        ("00000;-00000", "12", "00012"),
        ("000", "12345", "12345"),
        ("0", "12", "12"),
        ("General", "12", "12"),
        ("#,##0.00", "1234.5", "1234.5"),
        ("0.00E+00", "4155550101", "4155550101"),
        ("0%", "0.25", "0.25"),
        ("@", "12", "12"),
        ("00000", "12.5", "12.5"),
        ("00000", "-12", "-12"),
        ("_(* 00000_)", "12", "00012"),
        ("0" * 300, "12", "12"),
        ("", "12", "12"),
    ],
)
def test_digits_are_shown_as_their_format_says(code: str, number: str, shown: str) -> None:
    assert renderer(164, code, epoch_1904=False)(number) == shown


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("yyyy-mm-dd", "date"),
        ("m/d/yy", "date"),
        ("mmmm", "date"),
        ("[$-409]d-mmm-yy;@", "date"),
        ("[$-F800]dddd, mmmm dd, yyyy", "date"),
        ("m/d/yy h:mm", "datetime"),
        ("h:mm AM/PM", "time"),
        ("mm:ss", "time"),
        ("[h]:mm:ss", "duration"),
        ("General", None),
        ("0.00", None),
        ('"days" 0', None),
        ("\\d0", None),
        ("[Red]0", None),
        ("_d0", None),
    ],
)
def test_dates_are_distinguished_from_numbers(code: str, kind: str | None) -> None:
    assert date_kind(code) == kind


@pytest.mark.parametrize(
    ("number", "shown"), [(14, "1990-06-26"), (22, "1990-06-26 12:00:00"), (0, "33050.5"), (49, "33050.5")]
)
def test_built_in_formats_need_no_code(number: int, shown: str) -> None:
    assert renderer(number, None, epoch_1904=False)("33050.5") == shown


@pytest.mark.parametrize(
    ("raw", "kind", "shown"),
    [
        ("1", "date", "1900-01-01"),
        ("59", "date", "1900-02-28"),
        ("60", "date", "1900-02-29"),
        ("61", "date", "1900-03-01"),
        ("0.5", "time", "12:00:00"),
        ("33050.75", "time", "1990-06-26 18:00:00"),
        ("33050.999999999", "datetime", "1990-06-27"),
        ("1.5", "duration", "36:00:00"),
        ("-5", "date", "-5"),
        ("9999999", "date", "9999999"),
        ("2958465.9999999", "datetime", "2958465.9999999"),
        ("x", "date", "x"),
    ],
)
def test_day_counts_become_dates(raw: str, kind: Any, shown: str) -> None:
    assert serial_text(raw, kind, epoch_1904=False) == shown


def test_days_may_be_counted_from_1904() -> None:
    assert serial_text("31588", "date", epoch_1904=True) == "1990-06-26"
    assert serial_text("2957500", "date", epoch_1904=True) == "2957500"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("3.0", "3"),
        ("4155550101.0", "4155550101"),
        ("1e22", "10000000000000000000000"),
        ("1.5e-07", "0.00000015"),
        ("inf", "inf"),
    ],
)
def test_numbers_become_text_without_exponent(value: str, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (dt.date(1990, 6, 26), "1990-06-26"),
        (dt.time(9, 30), "09:30:00"),
        (dt.timedelta(hours=30), "30:00:00"),
    ],
)
def test_moments_become_text(value: Any, text: str) -> None:
    assert time_text(value) == text


def test_times_are_rounded_to_the_second() -> None:
    moment = dt.datetime.fromisoformat("1990-06-26T23:59:59.600")
    assert time_text(moment) == "1990-06-27"
    assert iso_text("1990-06-26T00:00:00Z") == "1990-06-26"
    assert iso_text("1990-06-26T14:30:00") == "1990-06-26 14:30:00"
    assert iso_text("no date") == "no date"


@pytest.mark.parametrize(
    ("raw", "text"), [("007", "7"), ("12", "12"), ("0", "0"), ("1E3", "1000"), ("x", "x"), ("1" * 20, "1" + "1" * 19)]
)
def test_stored_numbers_are_given_in_full(raw: str, text: str) -> None:
    assert plain_text(raw)[:15] == text[:15]
    assert number_text("-0") == "0"


@given(st.text(max_size=30))
def test_sections_of_any_code_are_found_or_not_but_never_fail(code: str) -> None:
    digit_sections(code)
    date_kind(code)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a_x000D_b", "a\rb"),
        ("_x005F_x41", "_x41"),
        ("_xD83D__xDE00_", "\U0001f600"),
        ("_xD83D_", "\ufffd"),
        ("_xyz_", "_xyz_"),
    ],
)
def test_escaped_characters_are_put_back(written: str, text: str) -> None:
    assert unescaped(written) == text


class TestSheets:
    SHEETS = (Sheet("Notes", hidden=True), Sheet("Customers"), Sheet("2"))

    @pytest.mark.parametrize(
        ("wanted", "name"),
        [
            (None, "Customers"),
            ("customers", "Customers"),
            (" Notes ", "Notes"),
            (1, "Notes"),
            (2, "Customers"),
            ("2", "2"),
            ("3", "2"),
        ],
    )
    def test_one_is_chosen_by_name_or_number(self, wanted: Any, name: str) -> None:
        assert choose_sheet(self.SHEETS, wanted, "x.xlsx").name == name

    @pytest.mark.parametrize(
        ("wanted", "hint"),
        [
            ("Custmers", "Did you mean 'Customers'?"),
            ("zzz", "It has: Notes, Customers, 2."),
            (0, "It has"),
            (9, "It has"),
        ],
    )
    def test_one_that_is_not_there_is_refused(self, wanted: Any, hint: str) -> None:
        with pytest.raises(SourceError, match="no sheet") as refusal:
            choose_sheet(self.SHEETS, wanted, "x.xlsx")
        assert hint in refusal.value.hint

    def test_a_workbook_without_any_is_refused(self) -> None:
        with pytest.raises(SourceError, match="no worksheet"):
            choose_sheet((), None, "x.xlsx")

    def test_a_hidden_one_that_was_asked_for_is_mentioned(self) -> None:
        found, warnings = describe_sheets(self.SHEETS, self.SHEETS[0])
        assert found.note == "of 3: Notes, Customers, 2"
        assert warnings == ("The sheet 'Notes' is hidden in the workbook.",)


def test_rows_out_of_order_are_damage() -> None:
    rows = BlockBuilder()
    rows.add(0, ["a"], ())
    rows.add(5, ["b"], ())
    with pytest.raises(ValueError, match="out of order"):
        rows.add(5, ["c"], ())
    assert list(rows.take().numbers) == [1, 5]


class TestOldContainers:
    @pytest.fixture
    def content(self) -> bytes:
        workbook, out = xlwt.Workbook(), io.BytesIO()
        workbook.add_sheet("A").write(0, 0, "x")
        workbook.save(out)
        return out.getvalue()

    def test_the_workbook_is_found_in_them(self, content: bytes) -> None:
        assert next(read_records(workbook_stream(content), 0))[0] == 0x809

    @pytest.mark.parametrize("at", [30, 48, 76])
    def test_a_field_of_nonsense_is_damage_and_no_endless_loop(self, content: bytes, at: int) -> None:
        broken = bytearray(content)
        broken[at : at + 4] = struct.pack("<I", 0x00FFFFFF)
        with pytest.raises((ValueError, struct.error)):
            workbook_stream(bytes(broken))

    def test_a_chain_in_a_circle_is_damage(self, content: bytes) -> None:
        (fat,) = struct.unpack_from("<I", content, 76)
        broken = bytearray(content)
        start = (fat + 1) * 512
        broken[start : start + 512] = struct.pack("<128I", *[0] * 128)
        with pytest.raises(ValueError, match=r"broken|no workbook"):
            workbook_stream(bytes(broken))


class TestStringsOfOldWorkbooks:
    def test_one_may_change_its_width_where_it_is_cut(self) -> None:
        parts = [struct.pack("<HB", 5, 0) + b"ab", b"\x01" + "Zo\u0142".encode("utf-16-le")]
        assert Cursor(parts).string() == "abZo\u0142"

    def test_looks_and_hints_are_left_out(self) -> None:
        rich = struct.pack("<HBHI", 2, 0x0C, 1, 3) + b"ab" + b"\x00" * 7
        cursor = Cursor([rich + struct.pack("<HB", 1, 0) + b"c"])
        assert (cursor.string(), cursor.string(), cursor.ended) == ("ab", "c", True)

    def test_one_that_ends_after_its_record_is_damage(self) -> None:
        with pytest.raises(ValueError, match="ends after"):
            Cursor([struct.pack("<HB", 9, 0) + b"ab"]).string()

    def test_workbooks_before_excel_97_use_a_code_page(self) -> None:
        assert plain_string([b"\x03\x00Zo\xeb"], 0, codec="cp1252") == "Zo\u00eb"
