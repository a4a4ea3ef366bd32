"""The report of a run as one structure: what `--json` prints, `report.json` holds and `report.html` shows.

Holds numbers, names of columns, codes and sentences; never a cell's value, unless a person asked to see values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importer.core.atomic_files import AtomicFiles
from importer.core.commands import Commands
from importer.core.contract import Contract
from importer.core.errors import UsageError
from importer.core.issue_codes import all_codes
from importer.core.results import Cluster, ResultBatch
from importer.core.sources import Detected, SourceInfo
from importer.core.states import RowState
from importer.core.target_kinds import DEFAULT_KIND, contract_of
from importer.results.advice import Advice, advise
from importer.results.table import Header

if TYPE_CHECKING:
    from pandas import DataFrame

MAX_UNKNOWN_ROWS = 10_000

Recorded = Callable[[], AbstractContextManager[tuple[Header, Iterator[ResultBatch]]]]
"""Opens the journal of a run once more: its table's header, and its rows in source order."""


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A row that nobody can tell about, with the ids of the customers that could be it."""

    row: int
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreviewedField:
    """One field of a previewed row; values are masked unless somebody asked for them.

    Args:
        field: the API's dotted name.
        column: the source column(s) that it comes from; empty for a constant.
        before: the cell as it stands in the source.
        after: what is sent; empty where nothing is.
    """

    field: str
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PreviewedRow:
    """A row as it was or would be sent, beside its cells.

    Args:
        state: `valid` or `invalid` in a dry run, else how it ended.
        errors: why it is not sent, a sentence each.
    """

    row: int
    state: str
    fields: tuple[PreviewedField, ...]
    errors: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        return {
            "row": self.row,
            "state": self.state,
            "fields": [asdict(one) for one in self.fields],
            "errors": list(self.errors),
        }


def others_there(count: int) -> str:
    """Say that the target holds customers that another workspace created; empty where it holds none."""
    if not count:
        return ""
    return (
        f"This target holds customers of another workspace ({count:,} of its newest). What that one created is not"
        " known here, and can be created a second time: import from one workspace."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything worth saying about one run or dry run.

    Args:
        run_id: empty when the trouble came before there was a run.
        counts: `read` and the count of every state; {} when nothing was read.
        clusters: the issues of all rows, grouped; every cluster, never capped.
        files: kind to path; what was not written is not in it.
        error: the sentence that stopped the run; None when nothing did.
        verdict: the run in one sentence (see `verdict`).
        next_step: what to do now, in one line.
        next_command: the command in it; empty when there is none.
        path: where the source lies: a path, an address, or `-`; empty when nobody knows.
        commands: composes the commands that the report prints.
        state: `finished`, `stopped`, …; empty when there was no run.
        started_at: seconds since the epoch; None when there was no run.
        mapping: customer field to the source column(s) or constant that it came from.
        changes: normalisation rule to the number of values it altered.
        preview: the first rows as they were or would be sent, masked unless the profile says otherwise.
        rate: the limiter's receipt: allowed and measured request starts, of the last pass; where there were several,
            `passes` are those of each (None: it was killed), and `all_passes` what they come to.
        rehearsal: what the emulator counted, compared with what the run says; {} when nothing was rehearsed.
        learned: what the last pass has learned about the target: whether it `keeps_metadata`, how late a customer
            appeared (`latest_arrival_s`), how many rows were `sent_again`, `looked_at` since and found `duplicated`.
        versions: of this program, of Python and of the libraries that decide verdicts.
        unknown: the rows in doubt that stayed so.
        known_from: for every earlier run from which rows were taken as existing without asking the target: `run_id`,
            `rows`, how many, and when the first and the last of them were sent (`first_at`, `last_at`).
        forecast: what was to be expected before the last pass sent anything; {} when it had nothing to send.
        others: of the newest customers at the target how many another workspace stamped; it is not known here what else
            that one has created.
        idv: rows ready for identity verification and, per missing field, how many lack it; {} when not judged.
        contract: what the records are.
        recorded: opens what the DataFrames are made of; None: no row was read.
    """

    command: str
    source: str
    target: str
    dry_run: bool
    exit_code: int
    elapsed_seconds: float
    run_id: str = ""
    state: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    clusters: Sequence[Cluster] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    error: str | None = None
    verdict: str = ""
    next_step: str = ""
    next_command: str = ""
    path: str = ""
    commands: Commands = field(default_factory=Commands, repr=False)
    started_at: float | None = None
    ended_at: float | None = None
    source_info: SourceInfo | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    preview: Sequence[PreviewedRow] = ()
    rate: Mapping[str, Any] = field(default_factory=dict)
    rehearsal: Mapping[str, Any] = field(default_factory=dict)
    learned: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    unknown: Sequence[UnknownRow] = ()
    idv: Mapping[str, Any] = field(default_factory=dict)
    forecast: Mapping[str, Any] = field(default_factory=dict)
    known_from: Sequence[Mapping[str, Any]] = ()
    returned: Mapping[str, Any] = field(default_factory=dict)
    """What came back before this pass, as the run notes it: a file's lines, how many were changed, and what became
    of them."""
    others: int = 0
    contract: Contract = field(default_factory=partial(contract_of, DEFAULT_KIND), repr=False, compare=False)
    recorded: Recorded | None = field(default=None, repr=False, compare=False)

    def rows(self) -> DataFrame:
        """Return every row of the source with what became of it, read from the journal.

        Columns: those of the source, then those that `results.csv` adds (`_status`, `_customer_id`, `_error_code`, …).
        The index holds the row numbers that a person sees. Rows of a run that was taken up again are as they stand now.

        Raises:
            ImporterError: the run has no rows, was purged, or its workspace is gone or cannot be read.
        """
        from importer.results.frames import rows_frame  # noqa: PLC0415  # pandas, half a second

        with self._reopened() as (header, batches):
            return rows_frame(batches, header)

    def issues(self) -> DataFrame:
        """Return a line for every issue of every row, read from the journal.

        Columns: `row`, `code`, `severity` (`error` or `warning`), `field` (the API's name), `column` (the source's),
        `message`.

        Raises:
            ImporterError: as for `rows`.
        """
        from importer.results.frames import issues_frame  # noqa: PLC0415  # pandas, half a second

        with self._reopened() as (_, batches):
            return issues_frame(batches)

    def _reopened(self) -> AbstractContextManager[tuple[Header, Iterator[ResultBatch]]]:
        if self.recorded is None:
            raise UsageError("This report has no rows: nothing was read.")
        return self.recorded()

    def __repr__(self) -> str:
        return f"Report(source={self.source!r}, run_id={self.run_id!r}, counts={dict(self.counts)}, {self.verdict!r})"

    def _repr_html_(self) -> str:
        """Return the report in short, as notebooks show it; values of cells are not in it."""
        from importer.results.notebook import notebook_html  # noqa: PLC0415  # jinja2, and only needed here

        return notebook_html(self)

    @property
    def warning(self) -> str:
        """What has to be known about the target beside the rows, in a sentence; empty when nothing has."""
        return others_there(self.others)

    def advice(self, cluster: Cluster) -> Advice:
        """Return the title of a cluster and what to do about it."""
        return advise(cluster, all_codes(self.contract.codes))

    def as_json(self) -> dict[str, Any]:
        """Return the report in plain JSON types, the interface's keys first and in its order."""
        return {
            "command": self.command,
            "run_id": self.run_id,
            "source": self.source,
            "target": self.target,
            "dry_run": self.dry_run,
            "counts": dict(self.counts),
            "issues": [_cluster(cluster, self.advice(cluster)) for cluster in self.clusters],
            "files": {kind: str(path) for kind, path in self.files.items()},
            "elapsed_seconds": round(self.elapsed_seconds, 3),
            "exit_code": int(self.exit_code),
            "error": self.error,
            **self._details(),
        }

    def _details(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "next_step": self.next_step,
            "next_command": self.next_command,
            "typed": {"file": self.path, **self.commands.kept()},
            "state": self.state,
            "started_at": _iso(self.started_at),
            "ended_at": _iso(self.ended_at),
            "source_info": _source(self.source_info) if self.source_info else None,
            "mapping": dict(self.mapping),
            "changes": dict(self.changes),
            "preview": [one.as_json() for one in self.preview],
            "rate": dict(self.rate),
            "rehearsal": dict(self.rehearsal),
            "learned": dict(self.learned),
            "unknown": [{"row": unknown.row, "candidates": list(unknown.candidates)} for unknown in self.unknown],
            "idv": dict(self.idv),
            "forecast": dict(self.forecast),
            "known_from": [
                {**known, "first_at": _iso(known["first_at"]), "last_at": _iso(known["last_at"])}
                for known in self.known_from
            ],
            "returned": dict(self.returned),
            "others": self.others,
            "warning": self.warning,
            "versions": dict(self.versions),
        }


