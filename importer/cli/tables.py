"""Lists for people: the runs of a workspace, the story of a row. Data, so on standard output."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from importer.cli.output import harmless, preview_lines
from importer.results import label, value_in_words

_WIDE = 200
"""Columns for files and pipes, where nothing needs to be cut."""


def tell_runs(runs: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a run."""
    if not runs:
        _console().print("There are no runs in this workspace yet.")
        return
    table = _table("Run", "State", "Source", "Target", "Rows", "Outcome", "Exit")
    for run in runs:
        counts = {name: count for name, count in run["counts"].items() if count and name != "read"}
        table.add_row(
            run["run_id"],
            "dry run" if run["dry_run"] else "purged" if run["purged_at"] else run["state"],
            escape(run["source"]),
            "" if run["dry_run"] else run["target"],
            f"{run['counts'].get('read', 0):,}",
            ", ".join(f"{count:,} {name}" for name, count in counts.items()),
            "" if run["exit_code"] is None else str(int(run["exit_code"])),
        )
    _console().print(table)


def tell_story(story: Mapping[str, Any]) -> None:
    """Print everything known about one row."""
    console = _console()
    run = f"{'dry run' if story['dry_run'] else 'run'} {story['run_id']}"
    what = f"Row {story['row']} of {story['source']}, {run}: {story['state']} {story['customer_id']}".rstrip()
    console.print(what, markup=False, highlight=False)
    if len(story["group"]) > 1:
        rows = ", ".join(map(str, story["group"]))
        console.print(f"One business with several contacts: rows {rows}. Row {story['group'][0]} is sent for all.")
    if story["candidates"]:
        console.print(f"Could be one of: {', '.join(story['candidates'])}")
    if not story["shows_values"]:
        console.print("Values are masked; --show-values shows them.")
    console.print("\nCells")
    for name, text in story["cells"].items():
        console.print(f"  {name}: {text}", markup=False, highlight=False)
    if story["changes"]:
        console.print("\nChanged")
    for one in story["changes"]:
        line = f"  {one['field']}: {one['before']} -> {one['after']}  [{one['rule']}]"
        console.print(line, markup=False, highlight=False)
    if story["body"]:
        console.print("\nWould be sent" if story["dry_run"] else "\nSent")
        console.print_json(data=story["body"])
    for issue in story["issues"]:
        console.print(f"\n{issue['severity']}: {issue['message']} [{issue['code']}]", markup=False, highlight=False)
    console.print("\nRequests" if story["attempts"] else "\nNo request was made for it.")
    for attempt in story["attempts"]:
        console.print(_attempt(attempt), markup=False, highlight=False)


def _attempt(attempt: Mapping[str, Any]) -> str:
    status = attempt["http_status"] or attempt["error_code"] or "answered"
    trace = f", trace {attempt['trace_id']}" if attempt["trace_id"] else ""
    when, took = attempt["started_at"], attempt["duration_s"]
    return f"  {attempt['number']}. {when} {attempt['kind']}: {status} → {attempt['verdict']} ({took:.3f} s{trace})"


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold", no_wrap=header == "Run")  # a run id is copied
    return table


def _console() -> Console:
    return Console(soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)


def tell_inspection(seen: Mapping[str, Any]) -> None:
    """Print what the reader saw, and the proposed mapping."""
    console = _console()
    sheet = f", sheet {seen['sheet']}" if seen["sheet"] else ""
    columns = len(seen["columns"])
    console.print(
        f"{seen['source']}: {seen['format']}{sheet}, {columns} {'column' if columns == 1 else 'columns'}",
        markup=False,
        highlight=False,
    )
    for found in seen["detected"]:
        sure = "" if found["confidence"] >= 1 else f"{found['confidence']:.0%} sure"
        why = "; ".join(part for part in (sure, found["note"]) if part)
        line = f"  {label(found['what'])}: {value_in_words(found)}{f' ({why})' if why else ''}"
        console.print(line, markup=False, highlight=False)
    for warning in seen["warnings"]:
        console.print(f"  ! {warning}", markup=False, highlight=False)
    table = _table("Column", "Customer field", "Score", "Why")
    for match in seen["mapping"]:
        score = f"{match['score']:.0%}" if match["field"] else ""
        table.add_row(*map(escape, (match["column"], match["field"] or "(not used)", score, match["why"])))
    console.print()
    console.print(table)
    if seen["preview"]:
        console.print("\nAs they would be sent:")
    for line in preview_lines(seen["preview"]):
        console.print(harmless(line), markup=False, highlight=False)


def tell_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a check, and under it how to mend what is not well."""
    console = _console()
    for one in findings:
        console.print(f"{one['status']:<4}  {one['check']:<12}  {one['message']}", markup=False, highlight=False)
        if one["mend"] and one["status"] != "ok":
            console.print(f"{'':<20}→ {one['mend']}", markup=False, highlight=False)


def tell_purge(done: Mapping[str, Any]) -> None:
    """Print which runs lose their personal data."""
    console = _console()
    verb = "Would purge" if done["dry_run"] else "Purged"
    console.print(f"{verb} {len(done['purged'])} run(s), {done['bytes']:,} bytes of files.", highlight=False)
    for one in done["purged"]:
        console.print(f"  {one['run_id']}  {one['kind']}  {one['source']}".rstrip(), markup=False, highlight=False)
    for path in done["places"]:
        console.print(f"  {path}  put there by a night", markup=False, highlight=False)
    for path in done["copies"]:
        console.print(f"  {path}  copy of the journal before an upgrade", markup=False, highlight=False)
    for one in done["kept"]:
        console.print(f"Kept {one['run_id']}: it can still be resumed.", markup=False, highlight=False)
    if done["kept"]:
        console.print("Resume them, or add --force to give them up.", highlight=False)
    for note in done["notes"]:
        console.print(f"Note: {note}", markup=False, highlight=False)


def tell_verified(result: Mapping[str, Any]) -> None:
    """Print what a receipt says and what was found."""
    console = _console()
    verdict = "holds" if result["verified"] else "DOES NOT HOLD"
    console.print(f"Receipt {result['number']} of run {result['run_id']} {verdict}.", highlight=False)
    for one in result["checks"]:
        line = f"  {one['status']:<7}  {one['what']}" + (f": {one['message']}" if one["message"] else "")
        console.print(line, markup=False, highlight=False)
    console.print(f"SHA-256 of the receipt: {result['receipt']}", highlight=False)
