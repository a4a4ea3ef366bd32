"""The file of the drafts: what a crash leaves of it, what is left of removed cells, and other programs' formats."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from importer.core.errors import JournalError
from importer.journal import Act, Correction, Draft, open_drafts
from importer.journal.location import drafts_file

ID = "20261122T083000Z-00000a"
ACT = Act(1_000.0, "kim", "corrected")

WORKER = f"""
import sys
from pathlib import Path
from importer.journal import Act, Correction, Draft, open_drafts

act, drafts = Act(1_000.0, "kim", "corrected"), open_drafts(Path(sys.argv[1]))
drafts.add(Draft("{ID}", "kim", 1_000.0, 1_000.0), act)
for number in range(1, 10_000):
    cells = [Correction(row, "Name", "before", f"after {{number}}") for row in range(2, 52)]
    print(drafts.correct("{ID}", cells, act).edits, flush=True)
"""

OLD = """
CREATE TABLE drafts (id TEXT PRIMARY KEY, made_by TEXT NOT NULL, made_at REAL NOT NULL, changed_at REAL NOT NULL,
    version INTEGER NOT NULL, edits INTEGER NOT NULL, facts TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE changes (draft TEXT NOT NULL, number INTEGER NOT NULL, made_by TEXT NOT NULL, made_at REAL NOT NULL,
    cells INTEGER NOT NULL, columns TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (draft, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE corrections (draft TEXT NOT NULL, row INTEGER NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL, PRIMARY KEY (draft, row, name, number)) STRICT, WITHOUT ROWID;
CREATE TABLE acts (draft TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, by TEXT NOT NULL,
    what TEXT NOT NULL, details TEXT NOT NULL, PRIMARY KEY (draft, number)) STRICT, WITHOUT ROWID;
INSERT INTO drafts VALUES ('20261122T083000Z-00000a', 'kim', 1.0, 2.0, 2, 1, '{"file": "a.csv"}');
INSERT INTO changes VALUES ('20261122T083000Z-00000a', 1, 'kim', 2.0, 1, '["Name"]', 0);
INSERT INTO corrections VALUES ('20261122T083000Z-00000a', 2, '"Name"', 1, '"ana"', '"Ana"');
INSERT INTO acts VALUES ('20261122T083000Z-00000a', 1, 2.0, 'kim', 'corrected', '{}');
PRAGMA user_version=1;
"""
"""A file of drafts in its first format."""


def test_a_change_is_there_as_a_whole_when_its_program_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        seen = [int(worker.stdout.readline()) for _ in range(20)]
        worker.send_signal(signal.SIGKILL)
        seen += [int(line) for line in worker.stdout if line.endswith("\n")]

    with closing(open_drafts(tmp_path)) as drafts:
        edits, cells = drafts.find(ID).edits, drafts.corrections(ID)
        assert edits in {seen[-1], seen[-1] + 1}
        assert {one.after for one in cells} == {f"after {edits}"}
        assert (len(cells), len(drafts.acts(ID)), len(drafts.changes(ID))) == (50, edits + 1, edits)


def test_nothing_of_removed_cells_is_left_in_the_files(tmp_path: Path) -> None:
    with closing(open_drafts(tmp_path)) as drafts:
        drafts.add(Draft(ID, "kim", 1_000.0, 1_000.0), ACT)
        drafts.correct(ID, [Correction(2, "Name", "Marguerite", "Margarethe")], ACT)
        drafts.remove([ID])

        left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"Marg" not in left


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    open_drafts(tmp_path).close()

    assert drafts_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_drafts_of_a_newer_program_and_other_files_are_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(drafts_file(tmp_path))) as newer:
        newer.execute("PRAGMA user_version=99")
    with pytest.raises(JournalError, match=r"written by a newer importer \(format 99, this one knows 2\)"):
        open_drafts(tmp_path)

    drafts_file(tmp_path).write_bytes(b"no database" * 100)
    with pytest.raises(JournalError, match=r"The journal of drafts .* cannot be opened"):
        open_drafts(tmp_path)


def test_drafts_of_an_earlier_program_are_led_to_the_format_of_today(tmp_path: Path) -> None:
    with closing(sqlite3.connect(drafts_file(tmp_path))) as old:
        old.executescript(OLD)

    with closing(open_drafts(tmp_path)) as drafts:
        assert drafts.find(ID).facts.file == "a.csv"
        assert drafts.corrections(ID) == [Correction(2, "Name", "ana", "Ana")]
        assert [one.what for one in drafts.acts(ID)] == ["corrected"]
    with closing(open_drafts(tmp_path)) as again:
        assert len(again.changes(ID)) == 1


def test_facts_that_a_newer_program_noted_stay(tmp_path: Path) -> None:
    with closing(open_drafts(tmp_path)) as drafts:
        drafts.add(Draft(ID, "kim", 1_000.0, 1_000.0), ACT)
        with closing(sqlite3.connect(drafts_file(tmp_path))) as stranger:
            stranger.execute("""UPDATE drafts SET facts = '{"file": "a.csv", "colour": "red"}'""")
            stranger.commit()

        noted = drafts.note(ID, drafts.find(ID).facts.model_copy(update={"file": "b.csv"}), ACT)
        assert noted.facts.as_json() == {"file": "b.csv", "colour": "red"}

        with closing(sqlite3.connect(drafts_file(tmp_path))) as stranger:
            stranger.execute("UPDATE drafts SET facts = '{'")
            stranger.commit()
        with pytest.raises(JournalError, match=f"What is known of the draft {ID} cannot be read"):
            drafts.find(ID)
