"""What an error of PostgreSQL means for a run, and what a person can do about it. Says no value and no password."""

from __future__ import annotations

import psycopg

_HINTS = {
    "53100": "The disk of the database is full: free some space there. {resume}",
    "25006": "The database takes no writes: it is a standby, or was set read-only. {resume}",
    "42501": "Have the owner of the journal run configs/journal_roles.sql, and make you a member of that role.",
    "3D000": "Have somebody create the database, or correct the address.",
    "55P03": "Another program is writing for a long time: try again when it is done. {resume}",
    "40001": "Another session wrote the same rows at the same moment. {resume}",
    "40P01": "Another session wrote the same rows at the same moment. {resume}",
    "57014": "The server cancelled it. {resume}",
}
_CLASSES = {
    "28": "Check the user and the password (IMPORTER_JOURNAL_PASSWORD_FILE).",
    "53": "The server has no means left (connections, memory): try again later. {resume}",
    "57": "The server was stopped or restarted: wait until it answers. {resume}",
}
_REFUSED = {
    "authentication failed": "28P01",
    "no password supplied": "28P01",
    "pg_hba.conf": "28000",
    "does not exist": "3D000",
    "read-only": "25006",
    "the database system is": "57P03",
    "too many": "53300",
}
"""Words of a server that refuses a connection, which have no code with them."""
_LOST = "Check that the server runs and can be reached from here. {resume}"
_OTHER = "Check the database. {resume}"


def reason(error: psycopg.Error) -> str:
    """What happened, in the first line of the server's or the library's words; these hold no value of a row."""
    said = error.diag.message_primary or str(error) or type(error).__name__
    line = said.strip().splitlines()[0].rpartition("FATAL:  ")[2]
    return line.rpartition(" failed: ")[2].rstrip(".")


def hint(error: psycopg.Error, resume: str = "") -> str:
    """What to do.

    Args:
        resume: the sentence that says how a run goes on; empty where none had begun.
    """
    state = error.sqlstate or next((state for words, state in _REFUSED.items() if words in str(error)), "")
    text = _HINTS.get(state) or _CLASSES.get(state[:2]) or (_OTHER if state else _LOST)
    return text.format(resume=resume).strip()
