"""What every step of a run shares: the profile, the clock, the stop switch, who is asked and who listens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from importer.core.events import Event
from importer.core.ports import Events
from importer.delivery import Ask, StopSwitch, closing_at
from importer.engines import ProcessPool
from importer.observe import FanOut
from importer.profile import MetricsSettings, Profile
from importer.runs.accounts import AskOwner
from importer.runs.consent import Confirm
from importer.runs.hours import Hours
from importer.runs.wiring import SystemClock, settle_journal
from importer.runs.wiring.engine import processes_of


def _ignore(_: Event) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class People:
    """Who does a command, and who can be asked while it is under way; None: nobody.

    Args:
        confirm: asked before the first request to a live target; None: refused unless `profile.yes`.
        ask_owner: asked whose an API key is that is new to a server; None: refused unless the profile names it.
        ask: asked when the first rows bring something unexpected; None: the run stops then.
        by: the user of the console who does it; empty: whoever runs the program.
    """

    confirm: Confirm | None = None
    ask_owner: AskOwner | None = None
    ask: Ask | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a run uses of the machine.

    Args:
        clock: the wall clock and the monotonic one.
        create_pool: makes the processes that check large files, given how many there may be.
        metrics: where numbers are shown; None: as the profile says. The inbox shows those of all its runs itself.
        waited_s: how long the user had waited when the command began its work, in seconds: reports count from there.
    """

    clock: SystemClock = field(default_factory=SystemClock)
    create_pool: Callable[[int], ProcessPool] = ProcessPool
    metrics: MetricsSettings | None = None
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """What every step of one command shares.

    Args:
        command: the word the user typed, for the report.
        emit: gets every event; must not block.
        stop: what a signal handler sets.
        ends_at: when sending has to end, seconds since the epoch; None: as the profile's hours say.
    """

    profile: Profile
    command: str = "run"
    emit: Events = _ignore
    stop: StopSwitch = field(default_factory=StopSwitch)
    people: People = field(default_factory=People)
    machine: Machine = field(default_factory=Machine)
    ends_at: float | None = None

    def __post_init__(self) -> None:
        settle_journal(self.profile)

    @property
    def workspace(self) -> Path:
        """The folder of the workspace."""
        return self.profile.workspace

    @property
    def is_nightly(self) -> bool:
        """Whether the file comes from the inbox, which moves it away afterwards."""
        return self.command == "nightly"

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        return self.machine.clock.now()

    def pool(self) -> ProcessPool:
        """Make the processes that share large work; none is started yet."""
        return self.machine.create_pool(processes_of(self.profile))

    def under(self, profile: Profile) -> Context:
        """Return the same context under another profile."""
        return replace(self, profile=profile)

    def with_sink(self, sink: Events) -> Context:
        """Return the same context with one more sink, which gets every event first."""
        return replace(self, emit=FanOut(sink, self.emit))


@asynccontextmanager
async def in_hours(context: Context) -> AsyncIterator[Context]:
    """Refuse to begin outside the hours of the profile, and stop in time for their end.

    Raises:
        TryLaterError: the window is closed.
    """
    hours, ends_at, now = Hours.of(context.profile.delivery), context.ends_at, context.now()
    if ends_at is None:
        hours.require_open(now)
        ends_at = hours.ends_at(now)
    by = "" if ends_at is None else f" ({hours.clock(ends_at)}, {hours.place})"
    message = f"Stopped at the end of the time allowed{by}; requests under way were finished."
    async with closing_at(ends_at, context.stop, context.machine.clock, message):
        yield replace(context, ends_at=ends_at)
