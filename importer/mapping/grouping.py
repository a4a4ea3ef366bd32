"""`group_by` of a profile becomes places in one source: customer fields that are mapped, or columns. Names only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from importer.core.contract import Contract, Groups
from importer.core.errors import MissingColumnError, ProfileError
from importer.core.labels import did_you_mean, quotable
from importer.core.sources import Grouping
from importer.mapping.content import folded, known_words
from importer.mapping.headers import find
from importer.profile.mapping_rules import FieldRule, GroupingSettings


def grouping_of(
    contract: Contract, settings: GroupingSettings, rules: Mapping[str, FieldRule], columns: Sequence[str]
) -> Grouping | None:
    """Find what rows are grouped by.

    Args:
        rules: the rule of every mapped field.
        columns: the source's.

    Returns:
        None: rows are not grouped.

    Raises:
        MissingColumnError: it is neither a column of the source nor a field.
        ProfileError: it is a field that is not mapped, or belongs to a contact; or the rows cannot be businesses.
    """
    if not settings.group_by:
        return None
    groups = contract.identity.groups
    if groups is None:
        raise ProfileError(
            "[mapping] group_by makes one record of several rows, and this kind of target has no such records.",
            "Take it out.",
        )
    _require_groups(contract, groups, rules)
    fields = tuple(name for name in settings.group_by if name in rules)
    indices = tuple(_index(contract, name, columns) for name in settings.group_by if name not in rules)
    for name in fields:
        if not groups.distinguishes(name):
            raise ProfileError(
                f"[mapping] group_by names {name}, which does not identify a {groups.record_type.lower()}.",
                f"Name a field or a column that all rows of a {groups.record_type.lower()} share, such as "
                f'"{groups.name_field}".',
            )
    main = _index(contract, settings.group_primary, columns, "group_primary") if settings.group_primary else None
    return Grouping(fields, indices, main, "" if main is None else columns[main])


def _require_groups(contract: Contract, groups: Groups, rules: Mapping[str, FieldRule]) -> None:
    name, wanted = contract.fields.type_field, groups.record_type
    constant = rules[name].value if name in rules else None
    kind = None if constant is None else known_words(contract.fields.sent[name]).get(folded(constant))
    if groups.name_field in rules and (constant is None or kind == wanted):
        return
    raise ProfileError(
        f"[mapping] group_by makes one {wanted.lower()} of several rows, and the rows of this source are not "
        f"{contract.fields.types[wanted]}.",
        f'Take it out, or map "{groups.name_field}" and "{name}" = {{ value = "{wanted}" }}.',
    )


def _index(contract: Contract, name: str, columns: Sequence[str], key: str = "group_by") -> int:
    found = find(name, columns)
    if found is not None:
        return found
    if key == "group_by" and contract.spec(name):
        raise ProfileError(
            f"[mapping] group_by names {name}, which is not mapped.", "Map it, or name a column of the source."
        )
    raise MissingColumnError(
        f"[mapping] {key} names a column '{name}', which the source does not have"
        f"{did_you_mean(name, quotable(columns))}"
    )
