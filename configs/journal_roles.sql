-- The least rights that people and hosts need in a team's journal in PostgreSQL.
--
-- Its owner makes the tables first, by naming the journal once:
--   IMPORTER_JOURNAL=postgresql://owner@db.example.com/imports importer doctor
-- and then runs this file, again after every new version of the importer:
--   psql postgresql://owner@db.example.com/imports -f journal_roles.sql
-- Each person or host is a member:
--   CREATE ROLE kim LOGIN PASSWORD '…' IN ROLE importer_runner;

DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'importer_runner') THEN
    CREATE ROLE importer_runner NOLOGIN;
  END IF;
END $$;
GRANT USAGE ON SCHEMA importer TO importer_runner;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA importer TO importer_runner;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA importer TO importer_runner;
-- Only the owner leads the journal to a new format.
REVOKE INSERT, UPDATE, DELETE ON importer.format FROM importer_runner;

-- A check compares a file with the journal in a temporary table, which every role may make unless that was revoked.
DO $$ BEGIN
  EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO importer_runner', current_database());
END $$;

-- `importer doctor` names what a user lacks of this, and what it may do beyond it.
-- `importer purge` takes personal data out of the tables; the space is given up when the owner's autovacuum has run.
