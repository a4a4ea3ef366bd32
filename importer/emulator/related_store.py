"""What belongs to customers, in the same store: beneficiaries, limits that were set, documents, applications.

Each method is committed when it returns. Of a document's bytes only the length and the SHA-256 are kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from importer.emulator.application import Application


class Beneficiary(NamedTuple):
    """One owner in the store.

    Args:
        likeness: equal for two requests that say the same.
        visible_ms: when lists show it, in milliseconds since the epoch.
        body: the object as JSON.
    """

    id: str
    customer_id: str
    likeness: str
    visible_ms: int
    body: str


class Document(NamedTuple):
    """One document in the store.

    Args:
        likeness: equal for two requests that say the same.
        signature: what an upload has to name.
        status: NEW, UPLOADED or INCOMPLETE.
        length: of the bytes that arrived last; None: none arrived.
        sha256: of the same bytes.
        body: the object as JSON, without its status.
    """

    id: str
    holder_id: str
    likeness: str
    signature: str
    status: str
    length: int | None
    sha256: str | None
    body: str


class LimitAmount(NamedTuple):
    """The amount that was set for a limit, as a decimal number in text."""

    id: str
    customer_id: str
    amount: str


_Object = TypeVar("_Object", Beneficiary, Document, Application)
_TABLES: Mapping[type, str] = {Beneficiary: "beneficiaries", Document: "documents", Application: "applications"}
_COLUMNS: Mapping[type, str] = {row: ", ".join(row._fields) for row in (Beneficiary, Document, Application)}
_SELECT = {row: f"SELECT {_COLUMNS[row]} FROM {table}" for row, table in _TABLES.items()}  # noqa: S608 - own names
_REPEATS: Mapping[str, str] = {
    "beneficiaries": "SELECT count(*) - count(DISTINCT customer_id || likeness) FROM beneficiaries",
    "limits": "SELECT coalesce(sum(writes - 1), 0) FROM limits",
    "documents": "SELECT count(*) - count(DISTINCT likeness) FROM documents",
    "applications": "SELECT count(*) - count(DISTINCT account_id || profile_id) FROM applications",
}


class RelatedStore:
    """The objects that belong to customers.

    Args:
        database: the store's, with its tables.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        self._last_visible_ms = self._one("SELECT coalesce(max(visible_ms), 0) FROM applications")

    @property
    def has_applications(self) -> bool:
        """Whether there is any application."""
        return self._last_visible_ms > 0

    def is_lagging(self, now_ms: int) -> bool:
        """Whether lists may not show all applications yet."""
        return self._last_visible_ms > now_ms

    def add(self, row: Beneficiary | Document | Application) -> None:
        """Keep a new object."""
        marks = ", ".join("?" * len(row))
        query = f"INSERT INTO {_TABLES[type(row)]} ({_COLUMNS[type(row)]}) VALUES ({marks})"  # noqa: S608 - own names
        self._db.execute(query, row)
        if isinstance(row, Application):
            self._last_visible_ms = max(self._last_visible_ms, row.visible_ms)

    def replace(self, row: Beneficiary | Document | Application) -> None:
        """Replace the object with this id."""
        marks = ", ".join("?" * len(row))
        query = f"UPDATE {_TABLES[type(row)]} SET ({_COLUMNS[type(row)]}) = ({marks}) WHERE id = ?"  # noqa: S608
        self._db.execute(query, (*row, row.id))

    def beneficiary(self, beneficiary_id: str) -> Beneficiary | None:
        """Give one owner; None when there is none."""
        found = self._db.execute(f"{_SELECT[Beneficiary]} WHERE id = ?", (beneficiary_id,)).fetchone()
        return None if found is None else Beneficiary(*found)

    def beneficiaries(self, customer_id: str) -> list[Beneficiary]:
        """Give the owners of a customer in the order of their creation."""
        query = f"{_SELECT[Beneficiary]} WHERE customer_id = ? ORDER BY seq"
        return [Beneficiary(*row) for row in self._db.execute(query, (customer_id,))]

    def amounts(self, customer_id: str) -> dict[str, str]:
        """Give the amounts that were set for a customer, by the limit's id."""
        return dict(self._db.execute("SELECT id, amount FROM limits WHERE customer_id = ?", (customer_id,)).fetchall())

    def set_amounts(self, amounts: Iterable[LimitAmount]) -> None:
        """Set the amounts of limits, all in one transaction."""
        query = (
            "INSERT INTO limits (id, customer_id, amount) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, writes = writes + 1"
        )
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany(query, amounts)

    def document(self, document_id: str) -> Document | None:
        """Give one document; None when there is none."""
        found = self._db.execute(f"{_SELECT[Document]} WHERE id = ?", (document_id,)).fetchone()
        return None if found is None else Document(*found)

    def has_document(self, holder_id: str) -> bool:
        """Whether the bytes of a document of this holder have arrived."""
        query = "SELECT count(*) FROM documents WHERE holder_id = ? AND status = 'UPLOADED'"
        return bool(self._one(query, holder_id))

    def application(self, application_id: str) -> Application | None:
        """Give one application; None when there is none."""
        found = self._db.execute(f"{_SELECT[Application]} WHERE id = ?", (application_id,)).fetchone()
        return None if found is None else Application(*found)

    def latest_applications(self, account_ids: Sequence[str]) -> dict[str, Application]:
        """Give the newest application of each account that has one."""
        marks = ", ".join("?" * len(account_ids))
        query = f"{_SELECT[Application]} WHERE account_id IN ({marks}) ORDER BY seq"
        return {row.account_id: row for row in map(Application._make, self._db.execute(query, account_ids))}

    def applications_held_for(self, holder_id: str) -> list[Application]:
        """Give the applications that wait for a document of this holder, or will."""
        query = f"{_SELECT[Application]} WHERE holder_id = ? AND halt <> '' AND completed_ms IS NULL"
        return [Application(*row) for row in self._db.execute(query, (holder_id,))]

    def has_application(self, account_id: str, profile_id: str, now_ms: int) -> bool:
        """Whether an application of this account and profile is not completed yet."""
        query = (
            "SELECT count(*) FROM applications"
            " WHERE account_id = ? AND profile_id = ? AND (completed_ms IS NULL OR completed_ms > ?)"
        )
        return bool(self._one(query, account_id, profile_id, now_ms))

    def select_applications(
        self, where: str, values: Mapping[str, Any], order: str, size: int, skip: int
    ) -> tuple[int, list[Application]]:
        """Count applications, and give a slice of them.

        Args:
            where: SQL of our own with named marks; every value from outside is in `values`.
            order: SQL of our own.
        """
        count = f"SELECT count(*) FROM applications WHERE {where}"  # noqa: S608 - see the docstring
        inner = f"SELECT seq FROM applications WHERE {where} ORDER BY {order} LIMIT {size:d} OFFSET {skip:d}"  # noqa: S608
        query = f"{_SELECT[Application]} WHERE seq IN ({inner}) ORDER BY {order}"
        total = self._db.execute(count, values).fetchone()[0]
        return total, [Application(*row) for row in self._db.execute(query, values)]

    def pages(self, kind: type[_Object], size: int = 500) -> Iterator[list[_Object]]:
        """Give all objects of a sort in the order of their creation, `size` at a time."""
        query = f"SELECT seq, {_COLUMNS[kind]} FROM {_TABLES[kind]} WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        last = 0
        while page := self._db.execute(query, (last, size)).fetchall():
            last = page[-1][0]
            yield [kind(*row[1:]) for row in page]

    def remove_customer(self, customer_id: str) -> None:
        """Delete the owners and limits of a customer."""
        self._db.execute("DELETE FROM beneficiaries WHERE customer_id = ?", (customer_id,))
        self._db.execute("DELETE FROM limits WHERE customer_id = ?", (customer_id,))

    def counts(self) -> dict[str, int]:
        """Count the objects of each sort; `limits` are those that were set, `uploads` documents with their bytes."""
        tables = ("beneficiaries", "limits", "documents", "applications")
        counts = {table: self._one(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608 - own names
        return counts | {"uploads": self._one("SELECT count(*) FROM documents WHERE status = 'UPLOADED'")}

    def repeats(self) -> dict[str, int]:
        """Count the objects beyond the first of those that say the same; for limits, repeated writes."""
        return {name: self._one(query) for name, query in _REPEATS.items()}

    def _one(self, query: str, *values: Any) -> int:
        return int(self._db.execute(query, values).fetchone()[0])
