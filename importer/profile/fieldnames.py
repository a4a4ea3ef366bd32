"""Names of customer fields as they stand in `[mapping]`: known or not, and quotes that were forgotten. Names only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from importer.customers.rules import FIELDS, READING_FIELDS, is_known_field
from importer.profile.nearest import did_you_mean
from importer.profile.transform import TRANSFORM


def _checked(name: str) -> str:
    if is_known_field(name):
        return name
    if name.startswith("metadata."):
        why = ": after 'metadata.' come 1 to 40 letters, digits, '_', '.' or '-'."
        raise PydanticCustomError("unknown_field", "unknown field", {"name": name, "close": why})
    raise PydanticCustomError("unknown_field", "unknown field", {"name": name, "close": _near(name)})


def _near(name: str) -> str:
    return did_you_mean(name, [*FIELDS, *READING_FIELDS])


CustomerField = Annotated[str, AfterValidator(_checked)]


GROUPING = ("group_by", "group_primary")
"""Keys of `[mapping]` that are not customer fields: which rows are one customer."""


def apart_from_fields(data: Any) -> Any:
    """Take out of `[mapping]` what names no field: which rows are one customer, and the user's own function.

    In the schema they have sections of their own.
    """
    mapping = data.get("mapping") if isinstance(data, Mapping) else None
    if not isinstance(mapping, Mapping) or mapping.keys().isdisjoint({*GROUPING, TRANSFORM}):
        return data
    rules = {name: rule for name, rule in mapping.items() if name not in {*GROUPING, TRANSFORM}}
    grouping = {name: mapping[name] for name in GROUPING if name in mapping}
    own = {TRANSFORM: mapping[TRANSFORM]} if TRANSFORM in mapping else {}
    return {**data, "mapping": rules, **({"grouping": grouping} if grouping else {}), **own}


def quotes_forgotten(mapping: Any) -> Any:
    """Read `primaryEmail.value = "Email"`, which TOML nests, as if its key stood in quotes."""
    return dict(_flat(mapping)) if isinstance(mapping, Mapping) else mapping


def _flat(table: Mapping[Any, Any], under: str = "") -> Iterator[tuple[Any, Any]]:
    for key, value in table.items():
        name = f"{under}{key}" if under else key
        if isinstance(value, Mapping) and _opens_fields(name):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _opens_fields(name: Any) -> bool:
    inside = f"{name}."
    return name not in FIELDS and (inside == "metadata." or any(known.startswith(inside) for known in FIELDS))
