"""The rows of a sheet's XML as raw cells: a quick way for what programs commonly write, an exact one for the rest.

The quick way is taken for a row only when it accounts for every cell element in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from importer.readers.workbook.package import LAST, safe_parser
from importer.readers.workbook.xlsx.markup import is_ordinary, own_name

RawCell = tuple[bytes, bytes, bytes]
"""Column letters, the other attributes, and the value or the inline string; all as XML writes them."""

_START = rb'<c r="([A-Z]{1,3})\d+("[^>]*)(?:/>|>'
_VALUE = rb'(?:<v(?: xml:space="preserve")?>|<is><t(?: xml:space="preserve")?>)([^<]*)(?:</v>|</t></is>)'
_VALUES = re.compile(_START + _VALUE + rb"</c>)")
_FORMULAS = re.compile(_START + rb"(<f[^>]*/>|<f[^>]*>[^<]*</f>)?(?:" + _VALUE + rb"|<v/>)?</c>)")
_NUMBER = re.compile(rb'\br="(\d+)"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')


class RawRow(NamedTuple):
    """One row element.

    Args:
        number: its row number; 0 where the file leaves it out.
        hidden: whether it is hidden or filtered out.
        formulas: positions of the cells that hold a formula.
    """

    number: int
    hidden: bool
    cells: Sequence[RawCell]
    formulas: Sequence[int] = ()


def read_rows(run: bytes, prefix: str, name: str) -> Iterator[RawRow]:
    """Yield the rows of a run of row elements.

    Args:
        prefix: the namespace prefix of the sheet's elements; empty in nearly all files.
        name: the source's name for people.
    """
    if prefix or not is_ordinary(run) or b"<c>" in run:
        yield from _exact(run, prefix, name)
        return
    *whole, rest = run.split(b"</row>")
    for part in whole:
        row = _quick(part)
        if row is not None:
            yield row
        else:
            yield from _exact(part + b"</row>", prefix, name)
    if b"<row" in rest:
        yield from _exact(rest, prefix, name)


def _quick(part: bytes) -> RawRow | None:
    """Read one row up to its end tag; None when it is more than one row, or holds something uncommon."""
    start = part.find(b"<row")
    body = part.find(b">", start) + 1
    if start < 0 or body == 0 or part.find(b"<row", body) >= 0 or part[body - 2 : body] == b"/>":
        return None
    count = part.count(b"<c ", body)
    cells: list[RawCell] = _VALUES.findall(part, body)
    formulas: Sequence[int] = ()
    if len(cells) != count:
        found = _FORMULAS.findall(part, body)
        if len(found) != count:
            return None
        cells = [(reference, attributes, value) for reference, attributes, _, value in found]
        formulas = [i for i, cell in enumerate(found) if cell[2]]
    attributes = part[start:body]
    number = _NUMBER.search(attributes)
    hidden = b"hidden" in attributes and _HIDDEN.search(attributes) is not None
    return RawRow(int(number[1]) if number else 0, hidden, cells, formulas)


def _exact(run: bytes, prefix: str, name: str) -> Iterator[RawRow]:
    collected = _Exact(prefix)
    parser = safe_parser(name)
    parser.StartElementHandler = collected.start
    parser.EndElementHandler = collected.end
    parser.CharacterDataHandler = collected.characters
    parser.Parse(b"<rows>" + run + b"</rows>", LAST)
    yield from collected.rows


class _Exact:
    """Collects rows from the events of an XML parser.

    Args:
        prefix: of the sheet's own elements; those of extensions have another one.
    """

    def __init__(self, prefix: str) -> None:
        self.rows: list[RawRow] = []
        self._prefix = f"{prefix}:" if prefix else ""
        self._path: list[str] = []
        self._row: Mapping[str, str] = {}
        self._cell: Mapping[str, str] = {}
        self._cells: list[RawCell] = []
        self._formulas: list[int] = []
        self._value = ""
        self._inline: str | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        tag = own_name(tag, self._prefix)
        self._path.append(tag)
        if tag == "row":
            self._row, self._cells, self._formulas = attributes, [], []
        elif tag == "c":
            self._cell, self._value, self._inline = attributes, "", None
        elif tag == "is":
            self._inline = ""
        elif tag == "f":
            self._formulas.append(len(self._cells))

    def characters(self, text: str) -> None:
        tag = self._path[-1]
        if tag == "v":
            self._value += text
        elif tag == "t" and self._inline is not None and "rPh" not in self._path:
            self._inline += text

    def end(self, _: str) -> None:
        tag = self._path.pop()
        if tag == "c":
            self._cells.append(self._raw_cell())
        elif tag == "row":
            number = self._row.get("r", "")
            hidden = self._row.get("hidden") in {"1", "true"}
            row = RawRow(int(number) if number.isdigit() else 0, hidden, self._cells, self._formulas)
            self.rows.append(row)

    def _raw_cell(self) -> RawCell:
        """The cell's one text: the inline string where its type says so, not the value beside it."""
        given = self._cell.get
        is_inline = self._inline is not None and (given("t") == "inlineStr" or not self._value)
        text = self._inline if is_inline and self._inline is not None else self._value
        reference = given("r", "").rstrip("0123456789")
        attributes = f'" s="{given("s", "")}" t="{given("t", "")}"'
        return reference.encode(), attributes.encode(), escape(text).encode()
