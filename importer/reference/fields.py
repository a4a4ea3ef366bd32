"""Customer fields as a profile names them: what each is, who needs it, what it accepts, and how well that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from importer.core.contract import Contract, Evidence, FieldSpec, FieldTable
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


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """One field of the reference.

    Args:
        type: the record type that has it, in small letters; `both` where all have it.
        owner: what a record of these types is called.
    """

    spec: FieldSpec
    type: str
    owner: str

    @property
    def needed(self) -> str:
        """Who has to give it: `required`, `where ...`, or `optional`."""
        return "required" if self.spec.required else self.spec.condition or "optional"

    @property
    def sent(self) -> str:
        """When it is sent, where that is not with the create."""
        if not self.spec.sent:
            return "never sent"
        return f"sent after the create ({self.spec.step})" if self.spec.step else ""

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
            "type": self.type,
            "kind": str(spec.kind),
            "required": spec.required,
            "condition": spec.condition,
            "max_length": spec.max_length,
            "values": list(spec.values),
            "synonyms": dict(spec.synonyms),
            "example": spec.example,
            "sent": spec.sent,
            "step": spec.step,
            "evidence": str(spec.evidence),
            "length_evidence": None if self.length_evidence is None else str(self.length_evidence),
            "source": spec.source,
        }


def field_entries(fields: FieldTable) -> dict[str, FieldEntry]:
    """Every field by its name: what is sent, in the order of a template, then what is only read."""
    free = fields.free_spec(f"{fields.free.prefix}KEY") if fields.free else None
    specs = [*fields.sent.values(), *([free] if free else []), *fields.read_only.values()]
    return {spec.name: _entry(spec, fields) for spec in specs}


def _entry(spec: FieldSpec, fields: FieldTable) -> FieldEntry:
    one = spec.only_type or (fields.first_type if len(fields.types) == 1 else None)
    owner = fields.types[one] if one else " and ".join(fields.types.values())
    return FieldEntry(spec, one.lower() if one else "both", owner[:1].upper() + owner[1:])


def fields(contract: Contract, names: Sequence[str] = (), kind: str = "") -> list[FieldEntry]:
    """Look fields up.

    Args:
        names: names, labels, or parts of them; none: every field. Of numbered objects only the first one is listed.
        kind: only what this record type has; empty: all.

    Raises:
        UsageError: a name fits no field, or there is no such type.
    """
    entries = field_entries(contract.fields)
    kind = contract.fields.type_called(kind).lower() if kind else ""
    chosen = {name: entry for name, entry in entries.items() if not kind or entry.type in {kind, "both"}}
    found = select(names, chosen, "customer field", lambda entry: [entry.spec.label])
    return [entry for entry in found if entry.spec.name in names or not _is_repeated(entry.spec.name)] or found


def _is_repeated(name: str) -> bool:
    """Whether a field is that of the second or a later one of several numbered objects, which all have the same."""
    return any(part.isdigit() and part != "1" for part in name.split("."))


def rules(contract: Contract) -> list[dict[str, str]]:
    """Every rule between fields, in plain JSON types: the code of a breach, the rule in words, how well it is known."""
    return [
        {"code": rule.code, "sentence": rule.sentence, "evidence": str(rule.evidence), "source": rule.source}
        for rule in contract.fields.rules
    ]
