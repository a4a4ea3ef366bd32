"""How well the words of a file read in one encoding: do their letters make sense, and where can they not be right?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from importer.readers.text.alphabets import HUNGARIAN, LATIN, OTHER_SCRIPTS, Language

_OPENING = frozenset("'\"“„\u2018«¿¡\u2013\u2014")
_CLOSING = frozenset("'\"”\u2019»®™\u2013\u2014")
_LOW_QUOTES = {"„": "“"}
"""Quotation marks of German and Polish: opened below, closed by what opens in English."""
_ORDINALS = frozenset("°ºª")
"""Next to a short word only, as in `Nº 5`; elsewhere they are letters of another encoding."""
_SQUARED = frozenset({"m²", "m³", "km²", "cm²"})
_INSIDE = frozenset("'\u2018\u2019-\u2013\u2014")
_SEPARATORS = re.compile("[\xa0\xad]")
_SHARE_EXPLAINED = 0.8
_SHARE_IMPOSSIBLE = 0.01
_ONE_LANGUAGE = 0.95
_OFTEN = 0.1


@dataclass(frozen=True, slots=True)
class Spelling:
    """The words of a file, read in one encoding.

    Args:
        words: the words with letters beyond ASCII.
        explained: the share of them with all letters in one language, 0 to 1.
        one_language: the share that the best single language explains.
        impossible: the share that cannot be right: a symbol next to or inside the word, a capital behind a small
            letter, a letter that belongs to no language of the file's other letters.
    """

    codec: str
    words: tuple[str, ...]
    explained: float
    one_language: float
    impossible: float

    @property
    def is_plausible(self) -> bool:
        """Whether the file may be written in this encoding."""
        return self.explained >= _SHARE_EXPLAINED and self.impossible <= _SHARE_IMPOSSIBLE


def spellings(words: Sequence[bytes]) -> list[Spelling]:
    """Read the words in every encoding of Latin letters; returns the plausible readings, the best first.

    Of several that are plausible, cp1252 is the best: it is by far the commonest. Only a file that Hungarian alone
    explains is more likely Hungarian.
    """
    found = [reading for codec in LATIN if (reading := _spelling(words, codec)).is_plausible]
    found.sort(key=lambda one: -one.one_language)
    western = next((one for one in found if one.codec == "cp1252"), None)
    if western is not None and not _is_rather_hungarian(western, found):
        found.remove(western)
        found.insert(0, western)
    return found


def scripts(words: Sequence[bytes]) -> list[str]:
    """Name the encodings in which all words are letters of the encoding's own script."""
    return [codec for codec, script in OTHER_SCRIPTS.items() if _is_of(script, words, codec)]


def latin_ones(words: Sequence[bytes]) -> list[str]:
    """Name the encodings of Latin letters in which every word could be one of some language, however doubtful."""
    return [codec for codec, languages in LATIN.items() if _all_of(languages, words, codec)]


def is_latin(text: str) -> bool:
    """Whether most of a text's letters beyond ASCII are Latin ones: no statistics distinguish those encodings."""
    letters = [sign for sign in text if sign.isalpha() and not sign.isascii()]
    latin = sum(unicodedata.name(sign, "").startswith("LATIN") for sign in letters)
    return latin > len(letters) / 2


def is_spelled(text: str) -> bool:
    """Whether no word of a text is one that a wrong encoding makes."""
    pieces = (piece for piece in re.split(r"[\s,;|\t\"]+", text) if not piece.isascii())
    return not any(_is_impossible(piece) for piece in pieces)


def _spelling(words: Sequence[bytes], codec: str) -> Spelling:
    decoded, undecodable = _decoded(words, codec)
    pieces = [piece for word in decoded for piece in _SEPARATORS.split(word)]
    quotes = "".join(pieces)
    pieces = [piece for piece in pieces if any(letter.isalpha() for letter in piece) and not piece.isascii()]
    languages = LATIN[codec]
    file = frozenset(letter for piece in pieces for letter in piece.casefold() if not letter.isascii())
    alphabets = [language.letters_in(file) for language in languages]
    impossible = [piece for piece in pieces if _is_impossible(piece, quotes) or _is_alone(piece, languages, alphabets)]
    total = max(1, len(pieces) + undecodable)
    wrong = set(impossible)
    ours = [_letters(piece) for piece in pieces if piece not in wrong and _is_mostly_ascii(piece)]
    by_language = [sum(letters <= alphabet for letters in ours) / total for alphabet in alphabets]
    explained = sum(any(letters <= alphabet for alphabet in alphabets) for letters in ours) / total
    if not pieces and not undecodable:  # symbols only, next to no word
        return Spelling(codec, (), 1.0, 1.0, 0.0)
    return Spelling(codec, tuple(pieces), explained, max(by_language), (len(impossible) + undecodable) / total)


