"""What is known of all workers that send together to one account: values, and their text. Times are the ledger's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from importer.delivery.sharing.messages import GOES_ON, StopReason

Counts = tuple[int, ...]
"""One number for each shared window."""


@dataclass(slots=True)
class Grant:
    """What a worker was allowed by the answer to one report, and until when that counts, in seconds."""

    number: int
    counts: Counts
    until: float


@dataclass(slots=True)
class Member:
    """One worker.

    Args:
        number: of its newest report, which was made at `seen`.
        grants: what may be in force at it.
        used: as it reported, which counts up to `until`.
        peak: the most that it used lately.
        probes_from: the number of the report in whose answer it was asked to probe, since a breaker opened; 0: it was
            not.
        is_alone: its breaker is open, while another worker found the target sound.
    """

    number: int = 0
    seen: float = 0.0
    grants: list[Grant] = field(default_factory=list)
    used: Counts = ()
    until: float = 0.0
    peak: tuple[float, ...] = ()
    waiting: int = 0
    in_flight: int = 0
    settled: int = 0
    bad: int = 0
    is_open: bool = False
    probes_from: int = 0
    is_alone: bool = False
    has_left: bool = False

    def in_force(self, now: float) -> Counts:
        """How many requests every window may hold of this worker."""
        counts = self.used if self.until > now else ()
        for grant in self.grants:
            if grant.until > now and grant.counts != counts:
                counts = tuple(map(max, counts, grant.counts)) if counts else grant.counts
        return counts

    @property
    def has_work(self) -> bool:
        """Whether it has something to send, or has sent it."""
        return self.waiting > 0 or self.in_flight > 0


@dataclass(slots=True)
class State:
    """All of them.

    Args:
        sending: what they work on.
        server: which server of the ledger, and which of its lives, has answered last.
        held_until: until then nobody knows what is in force, and nobody gets anything.
        latest_s: as of `Allowed`.
        prober: the worker that probes for all; empty: no breaker is open.
        probing_since: since when it has been the prober.
    """

    sending: str = ""
    server: str = ""
    held_until: float = 0.0
    members: dict[str, Member] = field(default_factory=dict)
    paused_until: float = 0.0
    latest_s: float = 0.0
    stop: StopReason = GOES_ON
    prober: str = ""
    probing_since: float = 0.0
    closings: int = 0

    def others(self, name: str) -> list[Member]:
        """All but one."""
        return [one for other, one in self.members.items() if other != name]

    def present(self, now: float, within_s: float) -> dict[str, Member]:
        """Those that have reported within this time, in seconds, and go on."""
        return {name: one for name, one in self.members.items() if not one.has_left and now - one.seen < within_s}


_STATE = TypeAdapter(State)


def read_state(text: str | None) -> State:
    """What a text holds; a new state where there is none."""
    return _STATE.validate_json(text) if text else State()


def state_text(state: State) -> str:
    """A state as JSON."""
    return _STATE.dump_json(state).decode()


def added(counts: Sequence[Counts], size: int) -> Counts:
    """The sum of some counts, for each of the windows."""
    return tuple(sum([one[place] for one in counts if one]) for place in range(size))
