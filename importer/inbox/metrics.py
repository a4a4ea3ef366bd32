"""A night as numbers for whoever watches it: its exit code, and its files by what became of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from importer.core.errors import ExitCode, ImporterError
from importer.core.events import Event
from importer.core.ports import Events
from importer.observe import UNCOUNTED, NightNumbers, observed_night
from importer.profile import Profile
from importer.runs.notifications.night_report import Fate, Import, NightReport


@dataclass(slots=True)
class NightCount:
    """Counts a night: what its runs do, and what its passes come to.

    Args:
        on_event: hears of everything as well.
    """

    profile: Profile
    on_event: Events
    _numbers: NightNumbers = UNCOUNTED

    def __call__(self, event: Event) -> None:
        """Count one event of a run, and pass it on."""
        self._numbers(event)
        self.on_event(event)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count and show the numbers in the block; an error that ends it is counted as the night's exit code."""
        chosen = self.profile
        code: ExitCode | None = ExitCode.BUG
        with observed_night(chosen.metrics, chosen.target, chosen.log, quiet=chosen.output.quiet) as self._numbers:
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
                    self._numbers.night_ended(code, {}, 0.0)

    def file(self, done: Import) -> None:
        """Count how a file ended; one that was imported before is not a run, and none ended with it."""
        if done.fate is not Fate.KNOWN:
            self._numbers.file_ended(done.exit_code)

    def one_pass(self, report: NightReport, *, watching: bool) -> None:
        """Count a pass that went to its end; files it did not come to are `waiting`, those being written `growing`.

        Args:
            watching: one in which nothing happened says only that somebody is there.
        """
        if watching and not report.happened:
            self._numbers.looked()
            return
        found = Counter(done.fate.value for done in report.imports)
        files = {fate.value: found[fate.value] for fate in Fate}
        files |= {"growing": len(report.growing), "waiting": report.waiting}
        self._numbers.night_ended(report.exit_code, files, report.elapsed_s)
