"""A command is run for a person: signals, progress, the question before a live target, and the report at the end."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from importer.cli.output import Output, fitted, print_json, say, show, waited_s
from importer.cli.signals import Interruption
from importer.cli.summary import summary
from importer.core.errors import ImporterError, WorkspaceMovedError
from importer.core.ports import Events
from importer.delivery import StopSwitch
from importer.journal import AccountUsed
from importer.observe import FanOut
from importer.observe.progress import Progress, progress
from importer.observe.sinks import Data, Sink
from importer.profile import Profile
from importer.results import Report, others_there
from importer.runs.accounts import NEW_ACCOUNT
from importer.runs.context import Context, Machine, People
from importer.runs.notifications.run import notified, notifier_of, refusals_counted
from importer.runs.wiring import SystemClock, accept_journal

if TYPE_CHECKING:
    from importer.inbox import Overrides, PassReport
    from importer.runs.plans.authorship import Author

Work = Callable[[Context], Coroutine[Any, Any, Report]]
_T = TypeVar("_T")
_WORTH_A_LINE_S = 10.0
"""A forecast is shown before the sending when that takes longer, or when there is a time limit or a quota."""


def run_command(profile: Profile, command: str, work: Work, *, about: str = "", as_json: bool) -> int:
    """Run a command's work to its end, print its report and return its exit code.

    Args:
        about: the file or the run that was named, for the notification of a run that could not begin.
    """
    try:
        return _command_run(profile, command, work, about=about, as_json=as_json)
    except WorkspaceMovedError as error:
        if as_json or not on_terminal():
            raise
        say(f"importer: {error.message}")
        is_copy = typer.confirm("Is this a copy, and does the original go on with its runs?", err=True)
    accept_journal(profile.workspace, copied=is_copy)
    return _command_run(profile, command, work, about=about, as_json=as_json)


def _command_run(profile: Profile, command: str, work: Work, *, about: str, as_json: bool) -> int:
    notifier = notifier_of(profile, os.environ)
    with progress(quiet=profile.output.quiet or as_json, now=SystemClock().now) as shown:
        signals = Interruption(Output(command, as_json), profile.commands, partial(shown.__exit__, None, None, None))
        on_event = _sink(signals, shown, quiet=profile.output.quiet or as_json)
        confirm = partial(_confirm, does="Change" if command == "update" else "Create")
        asked = People(confirm, _whose, partial(_ask, shown)) if not as_json and on_terminal() else People()
        context = Context(profile, command, on_event, people=asked, machine=Machine(waited_s=waited_s() or 0.0))
        try:
            with refusals_counted(context) as counted:
                reported = notified(notifier, about, work(counted))
                report = _obeying(signals, counted.stop, reported, quick=not profile.dry_run)
        except ImporterError:
            _warn_not_notified(notifier.arrived, as_json=as_json)
            raise
    previewed = "preview" in profile.given("results")
    return print_report(report, as_json=as_json, notified=notifier.arrived, previewed=previewed)


def run_undo(
    profile: Profile,
    work: Callable[[Context], Coroutine[Any, Any, _T]],
    confirm: Callable[[str, int], bool] | None,
    *,
    as_json: bool,
) -> _T:
    """Run the work of an undo to its end, and return what came of it.

    Args:
        confirm: asks a person before a live target; None: nobody is asked.
    """
    quiet = profile.output.quiet or as_json
    with progress(quiet=quiet, now=SystemClock().now) as shown:
        signals = Interruption(Output("undo", as_json), profile.commands, partial(shown.__exit__, None, None, None))
        asked = People(confirm, _whose) if not as_json and on_terminal() else People()
        machine = Machine(waited_s=waited_s() or 0.0)
        context = Context(profile, "undo", _sink(signals, shown, quiet=quiet), people=asked, machine=machine)
        return _obeying(signals, context.stop, work(context))


def _obeying(signals: Interruption, stop: StopSwitch, work: Coroutine[Any, Any, _T], *, quick: bool = True) -> _T:
    """Do the work to its end, and obey signals meanwhile."""
    try:
        return _run(signals.obeyed(stop, work), quick=quick)
    finally:
        signals.over()


def _run(work: Coroutine[Any, Any, _T], *, quick: bool = True) -> _T:
    """Run on a fresh event loop: uvloop's where it is installed (group `speed`) and requests are to be made."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if quick:
        with suppress(ImportError):
            from uvloop import new_event_loop as factory  # noqa: PLC0415
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def run_inbox(
    profile: Profile,
    folder: Path | str,
    on_report: Callable[[PassReport], None],
    overrides: Overrides,
    author: Author,
    *,
    watch: bool,
    as_json: bool,
) -> PassReport:
    """Import the files that arrived in a folder, and return the report.

    Args:
        on_report: gets the report of every pass in which something happened, and of a single pass in any case.
        author: gives the key that signs plans which files wait with; None: none does.
    """
    from importer.inbox import Inbox  # noqa: PLC0415  # only the command that uses it loads it

    quiet = profile.output.quiet or as_json
    with progress(quiet=quiet, now=SystemClock().now) as shown:
        signals = Interruption(Output("nightly", as_json), profile.commands, partial(shown.__exit__, None, None, None))
        confirm = None if as_json or not on_terminal() else _confirm
        inbox = Inbox(
            profile, folder, _sink(signals, shown, quiet=quiet), confirm=confirm, overrides=overrides, author=author
        )
        work = inbox.watch(on_report) if watch else inbox.once()
        report = _obeying(signals, inbox.stop, work)
    if not watch:
        on_report(report)
    return report


