"""One pass over a run: what is ready is sent, what is in doubt is looked up, and the run's files are written."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from importer.core.events import Event
from importer.core.plans import Job
from importer.core.ports import TakesFiles
from importer.core.runtime import beside_the_loop, rare_collections
from importer.core.states import RowState
from importer.core.steps import OPEN_STEPS, UNDOING, Step, StepState
from importer.delivery import StrictLimiter, stamps_of_others
from importer.delivery.sharing import Participant, SharedSending
from importer.journal import (
    LOADING,
    RUNNING,
    AfterCreateFacts,
    ForecastFacts,
    RateReceipt,
    RehearsalFacts,
    RunFacts,
    StoredRun,
)
from importer.profile import EMULATOR
from importer.results import Report
from importer.runs.after_create import AfterCreate, new_steps, steps_of
from importer.runs.context import Context
from importer.runs.documents import DocumentFiles
from importer.runs.endings import is_open
from importer.runs.finish import finish
from importer.runs.forecast import Forecast, forecast_run
from importer.runs.plans.gate import jobs_of, may_be_asked, require_of_run
from importer.runs.receipts import pass_begun, pass_ended
from importer.runs.rehearsal import compare
from importer.runs.wiring import Destination, Workspace, as_patient_as_needed, open_target, rehearsing
from importer.runs.wiring.sending import Delivering, Sender, delivering, limiter_for
from importer.runs.wiring.sharing import sharing

if TYPE_CHECKING:
    from importer.emulator import Emulator
    from importer.runs.shared.delivery import SharedDelivery
    from importer.targets import OpenTarget

_NOT_SENT = frozenset({StepState.WAITING, StepState.SENDING})
"""Steps of which a request may still be sent."""
Opens = Callable[[Step, StepState], bool]


def no_step(_step: Step, _state: StepState) -> bool:
    """No step is opened again."""
    return False


@dataclass(frozen=True, slots=True)
class Sending:
    """One pass over a run that is in the journal as a whole.

    Args:
        directory: the run's.
        started_at: of this pass, seconds since the epoch.
        quiet_s: for how long nobody had sent to this account when this pass began, in seconds.
        steps: only these steps of its rows are done, and nothing is created; None: rows are sent, and have all steps.
        waits: whether outcomes are waited for.
    """

    context: Context
    workspace: Workspace
    stored: StoredRun
    where: Destination
    directory: Path
    started_at: float
    quiet_s: float = 0.0
    steps: Collection[Step] | None = None
    waits: bool = True

    async def run(self) -> Report:
        """Send what is ready, then write the run's files.

        Raises:
            JournalError: the journal cannot be written; nothing more was sent after that.
            ApprovalMissingError, PlanRefusedError: what is to be sent needs an approved plan; nothing was changed.
            AccessError, TryLaterError: the target cannot be used; nothing was sent.
            StorageError: a file cannot be written; what was sent is in the journal.
        """
        await beside_the_loop(self.require_approved)
        await beside_the_loop(self._take_up)
        if await beside_the_loop(self._has_work):
            await self._send(None if self.steps is not None else await beside_the_loop(self._foresee))
        arguments = (self.workspace.journal, self.stored, self.directory, self.started_at)
        return await beside_the_loop(finish, self.context, *arguments, creates=self.steps is None)

    def _take_up(self) -> None:
        """Record that the run is being worked on: whoever is cut off from here on has not ended it."""
        self.workspace.runs.note(self.stored.run, RunFacts(at_work_since=self.started_at))
        self.workspace.runs.enter(self.stored.run, RUNNING)

    def _has_work(self) -> bool:
        """Whether anything is to be sent or looked up; says how much."""
        runs, run = self.workspace.runs, self.stored.run
        counts = runs.counts(run)
        waiting = counts.get(RowState.READY, 0) + counts.get(RowState.SENDING, 0)
        facts = {
            "total": counts["read"] - runs.unsent_beside(run),
            "already_done": counts["read"] - waiting,
            "run_id": self.stored.header.run_id,
        }
        self.context.emit(Event("delivery_started", facts))
        is_open = has_open_steps(self.workspace, self.stored)
        return bool(waiting) or runs.has_resent(run) or is_open or (bool(counts["read"]) and self._has_new_steps())

    def _foresee(self) -> Forecast:
        """Say what is to be expected, before anything is sent."""
        context, earlier = self.context, self.workspace.journal.earlier
        stored = self.workspace.runs.find(self.stored.header.run_id)  # with the mapping that loading has found
        expected = forecast_run(context.profile, earlier, stored, now=context.now(), ends_at=context.ends_at)
        self.workspace.runs.note(self.stored.run, RunFacts(forecast=ForecastFacts.model_validate(expected.as_json())))
        context.emit(Event("forecast", expected.as_json()))
        return expected

    async def do_steps(self) -> None:
        """Do the steps alone, and write no file of the run.

        Raises:
            ImporterError: as for `run`.
        """
        await beside_the_loop(self.require_approved)
        await self._send(None)

    def require_approved(self, rows: Collection[RowState] = (), opens: Opens = no_step) -> None:
        """Refuse to change anything at the target without an approval, where it takes nothing else; opens nothing.

        Args:
            rows: how rows ended that are going to be opened again.
            opens: whether a step that ended in a state is going to be opened again.

        Raises:
            ApprovalMissingError, PlanRefusedError: what is to be sent needs an approved plan.
        """
        if self.where.embedded or not (may_be_asked(self.context.profile) and self._changes_something(rows, opens)):
            return
        stored = replace(self.stored, facts=self._facts())
        undoes = self.steps is not None and UNDOING.issuperset(self.steps)
        jobs: Collection[Job] = {"undo"} if undoes else jobs_of(stored.facts)
        require_of_run(self.context, self.where, stored, self.directory, jobs)

    def _changes_something(self, rows: Collection[RowState], opens: Opens) -> bool:
        """Whether this pass may change something at the target; reading back, and asking for outcomes, do not."""
        if self._facts().lists_only:
            return False
        done = (set(Step) - UNDOING if self.steps is None else {*self.steps}) - {Step.VERIFY}
        steps = (one for one in self.workspace.journal.steps(self.stored.run).counts() if one.entries)
        if any(one.step in done and (one.state in _NOT_SENT or opens(one.step, one.state)) for one in steps):
            return True
        if self.steps is not None:
            return False
        counts = self.workspace.runs.counts(self.stored.run)
        is_read = self.stored.phase != LOADING
        return (
            not is_read
            or is_open(counts)
            or any(map(counts.get, rows))
            or bool(new_steps(self.context.profile, self._facts()) - {Step.VERIFY})
        )

    async def _send(self, expected: Forecast | None) -> None:
        context, clock = self.context, self.context.machine.clock
        limiter = limiter_for(context.profile, clock, context.stop)
        if not self.where.embedded:  # the emulator inside a run is a new one each time
            limiter.follow(self.quiet_s + clock.now() - self.started_at)
        emulators: list[Emulator] = []
        async with (
            self._with_workers(limiter, expected) as shares,
            open_target(context.profile, self.where, limiter, clock, on_emulator=emulators.append) as target,
        ):
            begun = self._begin_pass()
            parts = self._parts(target, limiter, shares)
            async with parts.journal:
                after = self._after_create(target, parts)
                unjudged = await after.plan(rows=expected is not None) or self._facts().learned.unjudged
                shared = None if shares is None else self._shared(parts, shares)
                looked = {} if expected is None else await self._deliver(parts, target, expected, shared)
                await after.run(self._waits_s)
                await limiter.give_back()
                await parts.journal.finish()
                rehearsed = self._rehearsed(emulators[0]) if self._rehearses else RehearsalFacts()
        used = RateReceipt.model_validate(shared.used() if shared else parts.feedback.receipt())
        facts = RunFacts()
        if expected is not None:  # else what was found out about the creates stays as it was
            facts = RunFacts(rehearsal=rehearsed, learned=parts.learned(looked, unjudged))
        facts = facts.merged(rehearsing(self.where), pass_ended(begun, used), parts.facts())
        self.workspace.runs.note(self.stored.run, facts)

    def _facts(self) -> RunFacts:
        return self.workspace.runs.facts(self.stored.run)

    @property
    def _rehearses(self) -> bool:
        """Whether what the run says is compared with what the emulator holds: that of a run that creates customers."""
        return self.where.faults is not None and not self._facts().job

    def _begin_pass(self) -> RunFacts:
        """Record that another pass began, which has no receipt while it is under way or when it is killed."""
        begun = pass_begun(self._facts())
        self.workspace.runs.note(self.stored.run, begun)
        return begun

    def _with_workers(
        self, limiter: StrictLimiter, expected: Forecast | None
    ) -> AbstractAsyncContextManager[SharedSending | None]:
        """Agree with workers on what each may send, where they send the rows; None: they do not."""
        if self.context.profile.engine.kind != "dask" or expected is None or self._facts().job:
            return nullcontext()
        who = Participant(f"run-{os.getpid()}", self._sending, begins=True)
        return sharing(self.workspace, self.stored.header.scope, limiter, who)

    @property
    def _sending(self) -> str:
        """What this pass is called by all that send in it."""
        return f"{self.stored.header.run_id} {self.started_at:.3f}"

    def _parts(self, target: OpenTarget, limiter: StrictLimiter, shares: SharedSending | None) -> Delivering:
        context = self.context
        profile = as_patient_as_needed(context.profile, self.where)
        sender = Sender(context.emit, context.people.ask, shared=shares)
        return delivering(profile, self.workspace, self.stored, target, limiter, sender=sender)

    def _after_create(self, target: OpenTarget, parts: Delivering) -> AfterCreate:
        late = self._has_new_steps()
        chosen = self._wanted() if self.steps is None else self.steps
        steps = tuple(step for step in Step if step in chosen)
        if Step.DOCUMENTS in steps and isinstance(target, TakesFiles) and self._sends_documents():
            target.files_from(DocumentFiles.of(self.context.profile, self.stored.header.path))
        return AfterCreate(self.context, target, parts, steps, self.workspace.journal.steps(self.stored.run), late)

    def _has_new_steps(self) -> bool:
        return self.steps is None and bool(new_steps(self.context.profile, self._facts()))

    def _wanted(self) -> Collection[Step]:
        """The steps of the run: those that the profile asks for, and those that it has had before."""
        facts = self._facts()
        wanted = {*steps_of(self.context.profile, facts.mapping), *map(Step, facts.after_create.steps)}
        if wanted:
            names = tuple(step.value for step in Step if step in wanted)
            self.workspace.runs.note(self.stored.run, RunFacts(after_create=AfterCreateFacts(steps=names)))
        return wanted

    def _sends_documents(self) -> bool:
        """Whether files of documents may be needed: later on they may be gone, for good reasons."""
        run = self.stored.run
        steps = self.workspace.journal.steps(run).counts()
        to_do = any(one.step is Step.DOCUMENTS and one.state in OPEN_STEPS for one in steps)
        return to_do or is_open(self.workspace.runs.counts(run))

    @property
    def _waits_s(self) -> float:
        """How long outcomes are waited for, in seconds."""
        at_the_end = self.steps is None and self.context.is_nightly  # the night waits once, for all of its runs
        return self.context.profile.after_create.follow_up if self.waits and not at_the_end else 0.0

    def _shared(self, parts: Delivering, shares: SharedSending) -> SharedDelivery:
        """What has workers send."""
        from importer.runs.shared.delivery import SharedDelivery  # noqa: PLC0415  # loaded by whoever uses it

        return SharedDelivery(self.context, self.workspace.runs, self.stored, parts, shares, self._sending)

    async def _deliver(
        self, parts: Delivering, target: OpenTarget, expected: Forecast, shared: SharedDelivery | None
    ) -> Mapping[str, int]:
        """Send, then look again at what was sent more than once; returns what came of that.

        Args:
            shared: has the rows sent; None: they are sent from here.
        """
        if parts.caution:
            self.context.emit(Event("looks_end_early", {"text": parts.caution}))
        if expected.creates:
            await self._notice_others(target, parts)
        with rare_collections():
            await (parts.delivery if shared is None else shared).run()
            return await parts.second_looks.run()

    async def _notice_others(self, target: OpenTarget, parts: Delivering) -> None:
        """Say before anything is sent whether another workspace has created customers there: it is not known here."""
        if self.stored.header.scope == EMULATOR:  # its customers are this workspace's own
            return
        count = await stamps_of_others(target, parts.deliver.stamps.matcher, parts.journal.never_claimed)
        self.workspace.runs.note(self.stored.run, RunFacts(others=count))
        if count:
            self.context.emit(Event("other_workspace", {"customers": count}))

    def _rehearsed(self, emulator: Emulator) -> RehearsalFacts:
        """Compare what the run says with what the emulator really holds."""
        endings = self.workspace.journal.replay(self.stored.run).endings()
        found = compare(emulator.customers(), endings, self.context.profile.delivery.import_key_metadata)
        faults = Counter(self.stored.facts.rehearsal.faults) + emulator.ledger.faults
        return RehearsalFacts.model_validate({**found, "faults": faults})


def has_open_steps(workspace: Workspace, stored: StoredRun) -> bool:
    """Whether a run has steps with something left to do; what takes its creates back is not gone on with."""
    counts = workspace.journal.steps(stored.run).counts()
    return any(one.state in OPEN_STEPS and one.entries and one.step not in UNDOING for one in counts)
