"""What a run created is taken back: listed first, then suspended or deleted as the list says.

Never what a run only found, and never a customer that somebody has changed since. Every change is a step in the
journal, so that an undo that was cut off goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from importer.core.errors import AccessError, ExitCode, InterruptedRunError, TryLaterError, UsageError
from importer.core.events import Event
from importer.core.labels import counted
from importer.core.plans import Signature
from importer.core.ports import ShowsAdditions
from importer.core.runtime import beside_the_loop
from importer.core.states import RowState
from importer.core.steps import FAILED_STEPS, Step, StepState
from importer.delivery import StopSwitch
from importer.engines import AsyncioPool
from importer.journal import BodyOfRow, StoredRun
from importer.profile import HARMLESS_TARGETS
from importer.runs.consent import ask_consent
from importer.runs.context import Context, in_hours
from importer.runs.endings import Ending, ending_of, stop_code
from importer.runs.finish import finish
from importer.runs.plans.authorship import Author, NextOf, made, no_author, signer_of
from importer.runs.plans.gate import admitted, is_begun, note, requirement
from importer.runs.plans.kinds import read_plan_of
from importer.runs.plans.plan_file import require_replaceable
from importer.runs.plans.register import register
from importer.runs.resume import recall
from importer.runs.send import Sending
from importer.runs.take_up import taken_up
from importer.runs.undo_checks import Checks, Customer, customers_of
from importer.runs.undo_plan import Action, Entry, Skipped, UndoPlan, hash_of
from importer.runs.undo_report import DONE, UndoReport
from importer.runs.wiring import Destination, Workspace, as_patient_as_needed, open_target
from importer.runs.wiring.sending import Sender, delivering, limiter_for

_UNKNOWN = "It is not known whether this row became a customer."
_READ = "Read the plan, then apply it:"
_APPROVED = "Read the plan. {} Have it approved (`{}`), then apply it:"
_NOBODY = "Read the plan. {} To see it, run:"
_AGAIN = "To go on with the plan, run:"
_ANEW = "To list what is left, run:"
_WHY = "Customers were left alone or are in doubt; `{}` says why."


class _Opened(NamedTuple):
    """A run that nobody else works with meanwhile.

    Args:
        made: the rows that became customers by it, and those of which that is not known.
    """

    context: Context
    workspace: Workspace
    stored: StoredRun
    where: Destination
    directory: Path
    started_at: float
    made: list[BodyOfRow]

    @property
    def created(self) -> list[BodyOfRow]:
        """The rows that became customers."""
        return [one for one in self.made if one.state is RowState.CREATED]


# --------------------------------------------------------------------------- the plan


async def plan_undo(
    context: Context, name: str, *, action: Action = "suspend", out: Path | None = None, author: Author = no_author
) -> UndoReport:
    """List the customers that a run created, and which of them are as it has left them; changes nothing.

    Args:
        name: a run id, a unique prefix of one, or `last`.
        out: the file; None: one in the run's directory.
        author: asked where a policy is in force: the plan is signed with that key.

    Raises:
        UsageError: the target does not take customers back, or the run has none.
        ImporterError: as for `resume`.
    """
    await beside_the_loop(require_replaceable, out)
    context, _ = await beside_the_loop(recall, context, name)
    context = context.under(context.profile.with_options({"yes": True}))  # nothing is changed
    _require_changes(context, Step(action))
    async with in_hours(context) as bounded, _opened(bounded, name) as opened:
        _require_harmless(opened.where, action)
        profile = opened.context.profile
        asked = requirement(profile, opened.where)
        signer = signer_of(profile, asked, author, context.now())
        done = opened.workspace.journal.steps(opened.stored.run).states(Step(action))
        left = [one for one in opened.created if done.get((one.ordinal, "")) is not StepState.DONE]
        entries, skipped = await _looked_at(opened, left)
        doubted = [one for one in opened.made if one.state is not RowState.CREATED]
        skipped += [Skipped(row=one.row, customer_id=one.customer_id, why=_UNKNOWN) for one in doubted]
        plan = made(
            UndoPlan,
            opened.context,
            opened.where,
            signer,
            run_id=opened.stored.header.run_id,
            rows=len(entries),
            action=action,
            created=hash_of(opened.created),
            entries=tuple(entries),
            skipped=tuple(skipped),
        )
        path = out or opened.directory / f"undo-plan-{plan.sha256[:8]}.json"
        await beside_the_loop(plan.write, path)
        await beside_the_loop(register, context.workspace, plan)
        report = _report(opened, plan, path, done=len(opened.created) - len(left))
        code = ExitCode.SOME_FAILED if skipped else ExitCode.OK
        if entries:
            advice, command = _next(NextOf.of(plan, asked, path, profile.commands), opened, plan, path)
            report = replace(report, next_step=advice, next_command=command)
        return replace(report, is_plan=True, exit_code=code)


def _next(what: NextOf, opened: _Opened, plan: UndoPlan, path: Path) -> tuple[str, str]:
    """What to do with a plan, up to the command, and the command."""
    if what.approval and not what.approve:
        return _NOBODY.format(what.approval), opened.context.profile.commands.show(str(path))
    advice = _APPROVED.format(what.approval, what.approve) if what.approve else _READ
    return advice, _again(opened, plan, path)


async def _looked_at(opened: _Opened, rows: list[BodyOfRow]) -> tuple[list[Entry], list[Skipped]]:
    context, workspace, stored, clock = opened.context, opened.workspace, opened.stored, opened.context.machine.clock
    references = set[str]()
    steps = workspace.journal.steps(stored.run)
    customers: list[Customer] = await beside_the_loop(customers_of, rows, steps, references)
    limiter = limiter_for(context.profile, clock, context.stop)
    if not opened.where.embedded:
        limiter.follow(clock.now() - opened.started_at)
    context.emit(Event("delivery_started", {"total": len(rows), "already_done": 0, "run_id": stored.header.run_id}))
    async with open_target(context.profile, opened.where, limiter, clock) as target:
        profile = as_patient_as_needed(context.profile, opened.where)
        parts = delivering(profile, workspace, stored, target, limiter, sender=Sender(context.emit))
        async with parts.journal:
            checks = Checks(
                context.profile,
                AsyncioPool(context.profile.delivery.concurrency, limiter),
                parts.deliver.asking,
                target if isinstance(target, ShowsAdditions) else None,
                context.emit,
                stored.header.started_at,
                loses_metadata=stored.facts.learned.keeps_metadata is False,
            )
            found = await checks.run(customers, references)
            await limiter.give_back()
            await parts.journal.flush()
    _require_not_stopped(context.stop)
    return found


def _require_not_stopped(stop: StopSwitch) -> None:
    """Refuse to conclude anything from a look that was cut short.

    Raises:
        ImporterError: it was.
    """
    if not stop.requested:
        return
    if stop.reason in {"sigint", "sigterm"}:
        raise InterruptedRunError(stop.reason)
    if stop.reason == "access":
        raise AccessError(stop.message)
    raise TryLaterError(stop.message, "Make the plan again later.")


# --------------------------------------------------------------------------- its application


async def apply_undo(
    context: Context, name: str, path: Path, *, action: Action = "suspend", deletes: int | None = None
) -> UndoReport:
    """Suspend or delete the customers that a plan lists, each only as it was when the plan was made.

    Args:
        name: as for `plan_undo`; the run that the plan is of.
        path: the plan.
        deletes: the number of customers that somebody has agreed to delete; None: nobody has.

    Raises:
        PlanRefusedError: the plan is of another run, was edited, has expired, or is not current.
        ApprovalMissingError: it is not approved, and has to be.
        UsageError: this target is not to be asked.
        ImporterError: as for `resume`.
    """
    plan = await beside_the_loop(read_plan_of, UndoPlan, path, context.profile.commands)
    context, stored = await beside_the_loop(recall, context, name)
    plan.require(stored, action, context.profile.commands)
    _require_changes(context, plan.step)
    async with in_hours(context) as bounded, _opened(bounded, name) as opened:
        signatures = await beside_the_loop(_admitted, opened, plan)
        _require_harmless(opened.where, action)
        await beside_the_loop(plan.require_current, opened.created, bounded.profile.commands)
        _require_agreed(opened, plan, deletes)
        await beside_the_loop(note, opened.workspace.journal, opened.stored, plan, signatures, opened.directory)
        steps = opened.workspace.journal.steps(opened.stored.run)
        await beside_the_loop(steps.change, plan.step, plan.planned())
        await _make(opened, plan, _again(opened, plan, path))
        states = await beside_the_loop(steps.states, plan.step)
        found = {one: states.get((one.ordinal, ""), StepState.WAITING) for one in plan.entries}
        failed = tuple(one for one, state in found.items() if state in FAILED_STEPS)
        done = sum(state is StepState.DONE for state in found.values())
        report = _report(opened, plan, path, done=done, failed=failed)
        if done == len(plan.entries):
            show = opened.context.profile.commands.show(plan.run_id)
            return replace(report, next_step="To see the run, run:", next_command=show)
        advice = _WHY.format(opened.context.profile.commands.explain(plan.run_id, failed[0].row)) if failed else ""
        again = _AGAIN, _again(opened, plan, path)
        if {*found.values()} <= {StepState.DONE, StepState.FAILED}:  # under this plan they fail again
            again = _ANEW, opened.context.profile.commands.undo(plan.run_id, delete=action == "delete")
        return replace(report, next_step=f"{advice} {again[0]}".strip(), next_command=again[1])


def _admitted(opened: _Opened, plan: UndoPlan) -> tuple[Signature, ...]:
    """Refuse a plan that is not good; one that was begun in time may be finished."""
    profile = opened.context.profile
    make = profile.commands.undo(plan.run_id, delete=plan.action == "delete")
    expiry = not is_begun(opened.stored.facts, plan)
    return admitted(profile, opened.where, plan, "undo", opened.context.now(), make, expiry=expiry)


def _require_agreed(opened: _Opened, plan: UndoPlan, deletes: int | None) -> None:
    """Ask about a live target; what is deleted is counted by whoever agrees.

    Raises:
        UsageError: nobody has agreed.
    """
    count = len(plan.entries)
    if plan.action == "delete" and deletes != count:
        raise UsageError(
            f"Nothing was sent: deleting {counted(count, 'customer')} cannot be undone, and has to be confirmed.",
            f"Add --yes-delete {count} if you mean it.",
        )
    ask_consent(opened.where, opened.context.profile, opened.context.people.confirm, {RowState.READY: count})


async def _make(opened: _Opened, plan: UndoPlan, again: str) -> None:
    """Make the changes; the run itself ends as it had ended."""
    context, workspace, stored = opened.context, opened.workspace, opened.stored
    before = ending_of(workspace.journal, stored, context.command, opened.started_at, opened.started_at)
    facts = {"total": len(plan.entries), "already_done": 0, "run_id": plan.run_id, "again": again}
    context.emit(Event("delivery_started", facts))
    sending = Sending(context, workspace, stored, opened.where, opened.directory, opened.started_at, steps={plan.step})
    await sending.do_steps()
    await beside_the_loop(_finished, opened, before)


def _finished(opened: _Opened, before: Ending) -> None:
    """Write the run's files again, which say what was taken back."""
    stop = StopSwitch()
    if before.reason:
        stop.request(before.reason, before.message)
    context = replace(opened.context, stop=stop)
    finish(context, opened.workspace.journal, opened.stored, opened.directory, opened.started_at)


