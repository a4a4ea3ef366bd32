"""The schema of the tables that decide rows and results: every key, its default, its meaning. Opens no file.

Every model refuses unknown keys; `problems` turns that into a sentence with the nearest right name. A
`ValueError` raised here names what the value must be ("a rate such as 10/s"): it ends that sentence.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
)

from importer.profile.section import Names, Section, Written, listed


class SourceLimits(Section):
    """The limits beyond which a file is refused as hostile."""

    max_file_bytes: PositiveInt = Field(20 * 1024**3, description="The largest file that is read, in bytes.")
    max_unpacked_bytes: PositiveInt = Field(
        20 * 1024**3, description="The most that a packed file or a workbook may unpack to, in bytes."
    )
    max_unpack_ratio: PositiveInt = Field(200, description="How many times its own size a packed file may unpack to.")
    max_columns: PositiveInt = Field(2_000, description="The most columns.")
    max_rows: PositiveInt = Field(20_000_000, description="The most rows.")
    max_cell_chars: PositiveInt = Field(1_000_000, description="The longest cell, in characters.")


class SourceSettings(Section):
    """`[source]`: how the file is read. `auto` means: detected, and reported."""

    model_config = ConfigDict(str_strip_whitespace=False)  # a delimiter may be a tab

    format: Literal["auto", "csv", "excel"] = Field(
        "auto", description="The kind of file; `excel` is every workbook (.xlsx, .xlsm, .xls, .xlsb, .ods)."
    )
    encoding: str = Field("auto", description="How letters are coded, such as `cp1250`.")
    delimiter: str = Field("auto", description="The character between two cells, or `tab`.")
    quote: str = Field("auto", description="The character around cells that hold a delimiter or a line break.")
    sheet: str | int | None = Field(None, description="A workbook's sheet, by name or number; not set: the first.")
    header_row: PositiveInt | Literal["auto"] = Field(
        "auto", description="The row with the names of the columns, as a spreadsheet counts."
    )
    corrections: Path | None = Field(
        None,
        description=(
            "A CSV file of cells that are read as another text, with the columns row, column, before and after: the "
            "row as a spreadsheet counts, what the cell holds, and what is read instead. In a profile its path is "
            "relative to the profile's folder. Not set: none."
        ),
    )
    limit: PositiveInt | None = Field(None, description="Only this many rows, from the first; not set: all.")
    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = Field(
        4_096, description="How many rows are checked together."
    )
    processes: PositiveInt | Literal["auto"] = Field(
        "auto",
        description="How many processes check large files at once, this one included; `auto`: one for each processor.",
    )
    columns: Names = Field((), description="The header that this profile was made for; empty: any header will do.")
    on_drift: Literal["stop", "warn", "ignore"] = Field(
        "stop", description="What happens when the header is not the one of `columns`."
    )
    limits: SourceLimits = SourceLimits()


class RemoteSettings(Section):
    """`[remote]`: sources that are fetched first (`sftp://`, `s3://`, `gs://`, `https://`)."""

    settle_s: NonNegativeFloat = Field(
        2.0,
        description=(
            "Pause between two looks at the file, in seconds: one that changes in between is still being "
            "uploaded, and not touched."
        ),
    )
    silence_s: PositiveFloat = Field(
        60.0, description="The longest silence of the target, while connecting or under way, in seconds."
    )


_REGION_IS = "a country code of two letters, such as US"


def _region(value: Any) -> Any:
    if not (isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2}", value.strip())):
        raise ValueError(_REGION_IS)
    return value.strip().upper()


class ValidationSettings(Section):
    """`[validation]`: how strict, and what to assume."""

    default_region: Annotated[str, BeforeValidator(_region), Written(_REGION_IS)] | None = Field(
        "US",
        description=(
            "The country of national phone numbers in rows that name none: two letters. `[mapping]` may name "
            "the country of each: `primaryPhoneNumber.region`."
        ),
    )
    phone: Literal["e164", "possible", "valid"] = Field(
        "possible",
        description=(
            "How strict phone numbers are checked: `e164` (their shape only), `possible` (a length that "
            "exists), `valid` (a number that is in use, by libphonenumber)."
        ),
    )
    date_order: Literal["auto", "mdy", "dmy", "ymd"] = Field(
        "auto", description="The order of day, month and year; `auto`: decided for each column, with evidence."
    )
    decimal: Literal["auto", "point", "comma"] = Field(
        "auto", description="The decimal sign of amounts; `auto`: decided for each column, with evidence."
    )
    duplicates: Literal["reject", "first", "allow"] = Field(
        "reject",
        description="Rows of one file with the same import key: refuse them all, import the first, or import all.",
    )
    possible_duplicate: Literal["warn", "reject", "ignore"] = Field(
        "warn",
        description=(
            "A row that is like a customer of an earlier run (email, phone, name with birth date) under "
            "another import key."
        ),
    )
    external_id_decides: bool = Field(
        False,
        description=(
            "true: whoever comes under an externalId that was used is the customer who had it. false: another "
            "person under it, with another name, email and phone, is an error."
        ),
    )
    partial: bool = Field(
        False,
        description="Rows are changes of customers that exist, so nothing is missing; `importer update` sets it.",
    )
    no_change: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        (), description="Fields, by the API's names, that must be sent exactly as they are in the source."
    )


class ResultsSettings(Section):
    """`[results]`: which files, where."""

    formats: Annotated[tuple[Literal["csv", "xlsx", "jsonl", "parquet"], ...], BeforeValidator(listed)] = Field(
        ("csv",), description="The files of results; csv is always written."
    )
    escape_formulas: bool = Field(
        False,
        description=(
            "Escape cells of CSV files that a spreadsheet would run as a formula; in workbooks and HTML they "
            "always are."
        ),
    )
    show_values: bool = Field(
        False,
        description=(
            "Show values in reports and previews as they are; masked otherwise, since reports are mailed around."
        ),
    )
    out: Path | None = Field(None, description="A further folder for the results; not set: the run directory only.")
    partial_ok: bool = Field(False, description="Exit 0 instead of 3 although some rows were refused.")
    preview: Annotated[int, Field(ge=0, le=100)] = Field(
        3,
        description=(
            "How many rows the report shows as they were or would be sent, with their cells; masked like all values."
        ),
    )
