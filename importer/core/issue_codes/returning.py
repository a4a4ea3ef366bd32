"""The codes of returned files: what keeps a line from being taken back into its run. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issues import IssueCode, Severity

_ALL = (
    IssueCode(
        "returned_run_other",
        "A returned line of another run, or of none",
        "",
        "Return it to the run that its column `_run` names. New customers belong in a file of their own.",
    ),
    IssueCode(
        "returned_row_unknown",
        "A returned line without a row of its run",
        "",
        "Write the row's number back into the column `_row`.",
    ),
    IssueCode(
        "returned_row_repeated", "A row that was returned more than once", "", "Keep one of the lines, and return it."
    ),
    IssueCode(
        "returned_row_done",
        "A changed row whose customer exists already",
        "",
        "Change the customer at the target: what exists is not sent again.",
    ),
    IssueCode(
        "returned_in_doubt",
        "A row in doubt whose fixed form has errors",
        "",
        "Fix the errors that are named beside it, and return the row again.",
    ),
    IssueCode(
        "fix_not_sent",
        "The customer had been created before the row came back",
        "",
        "Compare the customer with the row, and correct it at the target.",
        Severity.WARNING,
    ),
)

RETURN_CODES: Mapping[str, IssueCode] = MappingProxyType({entry.code: entry for entry in _ALL})
"""Code to its entry; the sentence about a line is made where it is judged."""
