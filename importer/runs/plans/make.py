"""A plan of an import is made: a dry run that ends in a file. Sends nothing, and remembers no customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from importer.approval import Signer
from importer.core.errors import UsageError
from importer.core.labels import counted
from importer.readers import is_frame, is_returned
from importer.results import Report
from importer.runs.accounts import account_on_record
from importer.runs.check import check
from importer.runs.context import Context
from importer.runs.forecast import Workload, forecast, requests_of
from importer.runs.hours import Hours
from importer.runs.plans.authorship import Author, NextOf, made, no_author, signer_of
from importer.runs.plans.content import Planning
from importer.runs.plans.gate import Requirement, requirement
from importer.runs.plans.import_plan import FILE, ImportContent, ImportPlan
from importer.runs.plans.plan_file import require_replaceable
from importer.runs.plans.register import register
from importer.runs.preconditions import require_whole_rows
from importer.runs.returns import routing
from importer.runs.wiring import Destination, destination
from importer.runs.wiring.remote_sources import is_remote

if TYPE_CHECKING:
    from importer.runs.wiring.sources import Source

_HASH = 8
"""Digits of a hash that people are shown."""


def plan(
    context: Context,
    source: Source,
    *,
    out: Path | None = None,
    instead: bool = False,
    as_new: bool = False,
    author: Author = no_author,
) -> Report:
    """Check a source as a dry run does, and write a plan of what would be sent. Blocks.

    Args:
        out: the plan file; None: beside the other files of the dry run.
        instead: of a plan too that has that name, and that somebody has approved.
        as_new: plan what came back from a run like any other source.
        author: asked where a policy is in force: the plan is signed with that key.

    Returns:
        The report of the dry run, with the plan among its files.

    Raises:
        ImporterError: the source, the profile or the target cannot be used; there is no plan.
    """
    require_whole_rows(context.profile)
    require_replaceable(out, None if instead else "")
    if not as_new:
        _refuse_returned(context, source)
    return _Making.of(context, author).written(source, out, instead=instead)


def _refuse_returned(context: Context, source: Source) -> None:
    """Refuse rows that come back to their run.

    Raises:
        UsageError: they do.
    """
    commands = context.profile.commands
    if is_frame(source):
        returned = is_returned(source)
    else:
        returned = not is_remote(source) and bool(routing.runs_if_any(Path(source), context.profile.source))
    if returned:
        what = "The DataFrame" if is_frame(source) else f"The file '{source}'"
        raise UsageError(
            f"{what} comes back to its run.", f"`{commands.plan_retry('RUN', 'FILE')}` makes a plan of that."
        )


@dataclass(frozen=True, slots=True)
class _Making:
    """What has to be known before a plan is made.

    Args:
        signer: signs it as its author; None: nobody does.
        asked: what the target asks of plans; None: nothing.
    """

    context: Context
    where: Destination
    asked: Requirement | None
    signer: Signer | None

    @classmethod
    def of(cls, context: Context, author: Author) -> _Making:
        """Find the target, its account and the key of the author, before a long check."""
        profile = context.profile
        where = destination(profile, sends=False)
        asked = requirement(profile, where)
        account = account_on_record(context.workspace, where, profile.account_of)
        signer = signer_of(profile, asked, author, context.now())
        return cls(context, replace(where, scope=account.scope), asked, signer)

    def written(self, source: Source, out: Path | None, *, instead: bool) -> Report:
        """Check a source, and write the plan."""
        found: list[ImportContent] = []
        report = check(self.context, source, planning=Planning(self.where.scope, found.append))
        if not found:  # it was stopped, and reports why
            return report
        path = out or self.context.workspace / report.run_id / FILE
        planned = self._plan(report.run_id, found[0])
        planned.write(path, instead=instead)
        register(self.context.workspace, planned)
        return self._reported(report, planned, path)

    def _plan(self, run_id: str, content: ImportContent) -> ImportPlan:
        profile, now = self.context.profile, self.context.now()
        creates = content.bodies.count - content.known.count
        work = Workload(creates, content.known.count, steps=creates * requests_of(profile, content.profile.rules))
        expected = forecast(work, profile.delivery.allowance, Hours.of(profile.delivery), now=now)
        return made(
            ImportPlan,
            self.context,
            self.where,
            self.signer,
            run_id=run_id,
            rows=content.bodies.count if profile.delivery.on_existing == "update" else creates,
            content=content,
            forecast=expected.as_json(),
        )

    def _reported(self, report: Report, planned: ImportPlan, path: Path) -> Report:
        """The report of the dry run, which says what the plan does and what is done with it."""
        commands = report.commands
        what = NextOf.of(planned, self.asked, path, commands)
        send = commands.run_plan(path, planned.content.source.path)
        advice, command = what.step("To send exactly that, run:", send, commands.show(str(path)))
        return replace(
            report,
            files={**report.files, "plan": path},
            forecast=dict(planned.forecast),
            verdict=" ".join(self._sentences(planned, what)),
            next_step=f"{advice} {command}",
            next_command=command,
        )

    def _sentences(self, planned: ImportPlan, what: NextOf) -> Iterator[str]:
        counts, where = planned.content.counts, self.where
        place = f"{where.name} ({where.host})" if where.host else where.name
        does = "created or updated" if self.context.profile.delivery.on_existing == "update" else "created"
        yield f"The plan {planned.sha256[:_HASH]}: {counted(planned.rows, 'customer')} would be {does} at {place}."
        if counts["known"]:
            yield f"{counted(counts['known'], 'customer')} {_are(counts['known'])} known from earlier runs."
        if counts["invalid"]:
            yield f"{counted(counts['invalid'], 'row')} {_are(counts['invalid'])} held back, with errors."
        if unbound := planned.content.documents.unbound:
            yield f"{unbound}."
        yield f"{what.until} Nothing was sent. {what.approval}".strip()


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
