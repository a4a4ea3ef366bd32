"""Rules between the fields of an object of the API, as pydantic's validators of the object's type.

Addresses have a second thought in them: one whose parts are all plainly clean as those of its country are needs no
reader at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import (
    CoreSchema,
    InitErrorDetails,
    PydanticCustomError,
    PydanticKnownError,
    PydanticOmit,
    core_schema,
)

from importer.core.contract import Policy
from importer.customers.amounts import currency_in
from importer.customers.patterns import clean_postal, clean_words
from importer.customers.places import state_codes
from importer.customers.reads import Info, Read, careful_reader, problem, refused
from importer.customers.rules import FIELDS, metadata_spec
from importer.customers.specs import MAX_METADATA_PAIRS, METADATA_KEY, STATE_REQUIRED_IN, USUAL_CURRENCY

_ANY_STATE = "registeredStateCode"


def one_primary_each(addresses: list[Any]) -> list[Any]:
    """Refuse addresses of which a type has no primary one, or several."""
    if len(addresses) != 1 or not addresses[0]["primary"]:
        for kind in {one["type"] for one in addresses}:
            if sum(one["primary"] for one in addresses if one["type"] == kind) != 1:
                raise problem("addresses_primary")
    return addresses


def one_primary_contact(contacts: list[Any]) -> list[Any]:
    """Refuse contacts of whom none is the primary one, or several are."""
    if sum(one["primary"] for one in contacts) != 1:
        raise problem("contacts_primary")
    return contacts


def few_short_pairs(pairs: Any, info: Info) -> dict[str, str]:
    """Read every value of metadata; one place is left for the pair that is added later."""
    if not isinstance(pairs, dict):
        raise PydanticKnownError("dict_type")
    found: dict[str, str] = {}
    errors: list[InitErrorDetails] = []
    for key, text in pairs.items():
        try:
            found[key] = _metadata_value(str(key), text, info)
        except PydanticOmit:
            continue
        except PydanticCustomError as error:
            errors.append(InitErrorDetails(type=error.with_traceback(None), loc=(key,), input=""))
    if len(found) > MAX_METADATA_PAIRS - (info.context is not None and info.context.stamped):
        too_many = refused("metadata_too_many", metadata_spec(list(pairs)[-1]), info.context)
        errors.append(InitErrorDetails(type=too_many, input=""))
    if errors:
        raise ValidationError.from_exception_data("metadata", errors)
    return unless_empty(found)


def unless_empty(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out an object whose texts were all blank."""
    if not found:
        raise PydanticOmit
    return found


def without_blanks(customer: dict[str, Any]) -> dict[str, Any]:
    """Leave out objects of a part of a customer that say nothing."""
    found = ((name, _named(value)) for name, value in customer.items())
    return {name: value for name, value in found if value}


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [one for part in value if not (one := _named(part)).keys() <= _SAY_WHICH]
    return without_blanks(value) if isinstance(value, dict) else value


_SAY_WHICH = frozenset({"type", "primary"})
"""What of an address or contact says nothing but which one it is."""


def in_one_currency(limits: Any) -> Any:
    """Take the currency of limits from their amounts, where it is not given beside them."""
    if not isinstance(limits, dict) or str(limits.get("currency") or "").strip():
        return limits
    named = (currency_in(text) for text in limits.values() if isinstance(text, str))
    code = next(filter(None, named), "")
    return {**limits, "currency": code} if code else limits


def with_currency(limits: dict[str, Any]) -> dict[str, Any]:
    """Give limits their currency, where nothing says it."""
    if limits.keys() <= {"currency"}:
        return {}
    return limits if "currency" in limits else {"currency": USUAL_CURRENCY, **limits}


def controls(owner: dict[str, Any]) -> dict[str, Any]:
    """Write whether an owner controls the business as the API has it."""
    return {**owner, "controller": owner["controller"] == "true"} if "controller" in owner else owner


class Later:
    """What few rows have: its type is made when the first of them comes.

    Args:
        make: makes the type of an object; an empty one is left out.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @cached_property
    def adapter(self) -> TypeAdapter[dict[str, Any]]:
        """What reads it."""
        return TypeAdapter(self._make())

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        described = {"pydantic_js_functions": [lambda _, describe: describe(self.adapter.core_schema)]}
        return core_schema.with_info_plain_validator_function(self._read, metadata=described)

    def _read(self, value: Any, info: Info) -> dict[str, Any]:
        return unless_empty(self.adapter.validator.validate_python(value, context=info.context))


def _metadata_value(key: str, text: Any, info: Info) -> str:
    if METADATA_KEY.fullmatch(key) is None:
        raise problem("metadata_key_invalid")
    return _metadata_reader(key)(text, info)


@lru_cache(64)
def _metadata_reader(key: str) -> Read:
    return careful_reader(metadata_spec(key), Policy())


class AnyAddress:
    """An address of any type: plainly clean as those of its country are, or read with care.

    Args:
        kinds: the API's word for a type of address to what such an address is.
    """

    def __init__(self, kinds: Mapping[str, Any]) -> None:
        self._kinds = kinds

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {word: self._either(handler.generate_schema(kind), handler) for word, kind in self._kinds.items()}
        return core_schema.tagged_union_schema(choices, discriminator="type")

    def _either(self, careful: CoreSchema, handler: GetCoreSchemaHandler) -> CoreSchema:
        fields = handler.resolve_ref_schema(careful)["fields"]
        here = {country: _clean_address(fields, country, handler) for country in STATE_REQUIRED_IN}
        known = core_schema.tagged_union_schema(here, discriminator="countryCode")
        nowhere = _clean_address(fields, "", handler)
        described = {"pydantic_js_functions": [lambda _, describe: describe(careful)]}
        return core_schema.union_schema([known, nowhere, careful], mode="left_to_right", metadata=described)


def _clean_address(fields: Mapping[str, Any], country: str, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Make the type of addresses of a country, or of none, that need no reader."""
    states = [code for one in (country,) if one for code in state_codes(one)] or clean_words(FIELDS[_ANY_STATE])
    settled: dict[str, tuple[CoreSchema, bool]] = {
        "primary": (core_schema.literal_schema([True]), True),
        "countryCode": (core_schema.literal_schema([country]) if country else core_schema.none_schema(), bool(country)),
        "stateCode": (core_schema.literal_schema(list(states)), bool(country)),
        "zipCode": (core_schema.str_schema(pattern=clean_postal(country), max_length=10), True),
    }
    made = {
        key: settled[key] if key in settled else (_clean(field["schema"], handler), field["required"])
        for key, field in fields.items()
    }
    return core_schema.typed_dict_schema(
        {key: core_schema.typed_dict_field(schema, required=required) for key, (schema, required) in made.items()}
    )


def _clean(schema: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Take from a type what needs no reader."""
    schema = handler.resolve_ref_schema(schema)
    match schema["type"]:
        case "union":
            return cast("CoreSchema", schema["choices"][0])
        case "typed-dict":
            fields = {
                key: core_schema.typed_dict_field(_clean(field["schema"], handler), required=field["required"])
                for key, field in schema["fields"].items()
            }
            return core_schema.typed_dict_schema(fields)
        case _:
            return cast("CoreSchema", schema)
