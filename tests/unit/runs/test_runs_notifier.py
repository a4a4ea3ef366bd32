"""Notifications of an import: only the levels that are wanted, and of errors that nobody expected."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from importer.core.errors import AccessError, ExitCode, TryLaterError
from importer.profile.nightly import NotifySettings
from importer.runs.notifications.composing import Level, Notification, compose_failure
from importer.runs.notifications.notifier import Notifier, exit_code_of


class Receiver:
    """Takes notifications; `arrives` says whether they reach everybody."""

    def __init__(self, *, arrives: bool = True) -> None:
        self.received: list[Notification] = []
        self.arrives = arrives

    def __call__(self, notification: Notification, /) -> bool:
        self.received.append(notification)
        return self.arrives


def of_level(level: Level) -> Notification:
    return Notification(level, "title", "body")


def test_only_the_levels_that_are_wanted_are_sent() -> None:
    receiver = Receiver()
    notifier = Notifier(NotifySettings(on=("failed",)), receiver)
    notifier.notify(of_level("done"))
    assert (receiver.received, notifier.arrived) == ([], None)

    notifier.notify(of_level("failed"))
    assert (len(receiver.received), notifier.arrived) == (1, True)


def test_a_notification_that_does_not_arrive_is_remembered_and_raises_nothing() -> None:
    notifier = Notifier(NotifySettings(), Receiver(arrives=False))
    notifier.notify(of_level("done"))

    assert notifier.arrived is False


def test_where_nobody_is_to_be_notified_nothing_is_sent() -> None:
    notifier = Notifier(NotifySettings(), None)
    notifier.notify(of_level("failed"))

    assert notifier.arrived is None


@pytest.mark.parametrize(
    ("error", "codes"),
    [(AccessError("no"), [5]), (TryLaterError("closed"), []), (RuntimeError("a defect"), [1])],
)
def test_an_error_passes_and_is_reported_unless_it_is_expected(error: Exception, codes: list[int]) -> None:
    receiver = Receiver()
    notifier = Notifier(NotifySettings(), receiver)
    with (
        pytest.raises(type(error)),
        notifier.failures_reported(
            partial(compose_failure, "a.csv"), is_expected=lambda one: isinstance(one, TryLaterError)
        ),
    ):
        raise error

    bodies = [one.body for one in receiver.received]
    assert len(bodies) == len(codes)
    assert all(f"Exit code: {code}." in body for code, body in zip(codes, bodies, strict=True))


def test_a_block_that_ends_well_is_not_reported() -> None:
    receiver = Receiver()
    with Notifier(NotifySettings(), receiver).failures_reported(
        partial(compose_failure, "a.csv"), is_expected=lambda _: False
    ):
        pass

    assert receiver.received == []


def test_a_cancelled_program_ends_as_by_a_person() -> None:
    assert exit_code_of(asyncio.CancelledError()) == ExitCode.SIGINT
    assert exit_code_of(AccessError("no")) == ExitCode.ACCESS
    assert exit_code_of(KeyError("a defect")) == ExitCode.BUG
