"""What a journal holds beside runs and rows: receipts, places of files, accounts, totals. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

UNNAMED = "#key-"
"""Marks the scope of an account without a name."""


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """One line of the chain.

    Args:
        previous: hash of the line before; empty for the first.
        body: the text that `hash` is the SHA-256 of: JSON, its keys sorted.
    """

    number: int
    run: int
    made_at: float
    previous: str
    hash: str
    body: str


@dataclass(frozen=True, slots=True)
class Place:
    """One folder that was made for one file.

    Args:
        folder: absolute.
        file: the source's name in it.
        run: None where the file never became one.
        put_at: seconds since the epoch.
        archive: the folder that it belongs into once its run ends well.
        returned: it held fixed rows of the run, and is not its source.
    """

    folder: Path
    file: str
    run: int | None
    put_at: float
    archive: Path
    returned: bool = False

    @property
    def source(self) -> Path:
        """Where the file is, unless it was taken away."""
        return self.folder / self.file


class AccountUsed(NamedTuple):
    """An account that customers were imported into.

    Args:
        run_id: the newest run that sent there.
    """

    scope: str
    run_id: str

    @property
    def is_named(self) -> bool:
        """Whether a person has given it a name."""
        return UNNAMED not in self.scope


@dataclass(frozen=True, slots=True)
class AccountMatch:
    """What is known of an API key.

    Args:
        scope: the account's; empty: only a person can say which it is.
        called_before: the name that this account had until now; empty: the same.
        candidates: accounts of this server that it could be, the newest first.
    """

    scope: str = ""
    called_before: str = ""
    candidates: Sequence[AccountUsed] = ()


@dataclass(frozen=True, slots=True)
class ChangeTotal:
    """How often one rule altered one field."""

    rule: str
    field: str
    column: str
    count: int


class Copied(NamedTuple):
    """What was copied to another journal, or was there from an earlier time.

    Args:
        customers: import keys that are known.
        drafts: none where the workspace had gone over already.
    """

    runs: int
    rows: int
    customers: int
    drafts: int = 0


class MissingRight(NamedTuple):
    """A right in a journal that a runner needs, and its user has not.

    Args:
        what: for people.
        grant: the statement that gives it.
    """

    what: str
    grant: str


@dataclass(frozen=True, slots=True)
class JournalAccess:
    """What the user of a journal in PostgreSQL may do there, and how the way to it is protected.

    Args:
        missing: rights that a runner needs.
        excessive: what the user is or may beyond that, in words.
        remote_host: where the journal is; empty: on this host.
        encryption: the `sslmode` of the connection.
    """

    user: str
    missing: Sequence[MissingRight]
    excessive: Sequence[str]
    remote_host: str
    encryption: str
