"""Jobs of a console: begun once, followed to their end, found, stopped; and what a page knows of one while it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from importer.console.access import RefusedError, Role, Session
from importer.console.jobs import Job, Jobs
from importer.console.live import SECONDS, Live
from importer.console.sessions import Sessions
from importer.core.errors import ImporterError, UsageError
from importer.core.events import Event
from tests.lab.virtual_time import VirtualClock, run_virtual

HOUR_S = 3_600.0


def who(user: str, *roles: Role) -> Session:
    return Session("1", user, frozenset(roles), Sessions(b"secret", HOUR_S, lambda: 0.0, Path("nowhere")))


ANNA, BEN = who("anna", Role.PREPARE), who("ben", Role.PREPARE)
Scene = Callable[[Jobs], Coroutine[Any, Any, None]]


def play(scene: Scene) -> None:
    """Play a scene with the jobs of a console in virtual time."""

    async def main() -> None:
        await scene(Jobs(VirtualClock()))

    run_virtual(main)


def live() -> Live:
    clock = VirtualClock()
    return Live(clock.monotonic, clock.now)


async def lasts(_: Job) -> None:
    await VirtualClock().sleep(HOUR_S)


async def until_stopped(job: Job) -> None:
    while not job.stop.requested:
        await VirtualClock().sleep(1.0)


async def ended(job: Job) -> None:
    assert job.task is not None
    await job.task


# --------------------------------------------------------------------------- jobs


def test_what_is_under_way_is_not_begun_a_second_time() -> None:
    async def scene(jobs: Jobs) -> None:
        first = jobs.begin("draft", ANNA, Role.PREPARE, lasts)
        await VirtualClock().sleep(HOUR_S / 2)
        assert jobs.begin("draft", BEN, Role.PREPARE, lasts) is first
        assert (first.user, first.is_done) == ("anna", False)
        assert jobs.begin("another", BEN, Role.PREPARE, lasts) is not first

    play(scene)


def test_a_run_that_a_draft_has_begun_is_not_begun_a_second_time_by_its_own_name() -> None:
    async def scene(jobs: Jobs) -> None:
        async def runs(job: Job) -> None:
            job.live(Event("run_started", {"run_id": "R1", "source": "a.csv", "target": "t", "dry_run": False}))
            await lasts(job)

        first = jobs.begin("draft", ANNA, Role.PREPARE, runs)
        await VirtualClock().sleep(1.0)
        assert jobs.find("R1") is first
        assert jobs.begin("R1", BEN, Role.PREPARE, lasts) is first

    play(scene)


def test_what_has_ended_can_be_begun_again_and_the_newest_is_found() -> None:
    async def scene(jobs: Jobs) -> None:
        first = jobs.begin("draft", ANNA, Role.PREPARE, lasts)
        await ended(first)
        assert first.is_done
        second = jobs.begin("draft", BEN, Role.PREPARE, lasts)
        assert second is not first
        assert jobs.find("draft") is second
        assert jobs.find("nobody's") is None

    play(scene)


def test_of_two_jobs_about_one_run_the_newer_one_is_found() -> None:
    async def scene(jobs: Jobs) -> None:
        made = [jobs.begin(key, ANNA, Role.PREPARE, lasts) for key in ("draft", "resumed")]
        for job in made:
            job.live.on_delivery_started({"run_id": "R1"})
        assert jobs.find("R1") is made[1]

    play(scene)


@pytest.mark.parametrize("error", [UsageError("There is no such file."), ZeroDivisionError()])
def test_how_a_job_failed_is_kept_and_nothing_is_raised(error: Exception) -> None:
    async def fails(_: Job) -> None:
        raise error

    async def scene(jobs: Jobs) -> None:
        job = jobs.begin("draft", ANNA, Role.PREPARE, fails)
        await ended(job)
        assert job.error is (error if isinstance(error, ImporterError) else None)
        assert job.is_broken is not isinstance(error, ImporterError)

    play(scene)


def test_only_what_has_ended_is_forgotten() -> None:
    async def scene(jobs: Jobs) -> None:
        job = jobs.begin("draft", ANNA, Role.PREPARE, lasts)
        jobs.forget("draft")
        assert jobs.find("draft") is job
        await ended(job)
        jobs.forget("draft")
        jobs.forget("nobody's")
        assert jobs.find("draft") is None

    play(scene)


def test_all_jobs_are_asked_to_stop_and_waited_for() -> None:
    async def scene(jobs: Jobs) -> None:
        await jobs.stop_all()
        made = [jobs.begin(key, ANNA, Role.PREPARE, until_stopped) for key in ("one", "two")]
        await VirtualClock().sleep(5.0)
        await jobs.stop_all()
        assert all(job.is_done and job.stop.requested for job in made)

    play(scene)


# --------------------------------------------------------------------------- roles


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (Role.PREPARE, {Role.VIEW, Role.APPROVE, Role.RUN}),  # Check again, Make the plan
        (Role.RUN, {Role.VIEW, Role.APPROVE, Role.PREPARE}),  # Run, Resume, Return
    ],
)
def test_nothing_is_begun_or_stopped_by_who_has_not_its_role(role: Role, refused: set[Role]) -> None:
    async def scene(jobs: Jobs) -> None:
        for other in refused:
            with pytest.raises(RefusedError, match=f"'{role}'"):
                jobs.begin("draft", who("carl", other), role, lasts)
        assert jobs.find("draft") is None
        job = jobs.begin("draft", who("anna", role), role, lasts)
        for other in refused:
            with pytest.raises(RefusedError, match=f"'{role}'"):
                job.stop_by(who("carl", other))
        assert not job.stop.requested
        job.stop_by(who("rita", role))
        assert job.stop.requested

    play(scene)


def test_the_question_of_a_run_is_answered_by_who_may_run_alone() -> None:
    async def scene(jobs: Jobs) -> None:
        job = jobs.begin("draft", who("rita", Role.RUN), Role.RUN, lasts)
        assert job.answer_by(who("rita", Role.RUN), yes=True) is False
        asked = asyncio.create_task(job.live.ask("Go on?"))
        await VirtualClock().sleep(1.0)
        for role in (Role.VIEW, Role.APPROVE, Role.PREPARE):
            with pytest.raises(RefusedError, match="'run'"):
                job.answer_by(who("carl", role), yes=True)
        assert job.live.question is not None
        assert job.answer_by(who("rita", Role.RUN), yes=False)
        assert await asked is False

    play(scene)


# --------------------------------------------------------------------------- live


def request(verdict: str = "accept", code: str | None = None, status: int | None = 201) -> Event:
    return Event(
        "request_done", {"kind": "create", "status": status, "verdict": verdict, "code": code, "duration_s": 0.1}
    )


def test_requests_are_counted_by_the_second_and_a_silent_second_is_zero() -> None:
    async def main() -> None:
        following, clock = live(), VirtualClock()
        for count in (2, 0, 3):
            for _ in range(count):
                following(request())
            await clock.sleep(1.0)
        assert [count for _, count in following.each_second(4)] == [0, 2, 0, 3]
        following(request())
        assert [count for _, count in following.each_second(3)] == [2, 0, 3]

    run_virtual(main)


def test_requests_of_long_ago_are_forgotten() -> None:
    async def main() -> None:
        following, clock = live(), VirtualClock()
        for _ in range(SECONDS + 5):
            following(request())
            await clock.sleep(1.0)
        assert len(following.requests) == SECONDS
        assert {count for _, count in following.each_second(SECONDS)} == {1}

    run_virtual(main)


def test_refusals_are_counted_by_the_best_name_there_is() -> None:
    async def main() -> None:
        following = live()
        for event in (
            request(),
            request("reject", "DUPLICATE_EMAIL", 409),
            request("reject", "DUPLICATE_EMAIL", 409),
            request("retry", None, 503),
            request("in_doubt", None, None),
        ):
            following(event)
        assert following.refusals == {"DUPLICATE_EMAIL": 2, "503": 1, "in_doubt": 1}

    run_virtual(main)


def test_pauses_are_kept_with_their_moment_and_reason() -> None:
    async def main() -> None:
        following = live()
        await VirtualClock().sleep(2.0)
        following(Event("paused", {"seconds": 1.5, "reason": "rate_limited"}))
        assert list(following.pauses) == [(VirtualClock.EPOCH_S + 2.0, 1.5, "rate_limited")]

    run_virtual(main)


@pytest.mark.parametrize("answers", [(True,), (False,), (True, False)])
def test_a_question_waits_for_its_first_answer_and_is_gone_then(answers: tuple[bool, ...]) -> None:
    async def main() -> None:
        following = live()
        asked = asyncio.create_task(following.ask("Go on?"))
        await VirtualClock().sleep(HOUR_S)
        assert following.question is not None
        assert following.question.text == "Go on?"
        assert not asked.done()
        for answer in answers:
            following.question.answer(yes=answer)
        assert await asked is answers[0]
        assert following.question is None

    run_virtual(main)


def test_a_question_is_gone_where_the_run_was_stopped_meanwhile() -> None:
    async def main() -> None:
        following = live()
        asked = asyncio.create_task(following.ask("Go on?"))
        await VirtualClock().sleep(1.0)
        asked.cancel()
        await asyncio.wait([asked])
        assert following.question is None

    run_virtual(main)
