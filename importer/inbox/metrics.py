"""Metrics of an inbox: the exit code of its passes, and its files by what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from importer.core.events import Event
from importer.core.ports import Events
from importer.inbox.report import PassReport
from importer.observe import UNCOUNTED, InboxCounter, observed_inbox
from importer.profile import Profile
from importer.runs.file_result import Fate, FileResult
from importer.runs.notifications.notifier import exit_code_of


@dataclass(slots=True)
class PassMetrics:
    """Counts what the runs of an inbox do, and how its passes end.

    Args:
        on_event: gets every event as well.
    """

    profile: Profile
    on_event: Events
    _numbers: InboxCounter = field(default=UNCOUNTED, init=False)

    def __call__(self, event: Event) -> None:
        """Count one event of a run, and pass it on."""
        self._numbers(event)
        self.on_event(event)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count and publish the metrics in the block; an error that ends it is counted with its exit code."""
        chosen = self.profile
        with observed_inbox(chosen.metrics, chosen.target, chosen.log, quiet=chosen.output.quiet) as self._numbers:
            try:
                yield
            except BaseException as error:
                self._numbers.pass_ended(exit_code_of(error), {}, 0.0)
                raise

    def file_ended(self, result: FileResult) -> None:
        """Count how a file ended; no run ended with one that was imported before, or waits for an approval."""
        if result.fate not in {Fate.KNOWN, Fate.UNAPPROVED}:
            self._numbers.file_ended(result.exit_code)

    def pass_ended(self, report: PassReport, *, watching: bool) -> None:
        """Count a pass that went to its end; files it did not get to are `waiting`, those being written `growing`.

        Args:
            watching: one in which nothing happened says only that somebody is there.
        """
        if watching and not report.happened:
            self._numbers.looked()
            return
        found = Counter(one.fate.value for one in report.imports)
        files = {fate.value: found[fate.value] for fate in Fate}
        files |= {"growing": len(report.growing), "waiting": report.waiting}
        self._numbers.pass_ended(report.exit_code, files, report.elapsed_s)
