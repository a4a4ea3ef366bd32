"""What a worker says about itself, and what it may do from then on. Values only.

Every worker asks about twice a second. Times are durations: the clocks of workers may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class StopReason(NamedTuple):
    """Why a run takes no more rows, as of `StopSwitch.request`; empty: it goes on."""

    reason: str = ""
    message: str = ""


GOES_ON = StopReason()

Breaking = Literal["closed", "held", "probes", "alone"]
"""What a worker does while a breaker is open: nothing differs, it starts nothing, it probes for all, or it probes for
itself, since others reach the target."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a worker is.

    Args:
        worker: its name, a new one with each start.
        sending: what it works on: the same for all that send together.
        number: rises with every report of a worker, from 1.
        applied: the number of the report whose answer is in force at the worker; 0: none.
        used: requests that every shared window still holds, those with a slot included; the shortest window first.
        waiting: requests that wait for their slot.
        in_flight: requests that have left, and are not answered yet.
        pause_s: for how long the target asked this worker to pause since its last report, in seconds from now; 0: it
            did not.
        settled: rows that it has settled since it started.
        bad: those of them that were refused, failed or are unknown.
        latest_s: how long after its request a customer was seen to appear at most, in seconds.
        stop: why it stops.
        is_open: whether its breaker is open.
        begins: it opens this sending: what is kept of an earlier one is over, but for requests that count still.
        leaves: it starts nothing any more.
    """

    worker: str
    sending: str
    number: int
    applied: int = 0
    used: tuple[int, ...] = ()
    waiting: int = 0
    in_flight: int = 0
    pause_s: float = 0.0
    settled: int = 0
    bad: int = 0
    latest_s: float = 0.0
    stop: StopReason = GOES_ON
    is_open: bool = False
    begins: bool = False
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a worker may do.

    Args:
        number: of the report that this answers.
        counts: how many requests every shared window may hold at this worker; the shortest window first.
        lasts_s: for how long, in seconds since the worker has asked; nothing starts afterwards.
        pause_s: for how long nothing may start, in seconds from now.
        settled: rows that the other workers have settled.
        bad: those of them that were refused, failed or are unknown.
        latest_s: the longest such time that any worker has seen, as of `Report`.
        stop: why the run stops.
        breaking: what this worker does while a breaker is open.
        closings: how often a breaker was closed for all.
        is_reached: whether another worker sends that is not known to be cut off from the target.
    """

    number: int
    counts: tuple[int, ...]
    lasts_s: float
    pause_s: float = 0.0
    settled: int = 0
    bad: int = 0
    latest_s: float = 0.0
    stop: StopReason = GOES_ON
    breaking: Breaking = "closed"
    closings: int = 0
    is_reached: bool = True
