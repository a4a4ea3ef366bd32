"""The cells of an `.ods` sheet from XML events: values as the person sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from importer.readers.table.blocks import Mark
from importer.readers.table.damage import ERRORS, cell_error
from importer.readers.workbook.cell_problems import long_number, too_long
from importer.readers.workbook.cells import iso_text, number_text
from importer.readers.workbook.sheetrows import LAST_COLUMN, LAST_ROW, SheetFacts

_ERROR_CODE = re.compile(r"Err:\d{3}")
_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")
_NUMBERS = frozenset({"float", "percentage", "currency"})
_TRUTHS: dict[str | None, str] = {"of:=TRUE()": "TRUE", "of:=FALSE()": "FALSE"}
"""The formulas that LibreOffice makes of the truth values of an Excel workbook."""
_MOST_DIGITS = 15
_IGNORED = frozenset({"office:annotation", "table:shapes", "draw:frame"})
_CELLS = frozenset({"table:table-cell", "table:covered-table-cell"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row element.

    Args:
        cells: up to the last one that is not blank.
        count: how many rows it represents.
    """

    cells: list[str]
    marks: list[Mark]
    count: int


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
        self._depth = 0
        self._reads = False
        self._ignored = 0
        self._number = 0
        self._row: Mapping[str, str] = {}
        self._cells: list[str] = []
        self._marks: list[Mark] = []
        self._blank = 0
        self._cell: Mapping[str, str] = {}
        self._paragraphs: list[str] = []
        self._chars = 0
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
            self._reads = self._is_wanted()
        elif not self._reads:
            return
        elif self._ignored or tag in _IGNORED:
            self._ignored += tag in _IGNORED
        elif tag == "text:p":
            self._paragraphs.append("")
        elif tag in _CELLS:
            self._cell, self._paragraphs, self._chars = attributes, [], 0
        elif tag == "table:table-row":
            self._row, self._cells, self._marks, self._blank = attributes, [], [], 0
        else:
            self._inside(tag, attributes)

    def _is_wanted(self) -> bool:
        """Whether the elements from here on are those of the sheet itself, not of a table in one of its cells."""
        return self._at == self._wanted and self._depth == 1 and not self.done

    def _inside(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "text:s":
            self.characters(" " * min(_count(attributes.get("text:c")), self._longest))
        elif tag == "text:tab":
            self.characters("\t")
        elif tag == "text:line-break":
            self.characters("\n")
        elif tag == "table:table-column":
            self._facts.hidden_columns |= attributes.get("table:visibility") in {"collapse", "filter"}

    def characters(self, text: str) -> None:
        """Take a piece of text."""
        if not self._paragraphs or self._ignored or not self._reads:
            return
        self._paragraphs[-1] += text
        self._chars += len(text)
        if self._chars > self._longest:
            raise too_long(self._longest, self._name)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        if tag == "table:table":
            self.done = self.done or (self._at == self._wanted and self._depth == 1)
            self._depth -= 1
            self._reads = self._is_wanted()
        elif not self._reads:
            return
        elif tag in _IGNORED:
            self._ignored -= 1
        elif self._ignored:
            return
        elif tag in _CELLS:
            self._end_cell()
            self._paragraphs = []
        elif tag == "table:table-row":
            self._end_row()

    def _end_cell(self) -> None:
        given = self._cell.get
        count = _count(given("table:number-columns-repeated"))
        rows = _count(given("table:number-rows-spanned"))
        if rows > 1:
            self._facts.merged = max(self._facts.merged, self._number + rows)
        shown = "\n".join(self._paragraphs)
        is_error = _is_error(self._cell, shown)
        text = shown if is_error else _text(self._cell, shown)
        if not text:
            self._blank += count
            return
        at = len(self._cells) + self._blank
        if at + count > LAST_COLUMN:
            raise ValueError("a cell beyond the last column")
        self._cells += [""] * self._blank + [text] * count
        self._blank = 0
        if is_error:
            self._marks += [cell_error(text, at + i) for i in range(count)]
        elif len(text) > _MOST_DIGITS and given("office:value-type") in _NUMBERS:
            self._marks += filter(None, (long_number(given("office:value", ""), at + i) for i in range(count)))

    def _end_row(self) -> None:
        count = min(_count(self._row.get("table:number-rows-repeated")), LAST_ROW)
        hidden = self._row.get("table:visibility", "visible")
        if hidden != "visible" and self._cells:
            self._facts.hidden_rows += count
            self._facts.filtered |= hidden == "filter"
        self._number += count
        self._ready.append(Row(self._cells, self._marks, count))


def _text(cell: Mapping[str, str], shown: str) -> str:
    """Return a cell's text: of a number its value in full, unless it is shown with leading zeros or signs."""
    kind = cell.get("office:value-type", "")
    if kind == "string" or not kind:
        return shown or (cell.get("office:string-value", "") if kind else "")
    if kind in _NUMBERS:
        plain = number_text(cell.get("office:value", ""))
        if kind == "float" and shown != plain and _same_digits(shown, plain):
            return shown
        return _TRUTHS.get(cell.get("table:formula"), plain)
    if kind == "date":
        return iso_text(cell.get("office:date-value", shown))
    if kind == "boolean":
        return cell.get("office:boolean-value", "").upper()
    return _clock(cell.get("office:time-value", ""), shown) if kind == "time" else shown


def _count(text: str | None) -> int:
    return max(1, int(text)) if text is not None and text.isdigit() else 1


def _is_error(attributes: Mapping[str, str], shown: str) -> bool:
    if attributes.get("calcext:value-type") == "error":
        return True
    return "table:formula" in attributes and (shown in ERRORS or bool(_ERROR_CODE.fullmatch(shown)))


def _same_digits(shown: str, plain: str) -> bool:
    """Whether a number is shown digit by digit, with zeros or signs around (`01234`, `(415) 555-0100`)."""
    if not plain.isdigit() or "," in shown or "." in shown:
        return False
    digits = "".join(filter(str.isdigit, shown))
    return digits != "" and digits.lstrip("0") == plain.lstrip("0")


def _clock(value: str, shown: str) -> str:
    match = _DURATION.fullmatch(value)
    return f"{int(match[1]):02d}:{match[2]}:{match[3]}" if match else shown
