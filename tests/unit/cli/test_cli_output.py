from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import TextIO

import pytest

from importer.cli.output import fitted

COMMAND = "  importer retry last --fixed 'a long path/with/many folders/rejects.csv' --workspace 'another long path'"
ISSUE = "      34 x An email address with its @ sign in words  [email_at_spelled; column 'Email', rows 2, 62]"


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    ours, theirs = pty.openpty()
    with closing(os.fdopen(theirs, "w")) as stream:
        yield stream
    os.close(ours)


def _of_width(terminal: TextIO, columns: int) -> TextIO:
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return terminal


@pytest.mark.parametrize("columns", [40, 80])
def test_sentences_are_broken_between_words_and_commands_stay_whole(terminal: TextIO, columns: int) -> None:
    text = f"{ISSUE}\n\n{COMMAND}"
    lines = fitted(text, _of_width(terminal, columns)).split("\n")

    assert lines[-1] == COMMAND
    assert max(map(len, lines[:-1])) < columns
    assert " ".join(" ".join(lines[:-1]).split()) == " ".join(ISSUE.split())
    assert all(line.startswith("     ") for line in lines[:-2])


def test_what_fits_stays_as_it_is(terminal: TextIO) -> None:
    assert fitted(ISSUE, _of_width(terminal, 200)) == ISSUE


def test_a_file_and_a_pipe_get_lines_as_they_are(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as file:
        assert fitted(ISSUE, file) == ISSUE
    assert fitted(ISSUE, StringIO()) == ISSUE
