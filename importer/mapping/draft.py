"""A commented profile for one file, from what matching found and a person chose: what `importer init` writes.

Holds column names and the words of columns that only have a few (phone types); never another cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from importer.core.batches import RawBatch
from importer.core.contract import Contract, FieldSpec, FieldTable
from importer.core.labels import either
from importer.core.sources import Detected, SourceInfo
from importer.mapping.headers import find
from importer.mapping.plans import named_by
from importer.mapping.profile_tables import other_tables, quoted, toml_keys, toml_tables_in, toml_value
from importer.mapping.proposal import ColumnMatch
from importer.mapping.requirements import missing_fields
from importer.mapping.survey import Survey, alike_once, column_words, meaning_of, survey
from importer.mapping.transform import Table
from importer.profile.mapping_rules import FieldRule
from importer.profile.transform import TRANSFORM

_SOURCE_KEYS = ("encoding", "delimiter", "sheet", "header_row")
_OF_THE_FILE = {*_SOURCE_KEYS, "format", "columns", "on_drift", "corrections"}
"""Keys of `[source]` that the file itself decides, or that are written anyway."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a profile says beside what its source shows; tables as in a profile.

    Args:
        target: where to; empty: the default.
        source: keys of `[source]` that the file itself does not decide.
        grouping: the keys of `[mapping]` beside its fields: which rows are one customer.
        tables: every other table.
    """

    target: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    grouping: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_NOTHING = Given()


def init_profile(contract: Contract, table: Table, batches: Iterable[RawBatch] = ()) -> str:
    """Write a profile for a source with the proposed mapping, as commented TOML.

    Args:
        contract: what the records are.
        table: the source, as columns are looked for in it.
        batches: its rows, which are searched for the words of enum columns.
    """
    return write_profile(contract, survey(contract, table, column_words(table, batches)))


def write_profile(contract: Contract, source: Survey, given: Given = _NOTHING) -> str:
    """Write a profile for a source, as commented TOML."""
    info, fields, found, rules = source.table.info, contract.fields, source.found, source.rules
    lines = [f"# How '{_printable(info.name)}' is read, and where its columns go. Lines with # are remarks.", ""]
    lines += [f"target = {quoted(given.target)}", ""] if given.target else []
    lines += [*_source(info, given.source), "[mapping]  # customer field = column", *_own_function(source.table)]
    lines += [f"{key} = {toml_value(value)}" for key, value in given.grouping.items()]
    reasons = {match.field: match for match in found.matches if match.field}
    tables = [name for name in rules if +source.words.get(name, Counter())]
    lines += [_rule(name, rule, reasons) for name, rule in rules.items() if name not in tables]
    lines += _missing(fields, rules)
    lines += [] if given.grouping else _grouping(contract, rules)
    lines += _notes(source.assumed)
    lines += _unused(source)
    for name in tables:
        lines += _choices(fields, name, source)
    lines += ["", *other_tables(contract, rules, given.tables)]
    return "\n".join(lines) + "\n"


# --------------------------------------------------------------------------- the source


def _source(info: SourceInfo, given: Mapping[str, Any]) -> Iterator[str]:
    yield "[source]"
    yield f"format = {quoted(info.format)}" if info.format in {"csv", "excel"} else 'format = "auto"'
    for found in info.detected:
        if found.what in _SOURCE_KEYS and found.confidence >= 0.9 and found.value:
            yield f"{found.what} = {_value(found)}"
    yield "columns = ["
    yield from (f"    {quoted(column)}," for column in info.columns)
    yield "]"
    on_drift = given.get("on_drift", "stop")
    yield f"on_drift = {quoted(on_drift)}  # stop, warn or ignore when a file has other columns"
    others = {key: value for key, value in given.items() if key not in _OF_THE_FILE}
    yield from toml_keys(others)
    yield ""
    yield from toml_tables_in("source", others)


def _value(found: Detected) -> str:
    return found.value if found.what == "header_row" and found.value.isdecimal() else quoted(found.value)


# --------------------------------------------------------------------------- the mapping


def _own_function(table: Table) -> Iterator[str]:
    if table.transform is not None:
        settings = table.transform.settings
        yield f"{TRANSFORM} = {quoted(settings.function)}  # is in {_printable(str(settings.file))}"


def _rule(name: str, rule: FieldRule, reasons: Mapping[str, ColumnMatch]) -> str:
    match = reasons.get(name)
    remark = f"  # {match.score:.2f}: {_printable(match.why)}" if match and rule.value is None else ""
    return f"{quoted(name)} = {_right_side(rule)}{remark}"


def _right_side(rule: FieldRule) -> str:
    given = rule.model_dump(exclude_defaults=True, exclude_none=True)
    return quoted(rule.column or "") if list(given) == ["column"] else toml_value(given)


def _missing(fields: FieldTable, rules: Mapping[str, FieldRule]) -> Iterator[str]:
    for name in missing_fields(rules, fields):
        yield f'# {quoted(name)} = "..."  # required: put the name of its column here, and take the # away'


def _grouping(contract: Contract, rules: Mapping[str, FieldRule]) -> Iterator[str]:
    groups = contract.identity.groups
    if groups is not None and groups.name_field in rules:
        one = groups.record_type.lower()
        yield f'# group_by = "{groups.name_field}"  # rows of one {one} become one, with a contact from each'


def _notes(assumed: Iterable[Detected]) -> Iterator[str]:
    for note in assumed:
        what = f"{note.value}: {note.note}" if note.what == "assumed" else note.note
        yield f"# {note.what}: {_printable(what)}"


def _unused(source: Survey) -> Iterator[str]:
    columns = source.table.info.columns
    used = {find(column, columns) for rule in source.rules.values() for column in named_by(rule)}
    unused = {match.column: match for match in source.found.matches if columns.index(match.column) not in used}
    if unused:
        yield "# Columns that are not used:"
    for match in unused.values():
        why = f"looks like {match.field}" if match.field else match.why
        yield f'#   "..." = {quoted(match.column)}  # {_printable(why)}'


# --------------------------------------------------------------------------- words of enum columns


def _choices(fields: FieldTable, name: str, source: Survey) -> Iterator[str]:
    spec, rule, words = fields.spec(name), source.rules[name], Counter(source.words[name])
    if spec is None:
        return
    blank = words.pop("", 0)
    yield ""
    yield f"[mapping.{quoted(name)}]"
    yield from toml_keys(rule.model_dump(exclude_defaults=True, exclude_none=True, exclude={"default", "map"}))
    if rule.default:
        remark = "# " if source.is_proposal and not blank else ""
        yield f"{remark}default = {quoted(rule.default)}  # where the cell is blank or not in the map"
    yield f"[mapping.{quoted(name)}.map]  # the words of the column = {either(spec.values)}"
    yield from _translations(words, spec, rule)


def _translations(words: Counter[str], spec: FieldSpec, rule: FieldRule) -> Iterator[str]:
    seen = set()
    for word, count in alike_once(words):
        seen.add(word.casefold())
        rows = f"{count} row{'s' if count > 1 else ''}"
        meaning = meaning_of(word, spec, rule)
        if meaning is None:
            yield f"# {quoted(word)} = {quoted(spec.values[0])}  # {rows}: complete this line, and take the # away"
        else:
            yield f"{quoted(word)} = {quoted(meaning)}  # {rows}"
    others = {word: value for word, value in (rule.map or {}).items() if word.strip().casefold() not in seen}
    yield from (f"{quoted(word)} = {quoted(value)}  # no row" for word, value in others.items())


def _printable(text: str) -> str:
    """Make a text fit for a remark: one line, nothing that cannot be seen."""
    return "".join(char if char.isprintable() else " " for char in text)
