"""What is decided over whole columns before rows are read: record types, words of short lists, rows of one record.

Readers are the contract's; what one refuses or doubts stays as it is, for the record's type to check.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from importer.core.batches import MappedBatch
from importer.core.commands import Commands
from importer.core.contract import Checks, FieldSpec, FieldTable, Groups, Kind, Normalisation, Notes, Policy, Reading
from importer.core.contract.keyed_hashes import SEPARATOR
from importer.core.errors import ProfileError
from importer.core.issues import Issue, IssueCode
from importer.core.sources import Detected, Grouping

KINDS = frozenset({Kind.ENUM, Kind.COUNTRY})
MEMORY_WORDS = 10_000
"""How many different words a field remembers before it forgets all and begins anew."""
_YES = frozenset({"yes", "y", "true", "1", "x", "primary", "main", "ja", "oui", "si", "s\u00ed"})
_NO = frozenset({"", "no", "n", "false", "0", "-", "secondary", "other", "nein", "non"})

# --------------------------------------------------------------------------- record types


def specs_of(fields: FieldTable, names: Collection[str]) -> dict[str, FieldSpec]:
    """Look up the mapped fields.

    Raises:
        ProfileError: there is no such field.
    """
    return {name: _spec(fields, name) for name in names}


def _spec(fields: FieldTable, name: str) -> FieldSpec:
    spec = fields.spec(name)
    if spec is None:
        raise ProfileError(
            f"There is no customer field '{name}'.", f"`{Commands().template()}` writes a file with every field."
        )
    return spec


def strays_of(
    fields: FieldTable, kind: str | None, specs: Mapping[str, FieldSpec], columns: Mapping[str, str]
) -> Sequence[FieldSpec]:
    """List the mapped fields of other record types whose column feeds none of this type's.

    Args:
        kind: None for rows whose type cannot be read: they have no strays.
        columns: field to source column; constants have none.
    """
    if kind is None:
        return ()
    feeding = {columns.get(name) for name, spec in specs.items() if spec.is_of(kind) and name != fields.type_field}
    others = (spec for spec in specs.values() if spec.sent and not spec.is_of(kind))
    return [spec for spec in others if columns.get(spec.name) and columns[spec.name] not in feeding]


def infer_type(fields: FieldTable, names: Collection[str]) -> Detected | None:
    """Say which type all rows are taken for where no field that is mapped says it; None where one does.

    The first type, unless only fields of another one are mapped.
    """
    if not fields.type_field or fields.type_field in names:
        return None
    kind = fields.typical_type(names)
    if kind != fields.first_type:
        return Detected("customer_type", kind, note=f"only fields of {fields.types[kind]} are mapped")
    return Detected("customer_type", kind, note="no field says otherwise")


# --------------------------------------------------------------------------- words of short lists


class Words:
    """The words of one field."""

    def __init__(self, spec: FieldSpec, checks: Checks, policy: Policy) -> None:
        self.spec, self._checks, self._policy = spec, checks, policy
        self._known: dict[str, Reading] = {}

    def values(self, texts: Sequence[str]) -> list[str]:
        """What the texts mean; "" where a text is blank or means nothing."""
        known = self._read(texts)
        return [known[text].value for text in texts]

    def written(self, texts: Sequence[str], notes: Notes, aside: Collection[int]) -> Sequence[str]:
        """Write the words as the API has them, and note each that was altered.

        Args:
            aside: places whose words are not sent: what becomes of them does not matter.
        """
        known = self._read(texts)
        altered = {text: found for text in dict.fromkeys(texts) if (found := _changes(known[text]))}
        if not altered:
            return texts
        for rule in dict.fromkeys(rule for changes in altered.values() for rule in changes):
            words = {text: changes[rule] for text, changes in altered.items() if rule in changes}
            places = [place for place, text in enumerate(texts) if text in words and place not in aside]
            done = [words[texts[place]] for place in places]
            notes.change_all(rule, self.spec.name, places, [one.before for one in done], [one.after for one in done])
        return [known[text].value if text in altered else text for text in texts]

    def _read(self, texts: Sequence[str]) -> dict[str, Reading]:
        if len(self._known) > MEMORY_WORDS:
            self._known.clear()
        for text in set(texts).difference(self._known):
            self._known[text] = self._checks.read(self.spec, text, self._policy)
        return self._known


def _changes(reading: Reading) -> dict[str, Normalisation]:
    """What altered a text that needs no other remark, by rule."""
    return {} if reading.error or reading.warnings else {one.rule: one for one in reading.changes}


# --------------------------------------------------------------------------- rows that are one record


def groups_of(groups: Groups, grouping: Grouping, batch: MappedBatch, aside: Collection[int]) -> list[str]:
    """Write down for every row which record it belongs to, "" where it is a record of its own.

    A row in which a field or a column that rows are grouped by is blank belongs to no group.

    Args:
        aside: places of rows whose record type has no groups.
    """
    columns = [groups.folded(name, batch.texts(name)) for name in grouping.fields]
    columns += [groups.folded("", batch.looked_in(index)) for index in grouping.indices]
    texts = [SEPARATOR.join(row) if all(row) else "" for row in zip(*columns, strict=True)]
    for place in aside:
        texts[place] = ""
    return texts


def mains_of(entry: IssueCode, grouping: Grouping, batch: MappedBatch) -> tuple[list[int], list[Issue]]:
    """Find the rows that are marked as the main contact's, and say where a mark is neither yes nor no.

    Args:
        entry: the issue code for such marks.
    """
    if grouping.main is None:
        return [], []
    first = batch.raw.first
    marks = [" ".join(text.casefold().split()) for text in batch.looked_in(grouping.main)]
    unclear = [
        Issue(first + place, entry.code, entry.message, "", grouping.column)
        for place, mark in enumerate(marks)
        if mark not in _YES and mark not in _NO
    ]
    return [first + place for place, mark in enumerate(marks) if mark in _YES], unclear
