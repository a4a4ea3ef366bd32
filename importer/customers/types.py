"""The declared types of a customer as pydantic validates them under a policy, and the JSON Schema of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from importer.customers.objects import (
    AnyAddress,
    Later,
    controls,
    few_short_pairs,
    in_one_currency,
    one_primary_contact,
    one_primary_each,
    unless_empty,
    with_currency,
    without_blanks,
)
from importer.customers.reads import Reads, split_extension
from importer.customers.rules import TYPES
from importer.customers.specs import MAX_METADATA_PAIRS, STEPS, CustomerField, CustomerType, Place
from importer.customers.step_objects import Limits, Owner

_OF_LISTS: Mapping[str, Any] = MappingProxyType(
    {"addresses": AfterValidator(one_primary_each), "contacts": AfterValidator(one_primary_contact)}
)


def customer_type(kind: str | None, policy: Policy) -> Any:
    """Make the type of a customer, as it is validated under a policy.

    Args:
        kind: None for what may be of either type: nothing but `type` is required. Parts of customers always may be,
            and of them nothing is.
    """
    if policy.partial:
        kind = None
    if kind is not None:
        declared = TYPES[CustomerType(kind)]
        return _typed_dict(declared.__name__, declared, members(declared, Place()), policy)
    either = {one.key: one for declared in TYPES.values() for one in members(declared, Place())}
    loose = (one._replace(required=False, hint=str if one.spec else one.hint) for one in either.values())
    made = _typed_dict("Customer", Individual, loose, policy)
    return Annotated[made, AfterValidator(without_blanks)] if policy.partial else made


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
    return found if part.required and not policy.partial else NotRequired[found]


def _text(spec: CustomerField, policy: Policy) -> Any:
    marked = Annotated[str, Reads(spec, policy)]
    return marked if spec.sent else Annotated[SkipJsonSchema[marked], Field(exclude=True)]


def _type_of(part: Member, policy: Policy) -> Any:
    if part.spec is not None and part.hint is str:
        return _text(part.spec, policy)
    if part.key == "metadata":
        described = {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": MAX_METADATA_PAIRS}
        return Annotated[dict[str, str], PlainValidator(few_short_pairs), WithJsonSchema(described)]
    if not part.objects:
        return part.hint
    if part.key in STEPS:
        return Annotated[Any, Later(lambda: _with_rules(part, _object(*part.objects[0], policy)))]
    objects = [_object(one, place, policy) for one, place in part.objects]
    return _list_of(part, objects) if part.key in _OF_LISTS else _with_rules(part, objects[0])


def _list_of(part: Member, objects: Sequence[Any]) -> Any:
    item = objects[0]
    if part.key == "addresses":
        words = [get_args(get_type_hints(one)["type"])[0] for one, _ in part.objects]
        item = Annotated[Any, AnyAddress(dict(zip(words, objects, strict=True)))]
    return Annotated[GenericAlias(list, item), _OF_LISTS[part.key]]


def _object(declared: type, place: Place, policy: Policy) -> Any:
    return _typed_dict(_name(declared, place), declared, members(declared, place), policy)


def _with_rules(part: Member, made: Any) -> Any:
    """Add the rules of an object that is alone."""
    declared = part.objects[0][0]
    if declared is Phone:
        return Annotated[made, BeforeValidator(split_extension)]
    if declared is Limits:
        return Annotated[made, BeforeValidator(in_one_currency), AfterValidator(with_currency)]
    if declared is Owner:
        return Annotated[made, AfterValidator(controls)]
    return made if part.required or part.key in STEPS else Annotated[made, AfterValidator(unless_empty)]


def _name(declared: type, place: Place) -> str:
    """What an object is called in the JSON Schema."""
    member, _, inside = place.prefix.rstrip(".").partition(".")
    if inside and member == "beneficiaries":
        return f"Owner{inside[0]}{'' if declared is Owner else declared.__name__}"
    if inside and member == "documents":
        return f"{inside[0].upper()}{inside[1:]}Document"
    in_contact = place.owner == "contact's " and declared is not Contact
    return f"Contact{declared.__name__}" if in_contact else declared.__name__


def json_schema() -> dict[str, Any]:
    """Describe both types of customer as one JSON Schema (draft 2020-12)."""
    individual, business = (customer_type(kind, Policy()) for kind in CustomerType)
    either: Any = Annotated[individual | business, Field(discriminator="type")]
    schema = TypeAdapter(either).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Customer", **schema}
