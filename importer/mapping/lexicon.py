"""A contract's names of columns, ready to look up: every folded name with what it can mean. Built once a contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from importer.core.contract import Contract, Meaning, Vocabulary
from importer.core.contract.headers import key


@dataclass(frozen=True)
class Lexicon:
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
def lexicon_of(contract: Contract) -> Lexicon:
    """The names of a contract's columns."""
    return Lexicon(contract.matching.vocabulary)
