"""The drafts of a workspace or a team: begun, listed, changed, removed. Decides nothing about a file.

Where a team has one journal, it has one list of drafts; the file of each, and its checks, stay on the disk of the host
where the file came in, and only there somebody can go on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from importer.core.corrections import Correction
from importer.core.errors import BusyError, UsageError
from importer.journal import Act, Draft, DraftFacts, Drafts, open_drafts
from importer.profile import Profile
from importer.runs.context import Machine
from importer.runs.drafts.corrected_rows import CorrectedRows, RecentRows
from importer.runs.drafts.recent import Recent
from importer.runs.drafts.removing import draft_folder, is_under_way, remove_drafts
from importer.runs.run_directory import new_id
from importer.runs.wiring import make_directory

T = TypeVar("T")
_MOST_REMEMBERED = 12

SOURCES = "source"
"""The folder of a draft for what was received: each file in a folder of its own, so that the newest one replaces the
others at once when it is noted."""


@dataclass(frozen=True)
class DraftService:
    """The drafts of one workspace, or of its team.

    They are opened anew for each call: calls may come from several threads, and other programs work beside this one.

    Args:
        profile: what every draft begins with; its workspace is that of the drafts.
    """

    profile: Profile
    machine: Machine = field(default_factory=Machine)
    _remembered: Recent = field(default_factory=lambda: Recent(_MOST_REMEMBERED), init=False, repr=False)

    @property
    def workspace(self) -> Path:
        """The folder of the workspace."""
        return self.profile.workspace

    def begin(self, by: str) -> Draft:
        """Begin a draft, without a file yet.

        Raises:
            StorageError, JournalError: the workspace cannot be written.
        """
        act = self.act(by, "begun")
        draft = Draft(new_id(act.at), by, act.at, act.at)
        with self.opened() as drafts:
            drafts.add(draft, act)
        return draft

    def all(self) -> list[Draft]:
        """Every draft, the one that was changed last first."""
        with self.opened() as drafts:
            return drafts.all()

    def find(self, draft: str) -> Draft:
        """One draft, by its id.

        Raises:
            UsageError: there is none.
        """
        with self.opened() as drafts:
            return drafts.find(draft)

    def acts(self, draft: str) -> list[Act]:
        """Who did what to a draft, from the beginning."""
        with self.opened() as drafts:
            return drafts.acts(draft)

    def remove(self, draft: str) -> None:
        """Remove a draft with its file; a run that was made of it stays.

        Raises:
            UsageError: there is no draft of this id.
            BusyError: its run is under way.
            StorageError: its folder cannot be removed.
        """
        with self.opened() as drafts:
            found = drafts.find(draft)
            if found.facts.run_id and is_under_way(self.workspace, found.facts.run_id):
                raise BusyError(f"The run {found.facts.run_id} of this draft is under way.", "Stop it first.")
            remove_drafts(self.workspace, drafts, [found.id])

    def elsewhere(self, draft: Draft) -> str:
        """The host that the file of a draft of the team is on, where nothing of it is here; empty: it is here."""
        facts, here = draft.facts, DraftFacts.here(self.workspace)
        if (facts.host, facts.folder) in {("", ""), (here.host, here.folder)} or self._source(draft).exists():
            return ""
        return facts.host

    def require_here(self, draft: Draft) -> None:
        """Refuse what needs the file of a draft where it is on another host.

        Raises:
            UsageError: it is.
        """
        if host := self.elsewhere(draft):
            raise UsageError(
                f"The file of this draft, which {draft.made_by} began, is on {host}, in {draft.facts.folder}.",
                "Go on with it there, or begin a new import with the same file here.",
            )

    # ------------------------------------------------------------------ what the parts of this package share

    @contextmanager
    def opened(self) -> Iterator[Drafts]:
        """Open the journal of the drafts while the block lasts."""
        make_directory(self.workspace)
        with closing(open_drafts(self.workspace)) as drafts:
            yield drafts

    def act(self, by: str, what: str, **details: str | int) -> Act:
        """Something that a person does now."""
        return Act(self.machine.clock.now(), by, what, details)

    def editable(self, draft: str, seen: int | None = None) -> Draft:
        """A draft that is to be changed.

        Args:
            seen: the version that the person had seen; None: whichever there is.

        Raises:
            UsageError: there is none, or it is a run already, or its file is on another host.
            BusyError: somebody else has changed it since.
        """
        found = self.find(draft)
        self.require_here(found)
        if found.facts.run_id:
            raise UsageError(
                f"This draft was sent as the run {found.facts.run_id}, so it cannot be changed.", "Begin a new one."
            )
        if seen is not None and seen != found.version:
            raise BusyError("Somebody else changed this draft.", "Load it again, and make your change then.")
        return found

    def profile_of(self, draft: Draft) -> Profile:
        """What a draft begins with, for the target that was chosen for it."""
        return self.profile.with_options({"target": draft.facts.target}) if draft.facts.target else self.profile

    def remembered(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        """What was found out by reading a whole file, as long as it is among the last few of such."""
        return self._remembered.get(key, make)

    def note(self, draft: Draft, facts: DraftFacts, act: Act, *, drops_corrections: bool = False) -> Draft:
        """Add to what is known of a draft, unless somebody else has changed it since it was found.

        Raises:
            BusyError: somebody has.
        """
        with self.opened() as drafts:
            return drafts.note(draft.id, facts, act, seen=draft.version, drops_corrections=drops_corrections)

    def rows_of(self, draft: Draft) -> CorrectedRows:
        """The rows of a draft's last check, with the corrections made since.

        Raises:
            UsageError: it was not checked yet, or its check is gone or on another host.
            JournalError: they cannot be read.
        """
        if not draft.facts.checked_run:
            raise UsageError("This draft was not checked yet.", "Check it first.")
        self.require_here(draft)
        return self._recent_rows.of(draft, lambda: self._corrections(draft))

    def _corrections(self, draft: Draft) -> list[Correction]:
        with self.opened() as drafts:
            return drafts.corrections(draft.id)

    @cached_property
    def _recent_rows(self) -> RecentRows:
        return RecentRows(self.workspace)

    def folder(self, draft: Draft) -> Path:
        """The folder of a draft, which may not be there yet."""
        return draft_folder(self.workspace, draft.id)

    def source(self, draft: Draft) -> Path:
        """The file of a draft.

        Raises:
            UsageError: none was received yet, or it is on another host.
        """
        if not draft.facts.file:
            raise UsageError("This draft has no file yet.", "Upload one first.")
        self.require_here(draft)
        return self._source(draft)

    def _source(self, draft: Draft) -> Path:
        return self.folder(draft) / SOURCES / draft.facts.kept_in / draft.facts.file
