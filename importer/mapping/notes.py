"""What was decided about a source's columns, worded for people: matches, columns that nothing uses, phone regions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from importer.core.contract import Contract, Kind
from importer.core.labels import is_data
from importer.core.sources import Detected
from importer.mapping.headers import find
from importer.mapping.plans import named_by
from importer.mapping.proposal import ColumnMatch
from importer.profile.mapping_rules import FieldRule
from importer.profile.settings import ValidationSettings


def phone_regions(
    contract: Contract, rules: Mapping[str, FieldRule], validation: ValidationSettings
) -> tuple[Detected, ...]:
    """Say by which country phone numbers without a country code are read; nothing where no phone number is mapped."""
    phones = (spec.name for spec in contract.fields.sent.values() if spec.kind is Kind.PHONE and spec.name in rules)
    found = dict.fromkeys(_phone_region(contract, rules, name, validation.default_region) for name in phones)
    note = "for phone numbers without a country code"
    return tuple(Detected("phone_region", value, 1.0, note) for value in found)


def _phone_region(contract: Contract, rules: Mapping[str, FieldRule], phone: str, default: str | None) -> str:
    named = [_origin(rules[name]) for name in contract.matching.said_by(phone) if name in rules]
    return ", else ".join([*dict.fromkeys(named), default or "none"])


def _origin(rule: FieldRule) -> str:
    return rule.value if rule.value is not None else " ".join(f"column '{column}'" for column in named_by(rule))


_OF_STEPS = {
    "beneficiaries": ("beneficial owners", "create them"),
    "limits": ("limits", "set them"),
    "documents": ("documents", "upload them"),
}


def not_used(step: str, *, updates: bool = False) -> str:
    """Say that the columns of a step after the create are not used, since it is off.

    Args:
        updates: customers are updated, and none is created.
    """
    what, to_do = _OF_STEPS.get(step, (step, "send them"))
    if updates:
        return f"The columns of {what} are not used: an update leaves them as they are."
    return f"The columns of {what} are not used: set after_create.{step} = true to {to_do} after the create."


def without_steps(notes: Iterable[Detected], off: Collection[str]) -> Iterator[Detected]:
    """Say of columns that were matched for some steps that they are not used; assumptions about their fields go."""
    for note in notes:
        column, _, field = note.value.rpartition(" → ")
        if note.what == "mapped" and field.partition(".")[0] in off:
            yield replace(note, what="unmapped", value=column, note="the step that would send it is off")
        elif note.what != "assumed" or note.value.partition(".")[0] not in off:
            yield note


def matched(matches: Sequence[ColumnMatch]) -> Iterator[Detected]:
    """Say which column was matched with which field, and which with none."""
    for match in matches:
        what = "mapped" if match.field else "unmapped"
        yield Detected(what, f"{match.column} → {match.field}" if match.field else match.column, match.score, match.why)


def unused(rules: Mapping[str, FieldRule], columns: Sequence[str]) -> Iterator[Detected]:
    """Name the columns that no rule uses."""
    used = {find(column, columns) for rule in rules.values() for column in named_by(rule)}
    for index, column in enumerate(columns):
        if index not in used:
            yield Detected("unmapped", _label(column, index), 1.0, "the profile does not use it")


def _label(column: str, index: int) -> str:
    return f"column {index + 1}, whose name looks like data" if is_data(column) else column
