"""What a process holds, seen from outside: memory, connections, threads; and what a series of such looks comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

WARM_UP_SHARE = 0.2
"""This part of a life does not count: imports, caches and the first rows fill the memory once."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process.

    Args:
        rss_mb: resident memory, in megabytes.
    """

    at_s: float
    rss_mb: float
    sockets: int
    threads: int


def look(pid: int, at_s: float) -> Sample | None:
    """Look at a process; None when it is gone."""
    place = Path(f"/proc/{pid}")
    try:
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
        links = [str(link.readlink()) for link in (place / "fd").iterdir()]
        return Sample(
            at_s,
            int(status["VmRSS"].split()[0]) / 1024,
            sum(link.startswith("socket:") for link in links),
            int(status["Threads"]),
        )
    except (OSError, KeyError):
        return None


@dataclass(slots=True)
class Life:
    """One life of the importer.

    Args:
        ended: `killed`, or its exit code.
    """

    samples: list[Sample] = field(default_factory=list)
    ended: str = ""

    @property
    def length_s(self) -> float:
        """How long it was watched, in seconds."""
        return self.samples[-1].at_s - self.samples[0].at_s if self.samples else 0.0

    def memory_mb(self) -> tuple[float, float]:
        """Give the median of the early and of the late third of the samples, warm-up aside."""
        counted = [one.rss_mb for one in self.samples[int(len(self.samples) * WARM_UP_SHARE) :]]
        third = max(1, len(counted) // 3)
        return median(counted[:third]), median(counted[-third:])
