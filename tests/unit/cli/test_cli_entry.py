"""What the system refuses is reported in the format that was asked for."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
import time
from pathlib import Path

import pytest

from importer.cli.entry import _report_system_error, run
from importer.cli.output import Output, say
from importer.core.errors import ExitCode

REFUSED = OSError(errno.EACCES, os.strerror(errno.EACCES), "in/customers.csv")


def test_a_file_that_the_system_refuses_is_named_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    code = _report_system_error(Output("run", as_json=True), REFUSED)

    printed = json.loads(capsys.readouterr().out)
    assert (code, printed["exit_code"]) == (ExitCode.BUG, ExitCode.BUG)
    assert printed["error"] == "'in/customers.csv' cannot be used: permission denied."


class Full(io.StringIO):
    """A standard output that takes nothing."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_where_standard_output_is_refused_the_error_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    code = _report_system_error(Output("runs", as_json=True), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    assert code == ExitCode.BUG
    assert "The output cannot be written: no space left on device." in capsys.readouterr().err


def test_without_a_command_one_sentence_names_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == ExitCode.USAGE

    assert capsys.readouterr().err == "importer: No command was named. `importer --help` lists the commands.\n"


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b]0;x\x07b.csv: refused\nnext line ü")

    assert capsys.readouterr().err == "a\\x1b]0;x\\x07b.csv: refused\nnext line ü\n"


@pytest.mark.parametrize("options", [["--json"], []])
def test_the_printed_time_counts_from_the_start_of_the_command(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "customers.csv"
    source.write_text(
        "First Name,Last Name,Email,Phone\nSarah,Green,sarah.green@example.com,+1 415 555 0142\n", encoding="utf-8"
    )
    an_hour_ago_s = time.monotonic() - 3_600

    run(["validate", str(source), "--workspace", str(tmp_path / "runs"), *options], an_hour_ago_s)

    printed = capsys.readouterr().out
    printed_s = (
        json.loads(printed)["elapsed_seconds"] if options else float(printed.partition(" in ")[2].partition(" s ")[0])
    )
    assert printed_s >= 3_600
