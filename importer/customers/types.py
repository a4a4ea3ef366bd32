"""The declared types of a customer as pydantic validates them: every field either plainly clean, or read with care.

A field is the union "clean pattern | reader", taken left to right: pydantic decides in Rust what is plainly clean, and
only what is not costs a call of the field's reader, which normalises, warns into the `Notes` of the validation
context, or raises an error whose type is our issue code. Rules between fields belong to the types of their objects.
No error and no warning ever holds a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import GenericAlias, MappingProxyType
from typing import Annotated, Any, NamedTuple, NotRequired, cast, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue, SkipJsonSchema
from pydantic_core import (
    CoreSchema,
    InitErrorDetails,
    PydanticCustomError,
    PydanticKnownError,
    PydanticOmit,
    core_schema,
)
from typing_extensions import TypedDict  # that of Python 3.11 tells pydantic too little

from importer.customers.customer import Contact, Individual, Phone
from importer.customers.fields import read
from importer.customers.members import Member, members
from importer.customers.notes import Notes
from importer.customers.patterns import clean_pattern, clean_postal, clean_words, max_chars
from importer.customers.phones import read_extension
from importer.customers.places import alpha2, state_codes
from importer.customers.postal import is_po_box
from importer.customers.reading import Policy, Reading, Step
from importer.customers.rules import (
    FIELDS,
    MAX_METADATA_PAIRS,
    STATE_REQUIRED_IN,
    TYPES,
    field_spec,
    message,
    metadata_spec,
)
from importer.customers.specs import METADATA_KEY, CustomerType, FieldSpec, Kind, Place

REMEMBERED = 16_384
"""How many different texts of a field that is read with care are remembered."""
_FORMATS: Mapping[Kind, Mapping[str, Any]] = MappingProxyType(
    {
        Kind.PHONE: {"pattern": r"^\+[0-9]{7,15}$"},
        Kind.EMAIL: {"format": "email"},
        Kind.DATE: {"format": "date"},
        Kind.COUNTRY: {"pattern": "^[A-Z]{3}$"},
        Kind.STATE: {"pattern": "^[A-Z0-9]{2,3}$"},
        Kind.INDUSTRY: {"pattern": "^[0-9]{6}$"},
        Kind.EXTENSION: {"pattern": "^[0-9]{1,10}$"},
    }
)


_ANY_STATE = "registeredStateCode"
_SSN_DIGITS = 9
_SIGNS_OF_NUMBERS = "0123456789+() .-/"


def trouble(code: str, spec: FieldSpec | None = None, countries: tuple[str, ...] = ()) -> PydanticCustomError:
    """Make pydantic's error for an issue code: its type is the code, its context names the field, never a value."""
    context = {"field": spec.name if spec else "", "countries": countries}
    # The types ask for literals, so that templates are not made from data; ours are made from the table of fields.
    return PydanticCustomError(cast("Any", code), cast("Any", message(code, spec, countries)), context)


# --------------------------------------------------------------------------- one field


class _MayHaveExtension(str):
    """A phone number with more in it than digits and what separates them; its reader leaves the extension here."""

    __slots__ = ("behind",)
    behind: str


class _Extension(str):
    """Stands in the field of the extension beside such a number; by itself it is blank."""

    __slots__ = ("given", "number")
    given: str
    number: _MayHaveExtension


