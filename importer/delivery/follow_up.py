"""One step of one row becomes a result: tried, tried again, looked up; and outcomes of what was submitted are awaited.

The main rule is that of creates: a request that is not repeatable and has no clear answer is looked up, several times,
before it is made again; where nothing can be looked up, the step ends `unknown`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from weakref import WeakValueDictionary

from importer.core.outcomes import FieldError, Found, Reply, Verdict
from importer.core.ports import Clock, FollowUps, Recognition, Stop
from importer.core.step_tasks import StepFound, StepReply, StepResult, StepTask
from importer.core.steps import STEP_RULES, Step, StepState
from importer.delivery.asking import Asking
from importer.delivery.breaker import FIND
from importer.delivery.step_work import StepWork

FIRST_LOOK_S = 1.0
LONGEST_PAUSE_S = 300.0
"""Between two looks at a submitted step; the pause doubles from the first to this one."""


def pause_before_look_s(looks: int) -> float:
    """How long to wait before the next look at a submitted step, in seconds.

    Args:
        looks: how many there were.
    """
    return min(FIRST_LOOK_S * 2.0 ** min(looks, 30), LONGEST_PAUSE_S)


LONGEST_WAIT_S = 60.0
"""The wall clock may be set while we wait, so a long wait is made in pieces."""
FIRST_ROUND_S = 60.0
"""What is due at the beginning is asked for so long, also where outcomes are not waited for."""


class FollowUp:
    """Turns steps into results; one object serves all workers.

    Args:
        asking: the target, and how often it is asked.
        target: does steps; None: it has none but reading back.
        recognition: compares what was sent with what is read back.
        stamp: the name of the metadata that carry the import key; empty: none do.
        worker_released: held while a step only waits for its next look.
        lists_only: of updates it is said what they would change; nothing is sent.
    """

    def __init__(
        self,
        asking: Asking,
        target: FollowUps | None,
        recognition: Recognition,
        stamp: str,
        worker_released: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        *,
        lists_only: bool = False,
    ) -> None:
        self._asking = asking
        self._lists_only = lists_only
        self._target = target
        self._recognition = recognition
        self._stamp = stamp
        self._worker_released = worker_released
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """To each customer that is being changed its lock: a change between the reading and the writing of another
        one would be lost."""
        self._began_s = asking.clock.monotonic()
        """Whatever an earlier pass sent was sent before this moment."""

    async def __call__(self, task: StepTask) -> StepResult:
        """Do one step; cancellation leaves it in doubt."""
        work = StepWork(task._replace(lists_only=self._lists_only), self._asking)
        if task.step is Step.VERIFY:
            return await self._verify(work)
        if work.rule.reads_first:
            async with self._turns.setdefault(task.customer_id, asyncio.Lock()):
                return await self._repeat(work)
        if work.rule.repeatable:
            return await self._repeat(work)
        return await self._once(work)

    async def progress(self, task: StepTask) -> StepResult:
        """Ask once how a submitted step is, as often as it takes to get an answer."""
        work = StepWork(task, self._asking)
        looks = task.looks + 1
        while not self._asking.stop.requested:
            answer = await work.ask(FIND, lambda: self._does.progress(task))
            if answer is None:
                break
            if answer.reply.verdict is Verdict.ACCEPT:
                return self._due(work.result(answer.state, answer), looks)
            if answer.reply.verdict is Verdict.REJECT:  # one that is only not shown may be there: it is looked up later
                return work.ended(answer) if answer.state is StepState.FAILED else work.unknown(answer)
            if not await work.may_ask_again(answer.reply):  # no answer says nothing about the step
                return self._due(work.result(StepState.SUBMITTED), looks)
        return self._due(work.result(StepState.SUBMITTED), task.looks)

    def _due(self, result: StepResult, looks: int) -> StepResult:
        if result.state is not StepState.SUBMITTED:
            return result
        return result._replace(next_at=self._asking.clock.now() + pause_before_look_s(looks))

    @property
    def _does(self) -> FollowUps:
        assert self._target is not None  # noqa: S101  # such steps are planned for targets that do them
        return self._target

    # ------------------------------------------------------------------ steps that may be repeated

    async def _repeat(self, work: StepWork) -> StepResult:
        while not self._asking.stop.requested:
            answer = await work.ask(work.task.step.value, lambda: self._does.attempt(work.now))
            if answer is None:
                break
            if answer.reply.verdict is Verdict.ACCEPT:
                return work.result(answer.state, answer)
            work.in_doubt |= work.rule.reads_first and answer.reply.verdict is Verdict.IN_DOUBT
            if not await work.may_ask_again(answer.reply):
                return work.ended(answer)
        return work.stopped()

    async def _verify(self, work: StepWork) -> StepResult:
        """Read the customer back; one that is not there yet is looked for again, as a row in doubt is."""
        began_s, found = self._asking.clock.monotonic(), Found()
        for due_s in self._asking.patience.looks_after_s:
            await self._wait_until(began_s + due_s)
            found = await self._asking.get(work.task.customer_id)
            work.note(FIND, found.failure or Reply(Verdict.ACCEPT, took_s=found.took_s))
            if found.candidates:
                return self._compared(work, found)
            if found.failure is not None or self._asking.stop.requested:
                break
        if self._asking.stop.requested:
            return work.result(StepState.WAITING)
        return work.ended(StepReply(found.failure)) if found.failure else work.result(StepState.FAILED, error=_GONE)

    def _compared(self, work: StepWork, found: Found) -> StepResult:
        task = work.task
        detail = self._recognition.read_back(task.payload, found.candidates[0].body, self._stamp)
        if not detail:
            return work.result(StepState.DONE)
        named = tuple(f"{name}: {how}" for name, how in detail)
        error = FieldError(
            detail[0][0], f"The customer at the target differs: {'; '.join(named)}.", "differs_at_target"
        )
        return work.result(StepState.DIFFERS, StepReply(Reply(Verdict.ACCEPT), detail=named), error)

    # ------------------------------------------------------------------ steps that may not

    async def _once(self, work: StepWork) -> StepResult:
        """Do what may not be done twice."""
        if work.in_doubt and (result := await self._looked_up(work, None)) is not None:
            return result
        while not self._asking.stop.requested:
            answer = await work.ask(work.task.step.value, lambda: self._does.attempt(work.task))
            if answer is None:
                break
            if answer.reply.verdict is Verdict.ACCEPT:
                return self._due(work.result(answer.state, answer), 0)
            work.in_doubt |= bool(answer.reference) and answer.reply.verdict is Verdict.RETRY  # half of it is done
            if answer.reply.verdict in _LOOKED_UP and (result := await self._looked_up(work, answer)) is not None:
                return result
            if not await work.may_ask_again(answer.reply):
                return work.ended(answer)
        return work.stopped()

    async def _looked_up(self, work: StepWork, answer: StepReply | None) -> StepResult | None:
        """Look for what a request has made; None when it has made nothing, as far as several looks show.

        Args:
            answer: what it came to; None: an earlier pass made it.
        """
        work.in_doubt |= answer is None or answer.reply.verdict is Verdict.IN_DOUBT
        if not STEP_RULES[work.task.step].looked_up:
            return work.unknown(answer) if work.in_doubt else None
        since_s = self._began_s if answer is None else self._asking.clock.monotonic()
        for due_s in self._asking.patience.looks_after_s:
            await self._wait_until(since_s + due_s)
            found = await work.look(lambda: self._does.made_by(work.looked_for))
            if found is not None and found.references:
                return self._adopted(work, found)
            if found is None or found.failure is not None or self._asking.stop.requested:
                return work.unknown(answer)
        return None

    def _adopted(self, work: StepWork, found: StepFound) -> StepResult:
        if len(found.references) > 1:
            return work.unknown(None, f"The target holds {len(found.references)} that could be it.")
        state = StepState.SUBMITTED if work.task.step is Step.VERIFICATION else StepState.DONE
        answer = StepReply(Reply(Verdict.ACCEPT), state, reference=found.references[0])
        return self._due(work.result(state, answer), 0)

    async def _wait_until(self, moment_s: float) -> None:
        """Wait for a look's time, while other steps go on."""
        delay_s = moment_s - self._asking.clock.monotonic()
        if delay_s > 0:
            async with self._worker_released():
                await self._asking.rest(delay_s)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Waits for the outcomes of one run. Its memory does not grow with what is open: the journal knows what is due.

    Args:
        next_due: when the next look is due, seconds since the epoch; None: there is none to wait for.
        look_at_due: makes every look that is due, until the time is over.
        rest: waits, but not past the moment when the run is asked to stop.
    """

    next_due: Callable[[], Awaitable[float | None]]
    look_at_due: Callable[[Callable[[], bool]], Awaitable[None]]
    rest: Callable[[float], Awaitable[None]]
    stop: Stop
    clock: Clock

    async def wait(self, until: float) -> None:
        """Ask until nothing is open.

        Args:
            until: when to end at the latest, seconds since the epoch; what is due already is asked for in any case.
        """
        due, began = await self.next_due(), self.clock.now()
        if due is not None and due <= began and not self.stop.requested:
            await self.look_at_due(lambda: self.clock.now() >= max(until, began + FIRST_ROUND_S))
        while (due := await self.next_due()) is not None and not self.stop.requested:
            now = self.clock.now()
            if now >= until:
                return
            if due <= now:
                await self.look_at_due(lambda: self.clock.now() >= until)
            else:
                await self.rest(min(due - now, until - now, LONGEST_WAIT_S))


_LOOKED_UP = frozenset({Verdict.IN_DOUBT, Verdict.DUPLICATE})
_GONE = FieldError("", "The target does not have this customer any more.", "verify_failed")
