"""What a sample of a column looks like: emails, phones, dates, known words, unique ids. Shares only, no verdicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from importer.core.contract import Contract, FieldSpec, Kind
from importer.mapping.source_cells import bare_text

SAMPLE_ROWS = 1_000
"""Rows looked at; more would not change a share that matters."""

_EMAIL = re.compile(r"(?:[^<>@]*<|mailto:)?\s*[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s.,;<>]{2,}[\s>;.,]*", re.IGNORECASE)
_PHONE = re.compile(r"(?:tel:)?\+?[\d\s().\-/\u2013\u2014]{7,}(?:\s*(?:x|ext\.?|extension|#)\s*\d+)?", re.IGNORECASE)
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+?\d{1,2}", re.IGNORECASE)
_PHONE_SIGNS = re.compile(r"^\+|[()]|\d[\s.\-]\d")
_DATE = re.compile(r"\d{1,4}[-/.\s]\d{1,2}[-/.\s]\d{1,4}(?:[T\s].*)?|\d{8}|.*[^\W\d]{3,}.*\d{2,4}|\d{5}")
_DATE_STRICT = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d\d|(?:19|20)\d\d[/.-]\d{1,2}[/.-]\d{1,2}(?:[T\s].*)?")
_POSTAL = re.compile(r"[A-Z0-9][A-Z0-9 -]{1,11}", re.IGNORECASE)


@dataclass(frozen=True)
class Look:
    """One column's sample.

    Args:
        texts: the cells that are not blank, stripped.
        rows: how many cells were looked at, blank ones too.
    """

    texts: tuple[str, ...] = ()
    rows: int = 0

    @classmethod
    def at(cls, cells: Sequence[str]) -> Look:
        """Look at the first rows of a column."""
        head = [bare_text(cell).strip() for cell in cells[:SAMPLE_ROWS]]
        return cls(tuple(filter(None, head)), len(head))

    @property
    def filled(self) -> float:
        """Share of cells that are not blank; 1 where nothing was seen."""
        return len(self.texts) / self.rows if self.rows else 1.0

    @property
    def conclusive(self) -> bool:
        """Whether there is enough to say that a column is not what its name promises."""
        return len(self.texts) >= 3

    @cached_property
    def distinct(self) -> float:
        """Share of different texts; 1 where nothing was seen."""
        return len(set(self.texts)) / len(self.texts) if self.texts else 1.0

    def share(self, test: Callable[[str], object]) -> float:
        """Share of the texts that pass a test; 0 where there are none."""
        return sum(1 for text in self.texts if test(text)) / len(self.texts) if self.texts else 0.0

    def fits(self, spec: FieldSpec) -> float | None:
        """Share of the texts that could be this field's; None where any text could."""
        test = enum_test(spec) if spec.kind is Kind.ENUM else TESTS.get(spec.kind)
        return self.share(test) if test else None

    @cached_property
    def kind(self) -> Kind | None:
        """What the texts are beyond doubt, whatever the column is called: emails, phones or dates of a life."""
        if len(self.texts) < 2:
            return None
        if self.share(is_email) >= 0.9:
            return Kind.EMAIL
        if self.share(is_phone) >= 0.9 and self.share(_PHONE_SIGNS.search) >= 0.6 and not self._are_dates:
            return Kind.PHONE
        return None

    @property
    def _are_dates(self) -> bool:
        return self.share(_DATE_STRICT.fullmatch) > 0.3


def is_email(text: str) -> bool:
    """Whether a text has the shape of one email address."""
    return _EMAIL.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether a text has the shape of one phone number, one that a spreadsheet shortened included."""
    if _SHORTENED.fullmatch(text):
        return True
    return _PHONE.fullmatch(text) is not None and 7 <= sum(map(str.isdigit, text)) <= 20


def known_words(spec: FieldSpec) -> Mapping[str, str]:
    """List the words that validation understands for an enum field, folded, and what each means."""
    return {**{value: value for value in spec.values}, **spec.synonyms}


def folded(text: str) -> str:
    """Fold a text as the enum synonyms are: capitals, letters and digits only."""
    return "".join(filter(str.isalnum, text)).upper()


def enum_test(spec: FieldSpec) -> Callable[[str], bool]:
    """Make the test whether a text is one of an enum's words."""
    words = known_words(spec)
    return lambda text: folded(text) in words


def understood_by(contract: Contract, name: str) -> Callable[[str], object]:
    """Make the test whether a field understands a word without any map; always False for fields of free text."""
    spec = contract.spec(name)
    if spec is None:
        return lambda _: False
    if spec.kind is Kind.ENUM:
        return enum_test(spec)
    return contract.matching.understands(spec) or (lambda _: False)


TESTS: Mapping[Kind, Callable[[str], object]] = {
    Kind.EMAIL: is_email,
    Kind.PHONE: is_phone,
    Kind.DATE: _DATE.fullmatch,
    Kind.POSTAL: _POSTAL.fullmatch,
}
"""The kinds whose texts differ from others by their shape."""
