"""`run`, `validate`, `resume`, `retry`: the commands that work on a source."""

from __future__ import annotations

import typer

from importer.cli import options as opt
from importer.cli.invocation import load_profile, on_disk, run_session


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("run", epilog="Example: importer run customers.xlsx --target sandbox --rate 25/s")(run)
    app.command("validate", epilog="Example: importer validate customers.csv --format xlsx")(validate)
    app.command("resume", epilog="Example: importer resume last")(resume)
    app.command("retry", epilog="Example: importer retry 20261122T083000Z")(retry)


def run(
    file: opt.File,
    *,
    config: opt.Config = None,
    target: opt.Target = None,
    dry_run: opt.DryRun = False,
    rate: opt.Rate = None,
    concurrency: opt.Concurrency = None,
    canary: opt.Canary = None,
    faults: opt.Faults = None,
    sheet: opt.Sheet = None,
    delimiter: opt.Delimiter = None,
    encoding: opt.Encoding = None,
    header_row: opt.HeaderRow = None,
    limit: opt.Limit = None,
    max_errors: opt.MaxErrors = None,
    max_error_rate: opt.MaxErrorRate = None,
    fail_fast: opt.FailFast = False,
    verify_existing: opt.VerifyExisting = False,
    account_of: opt.AccountOf = None,
    window: opt.Window = None,
    finish_by: opt.FinishBy = None,
    timezone: opt.Timezone = None,
    headroom: opt.Headroom = None,
    format_: opt.Format = None,
    out: opt.Out = None,
    show_values: opt.ShowValues = False,
    preview: opt.Preview = None,
    partial_ok: opt.PartialOk = False,
    notify: opt.Notify = False,
    yes: opt.Yes = False,
    force: opt.Force = False,
    as_new: opt.AsNew = False,
    workspace: opt.Workspace = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    log_format: opt.LogFormat = None,
) -> None:
    """Import a file: every valid row becomes one customer.

    The whole file is checked first. Then its valid rows are sent, never faster than allowed, and the
    results say for every row which customer it became or what is wrong with it. A file that an earlier run handed out
    is taken back into that run, as `importer retry RUN --fixed FILE` does.

    A file at an address is fetched to a private copy first, and compared with NAME.sha256 beside it, the store's own
    sum or a second reading. Credentials come from where each looks by itself: ssh keys and known_hosts, AWS and Google
    settings, .netrc. The target is reached by https: HTTPS_PROXY and NO_PROXY name a proxy, SSL_CERT_FILE or
    SSL_CERT_DIR a certificate authority of your own.

    Every limit of --rate holds in any rolling window, for all requests together; minutes, hours and days count over
    restarts. 429 and 503 hold everybody and cost no row its attempts; while the target is down single requests probe
    it. What was created is remembered per host and account: a new API key for a known host needs --account-of, once.
    With --faults the run is a rehearsal: it ends with what was lost and what is there twice, counted at the emulator.
    """
    profile = load_profile(config, locals(), verbose=verbose)
    with on_disk(file, profile) as source:
        code = run_session(
            profile, "run", lambda session: session.run(source, force=force, as_new=as_new), about=file, as_json=json
        )
    raise typer.Exit(code)


def validate(
    file: opt.File,
    *,
    config: opt.Config = None,
    sheet: opt.Sheet = None,
    delimiter: opt.Delimiter = None,
    encoding: opt.Encoding = None,
    header_row: opt.HeaderRow = None,
    limit: opt.Limit = None,
    format_: opt.Format = None,
    out: opt.Out = None,
    show_values: opt.ShowValues = False,
    preview: opt.Preview = None,
    partial_ok: opt.PartialOk = False,
    workspace: opt.Workspace = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    log_format: opt.LogFormat = None,
) -> None:
    """Check a file without sending anything: a dry run.

    No network, and no customer is remembered. The results and the rejects show every row's verdict; they are kept and
    purged like those of a run.
    """
    profile = load_profile(config, {**locals(), "dry_run": True}, verbose=verbose)
    with on_disk(file, profile) as source:
        code = run_session(profile, "validate", lambda session: session.run(source), as_json=json)
    raise typer.Exit(code)


def resume(
    run_name: opt.Run,
    *,
    config: opt.Config = None,
    target: opt.Target = None,
    account_of: opt.AccountOf = None,
    rate: opt.Rate = None,
    concurrency: opt.Concurrency = None,
    canary: opt.Canary = None,
    faults: opt.Faults = None,
    window: opt.Window = None,
    finish_by: opt.FinishBy = None,
    timezone: opt.Timezone = None,
    headroom: opt.Headroom = None,
    format_: opt.Format = None,
    out: opt.Out = None,
    show_values: opt.ShowValues = False,
    partial_ok: opt.PartialOk = False,
    notify: opt.Notify = False,
    yes: opt.Yes = False,
    workspace: opt.Workspace = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    log_format: opt.LogFormat = None,
) -> None:
    """Go on with a stopped or crashed run, exactly where it stopped.

    Rows that may have been created already are looked up, never sent again blindly. A first Ctrl-C or SIGTERM stops a
    run well, a second one at once; after either, and after a kill, this goes on. To resume after a stop of the canary
    is to agree to what was seen.
    """
    profile = load_profile(config, locals(), verbose=verbose)
    code = run_session(profile, "resume", lambda session: session.resume(run_name), about=run_name, as_json=json)
    raise typer.Exit(code)


def retry(
    run_name: opt.Run,
    *,
    fixed: opt.Fixed = None,
    config: opt.Config = None,
    target: opt.Target = None,
    account_of: opt.AccountOf = None,
    rate: opt.Rate = None,
    concurrency: opt.Concurrency = None,
    canary: opt.Canary = None,
    faults: opt.Faults = None,
    window: opt.Window = None,
    finish_by: opt.FinishBy = None,
    timezone: opt.Timezone = None,
    headroom: opt.Headroom = None,
    format_: opt.Format = None,
    out: opt.Out = None,
    show_values: opt.ShowValues = False,
    partial_ok: opt.PartialOk = False,
    notify: opt.Notify = False,
    yes: opt.Yes = False,
    workspace: opt.Workspace = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    log_format: opt.LogFormat = None,
) -> None:
    """Send again what failed, is unknown or was not sent.

    An unknown row is looked up first, and sent only if its customer is not there.
    With --fixed, rows that were changed in a file of this run are checked under the run's own profile and sent as well;
    what is done is never sent again. With --config and another profile, every row that is not done is checked again.
    """
    profile = load_profile(config, locals(), verbose=verbose)
    code = run_session(
        profile, "retry", lambda session: session.retry(run_name, fixed=fixed), about=run_name, as_json=json
    )
    raise typer.Exit(code)
