"""What a soak comes to: a line for each promise, with its figure."""

from __future__ import annotations

from dataclasses import dataclass

from tests.soak.soak import Soak

GROWTH_SHARE = 1.10
GROWTH_MB = 15.0
"""Memory may grow by the larger of both between the early and the late part of the last life."""

TASKS = 64 + 24
"""The pool's size, and what a run has beside it: the feeder, the drain's watch, the run itself, commits."""

CONNECTIONS = 64 + 12
"""The pool's size, and what a process has beside it: the token's connection, the event loop's own."""

BUNCHED_SHARE = 1.02
"""Starts are strict; but where two processes share a busy machine, what it delivers very late arrives in bunches."""

HARMLESS = ("latency", "list-lag")


@dataclass(frozen=True, slots=True)
class Line:
    """One promise, its figure, and whether it was kept."""

    promise: str
    figure: str
    kept: bool


def verdict(soak: Soak) -> list[Line]:
    """Judge a soak."""
    kills = sum(life.ended == "killed" for life in soak.lives)
    ended = [life.ended for life in soak.lives if life.ended != "killed"]
    longest = max(soak.lives, key=lambda life: life.length_s)
    early, late = longest.memory_mb()
    sockets = max(sample.sockets for life in soak.lives for sample in life.samples)
    tasks = max(soak.tasks, default=0)
    requests, faults = soak.ledger["requests"], _faults(soak)
    arrived = soak.ledger["largest_window"]
    return [
        Line("ended by itself, in time", f"{soak.took_s / 60:.1f} min, {kills} kills, exits {ended}", soak.finished),
        Line("every row accounted for", f"{soak.rows} rows: {dict(soak.counts)}", soak.counts.total() == soak.rows),
        Line("every row created", f"{soak.counts['created']}", soak.counts["created"] == soak.rows),
        Line("none lost, none twice", f"{soak.lost} lost, {soak.twice} twice", not soak.lost and not soak.twice),
        Line("every row has its own customer's id", f"{soak.mistaken} mistaken", not soak.mistaken),
        Line("faults met", f"{faults} in {requests} requests", faults > 0 and kills > 0),
        Line(
            f"never above {soak.rate}/s",
            f"busiest second: {soak.started} started, {arrived} arrived; {requests / soak.took_s:.0f}/s on average",
            soak.started <= soak.rate and arrived <= soak.rate * BUNCHED_SHARE,
        ),
        Line(
            "memory flat",
            f"{early:.0f} MB, later {late:.0f} MB, over {longest.length_s / 60:.1f} min without a kill",
            late <= max(early * GROWTH_SHARE, early + GROWTH_MB),
        ),
        Line("no connection leaked", f"{sockets} sockets at most", sockets <= CONNECTIONS),
        Line("no task leaked", f"{tasks} tasks at most", 0 < tasks <= TASKS),
    ]


def _faults(soak: Soak) -> int:
    return sum(number for name, number in soak.ledger["faults"].items() if name not in HARMLESS)
