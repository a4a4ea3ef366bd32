"""One clean workbook of customers, one pollution at a time: read right, named, or refused with the reason."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt
from odf import table as odf_table
from odf.opendocument import OpenDocumentSpreadsheet
from odf.text import P
from openpyxl.worksheet.worksheet import Worksheet

from importer.core.errors import SourceError
from importer.core.issues import Severity
from importer.profile.settings import SourceSettings
from importer.readers import open_source

HEADER = ["ID", "First", "Last", "Phone", "Email", "DOB", "City", "Zip"]
NAMES = [("Sarah", "Green"), ("José", "Muñoz"), ("Zoë", "O'Brien"), ("Jürgen", "Müller & Söhne")]
ROWS = [
    [
        str(n),
        *NAMES[n % 4],
        f"41555501{n:02d}",
        f"person{n}@example.com",
        f"19{60 + n}-03-0{1 + n % 9}",
        "Springfield",
        f"{62000 + n}",
    ]
    for n in range(1, 13)
]


def native(row: list[str]) -> list[Any]:
    """The row as a person types it into a spreadsheet: numbers and dates as such."""
    date = dt.date.fromisoformat(row[5])
    return [int(row[0]), row[1], row[2], int(row[3]), row[4], date, row[6], int(row[7])]


def book(change: Callable[[Worksheet], object] | None = None, *, title: str = "Customers") -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = title
    sheet.append(HEADER)
    for row in ROWS:
        sheet.append(native(row))
    if change:
        change(sheet)
    return saved(workbook)


def saved(workbook: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def rewritten(part: str, old: str, new: str, content: bytes | None = None) -> bytes:
    """A workbook whose XML was changed by hand: what other programs write, and what attackers do."""
    source = zipfile.ZipFile(io.BytesIO(content or book()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == part:
                text, count = re.subn(old, new, data.decode(), flags=re.DOTALL)
                assert count, "the pollution did not hit"
                data = text.encode()
            target.writestr(name, data)
    return out.getvalue()


CITY_OF_ROW_3 = r'<c r="G3"[^>]*>.*?</c>'
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


def by_xlsxwriter(**options: Any) -> bytes:
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True, **options})
    sheet = workbook.add_worksheet("Customers")
    date = workbook.add_format({"num_format": "[$-409]d-mmm-yy;@"})
    sheet.write_row(0, 0, HEADER)
    for i, row in enumerate(ROWS, 1):
        for j, value in enumerate(native(row)):
            sheet.write_datetime(i, j, value, date) if isinstance(value, dt.date) else sheet.write(i, j, value)
    workbook.close()
    return out.getvalue()


def by_xlwt() -> bytes:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Customers")
    date = xlwt.easyxf(num_format_str="M/D/YY")
    for j, name in enumerate(HEADER):
        sheet.write(0, j, name)
    for i, row in enumerate(ROWS, 1):
        for j, value in enumerate(native(row)):
            sheet.write(i, j, value, date) if isinstance(value, dt.date) else sheet.write(i, j, value)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def by_odfpy() -> bytes:
    document = OpenDocumentSpreadsheet()
    sheet = odf_table.Table(name="Customers")
    for row in [HEADER, *map(native, ROWS)]:
        line = odf_table.TableRow()
        for value in row:
            line.addElement(_odf_cell(value))
        sheet.addElement(line)
    document.spreadsheet.addElement(sheet)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def ods(change: Callable[[str], str]) -> bytes:
    """The same workbook with its content changed by hand: what LibreOffice writes."""
    source = zipfile.ZipFile(io.BytesIO(by_odfpy()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "content.xml":
                text = change(data.decode())
                assert text != data.decode(), "the pollution did not hit"
                data = text.encode()
            target.writestr(name, data)
    return out.getvalue()


def ods_changed(old: str, new: str) -> Callable[[], bytes]:
    return lambda: ods(lambda text: text.replace(old, new))


def ods_sub(old: str, new: str) -> Callable[[], bytes]:
    return lambda: ods(lambda text: re.sub(old, new, text, count=1))


def ods_prefixed(old: str, new: str, declared: str, declared_new: str) -> Callable[[], bytes]:
    """Use another prefix for a namespace."""
    return lambda: ods(lambda text: re.sub(old, new, text).replace(declared, declared_new))


def xls(change: Callable[[Any, Any], object]) -> bytes:
    """The workbook of the old kind, all cells as text, changed before it is saved."""
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Customers", cell_overwrite_ok=True)
    for i, row in enumerate([HEADER, *ROWS]):
        for j, value in enumerate(row):
            sheet.write(i, j, value)
    change(workbook, sheet)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def xls_zip_format(_: Any, sheet: Any) -> None:
    for i, row in enumerate(ROWS, 1):
        sheet.write(i, 7, int(row[7]), xlwt.easyxf(num_format_str="0000000"))


def xls_phone_format(_: Any, sheet: Any) -> None:
    for i, row in enumerate(ROWS, 1):
        sheet.write(i, 3, int(row[3]), xlwt.easyxf(num_format_str="(000) 000-0000"))


def xls_hidden(_: Any, sheet: Any) -> None:
    sheet.row(3).hidden = True
    sheet.col(5).hidden = True
    sheet.merge(1, 3, 6, 6)


def xls_with_hidden_sheet(workbook: Any, _: Any) -> None:
    workbook.add_sheet("Secret").visibility = 1


def xls_emoji(_: Any, sheet: Any) -> None:
    """Longer texts than one record holds: whatever their lengths, some character is cut between its two halves."""
    for i in range(len(ROWS)):
        sheet.write(1 + i, 6, EMOJI + "a" * (i % 2) + EMOJI)


def _odf_cell(value: Any) -> Any:
    if isinstance(value, dt.date):
        return odf_table.TableCell(valuetype="date", datevalue=value.isoformat())
    if isinstance(value, int):
        return odf_table.TableCell(valuetype="float", value=value)
    cell = odf_table.TableCell(valuetype="string")
    cell.addElement(P(text=value))
    return cell


@dataclass
class Dirt:
    """One kind of dirt and what must become of it."""

    kind: str
    content: Callable[[], bytes]
    name: str = "customers.xlsx"
    settings: dict[str, Any] = field(default_factory=dict)
    columns: list[str] = field(default_factory=lambda: list(HEADER))
    rows: list[list[str]] = field(default_factory=lambda: ROWS)
    numbers: list[int] | None = None
    refused: str = ""
    flagged: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Position of a row to the code it must carry and the column it names."""
    warned: str = ""
    sheet: str = "Customers"


