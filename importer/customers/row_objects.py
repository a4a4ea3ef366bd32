"""Columns of texts by dotted name become the objects of the API, one a row: what the types of a customer read.

Columns that nobody mapped and cells that are blank are left out, except where their object needs them. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from importer.customers.members import Member, members
from importer.customers.presence import PRESENCE_FIELDS
from importer.customers.rules import TYPES
from importer.customers.specs import CustomerType, Place

Absent = Mapping[str, Collection[int]]
"""What the names of an object's fields begin with, to the places of the rows that have no such object."""


class _Taken:
    """The columns that an expression takes its values from, one after the other."""

    def __init__(self, columns: Mapping[str, Sequence[str]], absent: Absent) -> None:
        self.columns, self.absent = columns, absent
        self.values: list[Iterable[Any]] = []

    def variable(self, column: Iterable[Any]) -> str:
        """The name by which an expression calls the values of a column."""
        self.values.append(column)
        return f"v{len(self.values) - 1}"


@dataclass(slots=True)
class ObjectShape:
    """One object of the API, as far as its fields are mapped.

    Args:
        needed: key to dotted name of the texts that it needs.
        optional: key to dotted name of the others.
        parts: the objects in it.
        constants: what all of them hold.
        always: whether it is in every row.
        prefix: what the names of its fields begin with, where its presence depends on some of them; else empty.
    """

    needed: dict[str, str] = field(default_factory=dict)
    optional: dict[str, str] = field(default_factory=dict)
    parts: dict[str, ObjectShape | ListShape] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    always: bool = True
    prefix: str = ""

    def rows(self, columns: Mapping[str, Sequence[str]], size: int, absent: Absent) -> Iterator[Any]:
        """Make the object of every row, one after the other."""
        taken = _Taken(columns, absent)
        taken.variable(range(size))
        make = _maker(self.expression(taken), len(taken.values))
        return make(zip(*taken.values, strict=True))

    def expression(self, taken: _Taken) -> str:
        """Write the Python expression that makes the object of a row."""
        members = [f"{key!r}: {value!r}" for key, value in self.constants.items()]
        for key, name in self.needed.items():
            column = taken.columns.get(name)
            members.append(f"{key!r}: " + ("''" if column is None else taken.variable(column)))
        for key, name in self.optional.items():
            column = taken.columns[name]
            text = taken.variable(column)
            sparse = "" in column and not self._is_kept(key)
            members.append(_if_any(key, text, text) if sparse else f"{key!r}: {text}")
        members += (part.member(key, taken) for key, part in self.parts.items())
        return "{" + ", ".join(members) + "}"

    def member(self, key: str, taken: _Taken) -> str:
        """Write it as a member of the object that it is in."""
        text = self.expression(taken)
        if self.is_everywhere(taken.absent):
            return f"{key!r}: {text}"
        return _if_any(key, self.presence(taken), text) if self.prefix else _if_any(key, f"(part := {text})", "part")

    def presence(self, taken: _Taken) -> str:
        """Write whether a row has it, where that depends on some of its fields."""
        gone = frozenset(taken.absent[self.prefix])
        return taken.variable([place not in gone for place in taken.values[0]])

    def _is_kept(self, key: str) -> bool:
        """A country that an address lacks gets a warning, although it is not needed."""
        return bool(self.prefix) and key == "countryCode"

    def is_everywhere(self, absent: Absent) -> bool:
        """Whether every row has one."""
        return self.always and not (self.prefix and absent[self.prefix])


@dataclass(slots=True)
class ListShape:
    """A list of objects, in each row those that it has."""

    items: list[ObjectShape]

    def expression(self, taken: _Taken) -> str:
        """Write the Python expression that makes the list of a row."""
        return "[" + ", ".join(self._item(item, taken) for item in self.items) + "]"

    def member(self, key: str, taken: _Taken) -> str:
        """Write it as a member of the object that it is in."""
        text = self.expression(taken)
        return f"{key!r}: {text}" if self.is_everywhere(taken.absent) else _if_any(key, f"(part := {text})", "part")

    @staticmethod
    def _item(item: ObjectShape, taken: _Taken) -> str:
        text = item.expression(taken)
        if item.is_everywhere(taken.absent):
            return text
        return f"*(({text},) if {item.presence(taken)} else ())"

    def is_everywhere(self, absent: Absent) -> bool:
        """Whether no list is empty."""
        return any(item.is_everywhere(absent) for item in self.items)


def _if_any(key: str, value: str, name: str) -> str:
    """Write a member that a row has only where there is something in it."""
    return f"**({{{key!r}: {name}}} if {value} else {{}})"


@lru_cache(256)
def _maker(expression: str, count: int) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Compile what makes the objects of rows: twice as fast as putting every dict together from keys and values.

    Args:
        expression: made here, of nothing but keys of declared types, `repr` of constants, and variables.
        count: how many variables there are.
    """
    variables = ", ".join(f"v{number}" for number in range(count))
    source = f"lambda rows: ({expression} for {variables}, in rows)"
    made: Callable[[Iterable[Any]], Iterator[Any]] = eval(source, {"__builtins__": {}})  # noqa: S307  # see Args
    return made


def shape_of(kind: str | None, mapped: Collection[str]) -> ObjectShape:
    """Plan the objects of customers of one type.

    Args:
        kind: None for rows whose type cannot be read: what both types have, and nothing is needed.
        mapped: dotted names of the fields that have a column.
    """
    if kind is not None:
        return _object(members(TYPES[CustomerType(kind)], Place()), mapped)
    either = {one.key: one for declared in TYPES.values() for one in members(declared, Place())}
    made = _object(either.values(), mapped)
    _need_nothing(made, mapped)
    del made.constants["type"]
    made.needed["type"] = "type"
    return made


def _need_nothing(shape: ObjectShape | ListShape, mapped: Collection[str]) -> None:
    if isinstance(shape, ListShape):
        for item in shape.items:
            _need_nothing(item, mapped)
        return
    shape.optional |= {key: name for key, name in shape.needed.items() if name in mapped}
    shape.needed = {}
    for part in shape.parts.values():
        _need_nothing(part, mapped)


def _object(parts: Iterable[Member], mapped: Collection[str]) -> ObjectShape:
    made = ObjectShape()
    for part in parts:
        if part.constant is not None:
            made.constants[part.key] = part.constant
        elif part.spec is not None:
            if part.spec.needed:
                made.needed[part.key] = part.spec.name
            elif part.spec.name in mapped:
                made.optional[part.key] = part.spec.name
        elif part.key == "metadata":
            pairs = {name.removeprefix("metadata."): name for name in mapped if name.startswith("metadata.")}
            made.parts[part.key] = ObjectShape(optional=pairs, always=False)
        else:
            made.parts |= _below(part, mapped)
    return made


def _below(part: Member, mapped: Collection[str]) -> dict[str, ObjectShape | ListShape]:
    """Plan the objects that a member holds, as far as there can be any."""
    items = list(_items(part, mapped))
    if not items:
        return {}
    if part.is_list:
        return {part.key: ListShape(items)}
    items[0].always = part.required or bool(items[0].prefix)
    return {part.key: items[0]}


def _items(part: Member, mapped: Collection[str]) -> Iterator[ObjectShape]:
    for declared, place in part.objects:
        if part.required or any(name.startswith(place.prefix) for name in mapped):
            made = _object(members(declared, place), mapped)
            made.prefix = place.prefix if place.prefix in PRESENCE_FIELDS else ""
            yield made
