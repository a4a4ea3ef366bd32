"""The account that an API key is for: known from the journal, or asked of a person, before anything is sent.

What was created is known inside an account, and the API does not say which account a key is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from importer.core.errors import UnknownAccountError, UsageError
from importer.journal import AccountMatch as Account
from importer.journal import (
    AccountUsed,
    Location,
    Runs,
    known_secret,
    locks_of,
    open_journal,
)
from importer.runs.wiring import Destination, Workspace, open_workspace

NEW_ACCOUNT = "new"
AskOwner = Callable[[str, Sequence[AccountUsed]], str]
"""Asked which account a new API key is for (host, possible accounts): a run id of that account, `new`, or nothing."""


def settle_account(
    workspace: Workspace, where: Destination, said: str, ask_owner: AskOwner | None, now: float
) -> Destination:
    """Find out which account a run sends to, and remember it.

    Args:
        said: a run that sent to the same account, or `new`; empty: not given.
        ask_owner: asks a person; None: nobody can be asked.
        now: seconds since the epoch.

    Raises:
        UnknownAccountError: only a person can say, and nobody has.
        UsageError: what was given is not a run of this server.
        BusyError: another run works in an account that gets its name now.
    """
    if where.embedded:
        return where
    accounts = workspace.journal.accounts(workspace.secret)
    named = where.settings.account
    found = accounts.match(where.server, named, where.scope, where.key)
    if not found.scope:
        answer = said or (ask_owner(where.host, found.candidates) if ask_owner else "")
        found = _as_answered(workspace.runs, where, answer, found)
    if found.called_before:
        with (
            locks_of(workspace.path).hold(found.called_before, now),
            locks_of(workspace.path).hold(found.scope, now),
        ):
            accounts.rename(found.called_before, found.scope)
    accounts.bind(where.server, where.key, found.scope)
    return replace(where, scope=found.scope)


def _as_answered(runs: Runs, where: Destination, answer: str, found: Account) -> Account:
    if answer == NEW_ACCOUNT:
        return Account(where.scope)
    if not answer:
        raise _owner_unknown(where, found)
    scope = runs.find(answer).header.scope
    if scope not in {one.scope for one in found.candidates}:
        raise UsageError(
            f"The run {answer} did not send to an account of {where.host} that this key could be for.",
            f"Name one of these: {', '.join(one.run_id for one in found.candidates)}; or say {NEW_ACCOUNT}.",
        )
    return Account(where.scope, called_before=scope) if where.settings.account else Account(scope)


def _owner_unknown(where: Destination, found: Account) -> UnknownAccountError:
    run_id = found.candidates[0].run_id
    named = f" and the account '{where.settings.account}'" if where.settings.account else ""
    are = "are" if named else "is"
    return UnknownAccountError(
        f"This API key{named} {are} new to {where.host}, where the run {run_id} and others imported customers:"
        " the API does not say whether it is the same account.",
        f"If it is, add --account-of {run_id}; if it is another one, --account-of {NEW_ACCOUNT}."
        f" Either is remembered. To name it: account under [targets.{where.name}].",
    )


def known_scope(workspace: Workspace, where: Destination) -> str:
    """Return the scope that a key is known to send to, without asking: earlier runs are looked for there."""
    if where.embedded:
        return where.scope
    accounts = workspace.journal.accounts(workspace.secret)
    found = accounts.match(where.server, where.settings.account, where.scope, where.key)
    return found.called_before or found.scope or where.scope


def account_on_record(workspace: Path, where: Destination, said: str = "") -> Account:
    """Return what the journal of a workspace knows of a key. It is only read, whatever its format.

    Args:
        said: as of `settle_account`; nothing of it is remembered.

    Raises:
        UnknownAccountError: a run would ask which account the key is for.
        JournalError: the journal or the workspace's secret cannot be read.
    """
    location = Location.of_workspace(workspace)
    secret = None if where.embedded or not location.exists else known_secret(location)
    if secret is None:
        return Account(where.scope)
    with closing(open_journal(location, writes=False)) as journal:
        accounts = journal.accounts(secret)
        found = accounts.match(where.server, where.settings.account, where.scope, where.key)
        return found if found.scope else _as_answered(journal.runs, where, said, found)


def scope_at(workspace: Path, where: Destination) -> str:
    """Return the same as `known_scope`, of a workspace that may not exist yet."""
    if where.embedded or not Location.of_workspace(workspace).exists:
        return where.scope
    with closing(open_workspace(workspace)) as opened:
        return known_scope(opened, where)