# --------------------------------------------------------------------------- pieces


@asynccontextmanager
async def _opened(context: Context, name: str) -> AsyncIterator[_Opened]:
    """Open a run, and keep everybody else from working with it."""
    with taken_up(context, name) as run:
        run.stored.require_whole()
        run.stored.require_loaded()
        yield _Opened(*run, made=await beside_the_loop(_made_rows, run.workspace, run.stored))


def _made_rows(workspace: Workspace, stored: StoredRun) -> list[BodyOfRow]:
    steps = workspace.journal.steps(stored.run)
    states = {RowState.CREATED, RowState.UNKNOWN, RowState.SENDING}
    found = [row for rows in steps.bodies(states) for row in rows]
    if not found:
        raise UsageError(
            f"The run {stored.header.run_id} has nothing to take back: it created no customer, or what it sent was"
            " purged.",
            "Name another run.",
        )
    return found


def _require_changes(context: Context, step: Step) -> None:
    """Refuse a target that makes no change of a kind.

    Raises:
        UsageError: it is one.
    """
    changes = context.profile.contract.changes
    if changes is None or step not in changes.steps:
        raise UsageError(f"The target '{context.profile.target}' cannot {step.value} customers.")


def _require_harmless(where: Destination, action: Action) -> None:
    """Refuse to delete real customers.

    Raises:
        UsageError: the target is not one for rehearsals.
    """
    if action == "delete" and where.name not in HARMLESS_TARGETS:
        raise UsageError(
            f"Customers at '{where.name}' are not deleted: that cannot be undone, and takes their accounts along.",
            "Leave out --delete: the customers are suspended then.",
        )


def _again(opened: _Opened, plan: UndoPlan, path: Path) -> str:
    """The command that applies a plan."""
    return opened.context.profile.commands.apply_undo(plan.run_id, path, delete=plan.action == "delete")


def _report(opened: _Opened, plan: UndoPlan, path: Path, *, done: int, failed: tuple[Entry, ...] = ()) -> UndoReport:
    stop, context = opened.context.stop, opened.context
    code = ExitCode.SOME_FAILED if failed else ExitCode.OK
    counts = {
        "planned": len(plan.entries),
        DONE[plan.action]: done,
        "skipped": len(plan.skipped),
        "failed": len(failed),
    }
    return UndoReport(
        run_id=plan.run_id,
        source=opened.stored.header.source,
        target=plan.target,
        action=plan.action,
        counts=counts,
        is_plan=False,
        plan=path,
        skipped=plan.skipped,
        failed=failed,
        elapsed_seconds=context.now() - opened.started_at + context.machine.waited_s,
        exit_code=stop_code(stop.reason) if stop.requested else code,
        error=(stop.message or None) if stop.requested else None,
    )
