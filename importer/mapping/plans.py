"""How each field of one source is filled: the rules of a profile, with the places of their columns. Names only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from importer.core.contract import Contract, Kind
from importer.core.errors import MissingColumnError
from importer.core.labels import did_you_mean, quotable
from importer.mapping.headers import find
from importer.profile.mapping_rules import FieldRule


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """How one field is filled.

    Args:
        name: the API's dotted name.
        rule: the profile's rule.
        indices: places of its columns in the source; empty for a constant.
        column: the columns' names, for messages.
        only_for: the record type whose rows get it, where both types share a column; None: all rows.
        only_with: fields one of which must be filled for a constant to be given; empty: every row gets it.
        sources: the columns' names, one by one, in the order of `indices`.
        kind: what the field holds; None: any text.
        in_future: of a date, whether it may be in the future.
    """

    name: str
    rule: FieldRule
    indices: tuple[int, ...] = ()
    column: str = ""
    only_for: str | None = None
    only_with: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    kind: Kind | None = None
    in_future: bool = False


def plans(
    contract: Contract, rules: Mapping[str, FieldRule], columns: Sequence[str], looks: str = ""
) -> Iterator[FieldPlan]:
    """Find the columns of every rule.

    Args:
        columns: the names that there are.
        looks: a sentence that says how to look at the source.

    Raises:
        MissingColumnError: a rule names a column that is not there.
    """
    for name, rule in rules.items():
        indices = tuple(_index(name, column, columns, looks) for column in named_by(rule))
        sources = tuple(columns[index] for index in indices)
        spec = contract.spec(name)
        yield FieldPlan(
            name,
            rule,
            indices,
            ", ".join(sources),
            only_for=_only_for(contract, name, rules),
            only_with=_companions(contract, name, rules),
            sources=sources,
            kind=spec.kind if spec else None,
            in_future=spec is not None and spec.in_future,
        )


def named_by(rule: FieldRule) -> tuple[str, ...]:
    """The columns that a rule names."""
    return rule.columns or ((rule.column,) if rule.column is not None else ())


def _index(name: str, column: str, columns: Sequence[str], looks: str) -> int:
    found = find(column, columns)
    if found is None:
        raise MissingColumnError(
            f"The profile fills {name} from a column '{column}', which the source does not have"
            f"{did_you_mean(column, quotable(columns))}",
            looks,
        )
    return found


def _only_for(contract: Contract, name: str, rules: Mapping[str, FieldRule]) -> str | None:
    """Say which rows alone get a field: where two types take the same column, each takes it for its own rows."""
    spec, type_field = contract.spec(name), contract.fields.type_field
    if type_field not in rules or rules[type_field].value is not None or spec is None or spec.only_type is None:
        return None
    twin = contract.matching.shared_with(name)
    shared = rules[name].value is not None or (twin in rules and named_by(rules[twin]) == named_by(rules[name]))
    return spec.only_type if shared else None


def _companions(contract: Contract, name: str, rules: Mapping[str, FieldRule]) -> tuple[str, ...]:
    """List what a constant belongs to: a country alone makes no address and no national id."""
    if rules[name].value is None:
        return ()
    return contract.matching.needs_one_of(name, [other for other in rules if rules[other].value is None])
