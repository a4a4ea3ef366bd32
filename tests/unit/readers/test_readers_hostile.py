"""Files that want to harm: refused within seconds and in bounded memory, never followed, never burst."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
import textwrap
import zipfile
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from xlwt.CompoundDoc import XlsDoc

from importer.core.errors import SourceError
from importer.profile.settings import SourceLimits, SourceSettings
from importer.readers import content_hash, open_source
from importer.readers.packed import HARMLESS_BYTES

TABLE = b"Name,Email,Phone\n" + b"".join(b"Ann %d,ann%d@example.com,4155550%03d\n" % (i, i, i % 200) for i in range(50))
SIZE = HARMLESS_BYTES + 0x12345
ROW = '<row><c t="inlineStr"><is><t>{}</t></is></c></row>'
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def read_all(path: Path, **settings: Any) -> int:
    with closing(open_source(path, SourceSettings(**settings))) as reader:
        return sum(len(batch) for batch in reader.batches())


def refused(path: Path, match: str, **settings: Any) -> SourceError:
    with pytest.raises(SourceError, match=match) as refusal:
        read_all(path, **settings)
    assert refusal.value.hint
    return refusal.value


def workbook(path: Path, parts: dict[str, bytes]) -> Path:
    """A minimal `.xlsx` with some parts of it replaced."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    usual = {
        "[Content_Types].xml": b"<Types/>",
        "_rels/.rels": f'<R><Relationship Id="a" Type="{kind}/officeDocument" Target="xl/workbook.xml"/></R>'.encode(),
        "xl/workbook.xml": b'<workbook><sheets><sheet name="S" sheetId="1" id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": (
            f'<R><Relationship Id="a" Type="{kind}/worksheet" Target="sheet.xml"/>'
            f'<Relationship Id="b" Type="{kind}/sharedStrings" Target="strings.xml"/></R>'
        ).encode(),
        "xl/sheet.xml": SHEET.format("".join(map(ROW.format, "abc"))).encode(),
        "xl/strings.xml": b"<sst></sst>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**usual, **parts}.items():
            archive.writestr(name, content)
    return path


def test_a_minimal_workbook_is_read(tmp_path: Path) -> None:
    reader = open_source(workbook(tmp_path / "a.xlsx", {}), SourceSettings())
    assert [list(batch.rows) for batch in reader.batches()] == [[2, 3]]
    reader.close()


def test_a_workbook_that_was_cut_off_is_to_be_copied_again(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {})
    path.write_bytes(path.read_bytes()[:500])

    assert "Copy it again" in (refused(path, "the workbook is damaged").hint or "")


