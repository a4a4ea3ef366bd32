"""Sends notifications of one import, and of its failure. What goes wrong with that never fails the import."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from importer.core.errors import ExitCode, ImporterError
from importer.profile.nightly import NotifySettings
from importer.runs.notifications.composing import Notification
from importer.runs.notifications.sender import Sender


@dataclass(slots=True)
class Notifier:
    """Sends what the settings say is worth a notification.

    Args:
        send: None: there is nobody to notify.
        arrived: whether the last notification arrived; None: there was none.
    """

    settings: NotifySettings
    send: Sender | None
    arrived: bool | None = None

    def notify(self, notification: Notification) -> None:
        """Send it where its level is wanted. Blocks for as long as `timeout_s` says."""
        if self.send is not None and notification.level in self.settings.on:
            self.arrived = self.send(notification)

    @contextmanager
    def failures_reported(
        self, compose: Callable[[ExitCode], Notification], *, is_expected: Callable[[BaseException], bool]
    ) -> Iterator[None]:
        """Notify of an error that ends the block, and let it pass.

        Args:
            is_expected: errors that are not worth a notification.
        """
        try:
            yield
        except BaseException as error:
            if not is_expected(error):
                self.notify(compose(exit_code_of(error)))
            raise


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code of a program that ends by an error."""
    if isinstance(error, asyncio.CancelledError):
        return ExitCode.SIGINT
    return error.exit_code if isinstance(error, ImporterError) else ExitCode.BUG
