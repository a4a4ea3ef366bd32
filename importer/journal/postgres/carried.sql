-- What workspaces have brought that were carried into a journal with runs of its own (importer.journal.postgres.copying).

-- Secrets that keys of theirs were made with: customers are recognised under every one, new keys are made with `secret`.
CREATE TABLE former_secrets (
    fingerprint text COLLATE "C" PRIMARY KEY,
    secret      bytea NOT NULL
);

CREATE TABLE carried (
    digest         text COLLATE "C" PRIMARY KEY,  -- of everything that the workspace's journal held
    receipts_after bigint,                        -- its chain of receipts begins after this number; NULL: it had none
    previous       text NOT NULL,                 -- hash of the receipt with that number; '': there was none
    carried_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
