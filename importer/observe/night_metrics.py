"""Numbers of a whole night: of every run in it, and of the night itself, shown as long as it lasts.

A night without a run has numbers, too: that no file came, or that none could be used, is what an alert is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from importer.observe.logs import configure
from importer.observe.metrics import RunMetrics, shown
from importer.profile.operating import LogSettings, MetricsSettings
from importer.records import Event


class NightMetrics:
    """A listener that counts, from run to run.

    Args:
        target: the target's name in the profile; a label of every number.
    """

    def __init__(self, target: str) -> None:
        self.runs = RunMetrics(target)
        self.runs.over()
        self._has_ended = False

    def __call__(self, event: Event) -> None:
        """Count one event."""
        self._has_ended = self._has_ended or event.name == "run_ended"
        self.runs(event)

    def file_ended(self, exit_code: int) -> None:
        """A file was tried; one that could not even be begun ended as well."""
        if not self._has_ended:
            self.runs.refused(exit_code)
        self._has_ended = False
        self.runs.over()

    def night_ended(self, exit_code: int, files: Mapping[str, int], elapsed_s: float) -> None:
        """A pass is over.

        Args:
            files: how many by what became of them; every fate is named.
        """
        self.runs.last.night_ended(exit_code, files, elapsed_s)

    def looked(self) -> None:
        """A watched folder was looked at, and nothing was there."""
        self.runs.last.looked()


@contextmanager
def metered_night(
    settings: MetricsSettings, target: str, log: LogSettings, *, quiet: bool = False
) -> Iterator[NightMetrics]:
    """Count while the block lasts, and show the numbers where the settings say.

    Args:
        log: how it is told that they cannot be shown; between two runs nothing else logs.

    Yields:
        The listener that counts.
    """
    metrics = NightMetrics(target)
    with ExitStack() as stack:
        with configure(format=log.format, level=log.level, quiet=quiet):
            stack.enter_context(shown(settings, metrics.runs))
        try:
            yield metrics
        finally:
            with configure(format=log.format, level=log.level, quiet=quiet):
                stack.close()
