"""Columns matched to fields without a profile. Every column that is not used keeps the reason.

What goes together among a contract's columns decides its own `Matching`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from importer.core.batches import RawBatch
from importer.core.contract import Candidate, Choice, Contract, FieldTable
from importer.core.sources import Detected, SourceInfo
from importer.mapping.candidates import THRESHOLD, candidates, looks
from importer.mapping.content import folded, known_words
from importer.profile.mapping_rules import FieldRule


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """What became of one column; a column that fills two fields has two.

    Args:
        field: the API's dotted name; empty where the column is not used.
        score: 0 to 1; of the best candidate where it is not used.
        why: the reason, for people.
    """

    column: str
    field: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping that was found, not written.

    Args:
        matches: every column of the source, in its order.
        rules: the mapping as a profile would hold it, in the order of the fields.
        assumed: constants that no column says, and whole names that are split.
    """

    matches: tuple[ColumnMatch, ...]
    rules: Mapping[str, FieldRule]
    assumed: tuple[Detected, ...] = ()


def proposal(
    contract: Contract, info: SourceInfo, sample: RawBatch | None = None, *, partial: bool = False
) -> Proposal:
    """Match columns to fields by name and synonyms, then by the content of a sample.

    Args:
        sample: the first rows; None: names alone decide.
        partial: as of `Choice`.
    """
    seen = looks(info.columns, sample)
    choice = Choice(info.columns, seen, partial=partial)
    found = [each for each in candidates(contract, info.columns, seen) if _strong(each, contract.fields, choice)]
    _assign(contract.matching.readings(found, choice), contract.fields, choice)
    contract.matching.settle(found, choice, sample)
    return Proposal(tuple(_matches(contract.fields, choice)), _rules(contract.fields, choice), tuple(choice.notes))


def possible_fields(contract: Contract, info: SourceInfo, sample: RawBatch | None) -> tuple[ColumnMatch, ...]:
    """Every field that a column could be by itself, weak guesses too: column by column, the surest first."""
    found = candidates(contract, info.columns, looks(info.columns, sample))
    return tuple(
        ColumnMatch(info.columns[one.index], one.field, one.score, one.why)
        for one in sorted(found, key=lambda each: (each.index, -each.score))
        if contract.spec(one.field) is not None
    )


def _strong(candidate: Candidate, fields: FieldTable, choice: Choice) -> bool:
    if candidate.score < THRESHOLD:
        choice.refuse(candidate, f"not {_label(candidate.field, fields)}: {candidate.why}")
    return candidate.score >= THRESHOLD


def _label(name: str, fields: FieldTable) -> str:
    """Name a field as people do."""
    spec = fields.spec(name)
    return spec.label.lower() if spec else "a name"


def _assign(found: list[Candidate], fields: FieldTable, choice: Choice) -> None:
    """Give each field to its best candidate, and each column to one field."""
    columns: set[int] = set()
    for candidate in sorted(found, key=lambda each: (-choice.rank(each), each.index)):
        holder = choice.taken.get(candidate.field)
        if holder is not None:
            label = _label(candidate.field, fields)
            choice.refuse(candidate, f"{label} is taken from '{choice.columns[holder.index]}'")
        elif candidate.index not in columns:
            choice.taken[candidate.field] = candidate
            columns.add(candidate.index)


def _rules(fields: FieldTable, choice: Choice) -> dict[str, FieldRule]:
    rules = {name: _rule(name, candidate, choice) for name, candidate in choice.taken.items() if fields.spec(name)}
    rules.update({name: FieldRule(value=value) for name, (value, _) in choice.constants.items()})
    ordered = {name: rules[name] for name in fields.names if name in rules}
    return ordered | rules


def _rule(name: str, candidate: Candidate, choice: Choice) -> FieldRule:
    if places := choice.joined.get(name):
        return FieldRule(columns=tuple(choice.columns[place] for place in places))
    steps: dict[str, Mapping[str, str]] = {"strip": choice.stripped, "default": choice.blank, "part": choice.parts}
    given = {step: values[name] for step, values in steps.items() if name in values}
    return FieldRule.model_validate({"column": choice.columns[candidate.index], **given})


def _kinds_seen(fields: FieldTable, choice: Choice) -> set[str]:
    """Say which record types the sample holds; none where no column says it."""
    if fields.type_field not in choice.taken:
        return set()
    words = known_words(fields.sent[fields.type_field])
    texts = choice.seen[choice.taken[fields.type_field].index].texts
    return {words[text] for text in map(folded, texts) if text in words}


def _matches(fields: FieldTable, choice: Choice) -> Iterable[ColumnMatch]:
    held: dict[int, list[ColumnMatch]] = {}
    kinds = _kinds_seen(fields, choice)
    for name, candidate in choice.taken.items():
        shown = choice.stand_ins.get(name, name)
        spec = fields.spec(shown)
        if spec is not None and kinds and not any(map(spec.is_of, kinds)):
            continue
        match = ColumnMatch(choice.columns[candidate.index], shown, candidate.score, candidate.why)
        held.setdefault(candidate.index, []).append(match)
    for index, column in enumerate(choice.columns):
        score, why = choice.refused.get(index, (0.0, "no customer field has this name"))
        yield from held.get(index) or [ColumnMatch(column, "", score, why)]
