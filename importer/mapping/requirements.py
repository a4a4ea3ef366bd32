"""What every customer needs, and whether a source's columns can make one. Refuses those that never can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from importer.core.batches import RawBatch
from importer.core.errors import ProfileError, SourceError
from importer.core.labels import is_data
from importer.core.sources import Detected, SourceInfo
from importer.customers.rules import FIELDS, CustomerType, field_spec, fields_of
from importer.mapping.content import folded, is_email, is_phone, known_words
from importer.mapping.proposal import proposal
from importer.profile.settings import FieldRule

_TYPE_WORDS = known_words(FIELDS["type"])


def completed(mapping: Mapping[str, FieldRule]) -> tuple[Mapping[str, FieldRule], tuple[Detected, ...]]:
    """Add the type where a profile leaves it out: the fields it maps tell."""
    if "type" in mapping:
        return mapping, ()
    own = {spec.types for name in mapping if (spec := field_spec(name)) and len(spec.types) == 1}
    kind = CustomerType.BUSINESS if own == {(CustomerType.BUSINESS,)} else CustomerType.INDIVIDUAL
    note = Detected("assumed", f"type = {kind}", 0.5, "the profile does not say it, and its other fields do")
    return {"type": FieldRule(value=str(kind)), **mapping}, (note,)


def check_required(rules: Mapping[str, FieldRule], error: type[ProfileError | SourceError], hint: str = "") -> None:
    """Refuse rules that leave out what every customer needs; the type that lacks least is spoken of."""
    names = missing_fields(rules)
    if not names:
        return
    labels = ", ".join((field_spec(name) or FIELDS["type"]).label.lower() for name in names)
    whose = "The profile maps nothing to" if error is ProfileError else "No column was found for"
    example = FIELDS[names[0]].example
    raise error(
        f"{whose} what every customer needs: {labels}.",
        hint or f'Add it under [mapping], for example "{names[0]}" = {{ value = "{example}" }}, or name a column.',
    )


def _types(rules: Mapping[str, FieldRule]) -> Sequence[CustomerType]:
    constant = rules["type"].value
    if constant is None:
        return tuple(CustomerType)
    kind = _TYPE_WORDS.get(folded(constant))
    return (CustomerType(kind),) if kind else ()


def missing_fields(rules: Mapping[str, FieldRule]) -> list[str]:
    """Name the required fields that have no rule, of the customer type that lacks least; empty where one lacks none."""
    return min((_lacking(rules, kind) for kind in _types(rules)), key=len, default=[])


def _lacking(rules: Mapping[str, FieldRule], kind: CustomerType) -> list[str]:
    return [spec.name for spec in fields_of(kind) if spec.required and spec.name not in rules]


def check_usable(rules: Mapping[str, FieldRule], info: SourceInfo, looks: str = "") -> None:
    """Refuse columns that can never make a customer.

    Args:
        rules: what was proposed for the source.
        looks: a sentence that says how to look at the source.

    Raises:
        SourceError: the header is a customer, no column was recognised, or a required field has no column.
    """
    require_header(info)
    hint = looks or "Write a profile with a [mapping] for it."
    if not any(rule.value is None for rule in rules.values()):
        raise SourceError(f"None of the columns of '{info.name}' could be recognised.", hint)
    check_required(rules, SourceError, hint)


def _knows_a_name(info: SourceInfo) -> bool:
    return any(match.field for match in proposal(info).matches)


def require_header(info: SourceInfo) -> None:
    """Refuse a first row that is a customer and not a header.

    Raises:
        SourceError: it is.
    """
    cells = [column.strip() for column in info.columns]
    is_row = any(is_email(cell) or is_phone(cell) for cell in cells)
    if is_row or (any(map(is_data, cells)) and not _knows_a_name(info)):
        raise SourceError(
            f"The first row of '{info.name}' looks like a customer, not like column names.",
            "Add a row with column names on top, or name its row: source.header_row.",
        )


def missing_columns(info: SourceInfo, sample: RawBatch | None) -> list[str]:
    """Name what every customer needs and no column of a source is found for, for people."""
    return [(field_spec(name) or FIELDS["type"]).label.lower() for name in missing_fields(proposal(info, sample).rules)]
