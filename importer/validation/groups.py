"""Which rows of a batch are one business, and whose contact is the main one. Columnar; judges no value."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from importer.core.batches import MappedBatch
from importer.core.issues import Issue
from importer.core.sources import Grouping
from importer.customers.identity import SEPARATOR
from importer.customers.likeness import folded_name
from importer.customers.rules import ISSUE_CODES

_YES = frozenset({"yes", "y", "true", "1", "x", "primary", "main", "ja", "oui", "si", "s\u00ed"})
_NO = frozenset({"", "no", "n", "false", "0", "-", "secondary", "other", "nein", "non"})


def groups_of(grouping: Grouping, batch: MappedBatch, aside: Collection[int]) -> list[str]:
    """Write down for every row which business it belongs to, "" where it stands for itself.

    A business's name counts by its letters and digits, everything else without case and surplus blanks; a row in which
    one of them is blank belongs to no group.

    Args:
        aside: places of rows that are no businesses.
    """
    columns = [_folded(name, batch.texts(name)) for name in grouping.fields]
    columns += [_folded("", batch.looked_in(index)) for index in grouping.indices]
    texts = [SEPARATOR.join(row) if all(row) else "" for row in zip(*columns, strict=True)]
    for place in aside:
        texts[place] = ""
    return texts


def _folded(name: str, texts: Sequence[str]) -> list[str]:
    if name == "businessName":
        return list(map(folded_name, texts))
    return [" ".join(text.casefold().split()) for text in texts]


def mains_of(grouping: Grouping, batch: MappedBatch) -> tuple[list[int], list[Issue]]:
    """Find the rows that are marked as the main contact's, and say where a mark is neither yes nor no."""
    if grouping.main is None:
        return [], []
    entry, first = ISSUE_CODES["group_primary_unclear"], batch.raw.first
    marks = [" ".join(text.casefold().split()) for text in batch.looked_in(grouping.main)]
    unclear = [
        Issue(first + place, entry.code, entry.message, "", grouping.column)
        for place, mark in enumerate(marks)
        if mark not in _YES and mark not in _NO
    ]
    return [first + place for place, mark in enumerate(marks) if mark in _YES], unclear
