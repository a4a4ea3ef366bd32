"""Which rows are ready for identity verification, and what the others lack; judged by column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from importer.customers.readiness import PIECES, VERIFIED_IN, Piece
from importer.customers.rules import CustomerType
from importer.validation.rows import Columns


@dataclass(frozen=True, slots=True)
class Readiness:
    """The verdict about some rows.

    Args:
        ready: one entry a row; invalid rows are not ready.
        missing: piece to the number of valid rows that lack it.
    """

    ready: Sequence[bool]
    missing: Mapping[str, int] = field(default_factory=dict)


def judge_readiness(kind: CustomerType, columns: Columns, bad: Collection[int]) -> Readiness:
    """Judge the rows of one type of customer.

    Args:
        bad: places of invalid rows.
    """
    lacking = {piece.name: _lacking(piece, columns) for piece in PIECES[kind]}
    missing = {name: _valid(places, columns.size, bad) for name, places in lacking.items()}
    if any(len(places) == columns.size for places in lacking.values()):
        return Readiness([False] * columns.size, missing)
    unready = set(bad).union(*lacking.values())
    return Readiness([place not in unready for place in range(columns.size)], missing)


def _lacking(piece: Piece, columns: Columns) -> Collection[int]:
    found: set[int] = set()
    for name in piece.fields:
        column = columns.mapped(name)
        if column is None:
            return range(columns.size)
        found.update(place for place, text in enumerate(column) if not text)
        if name == piece.country and set(column) != {VERIFIED_IN}:
            found.update(place for place, country in enumerate(column) if country != VERIFIED_IN)
    return found


def _valid(places: Collection[int], size: int, bad: Collection[int]) -> int:
    return size - len(bad) if len(places) == size else len(set(places).difference(bad))
