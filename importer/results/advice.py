"""For every cluster of issues a title and what to do about it, in the spreadsheet or once and for all in the profile.

What a code means is declared in `core.issue_codes` and by the contract; codes of the API have no entry.
Never sees a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from importer.core.issue_codes import in_place
from importer.core.issues import IssueCode, Severity
from importer.core.results import Cluster

_REFUSED = "Correct column {column} in rejects.csv as the message says, and return it with the command of the report."
_REFUSED_ROW = "Correct these rows in rejects.csv as the message says, and return it with the command of the report."


@dataclass(frozen=True, slots=True)
class Advice:
    """What a report says about a cluster.

    Args:
        title: a few words.
        fix: what to do about all of its rows; empty for a warning that nobody documented.
    """

    title: str
    fix: str


def advise(cluster: Cluster, codes: Mapping[str, IssueCode]) -> Advice:
    """Find title and fix for a cluster.

    Args:
        codes: every code to its entry (`core.issue_codes.all_codes`).
    """
    entry = codes.get(cluster.code)
    if entry is not None:
        title, _, _ = entry.title.partition(";")  # what follows is for the reference
        return Advice(title, in_place(entry.fix, cluster.field, cluster.column))
    title = in_words(cluster.code)
    if cluster.severity is Severity.WARNING:
        return Advice(title, "")
    return Advice(title, in_place(_REFUSED if cluster.column else _REFUSED_ROW, cluster.field, cluster.column))


def in_words(code: str) -> str:
    """The title of a code that nobody documented: its own words."""
    return code.replace("_", " ").capitalize() or "Refused"
