"""A commented profile for one file, from what matching found: `importer init` writes this text.

Holds column names and the words of columns that only have a few (phone types); never another cell.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from importer.core.batches import RawBatch
from importer.core.contract import Contract, FieldSpec, FieldTable, Kind
from importer.core.labels import either
from importer.core.sources import Detected, SourceInfo
from importer.core.target_kinds import DEFAULT_KIND, target_kind
from importer.mapping.content import folded, known_words
from importer.mapping.proposal import ColumnMatch, proposal
from importer.mapping.requirements import missing_fields
from importer.mapping.transform import Table
from importer.profile.mapping_rules import FieldRule
from importer.profile.transform import TRANSFORM

MOST_WORDS = 30
"""A column with more different words than this is not a list of choices."""

_SOURCE_KEYS = ("encoding", "delimiter", "sheet", "header_row")
_LIMITS = "# limits = true "
_TAIL = f"""
[validation]
# default_region = "US"       # country of phone numbers without one, where their row names none
# phone = "possible"          # e164 (shape only), possible, valid
# date_order = "auto"         # auto (decided per column, with evidence), mdy, dmy, ymd
# decimal = "auto"            # auto (decided per column, with evidence), point, comma: of amounts
# duplicates = "reject"       # reject, first, allow: rows with the same import key

[delivery]
# rate = "10/s"               # strict: never more in any rolling window
# concurrency = 16
# max_errors = 1000           # stop after this many refused rows

[after_create]                # what happens after a row's create, in this order
{_LIMITS}              # needs columns mapped to limits.daily, limits.monthly, limits.currency
# identity_verification = ""  # submit who is ready to this profile of the target, by its name
# verify = true               # read every customer back, and compare

[results]
# formats = ["csv", "xlsx"]   # csv is always written
"""


def init_profile(contract: Contract, table: Table, batches: Iterable[RawBatch] = ()) -> str:
    """Write a profile for a source, as commented TOML.

    Args:
        contract: what the records are.
        table: the source, as columns are looked for in it.
        batches: its rows, which are searched for the words of enum columns.
    """
    info, fields = table.info, contract.fields
    found = proposal(contract, info, table.sample)
    counts = _words(fields, info, found.rules, table.rows(batches))
    rules = _of_kinds(fields, found.rules, counts.get(fields.type_field, Counter()))
    lines = [f"# How '{_printable(info.name)}' is read, and where its columns go. Lines with # are remarks.", ""]
    lines += [*_source(info), "", "[mapping]  # customer field = column", *_own_function(table)]
    reasons = {match.field: match for match in found.matches if match.field}
    tables = {name: rule for name, rule in rules.items() if +counts.get(name, Counter())}
    lines += [_rule(name, rule, reasons) for name, rule in rules.items() if name not in tables]
    lines += _missing(fields, rules)
    lines += _grouping(contract, rules)
    lines += _notes(found.assumed)
    lines += _unused(found.matches)
    for name, rule in tables.items():
        lines += _choices(fields, name, rule, counts[name])
    tail = _TAIL.replace(_LIMITS, _LIMITS.removeprefix("# ")) if "limits" in fields.steps(rules) else _TAIL
    return "\n".join(lines) + "\n" + tail + _target(contract.name)


def _target(name: str) -> str:
    kind = target_kind(name)
    named = "" if name == DEFAULT_KIND else f"# kind = {_quoted(name)}\n"
    return f"""
