"""Whether a cell that came back is the cell that was handed out, or one that a person changed. Pure.

Spreadsheet programs change cells that were not edited: leading zeros are lost, long numbers are shortened, dates
take the form of the country, formulas are run, a text is saved in another encoding. Such a change does not count.
A zero or a plus sign that was added is a person's work.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import permutations

from importer.results.cell_text import ERROR_CODES, MAX_CELL_CHARS, safe_text
from importer.results.table import escape_formula

_SPACES = re.compile(r"\s+")
_DIGITS = re.compile(r"\+?\d+(?:[.,]\d+)?")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_ADDED = re.compile(r"\+|0\d")
"""Signs before a number that no program adds: a person did."""
_SHORTENED = re.compile(r"(\d)(?:[.,](\d+))?E\+?(\d{1,2})", re.IGNORECASE)
_LIKE_SHORTENED = re.compile(r"\d+(?:[.,]\d+)?E\+?\d{1,2}", re.IGNORECASE)
_SUM = re.compile(r"[=+-]{0,2}\d+(?:[+-]\d+)+")
_RESULT = re.compile(r"-?\d+(?:[.,]\d+)?(?:E\+?\d{1,2})?", re.IGNORECASE)
_DIGITS_KEPT = 15
"""Digits of a number that a spreadsheet program keeps."""
_DATE = re.compile(r"(\d{1,4})([-./ ])(\d{1,2})\2(\d{1,4})\.?(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?")
_PART_OF_DATE = re.compile(r"(\d{1,2})[-./](\d{1,4})")
_NAMED_DATE = re.compile(r"(?:(\d{1,2})[-. ]*)?([^\W\d_]{3,9})\.?(?:[-. ,]+(\d{1,4}))?(?:[-. ,]+(\d{2,4}))?")
_MONTHS = (
    "jan ene gen janv",
    "feb fév fev feb",
    "mar mär mrz maa mrt",
    "apr avr abr",
    "may mai mag maj mei",
    "jun jui giu cze",
    "jul juil lug lip",
    "aug aoû ago sie",
    "sep set wrz",
    "oct okt ott paź",
    "nov lis",
    "dec dez déc dic gru",
)
"""How the months begin in what spreadsheet programs write; three letters decide where they can."""
_RUN_AS_FORMULA = ("=", "+", "-", "@")
_BOOLEANS = ({"true", "wahr", "vrai", "verdadero", "vero"}, {"false", "falsch", "faux", "falso"})
_SAVED_IN = ("utf-8", "cp1252", "cp1250", "mac_roman", "cp850")
_LOST = "?\ufffd"
_NOT_SHOWN = re.compile("[\\s\\x00-\\x1f\\x7f-\\xa0\u00ad?\ufffd\ue000-\uf8ff]+")
"""How bytes without a letter may come back: kept, lost, as a space, or as a character for private use."""
_CENTURY, _PIVOT = 100, 30


def is_unchanged(before: str, after: str, *, faulty: bool = False) -> bool:
    """Whether a returned cell means the same as the cell that was handed out.

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
    """`007` came back as `7`, `+4930123456` as `4930123456`, `49301234567` as `4,93012E+10`, `1,000.50` as `1000.5`."""
    if _GROUPED.fullmatch(before) and _is_number_again(before.replace(",", ""), after):
        return True
    first, second = _number(before), _number(after)
    if first is None or second is None:
        return False
    if (short := _SHORTENED.fullmatch(after)) is not None and not _SHORTENED.fullmatch(before):
        return _rounded(first, len(short[2] or "")) == second
    if _LIKE_SHORTENED.fullmatch(before):  # `12E3` is a reference, and came back as `12000` or `1,20E+04`
        return first == second
    if len(before.lstrip("+0")) > _DIGITS_KEPT and second == _rounded(first, _DIGITS_KEPT - 1, "ROUND_DOWN"):
        return True
    return (first == second and len(after) <= len(before) and not _ADDED.match(after)) or first == second == 0


