"""Which accented letters belong together in one language: what tells one-byte encodings apart. Data and one test."""

from __future__ import annotations

import re

_WESTERN = (
    "áéíóúüñçïàèòªº",  # Spanish, Catalan
    "àâæçèéêëîïôœùûüÿ",  # French
    "áàâãçéêíóôõúü",  # Portuguese
    "äöüßéèàáóñç",  # German, with the names it borrows
    "æøåäöéüèó",  # Danish, Norwegian, Swedish, Finnish
    "àèéìíòóùú",  # Italian
    "áéíóúàèëïöüêçñ",  # Dutch, English with its loans
    "áæðéíóöúýþ",  # Icelandic
    "šžõäöü",  # Estonian
)
_CENTRAL = (
    "áäčďéěíĺľňóôŕřšťúůýžöü",  # Czech, Slovak
    "ąćęłńóśźż",  # Polish
    "áéíóöőúüű",  # Hungarian
    "ăâîşţșțșț",  # Romanian
    "čćđšž",  # Croatian, Slovene
)
_TURKISH = ("çğ\u0131iöşüâîû\u0307",)

CANDIDATES: dict[str, tuple[str, ...]] = {
    "cp1252": _WESTERN,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1254": _TURKISH,
}
"""One-byte encodings, the commonest first (it wins a draw), with the alphabets that are written in them."""

_EDGES = "\u2018\u2019\u201a\u2013\u2014“”„'\"…•·€£¥¢™®©°§«»¡¿†\xa0º²³½¼¾±¶\xad"
_DASHES = "\u2013\u2014"
_APOSTROPHES = "'\u2018\u2019"
_HUMP = re.compile(r"(?<=[a-zß-ÿœšž])[À-ÞŒŠŽŸ]|[ß-ÿœšž](?=[A-Z])")
"""A capital with an accent after a small letter, or the reverse: wrongly decoded names look like that."""


def explained(word: str, codec: str) -> bool:
    """Tell whether a word with accents makes sense in one of the languages written in an encoding."""
    core = word.strip(_EDGES)
    if not core or core.isascii():
        return not _inside(word)
    if _HUMP.search(core) or _inside(core):
        return False
    letters = {letter for letter in core.casefold() if not letter.isascii() and letter not in _APOSTROPHES + "-"}
    sharp = "ß" in core.lower()
    letters |= {"ß"} if sharp else set()
    return _mostly_ascii(core) and any(letters <= set(alphabet) for alphabet in CANDIDATES[codec])


def _mostly_ascii(core: str) -> bool:
    strange = sum(not letter.isascii() for letter in core)
    return len(core) <= 2 or strange <= 0.75 * len(core)


def _inside(core: str) -> bool:
    """Whether punctuation stands where only a letter can: a dash before a small letter, any other sign in a word."""
    for i in range(1, len(core) - 1):
        sign = core[i]
        if sign in _DASHES and core[i + 1].islower():
            return True
        if not (sign.isalpha() or sign in _APOSTROPHES + "-\xad\xa0" or sign in _DASHES):
            return True
    return False
