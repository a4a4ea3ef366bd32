"""What many workers together have promised, held against what has happened in a story."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

from importer.core.states import RowState
from tests.lab.worker import KIND, Fate

if TYPE_CHECKING:
    from tests.lab.together import Story

USED = 0.95
WITHIN_S = 1.0


def name_of(ordinal: int) -> str:
    """What tells a row's customers at the server."""
    return f"Ada{ordinal}"


class BrokenTogetherError(AssertionError):
    """A seed in which many workers together do what they must not."""


def check(story: Story) -> None:
    """Hold the story to its promises.

    Raises:
        BrokenTogetherError: with the seed, and what happened in it.
    """
    for flaw in (*_rows(story), *_rate(story), *_pauses(story)):
        schedule = "\n".join(story.log + [f"{name}: {fate}" for name, fate in story.fates.items() if fate != Fate()])
        replay = f"python -m tests.lab --workers {story.workers} --seed {story.seed}"
        raise BrokenTogetherError(f"seed {story.seed}: {flaw}\nreplay: {replay}\n{schedule}")


def _rows(story: Story) -> Iterator[str]:
    """Each row is at the server once, or the journal says what it may be."""
    at_server = story.world.per_name()
    ids = {one.customer_id: KIND.name(one.body) for one in story.world.customers}
    for ordinal, row in enumerate(story.lots.rows):
        number, outcome = at_server[name_of(ordinal)], row.outcome
        if outcome is None:
            yield f"row {ordinal} has not ended"
        elif number > 1 and ordinal not in story.lots.resent:
            yield f"row {ordinal} was created {number} times, and nothing is said"
        elif outcome.state is RowState.CREATED and ids.get(outcome.customer_id) != name_of(ordinal):
            yield f"row {ordinal} carries the id of another customer, or none"
        elif number and outcome.state not in {RowState.CREATED, RowState.UNKNOWN}:
            yield f"row {ordinal} exists and is called {outcome.state}"
        elif not number and outcome.state in {RowState.CREATED, RowState.EXISTING}:
            yield f"row {ordinal} is {outcome.state} and was never created"


def _rate(story: Story) -> Iterator[str]:
    moments = _moments(story)
    for place, moment in enumerate(moments):
        number = place + 1 - bisect_left(moments, moment - 1.0 + 1e-9)
        if number > story.rate:
            yield f"{number} requests within a second at {moment:.3f}, and {story.rate} are allowed"
            return
    begin, end = story.undisturbed
    if not story.is_measured:
        yield f"up to {end:.1f} some had no share to use: the last one at {story.disturbed_until:.1f}"
    elif (used := used_of_rate(story)) < USED:
        yield f"{used:.1%} of the rate were used from {begin:.1f} to {end:.1f}"


def _moments(story: Story) -> list[float]:
    return sorted(moment for moment, _ in story.arrivals)


def used_of_rate(story: Story) -> float:
    """The part of the rate that was used while nothing happened.

    It is the mean of what is counted when the time begins up to a second later: workers with one request a second each
    make them in bunches, which must not matter.
    """
    begin, end = story.undisturbed[0], story.undisturbed[1] - 1.0
    counted = sum(min(max(one - begin, 0.0), 1.0) - min(max(one - end, 0.0), 1.0) for one in _moments(story))
    return counted / (end - begin) / story.rate


def _pauses(story: Story) -> Iterator[str]:
    for began, seconds, name in story.pauses:
        for moment, other in story.arrivals:
            in_it = began + WITHIN_S < moment < began + seconds - 0.01
            if in_it and not _are_excused(story, name, other, began, moment):
                yield f"{other} starts at {moment:.3f}; {name} was asked at {began:.3f} to pause for {seconds:.1f} s"
                return


def _are_excused(story: Story, name: str, other: str, began: float, moment: float) -> bool:
    """Whether one of them could not reach the ledger meanwhile."""
    return story.fates[name].touches(began, began + WITHIN_S) or story.fates[other].touches(began, moment)
