"""What each column could be, by its name and by its content, with a score. Guesses one column at a time."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from importer.core.batches import RawBatch
from importer.core.contract import Candidate, Contract, Kind, Meaning, Vocabulary
from importer.core.contract.headers import key, words
from importer.mapping.content import Look
from importer.mapping.headers import keys

THRESHOLD = 0.6
"""Below this score nothing is guessed."""

_CLOSE = 0.88
"""How much of two names has to be the same, by `difflib`, for one to be a slip of the pen for the other."""
_USUAL_NAME = 0.9
"""From this score on a name is what the field is called, not only near to it."""
_KIND_WORDS = {Kind.EMAIL: "email addresses", Kind.PHONE: "phone numbers", Kind.DATE: "dates", Kind.POSTAL: "codes"}


@dataclass(frozen=True)
class _Lexicon:
    """The folded names of one vocabulary; each table is built when it is first asked for."""

    vocabulary: Vocabulary

    @cached_property
    def meanings(self) -> Mapping[str, tuple[Meaning, ...]]:
        """Every folded name with its meanings, the likeliest first."""
        found: dict[str, dict[str, Meaning]] = {}
        for name, meaning in self.vocabulary.names():
            found.setdefault(key(name), {}).setdefault(meaning.field, meaning)
        return {name: tuple(sorted(known.values(), key=lambda each: -each.score)) for name, known in found.items()}

    @cached_property
    def by_length(self) -> Mapping[int, tuple[str, ...]]:
        """The folded names of each length that a misspelled name is compared with."""
        found: dict[int, dict[str, None]] = {}
        for name in self.vocabulary.spelled():
            folded = key(name)
            found.setdefault(len(folded), {}).setdefault(folded)
        return {length: tuple(names) for length, names in found.items()}

    @cached_property
    def not_ours(self) -> frozenset[str]:
        """Folded names that are something else."""
        return frozenset(map(key, self.vocabulary.not_ours()))


@lru_cache(4)
def _lexicon_of(contract: Contract) -> _Lexicon:
    """The names of a contract's columns."""
    return _Lexicon(contract.matching.vocabulary)


def looks(columns: Sequence[str], sample: RawBatch | None) -> list[Look]:
    """Look at every column of a sample; nothing was seen where there is none."""
    if sample is None:
        return [Look() for _ in columns]
    return [Look.at(cells) for cells in sample.cells]


def candidates(contract: Contract, columns: Sequence[str], seen: Sequence[Look]) -> list[Candidate]:
    """List what the columns could be, weak candidates too."""
    found: list[Candidate] = []
    guess = _Guess(contract, _lexicon_of(contract))
    for index, (column, look) in enumerate(zip(columns, seen, strict=True)):
        named = [guess.vetted(each, column, look) for each in guess.named(index, column)]
        if all(candidate.score <= THRESHOLD for candidate in named):
            named += guess.by_content(index, column, look)
        found += named
    return found


@dataclass(frozen=True, slots=True)
class _Guess:
    """What one column of a contract's records could be."""

    contract: Contract
    lexicon: _Lexicon

    def named(self, index: int, column: str) -> list[Candidate]:
        """By its name; where nothing is called so, by a name that is spelled almost like it."""
        return list(self._by_name(index, column)) or list(self._by_spelling(index, column))

    def _by_name(self, index: int, column: str) -> Iterator[Candidate]:
        if key(column) in self.lexicon.not_ours:
            return
        if self.contract.fields.free_spec(column):
            yield Candidate(index, Meaning(column, 1.0), 1.0, "the API's own name")
            return
        done: set[str] = set()
        for way, worth in keys(column):
            for meaning in self.lexicon.meanings.get(way, ()):
                if meaning.field not in done:
                    done.add(meaning.field)
                    score = round(meaning.score * worth, 2)
                    why = "the field's own name" if score == 1 else "a common name for this field"
                    yield Candidate(index, meaning, score, why)

    def _by_spelling(self, index: int, column: str) -> Iterator[Candidate]:
        folded = key(column)
        if len(folded) < 6 or self._is_not_ours(column):
            return
        digits = _digits(folded)
        for close in difflib.get_close_matches(folded, self._as_long_as(folded), n=3, cutoff=_CLOSE):
            if _digits(close) == digits:
                ratio = difflib.SequenceMatcher(None, folded, close).ratio()
                best = self.lexicon.meanings[close][0]
                yield Candidate(index, best, round(best.score * ratio * 0.85, 2), f"spelled almost like '{close}'")
                return

    def _is_not_ours(self, column: str) -> bool:
        other_people = self.contract.matching.vocabulary.other_people
        return key(column) in self.lexicon.not_ours or any(word in other_people for word in words(column))

    def _as_long_as(self, folded: str) -> list[str]:
        """List the names whose length lets them be close to a name at all; the others need no comparing."""
        least = _CLOSE / (2 - _CLOSE)
        shortest, longest = int(least * len(folded)), int(len(folded) / least) + 1
        by_length = self.lexicon.by_length
        return [name for length in range(shortest, longest + 1) for name in by_length.get(length, ())]

    def by_content(self, index: int, column: str, look: Look) -> Iterator[Candidate]:
        """By what its cells plainly are."""
        by_content = self.contract.matching.vocabulary.by_content
        kind = look.kind
        if kind is None or kind not in by_content or self._is_not_ours(column):
            return
        field, score = by_content[kind]
        yield Candidate(index, Meaning(field, score), score, f"its cells are {_KIND_WORDS[kind]}")

    def vetted(self, candidate: Candidate, column: str, look: Look) -> Candidate:
        """Take a candidate's score away where the cells say otherwise.

        A usual name keeps enough to be taken where no other column fits better: a column called Email whose cells are
        all wrong is the email column still, and its rows say what is wrong.
        """
        candidate = self.contract.matching.looked_at(candidate, key(column), look)
        against = self._against(candidate, look)
        if not against:
            return candidate
        spec = self.contract.spec(candidate.field)
        if spec is not None and spec.kind in _KIND_WORDS and candidate.score >= _USUAL_NAME:
            return replace(candidate, score=THRESHOLD, why=f"a common name for this field, although {against}")
        return replace(candidate, score=round(candidate.score * 0.3, 2), why=against)

    def _against(self, candidate: Candidate, look: Look) -> str:
        spec = self.contract.spec(candidate.field)
        if spec is not None and spec.kind is Kind.ENUM and look.texts and look.fits(spec) == 0:
            return f"its cells are none of {', '.join(spec.values)}"
        share = look.fits(spec) if spec is not None and look.conclusive else None
        if spec is None or share is None or share >= 0.3:
            return ""
        if spec.kind is Kind.ENUM:
            return f"its cells are none of {', '.join(spec.values)}"
        return f"its cells are not {_KIND_WORDS[spec.kind]}"


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
