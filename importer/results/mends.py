"""For every cluster of issues a title and what to do about it, in the spreadsheet or once and for all in the profile.

The codes of validation (and, handed in by the caller, those of other rooms) are documented where they are
made; here stand those that delivery adds. Never sees a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from importer.customers.codes import IssueCode
from importer.records import Cluster, Severity

_LOOK_AGAIN = "Retry the run: these rows are looked up first, and sent only if they are not there."

DELIVERY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "several_candidates": (
            "Several customers could be this row",
            "Compare the candidates named in results and report with the row, and keep the right one.",
        ),
        "several_existing": (
            "Several such customers exist already",
            "Compare the candidates named in results and report with the row, and keep the right one.",
        ),
        "differs_from_existing": (
            "The customer exists with other data",
            "Decide which side is right: fix the cells of column {column}, or change the customer at the other side.",
        ),
        "stopped_in_doubt": ("The run stopped in the middle", _LOOK_AGAIN),
        "timeout": ("The server did not answer in time", _LOOK_AGAIN),
    }
)
"""Code to title and fix, for what only shows while sending."""

_REFUSED = "Correct column {column} in rejects.csv as the message says, and return it with the command of the report."
_REFUSED_ROW = "Correct these rows in rejects.csv as the message says, and return it with the command of the report."


Documented = Mapping[str, IssueCode]
"""Issue code to its documentation."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What a report says about a cluster.

    Args:
        title: a few words.
        fix: what to do about all of its rows; empty for a warning that nobody documented.
    """

    title: str
    fix: str


def advise(cluster: Cluster, documented: Documented) -> Advice:
    """Find title and fix for a cluster."""
    entry = documented.get(cluster.code)
    if entry is not None:
        title, _, _ = entry.title.partition(";")  # what follows is for the table of codes
        return Advice(title, _filled(entry.mend, cluster))
    if cluster.code in DELIVERY:
        title, text = DELIVERY[cluster.code]
        return Advice(title, _filled(text, cluster))
    title = in_words(cluster.code)
    if cluster.severity is Severity.WARNING:
        return Advice(title, "")
    return Advice(title, _filled(_REFUSED if cluster.column else _REFUSED_ROW, cluster))


def in_words(code: str) -> str:
    """The title of a code that nobody documented: its own words."""
    return code.replace("_", " ").capitalize() or "Refused"


def _filled(text: str, cluster: Cluster) -> str:
    """Put field and column into the advice; doubled braces, where a room writes them, stand for single ones."""
    text = text.replace("{{", "{").replace("}}", "}")
    named = f"column '{cluster.column}'" if cluster.column else "the column"
    text = text.replace("column {column}", named)
    return text.replace("{field}", cluster.field).replace("{column}", cluster.column or "COLUMN")
