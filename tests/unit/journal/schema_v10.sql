-- The journal: the only memory of a workspace. Everything that a person reads is rendered from it.
-- States are the words of records.RowState; times are seconds since the epoch.

CREATE TABLE runs (
    run           INTEGER PRIMARY KEY,
    run_id        TEXT    NOT NULL UNIQUE,
    scope         TEXT    NOT NULL,   -- target and account: where import keys are unique
    target        TEXT    NOT NULL,
    source        TEXT    NOT NULL,   -- the file's name, for people
    path          TEXT    NOT NULL,   -- where it lay, absolute
    content_hash  TEXT    NOT NULL,
    profile_hash  TEXT    NOT NULL,
    dry_run       INTEGER NOT NULL,
    phase         TEXT    NOT NULL,   -- loading, ready, running, finished, stopped
    columns       TEXT    NOT NULL DEFAULT '[]',
    sheet         TEXT    NOT NULL DEFAULT '',
    facts         TEXT    NOT NULL DEFAULT '{}',
    started_at    REAL    NOT NULL,
    ended_at      REAL,
    exit_code     INTEGER,
    purged_at     REAL,               -- when its personal data was removed, NULL: it is all there
    profile       TEXT,               -- the effective profile as JSON, without secrets; NULL: purged, or of an older program
    extra         INTEGER NOT NULL DEFAULT 0   -- surplus cells of its widest row
) STRICT;

-- The source's cells and the request bodies: the personal data, apart from all else, so that it can be purged.
CREATE TABLE batches (
    run      INTEGER NOT NULL,
    first    INTEGER NOT NULL,        -- ordinal of the first row
    length   INTEGER NOT NULL,
    rows     BLOB    NOT NULL,        -- the row numbers that a person sees
    cells    BLOB,                    -- an Arrow IPC stream, NULL: purged
    payloads BLOB,
    surplus  TEXT,                    -- JSON: place in the batch to the cells beyond the columns; NULL: no row has any
    after    BLOB,                    -- what steps after the creates need, as payloads; NULL: nothing, or purged
    PRIMARY KEY (run, first)
) STRICT;

