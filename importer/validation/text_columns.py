"""Columns of free text, names and ids: judged as a whole in one go, and cell by cell only where that fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from unicodedata import is_normalized

from importer.customers.names import NOTHING, UNUSUAL, is_unusual
from importer.customers.rules import HARD_MAX_CHARS
from importer.customers.text import REPLACEMENT_SIGN, is_clean, may_be_protected
from importer.validation.columns import ColumnCheck

_SPLIT = 8


class TextCheck(ColumnCheck):
    """Free text."""

    def suspects(self, texts: Sequence[str], _countries: Sequence[str]) -> Sequence[int]:
        """Find what is not clean, or too long."""
        return () if self.vouches(texts) else tuple(self._search(texts, 0))

    def vouches(self, texts: Sequence[str]) -> bool:
        """Tell whether these cells are surely clean, all of them."""
        whole = "".join(texts)
        return (
            whole.isprintable()
            and (whole.isascii() or (is_normalized("NFC", whole) and REPLACEMENT_SIGN not in whole))
            and (("'" not in whole and "=" not in whole) or not may_be_protected(texts))
            and (" " not in whole or list(map(str.strip, texts)) == texts)
            and max(map(len, texts), default=0) <= self._limit
        )

    def passes(self, text: str) -> bool:
        """Tell whether one text is surely clean."""
        return len(text) <= self._limit and is_clean(text)

    def _search(self, texts: Sequence[str], start: int) -> Iterator[int]:
        """Narrow down to the cells that make a stretch unclean, so that one of them does not cost a whole batch."""
        size = -(-len(texts) // _SPLIT)
        if size <= 1:
            yield from (start + place for place, text in enumerate(texts) if text and not self.passes(text))
            return
        for first in range(0, len(texts), size):
            stretch = texts[first : first + size]
            if not self.vouches(stretch):
                yield from self._search(stretch, start + first)

    @property
    def _limit(self) -> int:
        return min(self.spec.max_length or HARD_MAX_CHARS, HARD_MAX_CHARS)


class NameCheck(TextCheck):
    """Names of people."""

    def vouches(self, texts: Sequence[str]) -> bool:
        """Besides being clean, no name holds a rare sign, lacks letters or is a word for nothing."""
        return (
            super().vouches(texts)
            and UNUSUAL.search("".join(texts)) is None
            and _begin_with_letters(texts)
            and NOTHING.isdisjoint(texts)
        )

    def passes(self, text: str) -> bool:
        """Tell whether one name is surely clean and usual."""
        return super().passes(text) and not is_unusual(text) and text not in NOTHING


def _begin_with_letters(texts: Sequence[str]) -> bool:
    initials = "".join([text[:1] for text in texts])
    return not initials or initials.isalpha()


class ReferenceCheck(TextCheck):
    """Ids that are kept letter by letter."""

    def vouches(self, texts: Sequence[str]) -> bool:
        """Besides being clean, all is ASCII."""
        return "".join(texts).isascii() and super().vouches(texts)

    def passes(self, text: str) -> bool:
        """Tell whether one id is surely clean ASCII."""
        return text.isascii() and super().passes(text)
