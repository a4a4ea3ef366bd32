"""What is found in rows of customers: as in every contract, and where the phone numbers of a row belong."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from importer.core.contract import Notes
from importer.core.contract.text import clean
from importer.customers.places import find_country


class CustomerNotes(Notes):
    """The notes about some rows of one type of customer; further arguments as of `Notes`.

    Args:
        countries: what rows say about their own country, the first that names one before the others; a column each.
    """

    __slots__ = ("_countries",)

    def __init__(self, *, countries: Sequence[Sequence[str]] = (), **kept: Any) -> None:
        super().__init__(**kept)
        self._countries = countries

    def own_country(self) -> str:
        """This row's own country (alpha-3), whether or not there is an address in it; empty: it names none."""
        for column in self._countries:
            if country := country_of(column[self.place]):
                return country
        return ""


@lru_cache(1_024)
def country_of(text: str) -> str:
    """The country (alpha-3) that a cell names; empty: none."""
    return find_country(clean(text).value)
