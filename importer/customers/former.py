"""Import keys over changes of the rules and of the secret: of a body of then, and of one of today. Pure.

A key is made of normalised values. Whenever a normalisation changes, `KEY_RULE` is raised and the difference is
written down here, so that an upgrade forgets nobody.

Rule 1 read a phone number without a country code in the default region; rule 2 reads it in its row's country. Rule 1
took `="0042"` and `'0042` unchanged, rule 2 takes away what protects a text from spreadsheets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import phonenumbers

from importer.core.contract import Policy, key_of, occurrence_key
from importer.customers.identity import identity_text, search_terms
from importer.customers.phones import read_phone
from importer.customers.places import alpha2
from importer.customers.specs import ADDRESS_TYPES, PHONE_ADDRESSES

_WRAPPED = re.compile(r"""="(.*)"|'([0-9+\-=@].*)""", re.DOTALL)
_MOST_TWINS = 9
"""Rows of one key that are kept apart, where that is allowed; of more the keys are not followed over a change."""


class _Identity(NamedTuple):
    """What a key is made of, taken from a request body."""

    external_id: str
    customer_type: str
    names: tuple[str, ...]
    email: str
    phone: str
    birth_date: str | None

    def key(self, secret: bytes, n: int) -> str:
        """The import key of the n-th row with this identity."""
        key = key_of(secret, identity_text(**self._asdict()))
        return key if n == 1 else occurrence_key(key, n)


def key_today(secret: bytes, body: Mapping[str, Any], key: str, phone: str) -> str:
    """The key that a row has today whose body, and key, were made by rule 1; the same where nothing has changed.

    Args:
        body: as it was sent then.
        phone: what `phone_today` says of it.
    """
    if not phone and not (body.get("externalId") or "").startswith(("=", "'")):
        return key
    found = _identified(secret, body, key)
    if found is None:
        return key
    one, n = found
    wrapped = _WRAPPED.fullmatch(one.external_id)
    external_id = (wrapped[1] or wrapped[2] or "") if wrapped else one.external_id
    return one._replace(external_id=external_id, phone=phone or one.phone).key(secret, n)


def phone_today(body: Mapping[str, Any]) -> str:
    """The number that rule 2 reads where rule 1 took a national one for the default region's; "" where it cannot be."""
    number, country = search_terms(body).phone, _country_of(body)
    home = alpha2(country) if country else ""
    if not home or number.startswith(f"+{phonenumbers.country_code_for_region(home)}"):
        return ""
    try:
        code = phonenumbers.parse(number, None).country_code
    except phonenumbers.NumberParseException:
        return ""
    read = read_phone(number.removeprefix(f"+{code}"), Policy(phone="valid", region=None), country)
    return "" if read.error else read.value


def keys_of_then(secret: bytes, body: Mapping[str, Any], key: str, region: str | None) -> Iterator[str]:
    """The keys that rule 1 may have given to a row whose body, and key, are of today.

    Args:
        region: the default region that was assumed then.
    """
    found = _identified(secret, body, key)
    if found is None:
        return
    one, n = found
    if one.external_id:
        for wrapped in (f'="{one.external_id}"', f"'{one.external_id}"):
            yield one._replace(external_id=wrapped).key(secret, n)
        return
    for phone in _phones_of_then(one.phone, region):
        yield one._replace(phone=phone).key(secret, n)


def keys_under(secrets: Sequence[bytes], body: Mapping[str, Any], key: str) -> Sequence[str]:
    """The key of a row as each of these secrets makes it; nothing where none of them has made its key of this body."""
    contacts = body.get("contacts") or ()
    for one_body in (body, *({**body, "contacts": [one]} for one in contacts)):
        for secret in secrets:
            if found := _identified(secret, one_body, key):
                one, n = found
                return [one.key(other, n) for other in secrets]
    return ()


def _phones_of_then(number: str, region: str | None) -> Iterator[str]:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return
    code = phonenumbers.country_code_for_region(region or "ZZ")
    if code and code != parsed.country_code:
        national = phonenumbers.national_significant_number(parsed)
        home = phonenumbers.region_code_for_number(parsed) or "ZZ"
        trunk = phonenumbers.ndd_prefix_for_region(home, strip_non_digits=True) or ""
        yield from dict.fromkeys((f"+{code}{national}", f"+{code}{trunk}{national}"))


def _identified(secret: bytes, body: Mapping[str, Any], key: str) -> tuple[_Identity, int] | None:
    """Find out how a key came from a body: whether birth dates were mapped, and which of several twins it was."""
    person, terms = body, search_terms(body)
    names = ("firstName", "lastName")
    first: tuple[str, ...] = ()
    if contacts := body.get("contacts"):
        person = next((one for one in contacts if one.get("primary")), contacts[0])
        first = (body.get("businessName") or "",)
    known = _Identity(
        external_id=body.get("externalId") or "",
        customer_type=terms.type,
        names=(*first, *(person.get(name) or "" for name in names)),
        email=terms.email,
        phone=terms.phone,
        birth_date=body.get("dateOfBirth"),
    )
    for one in (known, known._replace(birth_date="")):
        for n in range(1, _MOST_TWINS + 1):
            if one.key(secret, n) == key:
                return one, n
    return None


def _country_of(body: Mapping[str, Any]) -> str:
    """The row's own country, as `read_phone` looks for it."""
    addresses = {one.get("type"): one.get("countryCode") or "" for one in body.get("addresses") or ()}
    return next(filter(None, (addresses.get(ADDRESS_TYPES[word], "") for word in PHONE_ADDRESSES)), "")
