"""Columns of texts by dotted name become the objects of the API, one a row: what the types of a customer read.

Columns that nobody mapped and cells that are blank are left out, except where their object needs them. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from importer.customers.members import Member, members
from importer.customers.rules import ADDRESS_TYPES, TYPES
from importer.customers.specs import CustomerType, Place

Object = dict[str, Any]
Absent = Mapping[str, Collection[int]]
"""Address word to the places of the rows that have no such address."""
_WORDS = {api: word for word, api in ADDRESS_TYPES.items()}


@dataclass(slots=True)
class ObjectShape:
    """One object of the API, as far as its fields are mapped.

    Args:
        needed: key to dotted name of the texts that it needs.
        optional: key to dotted name of the others.
        parts: the objects in it.
        constants: what all of them hold.
        always: whether it stands in every row.
        word: which address it is; empty for everything else.
    """

    needed: dict[str, str] = field(default_factory=dict)
    optional: dict[str, str] = field(default_factory=dict)
    parts: dict[str, ObjectShape | ListShape] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    always: bool = True
    word: str = ""

    def rows(self, columns: Mapping[str, Sequence[str]], absent: Absent) -> Iterator[Any]:
        """Make the object of every row, one after the other; an empty one, or None, where a row has none.

        It does not end where no column does.
        """
        whole: dict[str, Iterable[Any]] = {key: repeat(value) for key, value in self.constants.items()}
        sparse: dict[str, Iterable[Any]] = {}
        for key, name in self.needed.items():
            whole[key] = columns.get(name) or repeat("")
        for key, name in self.optional.items():
            column = columns[name]
            (sparse if "" in column and not self._is_kept(key) else whole)[key] = column
        for key, part in self.parts.items():
            (whole if part.is_everywhere(absent) else sparse)[key] = part.rows(columns, absent)
        made = _dicts(whole)
        if sparse:
            made = _with(made, tuple(sparse), zip(*sparse.values()))  # noqa: B905  # see above
        return _without(made, absent[self.word]) if self.word and absent[self.word] else made

    def _is_kept(self, key: str) -> bool:
        """A country that an address lacks is worth a word, although it is not needed."""
        return bool(self.word) and key == "countryCode"

    def is_everywhere(self, absent: Absent) -> bool:
        """Tell whether every row has one."""
        return self.always and not (self.word and absent[self.word])


@dataclass(slots=True)
class ListShape:
    """A list of objects, in each row those that it has."""

    items: list[ObjectShape]

    def rows(self, columns: Mapping[str, Sequence[str]], absent: Absent) -> Iterator[list[Any]]:
        """Make the list of every row, one after the other."""
        kinds = [item.rows(columns, absent) for item in self.items]
        if len(kinds) == 1 and self.is_everywhere(absent):
            return map(list, zip(kinds[0]))  # of one only
        return ([one for one in row if one] for row in zip(*kinds))  # noqa: B905  # see above

    def is_everywhere(self, absent: Absent) -> bool:
        """Tell whether no list is empty."""
        return any(item.is_everywhere(absent) for item in self.items)


def _dicts(columns: Mapping[str, Iterable[Any]]) -> Iterator[Object]:
    if not columns:
        return map(dict, repeat(()))
    return map(dict, map(zip, repeat(tuple(columns)), zip(*columns.values())))  # noqa: B905  # constants do not end


def _with(objects: Iterable[Object], keys: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Object]:
    """Put what is not blank into the objects."""
    for made, row in zip(objects, rows):  # noqa: B905  # see above
        for key, value in zip(keys, row):  # noqa: B905  # as long as the other
            if value:
                made[key] = value
        yield made


def _without(objects: Iterable[Object], places: Collection[int]) -> Iterator[Object | None]:
    gone = frozenset(places)
    return (None if place in gone else made for place, made in enumerate(objects))


def shape_of(kind: CustomerType | None, mapped: Collection[str]) -> ObjectShape:
    """Plan the objects of customers of one type.

    Args:
        kind: None for rows whose type cannot be read: what both types have, and nothing is needed.
        mapped: dotted names of the fields that have a column.
    """
    if kind is not None:
        return _object(members(TYPES[kind], Place()), mapped)
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
    items[0].always = part.required
    return {part.key: items[0]}


def _items(part: Member, mapped: Collection[str]) -> Iterator[ObjectShape]:
    for declared, place in part.objects:
        if part.required or any(name.startswith(place.prefix) for name in mapped):
            made = _object(members(declared, place), mapped)
            made.word = _WORDS.get(made.constants.get("type", ""), "")
            yield made
