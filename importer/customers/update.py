"""A change of a customer: what a row names is merged into the customer that the API returned. Pure.

An update of the API replaces the whole customer. So all that was read is written back, but for what the server owns.
What a row does not name is never erased, and what the server shows in part only is never written back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from unicodedata import normalize

from importer.core.outcomes import FieldError
from importer.customers.comparison import METADATA, TRUNCATED, is_shown_in_part, same_value
from importer.customers.rules import FIELDS
from importer.customers.shape import flatten
from importer.customers.specs import ADDRESS_TYPES, CONTACT

_OWNED = frozenset(
    {"id", "customerId", "status", "createdBy", "createdAt", "updatedBy", "updatedAt", "verificationStatus"}
)
"""What only the server sets."""
_VERIFIED = "verified"
"""The same, of phone numbers and email addresses."""
_CARRY_IT = frozenset({"primaryPhoneNumber", "primaryEmail"})
_FREE = "metadata"
"""The names and values in it are anybody's: all of it stays as it is."""
_WORDS = {api: word for word, api in ADDRESS_TYPES.items()}
_MARKS = frozenset({"type", "primary"})
"""What of an address or contact says which one it is."""


class FieldChange(NamedTuple):
    """One field that a row changes.

    Args:
        name: dotted.
        before: what the customer has; empty: nothing.
    """

    name: str
    before: str
    after: str

    def masked(self) -> str:
        """Write it for people: of each value the first character alone."""
        return f"{self.name}: {_masked(self.before)} → {_masked(self.after)}"


class Merged(NamedTuple):
    """A customer with what a row changes.

    Args:
        body: to be written as a whole.
        changes: every field that differs; none: the customer is as the row says.
        errors: why it may not be written.
    """

    body: Mapping[str, Any]
    changes: tuple[FieldChange, ...]
    errors: tuple[FieldError, ...] = ()


def merge(customer: Mapping[str, Any], row: Mapping[str, Any], key: str) -> Merged:
    """Merge what a row names into a customer.

    Objects are merged member by member: an address into the primary one of its type, the main contact into the primary
    contact, metadata by name. An address or contact that is not there is added.

    Args:
        customer: as the API returned it.
        row: a whole body or a part of one, without blanks.
        key: the row's import key; a pair of metadata that holds it is left out: a customer keeps its own.
    """
    body = _written_back(customer)
    errors = [*_unchangeable(customer, row)]
    changes: list[FieldChange] = []
    for name, value in row.items():
        if name in _MARKS | _OWNED:
            continue
        if name == "addresses":
            body[name] = _with_addresses(_list(body, name), value, changes)
        elif name == "contacts":
            body[name] = _with_contacts(_list(body, name), value, changes)
        else:
            given = _without(value, key) if name == "metadata" else value
            body |= _members(body, {name: given}, "", changes)
    if changes:
        errors += [_hidden(name) for name in sorted(TRUNCATED) if is_shown_in_part(str(body.get(name, "")))]
    return Merged(_said(body) or {}, tuple(changes), tuple(errors))


def _written_back(customer: Mapping[str, Any]) -> dict[str, Any]:
    """What of a customer is written back: blanks mean nothing, and may not be sent."""
    return _said({name: value for name, value in customer.items() if name not in _OWNED}) or {}


def _said(value: Any, within: str = "") -> Any:
    """Leave out what says nothing, and what the server owns; None where nothing is left.

    Args:
        within: the name of the member that it is.
    """
    if isinstance(value, Mapping):
        if within == _FREE:
            return dict(value) or None
        own = {_VERIFIED} if within in _CARRY_IT else set()
        parts = ((name, _said(part, name)) for name, part in value.items() if name not in own)
        return {name: part for name, part in parts if part is not None} or None
    if isinstance(value, list):
        return [part for part in map(_said, value) if part is not None] or None
    return None if value == "" else value