class TestPaths:
    def test_a_missing_file_names_the_nearest(self, tmp_path: Path) -> None:
        (tmp_path / "customers.csv").write_bytes(TABLE)
        assert "customers.csv" in refused(tmp_path / "custmers.csv", "There is no file").hint

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        refused(tmp_path, "folder")

    def test_a_file_taken_for_a_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(TABLE)
        refused(tmp_path / "a.csv" / "b.csv", "There is no file")

    def test_a_pipe_is_refused_without_waiting_for_a_writer(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.csv")
        refused(tmp_path / "pipe.csv", "device or a pipe")

    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/stdin"])
    def test_a_device_is_refused_even_behind_a_link(self, device: str, tmp_path: Path) -> None:
        (tmp_path / "customers.csv").symlink_to(device)
        refused(tmp_path / "customers.csv", "device or a pipe|cannot be read|empty|There is no file")

    def test_a_link_to_a_file_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(TABLE)
        (tmp_path / "b.csv").symlink_to("a.csv")
        with closing(open_source(tmp_path / "b.csv", SourceSettings())) as reader:
            assert len(reader.info.columns) == 3

    def test_links_in_a_circle_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").symlink_to("b.csv")
        (tmp_path / "b.csv").symlink_to("a.csv")
        refused(tmp_path / "a.csv", "cannot be read")

    @pytest.mark.parametrize("path", ["a\0b.csv", "x" * 5_000 + ".csv"])
    def test_an_impossible_path_is_refused(self, path: str) -> None:
        refused(Path(path), "path|cannot be read")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_of_others_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(TABLE)
        path.chmod(0)
        refused(path, "may not be read")

    def test_a_hash_of_what_cannot_be_read_is_refused_too(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="folder"):
            content_hash(tmp_path)


class TestLimits:
    def test_a_file_beyond_the_size_limit(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(TABLE)
        refused(tmp_path / "a.csv", "larger than the 100 bytes", limits=SourceLimits(max_file_bytes=100))

    def test_more_rows_than_the_limit(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(TABLE)
        refused(tmp_path / "a.csv", "more than the 20 rows", limits=SourceLimits(max_rows=20))

    def test_more_columns_than_the_limit(self, tmp_path: Path) -> None:
        names = ",".join(f"c{i}" for i in range(50_000))
        (tmp_path / "a.csv").write_text(f"{names}\n{names}\n")
        refused(tmp_path / "a.csv", "50,000 columns")

    def test_a_cell_beyond_the_limit(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(TABLE + b'Ann,"' + b"x" * 1_100_000 + b'",1\n')
        refused(tmp_path / "a.csv", "1,000,000 characters")

    def test_a_cell_of_a_hundred_megabytes(self, tmp_path: Path) -> None:
        with (tmp_path / "a.csv").open("wb") as out:
            out.write(TABLE + b"Ann,")
            for _ in range(100):
                out.write(b"x" * (1 << 20))
        refused(tmp_path / "a.csv", "characters")

    @pytest.mark.slow
    def test_blank_lines_without_end(self, tmp_path: Path) -> None:
        with (tmp_path / "a.csv").open("wb") as out:
            out.write(TABLE)
            for _ in range(20):
                out.write(b"\n" * (1 << 20))
            out.write(b"Bob,bob@example.com,4155550100\n")
        assert read_all(tmp_path / "a.csv") == 51

    @pytest.mark.slow
    def test_letters_without_end_do_not_slow_the_search_for_accents(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(
            TABLE + ("é" + "x" * 900_000).encode("cp1252") + b",a@example.com,4155550100\n"
        )
        refused(tmp_path / "a.csv", "800,000 characters", limits=SourceLimits(max_cell_chars=800_000))

    def test_thousands_of_broken_rows_are_named_each(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(TABLE + b'"a"b,c,d\n' * 1_200 + b'"a,c,d\n' * 1_201)
        with closing(open_source(tmp_path / "a.csv", SourceSettings(quote='"'))) as reader:
            issues = [issue for batch in reader.batches() for issue in batch.issues]
        assert {issue.code for issue in issues} == {"quotes_broken"}
        assert len(issues) == 2_401

    def test_cells_that_never_end_are_not_looked_for_without_end(self, tmp_path: Path) -> None:
        line = b"Ann,ann@example.com,4155550100\n"
        (tmp_path / "a.csv").write_bytes(TABLE + b'"' + line + line * 30_000)
        settings = SourceSettings(quote='"', limits=SourceLimits(max_cell_chars=100_000))
        with closing(open_source(tmp_path / "a.csv", settings)) as reader:
            batches = list(reader.batches())
        assert sum(map(len, batches)) == 30_051
        assert [issue.code for batch in batches for issue in batch.issues] == ["quotes_broken"]


class TestBombs:
    def test_a_gzip_bomb(self, tmp_path: Path) -> None:
        packer = zlib.compressobj(9, wbits=31)
        with (tmp_path / "a.csv.gz").open("wb") as out:
            for _ in range(80):
                out.write(packer.compress(bytes(1 << 20)))
            out.write(packer.flush())
        refused(tmp_path / "a.csv.gz", "unpacks to more than")

    def test_a_zip_bomb_by_its_directory(self, tmp_path: Path) -> None:
        with (
            zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("a.csv", "w") as out,
        ):
            for _ in range(80):
                out.write(bytes(1 << 20))
        refused(tmp_path / "a.zip", "unpacks to more than")

    def test_a_zip_bomb_with_a_false_directory(self, tmp_path: Path) -> None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", bytes(SIZE))
        lie = content.getvalue().replace(SIZE.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
        (tmp_path / "a.zip").write_bytes(lie)
        refused(tmp_path / "a.zip", "damaged|unpacks")

    def test_a_workbook_that_is_a_bomb(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", {"xl/sheet.xml": SHEET.format(" " * (80 << 20)).encode()})
        refused(path, "unpacks to more than")

    def test_a_workbook_of_too_many_parts(self, tmp_path: Path) -> None:
        refused(workbook(tmp_path / "a.xlsx", {f"x/{i}": b"" for i in range(20_001)}), "unpacks to more than")

    @pytest.mark.parametrize("part", ["xl/workbook.xml", "_rels/.rels", "xl/sheet.xml", "xl/strings.xml"])
    def test_a_billion_laughs(self, part: str, tmp_path: Path) -> None:
        laughs = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
        start = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'
        bomb = f"{start}<worksheet><sheetData>&l9;</sheetData></worksheet>"
        refused(workbook(tmp_path / "a.xlsx", {part: bomb.encode()}), "entities")

    def test_a_description_without_end(self, tmp_path: Path) -> None:
        packed = os.urandom(400_000)
        padding = {"xl/padding": packed, "xl/workbook.xml": b"<workbook>" + b" " * (65 << 20)}
        refused(workbook(tmp_path / "a.xlsx", padding), "describes itself")

    def test_a_head_without_end(self, tmp_path: Path) -> None:
        parts = {"xl/padding": os.urandom(400_000), "xl/sheet.xml": b"<worksheet>" + b"<a/>" * (5 << 20)}
        refused(workbook(tmp_path / "a.xlsx", parts), "damaged")

    def test_a_row_without_end(self, tmp_path: Path) -> None:
        row = "<row>" + '<c r="A1"/>' * (2 << 20) + "</row>"
        parts = {"xl/padding": os.urandom(500_000), "xl/sheet.xml": SHEET.format(row).encode()}
        refused(workbook(tmp_path / "a.xlsx", parts), "row or a cell|out of order|damaged")


def biff(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def old_workbook(*, strings: bytes = b"", names: bytes = b"", in_sheet: bytes = b"", start: int | None = None) -> bytes:
    """An `.xls` of two rows, with records of the attacker's own among its others."""
    begin = struct.pack("<HHII", 0x1DBB, 0x7CC, 0, 6)

    def before_sheet(at: int) -> bytes:
        sheet = biff(0x85, struct.pack("<I4B", at, 0, 0, 1, 0) + b"A")
        return biff(0x809, b"\x00\x06\x05\x00" + begin) + strings + sheet + names + biff(0x0A)

    cells = b"".join(
        biff(0x203, struct.pack("<3Hd", i, 0, 0, 7)) + biff(0x203, struct.pack("<3Hd", i, 1, 0, 7)) for i in (1, 2)
    )
    header = b"".join(
        biff(0x204, struct.pack("<4HB", 0, i, 0, len(name), 0) + name) for i, name in enumerate((b"ID", b"Name"))
    )
    sheet = biff(0x809, b"\x00\x06\x10\x00" + begin) + header + cells + in_sheet + biff(0x0A)
    out = io.BytesIO()
    XlsDoc().save(out, before_sheet(len(before_sheet(0)) if start is None else start) + sheet)
    return out.getvalue()


def doubling_names() -> bytes:
    """Forty names, each one twice the one before."""
    first = b"\x17\xc8\x00" + b"a" * 200
    formulas = [first, *(2 * struct.pack("<BHH", 0x23, i, 0) + b"\x08" for i in range(1, 40))]
    heads = (struct.pack("<HBBHHH4B", 0, 0, 1, len(formula), 0, 0, 0, 0, 0, 0) for formula in formulas)
    return b"".join(biff(0x18, head + b"\x00n" + formula) for head, formula in zip(heads, formulas, strict=True))


def in_a_circle(content: bytes) -> bytes:
    """The same workbook with its stream in short sectors, whose chain goes in a circle."""
    changed = bytearray(content)
    (fat,), (directory,) = struct.unpack_from("<i", changed, 76), struct.unpack_from("<i", changed, 48)
    root, own = 512 * (directory + 1), 512 * (directory + 1) + 128
    added = len(changed) // 512 - 1
    struct.pack_into("<iii", changed, 56, 1 << 20, added, 1)
    struct.pack_into("<i", changed, 512 * (fat + 1) + 4 * added, -2)
    changed[root + 116 : root + 124] = changed[own + 116 : own + 124]
    struct.pack_into("<i", changed, own + 116, 0)
    return bytes(changed) + struct.pack("<128i", *range(128))


WHOLE_SHEET = struct.pack("<4H", 0, 0xFFFF, 0, 0xFF)
LINK = WHOLE_SHEET + bytes.fromhex("d0c9ea79f9bace118c8200aa004ba90b") + struct.pack("<II", 2, 0)
BACKWARDS = struct.pack("<IIHBi", 1, 0x7FFFFFFF, 0, 4, -7) + bytes(64)


class TestOldWorkbooks:
    """Files of 6 KB, sound to the eye, that make other readers work without end or fill the memory."""

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(old_workbook(), id="nothing"),
            pytest.param(old_workbook(in_sheet=biff(0x1B8, LINK)), id="a link over the whole sheet"),
            pytest.param(old_workbook(names=doubling_names()), id="names that double"),
            pytest.param(old_workbook(strings=biff(0xFC, BACKWARDS)), id="strings that go backwards"),
        ],
    )
    def test_what_no_cell_needs_is_passed_by(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "a.xls").write_bytes(content)
        assert read_all(tmp_path / "a.xls") == 2

    def test_short_sectors_in_a_circle(self, tmp_path: Path) -> None:
        (tmp_path / "a.xls").write_bytes(in_a_circle(old_workbook()))
        refused(tmp_path / "a.xls", "damaged")

    @pytest.mark.parametrize("start", [0x20, 0x7FFFFFFF])
    def test_a_sheet_that_begins_nowhere(self, start: int, tmp_path: Path) -> None:
        (tmp_path / "a.xls").write_bytes(old_workbook(start=start))
        refused(tmp_path / "a.xls", "damaged")


def measured(script: str, *arguments: object) -> tuple[str, int]:
    """Run a script in a process of its own; return what it printed and its peak memory in MB."""
    report = (
        "import re; print('peak', int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
    )
    code = textwrap.dedent(script) + "\n" + report
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True, timeout=100
    )
    peak = re.search(r"peak (\d+)", done.stdout)
    assert peak is not None
    return done.stdout, int(peak[1])


READ_ALL = """
    import sys
    from importer.profile.settings import SourceSettings
    from importer.readers import open_source
    reader = open_source(sys.argv[1], SourceSettings())
    print("rows", sum(len(batch) for batch in reader.batches()))
"""


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


@needs_proc
@pytest.mark.slow
def test_memory_does_not_grow_with_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    line = b'C%07d,Sarah,Green,4155550100,sarah@example.com,1990-06-26,"12 Main Street, Flat 3",Springfield,IL,62701\n'
    path.write_bytes(b"ID,First,Last,Phone,Email,DOB,Street,City,State,Zip\n" + line * 150_000)
    printed, peak = measured(READ_ALL, path)
    assert "rows 150000" in printed
    assert peak < 220


@needs_proc
@pytest.mark.slow
def test_memory_does_not_grow_with_a_sheet(tmp_path: Path) -> None:
    cells = "".join(f'<c r="{letter}%d" t="inlineStr"><is><t>{letter} %d</t></is></c>' for letter in "ABCDEFGHIJ")
    row = f'<row r="%d">{cells}</row>'
    rows = "".join(row % ((n,) * 21) for n in range(1, 15_001))
    path = workbook(tmp_path / "large.xlsx", {"xl/sheet.xml": SHEET.format(rows).encode()})
    printed, peak = measured(READ_ALL, path)
    assert "rows 14999" in printed
    assert peak < 220
