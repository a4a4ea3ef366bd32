"""The cells of an `.ods` sheet from XML events: values as the person sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from importer.readers.table.blocks import Mark
from importer.readers.workbook.cells import iso_text, number_text
from importer.readers.workbook.sheetrows import LAST_COLUMN, LAST_ROW, SheetFacts
from importer.readers.workbook.troubles import ERRORS, cell_error, long_number, too_long

_ERROR_CODE = re.compile(r"Err:\d{3}")
_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")
_NUMBERS = frozenset({"float", "percentage", "currency"})
_CELLS = frozenset({"table:table-cell", "table:covered-table-cell"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row element.

    Args:
        cells: up to the last one that is not blank.
        count: how many rows it stands for.
    """

    cells: list[str]
    marks: list[Mark]
    count: int


@dataclass(slots=True)
class _Cell:
    """The cell that is being read."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    paragraphs: list[str] = field(default_factory=list)
    chars: int = 0

    def add(self, text: str) -> None:
        if self.paragraphs:
            self.paragraphs[-1] += text
            self.chars += len(text)


class SheetEvents:
    """Collects the rows of one sheet.

    Args:
        wanted: the sheet's position, from 0.
        facts: filled while reading.
        longest: characters that a cell may have.
        name: the source's name for people.
    """

    def __init__(self, wanted: int, facts: SheetFacts, longest: int, name: str) -> None:
        self._wanted = wanted
        self._facts = facts
        self._longest = longest
        self._name = name
        self._at = -1
        self._number = 0
        self._depth = 0
        self._aside = 0
        self._row: Mapping[str, str] = {}
        self._cells: list[str] = []
        self._marks: list[Mark] = []
        self._blank = 0
        self._cell = _Cell()
        self._ready: list[Row] = []
        self.done = False

    def take(self) -> Iterator[Row]:
        """Give out the rows that are complete."""
        ready, self._ready = self._ready, []
        return iter(ready)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        if tag == "table:table":
            self._depth += 1
            self._at += self._depth == 1
        if self._at != self._wanted or self.done or self._depth > 1:
            return
        if tag in {"office:annotation", "table:shapes", "draw:frame"}:
            self._aside += 1
        elif self._aside:
            return
        elif tag == "table:table-row":
            self._row, self._cells, self._marks, self._blank = attributes, [], [], 0
        elif tag in _CELLS:
            self._cell = _Cell(attributes)
        else:
            self._inside(tag, attributes)

    def _inside(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "text:p":
            self._cell.paragraphs.append("")
        elif tag == "text:s":
            self._cell.add(" " * min(_count(attributes, "text:c"), self._longest))
        elif tag == "text:tab":
            self._cell.add("\t")
        elif tag == "text:line-break":
            self._cell.add("\n")
        elif tag == "table:table-column":
            self._facts.hidden_columns |= attributes.get("table:visibility") in {"collapse", "filter"}

    def characters(self, text: str) -> None:
        """Take a piece of text."""
        if self._at == self._wanted and not self._aside and not self.done and self._depth == 1:
            self._cell.add(text)
            if self._cell.chars > self._longest:
                raise too_long(self._longest, self._name)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        if tag == "table:table":
            self.done = self.done or (self._at == self._wanted and self._depth == 1)
            self._depth -= 1
        if self._at != self._wanted or self.done or self._depth > 1:
            return
        if tag in {"office:annotation", "table:shapes", "draw:frame"}:
            self._aside -= 1
        elif self._aside:
            return
        elif tag in _CELLS:
            self._end_cell()
            self._cell = _Cell()
        elif tag == "table:table-row":
            self._end_row()

    def _end_cell(self) -> None:
        attributes = self._cell.attributes
        count = _count(attributes, "table:number-columns-repeated")
        rows = _count(attributes, "table:number-rows-spanned")
        if rows > 1:
            self._facts.merged = max(self._facts.merged, self._number + rows)
        text = self._text()
        if not text:
            self._blank += count
            return
        at = len(self._cells) + self._blank
        if at + count > LAST_COLUMN:
            raise ValueError("a cell beyond the last column")
        self._cells += [""] * self._blank + [text] * count
        self._blank = 0
        if _is_error(attributes, text):
            self._marks += [cell_error(text, at + i) for i in range(count)]
        if attributes.get("office:value-type", "") in _NUMBERS:
            long = (long_number(attributes.get("office:value", ""), at + i) for i in range(count))
            self._marks += filter(None, long)

    def _end_row(self) -> None:
        count = min(_count(self._row, "table:number-rows-repeated"), LAST_ROW)
        hidden = self._row.get("table:visibility", "visible")
        if hidden != "visible" and self._cells:
            self._facts.hidden_rows += count
            self._facts.filtered |= hidden == "filter"
        self._number += count
        self._ready.append(Row(self._cells, self._marks, count))

    def _text(self) -> str:
        """Return the cell's text: of a number its value in full, unless it is shown with leading zeros or signs."""
        attributes = self._cell.attributes
        shown = "\n".join(self._cell.paragraphs)
        kind = attributes.get("office:value-type", "")
        if _is_error(attributes, shown):
            return shown
        if kind in _NUMBERS:
            plain = number_text(attributes.get("office:value", ""))
            return shown if _same_digits(shown, plain) else plain
        if kind == "date":
            return iso_text(attributes.get("office:date-value", shown))
        if kind == "boolean":
            return attributes.get("office:boolean-value", "").upper()
        if kind == "time":
            return _clock(attributes.get("office:time-value", ""), shown)
        return shown if shown or kind != "string" else attributes.get("office:string-value", "")


def _count(attributes: Mapping[str, str], key: str) -> int:
    text = attributes.get(key, "1")
    return max(1, int(text)) if text.isdigit() else 1


def _is_error(attributes: Mapping[str, str], shown: str) -> bool:
    if attributes.get("calcext:value-type") == "error":
        return True
    return "table:formula" in attributes and (shown in ERRORS or bool(_ERROR_CODE.fullmatch(shown)))


def _same_digits(shown: str, plain: str) -> bool:
    """Tell whether a number is shown digit by digit, with zeros or signs around (`01234`, `(415) 555-0100`)."""
    if not plain.isdigit() or "," in shown or "." in shown:
        return False
    return "".join(filter(str.isdigit, shown)).lstrip("0") == plain.lstrip("0") and shown != ""


def _clock(value: str, shown: str) -> str:
    match = _DURATION.fullmatch(value)
    return f"{int(match[1]):02d}:{match[2]}:{match[3]}" if match else shown
