"""The receipt of a run, verified: everything that it says is worked out again. Changes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from importer.core.commands import FRAME
from importer.core.errors import ExitCode, SourceError, UsageError
from importer.journal import FINISHED, STOPPED, StoredReceipt, StoredRun
from importer.runs import archive_index
from importer.runs.compared import Compared, same
from importer.runs.kept_corrections import content_now, corrections_of
from importer.runs.plans.proof import compared_plans
from importer.runs.receipts import RECEIPT_NAME, file_hash
from importer.runs.wiring import Workspace, open_workspace
from importer.runs.wiring.remote_sources import is_remote


def check_receipt(workspace: Path, name: str, *, profile_hash: str = "") -> dict[str, Any]:
    """Work out again everything that a run's receipt says.

    Args:
        name: a run id, a unique beginning of one, or `last`.
        profile_hash: of the profile that the run should have had; empty: only the journal is asked.

    Raises:
        UsageError: there is no such run, or it has no receipt.
        JournalError: the journal cannot be read.
    """
    with closing(open_workspace(workspace, create=False)) as opened:
        stored = opened.runs.find(name)
        receipt = opened.journal.receipts.of(stored.run)
        if receipt is None:
            raise _no_receipt(stored)
        found = list(_compared(opened, stored, receipt, profile_hash))
        code, error = _verdict(found)
        if code is ExitCode.BALANCE and not (workspace / stored.header.run_id).exists():
            again = stored.commands.export(stored.header.run_id)
            error = f"The files of this run are not in this workspace: `{again}` writes them, and a receipt of them."
        return {
            "run_id": stored.header.run_id,
            "receipt": receipt.hash,
            "number": receipt.number,
            "verified": code is ExitCode.OK,
            "checks": [asdict(one) for one in found],
            "exit_code": int(code),
            "error": error,
        }


def _verdict(found: Sequence[Compared]) -> tuple[ExitCode, str | None]:
    """What comes of it all: an exit code and a sentence."""
    states = {one.status for one in found}
    if states & {"differs", "missing"}:
        return ExitCode.BALANCE, "The receipt does not match."
    if "refused" in states:
        return ExitCode.ACCESS, "The receipt matches; the approval that it names does not hold by the policy of now."
    if "unchecked" in states:
        why = next(one.message for one in found if one.status == "unchecked")
        return ExitCode.ACCESS, f"The receipt matches; the approval that it names was {why}"
    return ExitCode.OK, None


def _no_receipt(stored: StoredRun) -> UsageError:
    run_id = stored.header.run_id
    if stored.phase in {FINISHED, STOPPED}:
        return UsageError(
            f"The run {run_id} has no receipt: an earlier program ran it.",
            f"`{stored.commands.export(run_id)}` writes its files again, and a receipt.",
        )
    return UsageError(
        f"The run {run_id} has no receipt yet: it has not ended.", f"`{stored.commands.resume(run_id)}` ends it."
    )


def _compared(workspace: Workspace, stored: StoredRun, receipt: StoredReceipt, profile_hash: str) -> Iterator[Compared]:
    said = json.loads(receipt.body)
    directory = workspace.path / stored.header.run_id
    purged = stored.purged_at is not None
    receipts = workspace.journal.receipts
    yield chain(receipts.all(), receipts.chains())
    yield _file_of_receipt(directory / RECEIPT_NAME, receipt, purged=purged)
    yield _source(workspace, stored, said["source"]["sha256"])
    yield _profile(said["profile_sha256"], stored.header.profile_hash, profile_hash)
    yield _counts(said["counts"], workspace.runs.counts(stored.run))
    digest = workspace.journal.receipts.rows_digest(stored.run)
    yield same("rows", said["rows_sha256"], digest, "rows in the journal are not as they were")
    for name, wanted in said["files"].items():
        yield _file(directory / name, wanted, purged=purged)
    if "plans" in said:
        yield from compared_plans(workspace.journal, stored, directory, said["plans"])


def chain(receipts: Iterable[StoredReceipt], chains: Mapping[int, str]) -> Compared:
    """Every receipt is what its hash says, and follows the one before.

    Args:
        chains: where the receipts of another workspace follow, which begin anew.
    """
    before, number = "", 0
    for receipt in receipts:
        if number in chains and before == chains[number]:
            before = ""
        number = receipt.number
        if hashlib.sha256(receipt.body.encode()).hexdigest() != receipt.hash:
            return Compared("chain", "differs", f"receipt {receipt.number} was changed")
        if not receipt.previous == json.loads(receipt.body)["previous"] == before:
            return Compared("chain", "differs", f"receipt {receipt.number} does not follow the one before it")
        before = receipt.hash
    return Compared("chain", "ok")


def _file_of_receipt(path: Path, receipt: StoredReceipt, *, purged: bool) -> Compared:
    if not path.exists():
        return _absent(RECEIPT_NAME, purged=purged)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = None
    kept = {**json.loads(receipt.body), "hash": receipt.hash}
    return same(RECEIPT_NAME, said, kept, "it is not the receipt that the journal holds")


def _profile(said: str, journalled: str, given: str) -> Compared:
    if said != journalled:
        return Compared("profile", "differs", "the journal names another profile")
    return same("profile", said, given or said, "the profile given is not the one of that time")


def _source(workspace: Workspace, stored: StoredRun, wanted: str) -> Compared:
    origin = stored.header.path
    if origin == FRAME:
        return Compared("source", "gone", "it was a DataFrame, and no file")
    if is_remote(origin):
        return Compared("source", "gone", f"{origin} was fetched from elsewhere, and is not fetched again")
    try:
        path = archive_index.source_of(workspace.journal, stored)
        if path is None or not path.is_file():
            return Compared("source", "gone", f"{path or origin} is no longer there")
        corrected = corrections_of(stored) is not None
        differs = f"{path}{' with its corrections' if corrected else ''} is not the file of that time"
        return same("source", wanted, content_now(stored, path), differs)
    except SourceError as error:
        return Compared("source", "missing", error.message)


def _counts(said: Mapping[str, int], counted: Mapping[str, int]) -> Compared:
    other = [name for name in {*said, *counted} if said.get(name, 0) != counted.get(name, 0)]
    return same("counts", sorted(other), [], f"the journal counts other rows {', '.join(sorted(other))}")


def _file(path: Path, wanted: str, *, purged: bool) -> Compared:
    if not path.exists():
        return _absent(path.name, purged=purged)
    return same(path.name, wanted, file_hash(path), "the file was changed")


def _absent(name: str, *, purged: bool) -> Compared:
    return Compared(name, "gone", "purged") if purged else Compared(name, "missing", "the file is not there")
