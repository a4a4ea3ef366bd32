"""Customer fields as a profile names them: what each is, who needs it, what it accepts, and how well that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from importer.customers.rules import FIELDS, READING_FIELDS, RULES, Evidence, FieldSpec, field_spec
from importer.reference.selection import select

EVIDENCE: Mapping[Evidence, str] = MappingProxyType(
    {
        Evidence.KNOWN: "documented for customers",
        Evidence.SIBLING: "documented for a related object of the same API",
        Evidence.INFERRED: "inferred from several pages",
        Evidence.NOT_FOUND: "not documented, a cautious assumption",
    }
)
"""How well something is known, in words."""

_METADATA = "metadata.KEY"


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """One field of the reference."""

    spec: FieldSpec

    @property
    def needed(self) -> str:
        """Who has to give it: `required`, `where ...`, or `optional`."""
        return "required" if self.spec.required else self.spec.condition or "optional"

    @property
    def length_evidence(self) -> Evidence | None:
        """How well the longest length is known; None where there is no such length."""
        return self.spec.length_evidence if self.spec.max_length else None

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        spec = self.spec
        return {
            "name": spec.name,
            "label": spec.label,
            "type": spec.type,
            "kind": str(spec.kind),
            "required": spec.required,
            "condition": spec.condition,
            "max_length": spec.max_length,
            "values": list(spec.values),
            "synonyms": dict(spec.synonyms),
            "example": spec.example,
            "sent": spec.sent,
            "evidence": str(spec.evidence),
            "length_evidence": None if self.length_evidence is None else str(self.length_evidence),
            "source": spec.source,
        }


def field_entries() -> dict[str, FieldEntry]:
    """Every field by its name: what is sent, in the order of a template, then what is only read."""
    metadata = field_spec(_METADATA)
    specs = [*FIELDS.values(), *([metadata] if metadata else []), *READING_FIELDS.values()]
    return {spec.name: FieldEntry(spec) for spec in specs}


def fields(names: Sequence[str] = (), kind: Literal["", "individual", "business"] = "") -> list[FieldEntry]:
    """Look fields up.

    Args:
        names: names, labels, or parts of them; none: every field.
        kind: only what this type of customer has; empty: both.

    Raises:
        UsageError: a name fits no field.
    """
    types = {kind, "both"} if kind else {"individual", "business", "both"}
    entries = {name: entry for name, entry in field_entries().items() if entry.spec.type in types}
    return select(names, entries, "customer field", lambda entry: [entry.spec.label])


def rules() -> list[dict[str, str]]:
    """Every rule between fields, in plain JSON types: the code of a breach, the rule in words, how well it is known."""
    return [
        {"code": rule.code, "sentence": rule.sentence, "evidence": str(rule.evidence), "source": rule.source}
        for rule in RULES
    ]
