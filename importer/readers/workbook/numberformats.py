"""What a number format makes of a stored number: a date, digits with their zeros, or the plain number. Pure.

Formats that only decorate (thousands, currency, decimals, exponent) are ignored: the number is
given in full. Formats of digits and signs (`00000`, `000-00-0000`, `(###) ###-####`) are applied,
since they are what makes a zip code, an id or a phone number of a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from importer.readers.workbook.cells import number_text, serial_text

Kind = Literal["date", "datetime", "time", "duration"]
Render = Callable[[str], str]
"""Turns a stored number, as it is written in the file, into the text that a person sees."""

_BUILT_IN: dict[int, str] = {
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58), "yyyy-mm-dd"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56), "hh:mm:ss"),
    22: "yyyy-mm-dd hh:mm",
    46: "[h]:mm:ss",
}
"""The format ids that mean dates and times without a format code (ECMA-376 part 1, 18.8.30)."""

_BRACKETS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_PIECE = re.compile(r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<skip>_.|\*.|\[[^\]]*\])|(?P<slot>[0#?])|(?P<sign>.)')
_SECTION = re.compile(r'((?:"[^"]*"|\\.|\[[^\]]*\]|[^;])*)(?:;|$)')
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
_NOT_DIGITS = frozenset(".,%/@eEgG")
_PLAIN = 15
_LONGEST_CODE = 255
_MOST_STYLES = 100_000
_MOST_CACHED = 100_000


def renderer(format_id: int, code: str | None, *, epoch_1904: bool) -> Render:
    """Return what turns a stored number into text under a number format.

    Args:
        format_id: the format's number, which says what it is where there is no code.
        code: the format's code; None for a built-in one.
        epoch_1904: whether days are counted from 1904.
    """
    code = code if code is not None else _BUILT_IN.get(format_id, "General")
    if len(code) > _LONGEST_CODE:
        return plain_text
    kind = date_kind(code)
    if kind:
        return _Cached(lambda raw: serial_text(raw, kind, epoch_1904=epoch_1904))
    sections = digit_sections(code)
    if sections:
        return _Cached(lambda raw: _digits_text(raw, sections))
    return plain_text


def renderers(formats: Sequence[int], codes: Mapping[int, str], *, epoch_1904: bool) -> list[Render]:
    """Return one renderer per cell style.

    Args:
        formats: the number format of each style.
        codes: number of a format to its code, for those that are not built in.
        epoch_1904: whether days are counted from 1904.
    """
    used = formats[:_MOST_STYLES]
    known = {number: renderer(number, codes.get(number), epoch_1904=epoch_1904) for number in set(used)}
    return [known[number] for number in used] or [plain_text]


def plain_text(raw: str) -> str:
    """Return a stored number in full."""
    if raw.isdigit() and len(raw) <= _PLAIN and (raw[0] != "0" or raw == "0"):
        return raw
    return number_text(raw)


def date_kind(code: str) -> Kind | None:
    """Whether a format code shows a date, a time, both or a duration; None for a number."""
    bare = _BRACKETS.sub("", _SECTION.match(code)[1] if _SECTION.match(code) else code).lower()  # type: ignore[index]  # just tested
    if "general" in bare:
        return None
    if "[" in bare:
        return "duration"
    days = "y" in bare or "d" in bare
    hours = "h" in bare or "s" in bare
    if days or ("m" in bare and not hours):
        return "datetime" if hours else "date"
    return "time" if hours else None


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a format of digits and signs.

    Args:
        pieces: placeholders (`0`, `#`, `?`) and literal texts (prefixed with `=`).
        condition: an operator and a number; None where it always applies.
    """

    pieces: tuple[str, ...]
    condition: tuple[str, float] | None = None

    def applies(self, number: float) -> bool:
        """Whether the section is the one for a number."""
        if self.condition is None:
            return True
        operator, limit = self.condition
        return {
            "<=": number <= limit,
            ">=": number >= limit,
            "<": number < limit,
            ">": number > limit,
            "=": number == limit,
            "<>": number != limit,
        }[operator]

    def show(self, digits: str) -> str:
        """Fill digits into the placeholders, from the right; the leftmost one takes all that are left."""
        slots = sum(piece in "0#?" for piece in self.pieces)
        padded = digits.rjust(slots, "\x00")
        filling = [padded[: len(padded) - slots + 1], *padded[len(padded) - slots + 1 :]]
        return "".join(_fill(piece, filling.pop(0)) if piece in "0#?" else piece[1:] for piece in self.pieces).strip()


def digit_sections(code: str) -> tuple[Section, ...]:
    """Return the sections of a format that makes an id, a zip code or a phone number; empty for any other."""
    parts = [part for part in (match[1] for match in _SECTION.finditer(code)) if part][:3]
    sections = [_section(part) for part in parts]
    if not sections or sections[0] is None:
        return ()
    sound = tuple(section for section in sections if section is not None)
    return sound if any(map(_is_pattern, sound)) else ()


def _section(part: str) -> Section | None:
    pieces: list[str] = []
    for match in _PIECE.finditer(part):
        kind, text = match.lastgroup, match[match.lastgroup or 0]
        if kind == "sign" and text in _NOT_DIGITS:
            return None
        if kind == "slot":
            pieces.append(text)
        elif kind != "skip":
            pieces.append("=" + text)
    condition = _CONDITION.search(part)
    return Section(tuple(pieces), (condition[1], float(condition[2])) if condition else None)


def _is_pattern(section: Section) -> bool:
    zeros = section.pieces.count("0")
    slots = sum(piece in "0#?" for piece in section.pieces)
    return zeros > 1 or (slots > 0 and slots < len(section.pieces))


def _fill(piece: str, digits: str) -> str:
    if digits.strip("\x00"):
        return digits.replace("\x00", "")
    return "0" if piece == "0" else ""


def _digits_text(raw: str, sections: Sequence[Section]) -> str:
    plain = plain_text(raw)
    if not plain.isdigit():
        return plain
    chosen = next((section for section in sections if section.applies(float(plain))), None)
    return chosen.show(plain) if chosen and any(piece in "0#?" for piece in chosen.pieces) else plain


class _Cached:
    """Remembers what a format made of a number: birth dates and zip codes come again and again."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self._known: dict[str, str] = {}

    def __call__(self, raw: str) -> str:
        text = self._known.get(raw)
        if text is None:
            if len(self._known) >= _MOST_CACHED:
                self._known.clear()
            text = self._known[raw] = self._render(raw)
        return text
