"""What is wrong with a profile, in one sentence: the place, what it must be, the nearest right name.

Turns pydantic's findings into `ProfileError`; never shows a value that could be a credential.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from importer.core.errors import ProfileError
from importer.core.labels import did_you_mean, either
from importer.core.target_kinds import DEFAULT_KIND, TargetKind, target_kind
from importer.profile.delivery import DeliverySettings, TargetSettings
from importer.profile.layers import DELIMITER, OPTIONS, PREFIX, Layer

_SECRET = re.compile(r"api_?key|api_?secret|secret|password|token|credential", re.IGNORECASE)

_MUST_BE: Mapping[str, str] = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "string_too_long": "at most {max_length} characters long",
    "string_pattern_mismatch": "made of letters, digits, '_', '.' and '-'",
    "path_type": "a path in quotes",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "value_error": "{error}",
    "missing": "complete",
}


_OF_MAPPING = {"grouping", "transform"}
"""Sections of the schema with keys under `[mapping]`."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """One finding of pydantic, its place cut back to keys that a person wrote."""

    kind: str
    place: tuple[str, ...]
    must_be: str
    value: Any


def explain(error: ValidationError, schema: type[BaseModel], layers: Sequence[Layer]) -> ProfileError:
    """Word the first finding as a sentence; `layers` are ordered from the strongest to the weakest."""
    findings = list(_findings(error, schema, ()))
    first = findings[0]
    where = _where(first.place, layers)
    if first.kind == "extra_forbidden":
        return _unknown_key(first.place, where, schema, layers)
    if first.kind == "unknown_field":
        return ProfileError(f"{where}: {first.must_be}")
    alternatives = dict.fromkeys(found.must_be for found in findings if found.place == first.place)
    shown = _shown(first)
    close = did_you_mean(first.value, _quoted(first.must_be)) if isinstance(first.value, str) else "."
    return ProfileError(f"{where}{shown} is wrong: it must be {either(list(alternatives))}{close}")


def _findings(error: ValidationError, schema: type[BaseModel], under: tuple[str, ...]) -> Iterator[_Finding]:
    for found in error.errors(include_url=False):
        context = found.get("ctx", {})
        place = under + _written(found["loc"], schema)
        cause = context.get("error")
        if isinstance(cause, ValidationError):
            yield from _findings(cause, DeliverySettings, place)
            continue
        if found["type"] == "unknown_field":
            must_be = f"no customer field is called '{context['name']}'{context['close']}"
        else:
            must_be = _MUST_BE.get(found["type"], found["msg"]).format(**context)
        yield _Finding(found["type"], place, must_be, None if "[key]" in found["loc"] else found["input"])


def _written(loc: tuple[int | str, ...], schema: type[BaseModel]) -> tuple[str, ...]:
    """Cut what pydantic adds to a place (positions, the arms of a union)."""
    place: list[str] = []
    model: type[BaseModel] | None = schema
    keyed = False
    for step in map(str, loc):
        if model is None or step == "[key]":
            break
        place.append(step)
        if keyed:
            keyed = False
            continue
        field = model.model_fields.get(step)
        keyed = field is not None and get_origin(field.annotation) is dict
        model = model_in(field.annotation) if field is not None else None
    return tuple(place)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the model that a type names, be it inside a union or a table; None: there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(model_in, get_args(annotation))), None)


def _unknown_key(place: tuple[str, ...], where: str, schema: type[BaseModel], layers: Sequence[Layer]) -> ProfileError:
    key = place[-1]
    if _SECRET.search(key):
        return ProfileError(
            f"{where} is refused: credentials do not belong in a profile.",
            f"Set {_kind_at(place, layers).variables}, or the same names with _FILE.",
        )
    known = _keys_at(place[:-1], schema)
    known_places = [other for other in places(schema) if other[-1] == key]
    if known_places and len(place) <= 2:
        return ProfileError(f"{where} is not known; '{key}' belongs under [{'.'.join(known_places[0][:-1])}].")
    if where.endswith(variable(place)):
        return ProfileError(f"{where} is not known{did_you_mean(variable(place), _variables(place[:-1], known))}")
    return ProfileError(f"{where} is not known{did_you_mean(key, known)}", f"Known keys: {', '.join(known)}.")


def _kind_at(place: tuple[str, ...], layers: Sequence[Layer]) -> TargetKind:
    """The kind of the target that a key belongs to; the usual kind, where it belongs to none."""
    named = (_at(layer.data, (*place[:-1], "kind")) for layer in layers)
    return target_kind(next((str(kind) for kind in named if kind), DEFAULT_KIND))


def _variables(table: tuple[str, ...], keys: Sequence[str]) -> list[str]:
    return [variable((*table, key)) for key in keys]


def _keys_at(place: tuple[str, ...], schema: type[BaseModel]) -> list[str]:
    model: type[BaseModel] | None = schema
    for step in place:
        field = model.model_fields.get(step) if model is not None else None
        model = model_in(field.annotation) if field is not None else model
    known = list(model.model_fields) if model is not None else []
    return known + list(DeliverySettings.model_fields) if model is TargetSettings else known


def places(schema: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """Yield the place of every single setting (`delivery`, `rate`); tables with free keys are left out."""
    for name, field in schema.model_fields.items():
        inner = model_in(field.annotation)
        if get_origin(field.annotation) is dict:
            continue
        if inner is None or is_single(field):
            yield (name,)
        else:
            yield from ((name, *rest) for rest in places(inner))


def is_single(field: FieldInfo) -> bool:
    """Whether a field is one setting, not a table; a rate is one, since it is written as one text."""
    inner = model_in(field.annotation)
    return inner is None or not vars(inner).keys().isdisjoint({"_parse", "written"})


def variable(place: Sequence[str]) -> str:
    """Name the environment variable of a setting."""
    return PREFIX + DELIMITER.join(place).upper()


def _where(place: tuple[str, ...], layers: Sequence[Layer]) -> str:
    if place[0] in _OF_MAPPING:
        place = ("mapping", place[-1])
    layer = next((layer for layer in layers if _at(layer.data, place) is not None), None)
    if layer is None:
        return f"The setting {'.'.join(place)}"
    if layer.origin == "environment":
        return f"The variable {variable(place)}"
    if layer.origin == "option":
        option = next((option for option, at in OPTIONS.items() if at == ".".join(place)), "")
        return f"The option {option or '.'.join(place)}"
    keys = [f'"{step}"' if "." in step else step for step in place]
    table = f"[{'.'.join(keys[:-1])}] " if len(keys) > 1 else ""
    return f"{layer.name or 'the profile'}: {table}{keys[-1]}"


def _at(data: Any, place: tuple[str, ...]) -> Any:
    """The value of a layer at a place; None: nothing."""
    for step in place:
        if not isinstance(data, Mapping) or step not in data:
            return None
        data = data[step]
    return data


def _shown(found: _Finding) -> str:
    """The value as it was written, when it is short and cannot be a secret."""
    if found.place[-1] in {"base_url", "url"} or _SECRET.search(found.place[-1]):
        return ""
    if isinstance(found.value, bool):
        return f" = {str(found.value).lower()}"
    if isinstance(found.value, int | float) or (isinstance(found.value, str) and len(found.value) <= 60):
        return f" = {found.value!r}"
    return ""


def _quoted(must_be: str) -> list[str]:
    return re.findall(r"'([^']+)'", must_be)
