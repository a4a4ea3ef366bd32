"""Nothing that we sent comes back out: texts of the API are shown only after our values are removed from them.

Never judges and never fails: what cannot be made safe is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

REDACTED: Final = "[…]"
SHOWN_CHARS: Final = 500
READ_CHARS: Final = 16_384
"""A text longer than this is not a message and is not shown at all."""

API_WORDS: Final = frozenset({"INDIVIDUAL", "BUSINESS", "WORK", "HOME", "MOBILE", "MAILING", "PHYSICAL", "SHIPPING"})
"""Words of the API's own, which a message about allowed values needs."""

# What looks like an email, a phone number or a date goes too, even where it is not, letter by letter, what we sent.
_PERSONAL = r"[^\s@<>\"']{1,64}@[^\s@<>\"']{1,255}|\+?\d(?:[\s().-]{0,2}\d){6,}"
_IDENTIFIER = re.compile(r"[\w.:+/=\-]{1,128}")


class Redaction:
    """The values of one payload, and what to do with a text that may repeat them.

    Args:
        sent: the request body; its keys are names of fields, not values.
        secrets: what travelled in headers.
    """

    def __init__(self, sent: Mapping[str, Any], secrets: Iterable[str] = ()) -> None:
        values = {value for value in _texts(sent) if value.strip() and value not in API_WORDS}
        self._values = frozenset(values.union(secrets))
        self._pattern = _pattern(self._values)

    def text(self, text: Any) -> str:
        """Return a text fit to be shown: redacted, one line, of bounded length; empty for what is not text."""
        if isinstance(text, bool) or not isinstance(text, str | int):
            return ""
        whole = str(text)
        if len(whole) > READ_CHARS:
            return ""
        shown = self._pattern.sub(REDACTED, whole)
        shown = " ".join("".join(char if char.isprintable() else " " for char in shown).split())
        return shown if len(shown) <= SHOWN_CHARS else f"{shown[: SHOWN_CHARS - 1]}…"

    def identifier(self, text: Any) -> str:
        """Pass a code or an opaque id on whole, or redacted where it holds what we sent."""
        if not isinstance(text, str) or not _IDENTIFIER.fullmatch(text):
            return self.text(text)
        folded = text.casefold()
        if any(value.casefold() in folded for value in self._values if len(value) > 5):
            return self.text(text)
        return text

    def hides(self, text: str) -> bool:
        """Return whether a text is one of our values."""
        return text in self._values


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value
        if value.startswith("+") and value[1:].isdigit():
            yield value[1:]  # a phone number is echoed with and without its plus
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _pattern(values: frozenset[str]) -> re.Pattern[str]:
    """Build one pattern for all values: long ones anywhere and in any case, short ones as whole words."""
    long = _alternatives([value for value in values if len(value) > 3])
    short = _alternatives([value for value in values if len(value) <= 3])
    parts = [f"(?i:{long})"] if long else []
    if short:
        parts.append(rf"(?<!\w)(?:{short})(?!\w)")
    return re.compile("|".join([*parts, _PERSONAL]))


def _alternatives(values: Sequence[str]) -> str:
    return "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