def changed(at: int, column: int, text: str) -> list[list[str]]:
    rows = [list(row) for row in ROWS]
    rows[at][column] = text
    return rows


def set_cell(reference: str, value: Any, number_format: str = "General") -> Callable[[Worksheet], object]:
    def change(sheet: Worksheet) -> None:
        sheet[reference] = value
        sheet[reference].number_format = number_format

    return change


def column_format(letter: str, number_format: str) -> Callable[[Worksheet], object]:
    def change(sheet: Worksheet) -> None:
        for cell in sheet[letter][1:]:
            cell.number_format = number_format

    return change


def with_column(column: int, text: Callable[[str], str]) -> list[list[str]]:
    return [[text(cell) if i == column else cell for i, cell in enumerate(row)] for row in ROWS]


def two_sheets(*, first_hidden: bool = False) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(book()))
    notes = workbook.create_sheet("Notes", 0)
    notes.append(["nothing", "here"])
    if first_hidden:
        notes.sheet_state = "hidden"
    workbook.active = 1
    return saved(workbook)


def title_block(sheet: Worksheet) -> None:
    sheet.insert_rows(1, 3)
    sheet["A1"] = "Customer list"
    sheet["A2"] = "exported 1 March 2019"


def groups(sheet: Worksheet) -> None:
    sheet.insert_rows(1)
    sheet["B1"], sheet["D1"] = "Name", "Contact"
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("D1:E1")


def merged_header(sheet: Worksheet) -> None:
    """A header of two lines: `ID` and `City` over both, `Name` over `First` and `Last`."""
    sheet.insert_rows(1)
    for column in "AFGH":
        sheet[f"{column}1"], sheet[f"{column}2"] = sheet[f"{column}2"].value, None
        sheet.merge_cells(f"{column}1:{column}2")
    sheet["B1"], sheet["D1"] = "Name", "Contact"
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("D1:E1")


