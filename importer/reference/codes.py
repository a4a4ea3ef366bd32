"""Issue codes: the stage that finds each, its severity, what it means and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from importer.core.contract import Contract, FieldSpec
from importer.core.issue_codes import codes_by_stage, in_place
from importer.core.issues import IssueCode
from importer.reference.selection import select


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One code of the reference.

    Args:
        stage: where in a run it is found: reading, mapping, checking, sending, returning.
        shown_with: a field that it can be about.
    """

    entry: IssueCode
    stage: str
    shown_with: FieldSpec

    @property
    def message(self) -> str:
        """The sentence for a typical field; empty where it depends on the row."""
        return self.entry.sentence(self.shown_with)

    @property
    def fix(self) -> str:
        """How to fix many rows at once, for a typical field."""
        return in_place(self.entry.fix, self.shown_with.name, "")

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


def codes(contract: Contract, names: Sequence[str] = ()) -> list[CodeEntry]:
    """Look codes up.

    Args:
        names: codes, parts of them or of their titles, or stages; none: every code.

    Raises:
        UsageError: a name fits no code.
    """
    entries = {
        code: CodeEntry(entry, stage, contract.fields.example_for(code))
        for stage, declared in codes_by_stage(contract.codes).items()
        for code, entry in declared.items()
    }
    return select(names, entries, "issue code", lambda one: (one.stage, one.entry.title))
