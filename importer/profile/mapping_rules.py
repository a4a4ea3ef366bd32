"""The schema of `[mapping]`: where a customer field comes from, and which rows are one customer. Opens no file.

A `ValueError` raised here names what the value must be ("a column's name in quotes"): it ends that sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from importer.profile.section import Section, Written


class FieldRule(Section):
    """Where one customer field comes from, and what is done to its text on the way.

    Exactly one of `value`, `column` and `columns` is given. The steps run in the order in which they are listed.
    """

    model_config = ConfigDict(str_strip_whitespace=False)  # a joint or a split may be a blank

    value: str | None = Field(None, description="A constant, the same in every row.")
    column: str | None = Field(None, description="The column that the text comes from.")
    columns: tuple[str, ...] = Field((), description="Several columns; their texts are joined.")
    join: str = Field(" ", description="What is put between the texts of `columns`.")
    strip: str | None = Field(None, description="Characters to remove at both ends, in addition to white space.")
    regex: str | None = Field(
        None, description="Keep what its first group matches, or the whole match; no match is an issue."
    )
    part: Literal["first", "rest", "last", "all_but_last", "given", "family"] | None = Field(
        None,
        description=(
            "The part of a text that is split at white space or `split`; `given` and `family` understand a "
            "person's full name."
        ),
    )
    split: str | None = Field(None, description="The characters that `part` splits at.")
    upper: bool = Field(False, description="Write it in capital letters.")
    lower: bool = Field(False, description="Write it in small letters.")
    map: dict[str, str] | None = Field(
        None, description="Value to value, whatever their case and outer spaces; a value that is not in it is an issue."
    )
    default: str | None = Field(
        None, description="Used where the text is blank and, with `map`, where its value is not in the map."
    )
    format: str | None = Field(None, description="For dates: a `strptime` format, such as `%m/%d/%Y`.")
    decimal: Literal["point", "comma"] | None = Field(
        None, description="For amounts: the decimal sign; the other one separates thousands."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> FieldRule:
        given = [self.value is not None, self.column is not None, bool(self.columns)]
        if sum(given) != 1:
            raise ValueError("a table with exactly one of value, column and columns")
        if self.split is not None and (not self.split or self.part in {None, "given", "family"}):
            raise ValueError("a table with a part (first, rest, last or all_but_last) for its split")
        return self

    @model_serializer(mode="wrap")
    def _without_later_keys(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A rule that does not name a key of later versions is written as ever: fingerprints are made of it."""
        found: dict[str, Any] = dump(self)
        return {name: value for name, value in found.items() if name != "decimal" or value is not None}

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"a regular expression ({error.msg} at position {error.pos})") from None
        return value

    @field_validator("format")
    @classmethod
    def _names_a_whole_date(cls, value: str | None) -> str | None:
        if value is not None and not _is_date_format(value):
            raise ValueError(f"a date format that names day, month and year, such as '{_as_strptime(value)}'")
        return value


_PROBE = datetime(2001, 2, 3)  # noqa: DTZ001 - a format is tried out on it; it is not a moment in time
_SPELLED = (("YYYY", "%Y"), ("YY", "%y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d"))


def _is_date_format(text: str) -> bool:
    if not re.search("%[YyGcx]", text):  # Python 3.13 and later warn about dates that have no year
        return False
    try:
        return datetime.strptime(_PROBE.strftime(text), text).date() == date(2001, 2, 3)  # noqa: DTZ007
    except (ValueError, re.error):
        return False


def _as_strptime(text: str) -> str:
    """Translate what people write (`MM/DD/YYYY`); the commonest format where that does not help either."""
    for spelled, directive in _SPELLED:
        text = re.sub(spelled, directive, text, flags=re.IGNORECASE)
    return text if _is_date_format(text) else "%m/%d/%Y"


def _rule(value: Any) -> Any:
    if isinstance(value, str):
        return {"column": value}
    if not isinstance(value, Mapping | FieldRule):
        raise ValueError("a column's name in quotes, or a table")  # noqa: TRY004 - pydantic collects ValueErrors only
    return value


MappingRule = Annotated[FieldRule, BeforeValidator(_rule)]


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class GroupingSettings(Section):
    """`[mapping]`: which column is which customer field, and which rows are one business with several contacts."""

    group_by: Annotated[tuple[str, ...], BeforeValidator(_names), Written("a field or a column, or a list of them")] = (
        Field(
            (),
            description=(
                "Customer fields or columns: rows that are equal in all of them are one business with a contact from "
                "each, wherever they are. They share state and id; a row with an error holds its group, and rows "
                "that contradict each other about the business are an error. Empty: every row is a customer of its own."
            ),
        )
    )
    group_primary: str = Field(
        "", description="A column of yes and no that marks the row of the main contact; empty: the first row's is."
    )

    @model_validator(mode="after")
    def _marks_within_groups(self) -> GroupingSettings:
        if self.group_primary and not self.group_by:
            raise ValueError("a table with group_by, where it has group_primary")
        return self
