"""A run becomes its files and its report: everything a person reads, rendered from the journal and proved.

Never decides about a row; the exit code is read off the counts and the reason of the stop.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from importer.core.commands import Commands
from importer.core.distribution import installed_version
from importer.core.errors import BalanceError, ExitCode, StorageError
from importer.core.events import Event
from importer.core.issues import Severity
from importer.core.ports import Events
from importer.core.results import Cluster, ResultBatch, RunSummary
from importer.core.states import DRY_RUN_STATES, FINAL_STATES, LEFT_OPEN, RowState, as_they_stand
from importer.journal import FINISHED, STOPPED, Journal, RehearsalFacts, Replay, RunFacts, StoredRun
from importer.observe import LOG_NAME
from importer.profile import Profile
from importer.readers import STDIN
from importer.results import (
    ClusterCounter,
    FailingRows,
    Header,
    Recount,
    Report,
    Share,
    UnknownRows,
    compare,
    digests,
    keep_mended,
    publish,
    verdict,
    write_json,
)
from importer.results.html import write_html
from importer.results.tables import Batches, write_results
from importer.runs import registry
from importer.runs.as_sent import preview
from importer.runs.preconditions import contract_of_run
from importer.runs.rehearsal import sentence

_STOP_CODES: Mapping[str, ExitCode] = {
    "access": ExitCode.ACCESS,
    "max_errors": ExitCode.STOPPED,
    "max_error_rate": ExitCode.STOPPED,
    "fail_fast": ExitCode.STOPPED,
    "breaker": ExitCode.STOPPED,
    "canary": ExitCode.STOPPED,
    "window": ExitCode.TRY_LATER,
    "quota": ExitCode.TRY_LATER,
    "sigint": ExitCode.SIGINT,
    "sigterm": ExitCode.SIGTERM,
    "cut_off": ExitCode.STOPPED,
}

RECEIPT_NAME = "receipt.json"
"""Written after everything else, since it holds the hashes of the other files."""

_DECIDING_LIBRARIES = ("email-validator", "pandas", "phonenumbers", "pycountry", "pydantic")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a pass over a run ended, apart from its counts.

    Args:
        reason: why it stopped; empty when it went through.
        message: the same as a sentence.
        started_at: of this pass, seconds since the epoch.
    """

    command: str
    started_at: float
    ended_at: float
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """Follows how far the writing of a run's files is.

    Args:
        emit: hears of it.
        now: the wall clock, seconds since the epoch.
    """

    emit: Events
    now: Callable[[], float]

    def stage(self, name: str, **numbers: int) -> None:
        """Say that a part begins; with `rows`, where it is known how far that is."""
        self.emit(Event("results_stage", {"stage": name, **numbers}))

    def passing(self, batches: Batches, *, then: str) -> Batches:
        """The rows of a run, each of them announced when it was dealt with.

        Args:
            then: the part that begins when all of them were.
        """

        def announced() -> Iterator[ResultBatch]:
            for batch in batches():
                yield batch
                self.emit(Event("results_written", {"rows": len(batch)}))
            self.stage(then)

        return announced


_CUT_OFF = "The run was cut off; its rows stand here as the journal has them."


def ending_of(journal: Journal, stored: StoredRun, command: str, started_at: float, ended_at: float) -> Ending:
    """How the last pass over a run ended, as far as the journal knows: who was cut off could not write it down.

    Args:
        command: what is being done now, from `started_at` to `ended_at`.
    """
    counts = journal.runs.counts(stored.run)
    standing, noted = as_they_stand(counts), stored.facts.stopped_by
    if is_open(counts):
        return Ending(command, started_at, ended_at, "cut_off", _CUT_OFF)
    if stored.phase == FINISHED or not (noted or standing.get(RowState.UNSENT)):
        return Ending(command, started_at, ended_at)
    if stored.phase != STOPPED and not standing.get(RowState.UNSENT):
        return Ending(command, started_at, ended_at)  # the reason is that of an earlier pass
    message = stored.facts.stopped_message or _CUT_OFF
    return Ending(command, started_at, ended_at, noted or "cut_off", message)


def is_open(counts: Mapping[str, int]) -> bool:
    """Whether a pass that was cut off has left rows open."""
    return any(counts.get(state, 0) for state in LEFT_OPEN)


