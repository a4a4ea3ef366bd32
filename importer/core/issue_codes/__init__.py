"""Every issue code: what is wrong, how bad it is, how to fix it. Data only.

The codes of checking are the contract's, the others are declared here, by the stage that finds them. Codes are stable:
results and other programs rely on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issue_codes.answers import ANSWER_CODES
from importer.core.issue_codes.documents import DOCUMENT_CODES
from importer.core.issue_codes.mapping import MAPPING_CODES
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issue_codes.returning import RETURN_CODES
from importer.core.issue_codes.sending import DELIVERY_CODES
from importer.core.issue_codes.steps import STEP_CODES
from importer.core.issues import IssueCode

__all__ = ["all_codes", "codes_by_stage", "in_place"]

_SENDING: Mapping[str, IssueCode] = MappingProxyType({**DELIVERY_CODES, **ANSWER_CODES})


def codes_by_stage(checking: Mapping[str, IssueCode]) -> dict[str, Mapping[str, IssueCode]]:
    """The stages of a run that find issues, in the order of a run, and their codes.

    Args:
        checking: `Contract.codes`.
    """
    return {
        "reading": READING_CODES,
        "mapping": MAPPING_CODES,
        "checking": {**checking, **DOCUMENT_CODES},
        "sending": _SENDING,
        "after the create": STEP_CODES,
        "returning": RETURN_CODES,
    }


def all_codes(checking: Mapping[str, IssueCode]) -> dict[str, IssueCode]:
    """Every code to its entry.

    Args:
        checking: `Contract.codes`.
    """
    return {code: entry for codes in codes_by_stage(checking).values() for code, entry in codes.items()}


def in_place(text: str, field: str, column: str) -> str:
    """Put a field and a column into an advice.

    Args:
        text: as `IssueCode.fix`.
        column: empty where no column is known.
    """
    named = f"column '{column}'" if column else "the column"
    return text.replace("column {column}", named).replace("{field}", field).replace("{column}", column or "COLUMN")
