"""How a file was read, in words that need no manual: for the terminal, the report page and `inspect`.

Takes what the reader and the mapper detected, in its JSON form. Holds names of columns and settings, never a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from importer.core.contract import FieldTable

_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "encoding": "Encoding",
        "delimiter": "Cells separated by",
        "quote": "Quotation mark",
        "escape": "Escape sign",
        "line_end": "Line ends",
        "sheet": "Sheet",
        "header_row": "Row of column names",
        "date_order": "Order of dates",
        "decimal": "Decimal sign",
        "phone_region": "Country",
        "assumed": "Assumed",
        "damage": "Probably damaged",
        "drift": "Not as in the profile",
        "split": "Split into two names",
        "step_off": "Not used",
        "mapped": "Mapped",
        "unmapped": "Not used",
        "customer_type": "Customer type",
    }
)
_SEPARATORS: Mapping[str, str] = MappingProxyType(
    {",": "commas", ";": "semicolons", "|": "vertical bars", "tab": "tabs", "space": "spaces"}
)
_SURE = 0.95
"""From here on the summary does not mention a doubt; the report has the figure."""


def label(what: str) -> str:
    """What was detected, in words."""
    return _LABELS.get(what) or what.replace("_", " ").capitalize()


def value_in_words(found: Mapping[str, Any]) -> str:
    """What was detected, in words where the character itself is hard to read."""
    value = str(found["value"])
    return _SEPARATORS.get(value, value) if found["what"] == "delimiter" else value


def read_as(detected: Sequence[Mapping[str, Any]], fields: FieldTable) -> Iterator[str]:
    """Yield how a file was read: a line for the file itself, and one for each decision about its cells.

    Args:
        detected: `what`, `value`, `confidence` (0 to 1) and `note` of each thing that was detected.
        fields: of the contract.
    """
    table = [_file(one) + _doubt(one) for one in detected if one["what"] in _FILE]
    if table:
        yield f"Read as: {', '.join(table)}"
    assumed = [_assumed(one["value"], fields) for one in detected if one["what"] == "assumed"]
    if assumed:
        yield f"Assumed, where no cell says it: {', '.join(assumed)}"
    for one in detected:
        if one["what"] in _DECISIONS:
            yield _DECISIONS[one["what"]].format(**one, **_parts(one["value"]))
    unused = [f"'{one['value']}'" for one in detected if one["what"] == "unmapped"]
    if unused:
        yield f"Not used: {', '.join(unused)}"


_FILE: Mapping[str, str] = MappingProxyType(
    {
        "encoding": "encoding {value}",
        "delimiter": "cells separated by {value}",
        "sheet": "sheet '{value}'",
        "header_row": "column names in row {value}",
    }
)
_DECISIONS: Mapping[str, str] = MappingProxyType(
    {
        "phone_region": "Phone numbers without a country code: {country}",
        "date_order": "Dates in '{column}': {order}",
        "decimal": "Amounts in '{column}': {order}",
        "split": "Split: {note}",
        "step_off": "{note}",
        "drift": "Not as in the profile: {value}",
        "damage": "Look at '{value}': {note}",
        "corrections": "Corrected: {note}, as '{value}' says",
    }
)


def _file(one: Mapping[str, Any]) -> str:
    if (one["what"], one["value"]) == ("delimiter", "none"):
        return "one column"
    value = _SEPARATORS.get(one["value"], f"'{one['value']}'") if one["what"] == "delimiter" else one["value"]
    return _FILE[one["what"]].format(value=value)


def _doubt(one: Mapping[str, Any]) -> str:
    return f" ({one['confidence']:.0%} sure)" if one["confidence"] < _SURE else ""


def _assumed(value: str, fields: FieldTable) -> str:
    """`type = INDIVIDUAL`, with the name that people use for the field."""
    name, _, constant = value.partition(" = ")
    spec = fields.spec(name)
    return f"{spec.label[:1].lower()}{spec.label[1:]} {constant}" if spec else value


def _parts(value: str) -> dict[str, str]:
    """What a sentence may name of a value: of `Born: day first` column and order, of `US` or `none` the country."""
    column, _, order = value.rpartition(": ")
    country = f"{value.removesuffix('none')}not accepted" if value.endswith("none") else value
    return {"column": column, "order": order, "country": country}
