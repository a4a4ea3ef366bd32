"""`run`, `validate`, `update`, `resume`, `retry`, `follow`, `verify`: the commands that work on a source or a run."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, on_disk, run_command
from importer.cli.long_help import STEP_STATES, listed
from importer.core.errors import UsageError

if TYPE_CHECKING:
    from importer.results import Report
    from importer.runs.context import Context


@dataclass(frozen=True)
class RunOptions(opt.OptionSet):
    """What only `run` takes."""

    dry_run: bool = opt.flag(opt.OWN, "Only check, as `importer validate` does.")
    fail_fast: bool = opt.flag(opt.STOPPING, "Stop at the first row that the API refuses.")
    on_existing: str | None = opt.option(
        opt.SENDING, "What becomes of customers that exist with other data; default: report.", "report|skip|update"
    )
    verify_existing: bool = opt.flag(opt.SENDING, "Look up customers of earlier runs at the target.")
    plan: Path | None = opt.option(opt.OWN, "Send exactly what this plan says; FILE and --config are in it.", "PLAN")


@dataclass(frozen=True)
class UpdateOptions(opt.OptionSet):
    """What only `update` takes."""

    dry_run: bool = opt.flag(opt.OWN, "Read the customers and list what would change; change nothing.")
    plan: Path | None = opt.option(opt.OWN, "Change exactly what this plan says; FILE and --config are in it.", "PLAN")


@dataclass(frozen=True)
class UpdateStarting(opt.OptionSet):
    """Whether an update begins anew, and when it stops."""

    force: bool = opt.flag(opt.OWN, "Begin anew, also where a list or an update of this file can go on.")
    max_errors: str | None = opt.option(opt.STOPPING, "Stop when more than N customers were not found.", "N")


Fixed = Annotated[
    str | None,
    typer.Option(
        "--fixed",
        metavar="FILE",
        help="Take back the rows that were fixed in this file: a rejects.csv, workbook or results file of the run.",
    ),
]


RetryPlan = Annotated[
    Path | None,
    typer.Option("--plan", metavar="PLAN", help="Send exactly what this plan says (`importer plan --retry RUN`)."),
]


Sample = Annotated[
    str | None,
    typer.Option("--sample", metavar="5%", help="Only this share of the customers, chosen by chance; default: all."),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, run, "importer run customers.xlsx --target sandbox --rate 25/s")
    add_command(app, validate, "importer validate customers.csv --format xlsx")
    add_command(app, update, "importer update results.csv --target sandbox --dry-run")
    add_command(app, resume, "importer resume last")
    add_command(app, retry, "importer retry 20261122T083000Z")
    add_command(app, follow, "importer follow last --follow-up 2h", listed("States of a step", STEP_STATES))
    add_command(app, verify, "importer verify last --sample 5%")


def run(
    file: opt.FileOrPlan = None,
    *,
    own: RunOptions,
    starting: opt.Starting,
    reading: opt.Checking,
    sending: opt.SendingRun,
    results: opt.CheckResults,
    shared: opt.Shared,
) -> None:
    """Import a file: every valid row becomes one customer.

    The whole file is checked first. Then its valid rows are sent, never faster than allowed, and the
    results say for every row which customer it became or what is wrong with it. A rejects or results file of an earlier
    run goes back into that run, as with `importer retry RUN --fixed FILE`.

    What follows a create, such as limits and identity verification, is named by [after_create] in the profile (see
    `importer profile after_create`). Outcomes are waited for as long as --follow-up says; where some are open then, the
    exit code is 75, and `importer follow` goes on with them.

    A file at an address is fetched to a private copy first, and compared with NAME.sha256 beside it, the store's own
    sum or a second reading. Credentials come from the usual places: ssh keys and known_hosts, AWS and Google settings,
    .netrc. The target is reached by https: HTTPS_PROXY and NO_PROXY name a proxy, SSL_CERT_FILE or
    SSL_CERT_DIR a certificate authority of your own.

    Every limit of --rate holds in any rolling window, for all requests together; minutes, hours and days count over
    restarts. 429 and 503 pause all rows and do not count as attempts; while the target is down single requests probe
    it. Created customers are remembered per host and account: a new API key for a known host needs --account-of, once.
    With --faults the run is a rehearsal: it ends with the customers that are missing or there twice at the emulator.

    With --engine dask the rows are checked and sent by the workers of a Dask cluster, one for each processor of this
    machine, or those of --scheduler: each row once, and all together inside the limits, whoever of them dies. They
    share the journal, which has to be in PostgreSQL, and have IMPORTER_JOURNAL and the credentials in their own
    environment.

    With --corrections, single cells are read as another text, as if the file held it: `importer profile
    source.corrections`. A correction that does not fit the file is refused (exit code 6).

    With --plan, what would be sent is compared with the plan before the first request. Where anything differs, all of
    it is named, and nothing is sent (exit code 6).

    Where the target needs an approval, --plan with an approved plan is the only way (exit code 5): `importer plan FILE`
    makes it, `importer approve PLAN` signs it.
    """
    if file is None and own.plan is None:
        raise UsageError("Missing argument 'FILE'.", "Name a file, or a plan with --plan.")
    if own.plan is not None and own.dry_run:
        raise UsageError("--dry-run sends nothing, and --plan sends what a plan says.", "Leave one of them out.")
    profile = load_profile(shared, own, starting, reading, sending, results)
    with nullcontext() if file is None else on_disk(file, profile) as source:
        from importer.runs.run import run as import_source  # noqa: PLC0415
        from importer.runs.run import run_planned  # noqa: PLC0415

        def work(context: Context) -> Coroutine[Any, Any, Report]:
            if own.plan is not None:
                return run_planned(context, own.plan, source, force=starting.force)
            assert source is not None  # noqa: S101  # a file was named: for the type checker
            return import_source(context, source, force=starting.force, as_new=starting.as_new)

        code = run_command(profile, shared, "run", work, about=file or str(own.plan))
    raise typer.Exit(code)


def validate(file: opt.File, *, reading: opt.Checking, results: opt.CheckResults, shared: opt.Shared) -> None:
    """Check a file without sending anything: a dry run.

    No network, and no customer is remembered. The results and the rejects hold the verdict on every row; they are kept
    and purged like those of a run.

    With --engine dask the rows are checked on the workers of a Dask cluster, one for each processor of this machine, or
    those of --scheduler; the results are the same. Workers get the rows: another machine is reached by tls:// only.
    They need the same version, and the workspace's secret; `importer profile engine` says from where.
    """
    profile = load_profile(shared, reading, results, settings={"dry_run": True})
    with on_disk(file, profile) as source:
        from importer.runs.run import run as import_source  # noqa: PLC0415

        code = run_command(profile, shared, "validate", lambda context: import_source(context, source))
    raise typer.Exit(code)


def update(
    file: opt.FileOrPlan = None,
    *,
    own: UpdateOptions,
    starting: UpdateStarting,
    reading: opt.ReadingRows,
    sending: opt.SendingSteps,
    results: opt.RunResults,
    shared: opt.Shared,
) -> None:
    """Change customers that exist, as the rows of a file say.

    A row names its customer by the column _customer_id of a results file, by a column that the profile maps to 'id', or
    by its external id. Cells that are mapped and not blank are taken, everything else stays as it is: addresses are
    changed by their type, the main contact, metadata by name. Values are checked as always; nothing else is asked of a
    row, not even its type. Nobody is created.

    Every customer is read first, and written back as a whole only where something changes: the API is taken to
    replace all that it has. A value that it shows in part only, such as a national id, has to be in the row.

    With --dry-run, results.csv lists every field before and after (_differences), of each value the first character
    alone. The update of the same file goes on from that list, and leaves customers alone that somebody has changed
    since (changed_since). It can be stopped, killed and started again: who is as the row says already is not written.
    Exit codes: 0 done, 3 some rows or updates failed, 8 the outcome of some is not known.

    With --plan, made by `importer plan FILE --update`, the list of the plan is carried out. Where the file, the list or
    anything else differs from it, that is named, and nothing is changed (exit code 6).

    Where the target needs an approval, --plan with an approved plan is the only way (exit code 5). --dry-run needs
    none.
    """
    if file is None and own.plan is None:
        raise UsageError("Missing argument 'FILE'.", "Name a file, or a plan with --plan.")
    if own.plan is not None and (own.dry_run or starting.force):
        raise UsageError("--plan goes on from the list of a plan.", "Leave out --dry-run and --force.")
    profile = load_profile(shared, own, starting, reading, sending, results)
    with nullcontext() if file is None else on_disk(file, profile) as source:

        def work(context: Context) -> Coroutine[Any, Any, Report]:
            if own.plan is not None:
                from importer.runs.planned_update import update_planned  # noqa: PLC0415

                return update_planned(context, own.plan, source)
            from importer.runs.update import update as change  # noqa: PLC0415

            assert source is not None  # noqa: S101  # a file was named: for the type checker
            return change(context, source, force=starting.force)

        code = run_command(profile, shared, "update", work, about=file or str(own.plan))
    raise typer.Exit(code)


def resume(run_name: opt.Run, *, sending: opt.SendingAgain, results: opt.RunResults, shared: opt.Shared) -> None:
    """Go on with a stopped or crashed run, exactly where it stopped.

    Rows that may have been created already are looked up, never sent again blindly. A first Ctrl-C or SIGTERM stops a
    run cleanly, a second one at once; after either, and after a kill, this goes on. To resume after a stop of the
    canary means to accept its errors. Open steps after the creates are done, too; `follow` does them alone.
    With --engine the rest is sent by something else than before: `importer run --help` says what that needs.

    Where the target needs an approval, the plan that the run was begun with has to be approved by the policy of now
    (exit code 5); that it has expired since does no harm. What the plan does not say is not sent.
    """
    profile = load_profile(shared, sending, results)
    from importer.runs.resume import resume as go_on  # noqa: PLC0415

    code = run_command(profile, shared, "resume", lambda context: go_on(context, run_name), about=run_name)
    raise typer.Exit(code)


def retry(
    run_name: opt.Run,
    *,
    fixed: Fixed = None,
    plan: RetryPlan = None,
    sending: opt.SendingAgain,
    results: opt.RunResults,
    shared: opt.Shared,
) -> None:
    """Send again what failed, is unknown or was not sent.

    An unknown row is looked up first, and sent only if its customer is not there. Steps after the create that failed or
    are unknown are done again, and open ones are gone on with.
    With --fixed, rows that were changed in a file of this run are checked under the run's own profile and sent as well;
    finished rows are never sent again. With --config and another profile, every unfinished row is checked again.
    With --engine, rows are sent by something else than before: `importer run --help` says what that needs.
    With --plan, anything else than the plan says is refused (exit code 6), and the run stays as it was.

    Where the target needs an approval, rows are sent again by the plan of the run, if the policy of now still takes it.
    Fixed rows and another profile need a plan of their own, which `importer plan --retry RUN` makes and `importer
    approve PLAN` signs (exit code 5 without).
    """
    profile = load_profile(shared, sending, results)
    from importer.runs.plans.kinds import read_plan_of  # noqa: PLC0415
    from importer.runs.plans.return_plan import ReturnPlan  # noqa: PLC0415
    from importer.runs.retry import retry as send_again  # noqa: PLC0415

    held = None if plan is None else read_plan_of(ReturnPlan, plan, profile.commands)
    code = run_command(
        profile, shared, "retry", lambda context: send_again(context, run_name, fixed=fixed, plan=held), about=run_name
    )
    raise typer.Exit(code)


def follow(run_name: opt.Run, *, sending: opt.Following, results: opt.RunResults, shared: opt.Shared) -> None:
    """Go on with the steps after the creates of a run.

    Every open step is done, and identity verifications that ask for a person are looked at again. No customer is
    created. While outcomes are open the command waits, at most as long as --follow-up or the profile says (75 then);
    with --follow-up 0s it looks once. Results and report are written anew.

    The steps are those that [after_create] in the profile of the run names: beneficiaries, limits, documents,
    verification, verify, in this order. `retry` also does those again that failed.
    """
    profile = load_profile(shared, sending, results)
    from importer.runs.follow import follow as go_on  # noqa: PLC0415

    code = run_command(profile, shared, "follow", lambda context: go_on(context, run_name), about=run_name)
    raise typer.Exit(code)


def verify(
    run_name: opt.Run,
    *,
    sample: Sample = None,
    sending: opt.SendingSteps,
    results: opt.RunResults,
    shared: opt.Shared,
) -> None:
    """Read the customers of a run back, and compare them.

    They are compared with what was sent; customers that existed are read, too. A difference is named by its field in
    the results (_verified, _differences) and in the report, never by its value. Blank and absent are the same, phone
    numbers and dates are compared by what they mean, and fields that the server sets itself are left out. Nothing is
    changed at the target. The exit code is 3 where a customer differs or is missing. It works for any run of which the
    bodies were not purged.

    A sample is the same one each time.
    """
    share = share_of(sample)
    profile = load_profile(shared, sending, results)
    from importer.runs.read_back import verify as read_back  # noqa: PLC0415

    code = run_command(
        profile, shared, "verify", lambda context: read_back(context, run_name, sample=share), about=run_name
    )
    raise typer.Exit(code)


def share_of(sample: str | None) -> float | None:
    """A share as it was typed, `5%` or `0.05`.

    Raises:
        UsageError: it is something else, or not above 0 and at most 1.
    """
    if sample is None:
        return None
    text, of = (sample.strip().removesuffix("%"), 100) if sample.strip().endswith("%") else (sample, 1)
    try:
        share = float(text) / of
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise UsageError(f"'{sample}' is not a share of the customers.", "Write it as 5% or 0.05.")
    return share
