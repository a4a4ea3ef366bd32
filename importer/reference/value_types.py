"""What the value of a profile's key is, in words, and how a default is written in TOML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import time
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from importer.core.labels import either
from importer.profile.section import Written

_SIMPLE = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a path"}
_BOUNDS = {Ge: ("from", "ge"), Gt: ("above", "gt"), Le: ("to", "le"), Lt: ("to below", "lt")}


def in_words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """Describe a type: `a whole number from 1 to 100`, `"csv" or "excel"`, `a time of day such as 06:00`.

    Args:
        metadata: what is beside the type in an `Annotated`.
    """
    known = list(_flat(metadata))
    written = next((one for one in known if isinstance(one, Written)), getattr(annotation, "written", None))
    if isinstance(written, Written):
        return written.words
    return " ".join([_plain(annotation), *_bounds(known)])


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for one in metadata:
        yield from _flat(one.metadata) if isinstance(one, FieldInfo) else (one,)


def _bounds(metadata: Iterable[Any]) -> Iterator[str]:
    for one in metadata:
        if type(one) in _BOUNDS:
            words, attribute = _BOUNDS[type(one)]
            yield f"{words} {getattr(one, attribute):,g}"


def _plain(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return in_words(inside[0], inside[1:])
    if origin in {Union, UnionType}:
        return either([in_words(one) for one in inside if one is not NoneType])
    if origin is Literal:
        return either([json.dumps(one) for one in inside])
    if origin is tuple:
        return _listed(inside[0])
    if origin is dict:
        return "a table of texts"
    return _SIMPLE[annotation]


def _listed(inside: Any) -> str:
    if get_origin(inside) is Literal:
        return f"a list of {_plain(inside)}"
    kind = get_args(inside)[0] if get_origin(inside) is Annotated else inside
    return "a list of numbers" if kind is float else "a list of texts"


def toml(value: Any) -> str | None:
    """Write a default as TOML; None: there is none."""
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, tuple):
        return f"[{', '.join(filter(None, map(toml, value)))}]"
    return json.dumps(f"{value:%H:%M}" if isinstance(value, time) else str(value), ensure_ascii=False)
