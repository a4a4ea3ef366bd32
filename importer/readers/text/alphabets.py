"""Which accented letters belong together in one language, and in which encodings it is written. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SHARED = frozenset("áéíóúöüâîç")
"""Letters of many languages, at the same place in many encodings: they prove little."""


@dataclass(frozen=True, slots=True)
class Language:
    """The letters beyond a to z that a language is written with.

    Args:
        letters: all of them, in lower case.
        alone: those of them that another encoding has at the place of another language's common letter. They count
            only in a file that also has letters of this language that are neither these nor `SHARED`.
    """

    letters: frozenset[str]
    alone: frozenset[str] = frozenset()

    def letters_in(self, file: frozenset[str]) -> frozenset[str]:
        """The letters of this language that count in a file with these letters."""
        return self.letters if file & (self.letters - self.alone - SHARED) else self.letters - self.alone


def _language(letters: str, alone: str = "") -> Language:
    return Language(frozenset(letters), frozenset(alone))


_WESTERN = (
    _language("áéíóúüñçïàòªº"),  # Spanish, Catalan
    _language("àâæçèéêëîïôœùûüÿ", alone="ÿ"),  # French
    _language("áàâãçéêíóôõúü"),  # Portuguese
    _language("äöüßéèàáóñç"),  # German, with the names that it borrows
    _language("æøåäöéüèó"),  # Danish, Norwegian, Swedish, Finnish
    _language("àèéìíòóùú"),  # Italian
    _language("áéíóúàèëïöüêçñ"),  # Dutch, English with its loans
    Language(frozenset("áæðéíóöúýþ"), frozenset("ðýþ")),  # Icelandic: Turkish has others at these places
    _language("šžõäöü", alone="šž"),  # Estonian
)
_CENTRAL = (
    _language("áäčďéěíĺľňóôŕřšťúůýžöü", alone="ý"),  # Czech, Slovak
    _language("ąćęłńóśźż"),  # Polish
    _language("áéíóöőúüű"),  # Hungarian
    _language("ăâîşţșț", alone="ţ"),  # Romanian
    _language("čćđšž", alone="đ"),  # Croatian, Slovene
)
_TURKISH = (_language("çğ\u0131iöşüâîû\u0307"),)  # the last one is what a capital I with a dot leaves behind
_BALTIC = (
    _language("ąčęėįšųūž", alone="šž"),  # Lithuanian
    _language("āčēģīķļņšūž", alone="šž"),  # Latvian
)

LATIN: Mapping[str, tuple[Language, ...]] = MappingProxyType(
    {
        "cp1252": _WESTERN,
        "mac_roman": _WESTERN,
        "cp850": _WESTERN,
        "cp1250": _CENTRAL,
        "iso8859_2": _CENTRAL,
        "cp852": _CENTRAL,
        "cp1254": _TURKISH,
        "cp857": _TURKISH,
        "cp1257": _BALTIC,
    }
)
"""One-byte encodings of Latin letters, the commonest first, with the languages that are written in them."""

OTHER_SCRIPTS: Mapping[str, str] = MappingProxyType(
    {
        "cp1251": "CYRILLIC",
        "koi8_r": "CYRILLIC",
        "cp1253": "GREEK",
        "cp1255": "HEBREW",
        "cp1256": "ARABIC",
        "cp874": "THAI",
        "cp866": "CYRILLIC",
        "iso8859_5": "CYRILLIC",
        "iso8859_7": "GREEK",
    }
)
"""One-byte encodings of other scripts, the commonest first, each with the word that begins the names of its letters."""

HUNGARIAN = frozenset("őű")
"""Read as Western, these are õ and û, which French and Portuguese names have as well."""
