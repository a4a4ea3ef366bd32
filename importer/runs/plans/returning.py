"""What a run sends again is planned, and held to its plan. Writes nothing into the run; sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from importer.core.errors import PlanRefusedError
from importer.core.plans import Signature
from importer.journal import PlanFacts, StoredRun
from importer.runs.context import Context
from importer.runs.kept_files import keep
from importer.runs.plans.authorship import made
from importer.runs.plans.gate import copy_of, noted
from importer.runs.plans.import_plan import refused
from importer.runs.plans.return_plan import ReturnContent, ReturnPlan
from importer.runs.returns import routing
from importer.runs.returns.routing import Back
from importer.runs.wiring import Destination, Workspace

if TYPE_CHECKING:
    from importer.approval import Signer
    from importer.runs.returns.recheck import Judged


@dataclass(frozen=True, slots=True)
class Returning:
    """One return into a run.

    Args:
        context: under the profile that rows are checked again with.
        where: the target of the run.
        back: what comes back, and the plan that it is held to.
    """

    context: Context
    workspace: Workspace
    stored: StoredRun
    where: Destination
    back: Back

    def plan(self, signer: Signer | None) -> ReturnPlan:
        """Make the plan of what would be sent.

        Args:
            signer: the author; None: no author signs it.

        Raises:
            SourceError, ReturnRefusedError: what comes back cannot be used.
            JournalError: the journal cannot be read.
        """
        back = replace(self.back, binds=True)
        with routing.judged(self.workspace, self.stored, self.context.profile, back) as (_, found):
            content = self._content(found)
        return made(
            ReturnPlan,
            self.context,
            self.where,
            signer,
            run_id=self.stored.header.run_id,
            rows=content.bodies.count,
            content=content,
        )

    def held_to_its_plan(
        self, signatures: tuple[Signature, ...], directory: Path
    ) -> Callable[[Judged], tuple[PlanFacts, ...]]:
        """Return what compares a return with its plan before it is written, and keeps the plan with the run.

        Args:
            signatures: those of the plan that counted.
            directory: the run's.
        """

        def planned(found: Judged) -> tuple[PlanFacts, ...]:
            plan = self.back.plan
            if plan is None:
                return ()
            self._require(plan, self._content(found))
            if plan.sends_nothing:
                return self.stored.facts.plans
            others = tuple(one for one in self.stored.facts.plans if one.sha256 != plan.sha256)
            now = noted(plan, signatures, directory)
            keep(self.workspace.journal, self.stored.run, directory / now.file)
            return (*others, now)

        return planned

    def _content(self, found: Judged) -> ReturnContent:
        back, journal = self.back, self.workspace.journal
        return ReturnContent.of(
            journal,
            self.stored,
            self.context.profile,
            found,
            back.file,
            other=back.under_profile,
            before=self._before(),
        )

    def _before(self) -> str:
        """The plan that the run was sent by before, where it is as that says; empty: there is none, or it is not."""
        newest = next((one for one in reversed(self.stored.facts.plans) if one.job != "undo"), None)
        if newest is None:
            return ""
        try:
            plan = copy_of(newest, self.workspace.path / self.stored.header.run_id)
        except PlanRefusedError:
            return ""
        return "" if plan.deviation(self.workspace.journal, self.stored.run) else plan.sha256

    def _require(self, plan: ReturnPlan, now: ReturnContent) -> None:
        """Refuse what the plan does not say.

        Raises:
            PlanRefusedError: something differs, all of which is named; the run is as it was.
        """
        run_id = self.stored.header.run_id
        if plan.scope != self.where.scope and plan.run_id == run_id:
            raise refused([f"the account at '{self.where.name}'"])
        if (plan.run_id, plan.target) != (run_id, self.where.name):
            raise PlanRefusedError(
                f"The plan is one of the run {plan.run_id} at {plan.target}, not of {run_id} at {self.where.name}.",
                f"`{self.context.profile.commands.plan_retry(run_id, self.back.file or '')}` makes one.",
            )
        plan.require_profile(self.context.profile)
        if differences := plan.content.differences(now):
            raise refused(differences)
