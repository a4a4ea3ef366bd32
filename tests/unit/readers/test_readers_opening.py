"""Opening a source: what it is by content and by name, standard input, hashes, formats of third parties."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.batches import RawBatch
from importer.core.errors import SourceError
from importer.profile.settings import SourceSettings
from importer.readers import content_hash, keep_stdin, open_source
from importer.readers.opening import find_format
from importer.readers.parser_errors import Parsing

TABLE = b"Name,Email\n" + b"".join(b"Ann %d,ann%d@example.com\n" % (i, i) for i in range(1, 26))


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_bytes(TABLE)
    return path


def batches(path: Path | str, **settings: object) -> list[RawBatch]:
    with closing(open_source(path, SourceSettings.model_validate(settings))) as reader:
        return list(reader.batches())


class TestBatches:
    def test_they_can_be_read_again_from_the_start(self, customers: Path) -> None:
        with closing(open_source(customers, SourceSettings())) as reader:
            first, second = list(reader.batches()), list(reader.batches())
        assert [list(map(list, batch.cells)) for batch in first] == [list(map(list, batch.cells)) for batch in second]

    def test_two_passes_at_once_do_not_disturb_each_other(self, customers: Path) -> None:
        with closing(open_source(customers, SourceSettings(batch_rows=4))) as reader:
            pairs = list(zip(reader.batches(), reader.batches(), strict=True))
        assert all(list(one.rows) == list(other.rows) for one, other in pairs)

    def test_none_is_larger_than_asked_for_and_ordinals_run_on(self, customers: Path) -> None:
        found = batches(customers, batch_rows=10)
        assert [len(batch) for batch in found] == [10, 10, 5]
        assert [batch.first for batch in found] == [0, 10, 20]
        assert [batch.rows[0] for batch in found] == [2, 12, 22]

    @pytest.mark.parametrize("limit", [1, 9, 10, 11, 25, 900])
    def test_the_limit_stops_the_reading(self, customers: Path, limit: int) -> None:
        assert sum(map(len, batches(customers, limit=limit, batch_rows=10))) == min(limit, 25)

    def test_no_blank_rows_and_no_numbers_out_of_order(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(TABLE.replace(b"\n", b"\n\n"))
        found = batches(path, batch_rows=7)
        numbers = [number for batch in found for number in batch.rows]
        assert numbers == list(range(3, 53, 2))

    def test_closing_twice_is_harmless(self, customers: Path) -> None:
        reader = open_source(customers, SourceSettings())
        reader.close()
        reader.close()

    def test_a_file_replaced_while_it_is_open_is_not_noticed(self, customers: Path, tmp_path: Path) -> None:
        with closing(open_source(customers, SourceSettings())) as reader:
            (tmp_path / "other.csv").write_bytes(b"X,Y\n1,2\n")
            (tmp_path / "other.csv").replace(customers)
            assert sum(len(batch) for batch in reader.batches()) == 25


class TestKinds:
    def test_content_decides_before_the_name(self, customers: Path, tmp_path: Path) -> None:
        path = customers.rename(tmp_path / "customers.xlsx")
        with pytest.raises(SourceError, match="text file") as refusal:
            batches(path)
        assert 'format = "csv"' in refusal.value.hint
        assert len(batches(path, format="csv")) == 1

    @pytest.mark.parametrize(
        ("content", "article"),
        [
            (b"%PDF-1.4", "a PDF document"),
            (b"PAR1....", "a Parquet file"),
            (b"{\\rtf1 x}", "a Rich Text document"),
            (b"  <!DOCTYPE html><p>x</p>", "a web page"),
            (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', "an Excel 2003 XML file"),
            (b'<?xml version="1.0"?><customers/>', "an XML file"),
            (b'{"a": 1}', "a JSON file"),
            (b"[[1, 2]]", "a JSON file"),
            (b"\x89PNG\r\n\x1a\n", "a picture"),
            (b"\x7fELF....", "a program"),
            (b"7z\xbc\xaf\x27\x1c..", "a 7-Zip archive"),
            (b"Rar!\x1a\x07", "a RAR archive"),
            (b"BZh91AY&SY", "a bzip2 archive"),
            (b"\xfd7zXZ\x00.", "an xz archive"),
            (b"SQLite format 3\x00", "a SQLite database"),
            (b"ID;PWXL;N;E\r\nC;X1\r\n", "a SYLK file"),
        ],
    )
    def test_other_kinds_are_named(self, content: bytes, article: str, tmp_path: Path) -> None:
        (tmp_path / "customers.csv").write_bytes(content)
        with pytest.raises(SourceError, match=article):
            batches(tmp_path / "customers.csv")

    def test_a_header_that_begins_like_another_kind_is_text(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(b"ID;Position;Mail\n1;Boss;a@example.com\n2;Clerk;b@example.com\n")
        assert len(batches(tmp_path / "a.csv")[0]) == 2


class TestStandardInput:
    def test_a_dash_reads_it(self) -> None:
        with closing(open_source("-", SourceSettings(), stdin=io.BytesIO(TABLE))) as reader:
            assert reader.info.name == "-"
            assert sum(len(batch) for batch in reader.batches()) == 25
            assert sum(len(batch) for batch in reader.batches()) == 25

    def test_a_packed_workbook_may_come_through_it(self) -> None:
        workbook, out = openpyxl.Workbook(), io.BytesIO()
        sheet = workbook.active
        assert isinstance(sheet, Worksheet)
        for row in (("Name", "Age"), ("Ann", 3), ("Bob", 4)):
            sheet.append(row)
        workbook.save(out)
        with closing(open_source("-", SourceSettings(), stdin=io.BytesIO(gzip.compress(out.getvalue())))) as reader:
            assert [list(map(list, batch.cells)) for batch in reader.batches()] == [[["Ann", "Bob"], ["3", "4"]]]

    def test_nothing_in_it_is_refused(self) -> None:
        with pytest.raises(SourceError, match="empty"):
            open_source("-", SourceSettings(), stdin=io.BytesIO())

    def test_more_than_the_limit_is_refused(self) -> None:
        settings = SourceSettings.model_validate({"limits": {"max_file_bytes": 50}})
        with pytest.raises(SourceError, match="larger than the 50 bytes"):
            open_source("-", settings, stdin=io.BytesIO(TABLE))

    def test_it_can_be_kept_for_a_later_run(self, tmp_path: Path) -> None:
        kept = keep_stdin(tmp_path / "stdin.csv", SourceSettings(), io.BytesIO(TABLE))
        assert kept.read_bytes() == TABLE
        assert kept.stat().st_mode & 0o777 == 0o600

    def test_nothing_is_kept_of_what_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="empty"):
            keep_stdin(tmp_path / "a", SourceSettings(), io.BytesIO())
        settings = SourceSettings.model_validate({"limits": {"max_file_bytes": 50}})
        with pytest.raises(SourceError, match="larger"):
            keep_stdin(tmp_path / "b", settings, io.BytesIO(TABLE))
        assert not list(tmp_path.iterdir())


def test_equal_content_has_an_equal_hash_under_any_name(customers: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_bytes(TABLE)
    assert content_hash(customers) == content_hash(str(other)) == hashlib.sha256(TABLE).hexdigest()


ONE_ROW = """
from importer.readers.table.blocks import Block

