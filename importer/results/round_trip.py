"""Whether a cell that came back is the cell that was handed out, or one that a person changed. Pure.

Spreadsheet programs change cells that nobody touched: zeros at the beginning go, long numbers are shortened, dates
take the form of the country, formulas are run, a text is saved in another encoding. Such a change is none. Only what
such a program does counts: a zero or a plus sign that was added is a person's work.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import permutations

from openpyxl.cell.cell import ERROR_CODES

from importer.results.sheets import MAX_CELL_CHARS, safe_text
from importer.results.table import escape_formula

_SPACES = re.compile(r"\s+")
_DIGITS = re.compile(r"\+?\d+(?:[.,]\d+)?")
_SHORTENED = re.compile(r"(\d)(?:[.,](\d+))?E\+?(\d{1,2})", re.IGNORECASE)
_DATE = re.compile(r"(\d{1,4})([-./ ])(\d{1,2})\2(\d{1,4})\.?(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?")
_RUN_AS_FORMULA = ("=", "+", "-", "@")
_BOOLEANS = ({"true", "wahr", "vrai", "verdadero", "vero"}, {"false", "falsch", "faux", "falso"})
_SAVED_IN = ("utf-8", "cp1252", "cp1250", "mac_roman", "cp850")
_LOST = "?"
_CENTURY, _PIVOT = 100, 30


def is_unchanged(before: str, after: str, *, faulty: bool = False) -> bool:
    """Tell whether a returned cell means what was handed out.

    Args:
        before: as the run has it.
        after: as it came back.
        faulty: an error of the row points at the cell: a date in another form is then a person's answer.
    """
    if before == after or _plain(before) == _plain(after):
        return True
    if _plain(after) in {_plain(safe_text(before)), _plain(escape_formula(before))} or _is_cut(before, after):
        return True
    if _is_number_again(before.strip(), after.strip()) or _is_run(before, after) or _is_saved_again(before, after):
        return True
    return not faulty and (_is_date_again(before.strip(), after.strip()) or _is_boolean_again(before, after))


def as_typed(text: str) -> str:
    """Return a returned cell as a person meant it: without the apostrophe that keeps a spreadsheet from running it."""
    bare = text[1:]
    return bare if text.startswith("'") and text in {safe_text(bare), escape_formula(bare)} else text


def _plain(text: str) -> str:
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def _is_cut(before: str, after: str) -> bool:
    """A workbook's cell holds no more."""
    return len(before) > MAX_CELL_CHARS and after[: MAX_CELL_CHARS // 2] == safe_text(before)[: MAX_CELL_CHARS // 2]


def _is_number_again(before: str, after: str) -> bool:
    """`007` came back as `7`, `+4930123456` as `4930123456`, `49301234567` as `4,93012E+10`."""
    if not _DIGITS.fullmatch(before):
        return False
    first, second = _number(before), _number(after)
    if first is None or second is None:
        return False
    if (short := _SHORTENED.fullmatch(after)) is not None:
        digits = len(short[2] or "")
        return f"{first:.{digits}E}" == f"{second:.{digits}E}"
    return (first == second and len(after) <= len(before) and not after.startswith(("0", "+"))) or first == second == 0


def _number(text: str) -> Decimal | None:
    if not (_DIGITS.fullmatch(text) or _SHORTENED.fullmatch(text)):
        return None
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def _is_run(before: str, after: str) -> bool:
    """What begins like a formula came back as the error that running it gave."""
    return before.startswith(_RUN_AS_FORMULA) and (after in ERROR_CODES or after.startswith("#"))


def _is_saved_again(before: str, after: str) -> bool:
    """The same bytes were read, or written, in another encoding; or letters were lost by one that lacks them."""
    if before.isascii():
        return False
    if _LOST in after and any(after == before.encode(codec, "replace").decode(codec) for codec in _SAVED_IN[1:]):
        return True
    return not {*_spellings(before)}.isdisjoint(_spellings(after))


def _spellings(text: str) -> Iterator[bytes]:
    for codec in _SAVED_IN:
        try:
            yield text.encode(codec)
        except UnicodeEncodeError:
            continue


def _is_boolean_again(before: str, after: str) -> bool:
    words = before.strip().lower(), after.strip().lower()
    return any(words[0] in same and words[1] in same for same in _BOOLEANS)


def _is_date_again(before: str, after: str) -> bool:
    """`1990-01-05` came back as `05.01.1990`, or `5.1.1990` as `05.01.1990`; days and months never change places."""
    first, second = _DATE.fullmatch(before), _DATE.fullmatch(after)
    if first is None or second is None:
        return False
    if first[2] == second[2] and len(first[1]) // 3 == len(second[1]) // 3:
        return _in_place(first) == _in_place(second)
    return not {*_readings(first)}.isdisjoint(_readings(second))


def _in_place(found: re.Match[str]) -> tuple[int, int, int]:
    last = int(found[4])
    return int(found[1]), int(found[3]), _year(last) if len(found[4]) == 2 else last


def _readings(found: re.Match[str]) -> Iterator[date]:
    """Every date that could be meant; a year of four digits stands at either end."""
    texts = [found[1], found[3], found[4]]
    for year, month, day in permutations(texts):
        if year is texts[1] or len(month) > 2 or len(day) > 2:
            continue
        try:
            yield date(_year(int(year)) if len(year) <= 2 else int(year), int(month), int(day))
        except ValueError:
            continue


def _year(short: int) -> int:
    return short + (2_000 if short < _PIVOT else 1_900) if short < _CENTURY else short
