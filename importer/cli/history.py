"""`runs`, `show`, `explain`, `export`: runs of the past, read from the journal."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, wants_json
from importer.cli.long_help import COLUMNS, FILES, STATES, listed
from importer.cli.output import fitted, print_json
from importer.cli.output import show as show_text

if TYPE_CHECKING:
    from importer.profile import Profile


Shown = Annotated[
    str,
    typer.Argument(
        metavar="RUN|PLAN",
        help="A run id, a unique beginning of one, 'last', the file of a plan, or the digits of one that `runs` lists.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class ExportOptions(opt.OptionSet):
    """What only `export` takes."""

    format_: str | None = opt.format_option()
    out: Path | None = opt.out_option()


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, runs, "importer runs --json")
    add_command(app, show, "importer show last --verify", listed("States of a row", STATES))
    add_command(app, explain, "importer explain last 17")
    files, columns = listed("Files of a run", FILES), listed("Columns that results add", COLUMNS)
    add_command(app, export, "importer export last --format xlsx --out handover", files, columns)


def _profile_of(shared: opt.Shared, *sets: opt.OptionSet) -> Profile:
    """Load the profile, and remove what killed programs left in its workspace."""
    profile = load_profile(shared, *sets)
    from importer.runs.leftovers import tidy  # noqa: PLC0415

    tidy(profile.workspace)
    return profile


def runs(*, shared: opt.Shared) -> None:
    """List the runs of the workspace, the newest first.

    `last` is the newest run by the journal's own order. A workspace that is read-only or full can still be read. A
    newer program upgrades the journal by itself, with a copy of it first; an older program refuses it then. Over a
    team's journal the runs are those of all hosts; plans that wait to be signed or sent follow them.
    """
    profile = _profile_of(shared)
    from importer.cli import tables  # noqa: PLC0415
    from importer.runs import history as past  # noqa: PLC0415
    from importer.runs.plans.register import waiting  # noqa: PLC0415
    from importer.runs.wiring import SystemClock  # noqa: PLC0415

    found = past.all_runs(profile.workspace)
    plans = waiting(profile.workspace, SystemClock().now())
    if wants_json(profile, shared):
        print_json({"command": "runs", "runs": found, "plans": plans, "exit_code": 0, "error": None})
    else:
        tables.print_runs(found)
        tables.print_plans(plans)


def show(
    run_name: Shown,
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the receipt of a run, or the signatures of a plan, offline.")
    ] = False,
    shared: opt.Shared,
) -> None:
    """Show a run or a plan: its state, counts, files, what to do next.

    Rows that were sent more than once are looked up again first, where the target can be reached. The counts of the
    states add up to the rows read, and are counted again in the written file (exit code 9 where they differ).

    Of a plan it says what would be sent, where and until when, who has signed it, whether each signature counts by the
    policy of this machine (/etc/importer/approval.toml), and who may still approve it. One that `runs` lists is written
    here as a file, with the signatures of all hosts.

    The receipts of a workspace are a chain. With --verify and --config, the profile is compared with that of the run,
    too. Someone who can write the whole workspace can forge its chain: where that matters, keep the hash of the last
    receipt elsewhere.

    Where a run was sent by plans, --verify checks that it sent what they say, and their signatures by the approval
    policy of this machine. The exit code is 9 where anything differs; 5 where an approval does not hold by that policy,
    or signatures cannot be checked since there is no policy. Of a PLAN it is 5 where the plan has expired, an approval
    is missing, or it bears signatures and there is no policy.
    """
    profile = _profile_of(shared)
    if plan := _plan_of(run_name, profile):
        from importer.cli.approving import show_plan  # noqa: PLC0415

        raise typer.Exit(show_plan(plan, profile, as_json=wants_json(profile, shared), verify=verify))
    from importer.cli.summary import summary  # noqa: PLC0415
    from importer.runs import history as past  # noqa: PLC0415

    if verify:
        profile_hash = profile.fingerprint if shared.config is not None else ""
        raise typer.Exit(_check_receipt(profile.workspace, run_name, profile_hash, as_json=wants_json(profile, shared)))
    from importer.runs.look_again import look_again  # noqa: PLC0415

    caution = look_again(profile, run_name)
    report = past.one_run(profile.workspace, run_name)
    if wants_json(profile, shared):
        print_json({**report, "command": "show", "exit_code": 0})
    else:
        show_text(fitted(summary(report, profile.contract.fields), sys.stdout))
        if caution:
            show_text(f"  {caution}")


def _plan_of(name: str, profile: Profile) -> Path | None:
    """The file of the plan that a name means, written again where it is one of a team; None: it means none."""
    if Path(name).is_file() or name.endswith(".json"):  # which no run is called
        return Path(name)
    from importer.runs.plans.register import written_again  # noqa: PLC0415
    from importer.runs.wiring import SystemClock  # noqa: PLC0415

    return written_again(profile.workspace, name, SystemClock().now())


def _check_receipt(workspace: Path, run_name: str, profile_hash: str, *, as_json: bool) -> int:
    from importer.cli import tables  # noqa: PLC0415
    from importer.runs.receipt_check import check_receipt  # noqa: PLC0415

    result = check_receipt(workspace, run_name, profile_hash=profile_hash)
    if as_json:
        print_json({"command": "show", **result})
    else:
        tables.print_verified(result)
    return int(result["exit_code"])


def explain(
    run_name: opt.Run,
    row: Annotated[int, typer.Argument(metavar="ROW", help="The row's number in the spreadsheet.", show_default=False)],
    *,
    show_values: Annotated[bool, typer.Option("--show-values", help="Show the cells and what was sent.")] = False,
    shared: opt.Shared,
) -> None:
    """Show everything about one row.

    Its cells, which of them were corrected, what was changed, what was or would be sent, every request, its outcome; of
    every step after its create the state, the requests, and what differs. Values are masked unless --show-values is
    given.
    """
    profile = _profile_of(shared)
    from importer.cli import tables  # noqa: PLC0415
    from importer.runs.explain import explain as explained  # noqa: PLC0415

    found = explained(profile.workspace, run_name, row, show_values=show_values)
    if wants_json(profile, shared):
        print_json({"command": "explain", **found, "exit_code": 0, "error": None})
    else:
        tables.print_row(found)


def export(run_name: opt.Run, *, exported: ExportOptions, shared: opt.Shared) -> None:
    """Write the results of a run again, in any format.

    This works for a run that was killed, too, and for one of another host of a team: the files hold what the journal
    knows.
    """
    profile = _profile_of(shared, exported)
    from importer.cli.running import print_report  # noqa: PLC0415
    from importer.runs.context import Context  # noqa: PLC0415
    from importer.runs.export import export as write_again  # noqa: PLC0415

    report = write_again(Context(profile, "export"), run_name)
    raise typer.Exit(print_report(report, as_json=wants_json(profile, shared)))
