"""A profile's mapping, or the lack of one, becomes a mapper for one source. Refuses what can never make a customer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from shlex import quote

from importer.customers.rules import (
    FIELDS,
    PHONE_ADDRESSES,
    READING_FIELDS,
    CustomerType,
    field_spec,
    fields_of,
)
from importer.errors import MissingColumnError, ProfileError, SourceError
from importer.labels import is_data, quotable
from importer.mapping.content import folded, is_email, is_phone, known_words
from importer.mapping.drift import check_drift
from importer.mapping.headers import find
from importer.mapping.lexicon import CONTACT
from importer.mapping.mapper import ColumnMapper
from importer.mapping.proposal import ColumnMatch, proposal
from importer.mapping.source_cells import FieldPlan
from importer.mapping.transform import Table
from importer.profile.nearest import did_you_mean
from importer.profile.settings import FieldRule, SourceSettings, ValidationSettings
from importer.records import Detected, OtherTable, RawBatch, SourceInfo

_TYPE_WORDS = known_words(FIELDS["type"])


def build_mapper(
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
        mapping: customer field to rule; empty: columns are matched by name and by the content of the first rows.
        table: the source, as columns are looked for in it.
        today: the day that two-digit years of birth are judged by.
        source: its drift guard; None: none.
        validation: its date order; None: decided per column.
        looks: a sentence that says how to look at the source; the hint where its columns are not what is needed.

    Raises:
        MissingColumnError: a rule names a column that the source does not have.
        ProfileError: a required field has no rule.
        SourceError: the header drifted, or no mapping was given and the columns cannot make a customer.
    """
    settings, info = source or SourceSettings(), table.info
    with _other_sheets_named(mapping, table, settings):
        if not _fits(mapping, info):
            require_header(info)
        drift = check_drift(settings, info)
        rules, notes = _chosen(mapping, info, table.sample, looks)
        order = validation.date_order if validation else "auto"
        notes += phone_regions(rules, validation or ValidationSettings())
        return ColumnMapper(list(_plans(rules, info.columns, looks)), drift + notes, order, today, table.transform)


def _fits(mapping: Mapping[str, FieldRule], info: SourceInfo) -> bool:
    """Whether every column that the profile names is there: then the header is one, whatever its names look like."""
    columns = [column for rule in mapping.values() for column in _named(rule)]
    return bool(columns) and all(find(column, info.columns) is not None for column in columns)


def _chosen(
    mapping: Mapping[str, FieldRule], info: SourceInfo, sample: RawBatch | None, looks: str
) -> tuple[Mapping[str, FieldRule], tuple[Detected, ...]]:
    """Return the rules of the profile, or those that are found, with what is worth saying about them."""
    if mapping:
        rules, notes = _completed(mapping)
        _check_required(rules, ProfileError)
        return rules, (*notes, *_unused(rules, info.columns))
    found = proposal(info, sample)
    check_usable(found.rules, info, looks)
    return found.rules, (*_told(found.matches), *found.assumed)


# --------------------------------------------------------------------------- other sheets


@contextmanager
def _other_sheets_named(mapping: Mapping[str, FieldRule], table: Table, settings: SourceSettings) -> Iterator[None]:
    """Refuse to leave customers on another sheet out in silence, where nobody said which sheet is meant.

    Raises:
        SourceError: this sheet cannot be used and another one can, or several can.
    """
    info = table.info
    needed = set(table.transform.takes) if table.transform else None
    others = [
        other
        for other in info.other_tables
        if settings.sheet is None
        and (_holds_customers(other, mapping) if needed is None else needed <= {*other.columns})
    ]
    try:
        yield
    except (SourceError, MissingColumnError) as error:
        if not others:
            raise
        raise SourceError(f"{error.message} This is the sheet '{info.sheet}'.", _choose(others)) from error
    if others:
        names = ", ".join(f"'{name}'" for name in (info.sheet, *(other.sheet for other in others)))
        mine = OtherTable(info.sheet, info.columns)
        raise SourceError(f"'{info.name}' holds customers on several sheets: {names}.", _choose([mine, *others]))


