"""Cuts blocks: header off, blank rows out, a footer held back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from importer.readers.table.blocks import Block

_SPACES = "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())
"""What `str.strip` takes away."""
_FEWEST_NAMES = 2
"""One cell that equals the header's may be a value; several that do are the header again."""


_TOTALS = re.compile(r"(grand|sub|overall)?[\s-]*(totals?|sums?|counts?)\b.*", re.IGNORECASE | re.DOTALL)
_REMARK = re.compile(
    r"""[(\[]?\s*\d[\d,. ]*\s*(rows?|records?|customers?|entries|contacts|lines)\b.*
      | (total|number\s+of|rows?|records?|count|customers)\b.*\d+.*
      | (end\s+of|generated|exported|printed|created|report|page\s+\d|copyright|©|confidential|source:).*
      | (as\s+of|---|===|\*\*\*).*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"[-+]?[\d.,\s]+%?")
_LONGEST_REMARK = 200
_MOST_FOOTER_LINES = 20
"""More lines than this are not a footer."""


def after(block: Block, header: int) -> Block:
    """Return the records below the header's row number."""
    if not block.numbers or block.numbers[0] > header:
        return block
    start = next((i for i, number in enumerate(block.numbers) if number > header), len(block.numbers))
    return part(block, start, len(block.numbers))


def part(block: Block, start: int, end: int) -> Block:
    """Return the records from `start` up to `end`."""
    rows = None if block.rows is None else block.rows[start:end]
    table = None if block.table is None else block.table.slice(start, end - start)
    marks = {i - start: found for i, found in block.marks.items() if start <= i < end}
    surplus = {i - start: found for i, found in block.surplus.items() if start <= i < end}
    return Block(block.numbers[start:end], rows, table, marks, block.text, block.unterminated, surplus=surplus)


def join(held: Block | None, block: Block) -> Block:
    """Put records that were held back in front of a block; both as tables."""
    if held is None:
        return block
    count = len(held.numbers)
    table = pa.concat_tables([held.table, block.table])
    marks = {**held.marks, **{i + count: found for i, found in block.marks.items()}}
    surplus = {**held.surplus, **{i + count: found for i, found in block.surplus.items()}}
    return Block([*held.numbers, *block.numbers], None, table, marks, surplus=surplus)


def without_blank(block: Block) -> Block:
    """Leave out the blank records of a table, unless there are cells beyond its columns."""
    blank = _places(map(is_blank, map(block.cells, range(block.width))))
    return _without(block, blank - block.surplus.keys())


def _without(block: Block, dropped: set[int]) -> Block:
    if not dropped or block.table is None:
        return block
    keep = [i for i in range(len(block.numbers)) if i not in dropped]
    marks = {at: block.marks[i] for at, i in enumerate(keep) if i in block.marks}
    surplus = {at: block.surplus[i] for at, i in enumerate(keep) if i in block.surplus}
    numbers = [block.numbers[i] for i in keep]
    return Block(
        numbers,
        None,
        block.table.take(pa.array(keep, pa.int64())),
        marks,
        block.text,
        block.unterminated,
        surplus=surplus,
    )


def without_header_again(block: Block, header: Sequence[str]) -> tuple[Block, int]:
    """Leave out records that repeat the header (files put together from several), and count them."""
    if block.width < _FEWEST_NAMES:
        return block, 0
    again = _places(pc.equal(block.cells(place), name) for place, name in enumerate(header[: block.width]))
    return _without(block, again), len(again)


def hold_footer(block: Block, width: int) -> tuple[Block, Block | None]:
    """Split off records at a block's end that look like totals or remarks: a footer if nothing follows."""
    count = end = len(block.numbers)
    while end and end - 1 not in block.surplus and is_footer(_record(block, end - 1), width):
        end -= 1
    if end == count or count - end > _MOST_FOOTER_LINES:
        return block, None
    return part(block, 0, end), part(block, end, count)


def _places(columns: Iterable[pa.ChunkedArray]) -> set[int]:
    """Find the records for which all columns are true; columns are read only while there may be any."""
    found = np.empty(0, np.int64)
    for at, truths in enumerate(columns):
        here = np.flatnonzero(truths)
        found = np.intersect1d(found, here) if at else here
        if not len(found):
            break
    return set(found.tolist())


def is_blank(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether each cell of a column is blank; spaces do not count."""
    return pc.equal(pc.utf8_trim(cells, characters=_SPACES), "")


def _record(block: Block, place: int) -> list[str]:
    return [block.cells(i)[place].as_py() for i in range(block.width)]


def is_footer(cells: Sequence[str], width: int) -> bool:
    """Whether a record under a table is a line of totals or a remark, not a customer.

    Args:
        cells: the record.
        width: how many columns the table has.
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled or width < 3 or len(filled[0]) > _LONGEST_REMARK:
        return False
    first, rest = filled[0], filled[1:]
    if _TOTALS.fullmatch(first) and len(filled) < max(3, width / 2) and all(map(_NUMBER.fullmatch, rest)):
        return True
    return (
        len(filled) <= max(1, width // 5) and bool(_REMARK.fullmatch(first)) and not any("@" in cell for cell in filled)
    )
