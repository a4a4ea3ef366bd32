"""The end of a run in plain words: counts, the first issues, the files, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.cli.output import preview_lines
from importer.core.contract import FieldTable
from importer.core.labels import counted
from importer.results import learned_sentences, plan_sentences, read_as, steps_sentence, title_of
from importer.runs.rehearsal import sentence

_HEADINGS = {"error": ("What to fix", 10), "warning": ("Worth checking", 5)}
"""Headings of issues by their severity, and how many kinds of them are shown."""
_DID = {"follow": ("Followed", " at {}"), "verify": ("Read back", " from {}"), "update": ("Updated by", " at {}")}
"""What a command that imports nothing did with a file's customers, and where."""
_ALWAYS_SHOWN = ("created", "valid")


def summary(
    report: Mapping[str, Any], fields: FieldTable, *, took_s: float | None = None, previewed: bool = False
) -> str:
    """A report (its JSON form) for people, line by line.

    Args:
        fields: of the contract.
        previewed: show the first rows as they were or would be sent, too.
        took_s: how long its reader has waited; None: the duration of the report.
    """
    waited_s = report["elapsed_seconds"] if took_s is None else took_s
    return "\n".join(_lines(report, fields, waited_s, previewed=previewed))


def _lines(report: Mapping[str, Any], fields: FieldTable, took_s: float, *, previewed: bool) -> Iterator[str]:
    yield _headline(report, took_s)
    yield from _counts(report["counts"], always=() if report.get("job") else _ALWAYS_SHOWN)
    if steps := steps_sentence(report.get("follow_up") or {}):
        yield f"  {steps}"
    if report.get("rehearsal"):
        yield f"  {sentence(report['rehearsal'])}"
    if report["verdict"]:
        yield f"\n{report['verdict']}"
    yield from plan_sentences(report.get("plans") or ())
    yield from _returned(report.get("returned") or {})
    if report.get("warning"):
        yield f"Warning: {report['warning']}"
    yield from (f"Note: {learned}" for learned in learned_sentences(report.get("learned") or {}))
    yield from _reading(report.get("source_info") or {}, fields)
    if report.get("after_create"):
        yield report["after_create"]
    yield from _issues(report["issues"])
    if previewed:
        yield from _preview(report.get("preview") or (), dry_run=report["dry_run"])
    yield from _forecast(report.get("forecast") or {})
    if report["error"]:
        yield f"\n{report['error']}"
    yield from _files(report["files"])
    yield from _next(report["next_step"], report.get("next_command", ""))


def _headline(report: Mapping[str, Any], took_s: float) -> str:
    does = _DID["update"] if report.get("job") else ("Imported", " into {}")
    what, where = ("Checked", "") if report["dry_run"] else _DID.get(report["command"], does)
    if report.get("job") == "list":
        what, where = "Compared", " with {}"
    into = where.format(report["target"])
    count = report["counts"].get("read", 0)
    rows = counted(count, "row")
    return f"{what} {report['source']}{into}: {rows} in {took_s:.1f} s (run {report['run_id']})"


def _returned(returned: Mapping[str, Any]) -> Iterator[str]:
    """The rows that came back, and their outcome."""
    if not returned:
        return
    if returned.get("continues"):
        yield f"This run continues the dry run {returned['continues']}: its valid and fixed rows are imported."
    refused = sum(one["count"] for one in returned["refused"])
    outcomes = ((returned["changed"], "changed"), (returned["unchanged"], "unchanged"), (refused, "not taken"))
    counts_in_words = ", ".join(f"{count:,} {what}" for count, what in outcomes if count)
    if returned["file"]:
        yield f"Came back in {returned['file']}: {counts_in_words or 'nothing'}."
    if returned["checked"]:
        checked = f"{counted(returned['checked'], 'row')} {'was' if returned['checked'] == 1 else 'were'}"
        yield f"{checked} checked again; {returned['ready']:,} of them can be imported."


def _counts(counts: Mapping[str, int], always: Sequence[str]) -> Iterator[str]:
    for name, count in counts.items():
        if name != "read" and (count or name in always):
            yield f"  {name:<9} {count:>9,}"


def _forecast(forecast: Mapping[str, Any]) -> Iterator[str]:
    """The forecast, where there is a time limit or a quota."""
    if forecast.get("needed_per_s") is not None or forecast.get("quota_share") is not None:
        yield f"\nForecast: {forecast['text']}"


def _reading(source: Mapping[str, Any], fields: FieldTable) -> Iterator[str]:
    """How the file was read, and warnings about it as a whole."""
    yield from read_as(source.get("detected", ()), fields)
    for warning in source.get("warnings", ()):
        yield f"  ! {warning}"


def _issues(issues: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The first kinds of issues: errors under one heading, warnings under another."""
    left = len(issues)
    for severity, (heading, most) in _HEADINGS.items():
        chosen = [one for one in issues if one["severity"] == severity][:most]
        left -= len(chosen)
        if chosen:
            yield f"\n{heading}:"
        for issue in chosen:
            yield f"  {issue['count']:>6,} x {_sentence(issue)}  [{_place(issue)}]"
            if issue.get("fix"):
                yield f"           → {issue['fix'].replace('`', '')}"
    if left:
        yield f"  … and {counted(left, 'more kind')}; the report has all of them."


def _sentence(issue: Mapping[str, Any]) -> str:
    """What is wrong: the title of the code, or the message where the code has no title."""
    title = issue.get("title", "")
    return str(issue["message"] if title in ("", title_of(issue["code"])) else title)


def _place(issue: Mapping[str, Any]) -> str:
    rows = ", ".join(str(row) for row in issue["rows"][:5])
    more = ", …" if issue["count"] > min(len(issue["rows"]), 5) else ""
    field = f"{issue['field']}, " if issue["field"] else ""
    column = f"column '{issue['column']}', " if issue["column"] else field
    word = "row" if issue["count"] == 1 else "rows"
    return f"{issue['code']}; {column}{word} {rows}{more}" if rows else issue["code"]


def _preview(rows: Sequence[Mapping[str, Any]], *, dry_run: bool) -> Iterator[str]:
    if rows:
        yield "\nAs they would be sent:" if dry_run else "\nAs sent:"
        yield from preview_lines(rows)


def _files(files: Mapping[str, str]) -> Iterator[str]:
    if files:
        yield "\nFiles:"
    for kind, path in files.items():
        yield f"  {kind:<9} {path}"


def _next(step: str, command: str) -> Iterator[str]:
    """What to do next; the command on a line of its own, so that it can be copied."""
    if step:
        yield f"\n{step.removesuffix(command).rstrip()}"
    if command:
        yield f"  {command}"
