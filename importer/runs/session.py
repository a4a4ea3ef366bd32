"""The life of a run: open, prepare, deliver, render. The library face that the command line uses too.

Everything that can refuse a run refuses it before the first row is sent; everything that can go wrong
later leaves a journal from which `resume` goes on.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importer.core.commands import FRAME, Commands
from importer.core.errors import (
    BusyError,
    ImporterError,
    InterruptedRunError,
    JournalError,
    ReturnRefusedError,
    StorageError,
    TryLaterError,
    UsageError,
)
from importer.core.events import Event
from importer.core.locks import locked
from importer.core.ports import Events
from importer.core.runtime import beside_the_loop, ended, rare_collections
from importer.core.states import RowState
from importer.delivery import Ask, StopSwitch, closing_at, stamps_of_others
from importer.engines import ProcessPool, cores
from importer.journal import (
    FINISHED,
    LOADING,
    RUNNING,
    SECRET_BYTES,
    STOPPED,
    Journal,
    Location,
    RunHeader,
    Runs,
    StoredRun,
    has_secret,
    lock_owner,
    open_journal,
    remembers_old_keys,
    workspace_lock,
    workspace_secret,
)
from importer.mapping import ColumnMapper
from importer.observe import observed, require_libraries
from importer.profile import EMULATOR, KeptProfile, MetricsSettings, Profile
from importer.readers import is_frame, is_returned
from importer.results import Report, check_out
from importer.runs import archive_index, registry
from importer.runs.accounts import Whose, settle_account
from importer.runs.forecast import Forecast
from importer.runs.hours import Hours
from importer.runs.leftovers import SPOOL_NAME, private_folder, tidy
from importer.runs.preconditions import (
    Confirm,
    ask_consent,
    for_target,
    is_other_profile,
    pace_of,
    recalled,
    refuse_repeated,
    require_consent,
    require_content,
    require_own_run,
    require_scope,
    require_unchanged,
    source_of,
)
from importer.runs.receipts import write_receipt
from importer.runs.registry import OpenedRun
from importer.runs.rehearsal import compare
from importer.runs.reports import Ending, Watch, ending_of, is_open, render, source_facts
from importer.runs.returns import routing
from importer.runs.returns.routing import Back
from importer.runs.run_forecast import outlook
from importer.runs.wiring import (
    Delivering,
    Destination,
    LocalSource,
    Opened,
    SystemClock,
    Workspace,
    as_patient_as_needed,
    comparison,
    delivering,
    destination,
    limiter_for,
    make_directory,
    merging_of,
    on_disk,
    open_workspace,
    opened,
    other_side,
    preparation,
    rehearsed_again,
    rehearsing,
)
from importer.runs.wiring.remote_sources import is_remote, local_copy

if TYPE_CHECKING:
    from pandas import DataFrame

    from importer.emulator import Emulator
    from importer.runs.wiring.sources import Source
    from importer.targets import OpenTarget

RESUMABLE = (RowState.UNSENT, RowState.UNKNOWN)
RETRYABLE = (RowState.FAILED, RowState.UNKNOWN, RowState.UNSENT)
_MUCH_BYTES = 16 * 1024 * 1024
"""A source of this size keeps every core busy for longer than it takes to start."""
RETURNED_NAME = "returned.csv"
"""What rows are called, for people, that came back in a DataFrame."""
_WRITTEN_ALONE = 16
"""Batches that are written and counted before another process counts the rest."""


def _ignore(_: Event) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class Session:
    """One command's surroundings: profile, listener, the stop flag, the clock.

    Args:
        command: the word the user typed, for the report.
        on_event: gets everything that happens; must not block.
        stop: what a signal handler sets.
        create_pool: makes the processes that check large files, given how many there may be.
        confirm: asked before the first request to a live target; None: refused unless `profile.yes`.
        whose: asked whose an API key is that is new to a server; None: refused unless the profile says it.
        ask: asked when the first rows bring something unexpected; None: the run stops then.
        ends_at: when sending has to end, seconds since the epoch; None: as the profile's hours say.
        metrics: where numbers are shown; None: as the profile says. A night shows those of all its runs by itself.
        waited_s: how long its user had waited when it was made, in seconds: what it took counts from there.
    """

    profile: Profile
    command: str = "run"
    on_event: Events = _ignore
    stop: StopSwitch = field(default_factory=StopSwitch)
    confirm: Confirm | None = None
    whose: Whose | None = None
    ask: Ask | None = None
    clock: SystemClock = field(default_factory=SystemClock)
    create_pool: Callable[[int], ProcessPool] = ProcessPool
    ends_at: float | None = None
    metrics: MetricsSettings | None = None
    waited_s: float = 0.0

    # ------------------------------------------------------------------ commands

    def validate(self, source: Source) -> Report:
        """Check a source: no network, nothing in the journal, a run directory with what was found.

        Raises:
            ImporterError: the source or the profile cannot be used.
        """
        started_at = self.clock.now()
        tidy(self.profile.workspace)
        with (
            self._at_hand(source) as local,
            self._pool(local.path) as pool,
            opened(local, self.profile, name=self._named(local)) as found,
        ):
            check_out(self.profile.results, local.path)
            header = self._header(local, found, local.content_hash(), "", started_at, dry_run=True)
            place = registry.next_place(self.profile.workspace)
            with self._new_directory(header.run_id) as directory, _checked(directory) as journal:
                stored = journal.runs.begin(header)
                journal.runs.note(stored.run, place=place)
                with _forgotten_if_refused(journal.runs, stored, directory):
                    self._prepare(journal, stored, found, _secret_of(self.profile.workspace), pool)
                    journal.keep()
                return self._finish(journal, stored, directory, started_at)

    async def run(self, source: Source, *, force: bool = False, as_new: bool = False) -> Report:
        """Import a source; in a dry run, only check it. What came back fixed is taken into its own run.

        Args:
            force: import it although a source of this very content was imported before; rows are matched by key.
            as_new: import what came back like any other source.

        Raises:
            ImporterError: the run was refused; nothing was sent.
        """
        if self.profile.dry_run:
            return await beside_the_loop(self.validate, source)
        if is_frame(source):
            if not as_new and is_returned(source):
                return await self._run_returned(source)
        elif not (as_new or is_remote(source)):  # before anything is asked of a target that it may not be meant for
            runs = await beside_the_loop(routing.runs_if_any, Path(source), self.profile.source)
            if runs is not None:
                run_id = routing.to(self.profile, runs, source)
                return await self._take_back(run_id, Path(source), source, by_file=True)
        where = self.allowed()
        async with self._in_hours():
            return await self._run(source, where, force=force, as_new=as_new)

    async def _run_returned(self, frame: DataFrame) -> Report:
        """Take rows back that somebody fixed in a DataFrame, as a file of them would be."""
        from importer.readers.dataframe.origin import write_csv  # noqa: PLC0415  # pandas, half a second

        make_directory(self.profile.workspace)
        with private_folder(self.profile.workspace / SPOOL_NAME) as folder:
            file = folder / RETURNED_NAME
            await beside_the_loop(write_csv, frame, file, self.profile.source)
            try:
                return await self.run(file)
            except ReturnRefusedError as error:
                raise ReturnRefusedError(
                    error.message.replace(str(file), FRAME),
                    "Leave its columns '_run' and '_row' out, or say as_new=True, to import it like any other one.",
                ) from error

    def allowed(self) -> Destination:
        """Where customers would go, once it is clear that they may.

        Raises:
            UsageError: the target or the credentials are missing or wrong, or nobody can confirm a live target.
        """
        where = destination(self.profile)
        require_consent(where, self.profile, self.confirm)
        return where

    async def _run(self, source: Source, where: Destination, *, force: bool, as_new: bool) -> Report:
        started_at = self.clock.now()
        await beside_the_loop(tidy, self.profile.workspace)
        with ExitStack() as stack:
            local = await beside_the_loop(stack.enter_context, self._at_hand(source))
            if not (as_new or is_frame(source)) and is_remote(source):
                runs = await beside_the_loop(routing.runs_if_any, local.path, self.profile.source)
                if runs is not None:
                    run_id = routing.to(self.profile, runs, source)
                    return await self._take_back(run_id, local.path, source, by_file=True)
            # Before it is opened: what is written to it from here on is another content.
            content = await beside_the_loop(local.content_hash)
            opening = opened(local, self.profile, name=self._named(local))
            found = await beside_the_loop(stack.enter_context, opening)
            return await self._import(local, found, content, where, started_at, force=force)

    async def _import(
        self,
        local: LocalSource,
        found: Opened,
        content: str,
        where: Destination,
        started_at: float,
        *,
        force: bool,
        **facts: Any,
    ) -> Report:
        """Begin a run of a source that is open, and send its rows.

        Args:
            content: hash of the source's bytes.
            facts: what the run notes of where it comes from.
        """
        with ExitStack() as stack:
            pool = await beside_the_loop(stack.enter_context, self._pool(local.path))
            workspace = await beside_the_loop(self._opened, stack)
            where = settle_account(workspace, where, self.profile.account_of, self.whose, started_at)
            stack.enter_context(workspace_lock(workspace.path, where.scope, started_at))
            check_out(self.profile.results, local.path)
            header = self._header(local, found, content, where.scope, started_at, dry_run=False)
            if not force:
                refuse_repeated(workspace.journal.earlier, header, found.reader.info.sheet, self.profile)
            with self._new_directory(header.run_id) as directory:
                stored = await beside_the_loop(self._begin, workspace, header, where)
                with _forgotten_if_refused(workspace.runs, stored, directory):
                    workspace.runs.note(stored.run, **facts)
                    await self._load(workspace, stored, found, pool)
                    counts = await beside_the_loop(workspace.runs.counts, stored.run)
                    ask_consent(where, self.profile, self.confirm, counts)
                quiet_s = workspace.journal.earlier.quiet_s(stored.run, where.scope, started_at)
                return await self._deliver(workspace, stored, where, directory, started_at, quiet_s=quiet_s)

    async def resume(self, name: str, *, reopened: tuple[RowState, ...] = RESUMABLE) -> Report:
        """Go on with a run, exactly where it stopped.

        Args:
            name: a run id, a unique prefix of one, or `last`.
            reopened: how rows ended that are opened again.

        Raises:
            SourceChangedError: the source or the profile is not the one the run began with.
            ImporterError: the run was refused; nothing was sent.
        """
        await beside_the_loop(tidy, self.profile.workspace)
        await beside_the_loop(self._recall, name)
        async with self._in_hours():
            return await self._resume(name, reopened, None)

    def _recall(self, name: str) -> StoredRun:
        """Take over the profile that an import has kept, where none was named."""
        routing.require_import(self.profile, name)
        with closing(open_workspace(self.profile.workspace, create=False)) as workspace:
            stored = workspace.runs.find(name)
        stored.require_whole()
        self.profile = recalled(self.profile, stored)
        return stored

    def _recall_any(self, name: str) -> tuple[registry.Listed, StoredRun]:
        """The same for an import or a dry run."""
        found = registry.find(self.profile.workspace, name)
        with registry.opened(found) as opened_run:
            stored = opened_run.stored
        stored.require_whole()
        self.profile = recalled(self.profile, stored)
        return found, stored

    async def _resume(self, name: str, reopened: tuple[RowState, ...], back: Back | None) -> Report:
        started_at = self.clock.now()
        with closing(open_workspace(self.profile.workspace, create=False)) as workspace:
            stored = workspace.runs.find(name)
            stored.require_whole()
            with routing.only_to_its_own(back):
                where = rehearsed_again(self._destination_again(workspace, stored, started_at), stored.facts)
            if back is None:
                await beside_the_loop(require_unchanged, workspace, stored, self.profile)
            with (
                workspace_lock(workspace.path, where.scope, started_at),
                self._kept_directory(stored) as directory,
            ):
                stored = workspace.runs.find(stored.header.run_id)  # as whoever held the lock has left it
                stored.require_whole()
                if stored.phase == LOADING:
                    await self._load_again(workspace, stored)
                held = await beside_the_loop(routing.take, workspace, stored, self.profile, back)
                await beside_the_loop(workspace.runs.reopen, stored.run, reopened, held)
                counts = await beside_the_loop(workspace.runs.counts, stored.run)
                ask_consent(where, self.profile, self.confirm, counts)
                return await self._deliver(workspace, stored, where, directory, started_at, quiet_s=0.0)

    async def look_again(self, name: str) -> Report | None:
        """Look again at the rows of a run that were sent more than once; nothing is sent.

        Returns:
            The report, written anew; None: nothing is to be looked at, or nothing new was found.

        Raises:
            ImporterError: the target cannot be asked, or somebody else works with the run.
        """
        started_at = self.clock.now()
        await beside_the_loop(self._recall, name)
        self.profile = self.profile.with_options({"yes": True})  # to what only asks; nothing can be sent here
        with closing(open_workspace(self.profile.workspace, create=False)) as workspace:
            stored = workspace.runs.find(name)
            if stored.phase not in {FINISHED, STOPPED} or not workspace.runs.has_resent(stored.run):
                return None
            where = rehearsed_again(self._destination_again(workspace, stored, started_at), stored.facts)
            with (
                workspace_lock(workspace.path, where.scope, started_at),
                self._kept_directory(stored) as directory,
            ):
                if not await self._looked_again(workspace, stored, where):
                    return None
                if reason := stored.facts.get("stopped_by"):
                    self.stop.request(reason, stored.facts.get("stopped_message", ""))
                return await beside_the_loop(self._finish, workspace.journal, stored, directory, started_at)

    async def _looked_again(self, workspace: Workspace, stored: StoredRun, where: Destination) -> bool:
        """Look at every row that is due; whether any row ended otherwise by that."""
        limiter = limiter_for(self.profile, self.clock, self.stop)
        before = workspace.runs.counts(stored.run)
        async with other_side(self.profile, where, limiter, self.clock) as target:
            profile = as_patient_as_needed(self.profile, where)
            parts = delivering(profile, workspace, stored, target, limiter, emit=self.on_event)
            async with parts.journal:
                looked = await parts.second_looks.run(waits=False)
                await parts.journal.flush()
        # This is not a pass of the run: its receipts are those of the requests that sent something.
        workspace.runs.note(stored.run, passes=stored.facts.get("passes", []), learned=parts.learned(looked))
        return workspace.runs.counts(stored.run) != before

    async def retry(self, name: str, *, fixed: Path | str | None = None) -> Report:
        """Send again only what failed, is unknown (after a look-up) or was never sent; errors as for `resume`.

        Args:
            fixed: a file that was handed out for this run: what was changed in it is checked, and sent as well.
        """
        if fixed is not None:
            with ExitStack() as stack:
                local = await beside_the_loop(stack.enter_context, self._at_hand(fixed))
                return await self._take_back(name, local.path, fixed, by_file=False)
        stored = await beside_the_loop(self._recall, name)
        back = Back(None, under_profile=True) if is_other_profile(self.profile, stored) else None
        async with self._in_hours():
            return await self._resume(name, RETRYABLE, back)

    async def _take_back(self, name: str, file: Path, source: Path | str, *, by_file: bool) -> Report:
        """Take the rows of a file back into the run that they are from, and go on with that.

        Args:
            source: the file as it was named.
            by_file: the file alone named the run.

        Raises:
            ReturnRefusedError: another target or profile than the run's was named.
            ImporterError: as for `resume`.
        """
        to, stored = await beside_the_loop(self._recall_any, name)
        again = self.command == "nightly" and is_other_profile(self.profile, stored)
        require_own_run(self.profile, stored, source, by_file=by_file, may_check_again=again)
        run_id = await beside_the_loop(routing.continued_by, self.profile, to)
        if not run_id:
            return await self._go_on(to, file)
        async with self._in_hours():
            return await self._resume(run_id, RETRYABLE, Back(file, under_profile=again))

    async def _go_on(self, checked: registry.Listed, file: Path) -> Report:
        """Import all rows of a dry run, those that came back fixed among them."""
        from importer.runs.returns.dry_run import continued  # noqa: PLC0415  # its libraries take longer than a small file

        where, started_at = self.allowed(), self.clock.now()
        async with self._in_hours():
            with ExitStack() as stack:
                found = await beside_the_loop(stack.enter_context, continued(checked, file, self.profile))
                origin = found.header.path
                local, content = LocalSource(Path(origin), origin), found.header.content_hash
                return await self._import(local, found.source, content, where, started_at, force=False, **found.facts)

    def export(self, name: str) -> Report:
        """Write the results of a run again, in the profile's formats and folder.

        A workspace that cannot be written is only read; the files are in the profile's folder alone then.

        Raises:
            ImporterError: there is no such run, or its files cannot be written.
        """
        started_at = self.clock.now()
        try:
            return self._exported(name, started_at)
        except (JournalError, StorageError) as error:
            if self.profile.results.out is not None:
                return self._exported_elsewhere(name, self.profile.results.out, started_at)
            hint = f"{error.hint} Another folder for the files can be named with --out."
            raise type(error)(error.message, hint.strip()) from error

    def _exported_elsewhere(self, name: str, out: Path, started_at: float) -> Report:
        with registry.opened_run(self.profile.workspace, name) as opened:
            stored, journal = opened.stored, opened.journal
            self.profile = recalled(self.profile, stored)
            stored.require_whole()
            stored.require_loaded()
            check_out(self.profile.results, source_of(journal, stored) or Path(stored.header.path))
            return self._rendered(
                journal, stored, out, ending_of(journal, stored, self.command, started_at, self.clock.now())
            )

    def _exported(self, name: str, started_at: float) -> Report:
        with registry.opened_run(self.profile.workspace, name, writes=True) as opened, self._alone(opened, started_at):
            journal = opened.journal
            stored = journal.runs.find(opened.stored.header.run_id)
            self.profile = recalled(self.profile, stored)
            stored.require_whole()
            stored.require_loaded()
            check_out(self.profile.results, source_of(journal, stored) or Path(stored.header.path))
            with self._kept_directory(stored) as directory:
                return self._written_again(journal, stored, directory, started_at)

    @contextmanager
    def _alone(self, opened: OpenedRun, started_at: float) -> Iterator[None]:
        """Have a run for oneself that has not ended: it was cut off, or somebody works on it.

        Raises:
            BusyError: somebody does.
        """
        stored, workspace = opened.stored, self.profile.workspace
        if worker := registry.worker_of(workspace, stored):
            raise BusyError(f"The run {stored.header.run_id} has not ended: {worker} works on it.", "Wait for it.")
        if stored.phase in {FINISHED, STOPPED} or stored.header.dry_run or lock_owner(workspace, stored.header.scope):
            yield
            return
        with workspace_lock(workspace, stored.header.scope, started_at):
            yield

    def _written_again(self, journal: Journal, stored: StoredRun, directory: Path, started_at: float) -> Report:
        """Write the files of a run that has ended, or was cut off, as the journal has it."""
        ending = ending_of(journal, stored, self.command, started_at, self.clock.now())
        archive_index.keep_mended_beside(journal, stored)
        report = self._rendered(journal, stored, directory, ending)
        if is_open(journal.runs.counts(stored.run)):
            return report  # it has not ended: a resume goes on with it
        if stored.phase not in {FINISHED, STOPPED}:
            ended_at = report.ended_at or ending.ended_at
            journal.runs.end(stored.run, phase=report.state, exit_code=report.exit_code, ended_at=ended_at)
        if not stored.header.dry_run:
            self._seal(journal, stored, directory, report)
        return report

    # ------------------------------------------------------------------ stages

    def _begin(self, workspace: Workspace, header: RunHeader, where: Destination) -> StoredRun:
        stored = workspace.runs.begin(header)
        limits = {"limit": self.profile.source.limit, "pace": pace_of(self.profile)}
        workspace.runs.note(stored.run, **limits, **rehearsing(where))
        workspace.runs.keep_profile(stored.run, self._kept().model_dump_json())
        return stored

    def _kept(self, mapper: ColumnMapper | None = None) -> KeptProfile:
        """What a run keeps of its profile; with the mapper, what that decided over the whole source."""
        settings = self.profile.settings_to_keep()
        return KeptProfile(settings=settings) if mapper is None else mapper.kept(settings)

    async def _load_again(self, workspace: Workspace, stored: StoredRun) -> None:
        if stored.header.path == FRAME:
            raise UsageError(
                f"The run {stored.header.run_id} was cut off before its DataFrame was read to the end; nothing was"
                " sent.",
                "Run that DataFrame again.",
            )
        with ExitStack() as stack:
            source = source_of(workspace.journal, stored) or stored.header.path
            local = await beside_the_loop(stack.enter_context, self._at_hand(source))
            await beside_the_loop(require_content, stored.header, local.path)
            pool = await beside_the_loop(stack.enter_context, self._pool(local.path))
            opening = opened(local, self.profile, name=self._named(local))
            found = await beside_the_loop(stack.enter_context, opening)
            await self._load(workspace, stored, found, pool)

    async def _load(self, workspace: Workspace, stored: StoredRun, source: Opened, pool: ProcessPool) -> None:
        preparing = asyncio.create_task(
            beside_the_loop(self._prepare, workspace.journal, stored, source, workspace.secret, pool)
        )
        try:
            await asyncio.shield(preparing)
        except asyncio.CancelledError:
            self.stop.request("sigint")  # a thread cannot be cancelled: it is asked to stop
            await ended(preparing)
            raise

    def _prepare(self, journal: Journal, stored: StoredRun, source: Opened, secret: bytes, pool: ProcessPool) -> None:
        """Read and check the whole source into the journal; nothing is sent."""
        header, runs = stored.header, journal.runs
        facts = {"run_id": header.run_id, "source": header.source, "target": header.target, "dry_run": header.dry_run}
        self.on_event(Event("run_started", facts))
        memory = Location.of_workspace(self.profile.workspace)
        compared = header.dry_run and memory.exists
        valid_state = RowState.VALID if header.dry_run else RowState.READY
        merging = merging_of(self.profile, source)
        intake = journal.intake(
            stored.run,
            valid_state=valid_state,
            keyed=compared,
            merging=merging,
            keeps_bodies=compared and remembers_old_keys(memory),
        )
        intake.restart()
        with rare_collections():
            parts = preparation(self.profile, source, intake, pool, secret=secret, stop=self.stop, emit=self.on_event)
            decided = parts.run()
        if self.stop.requested:
            raise _cut_short(self.stop)
        how = comparison(self.profile, header, source.mapper.columns, source.reader.info.sheet)
        if compared:
            intake.compare(memory, secret, how)
        elif not header.dry_run:
            intake.compare_and_remember(header.scope, secret, how)
        info = source.reader.info
        runs.opened(stored.run, info)
        runs.keep_profile(stored.run, self._kept(source.mapper).model_dump_json())
        runs.note(
            stored.run,
            path=str(source.path),
            size_bytes=source.path.stat().st_size if source.path.is_file() else 0,
            mapping=dict(source.mapper.columns),
            source=source_facts(info, decided),
            idv=intake.idv,
        )
        runs.enter(stored.run, RUNNING)

    @contextmanager
    def _pool(self, path: Path) -> Iterator[ProcessPool]:
        """Hire the processes that check a source; for a large one they start while it is being opened."""
        with self.create_pool(self._processes) as pool:
            if path.is_file() and path.stat().st_size >= _MUCH_BYTES:
                pool.start()
            yield pool

    @property
    def _processes(self) -> int:
        processes = self.profile.source.processes
        return cores() if processes == "auto" else processes

    async def _deliver(
        self,
        workspace: Workspace,
        stored: StoredRun,
        where: Destination,
        directory: Path,
        started_at: float,
        *,
        quiet_s: float,
    ) -> Report:
        """Send what is ready, then render.

        Args:
            quiet_s: for how long nobody had sent there when this pass began, in seconds.
        """
        await beside_the_loop(self._take_up, workspace, stored, started_at)
        counts = await beside_the_loop(workspace.runs.counts, stored.run)
        waiting = counts.get(RowState.READY, 0) + counts.get(RowState.SENDING, 0)
        total = counts["read"] - await beside_the_loop(workspace.runs.unsent_beside, stored.run)
        facts = {"total": total, "already_done": counts["read"] - waiting, "run_id": stored.header.run_id}
        self.on_event(Event("delivery_started", facts))
        if waiting or await beside_the_loop(workspace.runs.has_resent, stored.run):
            expected = await beside_the_loop(self._foresee, workspace, stored)
            limiter = limiter_for(self.profile, self.clock, self.stop)
            if not where.embedded:  # the emulator inside a run is a new one each time
                limiter.follow(quiet_s + self.clock.now() - started_at)
            emulators: list[Emulator] = []
            async with other_side(self.profile, where, limiter, self.clock, on_emulator=emulators.append) as target:
                profile = as_patient_as_needed(self.profile, where)
                parts = delivering(profile, workspace, stored, target, limiter, emit=self.on_event, ask=self.ask)
                async with parts.journal:
                    if parts.caution:
                        self.on_event(Event("looks_end_early", {"text": parts.caution}))
                    if expected.creates:
                        await self._notice_others(workspace, stored, target, parts)
                    with rare_collections():
                        await parts.delivery.run()
                        looked = await parts.second_looks.run()
                    await limiter.give_back()
                    await parts.journal.finish()
                    rehearsed = self._rehearsed(workspace, stored, emulators[0]) if where.faults is not None else {}
            workspace.runs.note(
                stored.run, rehearsal=rehearsed, **rehearsing(where), **parts.facts(), learned=parts.learned(looked)
            )
        return await beside_the_loop(self._finish, workspace.journal, stored, directory, started_at)

    def _take_up(self, workspace: Workspace, stored: StoredRun, started_at: float) -> None:
        """Write down that the run is being worked on: whoever is cut off from here on has not ended it."""
        workspace.runs.note(stored.run, at_work_since=started_at)
        workspace.runs.enter(stored.run, RUNNING)

    async def _notice_others(
        self, workspace: Workspace, stored: StoredRun, target: OpenTarget, parts: Delivering
    ) -> None:
        """Say before anything is sent whether another workspace has created customers there: it is not known here."""
        if stored.header.scope == EMULATOR:  # its customers are this workspace's own
            return
        count = await stamps_of_others(target, parts.deliver.stamps.matcher, parts.journal.never_claimed)
        workspace.runs.note(stored.run, others=count)
        if count:
            self.on_event(Event("other_workspace", {"customers": count}))

    def _rehearsed(self, workspace: Workspace, stored: StoredRun, emulator: Emulator) -> dict[str, Any]:
        """Compare what the run says with what the emulator really holds."""
        endings = workspace.journal.replay(stored.run).endings()
        found = compare(emulator.customers(), endings, self.profile.delivery.import_key_metadata)
        before = stored.facts.get("rehearsal", {}).get("faults", {})
        return {**found, "faults": dict(Counter(before) + emulator.ledger.faults)}

    def _foresee(self, workspace: Workspace, stored: StoredRun) -> Forecast:
        """Say what is to be expected, before anything is sent."""
        expected = outlook(self.profile, workspace.journal.earlier, stored, now=self.clock.now(), ends_at=self.ends_at)
        workspace.runs.note(stored.run, forecast=expected.as_json())
        self.on_event(Event("forecast", expected.as_json()))
        return expected

    @asynccontextmanager
    async def _in_hours(self) -> AsyncIterator[None]:
        """Refuse to begin outside the window, and stop well at its end.

        Raises:
            TryLaterError: the window is closed.
        """
        hours, now = Hours.of(self.profile.delivery), self.clock.now()
        if self.ends_at is None:
            hours.require_open(now)
            self.ends_at = hours.ends_at(now)
        by = "" if self.ends_at is None else f" ({hours.clock(self.ends_at)}, {hours.place})"
        message = f"Stopped at the end of the time allowed{by}; what was in flight was finished."
        async with closing_at(self.ends_at, self.stop, self.clock, message):
            yield

    def _finish(self, journal: Journal, stored: StoredRun, directory: Path, started_at: float) -> Report:
        """Render what the journal holds, and record how the run ended."""
        rows = journal.runs.counts(stored.run)["read"]
        self.on_event(Event("results_started", {"run_id": stored.header.run_id, "rows": rows}))
        began_at = started_at - self.waited_s
        ending = Ending(self.command, began_at, self.clock.now(), self.stop.reason, self.stop.message)
        journal.runs.note(stored.run, stopped_by=self.stop.reason, stopped_message=self.stop.message)
        archive_index.keep_mended_beside(journal, stored)
        report = self._rendered(journal, stored, directory, ending)
        journal.runs.end(
            stored.run, phase=report.state, exit_code=report.exit_code, ended_at=report.ended_at or ending.ended_at
        )
        if not stored.header.dry_run:
            self.on_event(Event("results_stage", {"stage": "receipt"}))
            self._seal(journal, stored, directory, report)
        elapsed_s = self.clock.now() - began_at
        facts = {"counts": dict(report.counts), "exit_code": int(report.exit_code), "elapsed_s": elapsed_s}
        self.on_event(Event("run_ended", facts))
        return report

    def _rendered(self, journal: Journal, stored: StoredRun, directory: Path, ending: Ending) -> Report:
        with rare_collections(), self.create_pool(self._processes) as pool:
            share = partial(pool.map, alone=_WRITTEN_ALONE)
            return render(
                journal,
                stored.run,
                directory,
                self.profile,
                ending,
                share=share,
                watch=Watch(self.on_event, self.clock.now),
            )

    def _seal(self, journal: Journal, stored: StoredRun, directory: Path, report: Report) -> None:
        """Write the receipt, and all files again where a night put them."""
        write_receipt(journal, stored, directory, report, self.clock.now())
        archive_index.renew(journal, stored, report)

    # ------------------------------------------------------------------ places

    def _opened(self, stack: ExitStack) -> Workspace:
        """Open the workspace until the end of a block."""
        return stack.enter_context(closing(open_workspace(self.profile.workspace)))

    def _destination_again(self, workspace: Workspace, stored: StoredRun, started_at: float) -> Destination:
        """Where a run that is taken up again sends to, which may not have changed."""
        self.profile = for_target(self.profile, stored.header)
        where = destination(self.profile)
        require_consent(where, self.profile, self.confirm)
        where = settle_account(workspace, where, self.profile.account_of, self.whose, started_at)
        require_scope(where, workspace.runs.find(stored.header.run_id).header)  # its account may just have got a name
        return where

    @contextmanager
    def _at_hand(self, source: Source) -> Iterator[LocalSource]:
        """Have a source that can be opened: what lies elsewhere is fetched, standard input is kept."""
        require_libraries(self.profile.metrics, self.profile.otel)
        if is_frame(source):
            yield LocalSource(source.copy(deep=False))  # what is done to it meanwhile concerns nobody here
        elif is_remote(source):
            make_directory(self.profile.workspace)
            spool = self.profile.workspace / SPOOL_NAME
            with local_copy(source, self.profile, self.clock.pause, spool=spool, stop=self.stop) as local:
                if local.caution:
                    self.on_event(Event("source_unproved", {"text": local.caution}))
                yield LocalSource(local.path, local.origin)
        else:
            with on_disk(source, self.profile) as path:
                yield LocalSource(path, str(path.absolute()))

    def _named(self, source: LocalSource) -> str:
        """What a person can type to name a source; empty for a night's, which moves it away."""
        if self.command == "nightly":
            return ""
        return source.name

    def _header(
        self, source: LocalSource, found: Opened, content: str, scope: str, started_at: float, *, dry_run: bool
    ) -> RunHeader:
        return RunHeader(
            run_id=_new_run_id(started_at),
            scope=scope,
            target=self.profile.target,
            source=found.reader.info.name,
            path=source.origin,
            content_hash=content,
            profile_hash=self.profile.fingerprint,
            dry_run=dry_run,
            started_at=started_at,
        )

    @contextmanager
    def _new_directory(self, run_id: str) -> Iterator[Path]:
        """Make the run's directory."""
        directory = self.profile.workspace / run_id
        make_directory(directory.parent)
        make_directory(directory)
        with self._listened_to(run_id, directory):
            yield directory

    @contextmanager
    def _kept_directory(self, stored: StoredRun) -> Iterator[Path]:
        directory = self.profile.workspace / stored.header.run_id
        make_directory(directory)
        with self._listened_to(stored.header.run_id, directory):
            yield directory

    @contextmanager
    def _listened_to(self, run_id: str, directory: Path) -> Iterator[None]:
        """Log every event of the block into the run's directory, beside whoever else listens."""
        observer = self.on_event
        chosen = self.profile
        with observed(
            run_id,
            directory,
            chosen.log,
            quiet=chosen.output.quiet,
            target=chosen.target,
            metrics=chosen.metrics if self.metrics is None else self.metrics,
            otel=chosen.otel,
        ) as log:
            self.on_event = _both(log, observer)
            try:
                yield
            finally:
                self.on_event = observer