class _Announcements(Sink):
    """Prints what people may want to act on before anything is sent: forecasts, doubts about a source."""

    def on_source_unverified(self, data: Data) -> None:
        say(f"Warning: {data['text']}")

    on_looks_end_early = on_source_unverified

    def on_other_workspace(self, data: Data) -> None:
        say(f"Warning: {others_there(data['customers'])}")

    def on_step_notice(self, data: Data) -> None:
        say(f"Note: {data['text']}")

    def on_forecast(self, data: Data) -> None:
        if _is_worth_a_line(data):
            say(f"Forecast: {data['text']}")

    def on_night_forecast(self, data: Data) -> None:
        if data["files"] > 1 and _is_worth_a_line(data):
            say(f"Forecast of the night: {data['text']}")


def _sink(signals: Interruption, shown: Progress, *, quiet: bool) -> Events:
    return FanOut(signals, shown) if quiet else FanOut(signals, shown, _Announcements())


def _is_worth_a_line(forecast: Mapping[str, Any]) -> bool:
    """Whether a forecast holds anything that a person would not expect anyway."""
    bounded = forecast.get("needed_per_s") is not None or forecast.get("quota_share") is not None
    return bool(forecast) and (bounded or forecast["seconds"] > _WORTH_A_LINE_S)


def print_report(report: Report, *, as_json: bool, notified: bool | None = None, previewed: bool = False) -> int:
    """Print a report as asked for, and return its exit code.

    Args:
        previewed: show people the first rows as they were or would be sent, too.
        notified: whether a notification arrived; None: there was none.
    """
    content = report.as_json()
    if as_json:
        print_json(content if notified is None else {**content, "notified": notified})
    else:
        put, stream = (show, sys.stdout) if report.dry_run else (say, sys.stderr)
        put(fitted(summary(content, report.contract.fields, took_s=waited_s(), previewed=previewed), stream))
    _warn_not_notified(notified, as_json=as_json)
    return int(report.exit_code)


def _warn_not_notified(arrived: bool | None, *, as_json: bool) -> None:  # noqa: FBT001  # three answers, not a switch
    if arrived is False and not as_json:
        say("Warning: the notification did not arrive everywhere.")


def on_terminal() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _confirm(host: str, rows: int, *, does: str = "Create") -> bool:
    return typer.confirm(f"{does} up to {rows:,} customers at {host}?", err=True)


def _whose(host: str, accounts: Sequence[AccountUsed]) -> str:
    """Ask which account an API key belongs to: account by account, the newest first."""
    for one in accounts:
        account = f" ({one.scope.rpartition('#')[2]})" if one.is_named else ""
        if typer.confirm(
            f"Does this API key for {host} belong to the account that {one.run_id} sent to{account}?", err=True
        ):
            return one.run_id
    return NEW_ACCOUNT if typer.confirm("Does it belong to an account that is new here?", err=True) else ""


async def _ask(shown: Progress, question: str) -> bool:
    """Ask in the middle of a run, which still obeys signals meanwhile."""
    loop = asyncio.get_running_loop()
    answered = asyncio.Event()
    shown.__exit__(None, None, None)
    typer.echo(f"{question} [y/N]: ", err=True, nl=False)
    loop.add_reader(sys.stdin, answered.set)
    try:
        await answered.wait()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
    finally:
        loop.remove_reader(sys.stdin)
        shown.__enter__()