def merged_cells(sheet: Worksheet) -> None:
    sheet.merge_cells("G2:G4")


def hide_rows(sheet: Worksheet) -> None:
    sheet.auto_filter.ref = "A1:H13"
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["F"].hidden = True


def blank_rows(sheet: Worksheet) -> None:
    sheet.insert_rows(5, 2)


def totals(sheet: Worksheet) -> None:
    sheet.append([])
    sheet.append(["Total", None, None, None, None, None, None, 12])


def epoch_1904() -> bytes:
    return by_xlsxwriter(date_1904=True)


def epoch_1904_extended() -> bytes:
    extension = '<extLst><ext xmlns:x15="urn:x15"><x15:workbookPr chartTrackingRefBase="1"/></ext></extLst></workbook>'
    return rewritten("xl/workbook.xml", "</workbook>", extension, epoch_1904())


EXTENSION = (
    '<extLst><ext xmlns:x="urn:x"><x:cellXfs><x:xf numFmtId="14"/><x:xf numFmtId="14"/></x:cellXfs>'
    '<x:numFmt numFmtId="14" formatCode="0"/></ext></extLst>'
)
ODS_EXTENSION = (
    '<z:table-row xmlns:z="urn:z"><z:table-cell><text:p xmlns:text="urn:text">9</text:p></z:table-cell></z:table-row>'
)


def stray_cell(sheet: Worksheet) -> None:
    sheet["M9"] = "call back"


EMOJI = "\U0001f600" * 1_100


def rich_text() -> bytes:
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = workbook.add_worksheet("Customers")
    bold = workbook.add_format({"bold": True})
    sheet.write_row(0, 0, HEADER)
    for i, row in enumerate(ROWS, 1):
        sheet.write_row(i, 0, row)
    sheet.write_rich_string(3, 1, bold, "Jür", "gen")
    workbook.close()
    return out.getvalue()


def prefixed() -> bytes:
    text = zipfile.ZipFile(io.BytesIO(book())).read(SHEET).decode()
    body = re.sub(r"<(/?)(\w)", r"<\1x:\2", re.sub(r"<\?xml.*?\?>", "", text)).replace("xmlns=", "xmlns:x=")
    return _with_part(SHEET, body)


def _with_part(part: str, text: str) -> bytes:
    return rewritten(part, r"\A.*\Z", text.replace("\\", r"\\"))


