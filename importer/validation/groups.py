"""Which rows of a batch are one business, and whose contact is the main one. Columnar; judges no value."""

from __future__ import annotations

from collections.abc import Collection

from importer.core.batches import MappedBatch
from importer.core.contract import Groups
from importer.core.contract.identity import SEPARATOR
from importer.core.issues import Issue, IssueCode
from importer.core.sources import Grouping

_YES = frozenset({"yes", "y", "true", "1", "x", "primary", "main", "ja", "oui", "si", "s\u00ed"})
_NO = frozenset({"", "no", "n", "false", "0", "-", "secondary", "other", "nein", "non"})


def groups_of(groups: Groups, grouping: Grouping, batch: MappedBatch, aside: Collection[int]) -> list[str]:
    """Write down for every row which record it belongs to, "" where it is a record of its own.

    A row in which a field or a column that rows are grouped by is blank belongs to no group.

    Args:
        aside: places of rows whose record type has no groups.
    """
    columns = [groups.folded(name, batch.texts(name)) for name in grouping.fields]
    columns += [groups.folded("", batch.looked_in(index)) for index in grouping.indices]
    texts = [SEPARATOR.join(row) if all(row) else "" for row in zip(*columns, strict=True)]
    for place in aside:
        texts[place] = ""
    return texts


def mains_of(entry: IssueCode, grouping: Grouping, batch: MappedBatch) -> tuple[list[int], list[Issue]]:
    """Find the rows that are marked as the main contact's, and say where a mark is neither yes nor no.

    Args:
        entry: the issue code for such marks.
    """
    if grouping.main is None:
        return [], []
    first = batch.raw.first
    marks = [" ".join(text.casefold().split()) for text in batch.looked_in(grouping.main)]
    unclear = [
        Issue(first + place, entry.code, entry.message, "", grouping.column)
        for place, mark in enumerate(marks)
        if mark not in _YES and mark not in _NO
    ]
    return [first + place for place, mark in enumerate(marks) if mark in _YES], unclear
