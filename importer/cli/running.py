"""Running a session for a person: signals, progress, the question before a live target, and the report at the end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import typer

from importer.cli.output import print_json
from importer.cli.summary import tell_report
from importer.errors import ExitCode, ImporterError
from importer.observe.progress import Progress, progress
from importer.profile import Profile
from importer.results import Report
from importer.session import Session

Work = Callable[[Session], Coroutine[Any, Any, Report]]
_REASONS = {signal.SIGINT: "sigint", signal.SIGTERM: "sigterm"}


def run_session(profile: Profile, command: str, work: Work, *, as_json: bool) -> int:
    """Run a session's work to its end, print its report and return its exit code."""
    with progress(quiet=profile.output.quiet or as_json) as shown:
        confirm, ask = (None, None) if as_json or not _on_terminal() else (_confirm, partial(_ask, shown))
        session = Session(profile, command, on_event=shown, confirm=confirm, ask=ask)
        report = asyncio.run(_with_signals(session, work))
    return tell(report, as_json=as_json)


def tell(report: Report, *, as_json: bool) -> int:
    """Print a report as asked for, and return its exit code."""
    if as_json:
        print_json(report.as_json())
    else:
        tell_report(report.as_json())
    return int(report.exit_code)


def _on_terminal() -> bool:
    """Whether there is someone to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _confirm(host: str, rows: int) -> bool:
    return typer.confirm(f"Create up to {rows:,} customers at {host}?", err=True)


async def _ask(shown: Progress, question: str) -> bool:
    """Ask in the middle of a run, which goes on answering signals meanwhile."""
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


class CutShortError(ImporterError):
    """A second signal: the run ended at once."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__("Stopped at once; rows in flight will be looked up.", "`importer resume last` goes on.")
        self.exit_code = code


async def _with_signals(session: Session, work: Work) -> Report:
    """The first signal stops the run well, the second at once."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work(session))
    codes: list[ExitCode] = []

    def on_signal(number: signal.Signals) -> None:
        if session.stop.requested:
            codes.append(ExitCode.SIGTERM if number == signal.SIGTERM else ExitCode.SIGINT)
            task.cancel()
        session.stop.request(_REASONS[number], "Stopped by a signal; what was in flight was finished.")

    for number in _REASONS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not codes:
            raise
        raise CutShortError(codes[0]) from None
    finally:
        for number in _REASONS:
            loop.remove_signal_handler(number)
