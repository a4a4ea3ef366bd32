"""The declared types of a customer as pydantic validates them under a policy, and the JSON Schema of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import GenericAlias, MappingProxyType
from typing import Annotated, Any, NotRequired, cast, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    WithJsonSchema,
)
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict  # that of Python 3.11 gives pydantic too little

from importer.core.contract import Policy
from importer.customers.customer import Contact, Individual, Phone
from importer.customers.members import Member, members
from importer.customers.objects import AnyAddress, few_short_pairs, one_primary_contact, one_primary_each, unless_empty
from importer.customers.reads import Reads, split_extension
from importer.customers.rules import TYPES
from importer.customers.specs import MAX_METADATA_PAIRS, CustomerType, Place

_OF_LISTS: Mapping[str, Any] = MappingProxyType(
    {"addresses": AfterValidator(one_primary_each), "contacts": AfterValidator(one_primary_contact)}
)


def customer_type(kind: str | None, policy: Policy) -> Any:
    """Make the type of a customer, as it is validated under a policy.

    Args:
        kind: None for what may be of either type: nothing but `type` is required.
    """
    if kind is not None:
        declared = TYPES[CustomerType(kind)]
        return _typed_dict(declared.__name__, declared, members(declared, Place()), policy)
    either = {one.key: one for declared in TYPES.values() for one in members(declared, Place())}
    loose = (one._replace(required=False, hint=str if one.spec else one.hint) for one in either.values())
    return _typed_dict("Customer", Individual, loose, policy)


@lru_cache(8)
def customer_adapter(kind: str | None, policy: Policy) -> TypeAdapter[dict[str, Any]]:
    """Make what validates customers of one type under a policy; its context is the `Notes` of their rows."""
    return TypeAdapter(customer_type(kind, policy))


def _typed_dict(name: str, declared: type, parts: Iterable[Member], policy: Policy) -> Any:
    fields = {part.key: _hint(part, policy) for part in parts}
    made = cast("Any", TypedDict)(name, fields)
    made.__doc__ = declared.__doc__
    made.__pydantic_config__ = ConfigDict(extra="forbid")
    return made


def _hint(part: Member, policy: Policy) -> Any:
    found = _type_of(part, policy)
    return found if part.required else NotRequired[found]


def _type_of(part: Member, policy: Policy) -> Any:
    if part.spec is not None and part.hint is str:
        marked = Annotated[str, Reads(part.spec, policy)]
        return marked if part.spec.sent else Annotated[SkipJsonSchema[marked], Field(exclude=True)]
    if part.key == "metadata":
        described = {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": MAX_METADATA_PAIRS}
        return Annotated[dict[str, str], PlainValidator(few_short_pairs), WithJsonSchema(described)]
    if not part.objects:
        return part.hint
    objects = [_typed_dict(_name(one, place), one, members(one, place), policy) for one, place in part.objects]
    if part.key == "addresses":
        words = [get_args(get_type_hints(one)["type"])[0] for one, _ in part.objects]
        return Annotated[list[Annotated[Any, AnyAddress(dict(zip(words, objects, strict=True)))]], _OF_LISTS[part.key]]
    if part.key in _OF_LISTS:
        return Annotated[GenericAlias(list, objects[0]), _OF_LISTS[part.key]]
    return _with_rules(part, objects[0])


def _with_rules(part: Member, made: Any) -> Any:
    """Add the rules of an object that is alone."""
    if part.objects[0][0] is Phone:
        return Annotated[made, BeforeValidator(split_extension)]
    return made if part.required else Annotated[made, AfterValidator(unless_empty)]


def _name(declared: type, place: Place) -> str:
    """What an object is called in the JSON Schema."""
    in_contact = place.owner == "contact's " and declared is not Contact
    return f"Contact{declared.__name__}" if in_contact else declared.__name__


def json_schema() -> dict[str, Any]:
    """Describe both types of customer as one JSON Schema (draft 2020-12)."""
    individual, business = (customer_type(kind, Policy()) for kind in CustomerType)
    either: Any = Annotated[individual | business, Field(discriminator="type")]
    schema = TypeAdapter(either).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Customer", **schema}
