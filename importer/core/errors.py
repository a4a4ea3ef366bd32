"""What stops a run. Rows never raise: a bad row is an `Issue`, a bad answer is a `Reply`.

    ImporterError                 exit 1   a bug, or nothing more precise is known
    ├── UsageError                exit 2   wrong option or argument
    │   ├── ReturnRefusedError    exit 2   a file that came back cannot be taken into its run
    │   └── ProfileError          exit 2   the profile is wrong
    │       ├── MissingColumnError exit 2  it names a column that this source does not have
    │       └── TransformError    exit 2   the user's own function fails on this source
    ├── AccessError               exit 5   authentication or permission refused
    │   ├── ApprovalMissingError  exit 5   a plan has to be approved first, or its approval does not hold
    │   └── UnreadableSourceError exit 5   one source may not be read; others may
    ├── SourceError               exit 6   the source cannot be read, or is refused
    │   ├── SourceChangedError    exit 6   the source or profile changed since the run began
    │   ├── PlanRefusedError      exit 6   a plan does not fit what is there now, was edited, or has expired
    │   └── EmptySourceError      exit 6   there is no row in it
    ├── BusyError                 exit 7   another run holds the lock
    ├── AlreadyImportedError      exit 7   this very content was imported before
    ├── UnknownAccountError       exit 7   only a person knows the account of an API key
    ├── JournalError              exit 1   the journal cannot be read or written
    ├── StorageError              exit 1   a run directory or results file cannot be written
    ├── BalanceError              exit 9   the counts do not add up to the rows read
    ├── InterruptedRunError       exit 130 or 143  a signal came before anything was sent
    └── TryLaterError             exit 75  the window closed, the quota is used up, a place cannot be reached
        ├── StillWrittenError     exit 75  somebody is still writing the source
        └── UnreachableError      exit 75  the place of a source cannot be reached

A message is one sentence: what is wrong and where. `hint` is the fix. Neither ever holds a
secret or a cell's value. Every class survives pickling, so it can cross processes.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command (fixed by the interface)."""

    OK = 0
    BUG = 1
    USAGE = 2
    SOME_FAILED = 3
    STOPPED = 4
    ACCESS = 5
    SOURCE = 6
    BUSY = 7
    SOME_UNKNOWN = 8
    BALANCE = 9
    TRY_LATER = 75
    SIGINT = 130
    SIGTERM = 143


class ImporterError(Exception):
    """The root of everything that stops a run.

    Args:
        message: one sentence for a person: what is wrong, and where.
        hint: how to fix it; empty when there is nothing to do.
    """

    exit_code: ExitCode = ExitCode.BUG

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class UsageError(ImporterError):
    """A wrong option, argument or combination of them."""

    exit_code = ExitCode.USAGE


class ReturnRefusedError(UsageError):
    """A file that came back for a run cannot be taken into it: no such run here, or it sends elsewhere."""


class ProfileError(UsageError):
    """The profile cannot be read, or says something that makes no sense."""


class MissingColumnError(ProfileError):
    """The profile names a column that the source does not have; which of the two is wrong, other sources show."""


class TransformError(ProfileError):
    """The user's own function fails on rows of the source; which of the two is wrong, other sources show."""


class AccessError(ImporterError):
    """The target, or the place that holds a source, refused the credentials or the rights behind them."""

    exit_code = ExitCode.ACCESS


class ApprovalMissingError(AccessError):
    """The target takes only what was approved, and this was not; the hint says who may approve it."""


class UnreadableSourceError(AccessError):
    """A source is there and may not be read; that says nothing about other sources."""


class SourceError(ImporterError):
    """The source cannot be read, or is refused before a row of it is used."""

    exit_code = ExitCode.SOURCE


class UndecidedEncodingError(SourceError):
    """The bytes of a text could be read in several encodings, or in none."""


class SourceChangedError(SourceError):
    """The source or the profile is not the one that the run began with."""


class PlanRefusedError(SourceError):
    """A plan is not one, was edited, has expired, or does not fit what is there now; nothing was sent."""


class EmptySourceError(SourceError):
    """There is nothing in the source: no byte, or no data row."""


class BusyError(ImporterError):
    """Another run works in this workspace against this target."""

    exit_code = ExitCode.BUSY


class AlreadyImportedError(ImporterError):
    """A file of the same content was imported into this target before."""

    exit_code = ExitCode.BUSY


class UnknownAccountError(ImporterError):
    """An API key is new to a server that customers were imported into, and its account is not known."""

    exit_code = ExitCode.BUSY


class JournalError(ImporterError):
    """The journal cannot be read or written; nothing more is sent."""


class WorkspaceMovedError(JournalError):
    """The workspace was moved or copied, and it is not known which."""

    exit_code = ExitCode.BUSY


class StorageError(ImporterError):
    """A run directory or a results file cannot be written."""


class BalanceError(ImporterError):
    """The counts per state do not add up to the rows read."""

    exit_code = ExitCode.BALANCE


class StoppingError(Exception):
    """Raised by a limiter instead of letting something new begin in a run that stops. Never reaches a user."""


class ShareEndedError(ConnectionError):
    """Raised by a slot whose worker must not start requests any more. Nothing was sent; never reaches a user."""


class InterruptedRunError(ImporterError):
    """A signal stopped the run before anything was sent.

    Args:
        signal: `sigint` or `sigterm`.
    """

    def __init__(self, signal: str) -> None:
        super().__init__("Stopped before anything was sent.", "Start it again whenever you like.")
        self.args = (signal,)
        self.exit_code = ExitCode.SIGTERM if signal == "sigterm" else ExitCode.SIGINT


class TryLaterError(ImporterError):
    """The time window closed, the day's quota is used up, or the place of a source cannot be reached now."""

    exit_code = ExitCode.TRY_LATER


class StillWrittenError(TryLaterError):
    """Somebody is still writing the source; other sources are not concerned."""


class UnreachableError(TryLaterError):
    """The place that holds a source cannot be reached, or broke off; nothing was lost by it."""
