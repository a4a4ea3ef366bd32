"""The one way in and out: whatever happens ends as an exit code and a sentence; no traceback reaches a user."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer

from importer.cli.app import app
from importer.cli.output import Output, tell_bug, tell_error
from importer.errors import ExitCode, ImporterError, UsageError

_WrongUse: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""Typer carries its own click, and does not export the root of its errors."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        return int(typer.main.get_command(app).main(arguments, prog_name="importer", standalone_mode=False) or 0)
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`): there is nobody left to tell.
        return int(ExitCode.OK)
    except (typer.Abort, KeyboardInterrupt):
        return tell_error(Output.of(arguments), UsageError("Stopped."), ExitCode.SIGINT)
    except Exception as error:  # noqa: BLE001  # the one place: a bug ends here, and never as a traceback
        return _told(Output.of(arguments), error)


def _told(output: Output, error: Exception) -> int:
    if isinstance(error, ImporterError):
        return tell_error(output, error)
    if isinstance(error, _WrongUse):
        message = str(error.format_message())
        message += "" if message.endswith((".", "?")) else "."
        return tell_error(output, UsageError(message, "`importer --help` lists what there is."))
    return tell_bug(output, error)
