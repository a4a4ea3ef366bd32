"""Is a customer ready for identity verification? Separate from being valid: creation does not ask for it.

Verification works for customers in the USA only, so far as the API's pages say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from importer.core.contract import Columns, Evidence, Readiness
from importer.customers.specs import CustomerType

VERIFIED_IN = "USA"


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that verification asks for.

    Args:
        name: stable, lower snake case.
        label: the name people use.
        fields: dotted names that must all be given.
        country: the one of `fields` that must be the USA; empty when none.
    """

    name: str
    label: str
    fields: tuple[str, ...]
    country: str = ""
    evidence: Evidence = Evidence.KNOWN


_PHYSICAL = tuple(f"addresses.physical.{part}" for part in ("streetLine1", "cityName", "stateCode", "zipCode"))
_ADDRESS = Piece(
    "physical_address",
    "Physical address in the USA",
    (*_PHYSICAL, "addresses.physical.countryCode"),
    "addresses.physical.countryCode",
)

PIECES: Mapping[CustomerType, tuple[Piece, ...]] = MappingProxyType(
    {
        CustomerType.INDIVIDUAL: (
            Piece("birth_date", "Date of birth", ("dateOfBirth",)),
            Piece("ssn", "Social security number", ("socialId", "socialIdCountryCode"), "socialIdCountryCode"),
            _ADDRESS,
        ),
        CustomerType.BUSINESS: (
            Piece("legal_name", "Legal name", ("legalName",), evidence=Evidence.SIBLING),
            Piece("tax_id", "Tax id", ("taxId",), evidence=Evidence.INFERRED),
            _ADDRESS,
        ),
    }
)
"""What verification needs beyond what creation needs (names, email and phone are there already)."""


def judge_readiness(kind: str, columns: Columns, bad: Collection[int]) -> Readiness:
    """Judge the rows of one type of customer.

    Args:
        bad: places of invalid rows.
    """
    lacking = {piece.name: _lacking(piece, columns) for piece in PIECES[CustomerType(kind)]}
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
