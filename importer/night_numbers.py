"""A night as numbers for whoever watches it: its exit code, and its files by what became of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from importer.errors import ExitCode, ImporterError
from importer.nightly import Fate, Import, NightReport
from importer.observe import NightNumbers


def count_file(done: Import, numbers: NightNumbers) -> None:
    """Count how a file ended; one that was imported before is no run, and none ended with it."""
    if done.fate is not Fate.KNOWN:
        numbers.file_ended(done.exit_code)


def count_night(report: NightReport, numbers: NightNumbers) -> None:
    """Count a pass that went to its end; files it did not come to are `waiting`, those being written `growing`."""
    found = Counter(done.fate.value for done in report.imports)
    files = {fate.value: found[fate.value] for fate in Fate}
    files |= {"growing": len(report.growing), "waiting": report.waiting}
    numbers.night_ended(report.exit_code, files, report.elapsed_s)


@contextmanager
def ends_counted(numbers: NightNumbers) -> Iterator[None]:
    """Count a night that could not begin, or that broke off, by the exit code that it ends with."""
    code: ExitCode | None = ExitCode.BUG
    try:
        yield
        code = None
    except asyncio.CancelledError:
        code = ExitCode.SIGINT
        raise
    except ImporterError as error:
        code = error.exit_code
        raise
    finally:
        if code is not None:
            numbers.night_ended(code, {}, 0.0)
