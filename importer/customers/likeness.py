"""Whether two customers may be the same person: keyed hashes of what they have in common. Pure.

A likeness is a hint, never an identity: families share phones, and people share names. Names are compared by
their letters alone, references without case and leading zeros; so accents, hyphens, apostrophes and blanks that a
program lost or changed on the way do not hide a customer.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Any
from unicodedata import normalize

from importer.customers.identity import SEPARATOR, search_terms

PRINT_BYTES = 8
EMAIL, PHONE, NAME, NAME_BIRTH, EXTERNAL_ID = "email", "phone", "name", "name_birth", "external_id"
KINDS: Mapping[str, str] = MappingProxyType(
    {EMAIL: "email", PHONE: "phone", NAME_BIRTH: "name and birth date", EXTERNAL_ID: "reference but for its writing"}
)
"""Kinds of likeness that may mean the same customer, and what they are called in a sentence."""
PERSONAL = (NAME, EMAIL, PHONE)
"""Kinds that tell persons apart under one reference: whoever shares none of them is another one."""
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h", "ŧ": "t"}
)
_NO_LETTERS = {code: None for code in range(128) if not chr(code).isalnum() and chr(code) != "\n"}
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_MARK_DIGITS = 8


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


def prints(secret: bytes, kind: str, texts: Iterable[str]) -> array[int]:
    """Hash a column of texts to 64 bits each; 0 where a text is blank.

    Args:
        secret: the workspace's key, at most 64 bytes: without it nobody can try out addresses or numbers.
    """
    begin, blank = _begun(secret, kind).copy, bytes(PRINT_BYTES)
    digests: list[bytes] = []
    for text in texts:
        if text:
            one = begin()  # begun once, the secret is not hashed again for every text
            one.update(text.encode())
            digests.append(one.digest())
        else:
            digests.append(blank)
    found = array("q")
    found.frombytes(b"".join(digests))
    return found


@lru_cache(64)
def _begun(secret: bytes, kind: str) -> blake2b:
    return blake2b(f"{kind}{SEPARATOR}".encode(), key=secret, digest_size=PRINT_BYTES)


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


def person_of(found: Mapping[str, int]) -> str:
    """Write down who stands under a reference: some digits of each personal likeness."""
    return "".join([f"{found.get(kind, 0) % 16**_MARK_DIGITS:0{_MARK_DIGITS}x}" for kind in PERSONAL])


def is_another(person: str, other: str) -> bool:
    """Tell whether two persons have nothing in common; False where nothing of both is known."""
    pairs = zip(_marks(person), _marks(other), strict=False)
    known = [(mine, theirs) for mine, theirs in pairs if int(mine, 16) and int(theirs, 16)]
    return bool(known) and not any(mine == theirs for mine, theirs in known)


def _marks(person: str) -> Sequence[str]:
    return [person[at : at + _MARK_DIGITS] for at in range(0, len(person), _MARK_DIGITS)]
