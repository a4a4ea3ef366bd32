"""Stories of many workers that send one run together while some die, stop and are cut off."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from importer.delivery.sharing import Allowed, Limit, Moment, Report
from importer.delivery.sharing.ledger import answer
from importer.delivery.sharing.state import State
from tests.lab.together import BrokenTogetherError, play_together


@pytest.mark.parametrize("seeds", [range(1), pytest.param(range(1, 3), marks=pytest.mark.slow)])
def test_many_workers_send_each_row_once_and_never_more_than_the_rate_whatever_befalls_them(seeds: range) -> None:
    stories = [play_together(seed, 8) for seed in seeds]

    assert all(len(story.world.customers) >= len(story.lots.rows) for story in stories)


@pytest.mark.slow
def test_sixty_four_workers_do_so_too() -> None:
    story = play_together(2, 64)

    assert story.deaths > 0


def test_the_use_of_the_rate_is_measured_once_a_breaker_that_closed_late_has_its_share_again() -> None:
    story = play_together(195, 4)

    assert story.undisturbed[0] > story.length.calm_from + 1.0


def forgetful(state: State, report: Report, moment: Moment, limits: Sequence[Limit]) -> tuple[State, Allowed]:
    """Forget whoever has not reported for a moment."""
    state.members = {name: one for name, one in state.members.items() if moment.now - one.seen < 0.6}
    return answer(state, report, moment, limits)


@pytest.mark.slow
def test_the_lab_notices_a_ledger_that_forgets_the_shares_of_those_that_do_not_answer() -> None:
    with pytest.raises(BrokenTogetherError, match="requests within a second"):
        [play_together(seed, 8, forgetful) for seed in range(6)]
