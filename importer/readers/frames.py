"""A source as pandas tables, for programs that want to look at it before it is imported. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from importer.ports import Reader

if TYPE_CHECKING:
    import pandas as pd  # half a second to import, and only needed here


def read_frames(reader: Reader) -> Iterator[pd.DataFrame]:
    """Yield a source's rows as tables of text, a batch at a time.

    The index holds the row numbers that a person sees; a blank cell is "", never a missing value.

    Raises:
        SourceError: the source is broken at some later place.
    """
    for batch in reader.batches():
        yield batch.frame
