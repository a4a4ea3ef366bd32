"""What every customer needs, and whether a source's columns can make one. Refuses those that never can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from importer.core.batches import RawBatch
from importer.core.contract import Contract, FieldTable
from importer.core.errors import ProfileError, SourceError
from importer.core.labels import is_data
from importer.core.sources import Detected, SourceInfo
from importer.mapping.content import folded, is_email, is_phone, known_words
from importer.mapping.proposal import proposal
from importer.profile.mapping_rules import FieldRule


def completed(
    mapping: Mapping[str, FieldRule], fields: FieldTable
) -> tuple[Mapping[str, FieldRule], tuple[Detected, ...]]:
    """Add the type where a profile leaves it out: it follows from the fields that are mapped."""
    name = fields.type_field
    if not name or name in mapping:
        return mapping, ()
    kind = fields.typical_type(mapping)
    note = Detected("assumed", f"{name} = {kind}", 0.5, "the profile does not say it, and its other fields do")
    return {name: FieldRule(value=kind), **mapping}, (note,)


def check_required(
    rules: Mapping[str, FieldRule], fields: FieldTable, error: type[ProfileError | SourceError], hint: str = ""
) -> None:
    """Refuse rules that leave out what every customer needs; the type that lacks least is spoken of."""
    names = missing_fields(rules, fields)
    if not names:
        return
    whose = "The profile maps nothing to" if error is ProfileError else "No column was found for"
    example = fields.sent[names[0]].example
    raise error(
        f"{whose} what every customer needs: {', '.join(_labels(names, fields))}.",
        hint or f'Add it under [mapping], for example "{names[0]}" = {{ value = "{example}" }}, or name a column.',
    )


def _labels(names: Sequence[str], fields: FieldTable) -> list[str]:
    return [fields.label(name).lower() for name in names]


def _types(rules: Mapping[str, FieldRule], fields: FieldTable) -> Sequence[str]:
    constant = rules[fields.type_field].value if fields.type_field else None
    if constant is None:
        return tuple(fields.types)
    kind = known_words(fields.sent[fields.type_field]).get(folded(constant))
    return (kind,) if kind else ()


def missing_fields(rules: Mapping[str, FieldRule], fields: FieldTable) -> list[str]:
    """Name the required fields that have no rule, of the record type that lacks least; empty where one lacks none."""
    return min((_lacking(rules, fields, kind) for kind in _types(rules, fields)), key=len, default=[])


def _lacking(rules: Mapping[str, FieldRule], fields: FieldTable, kind: str) -> list[str]:
    return [spec.name for spec in fields.of(kind) if spec.required and spec.name not in rules]


def check_usable(contract: Contract, rules: Mapping[str, FieldRule], info: SourceInfo, looks: str = "") -> None:
    """Refuse columns that can never make a customer.

    Args:
        rules: what was proposed for the source.
        looks: a sentence that says how to look at the source.

    Raises:
        SourceError: the header is a customer, no column was recognised, or a required field has no column.
    """
    require_header(contract, info)
    hint = looks or "Write a profile with a [mapping] for it."
    if not any(rule.value is None for rule in rules.values()):
        raise SourceError(f"None of the columns of '{info.name}' could be recognised.", hint)
    check_required(rules, contract.fields, SourceError, hint)


def _knows_a_name(contract: Contract, info: SourceInfo) -> bool:
    return any(match.field for match in proposal(contract, info).matches)


def require_header(contract: Contract, info: SourceInfo) -> None:
    """Refuse a first row that is a customer and not a header.

    Raises:
        SourceError: it is.
    """
    cells = [column.strip() for column in info.columns]
    is_row = any(is_email(cell) or is_phone(cell) for cell in cells)
    if is_row or (any(map(is_data, cells)) and not _knows_a_name(contract, info)):
        raise SourceError(
            f"The first row of '{info.name}' looks like a customer, not like column names.",
            "Add a row with column names on top, or name its row: source.header_row.",
        )


def missing_columns(contract: Contract, info: SourceInfo, sample: RawBatch | None) -> list[str]:
    """Name what every customer needs and no column of a source is found for, for people."""
    return _labels(missing_fields(proposal(contract, info, sample).rules, contract.fields), contract.fields)
