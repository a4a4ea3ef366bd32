"""Gauges of the last run and the last pass over an inbox, kept from one process to the next.

A textfile is written anew by every process. What the one before wrote of its last run is kept until there is a newer
run: a pass without a file does not change when customers were imported last.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import prometheus_client as prometheus
from prometheus_client.parser import text_string_to_metric_families

_LONGEST_BYTES = 4 * 1024**2

_GAUGES = (
    ("importer_last_run_rows", "Rows of the last run by state; read: all.", "state"),
    ("importer_last_run_open_steps", "Steps after the creates that the last run has left open.", ""),
    ("importer_last_run_exit_code", "How the last run ended.", ""),
    ("importer_last_run_duration_seconds", "How long the last run took.", ""),
    ("importer_last_run_timestamp_seconds", "When the last run ended.", ""),
    ("importer_last_night_files", "Files of the last night by what became of them.", "fate"),
    ("importer_last_night_exit_code", "How the last night ended: the worst of its files.", ""),
    ("importer_last_night_duration_seconds", "How long the last night took.", ""),
    ("importer_last_night_timestamp_seconds", "When the last night ended.", ""),
)


class PersistentGauges:
    """Gauges that outlast a process by way of the textfile.

    Args:
        target: the target's name in the profile; values of other targets stay as they are.
    """

    def __init__(self, registry: prometheus.CollectorRegistry, target: str) -> None:
        self._target = target
        self._gauges = {
            name: prometheus.Gauge(name, text, ("target", label) if label else ("target",), registry=registry)
            for name, text, label in _GAUGES
        }

    def run_ended(self, exit_code: int) -> None:
        """A run ended just now."""
        self._set("importer_last_run_exit_code", exit_code)
        self._now("importer_last_run_timestamp_seconds")

    def run_counted(self, counts: Mapping[str, int], elapsed_s: float) -> None:
        """Its counts and its duration are known."""
        for state, count in counts.items():
            self._set("importer_last_run_rows", count, state)
        self._set("importer_last_run_duration_seconds", elapsed_s)

    def steps_left(self, count: int) -> None:
        """So many steps after its creates are open."""
        self._set("importer_last_run_open_steps", count)

    def pass_ended(self, exit_code: int, files: Mapping[str, int], elapsed_s: float) -> None:
        """A pass ended just now.

        Args:
            files: counts by outcome; every outcome is named.
        """
        for fate, count in files.items():
            self._set("importer_last_night_files", count, fate)
        self._set("importer_last_night_exit_code", exit_code)
        self._set("importer_last_night_duration_seconds", elapsed_s)
        self.looked()

    def looked(self) -> None:
        """A watched folder was polled just now, and it was empty."""
        self._now("importer_last_night_timestamp_seconds")

    def recall(self, path: Path) -> None:
        """Take over the values of a textfile; one that is missing or not ours is ignored."""
        try:
            with path.open("rb") as file:
                families = list(text_string_to_metric_families(file.read(_LONGEST_BYTES).decode("utf-8")))
        except (OSError, ValueError):
            return
        for sample in (sample for family in families for sample in family.samples):
            gauge = self._gauges.get(sample.name)
            if gauge is not None and set(sample.labels) == _labels_of(sample.name):
                gauge.labels(**sample.labels).set(sample.value)

    def _set(self, name: str, value: float, *labels: str) -> None:
        self._gauges[name].labels(self._target, *labels).set(value)

    def _now(self, name: str) -> None:
        self._gauges[name].labels(self._target).set_to_current_time()


def _labels_of(name: str) -> set[str]:
    label = next(label for known, _, label in _GAUGES if known == name)
    return {"target", label} if label else {"target"}
