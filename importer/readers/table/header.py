"""Finds the header among the first records of a source, under titles and above the data. Pure.

The header is the first well-filled record with cells that read like names. A record above it that
looks like data means that there is no header: the source is refused, since a row would be lost.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil
from typing import Literal

from importer.core.errors import EmptySourceError, SourceError
from importer.core.labels import counted

Numbered = tuple[int, Sequence[str]]

_DATA = re.compile(
    r"""[^@\s]+@[^@\s]+\.\w+                      # an email address
      | [+(]?[\d\s().,/:+-]*\d[\d\s().,/:+-]*(e[+-]?\d+)?   # a number, phone, date or time
      | \d{4}-\d\d-\d\d.*
      | (true|false|yes|no|n/a|null|none)""",
    re.VERBOSE | re.IGNORECASE,
)
_LONGEST_NAME = 80
_TEXTUAL = 0.8
_FILLED = 0.5
_A_FEW = 3
_TITLE_LINES = 10
_OUTSIDE = 0.2
"""Share of a grid's rows that must have data beyond the header before that counts as columns without a name."""
_NAMELESS = 0.5
"""The same for text, where the header's own delimiters at its end announce such columns."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header that was found.

    Args:
        number: its row number.
        cells: its texts, unchanged.
        groups: the cells of a second header line right above it; empty where there is none.
        skipped: row numbers of title lines above it.
        confidence: 0 to 1.
    """

    number: int
    cells: tuple[str, ...]
    groups: tuple[str, ...] = ()
    skipped: tuple[int, ...] = ()
    confidence: float = 1.0
    note: str = ""


def find_header(sample: Sequence[Numbered], wanted: int | Literal["auto"], name: str) -> Header:
    """Find the header.

    Args:
        sample: the first records with their row numbers, blank ones included.
        wanted: the row number that the profile gives, or `auto`.
        name: the source, for messages.

    Raises:
        SourceError: there is none, or the records above it look like data.
    """
    filled = [(number, cells) for number, cells in sample if _filled(cells)]
    if not filled:
        raise EmptySourceError(f"'{name}' is empty: it holds nothing but blank rows.", "Export the customers again.")
    if wanted != "auto":
        return _given(filled, wanted, name)
    return _found(filled, name)


def table_width(header: Header, below: Sequence[Sequence[str]], *, grid: bool, name: str) -> int:
    """Return how many cells a complete record has.

    Columns without a name at the header's end count only where many rows have data there; elsewhere such
    cells are surplus cells of their rows.

    Args:
        below: data records from the beginning of the source.
        grid: whether records may be wider than the header without being wrong (workbooks).

    Raises:
        SourceError: nearly all records are wider than the header, so a name is missing somewhere in it.
    """
    named = last_filled(header.cells)
    used = [width for cells in below if (width := last_filled(cells))]
    if grid:
        return _with_nameless(named, [width for width in used if width > named], max(3, _OUTSIDE * len(used)))
    if _is_short_of_names(header, below, used):
        raise SourceError(
            f"The header of '{name}' has {named} names, but its rows have {max(used)} cells.",
            "Complete the header: a column in it has no name.",
        )
    nameless = [min(width, len(header.cells)) for width in used if width > named]
    return _with_nameless(named, nameless, max(2, _NAMELESS * len(used) + 1))


def _is_short_of_names(header: Header, below: Sequence[Sequence[str]], used: Sequence[int]) -> bool:
    """Whether nearly all records are longer than the header, and not only by delimiters too many."""
    longer = sum(len(cells) > len(header.cells) for cells in below if any(map(str.strip, cells)))
    filled = sum(width > len(header.cells) for width in used)
    most = max(1, 0.8 * len(used))
    return longer > most and (filled > most or filled >= max(3, _OUTSIDE * len(used)))


def _with_nameless(named: int, wider: Sequence[int], fewest: float) -> int:
    """Return the width of a table with those columns without a name that enough rows reach."""
    reached = sorted(wider, reverse=True)
    return max(named, reached[ceil(fewest) - 1]) if len(reached) >= fewest else named


def last_filled(cells: Sequence[str]) -> int:
    """Return how many cells a record has up to the last one that is not blank."""
    return next((i for i in range(len(cells), 0, -1) if cells[i - 1].strip()), 0)


def looks_like_data(text: str) -> bool:
    """Whether a cell reads like a value (address, number, date), not like a column's name."""
    text = text.strip()
    return len(text) > _LONGEST_NAME or bool(_DATA.fullmatch(text))


def _given(filled: Sequence[Numbered], wanted: int, name: str) -> Header:
    for i, (number, cells) in enumerate(filled):
        if number == wanted:
            return Header(number, tuple(cells), skipped=tuple(n for n, _ in filled[:i]), note="as the profile says")
    raise SourceError(
        f"Row {wanted} of '{name}', which the profile names as the header, is blank or not there.",
        "Correct header_row in [source], or leave it out to have the header found.",
    )


def _found(filled: Sequence[Numbered], name: str) -> Header:
    typical = _typical_width(filled)
    for i, (number, cells) in enumerate(filled):
        narrow = _filled(cells) < max(1, _FILLED * typical) and not (i == 0 and _are_names(cells))
        if narrow or _is_title(filled, i):
            continue
        if _textual(cells) < _TEXTUAL:
            raise _no_header(number, name)
        chosen = i + 1 if _is_group_line(filled, i, typical) else i
        return _header(filled, chosen, typical)
    raise _no_header(filled[0][0], name)


def _are_names(cells: Sequence[str]) -> bool:
    """Whether a first line is a header, however much wider the rows under it are: several names, none twice."""
    names = [cell.strip() for cell in cells if cell.strip()]
    return len(names) >= _A_FEW and len(set(names)) == len(names) and _textual(cells) == 1.0


def _header(filled: Sequence[Numbered], i: int, typical: float) -> Header:
    number, cells = filled[i]
    above = filled[i - 1] if i else None
    groups = tuple(above[1]) if above and above[0] == number - 1 and _filled(above[1]) > 1 else ()
    confidence = min(1.0, _filled(cells) / max(1.0, typical)) * _textual(cells)
    skipped = tuple(n for n, _ in filled[:i])
    note = f"above it: {counted(len(skipped), 'line')} of titles" if skipped else ""
    return Header(number, tuple(cells), groups, skipped, round(confidence, 2), note)


def _no_header(number: int, name: str) -> SourceError:
    return SourceError(
        f"Row {number} of '{name}' should be the header but looks like data.",
        "Add a row with the columns' names at the top, or name the right one with header_row in [source].",
    )


def _is_title(filled: Sequence[Numbered], i: int) -> bool:
    """Whether a line only leads up to a header a few lines below, which has at least twice as many names."""
    here = _filled(filled[i][1])
    near = range(i + 1, min(i + 1 + _TITLE_LINES, len(filled)))
    return any(_filled(filled[j][1]) >= 2 * here and _names_stand_above_data(filled, j) for j in near)


def _is_group_line(filled: Sequence[Numbered], i: int, typical: float) -> bool:
    """Whether a line is the upper one of a header of two lines: it groups or completes the names below it."""
    if i + 1 >= len(filled) or filled[i + 1][0] != filled[i][0] + 1 or not _names_stand_above_data(filled, i + 1):
        return False
    above, below = filled[i][1], filled[i + 1][1]
    texts = [cell.strip() for cell in above if cell.strip()]
    groups = _filled(below) >= max(len(texts), typical) and len(set(texts)) <= _filled(below) / 2
    return groups or _complete(above, below)


def _complete(above: Sequence[str], below: Sequence[str]) -> bool:
    """Whether two lines make one header: what is blank below is above, and not all the other way round.

    A line of names without a gap is a header by itself: cells beyond it below are those of a row.
    """
    if all(map(str.strip, above[: last_filled(above)])):
        return False
    pairs = list(zip_longest(above, below, fillvalue=""))
    last = max(last_filled(above), last_filled(below))
    both = all(up.strip() or down.strip() for up, down in pairs[:last])
    return both and any(not up.strip() for up, _ in pairs[:last]) and any(not down.strip() for _, down in pairs[:last])


def _names_stand_above_data(filled: Sequence[Numbered], i: int) -> bool:
    """Whether a line is all words, in a column of which nearly only numbers, dates or addresses follow."""
    names = filled[i][1]
    if _textual(names) < 1.0:
        return False
    below = [cells for _, cells in filled[i + 1 : i + 20]]
    for column, name in enumerate(names):
        cells = [cells[column] for cells in below if column < len(cells) and cells[column].strip()]
        if name.strip() and cells and sum(map(looks_like_data, cells)) > 0.8 * len(cells):
            return True
    return False


def _typical_width(filled: Sequence[Numbered]) -> float:
    widths = Counter(_filled(cells) for _, cells in filled)
    common = widths.most_common(1)[0][0]
    return float(max(common, sorted(widths.elements())[len(filled) // 2]))


def _filled(cells: Sequence[str]) -> int:
    return sum(1 for cell in cells if cell.strip())


def _textual(cells: Sequence[str]) -> float:
    texts = [cell for cell in cells if cell.strip()]
    return sum(not looks_like_data(text) for text in texts) / max(1, len(texts))
