"""A draft's rows are fixed in a spreadsheet: the annotated workbook of its check, and what comes back of it.

A cell that a person changed in a file of the check (its annotated workbook, its rejects.csv) becomes a correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from importer.core.columns import extra_columns
from importer.core.errors import ReturnRefusedError, UsageError
from importer.journal import Draft
from importer.runs import registry
from importer.runs.drafts.checked_rows import CheckedRows
from importer.runs.drafts.correcting import Edit, corrections_of, keep, texts_of
from importer.runs.drafts.drafts import DraftService
from importer.runs.kept_corrections import kept_corrections
from importer.runs.kept_profile import contract_of_run
from importer.runs.reports import report_of, table_header
from importer.runs.returns.file import Changed, Refusal, opened_return, sort_out


@dataclass(frozen=True, slots=True)
class TakenFixed:
    """What a file brought.

    Args:
        rows: how many came back changed.
        cells: how many corrections were made of them.
        unchanged: lines that came back as they were handed out.
        refused: lines that were not taken, and why.
    """

    draft: Draft
    rows: int
    cells: int
    unchanged: int
    refused: Sequence[Refusal]


def annotated(service: DraftService, draft: str) -> Path:
    """The workbook of a draft's check in which the wrong cells are marked; written where the check has left none.

    Raises:
        UsageError: there is no such draft, it was not checked yet, or its check is gone.
        StorageError: it cannot be written.
    """
    found = service.find(draft)
    run_id = _check_of(found)
    directory = service.workspace / run_id
    there = next(directory.glob("*.annotated.xlsx"), None)
    return there or _written(service, run_id, service.folder(found) / "annotated" / run_id)


def _written(service: DraftService, run_id: str, folder: Path) -> Path:
    from importer.results.annotated import write_annotated  # noqa: PLC0415  # slower to load than a small file

    with registry.opened_run(service.workspace, run_id) as run:
        report = report_of(run.journal, run.stored, service.machine.clock.now())
        there = folder / f"{Path(report.source).stem}.annotated.xlsx"
        if there.is_file():
            return there
        facts, batches = run.journal.runs.facts(run.stored.run), run.journal.replay(run.stored.run).batches
        corrected = frozenset(
            one.row for one in kept_corrections(run.journal, run.stored.run, service.workspace / run_id)
        )
        header = table_header(run.summary, facts, contract_of_run(run.stored))
        return write_annotated(batches, header, report, folder, source=Path(facts.path), fixed=corrected)


def take_fixed(service: DraftService, draft: str, path: Path, *, by: str, seen: int | None = None) -> TakenFixed:
    """Take what a person has changed in a file of the draft's check as corrections, as one change.

    Args:
        path: of the file that came back.
        by, seen: as of `correcting.correct`.

    Raises:
        ReturnRefusedError: it is not a file of this draft's check.
        SourceError: it cannot be read.
        UsageError, BusyError: as of `correcting.correct`.
    """
    found = service.editable(draft, seen)
    now, run_id = service.rows_of(found), _check_of(found)
    with (
        registry.opened_run(service.workspace, run_id) as run,
        opened_return(path, service.profile.source) as file,
    ):
        if file is None or run_id not in file.run_ids():
            raise ReturnRefusedError(
                f"'{path.name}' is not a file of the last check of this draft.",
                "Download the workbook again, and put your changes into that.",
            )
        columns = run.summary.columns
        brought = sort_out(file, frozenset({run_id}), columns, run.journal.rows(run.stored.run))
    edits = [edit for one in brought.changed.values() for edit in _edits(now.checked, one)]
    texts = texts_of(now, edits, service.profile.source.limits.max_cell_chars)
    made = corrections_of(now, texts, confirms=True)
    changed = keep(service, found, made, by, "taken from a file")
    return TakenFixed(changed, len(brought.changed), len(made), brought.unchanged, brought.refused)


def _check_of(draft: Draft) -> str:
    if not draft.facts.checked_run:
        raise UsageError("This draft was not checked yet.", "Check it first.")
    return draft.facts.checked_run


def _edits(checked: CheckedRows, changed: Changed) -> list[Edit]:
    """What a person has changed in one row."""
    was, surplus = changed.was, changed.surplus
    [row] = checked.rows([was.ordinal])
    extras = [name for name, text in zip(extra_columns(len(row.surplus)), row.surplus, strict=True) if text.strip()]
    back = (*surplus, *[""] * (len(was.surplus) - len(surplus)))
    texts = zip((*checked.columns, *extras), (*was.cells, *was.surplus), (*changed.cells, *back), strict=False)
    return [Edit(was.row, name, after) for name, before, after in texts if before != after]
