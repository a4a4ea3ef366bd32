"""What each column could be, by its name and by its content, with a score. Guesses one column at a time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from importer.core.batches import RawBatch
from importer.customers.rules import Kind, field_spec
from importer.mapping.content import Look, is_honorific
from importer.mapping.headers import key, keys, words
from importer.mapping.lexicon import Meaning, lexicon, names_by_length, not_ours
from importer.mapping.synonyms import FULL_NAME, OTHER_PEOPLE

THRESHOLD = 0.6
"""Below this score nothing is guessed."""

_OTHER_PEOPLE = frozenset(OTHER_PEOPLE.split())
_CLOSE = 0.88
"""How much of two names has to be the same, by `difflib`, for one to be a slip of the pen for the other."""
_A_FEW = 5
_USUAL_NAME = 0.9
"""From this score on a name is what the field is called, not only near to it."""
_MOSTLY_DISTINCT = 0.85
"""A few ids that stand twice are mistakes of rows; many make it the id of something else (a customer's company)."""
_WHO = frozenset({"customer", "client", "kunde", "klant"})
"""What columns are called that hold whole names, or numbers."""
_NUMBER = re.compile(r"[A-Z]{0,3}[-_ ]?[0-9]+", re.IGNORECASE)
_BY_CONTENT = {Kind.EMAIL: ("primaryEmail.value", 0.75), Kind.PHONE: ("primaryPhoneNumber.number", 0.65)}
_KIND_WORDS = {Kind.EMAIL: "email addresses", Kind.PHONE: "phone numbers", Kind.DATE: "dates", Kind.POSTAL: "codes"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that one column could be.

    Args:
        index: the column's place in the source, from 0.
        meaning: the field, and what goes with it.
        score: 0 to 1.
        why: the reason, for people; never a value.
    """

    index: int
    meaning: Meaning
    score: float
    why: str

    @property
    def field(self) -> str:
        """The API's dotted name."""
        return self.meaning.field

    def of(self, field: str, factor: float = 1.0) -> Candidate:
        """Read the same candidate as another field, and what it implies in that field's table."""
        implies = self.meaning.implies
        if implies is not None and field.endswith("primaryPhoneNumber.number"):
            implies = (field.removesuffix("number") + "type", implies[1])
        meaning = replace(self.meaning, field=field, implies=implies)
        return replace(self, meaning=meaning, score=round(self.score * factor, 2))


def looks(columns: Sequence[str], sample: RawBatch | None) -> list[Look]:
    """Look at every column of a sample; nothing was seen where there is none."""
    if sample is None:
        return [Look() for _ in columns]
    return [Look.at(cells) for cells in sample.cells]


def candidates(columns: Sequence[str], seen: Sequence[Look]) -> list[Candidate]:
    """List what the columns could be, weak candidates too."""
    found: list[Candidate] = []
    for index, (column, look) in enumerate(zip(columns, seen, strict=True)):
        named = list(_by_name(index, column)) or list(_by_spelling(index, column))
        named = [_vetted(_numbered(candidate, column, look), look) for candidate in named]
        if all(candidate.score <= THRESHOLD for candidate in named):
            named += _by_content(index, column, look)
        found += named
    return found


def _by_name(index: int, column: str) -> Iterator[Candidate]:
    if key(column) in not_ours():
        return
    if column.startswith("metadata.") and field_spec(column):
        yield Candidate(index, Meaning(column, 1.0), 1.0, "the API's own name")
        return
    done: set[str] = set()
    for way, worth in keys(column):
        for meaning in lexicon().get(way, ()):
            if meaning.field not in done:
                done.add(meaning.field)
                score = round(meaning.score * worth, 2)
                why = "the field's own name" if score == 1 else "a common name for this field"
                yield Candidate(index, meaning, score, why)


def _by_spelling(index: int, column: str) -> Iterator[Candidate]:
    folded = key(column)
    if len(folded) < 6 or folded in not_ours() or _OTHER_PEOPLE.intersection(words(column)):
        return
    digits = _digits(folded)
    for close in difflib.get_close_matches(folded, _as_long_as(folded), n=3, cutoff=_CLOSE):
        if _digits(close) == digits:
            ratio = difflib.SequenceMatcher(None, folded, close).ratio()
            best = lexicon()[close][0]
            yield Candidate(index, best, round(best.score * ratio * 0.85, 2), f"spelled almost like '{close}'")
            return


def _as_long_as(folded: str) -> list[str]:
    """List the names whose length lets them be close to a name at all; the others need no comparing."""
    least = _CLOSE / (2 - _CLOSE)
    shortest, longest = int(least * len(folded)), int(len(folded) / least) + 1
    return [name for length in range(shortest, longest + 1) for name in names_by_length().get(length, ())]


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _by_content(index: int, column: str, look: Look) -> Iterator[Candidate]:
    if key(column) in not_ours() or _OTHER_PEOPLE.intersection(words(column)) or look.kind not in _BY_CONTENT:
        return
    field, score = _BY_CONTENT[look.kind]
    yield Candidate(index, Meaning(field, score), score, f"its cells are {_KIND_WORDS[look.kind]}")


def _numbered(candidate: Candidate, column: str, look: Look) -> Candidate:
    """Read a column that is called Customer and holds numbers as their ids; no other one holds names then."""
    if candidate.field != FULL_NAME or not look.texts or look.share(_NUMBER.fullmatch) < 1:
        return candidate
    if key(column) not in _WHO:
        return replace(candidate, score=round(candidate.score * 0.3, 2), why="its cells are numbers")
    return replace(candidate, meaning=Meaning("externalId", candidate.score), why="its cells are numbers of customers")


def _vetted(candidate: Candidate, look: Look) -> Candidate:
    """Take a candidate's score away where the cells say otherwise.

    A usual name keeps enough to be taken where no other column fits better: a column called Email whose cells are all
    wrong is the email column still, and its rows say what is wrong.
    """
    against = _against(candidate, look)
    if not against:
        return candidate
    spec = field_spec(candidate.field)
    if spec is not None and spec.kind in _KIND_WORDS and candidate.score >= _USUAL_NAME:
        return replace(candidate, score=THRESHOLD, why=f"a common name for this field, although {against}")
    return replace(candidate, score=round(candidate.score * 0.3, 2), why=against)


def _is_mostly_distinct(look: Look) -> bool:
    """Whether a few ids that stand twice can be mistakes of rows; in a small file one pair is no share to go by."""
    repeats = len(look.texts) - len(set(look.texts))
    return look.distinct >= _MOSTLY_DISTINCT or (repeats == 1 and len(look.texts) >= _A_FEW)


def _against(candidate: Candidate, look: Look) -> str:
    if candidate.field == "prefix" and candidate.meaning.score < 0.9 and look.share(is_honorific) < 0.8:
        return "its cells are no forms of address"
    if candidate.field == "externalId" and not _is_mostly_distinct(look):
        return "its values repeat, so they are no one's own id"
    spec = field_spec(candidate.field)
    if spec is not None and spec.kind is Kind.ENUM and look.texts and look.fits(spec) == 0:
        return f"its cells are none of {', '.join(spec.values)}"
    share = look.fits(spec) if spec is not None and look.tells else None
    if spec is None or share is None or share >= 0.3:
        return ""
    if spec.kind is Kind.ENUM:
        return f"its cells are none of {', '.join(spec.values)}"
    return f"its cells are no {_KIND_WORDS[spec.kind]}"
