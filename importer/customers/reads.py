"""One field as pydantic validates it: either plainly clean, or read with care.

It is the union "clean pattern | reader", taken left to right: pydantic decides in Rust what is plainly clean, and
only what is not costs a call of the field's reader, which normalises, warns into the `Notes` of the validation
context, or raises an error whose type is our issue code. No error and no warning ever holds a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, PydanticOmit, core_schema

from importer.core.contract import Kind, Normalisation, Policy
from importer.customers.fields import reader_of
from importer.customers.notes import CustomerNotes
from importer.customers.patterns import clean_pattern, clean_words, max_chars
from importer.customers.phones import read_extension
from importer.customers.places import alpha2
from importer.customers.postal import is_po_box
from importer.customers.rules import FIELDS, field_spec, message
from importer.customers.specs import STATE_REQUIRED_IN, CustomerField

Info = ValidationInfo[Any]
Read = Callable[[Any, Info], str]
REMEMBERED = 16_384
"""How many different texts of a field that is read with care are remembered."""
_MOSTLY_DIFFERENT = frozenset({Kind.PHONE, Kind.EMAIL, Kind.REFERENCE, Kind.METADATA})
"""Kinds whose texts are not worth remembering."""
_SSN_DIGITS = 9
_OF_THE_WHOLE = frozenset({"social_id_country_missing"})
"""What only a whole customer can lack: a part of one says nothing about the rest."""
_FORMATS: Mapping[Kind, Mapping[str, Any]] = MappingProxyType(
    {
        Kind.PHONE: {"pattern": r"^\+[0-9]{7,15}$"},
        Kind.EMAIL: {"format": "email"},
        Kind.DATE: {"format": "date"},
        Kind.COUNTRY: {"pattern": "^[A-Z]{3}$"},
        Kind.STATE: {"pattern": "^[A-Z0-9]{2,3}$"},
        Kind.INDUSTRY: {"pattern": "^[0-9]{6}$"},
        Kind.EXTENSION: {"pattern": "^[0-9]{1,10}$"},
        Kind.AMOUNT: {"pattern": r"^[0-9]{1,12}\.[0-9]{2}$"},
        Kind.CURRENCY: {"pattern": "^[A-Z]{3}$"},
        Kind.BOOLEAN: {"type": "boolean", "enum": [True, False], "examples": [True]},
        Kind.PERCENTAGE: {"pattern": r"^[0-9]{1,3}(\.[0-9]{1,6})?$"},
    }
)


def problem(code: str, name: str = "", countries: tuple[str, ...] = ()) -> PydanticCustomError:
    """Make pydantic's error for an issue code: its type is the code, its context names the field, never a value."""
    # The types ask for literals, so that templates are not made from data; ours are made from the table of fields.
    sentence = cast("Any", _sentence(code, name, countries))
    return PydanticCustomError(cast("Any", code), sentence, {"field": name, "countries": countries})


@lru_cache(1_024)
def _sentence(code: str, name: str, countries: tuple[str, ...]) -> str:
    return message(code, field_spec(name), countries)


class Reads:
    """Marks a `str` as a customer field.

    Args:
        spec: the field, where it is.
    """

    def __init__(self, spec: CustomerField, policy: Policy) -> None:
        self.spec, self._policy = spec, policy

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take what is plainly clean unchanged, and read everything else."""
        careful = core_schema.with_info_plain_validator_function(careful_reader(self.spec, self._policy))
        clean = self._clean()
        found = careful if clean is None else core_schema.union_schema([clean, careful], mode="left_to_right")
        if self.spec.kind is Kind.STATE and self.spec.condition:  # none at all may be an error
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


def careful_reader(spec: CustomerField, policy: Policy) -> Read:
    """Make what reads the texts of a field that are not plainly clean.

    It raises `PydanticCustomError` for what is refused, and `PydanticOmit` for what is blank and may be.
    """
    bare, name, rule, partial = reader_of(spec, policy), spec.name, _rule_of(spec), policy.partial
    read = bare if spec.kind in _MOSTLY_DIFFERENT else lru_cache(REMEMBERED)(bare)
    place_of = _place_of(spec)

    def read_with_care(text: Any, info: Info) -> str:
        notes: CustomerNotes | None = info.context
        if text.__class__ is not str:
            text = _marked(text, spec, notes)
        place = place_of(text, info) if place_of is not None else ""
        value, changes, code, warnings, extension, countries = read(text, place)
        if changes and notes is not None and name in notes.no_change:
            code = "change_forbidden"
        if code:
            raise refused(code, spec, notes, countries)
        if extension:
            text.behind = extension
        if notes is not None:
            notes.take(name, value, changes, warnings, countries)
        if not value:
            if partial:
                raise PydanticOmit
            raise refused(_blank(spec, info), spec, notes)
        if rule is not None and (code := rule(spec, value, info)) and not (partial and code in _OF_THE_WHOLE):
            raise refused(code, spec, notes)
        return value

    return read_with_care


def refused(
    code: str, spec: CustomerField, notes: CustomerNotes | None, countries: tuple[str, ...] = ()
) -> PydanticCustomError:
    """Note an error, and make pydantic's of it."""
    if code == "social_id_country_missing":
        spec = FIELDS[f"{spec.name}CountryCode"]
    if notes is not None:
        notes.fail(code, spec.name, countries)
    return problem(code, spec.name, countries)


