"""The values of a DataFrame as the texts that they mean. Where that is in doubt, nothing is guessed. Pure.

A missing value is blank. A whole number is its digits, also as the float that pandas makes of it near missing ones;
a date, or a timestamp at midnight, is `yyyy-mm-dd`; a truth value is TRUE or FALSE, as in a spreadsheet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import numpy as np
import pandas as pd

from importer.core.errors import SourceError
from importer.core.labels import named

_LARGEST = 10**15
"""From here on a float need not be the whole number that it was made of."""


class _DoubtfulError(Exception):
    """A value can be written as text in several ways.

    Args:
        what: such values, in words.
        write: how to make them texts, as it goes on after the column.
    """

    def __init__(self, what: str, write: str = '.astype("str")') -> None:
        super().__init__(what, write)
        self.what, self.write = what, write


@dataclass(frozen=True, slots=True)
class Converter:
    """Makes texts of the values of a DataFrame.

    Args:
        source: the DataFrame's name for people.
        longest: the most characters that a cell may have.
    """

    source: str
    longest: int

    def texts(self, values: pd.Series[Any], numbers: pd.Index[Any]) -> list[str]:
        """Return a part of a column as texts.

        Args:
            numbers: the row numbers, for messages.

        Raises:
            SourceError: a value is in doubt, half a character, or too long.
        """
        found = values.tolist()
        kinds = set(map(type, found))
        if kinds - {str}:
            readers = {kind: _reader(kind) for kind in kinds}
            pairs = zip(found, numbers, strict=True)
            found = [self._text(readers[type(value)], value, values.name, number) for value, number in pairs]
        self._check(found, str(values.name))
        return found

    def _text(self, read: Callable[[Any], str], value: object, column: object, number: int) -> str:
        try:
            return read(value)
        except _DoubtfulError as doubt:
            name = str(column)
            known = named(name)
            shown = repr(name) if known == f"'{name}'" else "…"
            raise SourceError(
                f"The column {known} of '{self.source}' holds {doubt.what} (the first in row {number}), and they can be"
                " written as text in several ways.",
                f"Write them as they are meant, for example: frame[{shown}] = frame[{shown}]{doubt.write}",
            ) from None

    def _check(self, texts: list[str], column: str) -> None:
        if max(map(len, texts), default=0) > self.longest:
            raise SourceError(
                f"'{self.source}' has a cell of more than the {self.longest:,} characters that are allowed.",
                "Correct that cell, or raise max_cell_chars in [source.limits].",
            )
        try:
            "".join(texts).encode()
        except UnicodeEncodeError:
            raise SourceError(
                f"The column {named(column)} of '{self.source}' has a text that is not valid: half a character (a lone"
                " surrogate).",
                "Correct these cells where the DataFrame comes from.",
            ) from None


def _reader(kind: type) -> Callable[[Any], str]:
    """What makes a text of a value of a type."""
    for base, read in _READERS:
        if issubclass(kind, base):
            return read
    return _other


def _blank(_: object) -> str:
    return ""


def _truth(value: Any) -> str:
    return "TRUE" if value else "FALSE"


def _whole(value: Any) -> str:
    return str(int(value))


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124  # NaN equals no value, itself included
        return ""
    if not value.is_integer():
        raise _DoubtfulError("decimal numbers")
    if abs(value) >= _LARGEST:
        raise _DoubtfulError("whole numbers of more than 15 digits as floats, which have lost their last digits")
    return _whole(value)


def _day(value: datetime) -> str:
    if value.tzinfo is not None:
        raise _DoubtfulError("times with a time zone", '.dt.strftime("%Y-%m-%d")')
    if value.time() != time.min or getattr(value, "nanosecond", False):
        raise _DoubtfulError("times of day", '.dt.strftime("%Y-%m-%d")')
    return value.date().isoformat()


def _scalar(value: np.generic) -> str:
    plain = value.item()
    return _other(value) if isinstance(plain, np.generic) else _reader(type(plain))(plain)


def _other(value: object) -> str:
    raise _DoubtfulError(f"values of the type {type(value).__name__}")


_READERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, str),
    (type(None), _blank),
    (type(pd.NaT), _blank),
    (type(pd.NA), _blank),
    (bool, _truth),
    (int, _whole),
    (float, _number),
    (datetime, _day),
    (date, date.isoformat),
    (np.generic, _scalar),
)
