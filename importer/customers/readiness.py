"""Is a customer ready for identity verification? Separate from being valid: creation does not ask for it.

Verification works for customers in the USA only, so far as the API's pages say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from importer.customers.rules import CustomerType, Evidence
from importer.customers.shape import flatten

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


def missing(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the pieces that a request body lacks for verification; nothing when it is ready."""
    given = dict(flatten(body))
    return tuple(piece.name for piece in PIECES[CustomerType(body["type"])] if not _has(piece, given))


def _has(piece: Piece, given: Mapping[str, str]) -> bool:
    complete = all(given.get(name) for name in piece.fields)
    return complete and (not piece.country or given[piece.country] == VERIFIED_IN)
