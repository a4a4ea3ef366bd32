"""`run`, `validate`, `resume`, `retry`: the commands that work on a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, on_disk, run_command


@dataclass(frozen=True)
class RunOptions(opt.OptionSet):
    """What only `run` takes."""

    dry_run: bool = opt.flag(opt.OWN, "Only check, as `importer validate` does.")
    fail_fast: bool = opt.flag(opt.STOPPING, "Stop at the first row that the API refuses.")
    verify_existing: bool = opt.flag(opt.SENDING, "Look up customers of earlier runs at the target.")


Fixed = Annotated[
    str | None,
    typer.Option(
        "--fixed",
        metavar="FILE",
        help="Take back the rows that were fixed in this file: a rejects.csv, workbook or results file of the run.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    add_command(app, run, "importer run customers.xlsx --target sandbox --rate 25/s")
    add_command(app, validate, "importer validate customers.csv --format xlsx")
    add_command(app, resume, "importer resume last")
    add_command(app, retry, "importer retry 20261122T083000Z")


def run(
    file: opt.File,
    *,
    own: RunOptions,
    starting: opt.Starting,
    reading: opt.ReadingRows,
    sending: opt.SendingRun,
    results: opt.CheckResults,
    shared: opt.Shared,
) -> None:
    """Import a file: every valid row becomes one customer.

    The whole file is checked first. Then its valid rows are sent, never faster than allowed, and the
    results say for every row which customer it became or what is wrong with it. A rejects or results file of an earlier
    run goes back into that run, as with `importer retry RUN --fixed FILE`.

    A file at an address is fetched to a private copy first, and compared with NAME.sha256 beside it, the store's own
    sum or a second reading. Credentials come from the usual places: ssh keys and known_hosts, AWS and Google settings,
    .netrc. The target is reached by https: HTTPS_PROXY and NO_PROXY name a proxy, SSL_CERT_FILE or
    SSL_CERT_DIR a certificate authority of your own.

    Every limit of --rate holds in any rolling window, for all requests together; minutes, hours and days count over
    restarts. 429 and 503 pause all rows and do not count as attempts; while the target is down single requests probe
    it. Created customers are remembered per host and account: a new API key for a known host needs --account-of, once.
    With --faults the run is a rehearsal: it ends with the customers that are missing or there twice at the emulator.
    """
    profile = load_profile(shared, own, starting, reading, sending, results)
    with on_disk(file, profile) as source:
        from importer.runs.run import run as import_source  # noqa: PLC0415

        code = run_command(
            profile,
            shared,
            "run",
            lambda context: import_source(context, source, force=starting.force, as_new=starting.as_new),
            about=file,
        )
    raise typer.Exit(code)


def validate(file: opt.File, *, reading: opt.ReadingRows, results: opt.CheckResults, shared: opt.Shared) -> None:
    """Check a file without sending anything: a dry run.

    No network, and no customer is remembered. The results and the rejects hold the verdict on every row; they are kept
    and purged like those of a run.
    """
    profile = load_profile(shared, reading, results, settings={"dry_run": True})
    with on_disk(file, profile) as source:
        from importer.runs.run import run as import_source  # noqa: PLC0415

        code = run_command(profile, shared, "validate", lambda context: import_source(context, source))
    raise typer.Exit(code)


def resume(run_name: opt.Run, *, sending: opt.SendingRun, results: opt.RunResults, shared: opt.Shared) -> None:
    """Go on with a stopped or crashed run, exactly where it stopped.

    Rows that may have been created already are looked up, never sent again blindly. A first Ctrl-C or SIGTERM stops a
    run cleanly, a second one at once; after either, and after a kill, this goes on. To resume after a stop of the
    canary means to accept its errors.
    """
    profile = load_profile(shared, sending, results)
    from importer.runs.resume import resume as go_on  # noqa: PLC0415

    code = run_command(profile, shared, "resume", lambda context: go_on(context, run_name), about=run_name)
    raise typer.Exit(code)


def retry(
    run_name: opt.Run,
    *,
    fixed: Fixed = None,
    sending: opt.SendingRun,
    results: opt.RunResults,
    shared: opt.Shared,
) -> None:
    """Send again what failed, is unknown or was not sent.

    An unknown row is looked up first, and sent only if its customer is not there.
    With --fixed, rows that were changed in a file of this run are checked under the run's own profile and sent as well;
    finished rows are never sent again. With --config and another profile, every unfinished row is checked again.
    """
    profile = load_profile(shared, sending, results)
    from importer.runs.retry import retry as send_again  # noqa: PLC0415

    code = run_command(
        profile, shared, "retry", lambda context: send_again(context, run_name, fixed=fixed), about=run_name
    )
    raise typer.Exit(code)
