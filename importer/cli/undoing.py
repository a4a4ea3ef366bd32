"""`undo`: what a run created is listed, and taken back as the list says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, wants_json
from importer.cli.keys import author_of
from importer.cli.output import fitted, print_json, say
from importer.core.errors import UsageError
from importer.core.labels import counted

if TYPE_CHECKING:
    from importer.profile import Profile
    from importer.runs.undo_plan import Action
    from importer.runs.undo_report import UndoReport

_SHOWN = 20
"""Customers that are left alone are listed up to this many; the plan has all of them."""


@dataclass(frozen=True)
class UndoOptions(opt.OptionSet):
    """What only `undo` takes."""

    plan: bool = opt.flag(opt.OWN, "List the customers, into a plan file; nothing is changed.")
    apply: Path | None = opt.option(opt.OWN, "Do what this plan says.", "PLAN")
    delete: bool = opt.flag(opt.OWN, "Delete instead of suspend; for the emulator and the sandbox alone.")
    key: str | None = opt.option(opt.OWN, "The key that signs the plan as its author; default: the only one.", "NAME")
    yes_delete: int | None = opt.option(opt.OWN, "Delete this many customers without a question.", "N")


Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="The plan file; default: a new one of the run."),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, undo, "importer undo last --plan")


def undo(run_name: opt.Run, *, own: UndoOptions, out: Out = None, sending: opt.Sending, shared: opt.Shared) -> None:
    """Suspend or delete what a run created.

    With --plan every customer that the run created is read, and listed in a file; with --apply those of the list are
    suspended. Never touched are customers that the run only found. Left alone, and listed with the reason (exit code
    3): a customer that is not what was sent any more, is not ACTIVE, was changed since its creation, or has limits or
    an identity verification that are not of this run; and a row of which it is not known whether it was created.

    Each customer is read again before it is suspended: if it was changed since the plan was made, it is left alone
    (`changed_since`, exit code 3). After a stop or a kill the same plan goes on when it is applied again; what is
    done is not done twice. The rows of the run stay `created`, and a suspended customer stays known: importing the
    file again does not create it again.

    Where the target needs an approval, `importer approve PLAN` signs the plan before it is applied (exit code 5
    without); its author signs it with --key, or the only key there is. A plan expires ([approval] valid), but not while
    it is being applied.

    --delete cannot be undone, and removes the accounts of the customers, too. It is for the emulator and the
    sandbox alone; the number of customers has to be typed, or given by --yes-delete. Deleted customers may be created
    again: `importer run FILE --force`.
    """
    if own.plan == (own.apply is not None):
        raise UsageError("Say either --plan or --apply PLAN.", "--plan makes the plan first.")
    if own.apply is not None and out is not None:
        raise UsageError("--out names the plan that --plan makes.", "Leave it out with --apply.")
    if own.yes_delete is not None and not (own.delete and own.apply):
        raise UsageError("--yes-delete agrees to what --apply PLAN --delete deletes.", "Leave it out, or add --delete.")
    if own.key and own.apply:
        raise UsageError("--key signs the plan that --plan makes.", "Leave it out with --apply.")
    profile = load_profile(shared, sending, settings={"approval.key": own.key})
    as_json = wants_json(profile, shared)
    from importer.cli.running import on_terminal, run_undo  # noqa: PLC0415
    from importer.runs.undo import apply_undo, plan_undo  # noqa: PLC0415

    action: Action = "delete" if own.delete else "suspend"
    if own.apply is None:
        report = run_undo(
            profile,
            lambda context: plan_undo(context, run_name, action=action, out=out, author=lambda: author_of(profile)),
            None,
            as_json=as_json,
        )
    else:
        plan, deletes = own.apply, own.yes_delete
        if own.delete and deletes is None and on_terminal() and not as_json:
            deletes = _typed_number(plan, profile)
        report = run_undo(
            profile,
            lambda context: apply_undo(context, run_name, plan, action=action, deletes=deletes),
            _confirm,
            as_json=as_json,
        )
    raise typer.Exit(_print(report, as_json=as_json))


def _typed_number(path: Path, profile: Profile) -> int:
    """Have the number of customers typed that are deleted."""
    from importer.runs.plans.kinds import read_plan_of  # noqa: PLC0415
    from importer.runs.undo_plan import UndoPlan  # noqa: PLC0415

    count = len(read_plan_of(UndoPlan, path, profile.commands).entries)
    say(f"{counted(count, 'customer')} will be deleted, with their accounts. This cannot be undone.")
    number: int = typer.prompt("To delete them, type their number", type=int, err=True)
    return number


def _confirm(host: str, customers: int) -> bool:
    return typer.confirm(f"Suspend {counted(customers, 'customer')} at {host}?", err=True)


def _print(report: UndoReport, *, as_json: bool) -> int:
    import sys  # noqa: PLC0415

    if as_json:
        print_json(report.as_json())
    else:
        say(fitted("\n".join(_lines(report)), sys.stderr))
    return int(report.exit_code)


def _lines(report: UndoReport) -> Iterator[str]:
    did = "Listed" if report.is_plan else "Took back"
    yield f"{did} what run {report.run_id} created at {report.target} ({report.elapsed_seconds:.1f} s)"
    yield from (f"  {name:<9} {count:>9,}" for name, count in report.counts.items())
    if report.is_plan and report.skipped:
        yield "\nLeft alone:"
        yield from (f"  row {one.row}: {one.why}" for one in report.skipped[:_SHOWN])
        if len(report.skipped) > _SHOWN:
            yield f"  … and {counted(len(report.skipped) - _SHOWN, 'more row')}; the plan lists all of them."
    if report.error:
        yield f"\n{report.error}"
    yield f"\nFiles:\n  plan      {report.plan}"
    if report.next_command:
        yield f"\n{report.next_step}\n  {report.next_command}"
