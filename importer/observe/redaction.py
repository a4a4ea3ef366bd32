"""The last safeguard of every log: whatever looks like a secret or personal data is redacted.

No code should log such a thing in the first place. Names of people have no pattern, so this cannot find them in free
text: that is why events hold numbers, codes and ids only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

SECRET = "[secret]"  # noqa: S105  (what replaces a secret)
PERSONAL = "[personal]"
EMAIL = "[email]"
PHONE = "[phone]"

_SECRET_KEY = re.compile(
    r"secret|passw|token(?!s$)|authoriz|api[-_]?key|cookie|credential|private[-_]?key|bearer", re.IGNORECASE
)
_PERSONAL_KEY = re.compile(
    r"(first|last|middle|full|given|family|business|legal)_?name|e_?mail|phone|birth|\bdob\b|ssn|social_?id|street"
    r"|address|zip_?code|payload|\bbody\b|\bcells?\b|\bvalues?\b|\bbefore\b|\bafter\b",
    re.IGNORECASE,
)
_ID_KEYS = frozenset({"run_id", "timestamp", "trace_id", "customer_id", "where", "frames", "version"})

_SECRETS = (
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE), rf"\1 {SECRET}"),
    (re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]+){1,2}"), SECRET),
    (re.compile(r"://[^/@\s]+@"), f"://{SECRET}@"),
    (
        re.compile(r"((?:secret|password|token|api[-_]?key)[\"']?\s*[=:]\s*)[\"']?[^\s\"'&,;]+", re.IGNORECASE),
        rf"\1{SECRET}",
    ),
)
_EMAIL = re.compile(r"[^\s@<>\"'(),;:=\[\]{}|]+(?:@|%40)[^\s@<>\"'(),;:=\[\]{}|&/]+\.[^\s@<>\"'(),;:=\[\]{}|&/]+")
_PHONE = re.compile(r"(?<![\w.-])(?:\+|%2B)?\(?\d(?:[\d().\s/-]{5,22})\d(?![\w-])")
_PHONE_DIGITS = range(7, 16)
_LARGEST_COUNT = 10**9
_MEASURED = ("_s", "_ms", "_bytes", "_at", "seconds")


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact secrets and personal data in a log entry, at any depth (a structlog processor)."""
    for key in list(event):
        if not key.startswith("_"):  # the logging library's own
            event[key] = _value(key, event[key])
    return event


def _value(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if _SECRET_KEY.search(key):
        return SECRET
    if _PERSONAL_KEY.search(key):
        return PERSONAL
    if isinstance(value, int):
        return value if abs(value) < _LARGEST_COUNT or key.endswith(_MEASURED) else PHONE
    return _composite(key, value)


def _composite(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {redact_text(str(name)): _value(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(key, inner) for inner in value]
    if isinstance(value, bytes | bytearray):
        return PERSONAL
    return redact_text(str(value), ids=key in _ID_KEYS)


def redact_text(text: str, *, ids: bool = False) -> str:
    """Redact secrets, e-mail addresses and phone numbers in a text.

    Args:
        text: any text.
        ids: the text is an id, a time or a place in the code: long numbers in it are not phone numbers.
    """
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    text = _EMAIL.sub(EMAIL, text)
    return text if ids else _PHONE.sub(_phone, text)


def _phone(match: re.Match[str]) -> str:
    digits = sum(character.isdigit() for character in match[0])
    return PHONE if digits in _PHONE_DIGITS else match[0]