def render(
    journal: Journal,
    run: int,
    directory: Path,
    profile: Profile,
    ending: Ending,
    *,
    share: Share,
    watch: Watch,
) -> Report:
    """Write every file of a run into a directory, count them again, and say how it ended.

    Args:
        journal: where it can only be looked at, nothing is noted, and `directory` is not the run's own.
        share: who counts, beside this process where the file is large.
        watch: follows how far the writing is.

    Raises:
        StorageError: the directory cannot be written; files of an earlier pass are still whole.
        UsageError: a results format needs a library that is not installed.
    """
    is_sent = ending.command != "export" and not journal.runs.summary(run).dry_run
    try:
        return _rendered(journal, run, directory, profile, ending, share=share, watch=watch)
    except StorageError as error:
        resume = profile.commands.resume(journal.runs.summary(run).run_id)
        then = f"`{resume}` then writes them, and sends nothing again." if is_sent else ""
        raise StorageError(error.message, f"{error.hint} {then}".strip()) from error


def _rendered(
    journal: Journal,
    run: int,
    directory: Path,
    profile: Profile,
    ending: Ending,
    *,
    share: Share,
    watch: Watch,
) -> Report:
    summary, replay = journal.runs.summary(run), journal.replay(run, as_it_stands=True)
    header = _table_header(summary)
    facts = journal.runs.facts(run)
    keep_mended(directory, facts.files)
    clusters, unknown, failing = ClusterCounter(profile.contract), UnknownRows(), FailingRows()
    recount = Recount(header.source_names, share)
    tables = write_results(
        watch.passing(replay.batches, then="recount"),
        header,
        directory,
        formats=profile.results.formats,
        settings=profile.results,
        recount=recount,
        watchers=(clusters, unknown, failing),
    )
    imbalance = _imbalance(recount, tables["results"], _full_counts(summary)) or _broken_rehearsal(facts.rehearsal)
    report = _composed(journal, run, ending, clusters, unknown, commands=profile.commands, imbalance=imbalance)
    seen = preview(
        journal, journal.runs.find(summary.run_id), profile.results.preview, show_values=profile.results.show_values
    )
    code = _code(report, ending, imbalance, partial_ok=profile.results.partial_ok)
    report = replace(report, contract=profile.contract, exit_code=code, preview=seen)
    batches = watch.passing(replay.batches, then="workbook_saved")
    annotated = _annotated(batches, header, report, directory, profile=profile, facts=facts, watch=watch)
    watch.stage("report")
    report = _timed(report, ending, watch.now())  # writing the files is a part of it
    files = {**tables, **annotated, "html": directory / "report.html", "report": directory / "report.json"}
    beside = _beside(directory, is_sent=not summary.dry_run) if journal.writes else {}
    report = _judged(replace(report, files={**files, **beside}))
    write_html(report, failing, summary.columns, directory, show_values=profile.results.show_values)
    report = _timed(report, ending, watch.now())
    write_json(report, directory)
    if journal.writes:
        journal.runs.note(run, RunFacts(files=digests(files)))
        if profile.results.out is not None:
            publish(files, profile.results.out)
    return report


def _timed(report: Report, ending: Ending, ended_at: float) -> Report:
    return replace(report, elapsed_seconds=ended_at - ending.started_at, ended_at=ended_at)


def _beside(directory: Path, *, is_sent: bool) -> dict[str, Path]:
    """What others write into the run's own directory."""
    receipt = {"receipt": directory / RECEIPT_NAME} if is_sent else {}
    return {"log": directory / LOG_NAME, **receipt}


def report_of(journal: Journal, stored: StoredRun, now: float) -> Report:
    """The report of a run as its journal has it at this moment; writes nothing, and names no files.

    Args:
        now: seconds since the epoch.
    """
    contract = contract_of_run(stored)
    clusters, unknown = ClusterCounter(contract), UnknownRows()
    for batch in journal.replay(stored.run, as_it_stands=True).batches():
        clusters(batch)
        unknown(batch)
    ending = ending_of(journal, stored, "show", now, now)
    report = _composed(journal, stored.run, ending, clusters, unknown, commands=stored.commands)
    report = replace(report, contract=contract, exit_code=_code(report, ending, "", partial_ok=False))
    return _judged(report)


def _code(report: Report, ending: Ending, imbalance: str, *, partial_ok: bool) -> ExitCode:
    refused = sum(one["count"] for one in report.returned.get("refused", ()))
    return exit_code(report.counts, ending.reason, balanced=not imbalance, partial_ok=partial_ok, refused=refused)


def _judged(report: Report) -> Report:
    judged = verdict(report)
    return replace(report, verdict=judged.sentence, next_step=judged.next_step, next_command=judged.command)


