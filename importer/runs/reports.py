"""The report of a run, put together from its journal. Writes nothing, and never decides about a row."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from importer.core.commands import Commands
from importer.core.contract import Contract, Kind
from importer.core.distribution import installed_version, version_of
from importer.core.errors import ExitCode
from importer.core.issues import Severity
from importer.core.results import Cluster, ResultBatch, RunSummary
from importer.core.states import DRY_RUN_STATES, FINAL_STATES, RowState, as_reported
from importer.journal import Journal, Replay, RunFacts, StoredRun
from importer.readers import STDIN
from importer.results import (
    ClusterCounter,
    FailingRows,
    Header,
    Report,
    UnknownRows,
    undone_of,
    verdict,
)
from importer.runs import registry
from importer.runs.endings import Ending, ending_of, exit_code, follow_up
from importer.runs.kept_profile import contract_of_run

_DECIDING_LIBRARIES = ("email-validator", "pandas", "phonenumbers", "pycountry", "pydantic")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is gathered from the rows of a run as they pass.

    Args:
        contract: what the records are.
    """

    contract: Contract
    clusters: ClusterCounter
    unknown: UnknownRows = field(default_factory=UnknownRows)
    failing: FailingRows = field(default_factory=FailingRows)

    @classmethod
    def of(cls, contract: Contract) -> Self:
        """Begin with no row."""
        return cls(contract, ClusterCounter(contract))


def report_of(journal: Journal, stored: StoredRun, now: float) -> Report:
    """Return the report of a run as its journal has it at this moment; writes nothing, and names no files.

    Args:
        now: seconds since the epoch.
    """
    seen = Seen.of(contract_of_run(stored))
    for batch in journal.replay(stored.run, show_open=True).batches():
        seen.clusters(batch)
        seen.unknown(batch)
    ending = ending_of(journal, stored, "show", now, now)
    report = compose(journal, stored.run, ending, seen, commands=stored.commands)
    return judge(with_exit_code(report, ending, "", partial_ok=False))


def with_exit_code(report: Report, ending: Ending, imbalance: str, *, partial_ok: bool) -> Report:
    """Return a report with its exit code.

    Args:
        imbalance: where the written files differ from the journal, as a sentence; empty: nowhere.
        partial_ok: rows that failed do not fail the run.
    """
    refused = sum(one["count"] for one in report.returned.get("refused", ()))
    code = exit_code(
        report.counts,
        ending.reason,
        balanced=not imbalance,
        partial_ok=partial_ok,
        refused=refused,
        follow_up=report.follow_up,
    )
    return replace(report, exit_code=code, error=imbalance or report.error)


def judge(report: Report) -> Report:
    """Return a report with its verdict and the next step."""
    judged = verdict(report)
    return replace(report, verdict=judged.sentence, next_step=judged.next_step, next_command=judged.command)


def compose(journal: Journal, run: int, ending: Ending, seen: Seen, *, commands: Commands) -> Report:
    """Put the report of a run together, apart from its exit code and what depends on its files."""
    summary, facts, replay = journal.runs.summary(run), journal.runs.facts(run), journal.replay(run)
    counts = _full_counts(summary)
    returned = facts.returned.as_json()
    return Report(
        command=ending.command,
        run_id=summary.run_id,
        source=summary.source,
        target=summary.target,
        dry_run=summary.dry_run,
        state="stopped" if ending.reason else "finished",
        counts=counts,
        clusters=_with_refused_lines(seen.clusters.clusters(), returned),
        exit_code=ExitCode.OK,
        returned=returned,
        elapsed_seconds=ending.ended_at - ending.started_at,
        error=ending.message or None,
        started_at=ending.started_at,
        ended_at=ending.ended_at,
        source_info=facts.source.info(summary.source, summary.columns, summary.sheet),
        mapping=facts.mapping,
        changes=_change_totals(replay),
        rate=facts.rate.as_json(),
        rehearsal=facts.rehearsal.as_json(),
        learned=facts.learned.as_json(),
        unknown=seen.unknown.rows,
        idv=facts.idv.as_json(),
        follow_up=follow_up(journal, run, facts),
        undone=undone_of(journal.steps(run).counts()),
        stopped_by=ending.reason,
        versions=_versions(),
        forecast=facts.forecast.as_json(),
        known_from=_known_from(journal, run, counts),
        others=facts.others,
        plans=[one.model_dump(mode="json") for one in facts.plans],
        job="list" if facts.lists_only else facts.job,
        path=STDIN if Path(summary.path).name == STDIN else summary.path,
        commands=commands,
        contract=seen.contract,
        recorded=partial(recorded_rows, commands.workspace.absolute(), summary.run_id),
    )


@contextmanager
def recorded_rows(workspace: Path, run_id: str) -> Iterator[tuple[Header, Iterator[ResultBatch]]]:
    """Open the journal of a run once more: its table's header, and its rows as they are now.

    Raises:
        UsageError: there is no such run any more, it was purged, or it was never read to its end.
        JournalError: its journal cannot be read.
    """
    with registry.opened_run(workspace, run_id) as run:
        run.stored.require_whole()
        run.stored.require_loaded()
        yield (
            table_header(run.summary, run.stored.facts, contract_of_run(run.stored)),
            run.journal.replay(run.stored.run, show_open=True).batches(),
        )


def table_header(summary: RunSummary, facts: RunFacts, contract: Contract) -> Header:
    """Return what all rows of a run's tables share.

    Args:
        facts: what the run has noted; with steps after a create there are more columns.
        contract: what the records are.
    """
    return Header(
        summary.columns,
        summary.sheet,
        summary.run_id,
        summary.extra,
        has_steps=bool(facts.after_create.steps),
        numeric=frozenset(_amounts(facts, contract)),
    )


def _amounts(facts: RunFacts, contract: Contract) -> Iterator[str]:
    """Yield the columns of amounts, without those that a number would mean something else in."""
    found = {value for what, value, *_ in facts.source.detected if what == "decimal"}
    for name, column in facts.mapping.items():
        spec = contract.spec(name)
        if spec is not None and spec.kind is Kind.AMOUNT and f"{column}: decimal comma" not in found:
            yield column


def _with_refused_lines(clusters: Sequence[Cluster], returned: Mapping[str, Any]) -> tuple[Cluster, ...]:
    """Add what is wrong with lines that came back and have no row to say it of; their numbers are those in the file."""
    known = {cluster.code for cluster in clusters}
    lines = [
        Cluster(one["code"], "", "", Severity.ERROR, one["message"], one["count"], tuple(one["lines"]))
        for one in returned.get("refused", ())
        if one["code"] not in known
    ]
    return (*lines, *clusters)


def _full_counts(summary: RunSummary) -> dict[str, int]:
    states, counts = DRY_RUN_STATES if summary.dry_run else FINAL_STATES, as_reported(summary.counts)
    return {name: counts.get(name, 0) for name in ("read", *(state.value for state in states))}


def _known_from(journal: Journal, run: int, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return which runs existing customers are known from that the target was not asked about."""
    if not counts.get(RowState.EXISTING, 0):
        return []
    return [known._asdict() for known in journal.earlier.known_from(run)]


def _change_totals(replay: Replay) -> Mapping[str, int]:
    totals: Counter[str] = Counter()
    for change in replay.changes():
        totals[change.rule] += change.count
    return totals


def _versions() -> dict[str, str]:
    libraries = {name: version_of(name) or "unknown" for name in _DECIDING_LIBRARIES}
    return {"python": platform.python_version(), "importer": installed_version(), **libraries}
