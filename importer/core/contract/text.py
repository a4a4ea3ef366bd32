"""Any text made fit to be sent: spaces, line breaks, invisible signs and Unicode form, each change named.

Signs with which programs protect a text from spreadsheets (`="02138"`, `'02138`) are taken away.

Letters are never altered: smart quotes, accents, capitals and every script stay as they are.
"""

from __future__ import annotations

import re
from unicodedata import is_normalized, normalize

from importer.core.contract.reading import Reading

REPLACEMENT_SIGN = "\ufffd"

_UNREADABLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_LINE_BREAK = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
_WIDE_SPACE = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# The joiners shape letters in Arabic, Persian and the Indic scripts: between two such letters they stay.
_JOINING = "\u0590-\u1fff\ua800-\uabff"
_INVISIBLE = re.compile(
    "[\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
    f"|(?<![{_JOINING}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINING}])"
)

_FORMULA_TEXT = re.compile(r'=\s*"((?:[^"]|"")*)"')
_APOSTROPHES = re.compile(r"'+(?=[0-9+\-=@])")
"""Before a letter an apostrophe belongs to the text: `'t Hooft`."""


def unprotected(text: str) -> str:
    """Take away what protects a trimmed text from spreadsheets: `="02138"`, and an apostrophe as in `'02138`."""
    while text[:1] in ("'", "="):
        formula, marked = _FORMULA_TEXT.fullmatch(text), _APOSTROPHES.match(text)
        if formula is not None:
            text = formula[1].replace('""', '"').strip(" ")
        elif marked is not None:
            text = text[marked.end() :]
        else:
            break
    return text


def is_clean(text: str) -> bool:
    """Return whether `clean` would pass the text through without a note; quick, and True only where that is sure."""
    return (
        text.isprintable()
        and text[:1] != " "
        and text[-1:] != " "
        and (text[:1] not in ("'", "=") or unprotected(text) == text)
        and (text.isascii() or (REPLACEMENT_SIGN not in text and is_normalized("NFC", text)))
    )


def clean(text: str) -> Reading:
    """Normalise spaces, line breaks, invisible signs and Unicode form, and trim; doing it twice changes nothing."""
    if is_clean(text):
        return Reading(text)
    if _UNREADABLE.search(text):
        return Reading("", error="text_unreadable")
    reading = Reading(text)
    reading = reading.then("line_break_to_space", _LINE_BREAK.sub(" ", reading.value))
    reading = reading.then("nbsp_to_space", _WIDE_SPACE.sub(" ", reading.value))
    reading = reading.then("zero_width_removed", _INVISIBLE.sub("", reading.value))
    reading = reading.then("unicode_nfc", normalize("NFC", reading.value))
    reading = reading.then("trim", reading.value.strip(" "))
    reading = reading.then("protection_removed", unprotected(reading.value))
    return reading.warn("text_damaged") if REPLACEMENT_SIGN in text else reading


def is_blank(text: str) -> bool:
    """Whether nothing would be left of a text; a text of control characters is not blank but unreadable."""
    if not text or text[0].isalnum():
        return not text
    reading = clean(text)
    return not (reading.value or reading.error)
