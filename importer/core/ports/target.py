"""The target: one attempt a call, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from importer.core.outcomes import Found, Record, Reply
from importer.core.step_tasks import (
    Applications,
    HeldLimit,
    StepFound,
    StepReply,
    StepTask,
    UnreadFile,
    VerificationProfile,
)
from importer.core.steps import Difference


class Target(Protocol):
    """A target, connected. One attempt a call: never sleeps, never retries."""

    async def send(self, record: Record) -> Reply:
        """Try once to create the customer.

        A network failure is a verdict, not an exception. Cancellation travels on: whoever cancels a
        send after it began has a record in doubt.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class Finder(Protocol):
    """Look-ups at a target."""

    async def find(self, record: Record) -> Found:
        """Fetch every customer that could be this record (all pages), by its known id, externalId or else email."""
        ...

    async def get(self, customer_id: str) -> Found:
        """Fetch one customer: one candidate, none when there is no such customer, or the failure."""
        ...


@runtime_checkable
class Lister(Protocol):
    """What a target holds, by whom ever it was created."""

    async def newest(self) -> Found:
        """Fetch one page of customers, the newest first, or the failure."""
        ...


@runtime_checkable
class FollowUps(Protocol):
    """What a target does after a create. One attempt a call; never sleeps, never retries.

    A target offers those steps that its contract names (`core.contract.AfterCreate`); `verify` needs no more than
    `Finder.get`.
    """

    async def attempt(self, task: StepTask) -> StepReply:
        """Try once to do a step, with as many requests as it takes.

        A network failure is a verdict, not an exception.
        """
        ...

    async def made_by(self, task: StepTask) -> StepFound:
        """Look for what an attempt in doubt may have made; of steps that are looked up (`STEP_RULES`)."""
        ...

    async def progress(self, task: StepTask) -> StepReply:
        """Ask once for the state of a submitted step; `submitted` with `accept`: not decided yet."""
        ...


@runtime_checkable
class Verifies(Protocol):
    """A target that verifies identities by profiles of its own."""

    async def verification_profiles(self) -> Reply | Sequence[VerificationProfile]:
        """Fetch every profile that the account has, or the failure."""
        ...

    def verify_by(self, profile: VerificationProfile) -> None:
        """Choose the profile that `attempt` submits to, and that look-ups match."""
        ...


@runtime_checkable
class ShowsAdditions(Protocol):
    """A target that shows what customers were given after their create, by whomever. Each call changes nothing."""

    async def limits_of(self, customer_id: str) -> Reply | Sequence[HeldLimit]:
        """Fetch the limits of one customer, or the failure."""
        ...

    async def applications(self, since: float, page: int) -> Reply | Applications:
        """Fetch one page of the identity verifications submitted since a moment, the earliest first, or the failure.

        Args:
            since: seconds since the epoch; some from before it may be among them.
            page: from 0 on.
        """
        ...


class Files(Protocol):
    """Where the bytes of documents come from. Reads only what the profile allows; a cell opens no other file."""

    async def read(self, name: str, most_bytes: int, sha256: str = "") -> bytes | UnreadFile:
        """Read a file whole, or say why not; never more of it than it may have.

        Args:
            name: what the cell says: a name below the folder of documents, or an address.
            most_bytes: a larger file is not read.
            sha256: that its content must have, in hexadecimal digits; empty: it may have any.
        """
        ...


@runtime_checkable
class TakesFiles(Protocol):
    """A target that takes documents."""

    def files_from(self, files: Files) -> None:
        """Say where the bytes of documents come from; called once, before the first `attempt` of `documents`."""
        ...


class Recognition(Protocol):
    """Whether a customer at the target is the record in hand. Pure; a contract provides it.

    The proof is the stamp: every create carries its import key under a name that the profile chooses. Servers may
    change the letters of both.
    """

    def bears(self, body: Mapping[str, Any], key: str) -> bool:
        """Whether a customer bears an import key, under whatever name."""
        ...

    def stamp_of(self, body: Mapping[str, Any], name: str) -> object | None:
        """What a customer bears under the name of the stamp, whoever put it there; None: nothing."""
        ...

    def read_back(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[tuple[str, Difference], ...]:
        """Name the fields that differ between what was sent and a customer, and how, the stamp aside.

        All that was sent is compared. Of what was not sent only fields that the contract knows count.

        Args:
            stamp: the name of the stamp; empty: creates are not stamped.
            loses_metadata: the target was seen to lose what it keeps like a stamp: that does not differ, then.
        """
        ...

    def differences(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[str, ...]:
        """Name the fields of `read_back` by which a customer can be another one than the record in hand."""
        ...


class Checker(Protocol):
    """Whether a target accepts our credentials."""

    async def check(self) -> Reply | None:
        """Log in once, for real: at the start of a run, and for `doctor`.

        Returns:
            None when that worked; a reply that says what is wrong when there was no sensible answer.

        Raises:
            AccessError: the credentials were refused.
        """
        ...


@runtime_checkable
class Timekeeper(Protocol):
    """What the clock of a target says."""

    @property
    def server_ahead_s(self) -> float | None:
        """How far its clock was ahead of ours when it was last asked for a token, in seconds; None: not known."""
        ...