def _rounded(number: Decimal, digits: int, how: str = ROUND_HALF_UP) -> Decimal:
    """A number with this many digits after the first one."""
    return number.quantize(Decimal(1).scaleb(number.adjusted() - digits), how) if number else number


def _number(text: str) -> Decimal | None:
    if not (_DIGITS.fullmatch(text) or _LIKE_SHORTENED.fullmatch(text)):
        return None
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def _is_run(before: str, after: str) -> bool:
    """What begins like a formula came back as the error, or the number, that running it gave: `+1-2` as `-1`."""
    if not before.startswith(_RUN_AS_FORMULA):
        return False
    if after in ERROR_CODES or after.startswith("#"):
        return True
    if not _SUM.fullmatch(before) or not _RESULT.fullmatch(after):
        return False
    given = sum(int(part.lstrip("=+")) for part in re.findall(r"[+-]?\d+", before))
    return _is_number_again(str(abs(given)), after.removeprefix("-")) and (given < 0) == after.startswith("-")


def _is_saved_again(before: str, after: str) -> bool:
    """The same bytes were read, or written, in another encoding; or letters were lost by one that lacks them."""
    if before.isascii():
        return False
    if _has_lost_letters(before, after) or not {*_spellings(before)}.isdisjoint(_spellings(after)):
        return True
    shown = _NOT_SHOWN.sub("", after)
    return any(_NOT_SHOWN.sub("", _read_as(before, codec)) == shown for codec in _SAVED_IN[1:])


def _has_lost_letters(before: str, after: str) -> bool:
    """`Łukasz` came back as `?ukasz`."""
    return len(before) == len(after) and all(
        first == second or (second in _LOST and not first.isascii())
        for first, second in zip(before, after, strict=True)
    )


def _read_as(text: str, codec: str) -> str:
    """UTF-8 as it shows when it is read in another encoding; a byte that has no letter there is a control character."""
    return "".join(bytes([byte]).decode(codec, "ignore") or chr(byte) for byte in text.encode("utf-8", "replace"))


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
        return _is_named_again(before, after) or _is_completed(before, after)
    if first[2] == second[2] and len(first[1]) // 3 == len(second[1]) // 3:
        return _in_place(first) == _in_place(second)
    return not {*_readings(first)}.isdisjoint(_readings(second))


def _is_named_again(before: str, after: str) -> bool:
    """`1990-01-05` came back as `5-Jan-90`, `3-4` as `04. Mrz`, or `5-Jan-1990` as `05.01.1990`."""
    for named, other in ((after, before), (before, after)):
        found = _NAMED_DATE.fullmatch(named)
        months = {number for number, words in enumerate(_MONTHS, 1) if found and _begins(found[2], words)}
        if found is None or not months:
            continue
        shown = {_short(int(number)) for number in (found[1], found[3], found[4]) if number}
        if whole := _DATE.fullmatch(other):
            return bool(shown) and any(
                one.month in months and shown <= {one.day, _short(one.year)} for one in _readings(whole)
            )
        if part := _PART_OF_DATE.fullmatch(other):
            numbers = {_short(int(part[1])), _short(int(part[2]))}
            return bool(numbers & months) and numbers <= months | shown and shown <= numbers
    return False


def _is_completed(before: str, after: str) -> bool:
    """`3-4`, a house number, came back as a day of this year: `2026-03-04`."""
    part, whole = _PART_OF_DATE.fullmatch(before), _DATE.fullmatch(after)
    if part is None or whole is None:
        return False
    numbers = {int(part[1]), int(part[2])}
    return any(numbers in ({one.day, one.month}, {one.month, one.year}) for one in _readings(whole))


def _begins(word: str, beginnings: str) -> bool:
    return word.lower().startswith(tuple(beginnings.split()))


def _short(year: int) -> int:
    return year % _CENTURY


def _in_place(found: re.Match[str]) -> tuple[int, int, int]:
    last = int(found[4])
    return int(found[1]), int(found[3]), _year(last) if len(found[4]) == 2 else last


def _readings(found: re.Match[str]) -> Iterator[date]:
    """Every date that could be meant; a year of four digits is at either end."""
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
