"""All mapped columns of some rows, checked cell by cell, countries before what lies in them.

A country, a state or a name stands alone in many files (a constant, a column that is always filled) where there
is no address: there they are dropped before they are judged, with a warning where the file itself said them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property

from importer.customers.places import alpha2
from importer.customers.rules import (
    ADDRESS_TYPES,
    ADDRESS_WITNESSES,
    PHONE_ADDRESSES,
    READING_FIELDS,
    FieldSpec,
    Kind,
)
from importer.customers.text import is_blank
from importer.validation.columns import ColumnCheck
from importer.validation.findings import Findings
from importer.validation.plan import Plan, country_field

Texts = Callable[[str], Sequence[str]]
"""The texts of a mapped field, one a row."""


class CellCheck:
    """Checks the columns of the rows of one type of customer.

    Args:
        checks: dotted name to the check of its column; the mapped fields are those that have one.
        texts: where the columns come from.
        size: how many rows.
    """

    def __init__(self, checks: Mapping[str, ColumnCheck], texts: Texts, size: int, found: Findings) -> None:
        self.columns: dict[str, Sequence[str]] = {}
        self._checks, self._texts, self._size, self._found = checks, texts, size, found
        self.absent = {word: self._without_address(word) for word in ADDRESS_TYPES}
        """Address word to the places of the rows that have no such address."""

    def check(self, plan: Plan) -> dict[str, Sequence[str]]:
        """Check every field of a plan, and point out those of the other type of customer.

        Returns:
            Dotted name to normalised texts of what is sent; a cell that failed is blank.
        """
        for spec in plan.checked:
            self.column(spec)
        for spec in plan.strays:
            self._report_given(spec, range(self._size), "field_not_sent")
        return {name: texts for name, texts in self.columns.items() if name not in READING_FIELDS}

    def column(self, spec: FieldSpec) -> None:
        """Check one field."""
        texts = self._texts(spec.name)
        failed, dropped = self._found.failed.get(spec.name), self._dropped(spec)
        if failed or dropped or not isinstance(texts, list):
            blank = {*(failed or ()), *dropped}
            texts = ["" if place in blank else text for place, text in enumerate(texts)]
        places = self._phone_places(spec) if spec.kind is Kind.PHONE else self.columns.get(country_field(spec), ())
        self.columns[spec.name] = self._checks[spec.name].check(texts, self._found, places)

    # ----------------------------------------------------------------------- where phone numbers belong

    def _phone_places(self, spec: FieldSpec) -> Sequence[str]:
        """Say where each row's phone number belongs, as `read_phone` takes it; empty where nothing says it."""
        phone = spec.name.rpartition(".")[0]
        places = _first_given(self.columns.get(f"{phone}.country", ()), self._row_countries)
        if unreadable := self._found.failed.get(f"{phone}.country"):
            places = ["" if place in unreadable else text for place, text in enumerate(places or [""] * self._size)]
        regions = self.columns.get(f"{phone}.region", ())
        return _first_given([alpha2(region) if region else "" for region in regions], places)

    @cached_property
    def _row_countries(self) -> Sequence[str]:
        """Each row's own country (alpha-3), whether or not there is an address in it; empty where none is mapped."""
        names = [(word, f"addresses.{word}.countryCode") for word in PHONE_ADDRESSES]
        columns = [self._countries(word, name) for word, name in names if name in self.columns]
        if len(columns) < 2:
            return columns[0] if columns else ()
        return [next(filter(None, row), "") for row in zip(*columns, strict=True)]

    def _countries(self, word: str, name: str) -> Sequence[str]:
        column, absent = self.columns[name], self.absent[word]
        if not absent:
            return column
        whole, texts, check = list(column), self._texts(name), self._checks[name]
        for place in absent:
            whole[place] = check.read(texts[place], "").value if texts[place] else ""
        return whole

    # ----------------------------------------------------------------------- addresses that are not there

    def _dropped(self, spec: FieldSpec) -> Collection[int]:
        """Find the cells that tell about an address which is not there."""
        group, _, rest = spec.name.partition(".")
        word, _, part = rest.partition(".")
        if group != "addresses" or part in ADDRESS_WITNESSES:
            return ()
        if part in {"countryCode", "stateCode"} and self._found.columns.get(spec.name):
            self._report_given(spec, self.absent[word], "address_not_sent")
        return self.absent[word]

    def _report_given(self, spec: FieldSpec, places: Collection[int], code: str) -> None:
        texts = self._texts(spec.name) if places else ()
        for place in places:
            if not is_blank(texts[place]):
                self._found.report(place, code, spec)

    def _without_address(self, word: str) -> Collection[int]:
        """Find the rows where every telling part of an address is blank, and none failed before."""
        absent: Collection[int] = range(self._size)
        for name in (f"addresses.{word}.{part}" for part in ADDRESS_WITNESSES):
            if name in self._checks:
                texts, failed = self._texts(name), self._found.failed[name]
                absent = [place for place in absent if is_blank(texts[place]) and place not in failed]
        return absent


def _first_given(texts: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    """Take each row's text, and the other one where it is blank; either may be empty as a whole."""
    if not any(texts):
        return others
    return [text or other for text, other in zip(texts, others or [""] * len(texts), strict=True)]
