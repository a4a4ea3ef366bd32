"""The columns of a blank file to fill in. Plain data: whoever writes CSV or workbooks renders it.

Every header is found again by automatic matching with score 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from importer.core.contract import Contract, FieldSpec, Kind

_KIND_NOTES = {
    Kind.PHONE: "With country and area code, as text.",
    Kind.DATE: "Year-month-day.",
    Kind.COUNTRY: "Three-letter code.",
    Kind.STATE: "State or province code.",
    Kind.POSTAL: "As text, leading zeros included.",
}


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """One column of a template.

    Args:
        header: the column's name.
        note: what belongs into it, for people.
        example: a fictional value.
        choices: what alone is allowed; empty where any text is.
        required: whether every row needs it.
    """

    field: str
    header: str
    note: str
    example: str
    choices: tuple[str, ...] = ()
    required: bool = False


def template_columns(contract: Contract, kind: str) -> tuple[TemplateColumn, ...]:
    """List the columns of the template for one record type.

    Args:
        kind: the type, in any case; empty: the first one.

    Raises:
        UsageError: there is no such type.
    """
    fields = contract.fields
    record_type = fields.type_called(kind)
    specs = (fields.sent[name] for name in fields.template or fields.sent)
    return tuple(_column(spec, record_type, fields.type_field) for spec in specs if spec.is_of(record_type))


def _column(spec: FieldSpec, record_type: str, type_field: str) -> TemplateColumn:
    is_type = spec.name == type_field
    choices = (record_type,) if is_type else spec.values
    example = record_type if is_type else spec.example
    header = spec.label.replace("'s ", " ")
    return TemplateColumn(spec.name, header, _note(spec, choices), example, choices, spec.required)


def _note(spec: FieldSpec, choices: tuple[str, ...]) -> str:
    parts = ["Required." if spec.required else _optional(spec), _KIND_NOTES.get(spec.kind, "")]
    if choices:
        parts.append(f"One of: {', '.join(choices)}.")
    elif spec.max_length:
        parts.append(f"At most {spec.max_length} characters.")
    return (
        " ".join([*filter(None, parts), f"Example: {spec.example}"]) if not choices else " ".join(filter(None, parts))
    )


def _optional(spec: FieldSpec) -> str:
    return f"Needed {spec.condition}." if spec.condition else "Optional."
