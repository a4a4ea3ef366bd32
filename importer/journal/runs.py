"""Runs, as the journal returns them: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from importer.core.commands import Commands
from importer.core.errors import UsageError
from importer.journal.facts import RunFacts

LOADING, RUNNING, FINISHED, STOPPED = "loading", "running", "finished", "stopped"
"""The phases of a run."""


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What a run is, fixed when it begins.

    Args:
        scope: target and account; import keys are unique inside one.
        path: absolute path of the source.
        content_hash: of the source's bytes.
        profile_hash: of what decides rows and bodies.
    """

    run_id: str
    scope: str
    target: str
    source: str
    path: str
    content_hash: str
    profile_hash: str
    dry_run: bool
    started_at: float


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the journal knows it.

    Args:
        purged_at: when its cells and bodies were removed, seconds since the epoch; None: they are all there.
        profile: its effective profile as JSON; empty: purged, or an earlier program kept none.
        commands: composes the commands that its errors name.
    """

    run: int
    phase: str
    header: RunHeader
    facts: RunFacts
    purged_at: float | None = None
    profile: str = ""
    commands: Commands = field(default_factory=Commands, repr=False)

    def require_loaded(self) -> None:
        """Refuse what needs every row while they are still being read.

        Raises:
            UsageError: they are, or the reading was cut off.
        """
        if self.phase == LOADING:
            raise UsageError(
                f"The run {self.header.run_id} was cut off before its source was read to the end; nothing was sent.",
                f"`{self.commands.resume(self.header.run_id)}` begins it again.",
            )

    def require_whole(self) -> None:
        """Refuse what needs the run's cells, once they were purged, or what another workspace goes on with.

        Raises:
            UsageError: they were, or it does.
        """
        if self.facts.elsewhere:
            raise UsageError(
                f"The run {self.header.run_id} belongs to the workspace that this one was copied from.",
                "Go on with it there, or import the source again: rows that may have been sent are looked up first.",
            )
        if self.purged_at is None:
            return
        day = datetime.fromtimestamp(self.purged_at, UTC).strftime("%Y-%m-%d")
        raise UsageError(
            f"The cells and files of the run {self.header.run_id} were purged on {day}; ids, keys and counts remain.",
            f"`{self.commands.show(self.header.run_id)}` shows what is left; import the source again to have its rows.",
        )


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a run has before it.

    Args:
        creates: rows to send.
        known: rows that an earlier run created; they end without a request.
        in_doubt: rows that this run or another may have sent.
    """

    creates: int
    known: int
    in_doubt: int


class KnownFrom(NamedTuple):
    """Customers that are known from an earlier run; the target was not asked about them.

    Args:
        rows: of the run that knows them.
        first_at: when the first of them was sent, seconds since the epoch.
        last_at: and the last.
    """

    run_id: str
    rows: int
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class RunStatistics:
    """One run that finished.

    Args:
        source: the file's name.
        size_bytes: of the file; 0 where that was not kept.
        requests: of every kind but logins, repeated ones included.
    """

    source: str
    size_bytes: int
    rows: int
    requests: int


@dataclass(frozen=True, slots=True)
class Purgeable:
    """A run with its personal data.

    Args:
        ended_at: when it ended; when it began, where it never ended. Seconds since the epoch.
        resumable: it has not finished, or some of its rows may still be sent or looked up, or it has open steps.
        has_open_steps: of its created rows some have steps left to do.
    """

    run: int
    run_id: str
    source: str
    ended_at: float
    resumable: bool
    has_open_steps: bool = False


@dataclass(frozen=True, slots=True)
class JournalFacts:
    """What a journal is like.

    Args:
        version: its format; 0 when nothing was ever written to it.
        known: the newest format that this program knows.
        damage: what the check of the database found; empty when it is sound.
        last_run: the newest run's id; empty when there is none.
        last_phase: `loading`, `running`, `finished` or `stopped`.
        last_scope: the target and account that run sends to.
        last_exit_code: None when that run has not ended.
    """

    version: int
    known: int
    damage: str = ""
    last_run: str = ""
    last_phase: str = ""
    last_scope: str = ""
    last_exit_code: int | None = None
