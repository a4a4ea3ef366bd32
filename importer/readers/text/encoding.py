"""Detects the encoding of a text file and how certain it is; refuses rather than guess.

UTF-8 proves itself, since hardly anything else is valid UTF-8. The one-byte encodings do not: for
each candidate the words with accents are spelled out and tested against the alphabets of the
languages that use it (`spelling`). What is not in Latin letters goes to charset-normalizer.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from encodings.aliases import aliases
from typing import TYPE_CHECKING, BinaryIO

from importer.core.errors import SourceError, UndecidedEncodingError
from importer.core.labels import nearest
from importer.core.sources import Detected
from importer.readers.text.spelling import Spelling, is_latin, is_spelled, latin_ones, scripts, spellings

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch  # slow to import, and seldom needed

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
)
_PIECE_BYTES = 1 << 20
_HEAD_BYTES = 1 << 16
_SCAN_BYTES = 1 << 30
"""What is beyond it is not examined in advance; a byte that is not text is still found when its row is read."""
_MOST_WORDS = 4_000
_WORD = re.compile(rb"(?<![A-Za-z'])[A-Za-z']*+[\x80-\xff][A-Za-z'\x80-\xff]*+")
"""A word with an accent. Possessive and anchored: linear even on a megabyte of letters."""
_FEW_WORDS, _FEW_BYTES = 2, 8
"""So few words with bytes beyond ASCII prove no rare encoding: they may be damage."""
_CLOSE = 0.02
_NOT_FOR_FILES = frozenset({"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "utf_7"})
"""Python knows them as encodings of text; no program exports a table in one."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes become text.

    Args:
        codec: Python's name, with which to decode.
        detected: the finding for people.
        warnings: sentences about the file as a whole.
    """

    codec: str
    detected: Detected
    warnings: tuple[str, ...] = ()


def detect_encoding(open_stream: Callable[[], BinaryIO], wanted: str, name: str) -> Encoding:
    """Find the encoding of a file by reading it once.

    Args:
        open_stream: opens the file at its start.
        wanted: what the profile says, or `auto`.
        name: the file's name for people.

    Raises:
        SourceError: the profile names no encoding, the file is not text, or no encoding is plausible.
    """
    with open_stream() as stream:
        head = stream.read(_HEAD_BYTES)
    for bom, codec, spoken in _BOMS:
        if head.startswith(bom):
            return _found(codec, 1.0, "byte order mark", spoken=spoken)
    if wanted != "auto":
        return _given(wanted)
    wide = _wide(head)
    if wide:
        return wide
    _require_text(head, name)
    return _narrow(open_stream, name)


def _found(codec: str, confidence: float, note: str, warning: str = "", *, spoken: str = "") -> Encoding:
    return Encoding(codec, Detected("encoding", spoken or codec, confidence, note), (warning,) if warning else ())


def _given(wanted: str) -> Encoding:
    try:
        codec = codecs.lookup(wanted).name
        b"".decode(wanted)
        codecs.getincrementaldecoder(wanted if codec.replace("-", "_") not in _NOT_FOR_FILES else "")
    except (LookupError, UnicodeError) as fault:
        near = nearest(wanted, aliases)
        hint = f"Did you mean '{near}'?" if near else "Use utf-8, cp1252, latin-1, utf-16 or another."
        raise SourceError(f"There is no text encoding '{wanted}'.", hint) from fault
    if codec in {"utf-16", "utf-32"}:
        return _found(f"{codec}-le", 0.9, "as the profile says; without a mark it is taken for little-endian")
    return _found(codec, 1.0, "as the profile says")


def _wide(head: bytes) -> Encoding | None:
    """Recognise UTF-16 without a mark: every other byte of Latin text is NUL."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    for codec, nuls, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if nuls / half > 0.4 and others / half < 0.05:
            return _found(codec, 0.95, "every other byte is zero")
    return None


def _require_text(head: bytes, name: str) -> None:
    control = sum(head.count(byte) for byte in (*range(1, 9), *range(14, 26), *range(28, 32)))
    zeros = head.rstrip(b"\x00").count(0)
    if control > len(head) / 50 or zeros > len(head) / 10:
        raise SourceError(f"'{name}' is not text: it holds binary data.", "Export the customers as .csv or .xlsx.")


