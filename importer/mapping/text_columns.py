"""What is done to whole columns of text: each different text is edited once. Knows no field and no rule.

A column is a pandas Series of text, held by Arrow. What Arrow does exactly as Python would is left to it; the rest is
done in Python, once for every different text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from importer.mapping.edits import Edit, Flaw, is_iso_date

Column = pd.Series  # of pandas' `str` type
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
TEXT: Final = "str"
_NO_YEAR = "0000"
_HEAD = 8


def texts_of(column: Column[Any]) -> pa.Array:
    """The same texts as an Arrow array, without a copy as a rule."""
    texts = pa.array(column, pa.large_string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def as_column(texts: pa.Array, like: Column[Any]) -> Column[Any]:
    """An Arrow array as a column with the row numbers of another one."""
    return pd.Series(texts, index=like.index, dtype=TEXT)


def edited(column: Column[Any], edit: Edit) -> tuple[Column[Any], Mapping[str, Places]]:
    """Edit every different text once.

    Returns:
        The column, the very same where nothing changes, and to each flaw's code the places in which it was met.
    """
    encoded = texts_of(column).dictionary_encode()
    before = encoded.dictionary.to_pylist()
    results = [edit(text) for text in before]
    flawed = {number: result.code for number, result in enumerate(results) if isinstance(result, Flaw)}
    if not flawed and results == before:
        return column, {}
    after = [result.text if isinstance(result, Flaw) else result for result in results]
    made = pa.array(after, pa.large_string()).take(encoded.indices)
    return as_column(made, column), _places(encoded.indices, flawed)


def _places(indices: pa.Array, flawed: Mapping[int, str]) -> Mapping[str, Places]:
    if not flawed:
        return {}
    which = np.asarray(indices)
    return {
        code: np.flatnonzero(np.isin(which, [number for number, one in flawed.items() if one == code]))
        for code in dict.fromkeys(flawed.values())
    }


def joined(columns: Sequence[Column[Any]], joint: str) -> Column[Any]:
    """Put the texts of each row together, trimmed, and without the blank ones."""
    if len(columns) == 1:
        return columns[0]
    whole, *others = (pc.utf8_trim_whitespace(texts_of(column)) for column in columns)
    for texts in others:
        both = pc.and_(pc.not_equal(whole, ""), pc.not_equal(texts, ""))
        between = pc.if_else(both, pa.scalar(joint, whole.type), pa.scalar("", whole.type))
        whole = pc.binary_join_element_wise(whole, between, texts, pa.scalar("", whole.type))
    return as_column(whole, columns[0])


def blanked(column: Column[Any], places: Sequence[int]) -> Column[Any]:
    """Take the texts out of some places."""
    keep = np.ones(len(column), dtype=bool)
    keep[list(places)] = False
    return column.where(keep, "")


def replaced(column: Column[Any], places: Places, edit: Callable[[str], str]) -> Column[Any]:
    """Edit the texts in some places."""
    texts = column.tolist()
    for place in places:
        texts[place] = edit(texts[place])
    return pd.Series(texts, index=column.index, dtype=TEXT)


def constant(value: str, like: Column[Any] | pd.DataFrame) -> Column[Any]:
    """One text for every row."""
    texts = pa.repeat(pa.scalar(value, pa.large_string()), len(like))
    return pd.Series(texts, index=like.index, dtype=TEXT)


def filled(column: Column[Any]) -> pa.Array:
    """For every row whether it holds more than white space."""
    return pc.not_equal(pc.utf8_trim_whitespace(texts_of(column)), "")


def are_iso_dates(column: Column[Any]) -> bool:
    """Whether every text is a date as `yyyy-MM-dd`, or blank."""
    texts = texts_of(column)
    head = texts.slice(0, _HEAD).to_pylist()  # spares most columns what costs more: to fail
    if any(text and not is_iso_date(text) for text in head) or pc.any(pc.starts_with(texts, _NO_YEAR)).as_py():
        return False
    try:
        pc.cast(pc.if_else(pc.equal(texts, ""), None, texts), pa.date32())
    except pa.ArrowInvalid:
        return False
    return True


def places_where(mask: pa.Array) -> Places:
    """The places at which a mask is true."""
    return np.flatnonzero(np.asarray(mask))
