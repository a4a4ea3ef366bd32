"""Notices what earlier programs did to a table: errors in cells, shortened numbers, garbled accents, cut rows.

Repairs nothing.

Whole blocks are ruled out by quick tests on their text; only suspicious ones are looked at cell by cell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from importer.core.frames import letters
from importer.core.issues import Issue, Severity
from importer.core.labels import counted
from importer.readers.table.blocks import Block, Mark, tabled
from importer.readers.table.columns import Columns

EXCEL_CELL_CHARS = 32_767
_SHEET_ROWS = {65_536: "Excel 97-2003", 1_048_576: "Excel"}
_EXPONENT = re.compile(r"\s*[+-]?\d([.,]\d+)?[eE]\+\d{1,3}\s*")
"""As spreadsheet programs write it; without its plus sign `1E5` is as likely somebody's id."""
ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!")
"""What a cell shows when its formula fails."""
_ERRORS_OF_OTHER_PROGRAMS = (
    "#NV", "#BEZUG!", "#WERT!", "#ZAHL!", "#VALEUR!", "#NOM?", "#NOMBRE!", "#NUL!", "#N/D", "#VALORE!", "#RIF!",
    "#NOME?", "#NULLO!", "#VALOR!", "#NULO!", "#NÚM!", "#N/B", "#VERW!", "#WAARDE!", "#NAAM?", "#GETAL!", "#DEEL/0!",
    "#\u00a1REF!", "#\u00a1VALOR!", "#\u00a1DIV/0!", "#\u00a1NULO!", "#\u00a1NUM!", "#\u00bfNOMBRE?",
    "#LEEG!", "#ERROR!", "#UNKNOWN!", "#FIELD!", "#BLOCKED!", "#CONNECT!",
)  # fmt: skip
"""The same in German, French, Spanish, Italian, Dutch and Portuguese, and rarer ones."""
_ERROR_TEXTS = frozenset({*ERRORS, *_ERRORS_OF_OTHER_PROGRAMS})
_ERROR = re.compile("#(?:" + "|".join(re.escape(text[1:]) for text in sorted(_ERROR_TEXTS)) + ")")
_ERROR_CODE = re.compile(r"Err:5\d\d")
"""What LibreOffice shows."""
_TAILS = bytes(range(0x80, 0xC0)).decode("cp1252", "ignore") + "".join(map(chr, range(0x80, 0xC0)))
_GARBLED = re.compile(f"[\u00c2-\u00f4][{re.escape(_TAILS)}]|\ufffd")
"""Two characters that UTF-8 makes of one letter when it is read as Western text; or a letter already lost."""
_ZIP_NAME = re.compile(r"\b(zip|postal|post\s*code|postcode|plz)", re.IGNORECASE)
_DATE_NAME = re.compile(r"\b(date|birth|birthday|dob|born)\b|birthdate", re.IGNORECASE)
_SERIAL = r"^[0-9]{5}(\.[0-9]+)?$"
"""As RE2 reads it."""
_ZIP_DIGITS = 5
_LINE_END = (pa.scalar("\n", pa.large_string()), pa.scalar("", pa.large_string()))
"""What is joined to a cell, and what is between them."""


@dataclass(slots=True)
class _Tally:
    """What was counted in one column."""

    exponents: int = 0
    filled: int = 0
    serials: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    leading_zero: bool = False


class Damage:
    """Watches one pass over a table.

    Args:
        columns: the header's columns.
        counting: whether columns are counted for `warnings`; single rows are always judged.
    """

    def __init__(self, columns: Columns, *, counting: bool = True) -> None:
        self._named = tuple(zip(columns.picks, columns.names, strict=True))
        self._tallies = {pick: _Tally() for pick in columns.picks}
        self._zips = [pick for pick, name in self._named if counting and _ZIP_NAME.search(name)]
        self._dates = [pick for pick, name in self._named if counting and _DATE_NAME.search(name)]
        self._last_number = 0

    def observe(self, block: Block) -> dict[int, list[Mark]]:
        """Look at a block of data rows; return what is wrong with single ones of them."""
        if not block.width or not block.numbers:
            return {}
        self._last_number = block.numbers[-1]
        for pick in self._zips:
            _count_lengths(self._tallies[pick], block.cells(pick))
        for pick in self._dates:
            _count_serials(self._tallies[pick], block.cells(pick))
        return self._suspects(block)

    def warnings(self) -> tuple[str, ...]:
        """Return what the whole pass showed, in sentences."""
        return tuple(self._file_warnings())

    def _suspects(self, block: Block) -> dict[int, list[Mark]]:
        text = _text(block) if block.text is None else block.text
        marks: dict[int, list[Mark]] = {}
        if ("#" in text and _ERROR.search(text)) or "Err:5" in text:
            self._look_for_errors(block, marks)
        if "E+" in text or "e+" in text:
            self._look(block, marks, _EXPONENT.fullmatch, self._exponent)
        if not text.isascii() and _GARBLED.search(text):
            self._look(block, marks, _is_garbled, _garbled)
        if len(text) >= EXCEL_CELL_CHARS and _may_have_full_cell(block):
            self._look(block, marks, _is_full, _full)
        return marks

    def _look(
        self,
        block: Block,
        marks: dict[int, list[Mark]],
        test: Callable[[str], object],
        mark: Callable[[int], Mark],
    ) -> None:
        for pick, _ in self._named:
            for i, cell in enumerate(block.column(pick)):
                if test(cell):
                    marks.setdefault(i, []).append(mark(pick))

    def _look_for_errors(self, block: Block, marks: dict[int, list[Mark]]) -> None:
        for pick, _ in self._named:
            for i, cell in enumerate(block.column(pick)):
                if "#" in cell or ":" in cell:
                    text = cell.strip()
                    if text in _ERROR_TEXTS or _ERROR_CODE.fullmatch(text):
                        marks.setdefault(i, []).append(cell_error(text, pick))

    def _exponent(self, pick: int) -> Mark:
        self._tallies[pick].exponents += 1
        return Mark(
            "number_shortened",
            "A spreadsheet program has shortened a long number to a form like 4.16E+09; its last digits are lost.",
            pick,
            Severity.WARNING,
        )

    def _file_warnings(self) -> Iterator[str]:
        if self._last_number in _SHEET_ROWS:
            program = _SHEET_ROWS[self._last_number]
            yield (
                f"The table ends at row {self._last_number:,}, the last one that {program} can hold: "
                "rows beyond it may be missing. Compare the count with the system it came from."
            )
        for pick, name in self._named:
            yield from _column_warnings(self._tallies[pick], name)


