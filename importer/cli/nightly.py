"""`nightly`: imports the files of a folder, one after another; a scheduler calls it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from importer.cli import options as opt
from importer.cli.command import add_command
from importer.cli.invocation import load_profile, wants_json
from importer.cli.output import print_json, say
from importer.core.errors import ImporterError
from importer.core.labels import counted

if TYPE_CHECKING:
    from importer.inbox import PassReport
    from importer.profile import Profile
    from importer.runs.file_result import FileResult

Folder = Annotated[
    str,
    typer.Argument(
        metavar="DIR", help="The folder that files arrive in: a path, or sftp://, s3://, gs://.", show_default=False
    ),
]


@dataclass(frozen=True)
class NightlyOptions(opt.OptionSet):
    """What only `nightly` takes."""

    watch: bool = opt.flag(opt.OWN, "Keep going until stopped, instead of one pass.")
    expect: str | None = opt.option(opt.OWN, "Warn on a day without a file, and exit with 75.", "daily")


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    add_command(app, nightly, "importer nightly inbox --config configs/nightly.toml --window 22:00-06:00")


def nightly(
    folder: Folder,
    *,
    own: NightlyOptions,
    starting: opt.Starting,
    sending: opt.Sending,
    results: opt.Results,
    shared: opt.Shared,
) -> None:
    """Import every file that arrived in a folder.

    Made to be started by a scheduler. Takes complete files (unchanged between two checks, or with a marker such as
    NAME.done), the oldest first, and moves each to archive/ or failed/ with its results or a why.txt. A run that was
    cut off or ran out of time goes on first, as do open steps after the creates of earlier runs; outcomes of this pass
    are waited for at its end (after_create.follow_up). Content that was imported before is never sent again. Where the
    profile is wrong, no file is taken (2).

    A folder at an address is read, and its files are moved there: sftp://user@host/inbox, s3://bucket/in,
    gs://bucket/in. Over SFTP several machines may share it; a bucket is for one.

    Where the target takes only what was approved, a file waits as a plan, approval/NAME.plan.json, until
    `importer approve` has signed that (exit code 5); the next pass sends what it says. Where the file or anything else
    differs from its plan then, a new one is made, and waits. [approval] key in the profile names the key that signs
    these plans as their author.

    Before anything is sent, a forecast says whether the rate is enough until --finish-by; at that time the run stops
    cleanly, and the next night goes on. IMPORTER_NOTIFY_URLS (or _FILE) holds the addresses of notifications:
    slack://…, mailto://…, and all others that Apprise knows. They hold counts and a path, never a customer's data.

    The exit code is the worst of the files, in the order 9, 5, 4, 1, 2, 143, 130, 75, 6, 8, 3; 75 also where a file is
    still being written, or with --expect daily none came. configs/schedules holds schedules that call it.
    """
    profile = _loaded(folder, shared, own, starting, sending, results)
    from importer.cli import running  # noqa: PLC0415
    from importer.cli.keys import author_of  # noqa: PLC0415
    from importer.inbox import Overrides  # noqa: PLC0415

    as_json = wants_json(profile, shared)

    def shown(report: PassReport) -> None:
        if not as_json:
            print_pass(report)

    report = running.run_inbox(
        profile,
        folder,
        shown,
        Overrides(starting.force, starting.as_new),
        lambda: author_of(profile) if profile.approval.key else None,
        watch=own.watch,
        as_json=as_json,
    )
    if as_json:
        print_json(report.as_json())
    raise typer.Exit(int(report.exit_code))


def _loaded(folder: str, shared: opt.Shared, *sets: opt.OptionSet) -> Profile:
    """Load the profile; where that fails, a notification says why, since nobody watches the terminal."""
    try:
        return load_profile(shared, *sets)
    except ImporterError as error:
        from importer.inbox import report_broken_profile  # noqa: PLC0415

        report_broken_profile(folder, error.exit_code, os.environ)
        raise


def print_pass(report: PassReport) -> None:
    """Print the outcome of every file."""
    from importer.results import steps_sentence  # noqa: PLC0415
    from importer.runs.notifications.composing import printable  # noqa: PLC0415

    for result in report.imports:
        _print_file(result, report.target)
    for result in report.earlier:
        say(f"{printable(result.file)}, imported earlier (run {result.run_id}): {steps_sentence(result.follow_up)}")
    for name in report.growing:
        say(f"{name}: still being written; the next pass takes it")
    for name in report.links:
        say(f"{name}: a symbolic link, left alone; put the file itself there")
    if report.missing:
        say(f"No file came to {report.folder}, although one is expected every day.")
    elif not (report.happened or report.earlier):
        say(f"Nothing to do in {report.folder}.")
    if report.waiting:
        waiting = "1 more file waits" if report.waiting == 1 else f"{report.waiting:,} more files wait"
        say(f"{waiting} for the next pass.")
    if report.notified is False:
        say("Warning: the notification did not arrive everywhere.")


def _print_file(result: FileResult, target: str) -> None:
    from importer.results import steps_sentence  # noqa: PLC0415
    from importer.runs.notifications.composing import CORRECTED, printable  # noqa: PLC0415

    say(f"{printable(result.file)}: {_fate(result, target)}")
    if result.forecast and not result.forecast.get("in_time", True):
        say(f"  forecast: {result.forecast['text']}")
    if result.error and result.fate != "known":
        say(f"  {printable(result.error, None)}")
    if steps := steps_sentence(result.follow_up):
        say(f"  {steps}")
    if result.corrections:
        say(f"  {CORRECTED.format(result.corrections)}")
    if result.put is not None:
        say(f"  → {printable(str(result.put), None)}")
    if result.next_step:
        say(f"  Next: {printable(result.next_step, None)}")


def _fate(result: FileResult, target: str) -> str:
    states = ", ".join(f"{count:,} {state}" for state, count in result.counts.items() if count and state != "read")
    read = result.counts.get("read", 0)
    rows = f"{counted(read, 'row')}{': ' if states else ''}{states}"
    from importer.profile import EMULATOR  # noqa: PLC0415

    came = "rehearsed, nothing real was changed" if target == EMULATOR else f"imported into {target}"
    words = {
        "imported": f"{came}{' (begun earlier)' if result.resumed else ''}, {rows}",
        "known": "imported before, nothing was sent",
        "refused": f"refused{f', {rows}' if result.counts else ''}",
        "unapproved": f"waits for an approval, nothing was sent{f'; {rows}' if result.counts else ''}",
        "held": f"not finished, the next pass goes on with it{f'; {rows}' if result.counts else ''}",
    }
    code = f" (exit code {int(result.exit_code)})" if result.exit_code else ""
    return words[result.fate.value] + code