def _narrow(open_stream: Callable[[], BinaryIO], name: str) -> Encoding:
    decoder = codecs.getincrementaldecoder("utf-8")()
    words: list[bytes] = []
    valid, scanned = True, 0
    with open_stream() as stream:
        while scanned < _SCAN_BYTES and (piece := stream.read(_PIECE_BYTES)):
            scanned += len(piece)
            valid = valid and _decodes(decoder, piece)
            if not piece.isascii() and len(words) < _MOST_WORDS:
                words += _WORD.findall(piece)[: _MOST_WORDS - len(words)]
    if valid and (scanned >= _SCAN_BYTES or _decodes(decoder, b"", final=True)):
        return _found("utf-8", 1.0, "every byte is valid" if words else "plain ASCII")
    return _judge(words, open_stream, name)


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _judge(words: Sequence[bytes], open_stream: Callable[[], BinaryIO], name: str) -> Encoding:
    share = sum(_is_utf8(word) for word in words) / max(1, len(words))
    if share >= 0.5:
        return _damaged(share)
    found = spellings(words)
    if _are_few(words) and not (found and found[0].codec == "cp1252"):
        return _damaged(0.9, [one.codec for one in found])
    if found:
        return _spelled(found, name)
    return _by_library(open_stream, name, [*latin_ones(words), *scripts(words)])


def _are_few(words: Sequence[bytes]) -> bool:
    beyond = sum(byte > 0x7F for word in words for byte in word)
    return len(words) <= _FEW_WORDS and beyond <= _FEW_BYTES


def _damaged(confidence: float, possible: Sequence[str] = ()) -> Encoding:
    warning = "Some bytes are not valid UTF-8: the rows that hold them are named, and not sent."
    if possible:
        warning += (
            f" They would be letters in {' or '.join(possible)}: name it with --encoding if the file is written so."
        )
    return _found("utf-8", round(confidence, 2), "with damaged bytes", warning)


def _spelled(found: Sequence[Spelling], name: str) -> Encoding:
    """Take the best reading, unless another one is as good and gives other letters.

    Raises:
        SourceError: it is.
    """
    best = found[0]
    rivals = [one for one in found[1:] if one.words != best.words and one.one_language >= best.one_language - _CLOSE]
    if rivals and best.codec != "cp1252":
        raise _undecided(name, [best.codec, *(one.codec for one in rivals)])
    note = f"{best.explained:.0%} of the words with accents make sense in it, and it is not UTF-8"
    return _found(best.codec, round(best.explained, 2), note)


def _undecided(name: str, codecs_that_fit: Sequence[str]) -> UndecidedEncodingError:
    if not codecs_that_fit:
        return UndecidedEncodingError(
            f"The encoding of '{name}' cannot be detected from its bytes.",
            "Save it as UTF-8, or name the encoding of the program that wrote it: --encoding, or encoding in [source].",
        )
    return UndecidedEncodingError(
        f"The encoding of '{name}' cannot be detected from its bytes: it could be {' or '.join(codecs_that_fit)}.",
        f"Save it as UTF-8, or name the right one: --encoding {codecs_that_fit[0]}, or encoding in [source].",
    )


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _by_library(open_stream: Callable[[], BinaryIO], name: str, possible: Sequence[str]) -> Encoding:
    """Ask the library about what is not written in Latin letters.

    Args:
        possible: the one-byte encodings that could be, for the refusal.
    """
    from charset_normalizer import from_bytes  # noqa: PLC0415  # slow to import, and seldom needed

    with open_stream() as stream:
        lines = [line for line in stream.read(_PIECE_BYTES).split(b"\n") if not line.isascii()]
    sample = b"\n".join(lines)[:_HEAD_BYTES]
    ranked = list(from_bytes(sample))[:2]
    best = ranked[0] if ranked and _is_decided(ranked) else None
    text = sample.decode(best.encoding, "ignore") if best is not None else ""
    if best is None or is_latin(text) or not is_spelled(text):
        raise _undecided(name, possible)
    return _found(best.encoding, round(0.9 - best.chaos, 2), f"reads like {best.language}")


def _is_decided(ranked: Sequence[CharsetMatch]) -> bool:
    """Whether the best guess is a language's own, or clean where the next one is not."""
    best = ranked[0]
    if best.chaos <= 0.1 and best.coherence >= 0.25:
        return True
    if best.chaos > 0.02:
        return False
    return len(ranked) == 1 or best.coherence >= ranked[1].coherence + 0.1 or ranked[1].chaos >= best.chaos + 0.1
