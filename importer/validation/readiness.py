"""Which rows are ready for identity verification, and what the others lack; judged by column."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from importer.customers.readiness import PIECES, VERIFIED_IN, Piece
from importer.customers.rules import CustomerType
from importer.validation.table import Table


@dataclass(frozen=True, slots=True)
class Readiness:
    """The verdict about some rows.

    Args:
        ready: one entry a row; invalid rows are not ready.
        missing: piece to the number of valid rows that lack it.
    """

    ready: Sequence[bool]
    missing: Mapping[str, int] = field(default_factory=dict)


def judge_readiness(kind: CustomerType, table: Table, bad: Collection[int]) -> Readiness:
    """Judge the rows of one type of customer.

    Args:
        bad: places of invalid rows.
    """
    lacking = {piece.name: _lacking(piece, table) for piece in PIECES[kind]}
    missing = {name: _valid(places, table.size, bad) for name, places in lacking.items()}
    if any(len(places) == table.size for places in lacking.values()):
        return Readiness([False] * table.size, missing)
    unready = set(bad).union(*lacking.values())
    return Readiness([place not in unready for place in range(table.size)], missing)


def _lacking(piece: Piece, table: Table) -> Collection[int]:
    if any(name not in table for name in piece.fields):
        return range(table.size)
    places = {place for name in piece.fields for place in table.blanks(name)}
    return places.union(_elsewhere(table.columns[piece.country])) if piece.country else places


def _elsewhere(countries: Sequence[str]) -> Iterable[int]:
    if set(countries) == {VERIFIED_IN}:
        return ()
    return (place for place, country in enumerate(countries) if country != VERIFIED_IN)


def _valid(places: Collection[int], size: int, bad: Collection[int]) -> int:
    return size - len(bad) if len(places) == size else len(set(places).difference(bad))