class Reads:
    """Marks a `str` as a customer field: "clean pattern | reader".

    Args:
        spec: the field, where it stands.
    """

    def __init__(self, spec: FieldSpec, policy: Policy) -> None:
        self.spec, self._policy = spec, policy
        self._remembered = lru_cache(REMEMBERED)(self._reading)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take what is plainly clean as it stands, and read everything else."""
        careful = core_schema.with_info_plain_validator_function(self.read)
        clean = self._clean()
        found = careful if clean is None else core_schema.union_schema([clean, careful], mode="left_to_right")
        if self.spec.kind is Kind.STATE and self.spec.country:  # none at all may be an error
            return core_schema.with_default_schema(found, default="", validate_default=True)
        return found

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the normalised text."""
        described: JsonSchemaValue = {"type": "string", "title": self.spec.label, "minLength": 1}
        described["examples"] = [self.spec.example]
        if self.spec.max_length:
            described["maxLength"] = self.spec.max_length
        if self.spec.values:
            described["enum"] = list(self.spec.values)
        return {**described, **_FORMATS.get(self.spec.kind, {})}

    def _clean(self) -> CoreSchema | None:
        if words := clean_words(self.spec):
            return core_schema.literal_schema(list(words))
        pattern = clean_pattern(self.spec, self._policy.today)
        return core_schema.str_schema(pattern=pattern, max_length=max_chars(self.spec)) if pattern else None

    def _reading(self, text: str, place: str) -> Reading:
        return read(self.spec, text, self._policy, place)

    def read(self, text: Any, info: ValidationInfo[Any]) -> str:
        """Read a text with care.

        Raises:
            PydanticCustomError: it is refused; the error's type is our issue code.
            PydanticOmit: it is blank, and may be.
        """
        spec, notes = self.spec, info.context
        if text.__class__ is _Extension:
            text = _extension(text, spec, notes)
        elif not isinstance(text, str):
            raise PydanticKnownError("string_type")
        value, steps, code, warnings, extension, countries = self._remembered(text, _place(spec, text, info))
        if steps and notes is not None and spec.name in notes.no_change:
            code = "change_forbidden"
        if code:
            raise _refused(code, spec, countries, notes)
        if isinstance(text, _MayHaveExtension):
            text.behind = extension
        if notes is not None:
            notes.take(spec, value, steps, warnings, countries)
        if code := _unfit(spec, value, info) if value else _blank(spec, info):
            raise _refused(code, spec, (), notes)
        return value


def _refused(code: str, spec: FieldSpec, countries: tuple[str, ...], notes: Notes | None) -> PydanticCustomError:
    """Note an error, and make pydantic's of it."""
    if code == "social_id_country_missing":
        spec = FIELDS["socialIdCountryCode"]
    if notes is not None:
        notes.fail(code, spec.name, countries)
    return _trouble_with(spec.name, code, countries).with_traceback(None)


@lru_cache(1_024)
def _trouble_with(name: str, code: str, countries: tuple[str, ...]) -> PydanticCustomError:
    return trouble(code, field_spec(name), countries)


def _place(spec: FieldSpec, text: str, info: ValidationInfo[Any]) -> str:
    """Say where a text belongs, as `read` takes it, from what stands before it in its object and in its row."""
    if spec.kind is Kind.PHONE:
        if text[:1] == "+":
            return ""
        if region := info.data.get("region"):
            return alpha2(region)
        return info.data.get("country") or (info.context.own_country() if info.context else "")
    return info.data.get(spec.country, "") if spec.country else ""


def _blank(spec: FieldSpec, info: ValidationInfo[Any]) -> str:
    """Say what is wrong with a blank text.

    Raises:
        PydanticOmit: nothing is, and the field is left out.
    """
    notes = info.context
    if notes is None or not notes.failed_before(spec.name):
        if spec.needed:
            return "required_missing"
        if spec.kind is Kind.STATE and info.data.get(spec.country) in STATE_REQUIRED_IN:
            return "state_required"
        if notes is not None and spec.kind is Kind.COUNTRY and spec.name.startswith("addresses."):
            notes.warn("country_missing", spec)
    raise PydanticOmit


def _unfit(spec: FieldSpec, value: str, info: ValidationInfo[Any]) -> str:
    """Say what is wrong with a text that is fine by itself."""
    if not spec.po_boxes and is_po_box(value):
        return "po_box_physical"
    if spec.name == "socialId":
        return _social_id(spec, value, info)
    return ""


def _social_id(spec: FieldSpec, value: str, info: ValidationInfo[Any]) -> str:
    """A national id needs its country, and a U.S. one has nine digits."""
    country, notes = info.data.get(spec.country), info.context
    if country is None and (notes is None or not notes.failed_before(spec.country)):
        return "social_id_country_missing"
    if country == "USA" and sum(map(str.isdigit, value)) != _SSN_DIGITS and notes is not None:
        notes.warn("social_id_unusual", spec)
    return ""


# --------------------------------------------------------------------------- rules of objects


def _split(phone: Any) -> Any:
    """Let an extension behind the number move to its own place."""
    try:
        number = phone["number"]
        if not number.strip(_SIGNS_OF_NUMBERS):
            return phone
    except (TypeError, KeyError, AttributeError):
        return phone
    whole, extension = _MayHaveExtension(number), _Extension()
    whole.behind, extension.number, extension.given = "", whole, phone.get("extension", "")
    return {**phone, "number": whole, "extension": extension}


def _extension(given: _Extension, spec: FieldSpec, notes: Notes | None) -> str:
    """Choose between the extension behind the number and the one in its own field."""
    behind, reading = given.number.behind, read_extension(given.given)
    if not behind or reading.error:
        return given.given
    if reading.value and reading.value != behind:
        raise _refused("extension_conflict", spec, (), notes)
    if not reading.value and notes is not None:
        notes.change(spec, Step("phone_extension_split", "", behind))
    return behind


