"""The drafts of a workspace or a team. Holds cells: those of corrections.

Texts that come from a source are kept as JSON strings, since a cell may hold what no database takes as text. What is
deleted goes for good, as far as the database can.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from importer.core.corrections import Correction
from importer.core.errors import BusyError, JournalError, UsageError
from importer.journal.drafts import Act, Change, Draft, DraftFacts
from importer.journal.sql.database import Connection, Storage

KEYS = {"drafts": "id", "draft_changes": "draft", "draft_corrections": "draft", "draft_acts": "draft"}
"""Each table, and its column that names the draft."""
_DRAFT = "id, made_by, made_at, changed_at, version, edits, facts"


class SqlDrafts:
    """Drafts, open. Implements `port.Drafts`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    # ------------------------------------------------------------------ drafts

    def add(self, draft: Draft, act: Act) -> None:
        with self._storage.transaction() as tx:
            tx.execute(
                f"INSERT INTO drafts ({_DRAFT}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    draft.id, draft.made_by, draft.made_at, draft.changed_at, draft.version, draft.edits,
                    json.dumps(draft.facts.as_json()),
                ),
            )  # fmt: skip
            _log(tx, draft.id, act)

    def all(self) -> list[Draft]:
        return self._drafts("ORDER BY changed_at DESC, id DESC")

    def unchanged_since(self, before: float) -> list[Draft]:
        return self._drafts("WHERE changed_at < ? ORDER BY changed_at, id", before)

    def find(self, draft: str) -> Draft:
        found = self._drafts("WHERE id = ?", draft)
        if not found:
            raise UsageError(f"There is no draft '{draft}'.", "It was removed; begin a new one.")
        return found[0]

    def _drafts(self, which: str, *values: object) -> list[Draft]:
        lines = self._read(f"SELECT {_DRAFT} FROM drafts {which}", *values)
        return [
            Draft(draft, by, made_at, changed_at, version, edits, _facts(draft, facts))
            for draft, by, made_at, changed_at, version, edits, facts in lines
        ]

    def note(
        self, draft: str, facts: DraftFacts, act: Act, *, seen: int | None = None, drops_corrections: bool = False
    ) -> Draft:
        with self._changed(draft, act, seen) as (tx, known):
            tx.execute(
                "UPDATE drafts SET facts = ? WHERE id = ?", (json.dumps(known.facts.merged(facts).as_json()), draft)
            )
            if drops_corrections:
                undone = tx.execute("UPDATE draft_changes SET undone = 1 WHERE draft = ? AND undone = 0", (draft,))
                _count_edits(tx, draft, undone.rowcount)
        return self.find(draft)

    def remove(self, drafts: Sequence[str]) -> None:
        with self._storage.transaction() as tx:
            for table, key in KEYS.items():
                tx.executemany(f"DELETE FROM {table} WHERE {key} = ?", [(draft,) for draft in drafts])
        self._storage.wipe(KEYS)

    # ------------------------------------------------------------------ corrections

    def correct(self, draft: str, corrections: Sequence[Correction], act: Act, *, seen: int | None = None) -> Draft:
        with self._changed(draft, act, seen) as (tx, _):
            number = _next(tx, "draft_changes", draft)
            columns = json.dumps(list(dict.fromkeys(one.column for one in corrections)))
            tx.execute(
                "INSERT INTO draft_changes (draft, number, made_by, made_at, cells, columns) VALUES (?, ?, ?, ?, ?, ?)",
                (draft, number, act.by, act.at, len(corrections), columns),
            )
            tx.executemany(
                "INSERT INTO draft_corrections (draft, row, name, number, before, after) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (draft, one.row, json.dumps(one.column), number, json.dumps(one.before), json.dumps(one.after))
                    for one in corrections
                ),
            )
            _count_edits(tx, draft, 1)
        return self.find(draft)

    def undo(self, draft: str, act: Act, *, seen: int | None = None) -> Draft:
        with self._changed(draft, act, seen) as (tx, _):
            undone = tx.execute(
                "UPDATE draft_changes SET undone = 1 WHERE draft = ? AND number ="
                " (SELECT max(number) FROM draft_changes WHERE draft = ? AND undone = 0)",
                (draft, draft),
            )
            if not undone.rowcount:
                raise UsageError("There is no correction to undo.")
            _count_edits(tx, draft, 1)
        return self.find(draft)

    def corrections(self, draft: str, rows: Collection[int] | None = None) -> list[Correction]:
        self.find(draft)
        of_rows = f" AND row IN ({self._storage.connection.dialect.numbers.format('?')})"
        lines = self._read(
            "SELECT row, name, before, after FROM (SELECT row, name, before, after,"
            " row_number() OVER (PARTITION BY row, name ORDER BY number DESC) AS place,"
            " count(*) OVER (PARTITION BY row, name) AS made FROM draft_corrections WHERE draft = ? AND number NOT IN"
            " (SELECT number FROM draft_changes WHERE draft = ? AND undone = 1)"
            f"{'' if rows is None else of_rows}) AS newest"
            " WHERE place = 1 AND (before <> after OR made = 1) ORDER BY row, name",  # put back, or confirmed as it is
            draft,
            draft,
            *(() if rows is None else (json.dumps(list(rows)),)),
        )
        return [
            Correction(row, json.loads(name), json.loads(before), json.loads(after))
            for row, name, before, after in lines
        ]

    def changes(self, draft: str) -> list[Change]:
        self.find(draft)
        lines = self._read(
            "SELECT number, made_by, made_at, cells, columns, undone FROM draft_changes WHERE draft = ?"
            " ORDER BY number DESC",
            draft,
        )
        return [
            Change(number, by, at, cells, tuple(json.loads(columns)), bool(undone))
            for number, by, at, cells, columns, undone in lines
        ]

    def acts(self, draft: str) -> list[Act]:
        self.find(draft)
        lines = self._read("SELECT at, by, what, details FROM draft_acts WHERE draft = ? ORDER BY number", draft)
        return [Act(at, by, what, json.loads(details)) for at, by, what, details in lines]

    def close(self) -> None:
        self._storage.close()

    # ------------------------------------------------------------------ reading and changing

    def _read(self, query: str, *values: object) -> list[Any]:
        with self._storage.guarded("read"):
            return self._storage.connection.execute(query, values).fetchall()

    @contextmanager
    def _changed(self, draft: str, act: Act, seen: int | None) -> Iterator[tuple[Connection, Draft]]:
        """Run a block that changes a draft as one commit, which counts as a new version and is logged."""
        with self._storage.transaction() as tx:
            known = self.find(draft)
            if seen is not None and seen != known.version:
                raise BusyError("Somebody else changed this draft.", "Load it again, and make your change then.")
            yield tx, known
            tx.execute("UPDATE drafts SET version = version + 1, changed_at = ? WHERE id = ?", (act.at, draft))
            _log(tx, draft, act)