def _choose(tables: Sequence[OtherTable]) -> str:
    first = tables[0].sheet
    if len(tables) == 1:
        return f"The sheet '{first}' holds customers: choose it with --sheet {quote(first)}, or sheet in [source]."
    ways = ", then ".join(f"--sheet {quote(table.sheet)}" for table in tables)
    return f"Import one after another: {ways}."


def _holds_customers(table: OtherTable, mapping: Mapping[str, FieldRule]) -> bool:
    """Whether the columns of another sheet make customers: all that the profile names are there, or can be matched."""
    if mapping:
        return all(find(column, table.columns) is not None for rule in mapping.values() for column in _named(rule))
    info = SourceInfo("", "excel", table.columns)
    try:
        check_usable(proposal(info).rules, info)
    except SourceError:
        return False
    return True


# --------------------------------------------------------------------------- what is missing


def _completed(mapping: Mapping[str, FieldRule]) -> tuple[Mapping[str, FieldRule], tuple[Detected, ...]]:
    """Add the type where a profile leaves it out: the fields it maps tell."""
    if "type" in mapping:
        return mapping, ()
    own = {spec.types for name in mapping if (spec := field_spec(name)) and len(spec.types) == 1}
    kind = CustomerType.BUSINESS if own == {(CustomerType.BUSINESS,)} else CustomerType.INDIVIDUAL
    note = Detected("assumed", f"type = {kind}", 0.5, "the profile does not say it, and its other fields do")
    return {"type": FieldRule(value=str(kind)), **mapping}, (note,)


def _check_required(rules: Mapping[str, FieldRule], error: type[ProfileError | SourceError], hint: str = "") -> None:
    """Refuse rules that leave out what every customer needs; the type that lacks least is spoken of."""
    names = missing_fields(rules)
    if not names:
        return
    labels = ", ".join((field_spec(name) or FIELDS["type"]).label.lower() for name in names)
    whose = "The profile maps nothing to" if error is ProfileError else "No column was found for"
    example = FIELDS[names[0]].example
    raise error(
        f"{whose} what every customer needs: {labels}.",
        hint or f'Add it under [mapping], for example "{names[0]}" = {{ value = "{example}" }}, or name a column.',
    )


def _types(rules: Mapping[str, FieldRule]) -> Sequence[CustomerType]:
    constant = rules["type"].value
    if constant is None:
        return tuple(CustomerType)
    kind = _TYPE_WORDS.get(folded(constant))
    return (CustomerType(kind),) if kind else ()


def missing_fields(rules: Mapping[str, FieldRule]) -> list[str]:
    """Name the required fields that have no rule, of the customer type that lacks least; empty where one lacks none."""
    return min((_lacking(rules, kind) for kind in _types(rules)), key=len, default=[])


def _lacking(rules: Mapping[str, FieldRule], kind: CustomerType) -> list[str]:
    return [spec.name for spec in fields_of(kind) if spec.required and spec.name not in rules]


def check_usable(rules: Mapping[str, FieldRule], info: SourceInfo, looks: str = "") -> None:
    """Refuse columns that can never make a customer.

    Args:
        rules: what was proposed for the source.
        looks: a sentence that says how to look at the source.

    Raises:
        SourceError: the header is a customer, no column was recognised, or a required field has no column.
    """
    require_header(info)
    hint = looks or "Write a profile with a [mapping] for it."
    if not any(rule.value is None for rule in rules.values()):
        raise SourceError(f"None of the columns of '{info.name}' could be recognised.", hint)
    _check_required(rules, SourceError, hint)


def _knows_a_name(info: SourceInfo) -> bool:
    return any(match.field for match in proposal(info).matches)


def require_header(info: SourceInfo) -> None:
    """Refuse a first row that is a customer and not a header.

    Raises:
        SourceError: it is.
    """
    cells = [column.strip() for column in info.columns]
    is_row = any(is_email(cell) or is_phone(cell) for cell in cells)
    if is_row or (any(map(is_data, cells)) and not _knows_a_name(info)):
        raise SourceError(
            f"The first row of '{info.name}' looks like a customer, not like column names.",
            "Add a row with column names on top, or name its row: source.header_row.",
        )


