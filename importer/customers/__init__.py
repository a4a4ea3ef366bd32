"""What a customer is: the types of the API's objects, the readers of their fields, and identity.

Importing this room is cheap; pydantic's types and their libraries load when they are first asked for.
Nothing here opens, sends or remembers anything.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importer.customers.customer import Business, Individual
    from importer.customers.identity import compare, import_key
    from importer.customers.reading import Policy
    from importer.customers.rules import FIELDS, ISSUE_CODES, is_known_field
    from importer.customers.types import json_schema

__all__ = [
    "FIELDS",
    "ISSUE_CODES",
    "Business",
    "Individual",
    "Policy",
    "compare",
    "import_key",
    "is_known_field",
    "json_schema",
]

_HOMES = MappingProxyType(
    {
        **dict.fromkeys(("Business", "Individual"), "customer"),
        **dict.fromkeys(("FIELDS", "ISSUE_CODES", "is_known_field"), "rules"),
        **dict.fromkeys(("compare", "import_key"), "identity"),
        "Policy": "reading",
        "json_schema": "types",
    }
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"importer.customers.{_HOMES[name]}"), name)
