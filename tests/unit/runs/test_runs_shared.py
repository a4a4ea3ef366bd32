"""What travels to the workers that send a run, and what they say."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from importer.core.events import Event
from importer.core.states import RowState
from importer.delivery import StopSwitch
from importer.journal import Message, RunDelivery
from importer.profile import Profile
from importer.runs.shared.assignment import Assignment, what_is_missing
from importer.runs.shared.delivery import SharedDelivery
from importer.runs.shared.messages import Heard, Saying
from importer.runs.shared.sender import is_left
from importer.runs.wiring import SystemClock

ASSIGNMENT = Assignment(
    "20261122T083000Z-00000a",
    {"target": "sandbox", "targets": {"sandbox": {"base_url": "http://127.0.0.1:1"}}},
    2.0,
    "1",
)
KEYS = {"ROCKETKOR_API_KEY": "a fictional key", "ROCKETKOR_API_SECRET": "a fictional secret"}


class Journal:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[Message] = []

    async def say(self, sender: str, content: bytes) -> None:
        self.said.append(Message(sender, content))


def said(sender: str, used: Mapping[str, Any], *events: Event) -> list[Message]:
    async def say() -> None:
        saying, journal = Saying(sender, SystemClock()), Journal()
        async with saying.to(cast("RunDelivery", journal), lambda: used):
            for event in events:
                saying(event)
        messages.extend(journal.said)

    messages: list[Message] = []
    asyncio.run(say())
    return messages


def account(requests: int, **more: Any) -> dict[str, Any]:
    figures = {"requests": requests, "seconds": 1.0, "achieved_per_s": 9.0, "most_in_flight": 2, "largest": {"x": 1}}
    return {"allowance": "100/s", "pauses": {}, "paused_s": 0.0, **figures, **more}


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        (KEYS, "IMPORTER_JOURNAL is not set"),
        ({**KEYS, "IMPORTER_JOURNAL_FILE": "/run/secrets/journal"}, "IMPORTER_JOURNAL is not set"),
        ({"IMPORTER_JOURNAL": "postgresql://h/d"}, "ROCKETKOR_API_KEY and ROCKETKOR_API_SECRET are not set"),
        ({}, "IMPORTER_JOURNAL, ROCKETKOR_API_KEY and ROCKETKOR_API_SECRET are not set"),
    ],
)
def test_what_a_worker_lacks_is_named(environ: Mapping[str, str], missing: str) -> None:
    assert missing in what_is_missing(ASSIGNMENT, environ)


def test_nothing_that_travels_is_a_secret_or_a_cell() -> None:
    profile = Profile.load(None, options={"target": "sandbox", "targets.sandbox.base_url": "http://127.0.0.1:1"})
    kept = profile.settings_to_keep()
    travels = Assignment("r", {name: kept[name] for name in ("target", "targets", "delivery")}, 2.0, "1")
    again: Assignment = pickle.loads(pickle.dumps(travels))  # noqa: S301  # our own

    assert set(travels.settings) == {"target", "targets", "delivery"}
    assert again.profile(profile.workspace).delivery == profile.delivery
    assert again.profile(profile.workspace).target_settings() == profile.target_settings()


@pytest.mark.parametrize(
    ("state", "reason", "left"),
    [
        (RowState.UNSENT, "sigint", True),
        (RowState.UNKNOWN, "breaker", True),
        (RowState.UNKNOWN, "sigint", False),
        (RowState.FAILED, "breaker", False),
    ],
)
def test_what_a_worker_cannot_end_from_where_it_is_is_left_to_the_others(
    state: RowState, reason: str, left: bool
) -> None:
    stop = StopSwitch()
    stop.request(reason)
    assert is_left(state, stop) is left


@pytest.mark.parametrize(("is_reached", "reason"), [(False, "breaker"), (True, "")])
def test_a_program_that_does_not_reach_the_target_stops_the_run_unless_a_worker_does(
    is_reached: bool, reason: str
) -> None:
    async def sends() -> str:
        return "The target is down."

    async def main() -> str:
        stop, nothing = StopSwitch(), cast("Any", None)
        context = cast("Any", SimpleNamespace(stop=stop, emit=nothing))
        shares = cast("Any", SimpleNamespace(is_reached=is_reached))
        delivery = SharedDelivery(context, nothing, nothing, nothing, shares, "r")
        delivery._own = asyncio.create_task(sends())
        await delivery._own
        delivery._hear_own()
        return stop.reason

    assert asyncio.run(main()) == reason


def test_events_come_with_the_name_of_their_worker_and_those_of_the_run_do_not_come_twice() -> None:
    heard = list[Event]()
    of_all = Heard(heard.append)

    of_all.take(
        said("w1", account(1), Event("row_settled", {"state": "created"}), Event("stopping", {"reason": "sigint"}))
    )

    (event,) = heard
    assert (event.name, event.data["state"], event.data["worker"]) == ("row_settled", "created", "w1")
    assert 0.0 <= event.data["ago_s"] < 60.0


def test_what_all_have_used_is_one_account() -> None:
    of_all = Heard(lambda _: None)
    for sender, requests in (("h-1-a", 10), ("h-1-a", 20), ("h-1-b", 10), ("h-2-c", 20), ("h-3-d", 0)):
        of_all.take(said(sender, account(requests, pauses={"asked_for": 1}, paused_s=2.0)))

    used = of_all.used(account(5), 10.0)

    assert (used["requests"], used["workers"], used["seconds"], used["achieved_per_s"]) == (55, 2, 11.0, 5.0)
    assert (used["pauses"], used["paused_s"], used["allowance"]) == ({"asked_for": 1}, 2.0, "100/s")


def test_a_run_that_no_worker_has_sent_has_its_own_account() -> None:
    assert Heard(lambda _: None).used(account(5), 0.0) == account(5)
