"""The target of the lab with steps after a create: each request of them meets the same misfortunes as a create."""

from __future__ import annotations

import asyncio
import random

from importer.core.outcomes import Reply, Verdict
from importer.core.ports import Limiter
from importer.core.step_tasks import StepFound, StepReply, StepTask
from importer.core.steps import STEP_RULES, Step, StepState
from tests.lab.steps import Made, StepServer
from tests.lab.target import CLIENT_TIMEOUT_S, LabTarget
from tests.lab.world import STATUS_FAULTS, World, draw, latency, travel


class LabStepTarget(LabTarget):
    """Implements `ports.FollowUps` as well.

    Args:
        dice: of the steps alone, so that creates meet the same misfortunes with and without steps.
    """

    def __init__(
        self, world: World, rng: random.Random, limiter: Limiter, server: StepServer, dice: random.Random
    ) -> None:
        super().__init__(world, rng, limiter)
        self._server = server
        self._dice = dice

    async def attempt(self, task: StepTask) -> StepReply:
        slot = await self._limiter.reserve()
        if self._step_fate({"token": self._world.weather.token}) == "token":
            slot.give_back()
            return StepReply(self._no_token())
        try:
            await travel(latency(self._dice))
            slot.depart()
            async with asyncio.timeout(CLIENT_TIMEOUT_S):
                return await self._attempted(task)
        except (TimeoutError, ConnectionResetError) as error:
            return StepReply(_judged(self._world.kind.failure_reply(error), task.step))
        finally:
            slot.answered()

    async def _attempted(self, task: StepTask) -> StepReply:
        if self._world.is_down(self._now()):
            await travel(latency(self._dice))
            return StepReply(Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers."))
        weather = self._world.weather
        fate = self._step_fate(
            {
                "drop before": weather.drop_before,
                "drop after": weather.drop_after,
                "fault before": weather.fault_before,
                "fault after": weather.fault_after,
                "hang before": weather.hang_before,
                "hang after": weather.hang_after,
                "throttle": weather.throttle,
            }
        )
        self._say(f"{task.step} {task.part} row {task.ordinal} {fate}")
        if fate == "throttle" or fate.endswith("before"):
            await travel(latency(self._dice))
            return await self._failed(task, fate)
        self._server.on_the_way.append(task)
        await travel(latency(self._dice))
        self._server.on_the_way.remove(task)
        return await self._done(task, fate)

    async def _done(self, task: StepTask, fate: str) -> StepReply:
        self._server.catch_up(self._now())
        if fate.endswith("after") and self._server.late_s and self._dice.random() < 0.7:
            self._server.make_late(task, self._now())
            return await self._failed(task, fate)
        made = self._server.make(task, self._now())
        self._say(f"made {made.reference} of {made.customer_id}")
        await travel(latency(self._dice))
        if fate.endswith("after"):
            return await self._failed(task, fate)
        state = StepState.SUBMITTED if task.step is Step.VERIFICATION else StepState.DONE
        return StepReply(Reply(Verdict.ACCEPT, http_status=201), state, made.reference)

    async def _failed(self, task: StepTask, fate: str) -> StepReply:
        if fate.startswith("drop"):
            raise ConnectionResetError
        if fate.startswith("hang"):
            await travel(60.0)
        if fate == "throttle":
            return StepReply(self._world.kind.status(429, retry_after_s=self._dice.choice((None, 0.5, 3.0))))
        return StepReply(_judged(self._world.kind.status(self._dice.choice(STATUS_FAULTS)), task.step))

    async def made_by(self, task: StepTask) -> StepFound:
        failure = await self._asked(f"look for {task.step} {task.part} row {task.ordinal}")
        if failure is not None:
            return StepFound(failure=failure)
        self._server.catch_up(self._now())
        return StepFound(tuple(one.reference for one in self._server.found(task, self._now())))

    async def progress(self, task: StepTask) -> StepReply:
        failure = await self._asked(f"ask for {task.reference} row {task.ordinal}")
        if failure is not None:
            return StepReply(failure)
        (made,) = [one for one in self._server.made if one.reference == task.reference]
        if self._now() < made.decided_at:
            return StepReply(Reply(Verdict.ACCEPT), StepState.SUBMITTED, made.reference, "PROCESSING")
        return _decided(made)

    async def _asked(self, what: str) -> Reply | None:
        """Make a request that changes nothing; the failure, or None."""
        slot = await self._limiter.reserve(finishing=True)
        slot.depart()
        try:
            fate = self._step_fate({"fault": self._world.weather.find_fault})
            self._say(f"{what} {fate}")
            await travel(latency(self._dice))
            if self._world.is_down(self._now()):
                return Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers.")
            if fate != "fault":
                return None
            reply = self._world.kind.status(self._dice.choice(STATUS_FAULTS))
            return reply._replace(verdict=Verdict.RETRY)
        finally:
            slot.answered()

    def _step_fate(self, chances: dict[str, float]) -> str:
        return draw(self._dice, chances) if self._world.stormy(self._now()) else "ok"


def _judged(reply: Reply, step: Step) -> Reply:
    """What may be repeated is never in doubt."""
    is_harmless = STEP_RULES[step].repeatable and reply.verdict is Verdict.IN_DOUBT
    return reply._replace(verdict=Verdict.RETRY) if is_harmless else reply


def _decided(made: Made) -> StepReply:
    is_over = made.ending is StepState.DONE
    status, outcome = ("COMPLETED", "APPROVED") if is_over else ("PENDING_REVIEW", "")
    return StepReply(Reply(Verdict.ACCEPT), made.ending, made.reference, status, outcome)
