"""What differs between a body that was sent and a customer that the API returned: each field, and how. Pure; no value.

Null, absent and "" are equal. What the server owns (ids, times, statuses, unknown members) does not count, nor do
metadata that we did not send, nor further addresses of a type and further contacts that it has. A field that we know,
that the server has and that we did not send, is a difference: it may be another person's record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from importer.core.contract import Kind
from importer.core.steps import Difference
from importer.customers.rules import field_spec
from importer.customers.shape import flatten, primary_last
from importer.customers.specs import CONTACT

Texts = Mapping[str, str]
"""One customer, address or contact: dotted name to text."""
Differences = Iterator[tuple[str, Difference]]

METADATA, MARK = "metadata.", "primary"
TRUNCATED = frozenset({"socialId", "taxId"})
"""What the server may show in part only (K~ of `socialId`; the other is of the same sort)."""
_HIDDEN = re.compile(r"[*•●#…]|\.{2,}|[Xx]{2,}")
_NO_SIGN = re.compile(r"[\W_]+")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")
_WITH_EXTENSION = re.compile(r"([^a-z#;]*\d[^a-z#;]*?)[\s,;]*(?:extension|ext|x|#)[.:=\s]*(\d{1,10})", re.IGNORECASE)
_SHOWN_UNMARKED = 4
_MOST_CHARS = 100
"""No number with its extension is longer."""


def compare(payload: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[tuple[str, Difference], ...]:
    """Name the fields, dotted and sorted, that differ between what we sent and what the API returned, and how.

    Letters' case does not count in email addresses, enums, countries, states and postal codes; phones are compared by
    their digits, dates by their day, a truncated id by what is visible of it; addresses by type and contacts by
    person, whatever their order. A second contact is called `contacts.2`, and so on. `primary` is named where one of
    ours is no longer the primary one.
    """
    found = set(_between(_texts(_own(payload)), _texts(_own(body))))
    ours, theirs = _addresses(payload), _addresses(body)
    for kind in {**ours, **theirs}:
        for one, other in _paired(ours.get(kind, ()), theirs.get(kind, ())):
            found.update(_between(one, other))
    contacts = _contacts(payload)
    for place, (one, other) in enumerate(_paired(contacts, _contacts(body)), 1):
        found.update(_called(CONTACT if place == 1 else f"contacts.{place}.", _between(one, other)))
    return tuple(sorted(found))


# --------------------------------------------------------------------------- the parts of a customer


def _own(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in body.items() if name not in {"addresses", "contacts"}}


def _addresses(body: Mapping[str, Any]) -> dict[str, list[Texts]]:
    """The addresses by their type, the primary one of each first."""
    found: dict[str, list[Texts]] = {}
    for one in reversed(primary_last(body.get("addresses"))):
        kind = str(one.get("type")).upper()
        found.setdefault(kind, []).append(_marked({"addresses": [{**one, "type": kind}]}, one))
    return found


def _contacts(body: Mapping[str, Any]) -> list[Texts]:
    """The contacts, the primary one first, the others in their order."""
    people = primary_last(body.get("contacts"))
    return [_marked({"contacts": [one]}, one) for one in (*people[-1:], *people[:-1])]


def _marked(wrapped: Mapping[str, Any], item: Mapping[str, Any]) -> Texts:
    texts = _texts(wrapped)
    if texts and item.get(MARK) is True:
        prefix = ".".join(next(iter(texts)).split(".")[:2])
        texts[f"{prefix}.{MARK}"] = "true"
    return texts


def _texts(body: Mapping[str, Any]) -> dict[str, str]:
    """Flatten a body; an extension behind a phone number gets its own place."""
    texts = {name: " ".join(text.split()) for name, text in flatten(body)}
    for name in [name for name in texts if _kind(name) is Kind.PHONE]:
        if len(texts[name]) <= _MOST_CHARS and (match := _WITH_EXTENSION.fullmatch(texts[name])):
            texts[name] = match[1].strip()
            texts.setdefault(name.removesuffix("number") + "extension", match[2])
    return {name: text for name, text in texts.items() if text}


def _paired(ours: Sequence[Texts], theirs: Sequence[Texts]) -> Iterator[tuple[Texts, Texts]]:
    """Give each of ours the one of theirs that is most like it, in our order; nothing where none is left.

    Where we sent none, the first of theirs is one that we did not send.
    """
    partner: dict[int, int] = {}
    for place, one in enumerate(ours):
        same = (at for at, other in enumerate(theirs) if at not in partner.values() and not _count(one, other))
        if (at := next(same, None)) is not None:
            partner[place] = at
    rest = [at for at in range(len(theirs)) if at not in partner.values()]
    open_ = [place for place in range(len(ours)) if place not in partner]
    for _, place, at in sorted((_count(ours[place], theirs[at]), place, at) for place in open_ for at in rest):
        if place not in partner and at not in partner.values():
            partner[place] = at
    yield from ((one, theirs[partner[place]] if place in partner else {}) for place, one in enumerate(ours))
    if theirs and not ours:
        yield {}, theirs[0]


def _called(prefix: str, differences: Differences) -> Differences:
    return ((prefix + name.removeprefix(CONTACT), how) for name, how in differences)


# --------------------------------------------------------------------------- texts


def _count(ours: Texts, theirs: Texts) -> int:
    return sum(1 for _ in _between(ours, theirs))


def _between(ours: Texts, theirs: Texts) -> Differences:
    for name in {**ours, **theirs}:
        one, other = ours.get(name, ""), theirs.get(name, "")
        if not one and not _counts(name):
            continue
        if not (one and other):
            yield name, Difference.MISSING_THERE if one else Difference.NOT_SENT
        elif not same_value(name, one, other):
            yield name, Difference.ANOTHER_VALUE


def _counts(name: str) -> bool:
    """Whether a field that we did not send is worth a word."""
    spec = field_spec(name)
    return spec is not None and spec.sent and not spec.step and not name.startswith(METADATA)


def same_value(name: str, ours: str, theirs: str) -> bool:
    """Whether two texts of a field mean the same; what the server does not show of an id cannot differ."""
    if name in TRUNCATED:
        return _shows(theirs, ours)
    match _kind(name):
        case Kind.PHONE:
            return not _numbers(ours).isdisjoint(_numbers(theirs))
        case Kind.EXTENSION:
            return re.sub(r"\D", "", ours) == re.sub(r"\D", "", theirs)
        case Kind.DATE:
            return _day(ours) == _day(theirs)
        case Kind.EMAIL | Kind.ENUM | Kind.COUNTRY | Kind.STATE | Kind.POSTAL:
            return ours.casefold() == theirs.casefold()
        case _:
            return ours == theirs


def _kind(name: str) -> Kind | None:
    spec = field_spec(name)
    return spec.kind if spec else None


def _numbers(text: str) -> frozenset[str]:
    """What a number can mean; without its `+` it has a country code, or is a national one of North America."""
    digits = re.sub(r"\D", "", text)
    national = not text.startswith("+") and len(digits) <= 10 and not digits.startswith("1")
    return frozenset((digits, f"1{digits}") if national else (digits,))


def _day(text: str) -> str:
    match = _DAY.fullmatch(text)
    return match[1] if match else text


def _shows(shown: str, whole: str) -> bool:
    """Whether what the server shows of an id is a part of it: what is hidden cannot differ."""
    full, *parts = map(_letters, (whole, *_HIDDEN.split(shown)))
    if len(parts) > 1:
        return _holds_in_order(full, parts)
    return parts[0] == full or (len(parts[0]) == _SHOWN_UNMARKED and full.endswith(parts[0]))


def _holds_in_order(full: str, parts: Sequence[str]) -> bool:
    """Whether a text begins and ends with the outer parts, and holds the others between them in their order."""
    first, *inner, last = parts
    at = len(first) if full.startswith(first) else -1
    for part in inner:
        at = full.find(part, at) + len(part) if at >= 0 and part in full[at:] else -1
    return at >= 0 and full.endswith(last) and at <= len(full) - len(last)


def is_shown_in_part(text: str) -> bool:
    """Whether the server hides a part of an id, with or without a mark for it."""
    return _HIDDEN.search(text) is not None or len(_letters(text)) == _SHOWN_UNMARKED


def _letters(text: str) -> str:
    return _NO_SIGN.sub("", text.casefold())


def names_of(differences: Iterable[tuple[str, Difference]]) -> tuple[str, ...]:
    """The fields alone.

    That an address is no longer the primary one of its type is left out: it is still that customer's.
    """
    names = (name for name, _ in differences)
    return tuple(name for name in names if not (name.startswith("addresses.") and name.endswith(f".{MARK}")))