CREATE TABLE rows (
    run         INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    key         TEXT,                 -- the import key: a keyed hash, NULL for invalid rows
    external_id TEXT,                 -- the customer's reference in the legacy system, where the source has one
    customer_id TEXT,
    http_status INTEGER,
    trace_id    TEXT,
    attempts    INTEGER NOT NULL DEFAULT 0,
    doubt_since REAL,                 -- when it was first marked as being sent
    candidates  TEXT,                 -- ids of the customers that could be this row, by spaces
    leader      INTEGER,              -- of rows that are one customer: the ordinal of the one that is sent; else NULL
    PRIMARY KEY (run, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX rows_by_leader ON rows (run, leader) WHERE leader IS NOT NULL;
CREATE INDEX rows_by_customer ON rows (customer_id) WHERE customer_id IS NOT NULL;

-- Bodies of rows that are one customer, until they are merged; empty between two loadings.
CREATE TABLE members (
    run     INTEGER NOT NULL,
    leader  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    row     INTEGER NOT NULL,         -- the number that a person sees
    body    BLOB    NOT NULL,
    PRIMARY KEY (run, leader, ordinal)
) STRICT, WITHOUT ROWID;

-- What is wrong with rows: issues of one stretch of rows that were found together (importer.journal.issue_rows).
CREATE TABLE issues (
    number  INTEGER PRIMARY KEY,      -- in the order in which they were found
    run     INTEGER NOT NULL,
    stretch INTEGER NOT NULL,         -- ordinal // 4096
    log     BLOB    NOT NULL          -- an Arrow stream: ordinal, and the issue as a dictionary of the different ones
) STRICT;
CREATE INDEX issues_by_stretch ON issues (run, stretch);

CREATE TABLE attempts (
    run         INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    started_at  REAL    NOT NULL,
    duration_s  REAL    NOT NULL,
    verdict     TEXT    NOT NULL,
    http_status INTEGER,
    error_code  TEXT    NOT NULL,
    trace_id    TEXT    NOT NULL,
    PRIMARY KEY (run, ordinal, number)
) STRICT, WITHOUT ROWID;

-- The steps after the creates of a run (core.steps), planned before the first request. They hold no personal data, and
-- outlive a purge. Only rows that ended with a customer have the steps that are planned for them.
CREATE TABLE steps (
    run       INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    step      TEXT    NOT NULL,       -- the words of core.steps.Step
    part      TEXT    NOT NULL,       -- which one, where a row may have several; else ''
    state     TEXT    NOT NULL,       -- the words of core.steps.StepState
    since     REAL,                   -- when it was first marked as being sent, by the target's clock
    reference TEXT    NOT NULL DEFAULT '',  -- what the target calls it; of a change its guard; purged
    status    TEXT    NOT NULL DEFAULT '',  -- the target's own words
    outcome   TEXT    NOT NULL DEFAULT '',
    detail    TEXT    NOT NULL DEFAULT '[]',  -- JSON: names of fields that are missing or differ; never a value
    attempts  INTEGER NOT NULL DEFAULT 0,
    looks     INTEGER NOT NULL DEFAULT 0,   -- how often it was asked for since it was submitted
    next_at   REAL,                   -- when it is to be asked for again, by our clock; NULL: at once
    PRIMARY KEY (run, ordinal, step, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX steps_open ON steps (run, step, state, ordinal) WHERE state IN ('waiting', 'sending', 'submitted');
CREATE INDEX steps_due ON steps (run, next_at) WHERE state = 'submitted';

CREATE TABLE step_attempts (
    run         INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    step        TEXT    NOT NULL,
    part        TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    started_at  REAL    NOT NULL,
    duration_s  REAL    NOT NULL,
    verdict     TEXT    NOT NULL,
    http_status INTEGER,
    error_code  TEXT    NOT NULL,
    trace_id    TEXT    NOT NULL,
    PRIMARY KEY (run, ordinal, step, part, number)
) STRICT, WITHOUT ROWID;

-- What may have been sent of rows that came back fixed, while it was not known whether a customer was created.
CREATE TABLE sent (
    run         INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    key         TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    payload     BLOB    NOT NULL,
    PRIMARY KEY (run, ordinal, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (                -- totals of what normalisation altered; the values are in no table
    run   INTEGER NOT NULL,
    rule  TEXT    NOT NULL,
    field TEXT    NOT NULL,
    col   TEXT    NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (run, rule, field, col)
) STRICT, WITHOUT ROWID;

-- Which row of a scope claimed an import key last, over all runs: how that row ended is what the scope knows of the key.
-- A key whose row is `sending` or `unknown` is in doubt for everyone.
CREATE TABLE identities (
    scope   TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    run     INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    since   REAL    NOT NULL,         -- when it was first marked as being sent
    body    TEXT,                     -- keyed hash of what was sent: shows whether the same customer comes with other data
    person  TEXT,                     -- keyed hashes of name, email and phone: shows whether another person comes under the key
    rule    INTEGER NOT NULL DEFAULT 1, -- by which the key was made (customers.former.KEY_RULE)
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_of_old_rules ON identities (scope) WHERE rule < 2;

-- Keys that rows have by today's rule, and the keys that the same rows had by an earlier one, where those differ.
CREATE TABLE renewed_keys (
    key TEXT PRIMARY KEY,
    was TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose an API key is, as a person said or its first use decided. The key is a keyed hash.
CREATE TABLE api_keys (
    server TEXT NOT NULL,
    key    TEXT NOT NULL,
    scope  TEXT NOT NULL,
    PRIMARY KEY (server, key)
) STRICT, WITHOUT ROWID;

-- What customers are alike in, over all runs: keyed hashes of email, phone, reference, and name with birth date.
-- They hold no personal data and outlive a purge. Whether the key's customer exists, `identities` and `rows` say.
CREATE TABLE likenesses (
    print INTEGER NOT NULL,           -- 64 bits of the keyed hash
    key   BLOB    NOT NULL,           -- the import key, 16 bytes
    PRIMARY KEY (print, key)
) STRICT, WITHOUT ROWID;

-- Rows that were sent again after an answer in doubt, until a late look has found no second customer of theirs.
CREATE TABLE resent (
    run     INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    sent_at REAL    NOT NULL,         -- when it was sent last
    PRIMARY KEY (run, ordinal)
) STRICT, WITHOUT ROWID;

-- Requests started per scope in slots of seconds, for limits that outlast a run: per minute, hour and day.
CREATE TABLE starts (
    scope TEXT    NOT NULL,
    slot  INTEGER NOT NULL,           -- seconds since the epoch, rounded down
    count INTEGER NOT NULL,
    PRIMARY KEY (scope, slot)
) STRICT, WITHOUT ROWID;

-- One line for every time that files of a run were written; each holds the hash of the line before. Never changed.
CREATE TABLE receipts (
    number   INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL,
    made_at  REAL    NOT NULL,
    previous TEXT    NOT NULL,        -- hash of the receipt before, '' for the first
    hash     TEXT    NOT NULL,        -- SHA-256 of the body
    body     TEXT    NOT NULL         -- JSON, as in receipt.json
) STRICT;
CREATE INDEX receipts_by_run ON receipts (run, number);

-- Files of a run that its rows cannot give, as they are in its directory: plans by which it was sent, corrections.
CREATE TABLE run_files (
    run     INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    content BLOB    NOT NULL,         -- compressed; corrections hold cells, and go with a purge
    PRIMARY KEY (run, name)
) STRICT;

-- One line for every folder that a night put a file into.
CREATE TABLE places (
    folder  TEXT PRIMARY KEY,         -- absolute
    file    TEXT NOT NULL,            -- the source's name in it
    run     INTEGER,                  -- NULL: it never became one
    put_at  REAL NOT NULL,
    archive TEXT NOT NULL,            -- where the folder goes when the run ends well after all
    returned INTEGER NOT NULL DEFAULT 0  -- 1: the file held fixed rows of the run, and is not its source
) STRICT;
CREATE INDEX places_by_run ON places (run);

-- One line: what shows whether this journal is complete, and the original.
CREATE TABLE integrity (
    commits INTEGER NOT NULL,         -- how many were made; the file beside the journal never has more
    place   TEXT,                     -- where the journal is, JSON; NULL: not known yet
    accepted TEXT NOT NULL DEFAULT '[]'  -- runs that it does not know and whose folders are beside it, by consent
) STRICT;
INSERT INTO integrity (commits) VALUES (0);
