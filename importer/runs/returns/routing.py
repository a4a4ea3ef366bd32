"""Which run a returned file goes back to, and the return itself. Opens nothing but that; sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from importer.core.errors import ReturnRefusedError, SourceChangedError, SourceError, UsageError
from importer.journal import Location, PlanFacts, ReturnFacts, RunFacts, StoredRun
from importer.profile import HARMLESS_TARGETS, Profile, SourceSettings
from importer.runs import registry
from importer.runs.kept_profile import kept_profile
from importer.runs.wiring import Workspace, open_workspace

if TYPE_CHECKING:
    from importer.runs.plans.return_plan import ReturnPlan
    from importer.runs.returns.recheck import Judged, Return


@dataclass(frozen=True, slots=True)
class Back:
    """What comes back for a run.

    Args:
        file: what was handed out for fixing; None: nothing came back.
        under_profile: check all rows that are not done again, under the profile that was named.
        plan: what is sent then; None: nobody has said that.
        binds: documents are bound to their content: a plan is made.
    """

    file: Path | None
    under_profile: bool = False
    plan: ReturnPlan | None = None
    binds: bool = False


def runs_of(path: Path, settings: SourceSettings) -> list[str] | None:
    """The runs that a file came back from; None for a file that was never handed out.

    Raises:
        SourceError: it cannot be read.
    """
    from importer.runs.returns.file import runs_of as found  # noqa: PLC0415  # its libraries take longer than a small file

    return found(path, settings)


def runs_if_any(path: Path, settings: SourceSettings) -> list[str] | None:
    """The same; None as well for a file that cannot be read: whoever opens it as a source says what is wrong."""
    try:
        return runs_of(path, settings)
    except SourceError:
        return None


def to(profile: Profile, run_ids: Sequence[str], source: Path | str) -> str:
    """The one run of the workspace that a file goes back to.

    Args:
        source: the file as it was named, for messages.

    Raises:
        ReturnRefusedError: there is none, or several; or only a part of the file's rows is wanted.
    """
    if profile.given("source").get("limit"):
        raise ReturnRefusedError(
            f"The file '{source}' comes back to its run, and --limit holds for rows of a source alone.",
            "Leave --limit out; to return some rows only, delete the lines of the others.",
        )
    known = [run_id for run_id in run_ids if _is_known(profile.workspace, run_id)]
    anew = f"`{profile.commands.run(source, '--as-new')}` imports it like any other file."
    if not known:
        named = next((run_id for run_id in run_ids if registry.RUN_ID.fullmatch(run_id)), "")
        if not named:  # and the text there may be a customer's
            raise ReturnRefusedError(
                f"The file '{source}' comes back, and its column '_run' {'names no run' if run_ids else 'is blank'}.",
                f"Export it again from its run and fix that file, or: {anew}",
            )
        raise ReturnRefusedError(
            f"The file '{source}' comes back from the run {named}, which is not in the workspace"
            f" '{profile.workspace}'.",
            f"Name the workspace of its run with --workspace, or: {anew}",
        )
    if len(known) > 1:
        each = " and ".join(f"`{profile.commands.retry_fixed(run_id, source)}`" for run_id in known)
        raise ReturnRefusedError(f"The file '{source}' holds rows of {len(known)} runs.", f"Type {each}.")
    return known[0]


def require_import(profile: Profile, name: str) -> None:
    """Refuse a dry run where something of it would have to have been sent; `last` means the last import.

    Raises:
        UsageError: it is one.
    """
    if name == "last":
        return
    try:
        found = registry.find(profile.workspace, name)
    except UsageError:  # whoever looks for it in the journal says so
        return
    if found.dry_run:
        rejects = profile.workspace / found.run_id / "rejects.csv"
        raise UsageError(
            f"The run {found.run_id} is a dry run: nothing was sent.",
            f"`{profile.commands.retry_fixed(found.run_id, rejects)}` imports its rows, those fixed in that file too.",
        )


def continued_by(profile: Profile, run: registry.Listed) -> str:
    """The import that a run is, or that its dry run went on to at the profile's target; empty: there is none yet.

    Raises:
        UsageError: the dry run would go on to a live target that nobody named explicitly.
    """
    if not run.dry_run:
        return run.run_id
    if profile.target not in HARMLESS_TARGETS and profile.target_origin not in {"option", "environment"}:
        raise UsageError(
            f"The dry run {run.run_id} was checked for '{profile.target}'.",
            f"Add --target {profile.target} to import its rows there.",
        )
    if not Location.of_workspace(profile.workspace).exists:
        return ""
    with closing(open_workspace(profile.workspace)) as workspace:
        return workspace.journal.earlier.continuing(run.run_id, profile.target)


def _is_known(workspace: Path, run_id: str) -> bool:
    try:
        return registry.find(workspace, run_id).run_id == run_id
    except UsageError:
        return False


@contextmanager
def only_to_its_own(back: Back | None) -> Iterator[None]:
    """Refuse a file that would go to another address or account than its run, as to any other target.

    Raises:
        ReturnRefusedError: it would.
    """
    try:
        yield
    except SourceChangedError as error:
        if back is None or back.file is None:
            raise
        raise ReturnRefusedError(error.message, error.hint) from error


Planned = Callable[["Judged"], tuple[PlanFacts, ...]]
"""Compares what would be sent with a plan, which it may refuse, and returns the plans that the run notes."""


def take(
    workspace: Workspace, stored: StoredRun, profile: Profile, back: Back | None, planned: Planned | None = None
) -> frozenset[int]:
    """Take back what came for a run; returns the ordinals of rows that must not be opened.

    Args:
        planned: asked before anything is written; None: there is no plan, and none that holds any more.

    Raises:
        SourceError: the file cannot be used, or the profile does not fit the run's columns.
        ReturnRefusedError: the file was not handed out by this program.
        PlanRefusedError: it is not what the plan says; the run is as it was.
        JournalError: the journal cannot be written; the run is as it was.
    """
    if back is None:
        if stored.facts.returned:
            workspace.runs.note(stored.run, RunFacts(returned=ReturnFacts()))
        return frozenset()
    with judged(workspace, stored, profile, back) as (taking, found):
        taking.write(found, planned(found) if planned else ())
        return found.held


@contextmanager
def judged(workspace: Workspace, stored: StoredRun, profile: Profile, back: Back) -> Iterator[tuple[Return, Judged]]:
    """Judge what came back for a run; writes nothing. Errors as of `take`."""
    from importer.runs.returns.file import opened_return  # noqa: PLC0415
    from importer.runs.returns.recheck import Return  # noqa: PLC0415

    run_id = stored.header.run_id
    names = frozenset({run_id, stored.facts.continues or run_id})
    taking = Return(
        workspace.journal,
        stored,
        profile,
        workspace.secret,
        kept_profile(stored),
        names,
        back.under_profile,
        back.binds or back.plan is not None,
    )
    if back.file is None:
        yield taking, taking.judge(None)
        return
    with opened_return(back.file, profile.source) as file:
        if file is None:
            raise ReturnRefusedError(
                f"The file '{back.file.name}' does not say which run and row its lines are from.",
                f"Fix the rejects.csv, the workbook or the results of the run {run_id}, and keep their last columns.",
            )
        yield taking, taking.judge(file)
