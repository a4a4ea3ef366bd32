"""The steps after the creates in the lab: what the server has made of them, and what has to be true of it at the end.

Owners, applications and documents come twice when they are asked for twice; limits do not.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from importer.core.results import RowResult
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep, RowStep, StepTask
from importer.core.steps import OPEN_STEPS, Step, StepState, has_step, parts_of
from importer.journal import RunSteps

DECIDES_AFTER_S = (0.0, 5.0, 90.0)
"""How long the server may take to decide an application, in seconds."""
ENDINGS = (StepState.DONE, StepState.DONE, StepState.DONE, StepState.NEEDS_PERSON)


@dataclass(slots=True)
class Made:
    """One thing that a step has made at the server.

    Args:
        ending: of an application, what it will be once it is decided.
    """

    reference: str
    customer_id: str
    step: Step
    part: str
    made_at: float
    visible_at: float
    decided_at: float
    ending: StepState


@dataclass(slots=True)
class StepServer:
    """What is at the server; it outlives every process of the importer.

    Args:
        lag_s: the longest time until a list shows what is new.
        late_s: how late what was not answered well may be made all the same; 0: at once.
    """

    rng: random.Random
    lag_s: float
    late_s: float
    made: list[Made] = field(default_factory=list)
    limits: dict[str, Any] = field(default_factory=dict)
    on_the_way: list[StepTask] = field(default_factory=list)
    later: list[tuple[float, StepTask]] = field(default_factory=list)

    def make(self, task: StepTask, now: float) -> Made:
        """Do what a step asks for."""
        if task.step is Step.LIMITS:
            self.limits[task.customer_id] = json.loads(task.payload)
        decided_at = now + self.rng.choice(DECIDES_AFTER_S)
        visible_at = now + self.rng.uniform(0.0, self.lag_s)
        reference = f"{task.step.value}-{len(self.made) + 1}"
        ending = self.rng.choice(ENDINGS)
        made = Made(reference, task.customer_id, task.step, task.part, now, visible_at, decided_at, ending)
        self.made.append(made)
        return made

    def make_late(self, task: StepTask, now: float) -> None:
        """Do it some time from now."""
        self.later.append((now + self.rng.uniform(0.0, self.late_s), task))

    def catch_up(self, now: float) -> None:
        """Do what is due."""
        for due, task in [one for one in self.later if one[0] <= now]:
            self.later.remove((due, task))
            self.make(task, due)

    def importer_died(self, now: float) -> None:
        """What was on the way may still arrive."""
        for task in self.on_the_way:
            if self.rng.random() < 0.5:
                self.make(task, now + self.rng.uniform(0.0, 2.0))
        self.on_the_way.clear()

    def found(self, task: StepTask, now: float) -> Iterator[Made]:
        """What a list shows of a step."""
        for one in self.made:
            is_it = (one.customer_id, one.step, one.part) == (task.customer_id, task.step, task.part)
            if is_it and one.visible_at <= now:
                yield one

    def count(self) -> Counter[tuple[str, Step, str]]:
        """How often each step of each customer was done."""
        return Counter((one.customer_id, one.step, one.part) for one in self.made)


def brought(ordinal: int, rng: random.Random) -> dict[str, Any]:
    """What one row brings for the steps after its create."""
    after: dict[str, Any] = {"limits": {"currency": "USD", "daily": f"{100 + ordinal}.00"}}
    if rng.random() < 0.4:
        after["beneficiaries"] = {str(part): {"lastName": f"Owner{part}"} for part in range(1, rng.randint(2, 3))}
    if rng.random() < 0.3:
        after["documents"] = {"passport": {"file": f"{ordinal}.pdf"}}
    return after


def planned(ordinal: int, after: Mapping[str, Any], rng: random.Random) -> Iterator[PlannedStep]:
    """The steps of one row."""
    yield from (PlannedStep(ordinal, step, part) for step, part, _ in parts_of(after))
    ready = rng.random() < 0.8
    yield PlannedStep(ordinal, Step.VERIFICATION, state=StepState.WAITING if ready else StepState.NOT_READY)
    yield PlannedStep(ordinal, Step.VERIFY)


def left_to_do(steps: RunSteps, rows: Iterable[RowResult], server: StepServer) -> int:
    """How many steps another life of the importer could bring further.

    Not those of which only a person can say whether they were done: a document, or what is at the server twice.
    """
    left, counts = 0, server.count()
    for row in rows:
        of_row = steps.of_row(row.ordinal)
        lost = [
            one
            for one in of_row
            if one.state is StepState.UNKNOWN
            and (one.step is Step.DOCUMENTS or counts[row.customer_id, one.step, one.part] > 1)
        ]
        for one in of_row:
            waits_for_it = bool(lost) and one.step is Step.VERIFICATION and one.state is StepState.FAILED
            ended = one.state not in OPEN_STEPS | {StepState.FAILED, StepState.UNKNOWN, StepState.DIFFERS}
            left += not (one in lost or waits_for_it or ended)
    return left


def flaws(result: RowResult, steps: list[RowStep], plan: list[PlannedStep], server: StepServer) -> Iterator[str]:
    """Say what is wrong with the steps of one row at the end of a story.

    Args:
        steps: as the journal reports them.
        plan: those that were planned.
    """
    expected = Counter((one.step, one.part) for one in plan if has_step(one.step, result.state))
    if Counter((one.step, one.part) for one in steps) != expected:
        yield f"row {result.ordinal} has other steps than were planned"
    not_ready = {one.step for one in plan if one.state is StepState.NOT_READY}
    counts = server.count()
    for one in steps if result.state is RowState.CREATED else ():
        times = counts[result.customer_id, one.step, one.part]
        name = f"{one.step} {one.part} of row {result.ordinal}".replace("  ", " ")
        if one.state in OPEN_STEPS:
            yield f"{name} is still open"
        if times > 1 and one.step is not Step.LIMITS:
            yield f"{name} was done {times} times"
        if times == 0 and one.step is not Step.VERIFY and one.state in _DONE:
            yield f"{name} is called {one.state} and was never done"
        if times and one.state in {StepState.NOT_READY, StepState.FAILED}:
            yield f"{name} was done and is called {one.state}"
        if (one.state is StepState.NOT_READY) != (one.step in not_ready):
            yield f"{name} is called {one.state}"
        if one.step in {Step.LIMITS, Step.VERIFY} and one.state is not StepState.DONE:
            yield f"{name} is called {one.state}, though it may be repeated"
        if one.step is Step.VERIFICATION and one.state in _DONE and not _is_its_own(one, result, server):
            yield f"{name} bears another reference or another ending than its own"


_DONE = frozenset({StepState.DONE, StepState.NEEDS_PERSON})


def _is_its_own(one: RowStep, result: RowResult, server: StepServer) -> bool:
    own = (found for found in server.made if found.reference == one.reference)
    return any((found.customer_id, found.ending) == (result.customer_id, one.state) for found in own)