def damaged_cells(names: Sequence[str], columns: Sequence[Sequence[str]]) -> Iterator[Issue]:
    """Yield what is noticed about the cells of some rows; the ordinal of each is the place of its row.

    Args:
        names: of the columns, each with its texts in `columns`.
    """
    damage = Damage(Columns(tuple(names), tuple(range(len(names))), len(names)), counting=False)
    block = Block(range(1, len(columns[0]) + 1), None, tabled(columns))
    for place, marks in damage.observe(block).items():
        yield from (Issue(place, one.code, one.message, "", names[one.column], one.severity) for one in marks)


def _count_lengths(tally: _Tally, cells: pa.ChunkedArray) -> None:
    for found in pc.value_counts(pc.utf8_length(cells)).to_pylist():
        tally.lengths[found["values"]] += found["counts"]
    tally.leading_zero = tally.leading_zero or pc.any(pc.starts_with(cells, "0")).as_py()


def _count_serials(tally: _Tally, cells: pa.ChunkedArray) -> None:
    tally.filled += pc.sum(pc.not_equal(cells, "")).as_py()
    tally.serials += pc.sum(pc.match_substring_regex(cells, _SERIAL)).as_py()


def cell_error(text: str, column: int) -> Mark:
    """Return the mark of a cell that shows an error of a spreadsheet program."""
    shown = text if text in _ERROR_TEXTS else "an error"
    message = f"The cell shows {shown}, an error of a spreadsheet program: correct its formula, or type the value."
    return Mark("cell_error", message, column)


def _column_warnings(tally: _Tally, name: str) -> Iterator[str]:
    if tally.exponents:
        yield (
            f"Column '{name}' holds {counted(tally.exponents, 'shortened number')} like 4.16E+09. "
            "Format the column as text where it comes from, and export again."
        )
    short = tally.lengths[3] + tally.lengths[4]
    filled = tally.lengths.total() - tally.lengths[0]
    if short and not tally.leading_zero and tally.lengths[_ZIP_DIGITS] > filled / 2:
        yield (
            f"Column '{name}' holds {counted(short, 'number')} of fewer than five digits and none that begins with 0: "
            "a spreadsheet program has probably removed leading zeros."
        )
    if tally.serials and tally.serials >= tally.filled / 2:
        yield (
            f"Column '{name}' holds {counted(tally.serials, 'number')} like 33050 where dates are expected: "
            "they are probably Excel's day counts. Format the column as a date and export again."
        )


def _is_garbled(cell: str) -> bool:
    if cell.isascii() or not _GARBLED.search(cell):
        return False
    return "\ufffd" in cell or any(_reads_as_utf8(cell, codec) for codec in ("cp1252", "latin-1"))


def _reads_as_utf8(cell: str, codec: str) -> bool:
    try:
        cell.encode(codec).decode("utf-8")
    except UnicodeError:
        return False
    return True


def _garbled(pick: int) -> Mark:
    return Mark(
        "text_garbled",
        "Accented letters are garbled (like 'Ã©' for 'é'): the text was saved in the wrong encoding earlier.",
        pick,
        Severity.WARNING,
    )


def _may_have_full_cell(block: Block) -> bool:
    longest = (pc.max(pc.binary_length(block.cells(place))).as_py() for place in range(block.width))
    return any(length >= EXCEL_CELL_CHARS for length in longest)


def _text(block: Block) -> str:
    """All cells of a block, each on a line of its own."""
    ended = (pc.binary_join_element_wise(block.cells(place), *_LINE_END) for place in range(block.width))
    return "".join(map(letters, ended))


def _is_full(cell: str) -> bool:
    return len(cell) == EXCEL_CELL_CHARS


def _full(pick: int) -> Mark:
    return Mark(
        "cell_cut_off",
        f"The cell has exactly {EXCEL_CELL_CHARS:,} characters, the most that Excel keeps: its end may be missing.",
        pick,
        Severity.WARNING,
    )
