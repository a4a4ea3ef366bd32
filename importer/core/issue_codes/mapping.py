"""The issue codes of mapping: what a column's text can do wrong before it is a customer's field. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issues import IssueCode, Severity

_ALL = (
    IssueCode(
        "value_unmapped",
        "A word that the profile does not translate",
        "{label} holds a word that the profile's map does not know; add the word to the map, or correct the cell.",
        "Use the words that the profile translates in column {column}.",
        in_profile='add the others to the map of `"{field}"` in the profile, or give the rest one value there: '
        '`default = "..."`.',
    ),
    IssueCode(
        "value_defaulted",
        "A word that the profile does not translate, sent as the default",
        "{label} holds a word that the profile's map does not know, so the profile's default is sent in its place.",
        "Check whether the default is right for these rows.",
        Severity.WARNING,
        in_profile='add their word to the map of `"{field}"` in the profile.',
    ),
    IssueCode(
        "pattern_mismatch",
        "A text that does not fit the profile's pattern",
        "{label} does not have the form that the profile's regex asks for; correct the cell, or the regex.",
        "Correct the cells of column {column}.",
        in_profile='correct the regex of `"{field}"` in the profile.',
    ),
    IssueCode(
        "date_unreadable",
        "Not a date",
        "{label} cannot be read as a date; write year, month and day, for example 1980-01-31.",
        "Correct the cells of column {column}.",
        in_profile='name their form: `"{field}" = { column = "{column}", format = "%m/%d/%Y" }`.',
    ),
    IssueCode(
        "date_serial",
        "A spreadsheet's day number instead of a date",
        "{label} is the number by which a spreadsheet counts days; format the cell as a date and save again.",
        "Format column {column} as a date (for example 1980-01-31) in the spreadsheet, and export it again.",
    ),
    IssueCode(
        "amount_sign",
        "An amount with another decimal sign than its column",
        "{label} is written with another decimal sign than the rest of its column; write it as they are.",
        "Correct the cells of column {column}.",
        in_profile='name its sign: `"{field}" = { column = "{column}", decimal = "comma" }`.',
    ),
    IssueCode(
        "phone_digits_lost",
        "A phone number that a spreadsheet shortened",
        "{label} is a rounded number in the file (like 4.1E+09), so digits are lost; look it up.",
        "Format column {column} as text in the spreadsheet, and export it again; the lost digits are not in the file.",
        Severity.WARNING,
    ),
)

MAPPING_CODES: Mapping[str, IssueCode] = MappingProxyType({entry.code: entry for entry in _ALL})
"""Code to its entry, as in `Contract.codes`."""
