"""Names of fields as they are in `[mapping]`: known or not, and quotes that were forgotten. Names only.

The contract of the chosen target's kind declares the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from importer.core.labels import did_you_mean
from importer.profile.transform import TRANSFORM

if TYPE_CHECKING:
    from importer.core.contract import FieldTable

Named = tuple[tuple[str | int, ...], str]
"""Where a field is named, and its name."""


def check_names(named: list[Named], fields: FieldTable) -> None:
    """Refuse names that are not fields of the contract.

    Raises:
        ValidationError: with the nearest right name for each.
    """
    unknown = [(place, name) for place, name in named if fields.spec(name) is None]
    errors = [InitErrorDetails(type=_unknown(name, fields), loc=place, input=name) for place, name in unknown]
    if errors:
        raise ValidationError.from_exception_data("mapping", errors)


def _unknown(name: str, fields: FieldTable) -> PydanticCustomError:
    close = did_you_mean(name, fields.names)
    if fields.free is not None and name.startswith(fields.free.prefix):
        close = f": {fields.free.rule}."
    return PydanticCustomError("unknown_field", "unknown field", {"name": name, "close": close})


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


def quotes_forgotten(mapping: Any, fields: FieldTable) -> Any:
    """Read `primaryEmail.value = "Email"`, which TOML nests, as if its key were in quotes."""
    return dict(_flat(mapping, fields)) if isinstance(mapping, Mapping) else mapping


def _flat(table: Mapping[Any, Any], fields: FieldTable, under: str = "") -> Iterator[tuple[Any, Any]]:
    for key, value in table.items():
        name = f"{under}{key}" if under else key
        if isinstance(value, Mapping) and _opens_fields(name, fields):
            yield from _flat(value, fields, f"{name}.")
        else:
            yield name, value


def _opens_fields(name: Any, fields: FieldTable) -> bool:
    inside = f"{name}."
    is_free = fields.free is not None and inside == fields.free.prefix
    return name not in fields.sent and (is_free or any(known.startswith(inside) for known in fields.sent))
