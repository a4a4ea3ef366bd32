"""Rows of customers: what pydantic reads of them, and what is looked at by the column before. Implements `Checks`.

Where all rows of a batch belong to the USA and Canada, usual phone numbers are written in E.164 at once. What is usual
says `nanp`; every other number stays as it is, for the customer's type to read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from importer.core.contract import (
    Columns,
    FieldSpec,
    Kind,
    Notes,
    Policy,
    PresenceFields,
    Readiness,
    Reading,
    RowIdentities,
)
from importer.customers.fields import read
from importer.customers.nanp import belongs_here, written_in_e164
from importer.customers.notes import CustomerNotes, country_of
from importer.customers.presence import PRESENCE_FIELDS
from importer.customers.readiness import judge_readiness
from importer.customers.row_identities import Identities
from importer.customers.row_objects import shape_of
from importer.customers.rules import FIELDS
from importer.customers.specs import PHONE_ADDRESSES
from importer.customers.types import customer_adapter, json_schema


class CustomerChecks:
    """The types of customers, and how rows come to them."""

    presence_fields: PresenceFields = PRESENCE_FIELDS
    codes_of_types: Collection[str] = frozenset({"required_missing", "state_required", "social_id_country_missing"})
    json_schema = staticmethod(json_schema)
    readiness: Callable[[str, Columns, Collection[int]], Readiness] = staticmethod(judge_readiness)

    def read(self, spec: FieldSpec, text: str, policy: Policy) -> Reading:
        """Read one text as one field."""
        return read(spec, text, policy)

    def adapter(self, record_type: str | None, policy: Policy) -> TypeAdapter[dict[str, Any]]:
        """The type of customers of one type, under a policy."""
        return customer_adapter(record_type, policy)

    def rows(self, record_type: str | None, mapped: Collection[str]) -> Callable[[Columns], Iterator[Any]]:
        """Plan the objects of the API, one a row."""
        shape = shape_of(record_type, mapped)
        return lambda columns: shape.rows(columns.texts, columns.size, columns.absent)

    def notes(self, columns: Columns, **kept: Any) -> Notes:
        """Notes that know the country of each row."""
        return CustomerNotes(countries=_countries(columns), **kept)

    def prepare(
        self, record_type: str | None, columns: Columns, notes: Notes, policy: Policy, sources: Mapping[str, str]
    ) -> None:
        """Write usual phone numbers, and warn of what is not sent: parts of addresses, documents without a file."""
        for name in columns.texts:
            if name not in notes.no_change and _is_phone(name, record_type):
                _write_numbers(name, columns, notes, policy)
        for name in columns.texts:
            if name.endswith((".countryCode", ".stateCode")) and sources.get(name):
                notes.warn_all("address_not_sent", name, columns.given(name, columns.dropped(name)))
            if name.endswith((".number", ".expiryDate")) and name.startswith("documents."):
                notes.warn_all("document_without_file", name, columns.given(name, columns.dropped(name)))

    def identities(
        self, record_type: str, columns: Columns, secret: bytes, groups: Sequence[str] = ()
    ) -> RowIdentities:
        """Say who the customers are."""
        return Identities(record_type, columns, secret, groups)


def _countries(columns: Columns) -> list[Sequence[str]]:
    """What the rows say about their own country, address by address."""
    names = (f"addresses.{word}.countryCode" for word in PHONE_ADDRESSES)
    return [columns.texts[name] for name in names if name in columns.texts]


def _is_phone(name: str, record_type: str | None) -> bool:
    spec = FIELDS.get(name)
    return spec is not None and spec.kind is Kind.PHONE and spec.is_of(record_type)


def _write_numbers(name: str, columns: Columns, notes: Notes, policy: Policy) -> None:
    """Write the usual numbers of a column, and note each that was altered."""
    if _says_where(name, columns) or not _all_belong_here(columns, policy):
        return
    texts = columns.texts[name]
    numbers = written_in_e164(texts)
    if numbers:
        before = [texts[place] for place in numbers]
        notes.change_all("phone_e164", name, list(numbers), before, list(numbers.values()))
        columns.texts[name] = [numbers.get(place, text) for place, text in enumerate(texts)]


def _says_where(name: str, columns: Columns) -> bool:
    """Whether other fields say where each number belongs."""
    phone = name.rpartition(".")[0]
    return any(f"{phone}.{part}" in columns.texts for part in ("region", "country"))


def _all_belong_here(columns: Columns, policy: Policy) -> bool:
    countries = {text for column in _countries(columns) for text in set(column)}
    return all(belongs_here(policy.region, country_of(text)) for text in {"", *countries})
