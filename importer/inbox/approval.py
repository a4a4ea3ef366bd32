"""A file waits as a plan until people have signed that, where the target takes nothing else; then it is sent by it.

The plan is beside the file: `approval/customers.csv.plan.json` in a folder of this machine, beside the verified copy
in the workspace where the folder is at an address. A plan that does not fit any more is made again, and its file waits
on. Signs nothing but the plans that it makes, and only where the profile names a key.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from importer.core.errors import ApprovalMissingError, ExitCode, PlanRefusedError
from importer.core.runtime import beside_the_loop
from importer.inbox.folder import plan_of
from importer.journal import LOADING, StoredRun, locks_of
from importer.profile import Profile
from importer.readers import content_hash
from importer.results import Report
from importer.runs.context import Context
from importer.runs.file_result import Fate, FileResult
from importer.runs.plans.authorship import Author
from importer.runs.plans.gate import Requirement
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.plans.kinds import read_plan
from importer.runs.plans.make import plan as make_plan
from importer.runs.plans.register import register
from importer.runs.plans.return_plan import ReturnPlan
from importer.runs.retry import plan_retry, retry, take_back
from importer.runs.run import run_planned
from importer.runs.wiring import open_workspace


@dataclass(frozen=True, slots=True)
class FileApproval:
    """The approvals that the files of a folder need.

    Args:
        asked: what the target asks of a plan.
        author: asked for every plan that is made; None: no author signs it, and approvers have to.
        force: import a file although its content was imported before.
        as_new: plan what came back from a run like any other file.
    """

    profile: Profile
    asked: Requirement
    author: Author
    now: Callable[[], float]
    force: bool = False
    as_new: bool = False

    def waiting(self, path: Path, result: FileResult) -> FileResult | None:
        """Say what a plan that is not approved yet waits for, without reading its file; None: it does not wait.

        Args:
            path: of the file.
        """
        found = planned(path)
        if found is None or _is_edited(found, path):
            return None
        verdict = self.asked.verdict(found, self.now())
        return None if verdict.approved or verdict.refused else self._waits(found, path, result)

    async def imported(self, context: Context, path: Path, result: FileResult) -> Report | FileResult:
        """Import a file by its plan; where it has none, or another file would be sent than it says, make one.

        Returns:
            The run's report; or how the file waits.

        Raises:
            ImporterError: the file cannot be used, or the run was refused.
        """
        found = await asyncio.to_thread(planned, path)
        if not isinstance(found, ImportPlan):
            return await self._made(context, path, result, "")
        verdict = self.asked.verdict(found, self.now())
        if verdict.refused:
            return await self._made(context, path, result, f"The plan does not hold: {'; '.join(verdict.refused)}.")
        if not verdict.approved:
            return await self._made(context, path, result, "The file was changed after its plan was made.")
        try:
            return await run_planned(context, plan_of(path), path, force=self.force)
        except PlanRefusedError as error:
            return await self._made(context, path, result, error.message)

    async def _made(self, context: Context, path: Path, result: FileResult, why: str) -> FileResult:
        """Make the plan of a file, which then waits.

        Args:
            why: the one that it had is not good any more; empty: it had none.
        """
        checking = replace(context.under(self.profile.with_options({"dry_run": True})), command="plan")
        to = plan_of(path)
        report = await beside_the_loop(
            make_plan, checking, path, out=to, instead=True, as_new=self.as_new, author=self.author
        )
        if report.files.get("plan") != to:  # it was stopped
            return replace(result.with_report(report.as_json()), run_id="", fate=Fate.HELD, ends_pass=True)
        return self._waits(ImportPlan.read(to), path, result, why)

    def _waits(self, plan: ImportPlan | ReturnPlan, path: Path, result: FileResult, why: str = "") -> FileResult:
        verdict, to = self.asked.verdict(plan, self.now()), plan_of(path).absolute()
        if verdict.approved:  # the policy asks for no more than its author
            return replace(result, fate=Fate.HELD, exit_code=ExitCode.TRY_LATER, ends_pass=False)
        again = f"{why} A new plan was made. " if why else ""
        return replace(
            result,
            fate=Fate.UNAPPROVED,
            exit_code=ExitCode.ACCESS,
            counts=plan.content.counts if isinstance(plan, ImportPlan) else {},
            error=f"{again}The plan waits: {'; '.join(verdict.reasons)}. {verdict.advice}",
            plan=to,
            next_step=self.profile.commands.for_everywhere().approve(to) if verdict.who else "",
            ends_pass=False,
        )

    async def sent_again(
        self, context: Context, path: Path, run_id: str, result: FileResult, *, fixed: bool
    ) -> Report | FileResult:
        """Send rows of a run again by the plan of that; where there is none that holds, make one.

        Args:
            path: of the file that has begun the run, or that brings fixed rows back.
            fixed: whether it brings rows back.

        Returns:
            The run's report; or how the file waits.

        Raises:
            ImporterError: the file cannot be used, or the run was refused.
        """
        found, why = await asyncio.to_thread(planned, path), ""
        if isinstance(found, ReturnPlan) and not _is_edited(found, path):
            verdict = self.asked.verdict(found, self.now())
            if not (verdict.approved or verdict.refused):
                return self._waits(found, path, result)
            try:
                return await self._again(context, path, run_id, found, fixed=fixed)
            except (ApprovalMissingError, PlanRefusedError) as error:
                why = error.message
        made = await plan_retry(context, run_id, fixed=path if fixed else None, author=self.author)
        if made.sends_nothing:
            return await self._again(context, path, run_id, made, fixed=fixed)
        await asyncio.to_thread(made.write, plan_of(path), instead=True)
        await asyncio.to_thread(register, self.profile.workspace, made)
        return self._waits(made, path, result, why)

    @staticmethod
    async def _again(context: Context, path: Path, run_id: str, plan: ReturnPlan, *, fixed: bool) -> Report:
        """Send rows of a run again by a plan; arguments as of `sent_again`."""
        if fixed:
            return await take_back(context, run_id, path, path, by_file=True, plan=plan)
        return await retry(context, run_id, plan=plan)

    def forget_begun(self, stored: StoredRun) -> bool:
        """Forget a run that was cut off while it read its file, so that it begins again by the plan of now.

        Returns:
            Whether it did; not where somebody has gone on with it.
        """
        with (
            closing(open_workspace(self.profile.workspace)) as workspace,
            locks_of(workspace.path).hold(stored.header.scope, self.now()),
        ):
            found = workspace.runs.find(stored.header.run_id)
            if found.phase != LOADING:
                return False
            workspace.runs.forget(found.run)
            shutil.rmtree(workspace.path / stored.header.run_id, ignore_errors=True)
            return True


def planned(path: Path) -> ImportPlan | ReturnPlan | None:
    """The plan of a file; None: there is none, or it is none that can be used."""
    try:
        found = read_plan(plan_of(path))
    except PlanRefusedError:
        return None
    return found if isinstance(found, ImportPlan | ReturnPlan) else None


def file_of(plan: ImportPlan | ReturnPlan) -> str:
    """The hash of the file that a plan was made of; empty: of none, but of a run that began."""
    return plan.content.source.sha256 if isinstance(plan, ImportPlan) else plan.content.sha256


def _is_edited(plan: ImportPlan | ReturnPlan, path: Path) -> bool:
    """Whether a file is another one than its plan was made of, as far as its time shows; a sure check comes later."""
    try:
        made_of = file_of(plan)
        return bool(made_of) and path.stat().st_mtime > plan.made_at and content_hash(path) != made_of
    except FileNotFoundError:
        return True