def _decoded(words: Iterable[bytes], codec: str) -> tuple[list[str], int]:
    found, undecodable = [], 0
    for word in words:
        try:
            found.append(word.decode(codec))
        except UnicodeDecodeError:
            undecodable += 1
    return found, undecodable


def _letters(piece: str) -> frozenset[str]:
    letters = {letter for letter in piece.casefold() if letter.isalpha() and not letter.isascii()}
    return frozenset(letters | ({"ß"} if "ß" in piece.lower() else set()))


def _is_mostly_ascii(piece: str) -> bool:
    """Whether a word is one in Latin letters: hardly any has accents on more than three of four letters."""
    return len(piece) == 1 or sum(not letter.isascii() for letter in piece) <= 0.75 * len(piece)


def _is_alone(piece: str, languages: Sequence[Language], alphabets: Sequence[frozenset[str]]) -> bool:
    """Whether a word has letters of a language that the rest of the file does not use."""
    letters = _letters(piece)
    known = any(letters <= language.letters for language in languages)
    return known and not any(letters <= alphabet for alphabet in alphabets)


def _is_impossible(piece: str, quotes: str = "") -> bool:
    if piece.lower() in _SQUARED:
        return False
    core = piece.lstrip("".join(_OPENING))
    core = core.rstrip("".join(_CLOSING | {high for low, high in _LOW_QUOTES.items() if low in quotes}))
    if len(core) <= 3:
        core = core.rstrip("".join(_ORDINALS))
    return _is_closed_only(piece, quotes) or any(_is_symbol(sign) for sign in core) or _has_hump(core) or _torn(core)


def _is_closed_only(piece: str, quotes: str) -> bool:
    """Whether a word ends in a quotation mark although none was opened in the whole file."""
    return piece.endswith("”") and not any(sign in quotes for sign in "“„")


def _is_symbol(sign: str) -> bool:
    return not (sign.isalpha() or sign in _INSIDE or unicodedata.category(sign) == "Mn")


def _torn(core: str) -> bool:
    """Whether a long dash is where only a letter can be, before a small letter."""
    return any(sign in "\u2013\u2014" and after.islower() for sign, after in pairwise(core))


def _has_hump(core: str) -> bool:
    """Whether a capital follows a small letter, one of them with an accent: wrongly decoded names look like that."""
    return any(
        one.islower() and other.isupper() and not (one.isascii() and other.isascii()) for one, other in pairwise(core)
    )


def _is_rather_hungarian(western: Spelling, found: Sequence[Spelling]) -> bool:
    """Whether one language explains a file that is a mixture of languages in cp1252, by letters that only it has."""
    if western.one_language >= _ONE_LANGUAGE:
        return False
    best = found[0]
    telling = sum(bool(HUNGARIAN & set(word.casefold())) for word in best.words)
    return best.one_language >= _ONE_LANGUAGE and telling > _OFTEN * len(best.words)


def _all_of(languages: Sequence[Language], words: Sequence[bytes], codec: str) -> bool:
    decoded, undecodable = _decoded(words, codec)
    return not undecodable and all(
        _is_mostly_ascii(word)
        and not _is_impossible(word)
        and any(_letters(word) <= language.letters for language in languages)
        for word in decoded
    )


def _is_of(script: str, words: Sequence[bytes], codec: str) -> bool:
    decoded, undecodable = _decoded(words, codec)
    if undecodable or not decoded:
        return False
    return all(_is_in_script(word, script) and not _has_hump(word) for word in decoded)


def _is_in_script(word: str, script: str) -> bool:
    return all(
        sign in _INSIDE or sign in "»«“”„№\xa0" or unicodedata.name(sign, "").startswith(script) for sign in word
    )
