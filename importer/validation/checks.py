"""Which kind of field gets which column check: one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.customers.reading import Policy
from importer.customers.rules import FieldSpec, Kind
from importer.validation.columns import ColumnCheck, MemoCheck, PostalCheck
from importer.validation.contact_columns import EmailCheck, PhoneCheck
from importer.validation.text_columns import NameCheck, ReferenceCheck, TextCheck

_CHECKS: Mapping[Kind, type[ColumnCheck]] = MappingProxyType(
    {
        Kind.NAME: NameCheck,
        Kind.TEXT: TextCheck,
        Kind.METADATA: TextCheck,
        Kind.REFERENCE: ReferenceCheck,
        Kind.PHONE: PhoneCheck,
        Kind.EMAIL: EmailCheck,
        Kind.POSTAL: PostalCheck,
    }
)


def check_for(spec: FieldSpec, policy: Policy) -> ColumnCheck:
    """Make the check of one field's column; kinds that are not listed have few different texts."""
    return _CHECKS.get(spec.kind, MemoCheck)(spec, policy)
