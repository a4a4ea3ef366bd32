"""A profile's mapping, or the lack of one, becomes a mapper for one source. Refuses what can never make a customer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from importer.core.columns import ID_AT_TARGET
from importer.core.contract import Contract
from importer.core.contract.headers import key
from importer.core.errors import ProfileError, SourceError
from importer.core.labels import named, nearest
from importer.core.sources import Detected, SourceInfo
from importer.mapping.headers import find
from importer.mapping.mapper import ColumnMapper
from importer.mapping.notes import matched, phone_regions, unused
from importer.mapping.other_sheets import other_sheets_named
from importer.mapping.plans import FieldPlan, named_by, plans
from importer.mapping.proposal import proposal
from importer.mapping.requirements import check_required, check_usable, completed, require_header
from importer.mapping.transform import Table
from importer.profile.mapping_rules import FieldRule
from importer.profile.settings import SourceSettings, ValidationSettings


def build_mapper(
    contract: Contract,
    mapping: Mapping[str, FieldRule],
    table: Table,
    *,
    today: date,
    source: SourceSettings | None = None,
    validation: ValidationSettings | None = None,
    looks: str = "",
) -> ColumnMapper:
    """Make the mapper of a source.

    Args:
        contract: what the records are.
        mapping: customer field to rule; empty: columns are matched by name and by the content of the first rows.
        table: the source, as columns are looked for in it.
        today: the day that two-digit years of birth are judged by.
        source: its drift guard; None: none.
        validation: its date order and decimal sign; None: decided per column.
        looks: a sentence that says how to look at the source; the hint where its columns are not what is needed.

    Raises:
        MissingColumnError: a rule names a column that the source does not have.
        ProfileError: a required field has no rule.
        SourceError: the header drifted, or no mapping was given and the columns cannot make a customer.
    """
    settings, info = source or SourceSettings(), table.info
    with other_sheets_named(contract, mapping, table, settings):
        if not fits(mapping, info):
            require_header(contract, info)
        drift = check_drift(settings, info)
        checks = validation or ValidationSettings()
        if checks.partial:
            rules, notes = _changes(contract, mapping, table)
        else:
            rules, notes = _chosen(contract, mapping, table, looks)
        notes += phone_regions(contract, rules, checks)
        planned = list(plans(contract, rules, info.columns, looks))
        if checks.partial:
            planned = [_beside_others(contract, plan, rules) for plan in planned]
        ways = checks.date_order, today, table.transform, checks.decimal
        return ColumnMapper(contract, planned, drift + notes, *ways)


def fits(mapping: Mapping[str, FieldRule], info: SourceInfo) -> bool:
    """Whether every column that the profile names is there: then the header is one, whatever its names look like."""
    columns = [column for rule in mapping.values() for column in named_by(rule)]
    return bool(columns) and all(find(column, info.columns) is not None for column in columns)


def _chosen(
    contract: Contract, mapping: Mapping[str, FieldRule], table: Table, looks: str
) -> tuple[Mapping[str, FieldRule], tuple[Detected, ...]]:
    """Return the rules of the profile, or those that are found, with what is worth saying about them."""
    if mapping:
        rules, notes = completed(mapping, contract.fields)
        check_required(rules, contract.fields, ProfileError)
        return rules, (*notes, *unused(rules, table.info.columns))
    found = proposal(contract, table.info, table.sample)
    check_usable(contract, found.rules, table.info, looks)
    return found.rules, (*matched(found.matches), *found.assumed)


def _changes(
    contract: Contract, mapping: Mapping[str, FieldRule], table: Table
) -> tuple[Mapping[str, FieldRule], tuple[Detected, ...]]:
    """The same for rows that change customers: none of a customer's fields is needed, and nothing is assumed."""
    notes: tuple[Detected, ...]
    if mapping:
        rules, notes = mapping, tuple(unused(mapping, table.info.columns))
    else:
        require_header(contract, table.info)
        found = proposal(contract, table.info, table.sample, partial=True)
        rules = {name: rule for name, rule in found.rules.items() if _is_read(rule)}
        notes = tuple(matched([one for one in found.matches if one.column != ID_AT_TARGET]))
    field = contract.fields.known_id
    if field is not None and field.name not in rules and ID_AT_TARGET in table.info.columns:
        rules = {field.name: FieldRule(column=ID_AT_TARGET), **rules}
    return {name: _bare(rule) for name, rule in rules.items()}, notes


def _is_read(rule: FieldRule) -> bool:
    """Whether a rule that was found takes what rows say."""
    return rule.value is None and ID_AT_TARGET not in named_by(rule)


def _bare(rule: FieldRule) -> FieldRule:
    """Leave out what a blank cell would mean in a new customer: in an update it names nothing."""
    words = None if rule.map is None else {word: value for word, value in rule.map.items() if word.strip()}
    return rule.model_copy(update={"default": None, "map": words})


def _beside_others(contract: Contract, plan: FieldPlan, rules: Mapping[str, FieldRule]) -> FieldPlan:
    """Give a constant of an object to those rows alone that say something of this object."""
    whole, free = plan.name.rpartition(".")[0], contract.fields.free
    is_free = free is not None and plan.name.startswith(free.prefix)
    if plan.rule.value is None or plan.only_with or not whole or is_free:
        return plan
    others = (name for name, rule in rules.items() if rule.value is None and name.startswith(f"{whole}."))
    return replace(plan, only_with=tuple(others))


# --------------------------------------------------------------------------- the drift guard


def check_drift(source: SourceSettings, info: SourceInfo) -> tuple[Detected, ...]:
    """Compare the header with `source.columns`; the order of columns does not matter.

    Returns:
        One note for each difference, where `source.on_drift` is `warn`.

    Raises:
        SourceError: there is a difference, and `source.on_drift` is `stop`.
    """
    if not source.columns or source.on_drift == "ignore":
        return ()
    actual = [column for column in info.columns if column != ID_AT_TARGET]  # ours, of a results file
    found = list(differences(source.columns, actual))
    if found and source.on_drift == "stop":
        raise SourceError(
            f"The columns of '{info.name}' are not those that the profile was made for: {'; '.join(found)}.",
            'Fix the file or source.columns in the profile, or accept it: source.on_drift = "warn".',
        )
    return tuple(Detected("drift", difference) for difference in found)


def differences(expected: Sequence[str], actual: Sequence[str]) -> Iterator[str]:
    """Word every column that is missing, renamed or new."""
    missing = [column for column in expected if column not in actual]
    new = [column for column in actual if column not in expected]
    close = {column: found for column in missing if (found := _renamed(column, new))}
    if missing and len(missing) == len(expected) and not close:
        yield "none of them is there, so its first row may hold no column names"
        return
    for column in missing:
        if (now := close.get(column, "")) in new:
            new.remove(now)
            yield f"'{column}' is now called {named(now)}"
        else:
            yield f"'{column}' is missing"
    yield from (f"{named(column)} is new" for column in new)


def _renamed(column: str, new: Sequence[str]) -> str:
    same = [other for other in new if key(other) == key(column)]
    return same[0] if same else nearest(column, new)
