"""The receipts of a run: what each pass over it used, and what went in and came out, chained by hashes.

A pass is the first sending, or a `resume` or `retry` that sent something. The limiter accounts for it; one that was
killed has no receipt, and keeps its place.

Each time the files of a run are written, a receipt is written with them, into the run's directory and into the journal:
what went in, what came out, who did it, and the hash of the receipt before. Whoever can write the whole workspace can
write a new chain too: keep the hash of the last receipt elsewhere where that matters. (`runs.receipt_check` checks it.)
"""

from __future__ import annotations

import getpass
import hashlib
import json
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.core.atomic_files import AtomicFiles
from importer.journal import AllPasses, Journal, RateReceipt, RunFacts, StoredReceipt, StoredRun
from importer.results import Report

RECEIPT_NAME = "receipt.json"
"""Written after everything else, since it holds the hashes of the other files."""
_FORMAT = 1
_LATER = ("log", "receipt")
"""Files that are still written to after the others were hashed."""


def pass_begun(facts: RunFacts) -> RunFacts:
    """Return what changes for a run that begins another pass.

    Args:
        facts: what the run has noted.
    """
    earlier = facts.passes or ((facts.rate,) if facts.rate else ())
    return RunFacts(passes=(*earlier, None))


def pass_ended(begun: RunFacts, used: RateReceipt) -> RunFacts:
    """Return what changes for a run whose last pass ended.

    Args:
        begun: what changed when it began (`pass_begun`).
        used: what the limiter accounts for in this pass.
    """
    passes = (*begun.passes[:-1], used)
    if len(passes) == 1:
        return RunFacts(passes=passes, rate=used)
    return RunFacts(passes=passes, rate=used.model_copy(update={"all_passes": _total(passes), "passes": passes}))


def _total(passes: Sequence[RateReceipt | None]) -> AllPasses:
    kept = [one for one in passes if one is not None]
    return AllPasses(
        passes=len(passes),
        killed_without_a_receipt=len(passes) - len(kept),
        requests=sum(one.requests for one in kept),
        paused_s=round(sum(one.paused_s for one in kept), 3),
        most_in_flight=max(one.most_in_flight for one in kept),
    )


def write_receipt(journal: Journal, stored: StoredRun, directory: Path, report: Report, now: float) -> StoredReceipt:
    """Append a run's receipt to the chain and write it beside its files.

    Args:
        directory: the run's.
        report: as it was rendered; its files are hashed.
        now: seconds since the epoch.

    Raises:
        StorageError: a file cannot be read or written.
        JournalError: the journal cannot be written.
    """
    files = {path.name: file_hash(path) for kind, path in report.files.items() if kind not in _LATER}
    rows = journal.receipts.rows_digest(stored.run)
    run = journal.runs.find(stored.header.run_id)  # another profile may have come with rows that were checked again
    said = {"plans": run.facts.plans, "acts": run.facts.acts}
    people = {name: [one.model_dump(mode="json") for one in found] for name, found in said.items() if found}

    def body(number: int, previous: str) -> Mapping[str, Any]:
        return {
            "format": _FORMAT,
            "number": number,
            "previous": previous,
            "run_id": stored.header.run_id,
            "command": report.command,
            "made_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "operator": operator(),
            "target": stored.header.target,
            "source": {"name": stored.header.source, "sha256": stored.header.content_hash},
            "profile_sha256": run.header.profile_hash,
            "counts": dict(report.counts),
            "rows_sha256": rows,
            "files": files,
            **people,
            "versions": dict(report.versions),
        }

    receipt = journal.receipts.add(stored.run, now, body)
    with AtomicFiles(directory) as written:
        stream = written.text(RECEIPT_NAME)
        json.dump({**json.loads(receipt.body), "hash": receipt.hash}, stream, ensure_ascii=False, indent=2)
        stream.write("\n")
    return receipt


def operator() -> str:
    """Who runs this, as `user@host`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
