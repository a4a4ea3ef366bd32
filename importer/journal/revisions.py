"""Rows that come back changed, as the journal takes them: values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from importer.core.issues import Issue
from importer.core.states import RowState


@dataclass(frozen=True, slots=True)
class Revision:
    """One row as it came back, judged anew.

    Args:
        before: the state that it was judged in.
        state: `ready`, `sending` (in doubt: looked up first) or `invalid`; `unknown`: its fixed form cannot be sent.
        cells: one for each column of the source; None: as they are, and so are the surplus ones.
        payload: the request body, b"" where it has none; None: it stays, and so do both keys.
        after: what it brings for steps after its create (`CheckedBatch.after`), empty: nothing; goes with `payload`.
        leader: the ordinal of the row that is sent for it, of rows that are one customer.
        issues: all issues of the row from now on.
    """

    ordinal: int
    before: RowState
    state: RowState
    cells: Sequence[str] | None = None
    surplus: tuple[str, ...] = ()
    key: str | None = None
    external_id: str = ""
    payload: bytes | None = b""
    after: bytes = b""
    leader: int | None = None
    issues: tuple[Issue, ...] = ()


class IssueChange(NamedTuple):
    """Issues of rows that stay as they are.

    Args:
        codes: issues with these codes are removed from every row of the run.
    """

    codes: Sequence[str]
    issues: Sequence[Issue]


class ProfileNow(NamedTuple):
    """The profile of a run whose rows were checked under another one.

    Args:
        kept: as JSON.
    """

    kept: str
    fingerprint: str
