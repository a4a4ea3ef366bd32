"""Who a customer is: what import keys are made of, and what customers are looked up by.

Keys are keyed hashes: they show that two rows are equal, and nothing else about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from importer.core.contract.keyed_hashes import SEPARATOR, key_of

KEY_RULE = 2
"""The rule by which keys are made today; what earlier ones did is written down in `former`."""


def import_key(
    secret: bytes,
    *,
    external_id: str = "",
    customer_type: str = "",
    names: tuple[str, ...] = (),
    email: str = "",
    phone: str = "",
    birth_date: str | None = None,
) -> str:
    """Compute the identity of a customer, the same in every run that has the same secret.

    Args:
        secret: the workspace's key, at most 64 bytes.
        external_id: where given, the only thing that counts.
        names: first and last name, or the business's name and its contact's; capitals do not count.
        email: normalised; capitals do not count.
        phone: in E.164.
        birth_date: ISO date, "" where blank; None where birth dates are not mapped.

    Returns:
        32 hexadecimal characters.
    """
    text = identity_text(
        external_id=external_id,
        customer_type=customer_type,
        names=names,
        email=email,
        phone=phone,
        birth_date=birth_date,
    )
    return key_of(secret, text)


def identity_text(
    *,
    external_id: str,
    customer_type: str,
    names: tuple[str, ...],
    email: str,
    phone: str,
    birth_date: str | None,
) -> str:
    """Write down what an import key is computed from."""
    if external_id:
        return SEPARATOR.join(("externalId", external_id))
    born = () if birth_date is None else (birth_date,)
    return SEPARATOR.join((customer_type, *map(str.casefold, names), email.lower(), phone, *born))


class SearchTerms(NamedTuple):
    """What a customer can be looked up by; "" where there is no such thing."""

    email: str
    phone: str
    type: str


def search_terms(payload: Mapping[str, Any]) -> SearchTerms:
    """Take from a request body what the API's list filters by; a business is found by its main contact."""
    person: Mapping[str, Any] = payload
    if contacts := payload.get("contacts"):
        person = next((one for one in contacts if one.get("primary")), contacts[0])
    return SearchTerms(
        email=(person.get("primaryEmail") or {}).get("value") or "",
        phone=(person.get("primaryPhoneNumber") or {}).get("number") or "",
        type=payload.get("type") or "",
    )
