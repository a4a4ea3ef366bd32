"""The program: its commands, and the one way in and out.

Whatever happens ends as an exit code and a sentence; no traceback reaches a user.
"""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import time
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import typer

from importer.cli import (
    approving,
    console,
    history,
    importing,
    keys,
    nightly,
    operating,
    planning,
    profile_init,
    reference,
    serving,
    undoing,
)
from importer.cli.long_help import EXIT_CODES, listed
from importer.cli.output import Output, begin, print_bug, print_error
from importer.core.errors import ExitCode, ImporterError, InterruptedRunError, StorageError, UsageError

_WrongUse: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""Typer carries its own click, and does not export the root of its errors."""

app = typer.Typer(
    name="importer",
    help="Moves customers from CSV and Excel files onto the RocketKOR API: nothing lost, nothing twice.",
    epilog=(
        f"{listed('Exit codes', EXIT_CODES)}\n\n"
        "Try it: `importer run sample_data/customers.csv` sends to a built-in emulator, never to a real system."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _importer(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version and leave.", is_eager=True),  # noqa: FBT003
) -> None:
    if version:
        from importer.core.distribution import installed_version  # noqa: PLC0415

        typer.echo(f"importer {installed_version()}")
        raise typer.Exit


for module in (
    importing,
    planning,
    approving,
    undoing,
    keys,
    nightly,
    console,
    profile_init,
    reference,
    history,
    serving,
    operating,
):
    module.register(app)


def main(began_s: float) -> None:
    """Run the command line and leave the process with its exit code.

    Args:
        began_s: when the process began, by the monotonic clock.
    """
    _open_closed_streams()
    _print_any_name()
    for number, name in ((signal.SIGINT, "sigint"), (signal.SIGTERM, "sigterm")):
        signal.signal(number, partial(_interrupt, name))
    code = _flushed(run(sys.argv[1:], began_s))
    gc.freeze()  # else Python looks for garbage in all that was imported before it ends: 0.2 s
    sys.exit(code)


def _interrupt(name: str, *_: object) -> None:
    """End the command with a sentence; while a run sends, its own handlers replace this one."""
    raise InterruptedRunError(name)


def _open_closed_streams() -> None:
    """Open closed streams (`>&-`) on the null device: else the next file that is opened would take their place."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # open to the end


def _print_any_name() -> None:
    """Let names of files that are not text be printed: escaped, in any locale."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _flushed(code: int) -> int:
    """Write out what was printed, now: at the interpreter's end a full disk would cause a message of its own."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code if isinstance(error, BrokenPipeError) else code or int(ExitCode.BUG)
    return code


def run(arguments: list[str], began_s: float | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        began_s: when it began, by the monotonic clock; None: now.
    """
    begin(time.monotonic() if began_s is None else began_s)
    try:
        return int(_command().main(arguments, prog_name="importer", standalone_mode=False) or 0)
    except BrokenPipeError:
        # The reader of our output is gone (`| head`).
        return int(ExitCode.OK)
    except (typer.Abort, KeyboardInterrupt):
        return print_error(Output.of(arguments), InterruptedRunError("sigint"))
    except OSError as error:
        return _report_system_error(Output.of(arguments), error)
    except Exception as error:  # noqa: BLE001  # the one place: a bug ends here, and never as a traceback
        return _report(Output.of(arguments), error)


@cache
def _command() -> Any:
    """All commands, put together once: it takes as long as a small command itself."""
    return typer.main.get_command(app)


def _report_system_error(output: Output, error: OSError) -> int:
    """Report what the system refused: a file, where it has a name, or else our own output."""
    what = f"'{error.filename}' cannot be used" if error.filename else "The output cannot be written"
    refused = StorageError(f"{what}: {(error.strerror or 'unknown').lower()}.")
    try:
        return print_error(output, refused)
    except OSError:  # it is standard output itself
        return print_error(replace(output, as_json=False), refused)


def _report(output: Output, error: Exception) -> int:
    if isinstance(error, ImporterError):
        return print_error(output, error)
    if isinstance(error, _WrongUse):
        if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
            return print_error(output, UsageError("No command was named.", "`importer --help` lists the commands."))
        message = str(error.format_message()).replace("Value error, ", "")
        message += "" if message.endswith((".", "?")) else "."
        return print_error(output, UsageError(message, "`importer --help` lists commands and options."))
    return print_bug(output, error)
