"""What a command prints: data on standard output, everything for people on standard error."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TextIO

import typer

from importer.core.errors import ExitCode, ImporterError

EMPTY: Mapping[str, Any] = {
    "run_id": "",
    "source": "",
    "target": "",
    "dry_run": False,
    "counts": {},
    "issues": [],
    "files": {},
    "elapsed_seconds": 0.0,
}
"""The JSON object of a command that could not begin."""

_BEGAN_S: ContextVar[float] = ContextVar("began_s")

_SENTENCE = re.compile(r"(?P<lead>(?: *[0-9,]+ x | *→ | *! )?)(?=\S)")
"""A line that may be broken, and the indent of its further lines."""
_NARROWEST = 20


@dataclass(frozen=True, slots=True)
class Output:
    """How to print, known before the options are parsed: a wrong option must be reported in JSON as well."""

    command: str
    as_json: bool

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Output:
        """Read them from the raw arguments."""
        words = [word for word in arguments if not word.startswith("-")]
        return cls(command=words[0] if words else "", as_json="--json" in arguments)


def begin(at_s: float) -> None:
    """Keep when the command began, by the monotonic clock: its duration is counted from there."""
    _BEGAN_S.set(at_s)


def waited_s() -> float | None:
    """How long the person who typed the command has waited, in seconds; None where it was not typed."""
    began_s = _BEGAN_S.get(None)
    return None if began_s is None else time.monotonic() - began_s


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def say(text: str = "") -> None:
    """Print something for people; a terminal that is gone is not a failure.

    Written to whatever standard error is at the moment: a live progress line puts itself in its place.
    """
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{harmless(text)}\n")
        sys.stderr.flush()


def fitted(text: str, stream: TextIO) -> str:
    """Break the sentences of a text between words where a terminal is behind `stream`, to its width.

    Commands and paths, on lines of their own behind two spaces, are left whole: they are copied.
    """
    width = _width_of(stream)
    if not width:
        return text
    return "\n".join(_broken(line, width - 1) for line in text.split("\n"))


def _width_of(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


def _broken(line: str, width: int) -> str:
    start = _SENTENCE.match(line)
    if start is None or len(line) <= width or width < _NARROWEST:
        return line
    hang = " " * min(len(start["lead"]), width // 4)
    pieces = textwrap.wrap(
        line, width, subsequent_indent=hang, drop_whitespace=True, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(pieces)


def show(text: str) -> None:
    """Print the output of a command on standard output, for a pipe or a file."""
    typer.echo(harmless(text))


def harmless(text: str) -> str:
    """A text for a terminal: control characters are escaped, since names of files may hold them."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


def preview_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Write rows down as they were or would be sent, beside their cells; every row is one of a report's `preview`."""
    for row in rows:
        yield f"  Row {row['row']} ({row['state']})"
        yield from (f"    ! {error}" for error in row["errors"])
        yield from (f"    {_previewed(one)}" for one in row["fields"])


def _previewed(one: Mapping[str, str]) -> str:
    sent = f"{one['field']}: {one['after']}" if one["after"] else f"{one['field']} is not sent"
    if not one["column"]:
        return f"{sent}  (the same in every row)"
    cell = f" {one['before']}" if one["before"] != one["after"] else ""
    return f"{sent}  <- {one['column']}{':' if cell else ''}{cell}"


def print_error(output: Output, error: ImporterError, code: ExitCode | None = None) -> int:
    """Report what stopped the command, in the shape that was asked for; returns its exit code."""
    exit_code = error.exit_code if code is None else code
    if output.as_json:
        sentence = {"error": str(error)}
        print_json({"command": output.command, **EMPTY, "exit_code": int(exit_code), **sentence})
    else:
        say(f"importer: {error}")
    return int(exit_code)


def print_bug(output: Output, error: Exception) -> int:
    """Report an unexpected error: its kind and place, never its text, which may hold a value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"
    return print_error(
        output,
        ImporterError(
            f"An unexpected error occurred ({type(error).__name__} in {where}): this is a bug.",
            "Finished rows are safe in the journal; see the run's run.log.jsonl.",
        ),
    )
