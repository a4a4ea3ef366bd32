"""What stands on a real terminal of any width when a command is over, and on none at all."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import IMPORTER, User, Witness, people, sandbox
from tests.screen import Screen

PHASES = ("Starting", "Reading", "Checking", "Comparing", "Sending", "Writing results", "Marking", "Saving", "Counting")


def on_a_terminal(user: User, columns: int, *arguments: str | Path, **environ: str) -> tuple[int, str]:
    """Run a command whose standard error is a terminal; its exit code, and all that was drawn there."""
    ours, theirs = os.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in user.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    process = subprocess.Popen(
        [*IMPORTER, *map(str, arguments)],
        cwd=user.home,
        env={**kept, "TERM": "xterm-256color", **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = b""
    while True:
        try:
            new = os.read(ours, 65536)
        except OSError:  # the last one who had it open has gone
            break
        if not new:
            break
        drawn += new
    os.close(ours)
    process.communicate(timeout=60)
    return process.returncode, drawn.decode("utf-8", "replace")


@pytest.mark.parametrize("columns", [*(pytest.param(count, marks=pytest.mark.slow) for count in (20, 40, 200)), 80])
def test_no_line_of_progress_is_left_on_a_terminal(
    user: User, witness: Witness, profile_for: Callable[..., Path], columns: int
) -> None:
    source = user.has("people.csv", people(90))
    options = ("--rate", "60/s", "--finish-by", "00:00", "--format", "xlsx")
    code, drawn = on_a_terminal(
        user, columns, "run", source, *sandbox(profile_for(witness)), *options, **witness.environ
    )
    screen = Screen(columns)
    screen.show(drawn)

    assert code == 0, drawn
    assert "Sending " in drawn
    assert [line for line in screen.standing() if line.startswith(PHASES)] == []
    assert "Forecast: " in "".join(screen.standing()).replace("\n", "")
    assert "100%" not in drawn


@pytest.mark.slow
def test_colours_are_left_out_where_they_are_off(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    source = user.has("people.csv", people(30))
    options = ("--rate", "60/s")
    code, drawn = on_a_terminal(
        user, 120, "run", source, *sandbox(profile_for(witness)), *options, NO_COLOR="1", **witness.environ
    )

    assert code == 0, drawn
    assert "\x1b[3" not in drawn.replace("\x1b[?25", "")


def test_a_dumb_terminal_is_sent_no_control_sequence(user: User) -> None:
    code, drawn = on_a_terminal(user, 80, "run", user.has("people.csv", people(30)), TERM="dumb")

    assert (code, "\x1b" in drawn) == (0, False), drawn
