"""Rules between the fields of a row: what is missing, addresses, extensions, ids, metadata.

Looks only at rows where something is blank that may not be: clean columns cost one search each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from importer.customers.fields import read
from importer.customers.postal import PO_BOX_HINTS, is_po_box
from importer.customers.reading import Policy, Step
from importer.customers.rules import (
    ADDRESS_TYPES,
    FIELDS,
    MAX_METADATA_PAIRS,
    STATE_REQUIRED_IN,
    FieldSpec,
    metadata_spec,
)
from importer.validation.findings import Findings
from importer.validation.table import Table

_SSN_DIGITS = 9


def check_required(specs: Iterable[FieldSpec], table: Table, found: Findings) -> None:
    """Report required fields that are blank, unless their cell failed already."""
    for spec in specs:
        for place in table.blanks(spec.name):
            _report_blank(place, "required_missing", spec, found)


def _report_blank(place: int, code: str, spec: FieldSpec, found: Findings) -> None:
    if place not in found.failed[spec.name]:
        found.report(place, code, spec)


def split_extensions(table: Table, found: Findings, policy: Policy) -> None:
    """Move extensions that stood behind phone numbers into their own field."""
    for number, behind in found.extensions.items():
        spec = FIELDS[number.removesuffix("number") + "extension"]
        column = list(table.column(spec.name))
        for place, extension in behind.items():
            if column[place] not in {"", extension}:
                found.report(place, "extension_conflict", spec)
            elif not column[place] and place not in found.failed[spec.name]:
                column[place] = found.apply(place, spec, read(spec, extension, policy))
                found.change(place, spec, Step("phone_extension_split", "", extension))
        table.columns[spec.name] = column


def check_addresses(table: Table, found: Findings, absent: Mapping[str, Collection[int]]) -> None:
    """Check every type of address that is mapped.

    Args:
        absent: address word to the rows that have no such address.
    """
    for word in ADDRESS_TYPES:
        if len(absent[word]) < table.size:
            _AddressCheck(word, table, found, frozenset(absent[word])).check()


class _AddressCheck:
    """The rules of one type of address."""

    def __init__(self, word: str, table: Table, found: Findings, absent: frozenset[int]) -> None:
        self._word, self._table, self._found, self._absent = word, table, found, absent

    def _name(self, part: str) -> str:
        return f"addresses.{self._word}.{part}"

    def check(self) -> None:
        required = ["streetLine1", "zipCode"]
        if self._word == "shipping":
            required += ["name.firstName", "name.lastName"]
        for part in required:
            for place in self._blank_but_present(part):
                _report_blank(place, "required_missing", FIELDS[self._name(part)], self._found)
        self._check_state()
        if self._word == "physical":
            self._check_po_box()

    def _blank_but_present(self, part: str) -> Iterator[int]:
        return (place for place in self._table.blanks(self._name(part)) if place not in self._absent)

    def _check_state(self) -> None:
        countries, name = self._name("countryCode"), self._name("stateCode")
        if countries not in self._table:
            return
        column = self._table.columns[countries]
        for place in self._blank_but_present("stateCode"):
            if column[place] in STATE_REQUIRED_IN:
                _report_blank(place, "state_required", FIELDS[name], self._found)
        for place in self._blank_but_present("countryCode"):
            _report_blank(place, "country_missing", FIELDS[countries], self._found)

    def _check_po_box(self) -> None:
        for line in ("streetLine1", "streetLine2", "streetLine3"):
            name = self._name(line)
            column = self._table.columns.get(name, ())
            for place in _po_boxes(column):
                self._found.report(place, "po_box_physical", FIELDS[name])


def _po_boxes(column: Sequence[str]) -> Sequence[int]:
    whole = "\n".join(column).lower()
    if not any(hint in whole for hint in PO_BOX_HINTS):
        return ()
    return [place for place, text in enumerate(column) if is_po_box(text)]


def check_social_id(table: Table, found: Findings) -> None:
    """A national id needs its country, and a U.S. one has nine digits."""
    ids = table.columns.get("socialId")
    if ids is None:
        return
    spec = FIELDS["socialIdCountryCode"]
    for place in table.blanks(spec.name):
        if ids[place]:
            _report_blank(place, "social_id_country_missing", spec, found)
    for place, (text, country) in enumerate(zip(ids, table.column(spec.name), strict=True)):
        if text and country == "USA" and sum(map(str.isdigit, text)) != _SSN_DIGITS:
            found.report(place, "social_id_unusual", FIELDS["socialId"])


def check_metadata(table: Table, found: Findings, *, stamped: bool) -> None:
    """At most five pairs, the import key's included."""
    names = [name for name in table.columns if name.startswith("metadata.")]
    room = MAX_METADATA_PAIRS - stamped
    if len(names) <= room:
        return
    for place in range(table.size):
        if sum(table.given(name, place) for name in names) > room:
            found.report(place, "metadata_too_many", metadata_spec(names[-1].removeprefix("metadata.")))
