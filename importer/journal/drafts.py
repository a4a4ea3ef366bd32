"""Drafts, as their journal returns them: what a person works on before a run exists. Values only."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from importer.journal.facts import Noted

Stage = Literal["upload", "map", "fix", "check", "approve", "run", "results"]
"""How far a draft got."""


class Reading(BaseModel):
    """How a person wants the file to be read; None: as the reader finds."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    sheet: str | int | None = None
    delimiter: str | None = None
    encoding: str | None = None
    header_row: int | None = Field(default=None, ge=1)


class CheckChoices(BaseModel):
    """What a person chose of the profile's `[validation]`; None: as the profile says."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    default_region: str | None = None
    phone: str | None = None
    date_order: str | None = None
    decimal: str | None = None
    duplicates: str | None = None


class DraftFacts(Noted):
    """What is known of a draft, and what was chosen. No cell.

    Args:
        file: its name, as the person has it; empty: none was received yet.
        host: the machine whose disk the file is on; empty: an earlier program has not noted it.
        folder: the workspace there, absolute.
        kept_in: name of the folder, in that of the draft's sources, that the file is in.
        rules: field to rule, as in the profile's `[mapping]`; None: as proposed.
        target: where it is to be sent; empty: where the profile says.
        checked_run: id of the dry run that checked it last; empty: none, or the file is read or mapped otherwise since.
        checked_edits: the draft's `edits` that were part of that check.
        plan: name of the plan in the draft's folder; empty: there is none.
        run_id: of the run that sent it; empty: none did.
    """

    file: str = ""
    size_bytes: int = 0
    kept_in: str = ""
    host: str = ""
    folder: str = ""
    reading: Reading = Reading()
    rules: Mapping[str, JsonValue] | None = None
    validation: CheckChoices = CheckChoices()
    target: str = ""
    checked_run: str = ""
    checked_edits: int = 0
    plan: str = ""
    run_id: str = ""
    stage: Stage = "upload"

    @classmethod
    def here(cls, workspace: Path) -> Self:
        """Where files are that come into a workspace on this machine."""
        return cls(host=socket.gethostname(), folder=str(workspace.absolute()))


@dataclass(frozen=True, slots=True)
class Draft:
    """One file on its way to a run.

    Args:
        id: of the form of a run id.
        version: one more with every change; whoever changes a draft says which version was looked at.
        edits: how often its corrections were changed; what was checked with fewer has to be checked again.
        made_at: seconds since the epoch, as is `changed_at`.
    """

    id: str
    made_by: str
    made_at: float
    changed_at: float
    version: int = 1
    edits: int = 0
    facts: DraftFacts = field(default_factory=DraftFacts)

    @property
    def is_checked(self) -> bool:
        """Whether it was checked as it is now, its corrections included."""
        return bool(self.facts.checked_run) and self.facts.checked_edits == self.edits


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what to a draft, and when.

    Args:
        at: seconds since the epoch.
        by: the person.
        what: one word or two, such as `corrected` or `mapping chosen`.
        details: counts, names of columns and codes; never a cell.
    """

    at: float
    by: str
    what: str
    details: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """Corrections that were made at once.

    Args:
        number: counts from 1 in each draft.
        made_at: seconds since the epoch.
        cells: how many it corrected.
        columns: in which columns.
        undone: whether it was taken back.
    """

    number: int
    made_by: str
    made_at: float
    cells: int
    columns: Sequence[str]
    undone: bool
