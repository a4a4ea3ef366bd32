"""What a report holds: numbers, names of columns, codes and sentences; values only.

Never a cell's value, unless a person asked to see values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from importer.core.commands import Commands
from importer.core.contract import Contract, contract_of
from importer.core.issue_codes import all_codes
from importer.core.results import Cluster
from importer.core.sources import SourceInfo
from importer.core.target_kinds import DEFAULT_KIND
from importer.results.clusters import Advice, advise
from importer.results.failing import UnknownRow
from importer.results.target_notes import others_there


@dataclass(frozen=True, slots=True)
class PreviewedField:
    """One field of a previewed row; values are masked unless the profile shows them.

    Args:
        field: the API's dotted name.
        column: the source column(s) that it comes from; empty for a constant.
        before: the cell of the source, unchanged.
        after: what is sent; empty where nothing is.
    """

    field: str
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PreviewedRow:
    """A row as it was or would be sent, with its cells.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """Everything to report about one run or dry run.

    Args:
        run_id: empty when it failed before there was a run.
        counts: `read` and the count of every state; {} when nothing was read.
        clusters: the issues of all rows, grouped; every cluster, never capped.
        files: kind to path; what was not written is not in it.
        error: the sentence that stopped the run; None when nothing did.
        verdict: the run in one sentence (see `verdict`).
        next_step: what to do now, in one line.
        next_command: the command in it; empty when there is none.
        path: where the source is: a path, an address, or `-`; empty when it is not known.
        commands: composes the commands that the report prints.
        state: `finished`, `stopped`, …; empty when there was no run.
        started_at: seconds since the epoch; None when there was no run.
        mapping: customer field to the source column(s) or constant that it came from.
        changes: normalisation rule to the number of values it altered.
        preview: the first rows as they were or would be sent, masked unless the profile says otherwise.
        rate: the limiter's receipt: allowed and measured request starts, of the last pass; where there were several,
            `passes` are those of each (None: it was killed), and `all_passes` their total.
        rehearsal: what the emulator counted, compared with the run's counts; {} when nothing was rehearsed.
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
        after_create: which steps rows will have after their create, in a sentence; only of a dry run.
        follow_up: the steps after the creates (see `follow_up_of`); {} where the run has none.
        undone: how many customers were taken back (see `undone_of`); {}: nobody has tried.
        stopped_by: why the last pass stopped, as the stop switch has it; empty: it went through, or was cut off.
        plans: those that its rows were sent by, the newest last (see `plan_sentences`).
        job: what the run does with its rows, where it does not import them: `update`, or `list` what one would change.
        contract: what the records are.
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
    after_create: str = ""
    follow_up: Mapping[str, Any] = field(default_factory=dict)
    undone: Mapping[str, int] = field(default_factory=dict)
    stopped_by: str = ""
    forecast: Mapping[str, Any] = field(default_factory=dict)
    known_from: Sequence[Mapping[str, Any]] = ()
    returned: Mapping[str, Any] = field(default_factory=dict)
    """What came back before this pass, as the run notes it: a file's lines, how many were changed, and what became
    of them."""
    others: int = 0
    plans: Sequence[Mapping[str, Any]] = ()
    job: str = ""
    contract: Contract = field(default_factory=partial(contract_of, DEFAULT_KIND), repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Report(source={self.source!r}, run_id={self.run_id!r}, counts={dict(self.counts)}, {self.verdict!r})"

    @property
    def warning(self) -> str:
        """What a person has to know about the target, in a sentence; empty when there is nothing."""
        return others_there(self.others)

    def returns(self, file: Path) -> str:
        """The command that takes fixed rows back: planned first where the rows of the run were."""
        back = self.commands.plan_retry if self.plans else self.commands.retry_fixed
        return back(self.run_id, file)

    def advice(self, cluster: Cluster) -> Advice:
        """Return the title of a cluster and what to do about it."""
        return advise(cluster, all_codes(self.contract.codes))
