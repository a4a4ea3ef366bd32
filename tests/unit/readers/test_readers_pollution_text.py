"""One clean table of customers, one pollution at a time: read right, refused with the reason, or never at all.

The idea is that of the published Pollock benchmark, rebuilt for tables of customers.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from importer.core.columns import ADDED_WITH_STEPS
from importer.core.errors import SourceError
from importer.core.issues import Severity
from importer.profile.settings import SourceSettings
from importer.readers import open_source

HEADER = ["Legacy ID", "First Name", "Last Name", "Phone", "Email", "DOB", "Street", "City", "Zip", "Notes"]
_FIRST = ["Sarah", "José", "Zoë", "Jürgen", "Inés", "Robert", "Chloé", "Björn", "Ana", "Søren"]
_LAST = ["Green", "Muñoz", "Brontë", "Müller", "García", "O'Brien", "Lefèvre", "Åkesson", "Conceição", "Kjær"]
ROWS = [
    [
        f"{n:05d}",
        _FIRST[n % 10],
        _LAST[(n * 3) % 10],
        f"415-555-01{n % 100:02d}",
        f"person{n}@example.com",
        f"19{50 + n % 40}-0{1 + n % 9}-1{n % 10}",
        f"{100 + n} Main Street",
        "Springfield",
        f"0{2000 + n}",
        "" if n % 3 else "prefers mail",
    ]
    for n in range(1, 31)
]


def written(rows: Iterable[Sequence[str]], **how: Any) -> str:
    out = io.StringIO(newline="")
    how.setdefault("lineterminator", "\n")
    csv.writer(out, **how).writerows(rows)
    return out.getvalue()


def table(rows: Iterable[Sequence[str]] | None = None, **how: Any) -> str:
    return written([HEADER, *(ROWS if rows is None else rows)], **how)


def changed(at: int, column: int, text: str) -> list[list[str]]:
    rows = [list(row) for row in ROWS]
    rows[at][column] = text
    return rows


LINES = table().splitlines(keepends=True)


def with_line(at: int, line: str) -> str:
    """The clean text with one line replaced."""
    return "".join([*LINES[:at], line, *LINES[at + 1 :]])


@dataclass
class Dirt:
    """One kind of dirt and what must become of it."""

    kind: str
    content: str | bytes | Callable[[], bytes]
    name: str = "customers.csv"
    settings: dict[str, Any] = field(default_factory=dict)
    columns: list[str] = field(default_factory=lambda: list(HEADER))
    rows: list[list[str]] = field(default_factory=lambda: ROWS)
    numbers: list[int] | None = None
    refused: str = ""
    flagged: dict[int, str] = field(default_factory=dict)
    """Position of a row to the code it must carry; its cells are not compared."""
    warned: str = ""
    detected: dict[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> bytes:
        content = self.content() if callable(self.content) else self.content
        return content.encode() if isinstance(content, str) else content


POLISH = [[row[0], "Łukasz", "Wałęsa", *row[3:6], "ul. Żółkiewskiego 5", "Łódź", *row[8:]] for row in ROWS]
RUSSIAN = [[row[0], "Мария", "Иванова", *row[3:6], "улица Пушкина", "Москва", row[8], "важный клиент"] for row in ROWS]
JAPANESE = [
    [row[0], "花子", "山田", *row[3:6], "東京都千代田区丸の内一丁目", "東京", row[8], "お客様の住所です"]
    for row in ROWS
]
PLAIN = [[cell.encode("ascii", "ignore").decode() for cell in row] for row in ROWS]
QUOTED_NAME = changed(4, 2, 'Smith "Bob" Jones')
NEWLINE = changed(4, 6, "12 Main Street\nApartment 4")
OWN = list(ADDED_WITH_STEPS)
GROUPS = ["", "Name", "", "Contact", "", "", "Address", "", "", ""]


def mixed() -> bytes:
    lines = table().splitlines(keepends=True)
    return b"".join(line.encode("cp1252" if i in {3, 9} else "utf-8") for i, line in enumerate(lines))


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


CLEAN = table().encode()

READ_RIGHT = [
    Dirt(
        "delimiter: none, one column",
        "".join(f"{row[4]}\n" for row in [HEADER, *ROWS]),
        columns=["Email"],
        rows=[[row[4]] for row in ROWS],
        detected={"delimiter": "none"},
    ),
    Dirt(
        "nothing at all", CLEAN, detected={"encoding": "utf-8", "delimiter": ",", "line_end": "LF", "header_row": "1"}
    ),
    Dirt("encoding: UTF-8 with a mark", table().encode("utf-8-sig"), detected={"encoding": "utf-8"}),
    Dirt("encoding: UTF-16 with a mark", table().encode("utf-16"), detected={"encoding": "utf-16-le"}),
    Dirt(
        "encoding: UTF-16 BE with a mark", b"\xfe\xff" + table().encode("utf-16-be"), detected={"encoding": "utf-16-be"}
    ),
    Dirt("encoding: UTF-16 LE without a mark", table().encode("utf-16-le"), detected={"encoding": "utf-16-le"}),
    Dirt("encoding: UTF-16 BE without a mark", table().encode("utf-16-be"), detected={"encoding": "utf-16-be"}),
    Dirt("encoding: UTF-32 with a mark", table().encode("utf-32"), detected={"encoding": "utf-32-le"}),
    Dirt("encoding: cp1252", table().encode("cp1252"), detected={"encoding": "cp1252"}),
    Dirt(
        "encoding: cp1252 with curly quotes",
        table(changed(3, 2, "O\u2019Brien \u2013 \u201cBob\u201d €")).encode("cp1252"),
        rows=changed(3, 2, "O\u2019Brien \u2013 \u201cBob\u201d €"),
        detected={"encoding": "cp1252"},
    ),
    Dirt("encoding: latin-1 named in the profile", table().encode("latin-1"), settings={"encoding": "latin-1"}),
    Dirt("encoding: Mac Roman", table().encode("mac_roman"), detected={"encoding": "mac_roman"}),
    Dirt("encoding: DOS cp850", table().encode("cp850"), detected={"encoding": "cp850"}),
    Dirt("encoding: Polish cp1250", table(POLISH).encode("cp1250"), rows=POLISH, detected={"encoding": "cp1250"}),
    Dirt("encoding: Russian cp1251", table(RUSSIAN).encode("cp1251"), rows=RUSSIAN),
    Dirt("encoding: Japanese Shift-JIS", table(JAPANESE).encode("cp932"), rows=JAPANESE),
    Dirt("delimiter: semicolon", table(delimiter=";"), detected={"delimiter": ";"}),
    Dirt("delimiter: tab", table(delimiter="\t"), "customers.tsv", detected={"delimiter": "tab"}),
    Dirt("delimiter: pipe", table(delimiter="|"), detected={"delimiter": "|"}),
    Dirt("delimiter: Excel's sep= line", "sep=;\n" + table(delimiter=";"), detected={"delimiter": ";"}),
    Dirt("delimiter: unusual, named in the profile", table(delimiter="^"), settings={"delimiter": "^"}),
    Dirt(
        "delimiter: semicolons, commas in cells",
        table(changed(2, 9, "a, b, c"), delimiter=";"),
        rows=changed(2, 9, "a, b, c"),
    ),
    Dirt("delimiter: blank after each", table(quoting=csv.QUOTE_ALL).replace('","', '", "')),
    Dirt("quotes: around every cell", table(quoting=csv.QUOTE_ALL)),
    Dirt(
        "quotes: single ones", table(PLAIN, quoting=csv.QUOTE_ALL, quotechar="'"), rows=PLAIN, detected={"quote": "'"}
    ),
    Dirt("quotes: doubled in a cell", table(QUOTED_NAME), rows=QUOTED_NAME),
    Dirt("quotes: escaped with a backslash", table(QUOTED_NAME, doublequote=False, escapechar="\\"), rows=QUOTED_NAME),
    Dirt(
        "quotes: inches in the middle of a cell",
        with_line(3, LINES[3].replace("Main", '5" Main')),
        rows=changed(2, 6, '103 5" Main Street'.replace("103", "103")),
    ),
    Dirt(
        "quotes: mean nothing",
        "\t".join(HEADER) + "\n" + "".join("\t".join(r) + "\n" for r in changed(2, 9, '"urgent')),
        rows=changed(2, 9, '"urgent'),
        settings={"quote": "none"},
    ),
    Dirt(
        "cell: delimiter in quotes",
        table(changed(2, 6, "12 Main Street, Flat 3")),
        rows=changed(2, 6, "12 Main Street, Flat 3"),
    ),
    Dirt("cell: line feed in quotes", table(NEWLINE), rows=NEWLINE),
    Dirt(
        "cell: CRLF in quotes",
        table(changed(4, 6, "12 Main\r\nFlat 4"), lineterminator="\r\n"),
        rows=changed(4, 6, "12 Main\r\nFlat 4"),
    ),
    Dirt(
        "cell: Unicode line separators",
        table(changed(4, 6, "12\u2028Main\x0bA\x0cB\x85C")),
        rows=changed(4, 6, "12\u2028Main\x0bA\x0cB\x85C"),
    ),
    Dirt("cell: words like NA, null and nan", table(changed(4, 1, "NA")), rows=changed(4, 1, "NA")),
    Dirt("cell: spaces around", table(changed(4, 1, "  Ann ")), rows=changed(4, 1, "  Ann ")),
    Dirt("lines: CRLF", table(lineterminator="\r\n"), detected={"line_end": "CRLF"}),
    Dirt("lines: CR alone", table(lineterminator="\r"), detected={"line_end": "CR"}),
    Dirt("lines: mixed ends", "".join(line.replace("\n", "\r\n") if i % 2 else line for i, line in enumerate(LINES))),
    Dirt("lines: none after the last row", table().rstrip("\n")),
    Dirt("lines: blank between rows", LINES[0] + LINES[1] + "\n\n" + "".join(LINES[2:]), numbers=[2, *range(5, 34)]),
    Dirt("lines: blank before the header", "\n\n" + table(), numbers=list(range(4, 34)), detected={"header_row": "3"}),
    Dirt("lines: blank at the end", table() + "\n\n\n"),
    Dirt("lines: only blanks", LINES[0] + "   \n" + "".join(LINES[1:]), numbers=list(range(3, 33))),
    Dirt("lines: only delimiters", table() + ",,,,,,,,,\n,,,,,,,,,\n"),
    Dirt("lines: DOS end of file", table() + "\x1a"),
    Dirt("lines: zero bytes after the end", CLEAN + b"\x00" * 500),
    Dirt("above: a title", "Customer list 2019\n" + table(), numbers=list(range(3, 33)), detected={"header_row": "2"}),
    Dirt(
        "above: titles and a blank line",
        "Customer list\nExported 2019-03-01 by admin\n\n" + table(),
        numbers=list(range(5, 35)),
    ),
    Dirt(
        "above: titles padded with delimiters",
        "Customer list,,,,,,,,,\n,,,,,,,,,\n" + table(),
        numbers=list(range(4, 34)),
    ),
    Dirt("above: comments", "# exported by CRM\n# version 3\n" + table(), numbers=list(range(4, 34))),
    Dirt(
        "above: named header row",
        "a,b,c,d,e,f,g,h,i,j\n" + table(),
        settings={"header_row": 2},
        numbers=list(range(3, 33)),
    ),
    Dirt("above: a line of groups", ",".join(GROUPS) + "\n" + table(), numbers=list(range(3, 33))),
    Dirt("below: totals", table() + "Total,,,,,,,,,30\n", warned="totals"),
    Dirt("below: a count", table() + "\n(30 rows)\n", warned="totals"),
    Dirt("below: a remark", table() + "End of report,,,,,,,,,\n", warned="totals"),
    Dirt("below: several lines", table() + "\nTotal,,,,,,,,,30\nGenerated 2019-03-01\n", warned="Rows 33 to 34"),
    Dirt("row: trailing delimiter everywhere", "".join(line.replace("\n", ",\n") for line in LINES)),
    Dirt(
        "row: trailing delimiter, not in the header",
        LINES[0] + "".join(line.replace("\n", ",\n") for line in LINES[1:]),
    ),
    Dirt(
        "row: trailing delimiters on some",
        "".join(line.replace("\n", ",,,\n") if i % 3 == 1 else line for i, line in enumerate(LINES)),
    ),
    Dirt("row: blank cells at the end left out", "".join(line.rstrip(",\n") + "\n" for line in LINES)),
    Dirt(
        "header: in the middle again",
        "".join([*LINES[:10], LINES[0], *LINES[10:]]),
        numbers=[*range(2, 11), *range(12, 33)],
        warned="header",
    ),
    Dirt(
        "header: a name twice",
        table().replace("Zip,", "City,"),
        columns=[*HEADER[:8], "City (2)", "Notes"],
        warned="more than once",
    ),
    Dirt(
        "header: a name missing",
        table().replace("Zip,", ","),
        columns=[*HEADER[:8], "column 9", "Notes"],
        warned="no name",
    ),
    Dirt("header: spaces and a line break", table().replace("First Name", '" First\nName "'), columns=HEADER),
    Dirt("header: the importer's own columns", written([HEADER + OWN, *([*row, *["x"] * len(OWN)] for row in ROWS)])),
    Dirt("packed: gz", lambda: gzip.compress(CLEAN), "customers.csv.gz"),
    Dirt("packed: zip", lambda: zipped(("__MACOSX/._customers.csv", b"x"), ("customers.csv", CLEAN)), "customers.zip"),
    Dirt("packed: zst", lambda: pa.compress(CLEAN, "zstd", asbytes=True), "customers.csv.zst"),
    Dirt("packed: UTF-16 in gz", lambda: gzip.compress(table().encode("utf-16")), "customers.csv.gz"),
    Dirt("name: no ending", CLEAN, "customers"),
    Dirt("name: strange ending", CLEAN, "customers.export"),
    Dirt(
        "quotes: a formula around a text",
        with_line(5, LINES[5].replace(",02005,", ',="02005",')),
        rows=changed(4, 8, '="02005"'),
    ),
    Dirt("cell: a number sign that is no error", table(changed(4, 6, "Apt #NA 4")), rows=changed(4, 6, "Apt #NA 4")),
    Dirt("cell: an id like a power of ten", table(changed(4, 0, "1E5")), rows=changed(4, 0, "1E5")),
]

ROW_REFUSED = [
    Dirt(
        "row: one trailing delimiter too many", with_line(4, LINES[4].replace("\n", ",\n")), flagged={3: "row_too_long"}
    ),
    Dirt("encoding: one damaged byte", CLEAN.replace(b"person4@", b"person\x804@", 1), flagged={3: "undecodable"}),
    Dirt("encoding: two in one file", mixed, flagged={2: "undecodable", 8: "undecodable"}),
    Dirt(
        "quotes: never closed",
        with_line(5, LINES[5].replace("Springfield", '"Springfield')),
        flagged={4: "quotes_broken"},
    ),
    Dirt(
        "quotes: text after the closing one",
        with_line(5, LINES[5].replace("Springfield", '"Spring"field')),
        flagged={4: "quotes_broken"},
    ),
    Dirt(
        "row: a cell missing", with_line(5, LINES[5].replace("person5@example.com,", "")), flagged={4: "row_too_short"}
    ),
    Dirt("row: one cell only", with_line(5, "see above\n"), flagged={4: "row_too_short"}),
    Dirt(
        "row: a delimiter without quotes",
        with_line(5, LINES[5].replace("Main Street", "Main Street, Flat 2")),
        flagged={4: "row_too_long"},
    ),
    Dirt("row: cut off at the end of the file", "".join(LINES)[:-60], flagged={29: "row_cut_off"}),
    Dirt(
        "cell: shortened number",
        table(changed(4, 3, "4.16E+09")),
        rows=changed(4, 3, "4.16E+09"),
        flagged={4: "number_shortened"},
        warned="4.16E+09",
    ),
    *(
        Dirt(f"cell: {text}", table(changed(4, 2, text)), rows=changed(4, 2, text), flagged={4: "cell_error"})
        for text in (
            "#N/A",
            "#REF!",
            "#VALUE!",
            "#DIV/0!",
            "#NAME?",
            "#NULL!",
            "#NUM!",
            " #N/A ",
            "#NV",
            "#WERT!",
            "#VALEUR!",
            "#\u00a1REF!",
            "#\u00bfNOMBRE?",
            "#RIF!",
            "#WAARDE!",
            "Err:502",
        )
    ),
    Dirt("cell: garbled accents", table(changed(4, 1, "JosÃ©")), flagged={4: "text_garbled"}),
    Dirt("cell: letters lost earlier", table(changed(4, 1, "Jos\ufffd")), flagged={4: "text_garbled"}),
    Dirt("cell: cut off by Excel", table(changed(4, 9, "x" * 32_767)), flagged={4: "cell_cut_off"}),
    Dirt("cell: a zero byte", CLEAN.replace(b"person5@", b"person\x005@"), flagged={4: "zero_byte"}),
]

REFUSED = [
    Dirt("encoding: none for files", CLEAN, settings={"encoding": "unicode_escape"}, refused="no text encoding"),
    Dirt("header: a damaged byte", CLEAN.replace(b"Phone", b"Ph\x80ne", 1), refused="header .* cannot be read"),
    Dirt("file: empty", b"", refused="empty"),
    Dirt("file: blank lines only", b"\n\n  \n", refused="empty"),
    Dirt("file: header only", LINES[0], refused="no data rows"),
    Dirt("file: no header", "".join(LINES[1:]), refused="looks like data"),
    Dirt("file: a title and no header", "Customers\n" + "".join(LINES[1:]), refused="looks like data"),
    Dirt("file: PDF named csv", b"%PDF-1.7 \n...", refused="PDF"),
    Dirt(
        "file: web page named xls",
        b"<html><table><tr><td>Name</td></tr></table></html>",
        "customers.xls",
        refused="web page",
    ),
    Dirt("file: JSON", b'[{"firstName": "Sarah"}]', "customers.json", refused="JSON"),
    Dirt("file: text named xlsx", CLEAN, "customers.xlsx", refused="although its name ends in '.xlsx'"),
    Dirt("file: binary", bytes(range(256)) * 40, "customers.csv", refused="binary"),
    Dirt("file: header shorter than the rows", ",".join(HEADER[1:]) + "\n" + "".join(LINES[1:]), refused="has no name"),
    Dirt(
        "file: columns of fixed width",
        "Legacy ID   First Name   Last Name\n" + "00001       Sarah        Green\n00002       Jim          Brown\n" * 5,
        refused="columns",
    ),
    Dirt("delimiter: of two characters", table().replace(",", "||"), refused="delimiter"),
    Dirt("delimiter: unusual", table().replace(",", "^"), refused="delimiter"),
    Dirt("delimiter: not one character", CLEAN, settings={"delimiter": "ab"}, refused="not one character"),
    Dirt("encoding: unknown name", CLEAN, settings={"encoding": "utf-9"}, refused="no text encoding"),
    Dirt(
        "encoding: no text at all", lambda: table(PLAIN).encode() + bytes(range(0x80, 0x100)) * 40, refused="encoding"
    ),
    Dirt("header: row out of reach", CLEAN, settings={"header_row": 900}, refused="not there"),
    Dirt(
        "packed: two files in a zip",
        lambda: zipped(("a.csv", CLEAN), ("b.csv", CLEAN)),
        "customers.zip",
        refused="2 files",
    ),
    Dirt("packed: broken gz", lambda: gzip.compress(CLEAN)[:-30], "customers.csv.gz", refused="damaged"),
    Dirt(
        "packed: twice",
        lambda: gzip.compress(gzip.compress(gzip.compress(CLEAN))),
        "customers.csv.gz",
        refused="packed more than once",
    ),
]


def read(dirt: Dirt, folder: Path) -> tuple[Any, list[list[str]], list[int], dict[int, Any]]:
    path = folder / dirt.name
    path.write_bytes(dirt.bytes)
    reader = open_source(path, SourceSettings(**dirt.settings))
    try:
        rows: list[list[str]] = []
        numbers: list[int] = []
        issues = {}
        for batch in reader.batches():
            assert batch.first == len(rows)
            rows += map(list, zip(*batch.cells, strict=True))
            numbers += batch.rows
            issues.update({issue.ordinal: issue for issue in batch.issues})
        return reader.info, rows, numbers, issues
    finally:
        reader.close()


def check(dirt: Dirt, folder: Path) -> None:
    info, rows, numbers, issues = read(dirt, folder)
    assert list(info.columns) == dirt.columns
    assert len(rows) == len(dirt.rows)
    assert {
        i: issue.code for i, issue in issues.items() if issue.severity is Severity.ERROR or i in dirt.flagged
    } == dirt.flagged
    assert [row for i, row in enumerate(rows) if i not in dirt.flagged] == [
        row for i, row in enumerate(dirt.rows) if i not in dirt.flagged
    ]
    assert numbers == (dirt.numbers or list(range(2, 2 + len(rows))))
    assert dirt.warned in " ".join(info.warnings)
    found = {item.what: item.value for item in info.detected}
    assert {what: found.get(what) for what in dirt.detected} == dirt.detected


@pytest.mark.parametrize("kind", READ_RIGHT, ids=lambda dirt: dirt.kind)
def test_what_can_be_read_is_read_right(kind: Dirt, tmp_path: Path, dirt: Any) -> None:
    dirt(kind.kind, "read right")
    check(kind, tmp_path)


@pytest.mark.parametrize("kind", ROW_REFUSED, ids=lambda dirt: dirt.kind)
def test_a_damaged_row_is_named_and_its_neighbours_are_read_right(kind: Dirt, tmp_path: Path, dirt: Any) -> None:
    dirt(kind.kind, f"row named: {', '.join(sorted(set(kind.flagged.values())))}")
    check(kind, tmp_path)


@pytest.mark.parametrize("kind", REFUSED, ids=lambda dirt: dirt.kind)
def test_what_cannot_be_read_is_refused_with_the_reason(kind: Dirt, tmp_path: Path, dirt: Any) -> None:
    dirt(kind.kind, f"refused: {kind.refused}")
    with pytest.raises(SourceError, match=kind.refused) as refusal:
        read(kind, tmp_path)
    assert refusal.value.hint
    assert str(refusal.value).count("\n") == 0


def test_a_lone_carriage_return_in_the_last_cell_costs_both_halves_of_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'Name,Age,Note\nAnn,3,one\rtwo\nBob,4,"a\rb"\nCy,5,\r\nDee,6,x\n')
    with closing(open_source(path, SourceSettings())) as reader:
        (batch,) = reader.batches()

    assert [issue.ordinal for issue in batch.issues if issue.code == "row_torn"] == [0, 1]
    assert not [issue for issue in batch.issues if issue.ordinal > 1]
    assert list(batch.cells[0]) == ["Ann", "two", "Bob", "Cy", "Dee"]


def test_lines_that_all_end_in_carriage_returns_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"Name,Age,Note\rAnn,3,one\rBob,4,two\r")
    with closing(open_source(path, SourceSettings())) as reader:
        assert not [issue for batch in reader.batches() for issue in batch.issues]