def missing_columns(info: SourceInfo, sample: RawBatch | None) -> list[str]:
    """Name what every customer needs and no column of a source is found for, for people."""
    return [(field_spec(name) or FIELDS["type"]).label.lower() for name in missing_fields(proposal(info, sample).rules)]


# --------------------------------------------------------------------------- plans


def _plans(rules: Mapping[str, FieldRule], columns: Sequence[str], looks: str) -> Iterator[FieldPlan]:
    for name, rule in rules.items():
        indices = tuple(_index(name, column, columns, looks) for column in _named(rule))
        sources = tuple(columns[index] for index in indices)
        only_for, companions = _only_for(name, rules), _companions(name, rules)
        yield FieldPlan(name, rule, indices, ", ".join(sources), only_for, companions, sources)


def _named(rule: FieldRule) -> tuple[str, ...]:
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


def _only_for(name: str, rules: Mapping[str, FieldRule]) -> CustomerType | None:
    """Tell whose rows alone get a field: where both types take the same column, each takes it for its own rows."""
    spec = field_spec(name)
    if rules["type"].value is not None or spec is None or len(spec.types) > 1:
        return None
    twin = name.removeprefix(CONTACT) if name.startswith(CONTACT) else CONTACT + name
    shared = rules[name].value is not None or (twin in rules and _named(rules[twin]) == _named(rules[name]))
    return spec.types[0] if shared else None


def _companions(name: str, rules: Mapping[str, FieldRule]) -> tuple[str, ...]:
    """List what a constant belongs to: a country alone makes no address and no national id."""
    if rules[name].value is None:
        return ()
    if name.startswith("addresses."):
        table = ".".join(name.split(".")[:2]) + "."
        return tuple(other for other in rules if other.startswith(table) and rules[other].value is None)
    whole = name.removesuffix("CountryCode")
    return (whole,) if whole in {"socialId", "taxId"} and whole in rules and rules[whole].value is None else ()


# --------------------------------------------------------------------------- what is told


def phone_regions(rules: Mapping[str, FieldRule], validation: ValidationSettings) -> tuple[Detected, ...]:
    """Say by which country phone numbers without a country code are read; nothing where no phone number is mapped."""
    found: dict[str, None] = {}
    for name in READING_FIELDS:
        phone = name.rpartition(".")[0]
        if f"{phone}.number" in rules:
            found[_phone_region(rules, phone, validation.default_region)] = None
    note = "for phone numbers without a country code"
    return tuple(Detected("phone_region", value, 1.0, note) for value in found)


def _phone_region(rules: Mapping[str, FieldRule], phone: str, default: str | None) -> str:
    countries = (f"addresses.{word}.countryCode" for word in PHONE_ADDRESSES)
    names = (f"{phone}.region", f"{phone}.country", *countries)
    named = [_origin(rules[name]) for name in names if name in rules]
    return ", else ".join([*dict.fromkeys(named), default or "none"])


def _origin(rule: FieldRule) -> str:
    return rule.value if rule.value is not None else " ".join(f"column '{column}'" for column in _named(rule))


def _told(matches: Sequence[ColumnMatch]) -> Iterator[Detected]:
    for match in matches:
        what = "mapped" if match.field else "unmapped"
        yield Detected(what, f"{match.column} → {match.field}" if match.field else match.column, match.score, match.why)


def _unused(rules: Mapping[str, FieldRule], columns: Sequence[str]) -> Iterator[Detected]:
    used = {find(column, columns) for rule in rules.values() for column in _named(rule)}
    for index, column in enumerate(columns):
        if index not in used:
            yield Detected("unmapped", _label(column, index), 1.0, "the profile does not use it")


def _label(column: str, index: int) -> str:
    return f"column {index + 1}, whose name looks like data" if is_data(column) else column