def _marked(text: Any, spec: CustomerField, notes: CustomerNotes | None) -> str:
    if text.__class__ is _Extension:
        return _extension(text, spec, notes)
    if not isinstance(text, str):
        raise PydanticKnownError("string_type")
    return text


def _place_of(spec: CustomerField) -> Callable[[str, Info], str] | None:
    """What says where a text belongs; None: it belongs nowhere."""
    if spec.kind is Kind.PHONE:
        return _place_of_phone(spec)
    return _country_beside(spec.country) if spec.country else None


def _country_beside(key: str) -> Callable[[str, Info], str]:
    """Take the country that is before a text in its object."""
    return lambda _, info: info.data.get(key, "")


def _place_of_phone(spec: CustomerField) -> Callable[[str, Info], str]:
    """Say where a phone number belongs, as `read_phone` takes it, from what is beside it and in its row."""
    country_name = spec.name.rpartition(".")[0] + ".country"

    def place_of(text: str, info: Info) -> str:
        if text[:1] == "+":
            return ""
        if beside := info.data:
            if region := beside.get("region"):
                return alpha2(region)
            if country := beside.get("country"):
                return str(country)
        notes: CustomerNotes | None = info.context
        if notes is None or notes.failed_before(country_name):  # an address does not replace what cannot be read
            return ""
        return notes.own_country()

    return place_of


def _blank(spec: CustomerField, info: Info) -> str:
    """Say what is wrong with a blank text.

    Raises:
        PydanticOmit: nothing is, and the field is left out.
    """
    notes = info.context
    if notes is None or not notes.failed_before(spec.name):
        if spec.needed:
            return "required_missing"
        if spec.kind is Kind.STATE and spec.condition and info.data.get(spec.country) in STATE_REQUIRED_IN:
            return "state_required"
        if notes is not None and spec.kind is Kind.COUNTRY and "addresses." in spec.name:
            notes.warn("country_missing", spec)
    raise PydanticOmit


def _rule_of(spec: CustomerField) -> Callable[[CustomerField, str, Info], str] | None:
    """What a text that is fine by itself has to keep as well; it says what is wrong, empty: nothing."""
    if spec.name.rpartition(".")[2] == "socialId":
        return _social_id
    return None if spec.po_boxes else _no_po_box


def _no_po_box(_spec: CustomerField, value: str, _info: Info) -> str:
    return "po_box_physical" if is_po_box(value) else ""


def _social_id(spec: CustomerField, value: str, info: Info) -> str:
    """A national id needs its country, and a U.S. one has nine digits."""
    country, notes = info.data.get(spec.country), info.context
    if country is None and (notes is None or not notes.failed_before(spec.country)):
        return "social_id_country_missing"
    if country == "USA" and sum(map(str.isdigit, value)) != _SSN_DIGITS and notes is not None:
        notes.warn("social_id_unusual", spec)
    return ""


# --------------------------------------------------------------------------- extensions of phone numbers

_SIGNS_OF_NUMBERS = "0123456789+() .-/"


class _MayHaveExtension(str):
    """A phone number with more in it than digits and what separates them; its reader leaves the extension here."""

    __slots__ = ("behind",)
    behind: str


class _Extension(str):
    """Is in the field of the extension beside such a number; by itself it is blank."""

    __slots__ = ("given", "number")
    given: str
    number: _MayHaveExtension


def split_extension(phone: Any) -> Any:
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


def _extension(given: _Extension, spec: CustomerField, notes: CustomerNotes | None) -> str:
    """Choose between the extension behind the number and the one in its own field."""
    behind, reading = given.number.behind, read_extension(given.given)
    if not behind or reading.error or reading.value == behind:
        return given.given
    if reading.value:
        raise refused("extension_conflict", spec, notes)
    if notes is not None:
        notes.change(spec, Normalisation("phone_extension_split", "", behind))
    return behind
