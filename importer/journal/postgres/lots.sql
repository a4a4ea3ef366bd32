-- What several programs need that send the rows of one run (importer.journal.postgres.lots).

ALTER TABLE leases ADD COLUMN under text;  -- token of a lease that this one does not outlast; NULL: it is of no other one
CREATE INDEX leases_under ON leases (under) WHERE under IS NOT NULL;

-- Stretches of the rows of a run. One is gone when none of its rows is waiting any more.
CREATE TABLE lots (
    run   bigint NOT NULL,
    first bigint NOT NULL,             -- ordinals
    last  bigint NOT NULL,
    token text,                        -- of the lease of who sends them; NULL, or of a lease that is over: nobody does
    PRIMARY KEY (run, first)
);

-- What the programs that send a run have to say, until it is heard. It holds no personal data.
CREATE TABLE messages (
    number  INTEGER PRIMARY KEY,
    run     bigint NOT NULL,
    sender  text   NOT NULL,
    content bytea  NOT NULL
);
