"""Email addresses, as `email-validator` judges them: syntax only, no question to the network.

The library's limit of 254 bytes (what a mail server can accept) is kept, although the API would take
320: a longer address can never receive a message. Domains in other scripts are sent in their ASCII
form, since the API declares the plain `email` format. `example.com` and its kin are accepted.
"""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, ValidatedEmail, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from importer.customers.reading import Reading
from importer.customers.text import clean

MAX_BYTES = 254


def read_email(text: str) -> Reading:
    """Read an email address; its domain comes out in lower case and ASCII."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    if len(reading.value.encode()) > MAX_BYTES:
        return reading.refuse("email_too_long")
    try:
        found = validate_email(reading.value, check_deliverability=False)
    except EmailNotValidError:
        return reading.refuse("email_invalid")
    return _normalised(reading, found)


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
PLAIN = re.compile(rf"({_ATEXT}(?:\.{_ATEXT})*)@([A-Za-z0-9.-]+)")
"""Addresses in ASCII without quotes: the local part, the domain (to be judged by `is_plain_domain`)."""
_ATEXT_LOWER = _ATEXT.replace("A-Z", "")
PLAIN_LOWER = re.compile(rf"{_ATEXT_LOWER}(?:\.{_ATEXT_LOWER})*@([a-z0-9.-]+)")
"""The same in lower case only: nothing of them is ever altered. The domain."""
_PLAIN_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}(?<=[a-z])")


@lru_cache(maxsize=16_384)
def is_plain_domain(domain: str) -> bool:
    """Tell whether a domain in lower case is surely one that the library accepts as it stands."""
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
