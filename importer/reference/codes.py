"""Issue codes: the stage that finds each, its severity, what it means and how to fix it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from importer.core.issue_codes import CODES_BY_STAGE, in_place
from importer.customers.codes import ISSUE_CODES, IssueCode
from importer.customers.rules import FieldSpec, field_spec, message
from importer.reference.selection import select

_SHOWN_WITH: Mapping[str, str] = MappingProxyType(
    {
        "phone": "primaryPhoneNumber.number",
        "extension": "primaryPhoneNumber.extension",
        "email": "primaryEmail.value",
        "date": "dateOfBirth",
        "country": "addresses.mailing.countryCode",
        "state": "addresses.mailing.stateCode",
        "address": "addresses.mailing.stateCode",
        "zip": "addresses.mailing.zipCode",
        "pattern": "addresses.mailing.zipCode",
        "po": "addresses.physical.streetLine1",
        "social": "socialIdCountryCode",
        "industry": "industryCode",
        "website": "website",
        "reference": "externalId",
        "enum": "primaryPhoneNumber.type",
        "value": "primaryPhoneNumber.type",
        "field": "website",
    }
)
"""The first word of a code to the field with which its sentence is shown; a first name for all others."""


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One code of the reference.

    Args:
        stage: where in a run it is found: reading, mapping, checking, sending, returning.
    """

    entry: IssueCode
    stage: str

    @property
    def message(self) -> str:
        """The sentence as a typical field has it; empty where it is written when the row is seen."""
        entry, spec = self.entry, _typical(self.entry.code)
        return message(entry.code, spec) if entry.code in ISSUE_CODES else entry.message.format(label=spec.label)

    @property
    def fix(self) -> str:
        """How to fix many rows at once, for a typical field."""
        return in_place(self.entry.fix, _typical(self.entry.code).name, "")

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        return {
            "code": self.entry.code,
            "stage": self.stage,
            "severity": str(self.entry.severity),
            "title": self.entry.title,
            "message": self.message,
            "fix": self.fix,
        }


def _typical(code: str) -> FieldSpec:
    spec = field_spec(_SHOWN_WITH.get(code.partition("_")[0], "firstName"))
    assert spec is not None  # noqa: S101  # a test looks every one of them up
    return spec


def codes(names: Sequence[str] = ()) -> list[CodeEntry]:
    """Look codes up.

    Args:
        names: codes, parts of them or of their titles, or stages; none: every code.

    Raises:
        UsageError: a name fits no code.
    """
    entries = {
        code: CodeEntry(entry, stage) for stage, declared in CODES_BY_STAGE.items() for code, entry in declared.items()
    }
    return select(names, entries, "issue code", lambda one: (one.stage, one.entry.title))
