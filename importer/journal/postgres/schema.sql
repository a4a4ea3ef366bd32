-- What only a journal that several hosts share needs, beside the tables of importer.journal.sql.

CREATE TABLE format (
    version bigint NOT NULL
);

-- Who works where. The clock is that of the database. A program that died stops renewing its lease.
CREATE TABLE leases (
    scope      text COLLATE "C" PRIMARY KEY,
    token      text NOT NULL UNIQUE,   -- its owner's alone: a transaction of an owner that lost it is refused
    host       text NOT NULL,
    pid        bigint NOT NULL,
    started_at double precision NOT NULL,
    expires    timestamptz NOT NULL
);

-- One line: the key of the hashes, made once. NULL: the team keeps it elsewhere (IMPORTER_SECRET).
CREATE TABLE secret (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    secret      bytea,
    fingerprint text NOT NULL          -- shows whether a secret is the one that the hashes were made with
);
