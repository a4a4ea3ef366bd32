"""Email addresses, as `email-validator` judges them: syntax only, no question to the network.

The library's limit of 254 bytes (what a mail server can accept) is kept, although the API would take
320: a longer address can never receive a message. Domains in other scripts are sent in their ASCII
form, since the API declares the plain `email` format. `example.com` and its kin are accepted.

What programs put around an address (a name, angle brackets, `mailto:`, a full stop) is taken away. Nothing inside an
address is ever guessed: what is wrong there is refused with its cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, ValidatedEmail, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from importer.core.contract import Reading
from importer.core.contract.text import clean

MAX_BYTES = 254
_LONGEST_NAME = 400
"""Names before an address are looked for in texts up to this length, in characters."""


def read_email(text: str) -> Reading:
    """Read an email address; its domain comes out in lower case and ASCII."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    reading = _bare(reading)
    if len(reading.value.encode()) > MAX_BYTES:
        return reading.refuse("email_two_addresses" if _are_two(reading.value) else "email_too_long")
    try:
        found = validate_email(reading.value, check_deliverability=False)
    except EmailNotValidError:
        return reading.refuse(_cause(reading.value))
    return _normalised(reading, found)


# --------------------------------------------------------------------------- what is around an address

_NAMED = re.compile(r"""([^<>]*)<\s*([^<>]*?)\s*>""")
_MAILTO = re.compile(r"mailto:\s*([^?]*)(?:\?.*)?", re.IGNORECASE)
_QUOTED = re.compile(r"""(["'])([^"'\s]*@[^"'\s]*)\1""")
_ENDS = " ;,.\u034f\u115f\u1160\u2800\u3164\ufe00\ufe01\ufe0e\ufe0f\uffa0"
"""What is taken away at an end: what separates addresses in a list, and signs that cannot be seen."""
_STARTS = _ENDS.replace(".", "")


def _bare(reading: Reading) -> Reading:
    """Take away what is around an address, one layer after the other; each is a step of its own."""
    before = ""
    while before != reading.value:
        before = reading.value
        reading = reading.then("email_ends_removed", before.rstrip(_ENDS).lstrip(_STARTS))
        if mailto := _MAILTO.fullmatch(reading.value):
            reading = reading.then("email_mailto_removed", mailto[1])
        named = _NAMED.fullmatch(reading.value) if len(reading.value) <= _LONGEST_NAME else None
        if named and _is_name_of(named[1], named[2]):
            reading = reading.then("email_name_removed", named[2])
        if quoted := _QUOTED.fullmatch(reading.value):
            reading = reading.then("email_quotes_removed", quoted[2])
    return reading


def _is_name_of(name: str, address: str) -> bool:
    """Whether a text before an address only names it: a second address there would be lost."""
    own = address.lower().removeprefix("mailto:")
    others = (piece.strip("\"'").lower() for piece in _BETWEEN_ADDRESSES.split(name))
    return "@" in address and not any(_LIKE_AN_ADDRESS.fullmatch(other) and other != own for other in others)


# --------------------------------------------------------------------------- what is wrong with an address

_SPELLED_AT = r"[\[({<]\s*at\s*[\])}>]|\s+at\s+|\uff20|\ufe6b"
_BETWEEN_ADDRESSES = re.compile(r"[\s,;|/&<>]+|\bor\b|\band\b")
_LIKE_AN_ADDRESS = re.compile(r"[^@]+@[^@]+\.[^@]+")


def _are_two(text: str) -> bool:
    pieces = _BETWEEN_ADDRESSES.split(text)
    return sum(map(bool, map(_LIKE_AN_ADDRESS.fullmatch, pieces))) > 1


def _is_reserved(text: str) -> bool:
    domain = "." + text.partition("@")[2].lower()
    return any(domain.endswith(f".{reserved}") for reserved in SPECIAL_USE_DOMAIN_NAMES)


_CAUSES: Sequence[tuple[str, Callable[[str], object]]] = (
    ("email_two_addresses", _are_two),
    ("email_at_spelled", re.compile(rf"[^@]*(?:{_SPELLED_AT})[^@]*", re.IGNORECASE).fullmatch),
    ("email_invalid", re.compile(r"[^@]*").fullmatch),
    ("email_at_twice", re.compile(r"@[^@]*@").search),
    ("email_incomplete", re.compile(r"^[ .]*@|@[ .]*$").search),
    ("email_space", re.compile(" ").search),
    ("email_dots", re.compile(r"\.\.|^\.|\.@|@\.").search),
    ("email_sign", re.compile(r"""["(),:;<>\[\]\\]|@.*[\x00-,/:-@\[-`{-\x7f]""").search),
    ("email_dot_missing", re.compile(r"@[^.]*$").search),
    ("email_domain_reserved", _is_reserved),
)
"""What can be wrong with a text of one line, and how it is seen; the first that fits is the cause."""


def _cause(text: str) -> str:
    """Say what is wrong with a text that is not an address."""
    return next((code for code, fits in _CAUSES if fits(text)), "email_domain_invalid")


# --------------------------------------------------------------------------- what an address becomes


def _normalised(reading: Reading, found: ValidatedEmail) -> Reading:
    local, _, domain = reading.value.rpartition("@")
    reading = reading.then("email_domain_lower", f"{local}@{domain.lower()}")
    reading = reading.then("email_domain_ascii", f"{local}@{found.ascii_domain}")
    reading = reading.then("email_mailbox_lower", f"{found.local_part}@{found.ascii_domain}")
    if len(reading.value.encode()) > MAX_BYTES:
        return reading.refuse("email_too_long")
    return reading if reading.value.isascii() else reading.warn("email_international")


_ATEXT = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
PLAIN = re.compile(rf"(?!['=])({_ATEXT}(?:\.{_ATEXT})*)@([A-Za-z0-9.-]+)")
"""Addresses in ASCII without quotes, and without a sign at their start that may only protect them: the local part, the
domain (to be judged by `is_plain_domain`)."""
_PLAIN_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}(?<=[a-z])")


@lru_cache(maxsize=16_384)
def is_plain_domain(domain: str) -> bool:
    """Whether a domain in lower case is surely one that the library accepts unchanged."""
    if _PLAIN_DOMAIN.fullmatch(domain) is None:
        return False
    return not any(domain.endswith(f".{reserved}") for reserved in SPECIAL_USE_DOMAIN_NAMES)


def quick_email(text: str) -> Reading | None:
    """Read a plain ASCII address without the library, to the very same reading; None where that takes the library."""
    found = PLAIN.fullmatch(text)
    if found is None or len(text) > MAX_BYTES or not is_plain_domain(found[2].lower()):
        return None
    local, domain = found[1], found[2].lower()
    mailbox = local.lower() if local.lower() in CASE_INSENSITIVE_MAILBOX_NAMES else local
    reading = Reading(text).then("email_domain_lower", f"{local}@{domain}")
    return reading.then("email_mailbox_lower", f"{mailbox}@{domain}")
