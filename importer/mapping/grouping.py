"""`group_by` of a profile becomes places in one source: customer fields that are mapped, or columns. Names only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from importer.core.errors import MissingColumnError, ProfileError
from importer.core.labels import quotable
from importer.core.sources import Grouping
from importer.customers.rules import FIELDS, CustomerType, is_known_field
from importer.mapping.content import folded, known_words
from importer.mapping.headers import find
from importer.profile.nearest import did_you_mean
from importer.profile.settings import FieldRule, GroupingSettings

_NAME = "businessName"


def grouping_of(settings: GroupingSettings, rules: Mapping[str, FieldRule], columns: Sequence[str]) -> Grouping | None:
    """Find what rows are grouped by.

    Args:
        rules: the rule of every mapped field.
        columns: the source's.

    Returns:
        None: rows are not grouped.

    Raises:
        MissingColumnError: it is no column of the source, and no field.
        ProfileError: it is a field that is not mapped, or belongs to a contact; or the rows can be no businesses.
    """
    if not settings.group_by:
        return None
    _require_businesses(rules)
    fields = tuple(name for name in settings.group_by if name in rules)
    indices = tuple(_index(name, columns) for name in settings.group_by if name not in rules)
    for name in fields:
        if name.startswith("contacts.") or name == "type":
            raise ProfileError(
                f"[mapping] group_by names {name}, which does not tell businesses apart.",
                'Name a field or a column that all rows of a business share, such as "businessName".',
            )
    main = _index(settings.group_primary, columns, "group_primary") if settings.group_primary else None
    return Grouping(fields, indices, main, "" if main is None else columns[main])


def _require_businesses(rules: Mapping[str, FieldRule]) -> None:
    constant = rules["type"].value if "type" in rules else None
    kind = None if constant is None else known_words(FIELDS["type"]).get(folded(constant))
    if _NAME in rules and (constant is None or kind == CustomerType.BUSINESS):
        return
    raise ProfileError(
        "[mapping] group_by makes one business of several rows, and the rows of this source are no businesses.",
        'Take it out, or map "businessName" and "type" = { value = "BUSINESS" }.',
    )


def _index(name: str, columns: Sequence[str], key: str = "group_by") -> int:
    found = find(name, columns)
    if found is not None:
        return found
    if key == "group_by" and is_known_field(name):
        raise ProfileError(
            f"[mapping] group_by names {name}, which is not mapped.", "Map it, or name a column of the source."
        )
    raise MissingColumnError(
        f"[mapping] {key} names a column '{name}', which the source does not have"
        f"{did_you_mean(name, quotable(columns))}"
    )
