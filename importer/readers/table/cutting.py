"""Cuts blocks: header off, blank rows out, a footer held back. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from importer.readers.table.blocks import Block
from importer.readers.table.footer import MOST_LINES, is_footer

_FEWEST_NAMES = 2
"""One cell that equals the header's may be a value; several that do are the header again."""


def after(block: Block, header: int) -> Block:
    """Return the records below the header's row number."""
    if not block.numbers or block.numbers[0] > header:
        return block
    start = next((i for i, number in enumerate(block.numbers) if number > header), len(block.numbers))
    return part(block, start, len(block.numbers))


def part(block: Block, start: int, end: int) -> Block:
    """Return the records from `start` up to `end`."""
    rows = None if block.rows is None else block.rows[start:end]
    columns = None if block.columns is None else [column[start:end] for column in block.columns]
    marks = {i - start: found for i, found in block.marks.items() if start <= i < end}
    surplus = {i - start: found for i, found in block.surplus.items() if start <= i < end}
    return Block(block.numbers[start:end], rows, columns, marks, block.text, block.unterminated, surplus=surplus)


def join(held: Block | None, block: Block) -> Block:
    """Put records that were held back in front of a block; both column by column."""
    if held is None:
        return block
    count = len(held.numbers)
    columns = [[*before, *here] for before, here in zip(held.columns or (), block.columns or (), strict=True)]
    marks = {**held.marks, **{i + count: found for i, found in block.marks.items()}}
    surplus = {**held.surplus, **{i + count: found for i, found in block.surplus.items()}}
    return Block([*held.numbers, *block.numbers], None, columns, marks, surplus=surplus)


def without_blank(block: Block) -> Block:
    """Leave out the records in which nothing stands, beyond the table's columns neither; column by column."""
    columns = block.columns or ()
    if not columns or all(map(str.strip, columns[0])):
        return block
    blank = {i for i, cell in enumerate(columns[0]) if not cell.strip() and _is_blank(columns, i)}
    blank -= block.surplus.keys()
    return _without(block, blank) if blank else block


def _without(block: Block, dropped: set[int]) -> Block:
    columns = block.columns or ()
    keep = [i for i in range(len(block.numbers)) if i not in dropped]
    marks = {at: block.marks[i] for at, i in enumerate(keep) if i in block.marks}
    surplus = {at: block.surplus[i] for at, i in enumerate(keep) if i in block.surplus}
    kept = [[column[i] for i in keep] for column in columns]
    numbers = [block.numbers[i] for i in keep]
    return Block(numbers, None, kept, marks, block.text, block.unterminated, surplus=surplus)


def without_header_again(block: Block, header: Sequence[str]) -> tuple[Block, int]:
    """Leave out records that repeat the header (files put together from several); say how many there were."""
    columns = block.columns or ()
    if len(columns) < _FEWEST_NAMES or header[0] not in columns[0]:
        return block, 0
    again = [i for i, cell in enumerate(columns[0]) if cell == header[0] and _same(columns, i, header)]
    return (_without(block, set(again)), len(again)) if again else (block, 0)


def hold_footer(block: Block, width: int) -> tuple[Block, Block | None]:
    """Split off records at a block's end that look like totals or remarks: a footer if nothing follows."""
    count = end = len(block.numbers)
    columns = block.columns or ()
    while end and end - 1 not in block.surplus and is_footer([column[end - 1] for column in columns], width):
        end -= 1
    if end == count or count - end > MOST_LINES:
        return block, None
    return part(block, 0, end), part(block, end, count)


def _same(columns: Sequence[Sequence[str]], i: int, header: Sequence[str]) -> bool:
    return all(column[i] == name for column, name in zip(columns, header, strict=False))


def _is_blank(columns: Sequence[Sequence[str]], i: int) -> bool:
    return not any(column[i].strip() for column in columns)
