-- What all who send to an account agree on (importer.journal.postgres.shared_state). It holds no personal data.
CREATE TABLE shared_sending (
    scope text COLLATE "C" PRIMARY KEY,
    state text NOT NULL                -- JSON
);