def note_place(tx: Connection, place: DraftFacts) -> None:
    """Note where the files of drafts are of which an earlier program has not noted it."""
    for draft, kept in tx.execute("SELECT id, facts FROM drafts").fetchall():
        facts = _facts(draft, kept)
        if facts.file and not facts.host:
            tx.execute("UPDATE drafts SET facts = ? WHERE id = ?", (json.dumps(facts.merged(place).as_json()), draft))


def _facts(draft: str, kept: str) -> DraftFacts:
    try:
        return DraftFacts.model_validate_json(kept)
    except ValidationError:
        raise JournalError(f"What is known of the draft {draft} cannot be read.", "Restore a backup.") from None


def _log(tx: Connection, draft: str, act: Act) -> None:
    tx.execute(
        "INSERT INTO draft_acts (draft, number, at, by, what, details) VALUES (?, ?, ?, ?, ?, ?)",
        (draft, _next(tx, "draft_acts", draft), act.at, act.by, act.what, json.dumps(dict(act.details))),
    )


def _next(tx: Connection, table: str, draft: str) -> int:
    number: int = tx.execute(f"SELECT coalesce(max(number), 0) + 1 FROM {table} WHERE draft = ?", (draft,)).fetchone()[
        0
    ]
    return number


def _count_edits(tx: Connection, draft: str, count: int) -> None:
    tx.execute("UPDATE drafts SET edits = edits + ? WHERE id = ?", (count, draft))
