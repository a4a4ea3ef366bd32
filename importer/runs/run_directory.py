"""The directory of a run: its name, its log, the journal of a dry run, and its removal when the run is refused."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from importer.core.commands import Commands
from importer.core.errors import ImporterError
from importer.core.locks import locked
from importer.journal import Journal, Location, RunHeader, Runs, StoredRun, open_journal
from importer.observe import observed
from importer.runs.context import Context
from importer.runs.wiring import make_directory
from importer.runs.wiring.sources import LocalSource, Opened


def new_id(now: float) -> str:
    """An id of a run or a draft; ids sort by the time that they were made at (seconds since the epoch)."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def new_header(
    context: Context, source: LocalSource, found: Opened, *, content: str, scope: str, started_at: float
) -> RunHeader:
    """Describe a run that begins now, under a new id.

    Args:
        content: hash of the source's bytes.
        scope: target and account that rows are sent to; empty: a dry run, which sends nothing.
    """
    return RunHeader(
        run_id=new_id(started_at),
        scope=scope,
        target=context.profile.target,
        source=found.reader.info.name,
        path=source.origin,
        content_hash=content,
        profile_hash=context.profile.fingerprint,
        dry_run=not scope,
        started_at=started_at,
    )


@contextmanager
def run_directory(context: Context, run_id: str) -> Iterator[tuple[Context, Path]]:
    """Make the directory of a run, and log every event of the block into it.

    Yields:
        The context that the block has to use, and the directory.
    """
    directory, profile = context.workspace / run_id, context.profile
    make_directory(context.workspace)
    make_directory(directory)
    with observed(
        run_id,
        directory,
        profile.log,
        quiet=profile.output.quiet,
        target=profile.target,
        metrics=profile.metrics if context.machine.metrics is None else context.machine.metrics,
        otel=profile.otel,
    ) as log:
        yield context.with_sink(log), directory


@contextmanager
def checked_journal(directory: Path) -> Iterator[Journal]:
    """Open the journal of a dry run, apart from the workspace's. Written without waiting for the disk, then kept."""
    commands, location = Commands(directory.parent), Location.of_dry_run(directory)
    with (
        locked(directory, waits=True),
        closing(open_journal(location, durable=False, commands=commands)) as journal,
    ):
        yield journal


@contextmanager
def forgotten_if_refused(runs: Runs, stored: StoredRun, directory: Path) -> Iterator[None]:
    """Remove what a run has written that is refused before its first request."""
    try:
        yield
    except (ImporterError, asyncio.CancelledError):
        if not stored.header.dry_run:  # the journal of one goes with its directory
            runs.forget(stored.run)
        shutil.rmtree(directory, ignore_errors=True)
        raise
