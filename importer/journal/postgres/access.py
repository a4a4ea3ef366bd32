"""What the user of a journal may do there, beside the least that a runner needs, and how the way to it is protected.

Reads the server's catalogue alone: no table of the journal, which may be what cannot be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from importer.core.commands import Commands
from importer.journal.entries import JournalAccess, MissingRight
from importer.journal.location import Location
from importer.journal.postgres.connection import SCHEMA, PostgresConnection
from importer.journal.postgres.database import guarded

_ROLE = "importer_runner"
_TO_RUNNERS = f"TO {_ROLE};"
_USAGE = f"GRANT USAGE ON SCHEMA {SCHEMA} {_TO_RUNNERS}"
_TABLES = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} {_TO_RUNNERS}"
_SEQUENCES = f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA} {_TO_RUNNERS}"
_USER = (
    "SELECT u.rolname, u.rolsuper, u.rolcreatedb, u.rolcreaterole, current_database(),"
    " has_database_privilege(current_database(), 'TEMPORARY'),"
    " EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = ? AND NOT pg_has_role(r.oid, 'USAGE'))"
    " FROM pg_roles u WHERE u.rolname = current_user"
)
_OF_THE_SCHEMA = (
    "SELECT has_schema_privilege(oid, 'USAGE'), pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = ?"
)
_MISSING = """
SELECT asked.right, array_agg(c.relname ORDER BY c.relname) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ?
CROSS JOIN (VALUES (1, 'SELECT'), (2, 'INSERT'), (3, 'UPDATE'), (4, 'DELETE')) AS asked (place, "right")
WHERE c.relkind = 'r' AND (c.relname <> 'format' OR asked.right = 'SELECT')
AND NOT has_table_privilege(c.oid, asked.right) GROUP BY asked.place, asked.right ORDER BY asked.place
"""
_UNUSABLE = """
SELECT array_agg(c.relname ORDER BY c.relname) FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ? WHERE NOT has_sequence_privilege(s.seqrelid, 'USAGE')
"""
_MORE_THAN_NEEDED = ("is a superuser", "may create databases", "may create roles", "owns the journal")
_FEW = 3
_LOCAL = ("/", "127.", "@")
_LOCAL_NAMES = frozenset({"", "localhost", "::1"})


def examine_access(location: Location) -> JournalAccess:
    """Look at what the user of a journal may do there.

    Raises:
        JournalError: it cannot be reached.
    """
    commands = Commands(location.folder)
    with guarded(location, "opened", commands):
        connection = PostgresConnection(location.url, location.password(), writes=False)
    with closing(connection), guarded(location, "read", commands):
        user, *attributes, database, may_compare, may_join = connection.execute(_USER, (_ROLE,)).fetchone()
        schema = connection.execute(_OF_THE_SCHEMA, (SCHEMA,)).fetchone()
        missing = _missing(connection, schema, database, may_compare=may_compare)
        member = f'GRANT {_ROLE} TO "{user}";' if may_join else ""
        options = connection.options
    return JournalAccess(
        user=user,
        missing=[one._replace(grant=member or one.grant) for one in missing],
        excessive=_excessive([*attributes, bool(schema and schema[1])]),
        remote_host=options["host"] if _is_elsewhere(options["host"]) else "",
        encryption=options["sslmode"],
    )


def _missing(connection: PostgresConnection, schema: Any, database: str, *, may_compare: bool) -> list[MissingRight]:
    """The rights that a runner needs, and this user has not; nothing where the journal is still to be made."""
    if schema is None:
        return []
    found = [] if schema[0] else [MissingRight(f"USAGE on the schema {SCHEMA}", _USAGE)]
    found += [
        MissingRight(f"{right} on {_named(tables)}", _TABLES)
        for right, tables in connection.execute(_MISSING, (SCHEMA,)).fetchall()
    ]
    (sequences,) = connection.execute(_UNUSABLE, (SCHEMA,)).fetchone()
    if sequences:
        found.append(MissingRight(f"USAGE on {_named(sequences)}", _SEQUENCES))
    if not may_compare:
        grant = f'GRANT TEMPORARY ON DATABASE "{database}" {_TO_RUNNERS}'
        found.append(MissingRight(f"TEMPORARY on the database {database}", grant))
    return found


def _named(names: Sequence[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {more} more" if more > 0 else "")


def _excessive(attributes: Sequence[bool]) -> list[str]:
    """What of `_MORE_THAN_NEEDED` a user is; of a superuser nothing else is worth a word."""
    found = [words for words, is_so in zip(_MORE_THAN_NEEDED, attributes, strict=True) if is_so]
    return found[:1] if attributes[0] else found


def _is_elsewhere(host: str) -> bool:
    return host not in _LOCAL_NAMES and not host.startswith(_LOCAL)
