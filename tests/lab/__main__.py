"""Play seeds of the crash laboratory from the command line."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from tests.lab.kinds import KINDS
from tests.lab.laboratory import BrokenPromise, doubled, play_seed
from tests.lab.promises import used_of_rate
from tests.lab.together import BrokenTogetherError, play_together
from tests.postgres import pytest_sessionfinish, shared_server


def main() -> int:
    """Play the seeds that were asked for; 1 when a promise broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many seeds to play, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="play one seed and print its schedule")
    parser.add_argument("--target", choices=sorted(KINDS), default="rocketkor", help="the kind of target to play")
    parser.add_argument("--postgres", action="store_true", help="keep the journal in a PostgreSQL of the lab's own")
    parser.add_argument("--workers", type=int, default=0, help="let so many workers send each run together, e.g. 64")
    arguments = parser.parse_args()
    try:
        return _play_together(arguments) if arguments.workers else _play(arguments)
    finally:
        pytest_sessionfinish()


def _seeds(arguments: argparse.Namespace) -> Sequence[int]:
    if arguments.seed is not None:
        return [arguments.seed]
    return range(arguments.first, arguments.first + arguments.seeds)


def _play_together(arguments: argparse.Namespace) -> int:
    seeds, totals, least = _seeds(arguments), Counter[str](), 1.0
    for seed in seeds:
        try:
            story = play_together(seed, arguments.workers)
        except BrokenTogetherError as broken:
            print(broken, file=sys.stderr)  # noqa: T201
            return 1
        totals.update(rows=len(story.lots.rows), requests=len(story.arrivals), deaths=story.deaths)
        totals.update(taken_over=story.lots.taken_over, sent_again=len(story.lots.resent), pauses=len(story.pauses))
        totals.update(ledger_restarts=story.restarts)
        least = min(least, used_of_rate(story))
        if arguments.seed is not None:
            print("\n".join(story.log))  # noqa: T201
    what = f"{dict(totals)}, at least {least:.1%} of the rate used while nothing happened"
    print(f"{len(seeds)} seeds of {arguments.workers} workers, {what}: every promise kept")  # noqa: T201
    return 0


def _play(arguments: argparse.Namespace) -> int:
    seeds = _seeds(arguments)
    totals: Counter[str] = Counter()
    for seed in seeds:
        try:
            url = shared_server().emptied() if arguments.postgres else ""
            story = play_seed(seed, kind=arguments.target, url=url)
        except BrokenPromise as broken:
            print(broken, file=sys.stderr)  # noqa: T201
            return 1
        totals.update(rows=story.rows, kills=story.kills, lives=story.lives, doubled=doubled(story))
        totals.update(refusals=story.memory.refusals, other_names=len(story.runs) - 1)
        totals.update(steps=sum(map(len, story.plan)), done=len(story.server.made))
        if arguments.seed is not None:
            print("\n".join(story.world.log))  # noqa: T201
    print(f"{len(seeds)} seeds, {dict(totals)}: every row exactly once, or said not to be")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
