"""A run is held to the plan of an import: what differs is named, all of it, and nothing is sent then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from importer.core.commands import FRAME, STDIN, Commands
from importer.core.errors import AlreadyImportedError, PlanRefusedError, ProfileError, SourceError, UsageError
from importer.core.plans import Signature
from importer.journal import RunFacts
from importer.runs.context import Context
from importer.runs.plans.content import Planning
from importer.runs.plans.gate import admitted, copy_of, noted
from importer.runs.plans.import_plan import ImportContent, ImportPlan, PlannedSource, of_content, of_profile, refused
from importer.runs.plans.kinds import read_plan, require_kind
from importer.runs.plans.return_plan import ReturnPlan
from importer.runs.plans.rules import rules_of
from importer.runs.wiring import Destination
from importer.runs.wiring.remote_sources import is_remote


@dataclass(frozen=True, slots=True)
class Held:
    """The plan that a run is held to.

    Args:
        signatures: those that counted.
    """

    plan: ImportPlan
    signatures: tuple[Signature, ...] = ()

    @property
    def planning(self) -> Planning:
        """What is done with what would be sent: it is compared with the plan."""
        return Planning(self.plan.scope, self._require)

    def require_account(self, where: Destination) -> None:
        """Refuse another account.

        Args:
            where: with its account settled.

        Raises:
            PlanRefusedError: it is one.
        """
        if where.scope != self.plan.scope:
            raise refused([f"the account at '{where.name}'"])

    @contextmanager
    def explained(self, name: str, content: str) -> Iterator[None]:
        """Say of a source that cannot be used any more that it is not the one of the plan.

        Args:
            name: of the source.
            content: hash of its bytes.

        Raises:
            PlanRefusedError: it cannot be used, and is another one.
        """
        try:
            yield
        except PlanRefusedError:
            raise
        except (SourceError, ProfileError, AlreadyImportedError) as error:
            if content == self.plan.content.source.sha256:
                raise
            differs = of_content(self.plan.content.source.name, name)
            raise refused([f"{differs}, which cannot be used: {error.message.rstrip('.')}"]) from error

    def noted(self, directory: Path) -> RunFacts:
        """Keep a copy of the plan with its run, and return what that notes."""
        return RunFacts(plans=(noted(self.plan, self.signatures, directory),))

    def _require(self, now: ImportContent) -> None:
        if differences := self.plan.content.differences(now):
            raise refused(differences)


def held_again(facts: RunFacts, directory: Path, anew: str) -> Planning | None:
    """What the plan of a run asks that was cut off while it read its source; None: it has none.

    Args:
        facts: what the run has noted.
        directory: the run's.
        anew: the command that plans its source anew.

    Raises:
        PlanRefusedError: its copy of the plan is gone, or was edited.
    """
    newest = next((one for one in reversed(facts.plans) if one.job == "import"), None)
    instead = f"plan its file anew, and send that plan with --force: `{anew}`"
    plan = None if newest is None else copy_of(newest, directory, instead)
    return Held(plan).planning if isinstance(plan, ImportPlan) else None


def plan_to_send(path: Path, commands: Commands) -> ImportPlan | ReturnPlan:
    """Read a plan of an import, or of rows that are sent again.

    Args:
        commands: composes the command that takes another kind of plan.

    Raises:
        PlanRefusedError: it is none.
    """
    plan = read_plan(path)
    return plan if isinstance(plan, ReturnPlan) else require_kind(plan, ImportPlan, path, commands)


def under_plan(context: Context, plan: ImportPlan) -> Context:
    """Return the context under the profile of a plan, where no other one was named; options of now stay.

    Raises:
        ProfileError: this program does not know what the plan has kept.
    """
    profile = context.profile
    return context if profile.is_named else context.under(profile.over(plan.content.kept["settings"], plan.run_id))


def source_of(source: PlannedSource) -> str:
    """The path or address of the source that a plan was made of.

    Raises:
        UsageError: it has none.
        PlanRefusedError: the file is not there any more.
    """
    path = source.path
    if path == FRAME or Path(path).name == STDIN:
        what = "a DataFrame" if path == FRAME else "standard input"
        raise UsageError(f"The plan was made of {what}, which is gone.", "Name the same source again, beside the plan.")
    if not (is_remote(path) or Path(path).exists()):
        raise PlanRefusedError(
            f"The plan is of the file '{path}', which is not there; nothing was sent.",
            "If it is elsewhere now, name it beside the plan.",
        )
    return path


def admit(context: Context, plan: ImportPlan, where: Destination) -> Held:
    """Refuse a plan that is not approved, or under which something else would be sent than it says.

    Nothing of the source is read for it.

    Args:
        context: as `under_plan` gave it.

    Raises:
        PlanRefusedError: it has expired, or the profile, the program or the target is another.
        ApprovalMissingError: an approval is missing.
    """
    profile, content = context.profile, plan.content
    keys = profile.sends_otherwise(content.kept["settings"])
    differences = [
        *_of_target(plan, where),
        *([of_profile(keys)] if keys else ()),
        *content.rules.differences(rules_of(profile.contract)),
    ]
    if differences:
        raise refused(differences)
    make = profile.commands.plan(content.source.path)
    return Held(plan, admitted(profile, where, plan, "import", context.now(), make))


def _of_target(plan: ImportPlan, where: Destination) -> Iterator[str]:
    if plan.target != where.name:
        yield f"the target (then '{plan.target}', now '{where.name}')"
    if plan.host != where.host:
        yield f"its server (then {plan.host or 'the emulator'}, now {where.host or 'the emulator'})"
