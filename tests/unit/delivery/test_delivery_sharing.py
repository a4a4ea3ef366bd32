"""What one worker meets is known to all: pauses, an open breaker, outcomes and stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from importer.delivery.sharing import Allowed, Limit, Moment, Report, StopReason, exchange


@dataclass
class Workers:
    """Some workers that ask in turn, and always hear the answer."""

    text: str | None = None
    now: float = 100.0
    numbers: dict[str, int] = field(default_factory=dict)

    def ask(self, name: str, *, sending: str = "r", **said: Any) -> Allowed:
        number = self.numbers.get(name, 0)
        self.numbers[name] = number + 1
        usual = {"used": (0,), "waiting": 1, "begins": name == "a"}
        report = Report(name, sending, number + 1, number, **{**usual, **said})
        self.text, allowed = exchange(self.text, report, Moment(self.now), [Limit(10, 1.0)])
        self.now += 0.1
        return allowed


def test_a_pause_that_one_was_asked_for_is_the_pause_of_all_and_ends_for_all_at_once() -> None:
    workers = Workers()
    workers.ask("a", pause_s=2.0)

    found = [workers.ask(name).pause_s for name in ("b", "c", "a")]

    assert [round(pause_s, 6) for pause_s in found] == [1.9, 1.8, 1.7]
    workers.now += 5.0
    assert workers.ask("b").pause_s == 0.0


def test_the_first_stop_is_everybodys_and_outcomes_of_all_are_counted() -> None:
    workers = Workers()
    workers.ask("a", settled=5, bad=1)
    workers.ask("b", settled=7, bad=2, stop=StopReason("sigterm", "A signal."))
    workers.ask("b", settled=8, bad=2, stop=StopReason("quota", "Later."))

    allowed = workers.ask("a", settled=6, bad=1)

    assert (allowed.stop, allowed.settled, allowed.bad) == (("sigterm", "A signal."), 8, 2)


def test_how_late_one_has_seen_a_customer_appear_all_know_from_then_on() -> None:
    workers = Workers()
    workers.ask("a"), workers.ask("b", latest_s=40.0)
    workers.ask("b", latest_s=40.0, leaves=True)

    assert [workers.ask(name).latest_s for name in ("a", "c")] == [40.0, 40.0]


def test_where_one_breaker_opens_all_are_held_and_another_worker_probes() -> None:
    workers = Workers()
    for name in ("a", "b", "c"):
        workers.ask(name)

    found = [workers.ask("a", is_open=True).breaking, *(workers.ask(name).breaking for name in ("b", "c"))]

    assert found == ["held", "probes", "held"]


def test_a_sound_answer_to_the_probe_frees_all_and_who_stays_cut_off_probes_for_itself() -> None:
    workers = Workers()
    for name in ("a", "b", "c"):
        workers.ask(name)
    workers.ask("a", is_open=True)
    workers.ask("b")
    workers.ask("b", is_open=True)

    closed = workers.ask("b")
    alone = workers.ask("a", is_open=True)

    assert (closed.breaking, closed.closings) == ("closed", 1)
    assert (alone.breaking, workers.ask("c").breaking) == ("alone", "closed")


def test_a_prober_that_died_is_replaced_and_a_worker_without_others_probes_itself() -> None:
    workers = Workers()
    for name in ("a", "b", "a"):
        workers.ask(name, is_open=name == "a")
    workers.now += 4.0

    assert workers.ask("a", is_open=True).breaking == "probes"


def test_a_prober_that_is_cut_off_as_well_gives_way_to_each_of_the_others() -> None:
    workers = Workers()
    for name in ("a", "b", "c", "a"):
        workers.ask(name, is_open=workers.numbers.get(name, 0) > 0)
    open_ones, breaking = {"a"}, []
    for _ in range(3):
        for name in ("a", "b", "c"):
            said = workers.ask(name, is_open=name in open_ones)
            open_ones |= {name} if said.breaking == "probes" else set()
            breaking.append(said.breaking)
        workers.now += 2.75

    assert breaking == [*("held", "probes", "held"), *("held", "held", "probes"), *("probes", "held", "held")]


def test_whoever_does_not_reach_the_target_gives_up_alone_and_a_target_that_throttles_all_stops_all() -> None:
    workers = Workers()
    for name in ("a", "b"):
        workers.ask(name)
    workers.ask("b", is_open=True, stop=StopReason("breaker", "It is down."))

    assert workers.ask("a").stop.reason == ""
    workers.ask("b", stop=StopReason("breaker", "It throttles."))
    assert workers.ask("a").stop.reason == "breaker"


def test_whether_anybody_reaches_the_target_is_known_to_whoever_has_nothing_to_send() -> None:
    workers = Workers()

    def is_reached() -> bool:
        return workers.ask("a", waiting=0).is_reached

    found = [is_reached()]
    workers.ask("b"), workers.ask("c")
    found.append(is_reached())
    workers.ask("b", is_open=True)
    found.append(is_reached())
    workers.ask("c"), workers.ask("c")
    found.append(is_reached())
    workers.ask("c", leaves=True)
    found.append(is_reached())

    assert found == [False, True, False, True, False]


def test_of_all_that_have_not_probed_whoever_has_just_come_is_the_first_to() -> None:
    workers = Workers()
    for name in ("a", "b", "c") * 9:
        workers.ask(name)
    workers.ask("a", is_open=True)
    workers.ask("b", is_open=True)
    workers.ask("d")
    workers.now += 2.8

    assert [workers.ask(name).breaking for name in ("c", "d")] == ["held", "probes"]


def test_whoever_probes_for_all_has_a_share_to_probe_with_also_where_there_is_less_than_one_for_each() -> None:
    workers, names = Workers(), ("a", *(f"w{number:02}" for number in range(11)))
    for name in names * 9:
        workers.ask(name)
    for name in names:
        workers.ask(name, is_open=True)
    before = found = workers.ask("z")
    for _ in range(3):
        for name in names:
            workers.ask(name, is_open=True)
        found = workers.ask("z", is_open=found.breaking == "probes")

    assert before.counts == (0,)
    assert (found.breaking, found.counts) == ("probes", (1,))


def test_another_sending_begins_without_what_the_one_before_has_left_and_ends_that() -> None:
    workers = Workers()
    workers.ask("b", sending="", stop=StopReason("sigint"), bad=3, pause_s=60.0)
    begun = workers.ask("a")

    late = workers.ask("b", sending="")

    assert (begun.stop.reason, begun.bad, begun.pause_s) == ("", 0, 0.0)
    assert (late.stop.reason, late.counts) == ("superseded", (0,))


def test_whoever_leaves_frees_its_share_as_soon_as_its_requests_have_left_the_window() -> None:
    workers = Workers()
    workers.ask("a"), workers.ask("b")
    workers.ask("b", leaves=True)

    assert workers.ask("a").counts == (10,)


def test_shares_follow_who_has_work_and_an_idle_worker_keeps_a_little() -> None:
    workers = Workers()
    for _ in range(3):
        workers.ask("a"), workers.ask("b", waiting=0)

    assert workers.ask("a").counts == (10,)
    workers.ask("b")
    workers.ask("a")
    assert workers.ask("b").counts == (0,)  # not before the other one applies less
    workers.ask("a")
    assert workers.ask("b").counts == (5,)
