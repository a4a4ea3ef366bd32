"""What a worker gets of a run, and what it has to have itself: the journal, credentials, the secret."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from importer.core.errors import UsageError
from importer.journal import Location, StoredRun, keep_elsewhere
from importer.profile import Profile
from importer.runs.wiring import Destination, Workspace, destination, open_workspace
from importer.runs.wiring.engine import JOURNAL, what_is_not_set

_SETTINGS = ("target", "targets", "delivery")
"""Of what a run keeps of its profile this is needed; none of it is a secret."""
_OF_A_SENDER = "application_name=importer"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What travels to a worker: nothing of a customer, and no secret.

    Args:
        settings: tables of the profile.
        lease_s: of the journal, as the run's own program has it.
        sending: what this pass over the run is called by all that share its rate.
    """

    run_id: str
    settings: Mapping[str, Any]
    lease_s: float
    sending: str

    @classmethod
    def of(cls, profile: Profile, stored: StoredRun, sending: str) -> Assignment:
        """What is to be sent of a run."""
        kept = profile.settings_to_keep()
        settings = {name: kept[name] for name in _SETTINGS}
        lease_s = Location.of_workspace(profile.workspace).lease_s
        return cls(stored.header.run_id, settings, lease_s, sending)

    def profile(self, workspace: Path) -> Profile:
        """The profile by which rows are sent.

        Args:
            workspace: of the worker.
        """
        return Profile(workspace=workspace).recalled(self.settings, self.run_id)


@dataclass(frozen=True, slots=True)
class Equipped:
    """What a worker has that can send: all of it its own."""

    workspace: Workspace
    profile: Profile
    stored: StoredRun
    where: Destination


def what_is_missing(assignment: Assignment, environ: Mapping[str, str] = os.environ) -> str:
    """Say what this process lacks to send a run; empty: nothing. Sends nothing.

    Raises:
        ImporterError: what it has cannot be used.
    """
    if missing := what_is_not_set(assignment.profile(Path()).target_settings().kind, environ):
        return missing
    with equipped(assignment, environ):
        return ""


@contextmanager
def equipped(assignment: Assignment, environ: Mapping[str, str] = os.environ) -> Iterator[Equipped]:
    """Have what it takes to send a run, for the length of a block. Blocks.

    Raises:
        UsageError: the journal does not know the run, or the credentials are those of another account.
        ImporterError: the journal cannot be opened, or something is missing.
    """
    with tempfile.TemporaryDirectory(prefix="importer-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        url = environ.get(JOURNAL, "")
        # Leases are known by the address. Those of a sender are not those of the program that may be in its process.
        keep_elsewhere(path, f"{url}{'&' if '?' in url else '?'}{_OF_A_SENDER}", assignment.lease_s)
        profile = assignment.profile(path)
        where = destination(profile, environ)
        workspace = open_workspace(path)
        try:
            stored = _found(workspace, assignment.run_id)
            _require_account(workspace, where, stored)
            yield Equipped(workspace, profile, stored, where)
        finally:
            with suppress(Exception):
                workspace.close()


def _found(workspace: Workspace, run_id: str) -> StoredRun:
    try:
        return workspace.runs.find(run_id)
    except UsageError:
        raise UsageError(
            f"The journal that {JOURNAL} names there does not know the run {run_id}.",
            "Set the same address as for this run.",
        ) from None


def _require_account(workspace: Workspace, where: Destination, stored: StoredRun) -> None:
    accounts = workspace.journal.accounts(workspace.secret)
    found = accounts.match(where.server, where.settings.account, where.scope, where.key)
    if found.scope != stored.header.scope:
        raise UsageError(
            "The credentials in its environment are those of another account.", "Set the same there as for this run."
        )
