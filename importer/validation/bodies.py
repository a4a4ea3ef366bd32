"""Checked columns become request bodies: JSON put together from texts, a column at a time.

A body is a chain of parts, each either one text that all rows share or a column of texts; a member that may be
blank is a column that carries its own comma. Never an object per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from json.encoder import encode_basestring

from importer.customers.rules import ADDRESS_TYPES, CustomerType
from importer.validation.table import Table

Part = str | list[str]
"""What all rows share, or one text a row."""


class Member:
    """One member of an object, its comma in front: `,"name":value`.

    Args:
        parts: the member's text; its first part is shared and begins with the comma, if the member is dense.
        dense: whether every row has it.
    """

    __slots__ = ("dense", "parts")

    def __init__(self, parts: list[Part], *, dense: bool) -> None:
        self.parts = parts
        self.dense = dense


def bodies(kind: CustomerType, table: Table) -> list[bytes]:
    """Write the request body of every row; those of invalid rows are well-formed and mean nothing."""
    members = [*_top_level(table), *_group(table, ("placeOfBirth",)), *_addresses(table), *_group(table, ("metadata",))]
    if kind is CustomerType.BUSINESS:
        members += _contacts(table)
    else:
        members += _reach(table, "")
    parts: list[Part] = [f'{{"type":"{kind}"', *(part for member in members for part in member.parts), "}"]
    return [text.encode() for text in _join(parts, table.size)]


def _join(parts: Sequence[Part], size: int) -> Iterable[str]:
    if not any(isinstance(part, list) for part in parts):
        return repeat("".join(map(str, parts)), size)
    return map("".join, zip(*map(_spread, _merged(parts)), strict=False))


def _merged(parts: Iterable[Part]) -> list[Part]:
    """Put neighbours that all rows share together, so that every row joins fewer texts."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def _spread(part: Part) -> Iterable[str]:
    return repeat(part) if isinstance(part, str) else part


def _leaf(name: str, column: Sequence[str]) -> Member:
    """Write one text member; blanks leave it out."""
    plain = _needs_no_escape(column)
    if "" not in column:
        texts = list(column) if plain else list(map(encode_basestring, column))
        return Member([f',"{name}":"', texts, '"'] if plain else [f',"{name}":', texts], dense=True)
    if plain:
        return Member([[f',"{name}":"{text}"' if text else "" for text in column]], dense=False)
    return Member([[f',"{name}":{encode_basestring(text)}' if text else "" for text in column]], dense=False)


def _needs_no_escape(column: Sequence[str]) -> bool:
    whole = "".join(column)
    return '"' not in whole and "\\" not in whole


def _object(name: str, members: Sequence[Member], size: int) -> list[Member]:
    """Wrap members into an object member; rows without any of them leave it out."""
    if not members:
        return []
    if any(member.dense for member in members):
        return [Member([f',"{name}":{{', *_without_first_comma(members), "}"], dense=True)]
    inner = _join([part for member in members for part in member.parts], size)
    return [Member([[f',"{name}":{{{text[1:]}}}' if text else "" for text in inner]], dense=False)]


def _without_first_comma(members: Sequence[Member]) -> list[Part]:
    """Begin with a dense member, whose comma is known to stand in a text that all rows share."""
    ordered = sorted(members, key=lambda member: not member.dense)
    first, *rest = [part for member in ordered for part in member.parts]
    return [str(first)[1:], *rest]


def _top_level(table: Table) -> list[Member]:
    return [_leaf(name, column) for name, column in table.columns.items() if "." not in name and name != "type"]


def _group(table: Table, path: tuple[str, ...]) -> list[Member]:
    """Write the object of all fields right below a path."""
    return _object(path[-1], _leaves(table, ".".join(path) + "."), table.size)


def _leaves(table: Table, prefix: str) -> list[Member]:
    """Write the text members right below a prefix (below `metadata`, dots belong to the names)."""
    dots = prefix == "metadata."
    return [
        _leaf(name.removeprefix(prefix), column)
        for name, column in table.columns.items()
        if name.startswith(prefix) and (dots or "." not in name.removeprefix(prefix))
    ]


def _reach(table: Table, prefix: str) -> list[Member]:
    """Write phone and email, of a person or of the contact."""
    phone = _object("primaryPhoneNumber", _leaves(table, f"{prefix}primaryPhoneNumber."), table.size)
    return phone + _object("primaryEmail", _leaves(table, f"{prefix}primaryEmail."), table.size)


def _contacts(table: Table) -> list[Member]:
    members = [*_leaves(table, "contacts.primary."), *_reach(table, "contacts.primary.")]
    parts = [part for member in members for part in member.parts]
    return [Member([',"contacts":[{"primary":true', *parts, "}]"], dense=True)]


def _addresses(table: Table) -> list[Member]:
    found = [member for word in ADDRESS_TYPES for member in _address(table, word)]
    if not found:
        return []
    if any(member.dense for member in found):
        return [Member([',"addresses":[', *_without_first_comma(found), "]"], dense=True)]
    inner = _join([part for member in found for part in member.parts], table.size)
    return [Member([[f',"addresses":[{text[1:]}]' if text else "" for text in inner]], dense=False)]


def _address(table: Table, word: str) -> list[Member]:
    """Write one type of address; every address that is sent has a street."""
    prefix = f"addresses.{word}."
    streets = table.columns.get(prefix + "streetLine1")
    if streets is None:
        return []
    members = _leaves(table, prefix) + _object("name", _leaves(table, prefix + "name."), table.size)
    head = f',{{"type":"{ADDRESS_TYPES[word]}","primary":true'
    parts: list[Part] = [head, *(part for member in members for part in member.parts), "}"]
    if "" not in streets:
        return [Member(parts, dense=True)]
    texts = zip(_join(parts, table.size), streets, strict=False)
    return [Member([[text if street else "" for text, street in texts]], dense=False)]
