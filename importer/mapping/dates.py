"""Texts that are dates become `yyyy-MM-dd`, and columns are asked whether the day or the month comes first.

Two-digit years: a birth date is never in the future, so 26/06/30 is 1930 until June 2030 and 2030 after it. "Today" is
passed in. Reads single texts and counts evidence; never guesses an order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Order = Literal["mdy", "dmy", "ymd"]
ORDERS: tuple[Order, ...] = ("mdy", "dmy", "ymd")

_TIME = r"(?:[T\s,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})\s*[-/.\s]\s*(\d{{1,2}})\s*[-/.\s]\s*(\d{{1,2}})\.?{_TIME}")
_NUMBERS = re.compile(rf"(\d{{1,2}})\s*[-/.\s]\s*(\d{{1,2}})\s*[-/.\s]\s*(\d{{4}}|\d{{2}}){_TIME}")
_EIGHT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_LINKS = re.compile(r"\s(?:de|del|of)\s", re.IGNORECASE)
_MAX_CHARS = 60
REMEMBERED = 2**15
"""Different texts of a column that are kept, so that each is read once: birth days of ninety years."""
_NAMED = re.compile(
    rf"(?:[^\W\d]+,\s*)?(?:(\d{{1,2}})(?:st|nd|rd|th)?[\s.,/-]*)?([^\W\d]{{3,}})\.?(?:[\s,./-]+(.*?))??{_TIME}"
)
_AFTER_NAME = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)?[\s.,/-]+)?'?(\d{4}|\d{2})")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")

_MONTH_NAMES = (
    "january jan janvier januar enero janeiro gennaio januari",
    "february feb fevrier februar febrero fevereiro febbraio februari fev",
    "march mar mars marz marzo marco maart maerz mrz",
    "april apr avril abril aprile avr abr",
    "may mai mayo maio maggio mei",
    "june jun juin juni junio junho giugno",
    "july jul juillet juli julio julho luglio juil",
    "august aug aout agosto augustus ago",
    "september sep sept septembre septiembre setembro settembre set",
    "october oct octobre oktober okt octubre outubro ottobre out",
    "november nov novembre noviembre novembro",
    "december dec decembre dezember dez diciembre dezembro dicembre desember dic",
)
MONTHS: Mapping[str, int] = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
"""Months in English and the larger languages around it, accents aside."""

Parse = Callable[[str], date | None]


def is_serial(text: str) -> bool:
    """Whether a text is a spreadsheet's day number (10000 is in 1927, 55000 in 2050)."""
    return _SERIAL.fullmatch(text) is not None and 10_000 <= int(text[:5]) <= 55_000


def by_format(form: str, today: date) -> Parse:
    """Make a reader for one `strptime` format; two-digit years are never in the future."""
    short_year = "%y" in form

    def parse(text: str) -> date | None:
        try:
            found = datetime.strptime(text, form).date()  # noqa: DTZ007 - a birth date has no time zone
        except ValueError:
            return None
        return _made(found.year - 100, found.month, found.day) if short_year and found > today else found

    return parse


def by_order(order: Order | None, today: date) -> Parse:
    """Make a reader for dates in any usual form, numbers alone in the given order.

    Args:
        order: None reads only what every order reads alike.
    """

    def parse(text: str) -> date | None:
        if len(text) > _MAX_CHARS:
            return None
        parts = _parts(text)
        if parts is None:
            return _certain(text, today)
        return _in_order(parts, order, today) if order else _unanimous(_readings(parts, today))

    return parse


def _parts(text: str) -> tuple[str, str, str] | None:
    """Take a date of bare numbers apart; None where the year comes first, or nothing is like a date."""
    if len(text) == 8 and text.isdecimal():
        in_order = "1850" <= text[:4] <= "2100" and _made(int(text[:4]), int(text[4:6]), int(text[6:])) is not None
        return None if in_order else (text[:2], text[2:4], text[4:])
    if text[:4].isdecimal():
        return None
    for sign in "/-.":
        first, _, rest = text.partition(sign)
        second, _, third = rest.partition(sign)
        if _are_numbers(first, second, third):
            return first, second, third
    match = _NUMBERS.fullmatch(text)
    return (match[1], match[2], match[3]) if match else None


def _are_numbers(first: str, second: str, third: str) -> bool:
    """Spare most dates the pattern, which takes three times as long."""
    return (
        first.isdecimal() and second.isdecimal() and third.isdecimal()
        and len(first) <= 2 and len(second) <= 2 and len(third) in {2, 4}
    )  # fmt: skip