def _both(first: Events, second: Events) -> Events:
    def observe(event: Event) -> None:
        first(event)
        second(event)

    return observe


def _cut_short(stop: StopSwitch) -> ImporterError:
    if stop.reason == "window":
        return TryLaterError("The time allowed was over before anything was sent.", "Start it again at the next one.")
    return InterruptedRunError(stop.reason)


def _new_run_id(now: float) -> str:
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def _secret_of(workspace: Path) -> bytes:
    """The workspace's secret where there is one; a dry run makes none."""
    return workspace_secret(workspace) if has_secret(workspace) else secrets.token_bytes(SECRET_BYTES)


@contextmanager
def _checked(directory: Path) -> Iterator[Journal]:
    """The journal of a dry run, which leaves the workspace's alone. Written without waiting for the disk, then kept."""
    commands, location = Commands(directory.parent), Location.of_dry_run(directory)
    with (
        locked(directory, waits=True),
        closing(open_journal(location, durable=False, commands=commands)) as journal,
    ):
        yield journal


@contextmanager
def _forgotten_if_refused(runs: Runs, stored: StoredRun, directory: Path) -> Iterator[None]:
    """A run that is refused before its first request leaves nothing half-written."""
    try:
        yield
    except (ImporterError, asyncio.CancelledError):
        if not stored.header.dry_run:  # the journal of one goes with its directory
            runs.forget(stored.run)
        shutil.rmtree(directory, ignore_errors=True)
        raise