# [targets.sandbox]
{named}# base_url = "https://..."    # {kind.address}; credentials: {kind.variables}
"""


# --------------------------------------------------------------------------- the source


def _source(info: SourceInfo) -> Iterator[str]:
    yield "[source]"
    yield f"format = {_quoted(info.format)}" if info.format in {"csv", "excel"} else 'format = "auto"'
    for found in info.detected:
        if found.what in _SOURCE_KEYS and found.confidence >= 0.9 and found.value:
            yield f"{found.what} = {_value(found)}"
    yield "columns = ["
    yield from (f"    {_quoted(column)}," for column in info.columns)
    yield "]"
    yield 'on_drift = "stop"  # stop, warn or ignore when a file has other columns'


def _value(found: Detected) -> str:
    return found.value if found.what == "header_row" and found.value.isdecimal() else _quoted(found.value)


# --------------------------------------------------------------------------- the mapping


def _own_function(table: Table) -> Iterator[str]:
    if table.transform is not None:
        settings = table.transform.settings
        yield f"{TRANSFORM} = {_quoted(settings.function)}  # is in {_printable(str(settings.file))}"


def _rule(name: str, rule: FieldRule, reasons: Mapping[str, ColumnMatch]) -> str:
    match = reasons.get(name)
    remark = f"  # {match.score:.2f}: {_printable(match.why)}" if match and rule.value is None else ""
    return f"{_quoted(name)} = {_right_side(rule)}{remark}"


def _right_side(rule: FieldRule) -> str:
    given = rule.model_dump(exclude_defaults=True, exclude_none=True)
    if list(given) == ["column"]:
        return _quoted(rule.column or "")
    return "{ " + ", ".join(f"{key} = {_toml(value)}" for key, value in given.items()) + " }"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return _quoted(value) if isinstance(value, str) else str(value).lower()


def _missing(fields: FieldTable, rules: Mapping[str, FieldRule]) -> Iterator[str]:
    for name in missing_fields(rules, fields):
        yield f'# {_quoted(name)} = "..."  # required: put the name of its column here, and take the # away'


def _grouping(contract: Contract, rules: Mapping[str, FieldRule]) -> Iterator[str]:
    groups = contract.identity.groups
    if groups is not None and groups.name_field in rules:
        one = groups.record_type.lower()
        yield f'# group_by = "{groups.name_field}"  # rows of one {one} become one, with a contact from each'


def _notes(assumed: Iterable[Detected]) -> Iterator[str]:
    for note in assumed:
        what = f"{note.value}: {note.note}" if note.what == "assumed" else note.note
        yield f"# {note.what}: {_printable(what)}"


def _unused(matches: Iterable[ColumnMatch]) -> Iterator[str]:
    unused = [match for match in matches if not match.field]
    if unused:
        yield "# Columns that are not used:"
    yield from (f'#   "..." = {_quoted(match.column)}  # {_printable(match.why)}' for match in unused)


# --------------------------------------------------------------------------- words of enum columns


def _words(
    fields: FieldTable, info: SourceInfo, rules: Mapping[str, FieldRule], batches: Iterable[RawBatch]
) -> dict[str, Counter[str]]:
    places = {
        name: info.columns.index(rule.column)
        for name, rule in rules.items()
        if rule.column is not None and _is_enum(fields, name)
    }
    counts: dict[str, Counter[str]] = {name: Counter() for name in places}
    for batch in batches:
        for name, place in places.items():
            if len(counts[name]) <= MOST_WORDS:
                cells = batch.frame.iloc[:, place].value_counts(sort=False)
                for cell, count in cells.items():
                    counts[name][str(cell).strip().strip("* ")] += count
    return {name: words for name, words in counts.items() if len(words) <= MOST_WORDS}


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


def _is_enum(fields: FieldTable, name: str) -> bool:
    spec = fields.spec(name)
    return spec is not None and spec.kind is Kind.ENUM


def _choices(fields: FieldTable, name: str, rule: FieldRule, words: Counter[str]) -> Iterator[str]:
    spec = fields.spec(name)
    if spec is None:
        return
    known = known_words(spec)
    blank = words.pop("", 0)
    yield ""
    yield f"[mapping.{_quoted(name)}]"
    yield f"column = {_quoted(rule.column or '')}"
    if rule.strip:
        yield f"strip = {_quoted(rule.strip)}"
    if rule.default:
        yield f"{'' if blank else '# '}default = {_quoted(rule.default)}  # where the cell is blank or not in the map"
    yield f"[mapping.{_quoted(name)}.map]  # the words of the column = {either(spec.values)}"
    yield from _translations(words, known, spec)


def _translations(words: Counter[str], known: Mapping[str, str], spec: FieldSpec) -> Iterator[str]:
    for word, count in _alike_once(words):
        rows = f"{count} row{'s' if count > 1 else ''}"
        meaning = known.get(folded(word))
        if meaning is None:
            yield f"# {_quoted(word)} = {_quoted(spec.values[0])}  # {rows}: complete this line, and take the # away"
        else:
            yield f"{_quoted(word)} = {_quoted(meaning)}  # {rows}"


def _alike_once(words: Counter[str]) -> list[tuple[str, int]]:
    """Count words that differ in capitals only as one, as a map does."""
    counts: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for word, count in sorted(words.items()):
        counts[word.casefold()] += count
        spelled.setdefault(word.casefold(), word)
    return [(spelled[word], count) for word, count in counts.items()]


def _quoted(text: str) -> str:
    """Write a TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _printable(text: str) -> str:
    """Make a text fit for a remark: one line, nothing that cannot be seen."""
    return "".join(char if char.isprintable() else " " for char in text)