def _cluster(cluster: Cluster, advice: Advice) -> dict[str, Any]:
    return {
        "code": cluster.code,
        "field": cluster.field,
        "column": cluster.column,
        "count": cluster.count,
        "rows": list(cluster.rows),
        "severity": str(cluster.severity),
        "message": cluster.message,
        "title": advice.title,
        "fix": advice.fix,
    }


def _source(info: SourceInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "format": info.format,
        "sheet": info.sheet,
        "columns": list(info.columns),
        "detected": [_detected(found) for found in info.detected],
        "warnings": list(info.warnings),
    }


def _detected(found: Detected) -> dict[str, Any]:
    return {"what": found.what, "value": found.value, "confidence": found.confidence, "note": found.note}


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


class UnknownRows:
    """Gathers the rows that ended `unknown`; usable as a watcher of `write_results`."""

    def __init__(self) -> None:
        self.rows: list[UnknownRow] = []

    def __call__(self, batch: ResultBatch) -> None:
        """Take a batch; beyond the first 10,000 unknown rows the report points to results.csv."""
        if RowState.UNKNOWN not in batch.states:
            return
        for place, state in enumerate(batch.states):
            if state is RowState.UNKNOWN and len(self.rows) < MAX_UNKNOWN_ROWS:
                self.rows.append(UnknownRow(batch.rows[place], batch.candidates.get(place, ())))


def write_json(report: Report, directory: Path) -> Path:
    """Write `report.json` into `directory`, whole or not at all.

    Raises:
        StorageError: the folder cannot be written.
    """
    with AtomicFiles(directory) as aside:
        stream = aside.text("report.json")
        json.dump(report.as_json(), stream, ensure_ascii=False, indent=2)
        stream.write("\n")
    return directory / "report.json"
