"""Where nights put files: one line for every folder in an archive or among the failed that a file went into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from importer.journal.sqlite.database import Database

_COLUMNS = "folder, file, run, put_at, archive, returned"


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
        """Where the file is, unless somebody took it."""
        return self.folder / self.file


def add_place(database: Database, place: Place) -> None:
    """Keep where a file went."""
    with database.transaction() as tx:
        tx.execute(
            f"INSERT OR REPLACE INTO places ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
            (str(place.folder), place.file, place.run, place.put_at, str(place.archive), int(place.returned)),
        )


def drop_places(database: Database, folders: list[Path]) -> None:
    """Forget folders that are no longer there."""
    with database.transaction() as tx:
        tx.executemany("DELETE FROM places WHERE folder = ?", [(str(folder),) for folder in folders])


def places_of(database: Database, run: int) -> list[Place]:
    """Where the file of a run is, copies of it that came later included; the oldest first."""
    return _found(database, "WHERE run = ?", run)


def places_before(database: Database, before: float) -> list[Place]:
    """Everything that was put away before a moment, seconds since the epoch."""
    return _found(database, "WHERE put_at < ?", before)


def _found(database: Database, which: str, value: float) -> list[Place]:
    with database.guarded("read"):
        lines = database.connection.execute(
            f"SELECT {_COLUMNS} FROM places {which} ORDER BY put_at, folder", (value,)
        ).fetchall()
    return [
        Place(Path(folder), file, run, put_at, Path(archive), bool(returned))
        for folder, file, run, put_at, archive, returned in lines
    ]