class OneRow:
    grid, format, sheet, detected, warnings = True, "onerow", "", (), ()

    def __init__(self, byte_source, settings):
        self._byte_source = byte_source

    def blocks(self):
        with self._byte_source.open() as stream:
            yield Block([1, 2], [["Everything"], [stream.read().decode()]])

    def close(self):
        self._byte_source.close()
"""


def test_a_third_party_brings_a_format_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site"
    (package / "onerow-1.dist-info").mkdir(parents=True)
    (package / "onerow-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: onerow\nVersion: 1\n")
    (package / "onerow-1.dist-info" / "entry_points.txt").write_text(
        "[importer.readers]\nonerow = onerow_reader:OneRow\n"
    )
    (package / "onerow_reader.py").write_text(ONE_ROW)
    monkeypatch.syspath_prepend(package)
    (tmp_path / "poem.onerow").write_text("roses are red")
    with closing(open_source(tmp_path / "poem.onerow", SourceSettings())) as reader:
        assert reader.info.format == "onerow"
        assert [list(batch.cells[0]) for batch in reader.batches()] == [["roses are red"]]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(SourceError, match="No reader for the format 'parchment'"):
        find_format("parchment")


class PanicException(BaseException):
    """The name under which a parser written in Rust panics."""


class TestParsing:
    @pytest.mark.parametrize("fault", [ValueError("x"), PanicException("x"), EOFError(), OSError("x"), MemoryError()])
    def test_what_a_parser_raises_becomes_one_sentence(self, fault: BaseException) -> None:
        with pytest.raises(SourceError, match=r"^'a\.xls' \S.*\.") as refusal, Parsing("a.xls", "workbook", "Fix it."):
            raise fault
        assert refusal.value.__cause__ is fault

    @pytest.mark.parametrize("signal", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
    def test_a_stop_signal_travels_on(self, signal: BaseException) -> None:
        with pytest.raises(type(signal)), Parsing("a.xls", "workbook", "Fix it."):
            raise signal

    def test_a_refusal_travels_on_unchanged(self) -> None:
        refusal = SourceError("No.", "Yes.")
        with pytest.raises(SourceError) as raised, Parsing("a.xls", "workbook", "Fix it."):
            raise refusal
        assert raised.value is refusal


def test_importing_the_room_loads_no_heavy_library() -> None:
    heavy = "{'pandas', 'numpy', 'openpyxl', 'python_calamine', 'charset_normalizer'}"
    code = f"import sys, importer.readers; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
