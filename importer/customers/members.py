"""Reads a declared type: its members, each in its place in a customer. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from importer.customers.specs import CustomerField, Place


class Member(NamedTuple):
    """One member of an object of the API.

    Args:
        hint: its type as declared, without marks.
        required: whether its object needs it.
        spec: of a text, what is known of it where it is; None for everything else.
        objects: the objects that it holds, each with its place; of a list, the kinds of its items.
    """

    key: str
    hint: Any
    required: bool
    spec: CustomerField | None = None
    objects: tuple[tuple[type, Place], ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether it is a list of objects."""
        return get_origin(self.hint) is list

    @property
    def constant(self) -> Any:
        """What it always is in what we send: of every kind of address there is one; None: it differs."""
        if get_origin(self.hint) is Literal:
            return get_args(self.hint)[0]
        return True if self.hint is bool else None


@cache
def members(declared: type, place: Place) -> tuple[Member, ...]:
    """List the members of an object at a place, in their order."""
    return tuple(_members(declared, place))


def _members(declared: type, place: Place) -> Iterator[Member]:
    for key, hint in get_type_hints(declared, include_extras=True).items():
        required = get_origin(hint) is not NotRequired
        yield _member(key, hint if required else get_args(hint)[0], place, required=required)


def _member(key: str, hint: Any, place: Place, *, required: bool) -> Member:
    if get_origin(hint) is Annotated:
        bare, mark = get_args(hint)
        if isinstance(mark, Place):
            return Member(key, bare, required, objects=((bare, mark.below(key).within(place)),))
        return Member(key, bare, required, mark.at(place, key, required=required))
    if is_typeddict(hint):
        return Member(key, hint, required, objects=((hint, place.below(key)),))
    if get_origin(hint) is list:
        return Member(key, hint, required, objects=tuple(_kinds(get_args(hint)[0], place)))
    return Member(key, hint, required)


def _kinds(item: Any, outer: Place) -> Iterator[tuple[type, Place]]:
    for one in get_args(item) if get_origin(item) in {Union, UnionType} else (item,):
        kind, place = get_args(one)
        yield kind, place.within(outer)
