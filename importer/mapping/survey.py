"""What a profile for one source is made of: the columns' fields, and the words of columns that only have a few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from importer.core.batches import RawBatch
from importer.core.contract import Contract, FieldSpec, FieldTable, Kind
from importer.core.sources import Detected
from importer.mapping.content import folded, known_words
from importer.mapping.headers import find
from importer.mapping.proposal import Proposal, proposal
from importer.mapping.requirements import completed
from importer.mapping.transform import Table
from importer.profile.mapping_rules import FieldRule

MOST_WORDS = 30
"""A column with more different words than this is not a list of choices."""

Words = Mapping[str, Counter[str]]
"""To each column, or field, its different words and how many cells have each; "" is a blank cell."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A source as a profile is written for it.

    Args:
        found: what matching says of its columns.
        rules: the mapping.
        assumed: what is assumed of it where no column says it.
        words: of enum fields whose columns have only a few.
        is_proposal: whether nobody has chosen the rules.
    """

    table: Table
    found: Proposal
    rules: Mapping[str, FieldRule]
    assumed: Sequence[Detected]
    words: Words
    is_proposal: bool = True


def column_words(table: Table, batches: Iterable[RawBatch]) -> Words:
    """Count the words of every column that only has a few.

    Args:
        batches: all rows of the source, as it has them.
    """
    counts: dict[int, Counter[str]] = {place: Counter() for place in range(len(table.info.columns))}
    for batch in table.rows(batches):
        for place, words in list(counts.items()):
            for cell, count in batch.frame.iloc[:, place].value_counts(sort=False).items():
                words[str(cell).strip().strip("* ")] += count
            if len(words) > MOST_WORDS:
                del counts[place]
    return {table.info.columns[place]: words for place, words in counts.items()}


def survey(contract: Contract, table: Table, words: Words, rules: Mapping[str, FieldRule] | None = None) -> Survey:
    """Survey a source.

    Args:
        words: as `column_words` gave them.
        rules: the mapping that somebody chose; None: the one that is found.
    """
    fields, found = contract.fields, proposal(contract, table.info, table.sample)
    chosen, assumed = (found.rules, found.assumed) if rules is None else completed(rules, fields)
    counts = dict(_of_enums(fields, chosen, table.info.columns, words))
    if rules is None:
        chosen = _of_kinds(fields, chosen, counts.get(fields.type_field, Counter()))
    return Survey(table, found, chosen, assumed, counts, is_proposal=rules is None)


def _of_enums(
    fields: FieldTable, rules: Mapping[str, FieldRule], columns: Sequence[str], words: Words
) -> Iterator[tuple[str, Counter[str]]]:
    for name, rule in rules.items():
        place = None if rule.column is None else find(rule.column, columns)
        if place is not None and columns[place] in words and _is_enum(fields.spec(name)):
            yield name, words[columns[place]]


def meaning_of(word: str, spec: FieldSpec, rule: FieldRule) -> str | None:
    """What a word of an enum field means: as its rule says, else as validation understands it; None: nothing."""
    given = {key.strip().casefold(): value for key, value in (rule.map or {}).items()}
    return given.get(word.strip().casefold()) or known_words(spec).get(folded(word))


def _of_kinds(fields: FieldTable, rules: Mapping[str, FieldRule], types: Counter[str]) -> dict[str, FieldRule]:
    """Leave out the fields of a record type that no row is of."""
    words = known_words(fields.sent[fields.type_field]) if types else {}
    kinds = {words[folded(word)] for word in types if folded(word) in words}
    specs = {name: fields.spec(name) for name in rules}
    return {
        name: rule
        for name, rule in rules.items()
        if not kinds or (spec := specs[name]) is None or any(map(spec.is_of, kinds))
    }


def _is_enum(spec: FieldSpec | None) -> bool:
    return spec is not None and spec.kind is Kind.ENUM


def alike_once(words: Counter[str]) -> list[tuple[str, int]]:
    """Count words that differ in capitals only as one, as a map does."""
    counts: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for word, count in sorted(words.items()):
        counts[word.casefold()] += count
        spelled.setdefault(word.casefold(), word)
    return [(spelled[word], count) for word, count in counts.items()]
