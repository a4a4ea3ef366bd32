"""Every issue code: what is wrong, how bad it is, how to fix it. Data only; judges nothing.

Validation's codes are declared in `customers.codes`, the others here, by the stage that finds them. Codes are stable:
results and other programs rely on them. Whoever explains a code reads `ALL_CODES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issue_codes.answers import ANSWER_CODES
from importer.core.issue_codes.mapping import MAPPING_CODES
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issue_codes.returning import RETURN_CODES
from importer.core.issue_codes.sending import DELIVERY_CODES
from importer.customers.codes import ISSUE_CODES, IssueCode

__all__ = ["ALL_CODES", "CODES_BY_STAGE", "in_place"]

CODES_BY_STAGE: Mapping[str, Mapping[str, IssueCode]] = MappingProxyType(
    {
        "reading": READING_CODES,
        "mapping": MAPPING_CODES,
        "checking": ISSUE_CODES,
        "sending": MappingProxyType({**DELIVERY_CODES, **ANSWER_CODES}),
        "returning": RETURN_CODES,
    }
)
"""The stages of a run that find issues, in the order of a run, and their codes."""

ALL_CODES: Mapping[str, IssueCode] = MappingProxyType(
    {code: entry for codes in CODES_BY_STAGE.values() for code, entry in codes.items()}
)
"""Every code to its entry."""


def in_place(text: str, field: str, column: str) -> str:
    """Put a field and a column into an advice.

    Args:
        text: as `IssueCode.fix`.
        column: empty where no column is known.
    """
    named = f"column '{column}'" if column else "the column"
    return text.replace("column {column}", named).replace("{field}", field).replace("{column}", column or "COLUMN")
