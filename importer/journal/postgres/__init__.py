"""A journal in PostgreSQL, for a team or for nights that outlive a host: the statements of `importer.journal.sql`.

Every transaction that writes holds one advisory lock, so that writers follow each other as they do in a file of SQLite:
what is written once for both may rely on that. Needs psycopg, which the group `.[postgres]` brings; nothing here is
imported where a journal is a file.
"""