def encrypted() -> bytes:
    """The first sectors of an OLE file with the directory names of an encrypted workbook."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504
    return (
        head
        + "EncryptionInfo".encode("utf-16-le").ljust(128, b"\x00")
        + "EncryptedPackage".encode("utf-16-le").ljust(512, b"\x00")
    )


READ = [
    Dirt(
        "xml: a tail of many megabytes",
        lambda: rewritten(SHEET, "</sheetData>", "</sheetData><mergeCells/>" + "<!-- " + "tail " * 4_000_000 + " -->"),
    ),
    Dirt("xlsx: strings inside the cells", book),
    Dirt("xlsx: shared strings", by_xlsxwriter),
    Dirt("xls: by xlwt", by_xlwt, "customers.xls"),
    Dirt("ods: by odfpy", by_odfpy, "customers.ods"),
    Dirt("xls: text only", lambda: xls(lambda *_: None), "customers.xls"),
    Dirt(
        "xls: zip with leading zeros",
        lambda: xls(xls_zip_format),
        "customers.xls",
        rows=with_column(7, lambda t: "00" + t),
    ),
    Dirt(
        "xls: phone format",
        lambda: xls(xls_phone_format),
        "customers.xls",
        rows=with_column(3, lambda t: f"({t[:3]}) {t[3:6]}-{t[6:]}"),
    ),
    Dirt(
        "xls: hidden and merged",
        lambda: xls(xls_hidden),
        "customers.xls",
        rows=[[*r[:6], "" if i in {1, 2} else r[6], r[7]] for i, r in enumerate(ROWS)],
        warned="hidden",
    ),
    Dirt(
        "xls: characters cut between records",
        lambda: xls(xls_emoji),
        "customers.xls",
        rows=[[*r[:6], EMOJI + "a" * (i % 2) + EMOJI, r[7]] for i, r in enumerate(ROWS)],
    ),
    Dirt("xls: a hidden sheet", lambda: xls(xls_with_hidden_sheet), "customers.xls", warned="Secret"),
    Dirt(
        "ods: zip with leading zeros",
        ods_changed('office:value="62001"/>', 'office:value="62001"><text:p>0062001</text:p></table:table-cell>'),
        "customers.ods",
        rows=changed(0, 7, "0062001"),
    ),
    Dirt(
        "ods: rounded on screen",
        ods_changed('office:value="62001"/>', 'office:value="62001.5"><text:p>62002</text:p></table:table-cell>'),
        "customers.ods",
        rows=changed(0, 7, "62001.5"),
    ),
    Dirt(
        "ods: truth values as LibreOffice makes them of Excel's",
        ods_changed(
            'office:value="62001"/>',
            'office:value="1" table:formula="of:=TRUE()"><text:p>WAHR</text:p></table:table-cell>',
        ),
        "customers.ods",
        rows=changed(0, 7, "TRUE"),
    ),
    Dirt(
        "ods: nothing shown as a dash",
        ods_changed('office:value="62001"/>', 'office:value="0"><text:p> - </text:p></table:table-cell>'),
        "customers.ods",
        rows=changed(0, 7, "0"),
    ),
    Dirt(
        "ods: money without cents",
        ods_sub(
            'office:value-type="float" office:value="62001"/>',
            'office:value-type="currency" office:value="620"><text:p>$620</text:p></table:table-cell>',
        ),
        "customers.ods",
        rows=changed(0, 7, "620"),
    ),
    Dirt(
        "ods: comment on a cell",
        ods_changed("<text:p>person1@", "<office:annotation><text:p>note</text:p></office:annotation><text:p>person1@"),
        "customers.ods",
    ),
    Dirt(
        "ods: spaces, tabs and paragraphs",
        ods_changed(
            "<text:p>person1@example.com",
            '<text:p>a<text:s text:c="2"/>b<text:tab/>c<text:line-break/>d<text:span>e</text:span></text:p><text:p>f',
        ),
        "customers.ods",
        rows=changed(0, 4, "a  b\tc\nde\nf"),
    ),
    Dirt(
        "ods: filtered rows",
        lambda: ods(lambda t: t.replace("<table:table-row>", '<table:table-row table:visibility="filter">')),
        "customers.ods",
        warned="hidden by a filter",
    ),
    Dirt(
        "ods: a million blank rows and columns",
        ods_changed(
            "</table:table>",
            '<table:table-row table:number-rows-repeated="1048563">'
            '<table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>',
        ),
        "customers.ods",
    ),
    Dirt(
        "ods: equal rows written once",
        ods_changed(
            "</table:table>",
            '<table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="string">'
            "<text:p>x</text:p></table:table-cell></table:table-row></table:table>",
        ),
        "customers.ods",
        rows=[*ROWS, *[["x", *[""] * 7]] * 2],
    ),
    Dirt("xlsx: named xls", book, "customers.xls"),
    Dirt("xlsx: named xlsm", book, "customers.xlsm"),
    Dirt("sheet: by name", two_sheets, settings={"sheet": "customers"}),
    Dirt("sheet: by number", two_sheets, settings={"sheet": 2}),
    Dirt("sheet: by number as text", two_sheets, settings={"sheet": "2"}),
    Dirt(
        "sheet: the first one is hidden",
        lambda: two_sheets(first_hidden=True),
        warned="Hidden sheets are not read: Notes",
    ),
    Dirt("header: under a title block", lambda: book(title_block), numbers=list(range(5, 17))),
    Dirt("header: under a line of groups", lambda: book(groups), numbers=list(range(3, 15))),
    Dirt("header: merged over two lines", lambda: book(merged_header), numbers=list(range(3, 15))),
    Dirt("rows: blank ones between", lambda: book(blank_rows), numbers=[2, 3, 4, *range(7, 16)]),
    Dirt("rows: totals below", lambda: book(totals), warned="totals"),
    Dirt("rows: filtered and hidden", lambda: book(hide_rows), warned="hidden by a filter"),
    Dirt(
        "rows: cells merged over several",
        lambda: book(merged_cells),
        rows=[[*r[:6], "" if i in {1, 2} else r[6], r[7]] for i, r in enumerate(ROWS)],
        warned="merged over several rows",
    ),
    Dirt(
        "rows: formatted but blank", lambda: book(lambda s: [set_cell(f"A{n}", None, "0.00")(s) for n in range(14, 60)])
    ),
    Dirt("cell: date in a long format", lambda: book(column_format("F", "dddd, mmmm d, yyyy"))),
    Dirt("cell: date in a foreign format", lambda: book(column_format("F", "[$-407]d. MMMM yyyy;@"))),
    Dirt(
        "cell: date with a time",
        lambda: book(set_cell("F2", dt.datetime.fromisoformat("1961-03-02T14:30:00"), "yyyy-mm-dd h:mm")),
        rows=changed(0, 5, "1961-03-02 14:30:00"),
    ),
    Dirt("cell: dates counted from 1904", epoch_1904),
    Dirt("xlsx: an extension repeats the workbook's element that names the epoch", epoch_1904_extended),
    Dirt(
        "xlsx: an extension repeats sheets and styles",
        lambda: rewritten("xl/styles.xml", "</styleSheet>", EXTENSION + "</styleSheet>", by_xlsxwriter()),
    ),
    Dirt(
        "xlsx: a value stands beside an inline string",
        lambda: rewritten(SHEET, r'(<c r="B3"[^>]*t="inlineStr"[^>]*>)(<is>)', r"\1<v>1.0</v>\2"),
    ),
    Dirt(
        "xlsx: an extension has cells of its own",
        lambda: rewritten(SHEET, r"</row>", r'<z:c r="B99" xmlns:z="urn:z"><z:v>9</z:v></z:c></row>'),
    ),
    Dirt("ods: other prefixes", ods_prefixed(r"\btable:(?=[a-z])", "t:", "xmlns:table=", "xmlns:t="), "customers.ods"),
    Dirt(
        "ods: an extension has rows of its own",
        ods_changed("</table:table>", f"{ODS_EXTENSION}</table:table>"),
        "customers.ods",
    ),
    Dirt("cell: leap day of 1900", lambda: book(set_cell("F2", 60, "yyyy-mm-dd")), rows=changed(0, 5, "1900-02-29")),
    Dirt("cell: first days of 1900", lambda: book(set_cell("F2", 1, "yyyy-mm-dd")), rows=changed(0, 5, "1900-01-01")),
    Dirt("cell: true and false", lambda: book(set_cell("G2", True)), rows=changed(0, 6, "TRUE")),
    Dirt("cell: long number", lambda: book(set_cell("A2", 415555010123456)), rows=changed(0, 0, "415555010123456")),
    Dirt("cell: number in exponent form", lambda: rewritten(SHEET, r"<v>4155550101</v>", "<v>4.155550101E9</v>")),
    Dirt("cell: number with a tail of .0", lambda: rewritten(SHEET, r"<v>4155550101</v>", "<v>4155550101.0</v>")),
    Dirt(
        "cell: decimal noise",
        lambda: rewritten(SHEET, r"<v>62001</v>", "<v>12.300000000000001</v>"),
        rows=changed(0, 7, "12.3"),
    ),
    Dirt("cell: scientific format", lambda: book(column_format("D", "0.00E+00"))),
    Dirt("cell: thousands and currency", lambda: book(column_format("H", '"$"#,##0.00'))),
    Dirt(
        "cell: zip with leading zeros",
        lambda: book(column_format("H", "0000000")),
        rows=with_column(7, lambda t: "00" + t),
    ),
    Dirt(
        "cell: phone format",
        lambda: book(column_format("D", "[<=9999999]###-####;(###) ###-####")),
        rows=with_column(3, lambda t: f"({t[:3]}) {t[3:6]}-{t[6:]}"),
    ),
    Dirt(
        "cell: id with letters by format",
        lambda: book(column_format("A", '"C-"0000')),
        rows=with_column(0, lambda t: f"C-{int(t):04d}"),
    ),
    Dirt(
        "cell: long digits as text",
        lambda: book(set_cell("A2", "1234567890123456789", "@")),
        rows=changed(0, 0, "1234567890123456789"),
    ),
    Dirt(
        "cell: a number of 15 digits",
        lambda: book(set_cell("A2", 123456789012345)),
        rows=changed(0, 0, "123456789012345"),
    ),
    Dirt(
        "cell: text that looks like a number", lambda: book(set_cell("H2", "00123", "@")), rows=changed(0, 7, "00123")
    ),
    Dirt("cell: rich text", rich_text),
    Dirt(
        "cell: phonetic hints",
        lambda: rewritten(
            SHEET,
            "<is><t>José</t></is>",
            "<is><t>José</t><rPh sb='0' eb='1'><t>ホセ</t></rPh></is>",
        ),
    ),
    Dirt("cell: line break", lambda: book(set_cell("G2", "Spring\nfield")), rows=changed(0, 6, "Spring\nfield")),
    Dirt(
        "cell: escaped control character",
        lambda: rewritten(STRINGS, "<t>Sarah</t>", "<t>Sa_x000D_rah</t>", by_xlsxwriter()),
        rows=[[*r[:1], r[1].replace("Sarah", "Sa\rrah"), *r[2:]] for r in ROWS],
    ),
    Dirt("cell: coded characters", lambda: rewritten(STRINGS, "<t>Sarah</t>", "<t>S&#97;rah</t>", by_xlsxwriter())),
    Dirt(
        "cell: formula with its value",
        lambda: rewritten(
            SHEET, r'<c r="H2"( s="\d+")?( t="n")?><v>62001</v></c>', '<c r="H2"><f>62000+1</f><v>62001</v></c>'
        ),
    ),
    Dirt(
        "cell: formula giving text",
        lambda: rewritten(
            SHEET, CITY_OF_ROW_3.replace("3", "2"), '<c r="G2" t="str"><f>T("x")</f><v>Springfield</v></c>'
        ),
    ),
    Dirt("cell: beyond the table", lambda: book(stray_cell), flagged={7: ("cell_outside_table", "")}),
    Dirt("xml: wrong dimension", lambda: rewritten(SHEET, r'<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"')),
    Dirt("xml: dimension of one cell", lambda: rewritten(SHEET, r'<dimension ref="[^"]*"', '<dimension ref="A1"')),
    Dirt("xml: rows without numbers", lambda: rewritten(SHEET, r'<row r="\d+"', "<row")),
    Dirt("xml: cells without references", lambda: rewritten(SHEET, r'<c r="[A-Z]+\d+"', "<c")),
    Dirt("xml: namespace prefix", prefixed),
    Dirt("xml: a comment between rows", lambda: rewritten(SHEET, r"</row>", "</row><!-- x -->")),
    Dirt(
        "xml: strings in CDATA", lambda: rewritten(STRINGS, "<t>Sarah</t>", "<t><![CDATA[Sarah]]></t>", by_xlsxwriter())
    ),
    Dirt(
        "xml: empty rows",
        lambda: rewritten(SHEET, r"</sheetData>", '<row r="40"/><row r="41" spans="1:8"/></sheetData>'),
    ),
    Dirt("xml: single quotes", lambda: rewritten(SHEET, r'<c r="([A-Z]+\d+)"', r"<c r='\1'")),
]

NAMED = [
    Dirt(
        "xls: error",
        lambda: xls(lambda _, sheet: sheet.row(2).set_cell_error(6, 42)),
        "customers.xls",
        flagged={1: ("cell_error", "City")},
    ),
    Dirt(
        "ods: error",
        lambda: ods(
            lambda t: re.sub(
                r'<table:table-cell office:value-type="string"><text:p>Springfield',
                '<table:table-cell table:formula="of:=NA()" office:value-type="string" '
                'calcext:value-type="error"><text:p>#N/A',
                t,
                count=1,
            )
        ),
        "customers.ods",
        flagged={0: ("cell_error", "City")},
    ),
    Dirt(
        "cell: error",
        lambda: rewritten(SHEET, CITY_OF_ROW_3, '<c r="G3" t="e"><v>#N/A</v></c>'),
        flagged={1: ("cell_error", "City")},
    ),
    Dirt(
        "cell: error as text",
        lambda: rewritten(SHEET, CITY_OF_ROW_3, '<c r="G3" t="inlineStr"><is><t>#N/A</t></is></c>'),
        flagged={1: ("cell_error", "City")},
    ),
    *(
        Dirt(
            f"cell: a number of {len(value)} digits, {shown}",
            partial(rewritten, SHEET, r'<c r="A3"[^>]*>.*?</c>', f'<c r="A3"><v>{stored}</v></c>'),
            rows=changed(1, 0, value),
            flagged={1: ("number_shortened", "ID")},
        )
        for shown, stored, value in (
            ("written out", "1234567890123456789", "1234567890123456768"),
            ("with an exponent", "1.2345678901234568E+16", "12345678901234568"),
            ("rounded to tens", "1234567890123450", "1234567890123450"),
        )
    ),
    Dirt(
        "xls: a number of 16 digits",
        lambda: xls(lambda _, sheet: sheet.write(20, 0, 1234567890123456)),
        "customers.xls",
        rows=[*ROWS, ["1234567890123456", *[""] * 7]],
        numbers=[*range(2, 14), 21],
        flagged={12: ("number_shortened", "ID")},
    ),
    Dirt(
        "ods: a number of 16 digits",
        lambda: ods(lambda t: re.sub('office:value="4155550102"', 'office:value="4155550102415555"', t, count=1)),
        "customers.ods",
        rows=changed(1, 3, "4155550102415555"),
        flagged={1: ("number_shortened", "Phone")},
    ),
    Dirt(
        "cell: formula that fails",
        lambda: rewritten(SHEET, CITY_OF_ROW_3, '<c r="G3" t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
        flagged={1: ("cell_error", "City")},
    ),
    Dirt(
        "cell: formula never calculated",
        lambda: book(set_cell("G3", '="Spring"&"field"')),
        flagged={1: ("formula_without_value", "City")},
    ),
]

REFUSED = [
    Dirt("xml: the sheet ends after a row", lambda: rewritten(SHEET, r"</sheetData>.*", ""), refused="damaged"),
    Dirt(
        "xml: the strings end after one",
        lambda: rewritten(STRINGS, r"</sst>.*", "", by_xlsxwriter()),
        refused="damaged",
    ),
    Dirt(
        "xml: no rows at all", lambda: rewritten(SHEET, r"<sheetData>.*</sheetData>", "<sheetData/>"), refused="empty"
    ),
    Dirt(
        "ods: protected with a password",
        lambda: _with_parts(
            {
                "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
                "content.xml": "x",
                "META-INF/manifest.xml": "<manifest:encryption-data/>",
            }
        ),
        "customers.ods",
        refused="password",
    ),
    Dirt(
        "ods: cut off",
        lambda: _with_parts({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<a><b>"}),
        "customers.ods",
        refused="damaged",
    ),
    Dirt(
        "ods: a wide row without end",
        ods_changed(
            '<table:table-cell office:value-type="string"><text:p>Sarah',
            '<table:table-cell table:number-columns-repeated="999999999" office:value-type="string"><text:p>Sarah',
        ),
        "customers.ods",
        refused="damaged",
    ),
    Dirt("xls: cut off", lambda: by_xlwt()[:3000], "customers.xls", refused="without a sheet"),
    Dirt(
        "sheet: misspelt",
        two_sheets,
        settings={"sheet": "Customer"},
        refused="no sheet 'Customer'. Did you mean 'Customers'",
    ),
    Dirt("sheet: number too high", two_sheets, settings={"sheet": 7}, refused="no sheet number 7"),
    Dirt("workbook: blank sheet", lambda: saved(openpyxl.Workbook()), refused="empty"),
    Dirt("workbook: header only", lambda: book(lambda sheet: sheet.delete_rows(2, 50)), refused="no data rows"),
    Dirt("workbook: protected with a password", encrypted, refused="password"),
    Dirt("workbook: cut off", lambda: book()[:-200], refused="damaged|zip"),
    Dirt("workbook: cut off in the middle", lambda: book()[: len(book()) // 2], refused="damaged|zip"),
    Dirt("workbook: a sheet's bytes flipped", lambda: rewritten(SHEET, r"</row>", "</rwo>"), refused="damaged"),
    Dirt(
        "workbook: strings missing", lambda: rewritten(STRINGS, r"<si>.*</si>", "", by_xlsxwriter()), refused="damaged"
    ),
    Dirt("workbook: named csv", book, "customers.csv", refused="although its name ends in '.csv'"),
    Dirt("workbook: asked for as csv", book, settings={"format": "csv"}, refused="as the profile says"),
    Dirt(
        "workbook: a Word document",
        lambda: _with_parts({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}),
        refused="not a spreadsheet",
    ),
    Dirt(
        "hostile: entities",
        lambda: rewritten(
            SHEET, r"\A<(?:\?xml[^>]*\?>)?\s*<?worksheet|\A<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet'
        ),
        refused="entities",
    ),
    Dirt(
        "hostile: entities in the strings",
        lambda: rewritten(STRINGS, r"<sst", '<!DOCTYPE x [<!ENTITY a "b">]><sst', by_xlsxwriter()),
        refused="entities",
    ),
    Dirt(
        "hostile: entities in the styles",
        lambda: rewritten("xl/styles.xml", r"<styleSheet", '<!DOCTYPE x [<!ENTITY a "b">]><styleSheet'),
        refused="entities",
    ),
    Dirt(
        "hostile: row number beyond the end",
        lambda: rewritten(SHEET, r'<row r="13"', '<row r="99999999"'),
        refused="damaged",
    ),
    Dirt("hostile: column beyond the end", lambda: rewritten(SHEET, r'<c r="H13"', '<c r="ZZZ13"'), refused="damaged"),
    Dirt("hostile: rows out of order", lambda: rewritten(SHEET, r'<row r="13"', '<row r="3"'), refused="damaged"),
    Dirt(
        "hostile: too many columns",
        lambda: book(lambda sheet: [sheet.cell(1, n, f"c{n}") for n in range(9, 2_100)]),
        refused="columns",
    ),
    Dirt(
        "hostile: giant cell",
        lambda: rewritten(STRINGS, "<t>Sarah</t>", f"<t>{'x' * 1_100_000}</t>", by_xlsxwriter()),
        refused="characters",
    ),
    Dirt(
        "hostile: giant cell in the sheet",
        lambda: rewritten(SHEET, CITY_OF_ROW_3, f'<c r="G3" t="inlineStr"><is><t>{"x" * 1_100_000}</t></is></c>'),
        refused="characters",
    ),
]


def _with_parts(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def read(dirt: Dirt, folder: Path) -> tuple[Any, list[list[str]], list[int], dict[int, Any]]:
    path = folder / dirt.name
    path.write_bytes(dirt.content())
    reader = open_source(path, SourceSettings(**dirt.settings))
    try:
        rows: list[list[str]] = []
        numbers: list[int] = []
        issues = {}
        for batch in reader.batches():
            rows += map(list, zip(*batch.cells, strict=True))
            numbers += batch.rows
            issues.update({issue.ordinal: issue for issue in batch.issues})
        return reader.info, rows, numbers, issues
    finally:
        reader.close()


@pytest.mark.parametrize("kind", READ + NAMED, ids=lambda dirt: dirt.kind)
def test_a_workbook_is_read_as_the_person_sees_it(kind: Dirt, tmp_path: Path, dirt: Any) -> None:
    codes = ", ".join(sorted({code for code, _ in kind.flagged.values()}))
    dirt(kind.kind, f"row named: {codes}" if kind in NAMED else "read right")
    info, rows, numbers, issues = read(kind, tmp_path)
    assert list(info.columns) == kind.columns
    assert info.sheet == kind.sheet
    assert {i: (found.code, found.column) for i, found in issues.items()} == kind.flagged
    errors = {i for i, found in issues.items() if found.severity is Severity.ERROR}
    assert [row for i, row in enumerate(rows) if i not in errors] == [
        row for i, row in enumerate(kind.rows) if i not in errors
    ]
    assert numbers == (kind.numbers or list(range(2, 2 + len(kind.rows))))
    assert kind.warned in " ".join(info.warnings)


@pytest.mark.parametrize("kind", REFUSED, ids=lambda dirt: dirt.kind)
def test_a_workbook_that_cannot_be_read_is_refused_with_the_reason(kind: Dirt, tmp_path: Path, dirt: Any) -> None:
    dirt(kind.kind, f"refused: {kind.refused.split('|')[0]}")
    with pytest.raises(SourceError, match=kind.refused) as refusal:
        read(kind, tmp_path)
    assert refusal.value.hint
