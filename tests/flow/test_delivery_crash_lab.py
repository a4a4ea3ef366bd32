"""Hundreds of stories of kills, drops and faults: every row exactly once, or said not to be."""

from __future__ import annotations

import pytest

from tests.lab.laboratory import BrokenPromise, doubled, is_hard, play_seed
from tests.postgres import shared_server

QUICK = 40
MORE = [pytest.param(first, first + 60, marks=pytest.mark.slow) for first in (QUICK, QUICK + 60)]
"""Seeds of the tests that are slow; `make crash-lab` plays as many as it is told."""


@pytest.mark.parametrize(("first", "end"), [(0, QUICK), *MORE])
def test_every_row_is_created_exactly_once_whatever_happens(first: int, end: int) -> None:
    stories = [play_seed(seed) for seed in range(first, end)]
    count = end - first

    assert sum(story.kills for story in stories) > count
    gentle = [story for story in stories if not story.world.weather.is_hard]
    assert len(gentle) > count // 2
    assert sum(len(story.world.customers) for story in gentle) == sum(story.rows for story in gentle)
    assert sum(len(story.server.made) for story in stories) > 5 * count
    # Memories are lost and copied, and hosts have two names.
    assert {story.misfortune for story in stories} == {"", "tail", "copy"}
    assert sum(story.memory.refusals for story in stories) > 40 * count // 125
    assert sum(len(story.runs) > 1 for story in stories) > 10 * count // 125


@pytest.mark.parametrize(("first", "end"), [(0, QUICK), pytest.param(QUICK, 85, marks=pytest.mark.slow)])
def test_the_same_holds_for_the_target_of_another_package(first: int, end: int) -> None:
    stories = [play_seed(seed, kind="club") for seed in range(first, end)]
    gentle = [story for story in stories if not story.world.weather.is_hard]

    assert sum(story.kills for story in stories) > end - first
    assert sum(len(story.world.customers) for story in gentle) == sum(story.rows for story in gentle)


@pytest.mark.parametrize("seeds", [range(12), pytest.param(range(12, 32), marks=pytest.mark.slow)])
def test_a_journal_in_postgresql_tells_the_same_stories(seeds: range) -> None:
    stories = [play_seed(seed, url=shared_server().emptied()) for seed in seeds]
    gentle = [story for story in stories if not story.world.weather.is_hard]

    assert sum(story.kills for story in stories) > len(seeds) // 2
    assert sum(len(story.world.customers) for story in gentle) == sum(story.rows for story in gentle)


@pytest.mark.slow
def test_where_creates_or_lists_are_later_than_every_look_whoever_is_doubled_is_named() -> None:
    hard = [play_seed(seed) for seed in filter(is_hard, range(260))]

    assert sum(doubled(story) for story in hard) > 10


@pytest.mark.parametrize("blind", ["no warning", "no second look"])
@pytest.mark.slow
def test_the_lab_notices_an_importer_that_says_nothing_of_doubled_customers(blind: str) -> None:
    def play() -> None:
        for seed in range(600):
            play_seed(seed, warns=blind != "no warning", looks_again=blind != "no second look")

    with pytest.raises(BrokenPromise, match=r"nothing is said|created \d times"):
        play()


def test_the_lab_notices_an_importer_that_takes_any_journal_for_its_own() -> None:
    def play() -> None:
        for seed in range(200):
            play_seed(seed, remembers=False)

    with pytest.raises(BrokenPromise, match="was not refused"):
        play()


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert play_seed(7).world.log == play_seed(7).world.log


@pytest.mark.parametrize("looks_after_s", [(), (0.0, 2.0)], ids=["no look at all", "looks that end before the lag"])
@pytest.mark.slow
def test_the_lab_notices_an_importer_that_looks_too_little(looks_after_s: tuple[float, ...]) -> None:
    def play() -> None:
        for seed in range(1, 200):
            play_seed(seed, looks_after_s=looks_after_s)

    with pytest.raises(BrokenPromise, match=r"created \d times|is called"):
        play()


@pytest.mark.parametrize("looks_after_s", [(0.0,), (0.0, 2.0)], ids=["one look", "looks that end before the lag"])
@pytest.mark.slow
def test_the_lab_notices_steps_that_are_looked_up_too_little(looks_after_s: tuple[float, ...]) -> None:
    def play() -> None:
        for seed in range(200):
            play_seed(seed, steps_look_after_s=looks_after_s)

    with pytest.raises(BrokenPromise, match=r"was done \d times"):
        play()
