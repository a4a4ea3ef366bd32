"""How the cells of a row become texts, worked out once for all rows that have the same columns, styles and types."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from importer.readers.table.blocks import Mark
from importer.readers.table.damage import cell_error
from importer.readers.workbook.cell_problems import long_number, no_value, too_long
from importer.readers.workbook.cells import iso_text
from importer.readers.workbook.numberformats import Render
from importer.readers.workbook.sheetrows import LAST_COLUMN
from importer.readers.workbook.xlsx.markup import plain
from importer.readers.workbook.xlsx.rows import RawRow

_MOST_PLANS = 4_096
_MOST_DIGITS = 15

_Text = Callable[[bytes], str]
_Signature = tuple[tuple[bytes, ...], tuple[bytes, ...]]
"""The column letters and the attributes of a row's cells."""

_STYLE = re.compile(rb'\bs="(\d+)"')
_KIND = re.compile(rb'\bt="(\w+)"')


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to do with rows of one signature.

    Args:
        width: cells that the row has up to its last one.
        places: where each cell belongs, from 0.
        texts: what makes text of each cell.
        errors: which of the cells are errors.
        texts_by_formula: which of the cells are texts that a formula may leave blank.
        numbers: which of the cells are numbers.
    """

    width: int
    places: Sequence[int]
    texts: Sequence[_Text]
    errors: Sequence[int]
    texts_by_formula: frozenset[int]
    numbers: Sequence[int]


class RowTexts:
    """Turns raw cells into texts.

    Args:
        strings: the workbook's shared strings.
        renders: one renderer per cell style.
        longest: characters that a cell may have.
        name: the source's name for people.
    """

    def __init__(self, strings: Sequence[str], renders: Sequence[Render], longest: int, name: str) -> None:
        self._strings = strings
        self._renders = renders
        self._longest = longest
        self._name = name
        self._plans: dict[_Signature, _Plan] = {}

    def texts(self, row: RawRow) -> tuple[list[str], list[Mark]]:
        """Return a row's texts, and what is wrong with its cells.

        Raises:
            ValueError: cells out of order or beyond the last column: the workbook is damaged.
        """
        if not row.cells:
            return [], []
        references, attributes, values = zip(*row.cells, strict=True)
        signature = (references, attributes)
        plan = self._plans.get(signature) or self._plan(signature)
        texts = [text(value) for text, value in zip(plan.texts, values, strict=True)]
        marks = [cell_error(texts[i], plan.places[i]) for i in plan.errors]
        empty = (i for i in row.formulas if not values[i] and i not in plan.texts_by_formula)
        marks.extend(no_value(plan.places[i]) for i in empty)
        long = (long_number(values[i].decode(), plan.places[i]) for i in plan.numbers if len(texts[i]) > _MOST_DIGITS)
        marks.extend(filter(None, long))
        return _spread(texts, plan), marks

    def _plan(self, signature: _Signature) -> _Plan:
        references, attributes = signature
        places: list[int] = []
        for reference in references:
            places.append(_place(reference) if reference else (places[-1] if places else -1) + 1)
        if any(here <= before for before, here in pairwise(places)):
            raise ValueError("cells out of order")
        kinds = [_found(_KIND, text) for text in attributes]
        texts = [self._text(_found(_STYLE, text), kind) for text, kind in zip(attributes, kinds, strict=True)]
        errors = [i for i, kind in enumerate(kinds) if kind == b"e"]
        strings = frozenset(i for i, kind in enumerate(kinds) if kind == b"str")
        numbers = [i for i, kind in enumerate(kinds) if kind in {b"", b"n"}]
        plan = _Plan(places[-1] + 1, places, texts, errors, strings, numbers)
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        self._plans[signature] = plan
        return plan

    def _text(self, style: bytes, kind: bytes) -> _Text:
        if kind == b"s":
            strings = self._strings
            return lambda value: strings[int(value)] if value else ""
        if kind in {b"", b"n"}:
            render = self._renders[int(style) if style else 0]
            return lambda value: render(value.decode()) if value else ""
        if kind == b"b":
            return lambda value: ("TRUE" if value in {b"1", b"true"} else "FALSE") if value else ""
        return (lambda value: iso_text(self._written(value))) if kind == b"d" else self._written

    def _written(self, value: bytes) -> str:
        text = value.decode()
        if len(text) > self._longest:
            raise too_long(self._longest, self._name)
        return plain(text) if "&" in text or "_x" in text else text


def _spread(texts: list[str], plan: _Plan) -> list[str]:
    """Put blank texts where the file leaves cells out."""
    if plan.width == len(texts):
        return texts
    spread = [""] * plan.width
    for place, text in zip(plan.places, texts, strict=True):
        spread[place] = text
    return spread


def _found(pattern: re.Pattern[bytes], attributes: bytes) -> bytes:
    match = pattern.search(attributes)
    return match[1] if match else b""


def _place(reference: bytes) -> int:
    place = 0
    for letter in reference:
        place = place * 26 + letter - 64
    if not 0 < place <= LAST_COLUMN or not reference.isupper() or not reference.isalpha():
        raise ValueError("a cell beyond the last column")
    return place - 1
