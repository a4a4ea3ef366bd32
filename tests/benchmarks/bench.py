"""What every row of the table shares: the settings of a pass, how sides take turns, and what comes out.

The sides of a row are measured in the same pass, one after the other, in an order that turns around every round: a
machine that slows down slows both. Ratios are taken within a round, and medians over the rounds.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import mkdtemp

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
IMPORTER = (sys.executable, "-m", "importer")


@dataclass(frozen=True)
class Settings:
    """One pass over the benchmarks.

    Args:
        rows: of the largest file; everything else scales with it.
        rounds: how often each side is measured.
    """

    rows: int = 1_000_000
    rounds: int = 3

    @property
    def quick(self) -> bool:
        """Whether this pass only shows that everything works."""
        return self.rows < 100_000

    def scaled(self, full: int, least: int) -> int:
        """Return a number of rows: `full` in a full pass, fewer in a quick one, but never under `least`."""
        return max(least, min(full, full * self.rows // 1_000_000))

    @property
    def data(self) -> Path:
        """Where source files are kept from pass to pass."""
        folder = BUILD / "bench-data"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Args:
        row: the benchmark it belongs to.
        what: what was measured.
        unit: of `value` and `rounds`.
        target: the target as a sentence; empty where there is none.
        met: whether the target was met; None where there is none, or where the pass was too small to tell.
        rounds: the value of each round.
    """

    row: str
    what: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None
    rounds: tuple[float, ...] = ()

    @classmethod
    def judged(
        cls,
        row: str,
        what: str,
        rounds: tuple[float, ...],
        unit: str,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        settings: Settings | None = None,
    ) -> Figure:
        """Make a figure of the median of some rounds, and compare it with its target.

        Args:
            settings: where given, a quick pass is not judged: its files are too small for the target.
        """
        value = median(rounds)
        if at_least is not None:
            target, met = f"at least {at_least:,g}", value >= at_least
        else:
            assert at_most is not None
            target, met = f"at most {at_most:,g}", value <= at_most
        small = settings is not None and settings.quick
        return cls(row, what, value, unit, target, None if small else met, rounds)


@dataclass
class Rounds:
    """The values of every side, round by round."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, side: str, value: float) -> None:
        self.values.setdefault(side, []).append(value)

    def median(self, side: str) -> float:
        return median(self.values[side])

    def all(self, side: str) -> tuple[float, ...]:
        return tuple(self.values[side])

    def ratios(self, over: str, under: str) -> tuple[float, ...]:
        """Ratios within each round."""
        return tuple(a / b for a, b in zip(self.values[over], self.values[under], strict=True))


def take_turns(rounds: int, sides: Mapping[str, Callable[[int], Mapping[str, float]]]) -> Rounds:
    """Measure all sides in turns.

    Args:
        sides: name to what measures it once; it is given the number of the round, and returns what it measured.

    Returns:
        Under `side` or `side.measure` the values.
    """
    taken = Rounds()
    for number in range(rounds):
        names = list(sides)[:: -1 if number % 2 else 1]
        for name in names:
            for measure, value in sides[name](number).items():
                taken.add(f"{name}.{measure}" if measure else name, value)
    return taken


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder that is gone after the block."""
    (BUILD / "bench-work").mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(dir=BUILD / "bench-work"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environ(**more: str) -> dict[str, str]:
    """The environment of a measured process: no settings of the user's, and byte code is kept, as after any install."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMPORTER_", "ROCKETKOR_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **more}
