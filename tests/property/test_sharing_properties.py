"""Whatever workers do, all together never start more than the rate allows in any rolling window."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.delivery.sharing import Allowed, Limit, Moment, Report, exchange
from tests.unit.delivery.starting import largest_window

LIMITS = (Limit(7, 1.0), Limit(12, 2.5))


@dataclass
class Ledger:
    """The ledger and its clock, which is not the clock of any worker."""

    limits: tuple[Limit, ...] = LIMITS
    server: str = "first"
    texts: list[str] = field(default_factory=list)
    now: float = 1_000.0

    def asked(self, report: Report) -> Allowed:
        before = self.texts[-1] if self.texts else None
        text, allowed = exchange(before, report, Moment(self.now, self.server), self.limits)
        self.texts.append(text)
        return allowed

    def lose(self, texts: int) -> None:
        """Start again, without what was written last."""
        self.server += "I"
        del self.texts[max(1, len(self.texts) - texts) :]


@dataclass
class Worker:
    """Starts as many requests as it may, and is asked nothing more than when to act."""

    name: str
    ledger: Ledger
    number: int = 0
    applied: int = 0
    counts: tuple[int, ...] = (0, 0)
    ends: float = 0.0
    starts: list[float] = field(default_factory=list)
    question: tuple[Report, float] | None = None
    late: list[Report] = field(default_factory=list)
    """Questions that nobody waits for any more, and that still reach the ledger."""
    answer: tuple[Allowed, float] | None = None
    is_waiting: bool = True

    def ask(self, *, leaves: bool = False) -> None:
        if self.question is not None:
            self.late.append(self.question[0])
        self.number += 1
        self.answer = None
        used = tuple(self.used(limit.per_s) for limit in self.ledger.limits)
        waiting = 3 if self.is_waiting else 0
        report = Report(self.name, "r", self.number, self.applied, used, waiting, begins=True, leaves=leaves)
        self.question = (report, self.ledger.now)

    def reach(self) -> None:
        if self.question is not None:
            report, asked = self.question
            self.question, self.answer = None, (self.ledger.asked(report), asked)
        elif self.late:
            self.ledger.asked(self.late.pop(0))

    def hear(self) -> None:
        if self.answer is not None:
            allowed, asked = self.answer
            self.answer, self.applied = None, allowed.number
            self.counts, self.ends = allowed.counts, asked + allowed.lasts_s

    def used(self, per_s: float) -> int:
        return sum(moment > self.ledger.now - per_s for moment in self.starts)

    def start(self, most: int) -> None:
        for _ in range(most):
            windows = zip(self.counts, self.ledger.limits, strict=True)
            if self.ledger.now < self.ends and all(self.used(limit.per_s) < count for count, limit in windows):
                self.starts.append(self.ledger.now)


ACTIONS = {
    "exchange": 8,
    "start all": 8,
    "start": 2,
    "idle": 4,
    "ask": 1,
    "reach": 1,
    "hear": 1,
    "leave": 0.2,
    "lose": 0.02,
}
WAITS_S = (0.0, 0.01, 0.1, 0.3, 0.3, 0.6, 3.0)


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_no_order_of_questions_answers_and_starts_ever_overfills_a_window(seed: int) -> None:
    fate = random.Random(seed)
    ledger = Ledger()
    workers = [Worker(f"w{number}", ledger) for number in range(3)]
    for action in fate.choices(list(ACTIONS), list(ACTIONS.values()), k=300):
        act(fate.choice(workers), action)
        ledger.now += fate.choice(WAITS_S) / 3

    starts = sorted(moment for worker in workers for moment in worker.starts)
    assert [largest_window(starts, limit.per_s) <= limit.count for limit in LIMITS] == [True, True]


def act(worker: Worker, action: str) -> None:
    if action in {"ask", "exchange", "leave"}:
        worker.ask(leaves=action == "leave")
        if action == "leave":
            worker.ends = 0.0
    if action in {"reach", "exchange"}:
        worker.reach()
    if action in {"hear", "exchange"}:
        worker.hear()
    if action == "idle":
        worker.is_waiting = not worker.is_waiting
    if action == "lose":
        worker.ledger.lose(2)
    if action.startswith("start"):
        worker.start(1 if action == "start" else 20)


@given(st.integers(1, 64), st.integers(1, 500), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_a_count_is_divided_completely_and_the_same_twice(workers: int, count: int, idle: int) -> None:
    ledger = Ledger((Limit(count, 1.0),))
    named = [Worker(f"w{number}", ledger, is_waiting=not idle >> number & 1) for number in range(workers)]
    rounds = []
    for _ in range(6):
        for worker in named:
            act(worker, "exchange")
            ledger.now += 0.4 / workers
        rounds.append([worker.counts[0] for worker in named])

    assert sum(rounds[-1]) == count
    assert rounds[-2] == rounds[-1]


def test_a_dead_workers_share_comes_back_once_it_has_surely_ended_and_its_requests_have_left_the_window() -> None:
    ledger = Ledger((Limit(10, 1.0),))
    dying, left = Worker("a", ledger), Worker("b", ledger)
    for _ in range(4):
        act(dying, "exchange")
        act(left, "exchange")
        ledger.now += 0.3
    act(dying, "exchange")
    died_at, last = ledger.now, dying.ends + 1.0
    while left.counts[0] < 10:
        ledger.now += 0.1
        act(left, "exchange")

    assert dying.counts == (5,)
    assert last <= ledger.now <= died_at + 5.0
