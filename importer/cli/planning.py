"""`plan`: a dry run that ends in a file, which says what would be sent."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, on_disk, run_command, wants_json
from importer.cli.keys import author_of
from importer.cli.output import print_json, say
from importer.core.errors import UsageError

if TYPE_CHECKING:
    from importer.profile import Profile
    from importer.results import Report
    from importer.runs.context import Context


@dataclass(frozen=True)
class PlanOptions(opt.OptionSet):
    """What only `plan` takes."""

    out: Path | None = opt.option(opt.OWN, "The plan file; default: plan.json of the dry run.", "PLAN")
    key: str | None = opt.option(opt.OWN, "The key that signs the plan as its author; default: the only one.", "NAME")
    update: bool = opt.flag(opt.OWN, "Plan what `importer update` would change: every customer is read.")
    retry: str | None = opt.option(opt.OWN, "Plan what `importer retry RUN` would send.", "RUN")
    fixed: str | None = opt.option(opt.OWN, "With --retry: with the rows that were fixed in this file.", "FILE")
    as_new: bool = opt.flag(opt.OWN, "Plan a fixed file as a new one, not for its run.")
    on_existing: str | None = opt.option(
        opt.SENDING, "What becomes of customers that exist with other data; default: report.", "report|skip|update"
    )


@dataclass(frozen=True)
class PlanResults(opt.Results):
    """The results of the dry run."""

    show_values: bool = opt.show_values_option()
    preview: str | None = opt.preview_option()


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, plan, "importer plan customers.csv --target live")


def plan(
    file: opt.FileOrPlan = None,
    *,
    own: PlanOptions,
    reading: opt.Checking,
    sending: opt.Sending,
    results: PlanResults,
    shared: opt.Shared,
) -> None:
    """Check a file, and write a plan of what would be sent.

    Nothing is sent, and no customer is remembered. The plan says exactly what would be sent, and where: it holds hashes
    of the file, the mapping, the profile, the program's rules and every request body, in their order; counts, the
    target and the account; and no value of a cell. Rows with errors are held back (exit code 3).

    `importer run --plan PLAN` sends exactly that, and refuses where anything differs. Where the target needs an
    approval, `importer approve PLAN` signs it first; the plan is signed by its author with --key, or the only key there
    is. A plan expires ([approval] valid).

    With --update the plan says what `importer update FILE` would change: every customer is read at the target, as with
    `importer update FILE --dry-run`. `importer update --plan PLAN` changes exactly that, and leaves customers alone
    that somebody has changed since.

    A file with fixed rows of a run, and --retry, plan what that run would send again, for `importer retry RUN --plan`.
    """
    if own.update and (own.as_new or own.on_existing):
        raise UsageError("--update creates nobody.", "Leave out --as-new and --on-existing.")
    if (file is None) == (own.retry is None):
        raise UsageError("Name either a FILE, or a run with --retry.", "One of them is enough.")
    if own.fixed is not None and own.retry is None:
        raise UsageError("--fixed names a file of the run that --retry names.", "Add --retry RUN.")
    if (reading.engine or reading.scheduler) and (own.update or own.retry):
        raise UsageError("--engine is for the rows of a new file.", "Leave it out with --update and --retry.")
    settings = {"dry_run": True, "approval.key": own.key, "delivery.on_existing": own.on_existing}
    profile = load_profile(shared, reading, sending, results, settings=settings)
    if file is None or (not (own.as_new or own.update) and _is_returned(file, profile)):
        raise typer.Exit(_plan_return(profile, own.retry or "", own.fixed or file or "", own, shared))
    with on_disk(file, profile) as source:

        def work(context: Context) -> Coroutine[Any, Any, Report]:
            if own.update:
                from importer.runs.planned_update import plan_update  # noqa: PLC0415

                return plan_update(context, source, out=own.out, author=partial(author_of, profile))
            from importer.core.runtime import beside_the_loop  # noqa: PLC0415
            from importer.runs.plans.make import plan as make  # noqa: PLC0415

            author = partial(author_of, profile)
            return beside_the_loop(make, context, source, out=own.out, as_new=own.as_new, author=author)

        code = run_command(profile, shared, "plan", work)
    raise typer.Exit(code)


def _is_returned(file: str, profile: Profile) -> bool:
    """Whether a file holds fixed rows of a run."""
    from importer.core.commands import STDIN  # noqa: PLC0415
    from importer.runs.returns import routing  # noqa: PLC0415
    from importer.runs.wiring.remote_sources import is_remote  # noqa: PLC0415

    on_this_machine = file != STDIN and not is_remote(file)
    return on_this_machine and routing.runs_if_any(Path(file), profile.source) is not None


def _plan_return(profile: Profile, run_name: str, file: str, own: PlanOptions, shared: opt.Shared) -> int:
    """Make and show the plan of what a run would send again."""
    import asyncio  # noqa: PLC0415

    from importer.cli.approving import show_plan  # noqa: PLC0415
    from importer.runs.context import Context  # noqa: PLC0415
    from importer.runs.retry import write_plan  # noqa: PLC0415

    context = Context(profile.with_options({"dry_run": False}), "plan")
    work = write_plan(context, run_name, fixed=file or None, author=lambda: author_of(profile), out=own.out)
    as_json = wants_json(profile, shared)
    run_id, path = asyncio.run(work)
    if path is None:
        return _nothing_to_send(profile, run_id, as_json=as_json)
    return show_plan(path, profile, as_json=as_json, command="plan")


def _nothing_to_send(profile: Profile, run_id: str, *, as_json: bool) -> int:
    """Say that a run has nothing to send again; the exit code is that of the run, as `retry` has it."""
    from importer.runs.history import one_run  # noqa: PLC0415

    report, commands = one_run(profile.workspace, run_id), profile.commands
    said = f"There is nothing to send again of the run {run_id}; no plan was made."
    hint = f"`{commands.show(run_id)}` shows it."
    if report["counts"].get("invalid") or report["counts"].get("rejected"):
        rejects = profile.workspace / run_id / "rejects.csv"
        hint = f"Once rows are fixed in that file, this plans them: {commands.plan_retry(run_id, rejects)}"
    if as_json:
        print_json({**report, "command": "plan", "verdict": said, "next_step": hint, "files": {}})
    else:
        say(f"{said} {hint}")
    return int(report["exit_code"])
