"""The steps of a field's rule, each from text to text. A text that does not fit is a `Flaw`, never an exception."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from importer.mapping.dates import Parse, is_serial
from importer.profile.mapping_rules import FieldRule

_PARTICLE_WORDS = "van von der den de del della di da dos das du la le los las el al bin ibn ben ter ten zu zur y st"
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
"""Words that open a family name rather than close a given one (`Ludwig van Beethoven`)."""
_SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv", "v", "phd", "md", "dds", "esq", "cpa"])
"""What is behind a family name."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A text that a step could not use: the issue's code, and what the field becomes."""

    code: str
    text: str = ""


Edit = Callable[[str], str | Flaw]


def edits_of(rule: FieldRule, understood: Callable[[str], object] = lambda _: False) -> list[Edit]:
    """List the steps of a rule in the order they run, dates aside; empty where the text stays as it is.

    Args:
        understood: whether the field understands a word without a map; a map adds words and takes none away.
    """
    steps: list[Edit] = []
    if rule.strip is not None:
        steps.append(_strip(rule.strip))
    if rule.regex is not None:
        steps.append(_regex(re.compile(rule.regex)))
    if rule.part is not None:
        steps.append(_part(rule.part, rule.split))
    if rule.upper:
        steps.append(str.upper)
    if rule.lower:
        steps.append(str.lower)
    if rule.map is not None:
        steps.append(_translate(rule.map, rule.default, understood))
    if rule.default is not None:
        steps.append(_or_default(rule.default))
    return steps


def chained(steps: Sequence[Edit]) -> Edit:
    """Make one step of many; the first flaw ends the chain."""
    if len(steps) == 1:
        return steps[0]

    def run(text: str) -> str | Flaw:
        for step in steps:
            result = step(text)
            if isinstance(result, Flaw):
                return result
            text = result
        return text

    return run


def as_date(parse: Parse) -> Edit:
    """Make the step that turns a date's text into `yyyy-MM-dd`."""

    def run(text: str) -> str | Flaw:
        text = text.strip()
        if not text or is_iso_date(text):
            return text
        found = parse(text)
        if found is not None:
            return found.isoformat()
        return Flaw("date_serial" if is_serial(text) else "date_unreadable")

    return run


def is_iso_date(text: str) -> bool:
    """Whether a text is a date as `yyyy-MM-dd`."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not text.isascii():
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _strip(chars: str) -> Edit:
    def run(text: str) -> str:
        before = ""
        while before != text:
            before, text = text, text.strip().strip(chars)
        return text

    return run


def _regex(pattern: re.Pattern[str]) -> Edit:
    def run(text: str) -> str | Flaw:
        text = text.strip()
        if not text:
            return ""
        match = pattern.search(text)
        if match is None:
            return Flaw("pattern_mismatch")
        return (match[1] if pattern.groups else match[0]) or ""

    return run


def _translate(table: dict[str, str], default: str | None, understood: Callable[[str], object]) -> Edit:
    words = {key.strip().casefold(): value for key, value in table.items()}

    def run(text: str) -> str | Flaw:
        word = text.strip().casefold()
        if word in words:
            return words[word]
        if not word:
            return default or ""
        if understood(word):
            return text
        return Flaw("value_unmapped") if default is None else Flaw("value_defaulted", default)

    return run


def _or_default(default: str) -> Edit:
    return lambda text: default if not text or text.isspace() else text


def _part(part: Literal["first", "rest", "last", "all_but_last", "given", "family"], split: str | None) -> Edit:
    if part in {"given", "family"}:
        place = ("given", "family").index(part)
        return lambda text: whole_name(text)[place]
    joint = split or " "

    def run(text: str) -> str:
        parts = [piece.strip() for piece in text.split(split)] if text.strip() else [""]
        chosen = {"first": parts[:1], "rest": parts[1:], "last": parts[-1:], "all_but_last": parts[:-1]}[part]
        return joint.join(chosen)

    return run


def whole_name(text: str) -> tuple[str, str]:
    """Split a person's full name into given and family name.

    Understands `Green, Sarah`, particles (`Sarah van Green`) and suffixes (`Sam Green Jr.`, kept with the family
    name). One word alone is a given name: a family name is never made up.

    Not nameparser: it drops the nickname of `William (Bill) Smith`, finds no family name in `King Smith`, and takes 150
    times as long (360 us a name).
    """
    before, comma, after = text.partition(",")
    if comma and after.strip() and not _is_suffix(after):
        return " ".join(after.split()), " ".join(before.split())
    parts = text.replace(",", " ").split()
    start = len(parts) - 1
    while start > 1 and _is_suffix(parts[start]):
        start -= 1
    while start > 1 and parts[start - 1].casefold() in _PARTICLES:
        start -= 1
    return (" ".join(parts[:start]), " ".join(parts[start:])) if len(parts) > 1 else (" ".join(parts), "")


def _is_suffix(text: str) -> bool:
    return text.replace(".", "").strip().casefold() in _SUFFIXES