def _certain(text: str, today: date) -> date | None:
    """Read what no order can change: the year first, or the month by its name."""
    match = _YEAR_FIRST.fullmatch(text) or _EIGHT.fullmatch(text)
    return _made(int(match[1]), int(match[2]), int(match[3])) if match else _named(text, today)


def _named(text: str, today: date) -> date | None:
    match = _NAMED.fullmatch(_LINKS.sub(" ", text))
    month = MONTHS.get(_plain(match[2])) if match else None
    if match is None or month is None:
        return None
    rest = _AFTER_NAME.fullmatch(match[3] or "")
    if rest is None or (match[1] is None) == (rest[1] is None):
        return None
    return _dated(rest[2], month, int(match[1] or rest[1]), today)


def _plain(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(char))


def _in_order(parts: tuple[str, str, str], order: Order, today: date) -> date | None:
    first, second, third = parts
    if order == "mdy":
        return _dated(third, int(first), int(second), today)
    if order == "dmy":
        return _dated(third, int(second), int(first), today)
    return _dated(first, int(second), int(third), today) if len(third) == 2 else None


def _dated(year: str, month: int, day: int, today: date) -> date | None:
    """Make a date; a year of two digits is the latest that is not in the future."""
    if len(year) == 4:
        return _made(int(year), month, day)
    found = _made(2000 + int(year), month, day)
    return found if found is not None and found <= today else _made(1900 + int(year), month, day)


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _readings(parts: tuple[str, str, str], today: date) -> dict[Order, date]:
    """Read a date of bare numbers in every order that makes one."""
    found = {order: _in_order(parts, order, today) for order in ORDERS}
    return {order: born for order, born in found.items() if born is not None}


def _unanimous(readings: Mapping[Order, date]) -> date | None:
    dates = set(readings.values())
    return dates.pop() if len(dates) == 1 else None


@dataclass(slots=True)
class OrderEvidence:
    """What one column says about its order.

    Args:
        proofs: to each order the first row that only this order can read, and why.
        open_cells: dates that several orders can read, and not alike; not counted on once an order is proved.
        first_open: the row of the first such date; 0 where there is none.
        short_years: whether a year of two digits was seen.
        ordered: whether any date was seen that an order has to read.
    """

    today: date
    proofs: dict[Order, tuple[int, str]] = field(default_factory=dict)
    open_cells: int = 0
    first_open: int = 0
    short_years: bool = False
    ordered: bool = False
    _seen: set[str] = field(default_factory=set, repr=False)

    def observe(self, texts: Iterable[str], row_of: Callable[[str], int]) -> None:
        """See one batch of the column.

        Args:
            texts: the different ones, in their order.
            row_of: gives the first row of the batch that holds a text.
        """
        fresh = [text for text in texts if text not in self._seen]  # most batches of a long column bring none
        if len(self._seen) < REMEMBERED:
            self._seen.update(fresh)
        for text in fresh:
            parts = _parts(text.strip()) if len(text) <= _MAX_CHARS else None
            if parts is not None:
                self.ordered = True
                self.short_years = self.short_years or len(parts[2]) == 2
                if not self._says_nothing_new(parts):
                    self._weigh(parts, row_of(text))

    def _weigh(self, parts: tuple[str, str, str], row: int) -> None:
        readings = _readings(parts, self.today)
        for order in readings if len(readings) == 1 else ():
            self.proofs.setdefault(order, (row, _why(parts)))
        if len(set(readings.values())) > 1:
            self.first_open = self.first_open or row
            self.open_cells += 1

    def _says_nothing_new(self, parts: tuple[str, str, str]) -> bool:
        """Spare the calendar for what was proved already: most rows of most columns."""
        if not self.proofs or len(parts[2]) == 2:
            return False
        day_first, month_first = int(parts[0]) > 12, int(parts[1]) > 12
        if day_first != month_first:
            return ("dmy" if day_first else "mdy") in self.proofs
        return not day_first

    @property
    def settled(self) -> bool:
        """Whether all dates seen so far can be read already: what comes can only contradict them."""
        return not self.ordered or len(self.proofs) == 1

    @property
    def choice(self) -> Order | None:
        """The only order that is proved; None where none is, or several are."""
        return next(iter(self.proofs)) if len(self.proofs) == 1 else None


def _why(parts: tuple[str, str, str]) -> str:
    """Say what decides, without the date: dates of birth are nobody else's business."""
    numbers = dict(zip(("first", "second", "third"), map(int, parts), strict=True))
    place = next((place for place, number in numbers.items() if 31 < number < 100), "")
    if place:
        return f"its {place} number is above 31"
    place = next((place for place, number in numbers.items() if number > 12), "second")
    return f"its {place} number is above 12"