def _one_primary_each(addresses: list[Any]) -> list[Any]:
    if len(addresses) != 1 or not addresses[0]["primary"]:
        for kind in {one["type"] for one in addresses}:
            if sum(one["primary"] for one in addresses if one["type"] == kind) != 1:
                raise trouble("addresses_primary")
    return addresses


def _one_primary_contact(contacts: list[Any]) -> list[Any]:
    if sum(one["primary"] for one in contacts) != 1:
        raise trouble("contacts_primary")
    return contacts


def _few_short_pairs(pairs: Any, info: ValidationInfo[Any]) -> dict[str, str]:
    """Read every value of metadata; the pair that is added later has its room."""
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
            errors.append(InitErrorDetails(type=error, loc=(key,), input=""))
    if len(found) > MAX_METADATA_PAIRS - (info.context is not None and info.context.stamped):
        too_many = _refused("metadata_too_many", metadata_spec(list(pairs)[-1]), (), info.context)
        errors.append(InitErrorDetails(type=too_many, input=""))
    if errors:
        raise ValidationError.from_exception_data("metadata", errors)
    return found


def _metadata_value(key: str, text: Any, info: ValidationInfo[Any]) -> str:
    if METADATA_KEY.fullmatch(key) is None:
        raise trouble("metadata_key_invalid")
    return _metadata_reader(key).read(text, info)


@lru_cache(64)
def _metadata_reader(key: str) -> Reads:
    return Reads(metadata_spec(key), Policy())


class _AnyAddress:
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


# --------------------------------------------------------------------------- whole customers

_OF_LISTS: Mapping[str, Any] = MappingProxyType(
    {"addresses": AfterValidator(_one_primary_each), "contacts": AfterValidator(_one_primary_contact)}
)


def customer_type(kind: CustomerType | None, policy: Policy) -> Any:
    """Make the type of a customer, as it is validated under a policy.

    Args:
        kind: None for what may be of either type: nothing but `type` is required.
    """
    if kind is not None:
        return _typed_dict(TYPES[kind].__name__, TYPES[kind], members(TYPES[kind], Place()), policy)
    either = {one.key: one for declared in TYPES.values() for one in members(declared, Place())}
    loose = (one._replace(required=False, hint=str if one.spec else one.hint) for one in either.values())
    return _typed_dict("Customer", Individual, loose, policy)


@lru_cache(8)
def customer_adapter(kind: CustomerType | None, policy: Policy) -> TypeAdapter[dict[str, Any]]:
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
        return Annotated[dict[str, str], PlainValidator(_few_short_pairs), WithJsonSchema(described)]
    if not part.objects:
        return part.hint
    objects = [_typed_dict(_name(one, place), one, members(one, place), policy) for one, place in part.objects]
    if part.key == "addresses":
        words = [get_args(get_type_hints(one)["type"])[0] for one, _ in part.objects]
        return Annotated[list[Annotated[Any, _AnyAddress(dict(zip(words, objects, strict=True)))]], _OF_LISTS[part.key]]
    if part.key in _OF_LISTS:
        return Annotated[GenericAlias(list, objects[0]), _OF_LISTS[part.key]]
    return Annotated[objects[0], BeforeValidator(_split)] if part.objects[0][0] is Phone else objects[0]


def _name(declared: type, place: Place) -> str:
    """What an object is called in the JSON Schema."""
    in_contact = place.whose == "contact's " and declared is not Contact
    return f"Contact{declared.__name__}" if in_contact else declared.__name__


def json_schema() -> dict[str, Any]:
    """Describe both types of customer as one JSON Schema (draft 2020-12)."""
    individual, business = (customer_type(kind, Policy()) for kind in CustomerType)
    either: Any = Annotated[individual | business, Field(discriminator="type")]
    schema = TypeAdapter(either).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Customer", **schema}


class Problem(NamedTuple):
    """One thing that is wrong with a customer: an issue code, the field's dotted name, and names of two countries."""

    code: str
    field: str
    countries: tuple[str, ...]


def problems(error: ValidationError) -> list[Problem]:
    """List what readers and rules refused; that a text is not plainly clean, too, is not worth a word."""
    lines = error.errors(include_url=False, include_input=False)
    return [
        Problem(line["type"], line["ctx"]["field"], line["ctx"]["countries"])
        for line in lines
        if "ctx" in line and "countries" in line["ctx"]
    ]
