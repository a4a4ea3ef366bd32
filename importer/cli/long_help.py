"""Lists below the help of a command: exit codes, states of a row, files of a run, columns of results. Texts only."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from importer.core.columns import ERROR_CODE, ERROR_FIELD, MEANINGS, STATUS_COLUMN, STEP_COLUMNS
from importer.core.states import FINAL_STATES, STATE_MEANINGS

EXIT_CODES = {
    "0": "every row is created, existing or valid; every step after it is done",
    "1": "an unexpected error: a bug, with a pointer to the log",
    "2": "wrong usage or a wrong profile",
    "3": "finished; some rows are invalid, rejected or failed, or steps after a create failed or found a difference",
    "4": "stopped by a threshold, the canary or the circuit breaker",
    "5": "access refused, a certificate or proxy that refuses the connection, or an approval is missing",
    "6": "the source cannot be read or is refused, or something is not as its plan says",
    "7": "busy, imported already, or the account of the API key must be named",
    "8": "some rows are unknown, or were found twice at the target",
    "9": "counts or a receipt do not balance",
    "75": "try later: outside the window, the quota is used up, a file is not complete, or steps are open",
    "130": "stopped by Ctrl-C; the run can be resumed",
    "143": "stopped by SIGTERM; the run can be resumed",
}
STATES = {state.value: STATE_MEANINGS[state] for state in FINAL_STATES}
STEP_STATES = {
    "waiting": "not begun",
    "sending": "begun; after a crash it is in doubt",
    "submitted": "done here; the target has not decided yet",
    "done": "done; of a verification: decided, see _idv_outcome",
    "differs": "read back, and not what was sent",
    "listed": "what an update would change was listed; nothing was sent",
    "not_ready": "the row lacks what the step asks for; nothing was sent",
    "needs_person": "the target waits for a person",
    "failed": "given up, or a step before it failed",
    "unknown": "sent, but neither the answer nor look-ups show what came of it",
}
FILES = {
    "results.csv": "every row of the source, in its order, with the columns below added",
    "rejects.csv": "the rows that were not imported, same columns: fix them, then `importer retry RUN --fixed FILE`",
    "id-map.csv": "import key, external id and customer id of every created and existing row",
    "report.html": "the report for people, one file, fit for mail; values masked unless --show-values",
    "report.json": "the same for programs: counts, issues, columns used, versions",
    "receipt.json": "hashes of source, profile and files, and of the previous receipt",
    "run.log.jsonl": "the log; never a cell, a name, an address or a secret",
    "<name>.annotated.xlsx": "for workbooks and --format xlsx: your own sheet, wrong cells marked and commented",
}
_MORE = {STATUS_COLUMN: "importer show --help", ERROR_CODE: "importer codes", ERROR_FIELD: "importer fields"}
"""The command that says more about a column."""
COLUMNS = {
    "_extra_1, …": "cells beyond the header's last column: move them, or delete them",
    **{name: f"{text}; see `{_MORE[name]}`" if name in _MORE else text for name, text in MEANINGS.items()},
    **{name: f"{MEANINGS[name]} (with steps after a create)" for name in STEP_COLUMNS},
}


def listed(title: str, entries: Mapping[str, str]) -> str:
    """Write a list as help prints it, line by line.

    Args:
        entries: each word and its meaning.
    """
    width = max(map(len, entries)) + 2
    lines = [
        textwrap.fill(f"{word:<{width}}{meaning}", 76, initial_indent="  ", subsequent_indent=" " * (width + 2))
        for word, meaning in entries.items()
    ]
    return "\n".join(["\b", f"{title}:", *lines])
