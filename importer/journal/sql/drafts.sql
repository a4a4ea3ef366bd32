-- What people prepare before a run exists. In a file of its own beside a journal that is one, since a draft is changed
-- while a run holds the journal; in the journal where that is in PostgreSQL.
-- Texts that come from a source are JSON strings, since a cell may hold what no database takes as text.

CREATE TABLE drafts (
    id         TEXT    PRIMARY KEY,     -- of the form of a run id
    made_by    TEXT    NOT NULL,
    made_at    REAL    NOT NULL,
    changed_at REAL    NOT NULL,
    version    INTEGER NOT NULL,
    edits      INTEGER NOT NULL,
    facts      TEXT    NOT NULL         -- JSON: what is known of it and what was chosen (journal.drafts.DraftFacts)
) STRICT, WITHOUT ROWID;

CREATE TABLE draft_changes (            -- corrections that were made at once
    draft   TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    made_by TEXT    NOT NULL,
    made_at REAL    NOT NULL,
    cells   INTEGER NOT NULL,
    columns TEXT    NOT NULL,
    undone  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (draft, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE draft_corrections (        -- cells: personal data
    draft  TEXT    NOT NULL,
    row    INTEGER NOT NULL,
    name   TEXT    NOT NULL,            -- of the column
    number INTEGER NOT NULL,            -- of the change
    before TEXT    NOT NULL,
    after  TEXT    NOT NULL,
    PRIMARY KEY (draft, row, name, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE draft_acts (               -- who did what, for the receipt
    draft   TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    at      REAL    NOT NULL,
    by      TEXT    NOT NULL,
    what    TEXT    NOT NULL,
    details TEXT    NOT NULL,
    PRIMARY KEY (draft, number)
) STRICT, WITHOUT ROWID;