def _unchangeable(customer: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[FieldError]:
    """Say what of a row can be of no use to this customer."""
    kind = str(customer.get("type", "")).upper()
    if kind and str(row.get("type", kind)).upper() != kind:
        yield FieldError("type", "The type of a customer cannot be changed; nothing was sent.", "cannot_change")
        return
    for name, _ in flatten(row):
        spec = FIELDS.get(name)
        if kind and spec is not None and not spec.is_of(kind):
            message = f"{spec.label} does not belong to this type of customer; nothing was sent."
            yield FieldError(name, message, "cannot_change")


def _hidden(name: str) -> FieldError:
    message = f"The API shows {FIELDS[name].label.lower()} in part only: bring the whole value; nothing was sent."
    return FieldError(name, message, "value_hidden")


# --------------------------------------------------------------------------- parts of a customer


def _members(
    before: Mapping[str, Any], given: Mapping[str, Any], prefix: str, changes: list[FieldChange]
) -> dict[str, Any]:
    """Merge an object member by member."""
    made = dict(before)
    for name, value in given.items():
        place = prefix + name
        own = _same_name(made, name) if prefix == METADATA else name
        if isinstance(value, Mapping):
            held = made.get(own)
            made[own] = _members(held if isinstance(held, Mapping) else {}, value, f"{place}.", changes)
        elif not (text := _text(made.get(own))) or not same_value(place, _text(value), text):
            changes.append(FieldChange(place, text, _text(value)))
            made[own] = value
        elif place in TRUNCATED:
            made[own] = value  # the same, and whole
    return made


def _with_addresses(
    held: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]], changes: list[FieldChange]
) -> list[Mapping[str, Any]]:
    made = list(held)
    for one in given:
        kind = str(one.get("type")).upper()
        same = [at for at, other in enumerate(made) if str(other.get("type")).upper() == kind]
        _merge_item(made, _primary(made, same), one, f"addresses.{_WORDS.get(kind, 'other')}.", changes)
    return made


def _with_contacts(
    held: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]], changes: list[FieldChange]
) -> list[Mapping[str, Any]]:
    made = list(held)
    for number, one in enumerate(sorted(given, key=lambda one: not one.get("primary")), 1):
        if number == 1:
            at = _primary(made, range(len(made)))
        else:
            at = next((at for at, other in enumerate(made) if _person(other) == _person(one)), None)
        _merge_item(made, at, one, CONTACT if number == 1 else f"contacts.{number}.", changes)
    return made


def _merge_item(
    made: list[Mapping[str, Any]], at: int | None, given: Mapping[str, Any], prefix: str, changes: list[FieldChange]
) -> None:
    """Merge one item of a list.

    Args:
        at: its place; None: it is added.
    """
    parts = {name: value for name, value in given.items() if name not in _MARKS}
    if at is not None:
        made[at] = _members(made[at], parts, prefix, changes)
    else:
        marks = {name: value for name, value in given.items() if name in _MARKS}
        made.append(_members(marks, parts, prefix, changes))


def _primary(items: Sequence[Mapping[str, Any]], places: Sequence[int]) -> int | None:
    """The place of the primary one; the first one where none is marked; None: there is none."""
    return next((at for at in places if items[at].get("primary") is True), next(iter(places), None))


def _person(contact: Mapping[str, Any]) -> tuple[str, str]:
    return _text(contact.get("firstName")).casefold(), _text(contact.get("lastName")).casefold()


def _same_name(held: Mapping[str, Any], name: str) -> str:
    """The name under which a server keeps a pair of metadata: it may have changed its letters."""
    return next((one for one in held if one.casefold() == name.casefold()), name)


def _without(metadata: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if not key or str(value).casefold() != key.casefold()}


def _list(body: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    held = body.get(name)
    return [one for one in held if isinstance(one, Mapping)] if isinstance(held, list) else []


def _text(value: Any) -> str:
    return "" if value is None else " ".join(normalize("NFC", str(value)).split())


def _masked(text: str) -> str:
    return f"{text[0]}•••" if text else "blank"
