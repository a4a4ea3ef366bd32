"""Whether two customers may be the same person: keyed hashes of what they have in common. Pure.

A likeness is a hint, never an identity: families share phones, and people share names. Names are compared by
their letters alone, references without case and leading zeros; so accents, hyphens, apostrophes and blanks that a
program lost or changed on the way do not hide a customer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from unicodedata import normalize

from importer.core.contract.identity import Likeness
from importer.core.contract.keyed_hashes import SEPARATOR, prints
from importer.customers.identity import search_terms

EMAIL, PHONE, NAME, NAME_BIRTH, EXTERNAL_ID = "email", "phone", "name", "name_birth", "external_id"
LIKENESSES: Mapping[str, Likeness] = MappingProxyType(
    {
        EMAIL: Likeness(
            ("primaryEmail.value", "contacts.primary.primaryEmail.value"), code="duplicate_email", words="email"
        ),
        PHONE: Likeness(
            ("primaryPhoneNumber.number", "contacts.primary.primaryPhoneNumber.number"),
            code="duplicate_phone",
            words="phone",
        ),
        NAME_BIRTH: Likeness(("lastName",), code="duplicate_name_birth", words="name and birth date"),
        "business": Likeness(("businessName",), code="business_repeated"),
        EXTERNAL_ID: Likeness(("externalId",), words="reference but for its writing"),
    }
)
"""Kinds of likeness that may mean the same customer."""
KINDS: Mapping[str, str] = MappingProxyType({kind: one.words for kind, one in LIKENESSES.items() if one.words})
"""Kinds that are compared with earlier runs, and what they are called in a sentence."""
PERSONAL = (NAME, EMAIL, PHONE)
"""Kinds by which persons differ under one reference: who shares none of them is another person."""
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h", "ŧ": "t"}
)
_NO_LETTERS = {code: None for code in range(128) if not chr(code).isalnum() and chr(code) != "\n"}
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def folded_name(*parts: str) -> str:
    """Write down a name by its letters and digits alone; "" where a part has none."""
    letters = list(map(_letters, parts))
    return SEPARATOR.join(letters) if all(letters) else ""


def folded_names(*columns: Sequence[str]) -> list[str]:
    """The same for whole columns of names."""
    letters = list(map(_letters_of, columns))
    if len(letters) == 1:
        return letters[0]
    return [SEPARATOR.join(parts) if all(parts) else "" for parts in zip(*letters, strict=True)]


def _letters_of(column: Sequence[str]) -> list[str]:
    whole = "\n".join(column)
    if not whole.isascii() or whole.count("\n") >= len(column):
        return list(map(_letters, column))
    return whole.casefold().translate(_NO_LETTERS).split("\n") if column else []


def _letters(text: str) -> str:
    if not text.isascii():
        text = normalize("NFKD", text)
    return "".join(filter(str.isalnum, text.casefold())).translate(_PLAIN)


def folded_reference(text: str) -> str:
    """Write down an externalId without case, blanks and leading zeros."""
    return _LEADING_ZEROS.sub("", "".join(text.casefold().split()))


def prints_of(secret: bytes, body: Mapping[str, Any], kinds: Collection[str] = (*KINDS, NAME)) -> dict[str, int]:
    """Hash what a request body has of some kinds; 0 where it has nothing."""
    terms = search_terms(body)
    name = _name_of(body)
    born = body.get("dateOfBirth") or ""
    texts = {
        EMAIL: terms.email.lower(),
        PHONE: terms.phone,
        NAME: name,
        NAME_BIRTH: f"{name}{SEPARATOR}{born}" if name and born else "",
        EXTERNAL_ID: folded_reference(body.get("externalId") or ""),
    }
    return {kind: prints(secret, kind, [texts[kind]])[0] for kind in kinds}


def _name_of(body: Mapping[str, Any]) -> str:
    if body.get("type") == "BUSINESS":
        return folded_name(body.get("businessName") or "")
    return folded_name(body.get("firstName") or "", body.get("lastName") or "")