def _composed(
    journal: Journal,
    run: int,
    ending: Ending,
    clusters: ClusterCounter,
    unknown: UnknownRows,
    *,
    commands: Commands,
    imbalance: str = "",
) -> Report:
    """Put the report together, apart from what depends on its files."""
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
        clusters=_with_refused_lines(clusters.clusters(), returned),
        exit_code=ExitCode.OK,
        returned=returned,
        elapsed_seconds=ending.ended_at - ending.started_at,
        error=imbalance or ending.message or None,
        started_at=ending.started_at,
        ended_at=ending.ended_at,
        source_info=facts.source.info(summary.source, summary.columns, summary.sheet),
        mapping=facts.mapping,
        changes=_change_totals(replay),
        rate=facts.rate.as_json(),
        rehearsal=facts.rehearsal.as_json(),
        learned=facts.learned.as_json(),
        unknown=unknown.rows,
        idv=facts.idv.as_json(),
        versions=_versions(),
        forecast=facts.forecast.as_json(),
        known_from=_known_from(journal, run, counts),
        others=facts.others,
        path=STDIN if Path(summary.path).name == STDIN else summary.path,
        commands=commands,
        recorded=partial(recorded_rows, commands.workspace.absolute(), summary.run_id),
    )


@contextmanager
def recorded_rows(workspace: Path, run_id: str) -> Iterator[tuple[Header, Iterator[ResultBatch]]]:
    """Open the journal of a run once more: its table's header, and its rows as they stand.

    Raises:
        UsageError: there is no such run any more, it was purged, or it was never read to its end.
        JournalError: its journal cannot be read.
    """
    with registry.opened_run(workspace, run_id) as run:
        run.stored.require_whole()
        run.stored.require_loaded()
        yield _table_header(run.summary), run.journal.replay(run.stored.run, as_it_stands=True).batches()


def _table_header(summary: RunSummary) -> Header:
    return Header(summary.columns, summary.sheet, summary.run_id, summary.extra)


def _annotated(
    batches: Batches,
    header: Header,
    report: Report,
    directory: Path,
    *,
    profile: Profile,
    facts: RunFacts,
    watch: Watch,
) -> dict[str, Path]:
    """The user's own sheet with the offending cells marked: for workbooks, and wherever a workbook was asked for."""
    is_workbook = report.source_info is not None and report.source_info.format == "excel"
    if not is_workbook and "xlsx" not in profile.results.formats:
        return {}
    watch.stage("workbook", rows=report.counts.get("read", 0))
    from importer.results.annotated import write_annotated  # noqa: PLC0415  # its library takes longer than a small file

    source, fixed = Path(facts.path), frozenset(facts.fixed)
    return {"annotated": write_annotated(batches, header, report, directory, source=source, fixed=fixed)}


def exit_code(
    counts: Mapping[str, int], reason: str, *, balanced: bool = True, partial_ok: bool = False, refused: int = 0
) -> ExitCode:
    """The exit code of a run; where several apply, the first in the order 9, 5, 4, signal, 75, 8, 3 wins.

    Args:
        counts: rows per state.
        reason: why the run stopped; empty when it went through.
        partial_ok: rows that failed do not fail the run.
        refused: lines of a file that came back which were not taken into the run.
    """
    if not balanced:
        return ExitCode.BALANCE
    if reason:
        return _STOP_CODES[reason]
    if counts.get(RowState.UNKNOWN, 0):
        return ExitCode.SOME_UNKNOWN
    if refused or any(counts.get(state, 0) for state in (RowState.INVALID, RowState.REJECTED, RowState.FAILED)):
        return ExitCode.OK if partial_ok else ExitCode.SOME_FAILED
    return ExitCode.OK


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
    states, counts = DRY_RUN_STATES if summary.dry_run else FINAL_STATES, as_they_stand(summary.counts)
    return {name: counts.get(name, 0) for name in ("read", *(state.value for state in states))}


def _known_from(journal: Journal, run: int, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Where customers are known from that nobody asked the target about."""
    if not counts.get(RowState.EXISTING, 0):
        return []
    return [known._asdict() for known in journal.earlier.known_from(run)]


def _imbalance(recount: Recount, results: Path, counts: Mapping[str, int]) -> str:
    """What the recount of the written file does not bear out, as a sentence."""
    try:
        compare(counts, recount.counts(results))
    except BalanceError as error:
        return str(error)
    return ""


def _broken_rehearsal(found: RehearsalFacts) -> str:
    if not found.lost and not found.twice:
        return ""
    return f"The emulator holds something else than the results say ({sentence(found.as_json())}): this is a bug."


def _change_totals(replay: Replay) -> Mapping[str, int]:
    totals: Counter[str] = Counter()
    for change in replay.changes():
        totals[change.rule] += change.count
    return totals


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "importer": installed_version()}
    for name in _DECIDING_LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # put into place without its metadata
            found[name] = "unknown"
    return found
