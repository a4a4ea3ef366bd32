"""Which candidate gets which field. Two columns never take the same one, and two addresses are never mixed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from importer.core.sources import Detected
from importer.customers.rules import field_spec
from importer.mapping.candidates import Candidate
from importer.mapping.content import Look
from importer.mapping.synonyms import FULL_NAME


@dataclass(slots=True)
class Choice:
    """The state of one matching: who holds which field, why others do not, and what blank cells stand for."""

    columns: Sequence[str]
    seen: Sequence[Look]
    taken: dict[str, Candidate] = field(default_factory=dict)
    refused: dict[int, tuple[float, str]] = field(default_factory=dict)
    constants: dict[str, tuple[str, str]] = field(default_factory=dict)
    blank: dict[str, str] = field(default_factory=dict)
    notes: list[Detected] = field(default_factory=list)

    def rank(self, candidate: Candidate) -> float:
        """Prefer the surer name, and among names as sure the column with more in it."""
        return candidate.score * (0.6 + 0.4 * self.seen[candidate.index].filled)

    def refuse(self, candidate: Candidate, why: str) -> None:
        """Remember the first reason why a column is not used."""
        self.refused.setdefault(candidate.index, (candidate.score, why))

    def drop(self, name: str, why: str) -> None:
        """Take a field away again."""
        candidate = self.taken.pop(name, None)
        if candidate is not None:
            self.refuse(candidate, why)


def plain(name: str) -> str:
    """Name a field as people do."""
    spec = field_spec(name)
    return spec.label.lower() if spec else "a name"


def whole_addresses(found: list[Candidate], choice: Choice) -> list[Candidate]:
    """Keep of each address the columns of one group that can stand alone; two addresses are never mixed."""
    groups: dict[str, dict[str, list[Candidate]]] = {}
    for candidate in found:
        if candidate.field.startswith("addresses."):
            word = candidate.field.split(".")[1]
            groups.setdefault(word, {}).setdefault(candidate.meaning.group, []).append(candidate)
    kept = [candidate for candidate in found if not candidate.field.startswith("addresses.")]
    for word, rivals in groups.items():
        whole = {group: parts for group, parts in rivals.items() if not _lacks(word, parts)}
        best = max(whole, key=lambda group: sum(map(choice.rank, whole[group])), default="")
        kept += whole.get(best, [])
        for group, parts in rivals.items():
            why = _lacks(word, parts) or f"the {word} address is taken from the {best}"
            _refuse_all([part for part in parts if group != best], why, choice)
    return kept


def _lacks(word: str, parts: Sequence[Candidate]) -> str:
    names = {part.field.split(".", 2)[2] for part in parts}
    if not {"streetLine1", "zipCode"} <= names:
        return "an address needs a column for the street and one for the postal code"
    if word == "shipping" and FULL_NAME not in names and not {"name.firstName", "name.lastName"} <= names:
        return "a shipping address needs the name of a person"
    return ""


def _refuse_all(parts: Iterable[Candidate], why: str, choice: Choice) -> None:
    for part in parts:
        choice.refuse(part, why)


def assign(found: list[Candidate], choice: Choice) -> None:
    """Give each field to its best candidate, and each column to one field."""
    columns: set[int] = set()
    for candidate in sorted(found, key=lambda each: (-choice.rank(each), each.index)):
        holder = choice.taken.get(candidate.field)
        if holder is not None:
            choice.refuse(candidate, f"{plain(candidate.field)} is taken from '{choice.columns[holder.index]}'")
        elif candidate.index not in columns:
            choice.taken[candidate.field] = candidate
            columns.add(candidate.index)
