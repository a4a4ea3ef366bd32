"""Lists for people: the runs of a workspace, everything about a row. Data, so on standard output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape

from importer.cli.output import harmless, preview_lines
from importer.cli.screen import console, table
from importer.core.labels import counted
from importer.results import label, value_in_words


def print_runs(runs: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a run."""
    if not runs:
        console().print("There are no runs in this workspace yet.")
        return
    listed = table("Run", "State", "Source", "Target", "Rows", "Outcome", "Exit", whole="Run")
    for run in runs:
        counts = {name: count for name, count in run["counts"].items() if count and name != "read"}
        listed.add_row(
            run["run_id"],
            "dry run" if run["dry_run"] else "purged" if run["purged_at"] else run["state"],
            escape(run["source"]),
            "" if run["dry_run"] else run["target"],
            f"{run['counts'].get('read', 0):,}",
            ", ".join([*(f"{count:,} {name}" for name, count in counts.items()), *_open_steps(run)]),
            "" if run["exit_code"] is None else str(int(run["exit_code"])),
        )
    console().print(listed)


def print_plans(plans: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each plan of a team that waits to be sent."""
    for plan in plans:
        signed = f"signed by {', '.join(plan['signatures'])}" if plan["signatures"] else "signed by nobody"
        what = f"{plan['job']} of {counted(plan['rows'], 'customer')} at {plan['target']}, made by {plan['author']}"
        line = f"Plan {plan['plan'][:8]}: {what}, {signed}; good until {plan['expires_at']}."
        console().print(line, markup=False, highlight=False)


def _open_steps(run: Mapping[str, Any]) -> list[str]:
    count = run.get("open_steps", 0)
    return [f"{counted(count, 'step')} open"] if count else []


def print_row(row: Mapping[str, Any]) -> None:
    """Print everything known about one row."""
    screen = console()
    for line in _about_row(row):
        screen.print(line, markup=False, highlight=False)
    if row["body"]:
        screen.print("\nWould be sent" if row["dry_run"] else "\nSent")
        screen.print_json(data=row["body"])
    if row["after"]:
        screen.print("\nFor the steps after the create")
        screen.print_json(data=row["after"])
    for line in _what_came_of_row(row):
        screen.print(line, markup=False, highlight=False)


def _about_row(row: Mapping[str, Any]) -> Iterator[str]:
    run = f"{'dry run' if row['dry_run'] else 'run'} {row['run_id']}"
    yield f"Row {row['row']} of {row['source']}, {run}: {row['state']} {row['customer_id']}".rstrip()
    if len(row["group"]) > 1:
        rows = ", ".join(map(str, row["group"]))
        yield f"One business with several contacts: rows {rows}. Row {row['group'][0]} is sent for all."
    if row["candidates"]:
        yield f"Could be one of: {', '.join(row['candidates'])}"
    if not row["shows_values"]:
        yield "Values are masked; --show-values shows them."
    yield "\nCells"
    yield from (f"  {name}: {text}" for name, text in row["cells"].items())
    if row["corrected"]:
        yield "\nCorrected"
    yield from (f"  {one['column']}: {one['before']} -> {one['after']}" for one in row["corrected"])
    if row["changes"]:
        yield "\nChanged"
    yield from (f"  {one['field']}: {one['before']} -> {one['after']}  [{one['rule']}]" for one in row["changes"])


def _what_came_of_row(row: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"\n{issue['severity']}: {issue['message']} [{issue['code']}]" for issue in row["issues"])
    yield "\nRequests" if row["attempts"] else "\nNo request was made for it."
    yield from map(_attempt, row["attempts"])
    for step in row["steps"]:
        yield f"\n{_step(step)}"
        yield from (f"  {detail}" for detail in step["detail"])
        yield from map(_attempt, step["attempts"])


def _step(step: Mapping[str, Any]) -> str:
    """One step after the create on one line."""
    name = f"{step['step']} {step['part']}".rstrip()
    known = ("status", "outcome", "reference")
    more = ", ".join(f"{what} {step[what]}" for what in known if step[what])
    return f"Step {name}: {step['state'].replace('_', ' ')}{f' ({more})' if more else ''}"


def _attempt(attempt: Mapping[str, Any]) -> str:
    status = attempt["http_status"] or attempt["error_code"] or "answered"
    trace = f", trace {attempt['trace_id']}" if attempt["trace_id"] else ""
    when, took = attempt["started_at"], attempt["duration_s"]
    return f"  {attempt['number']}. {when} {attempt['kind']}: {status} → {attempt['verdict']} ({took:.3f} s{trace})"


def print_inspection(seen: Mapping[str, Any]) -> None:
    """Print what the reader saw, and the proposed mapping."""
    screen = console()
    sheet = f", sheet {seen['sheet']}" if seen["sheet"] else ""
    columns = counted(len(seen["columns"]), "column")
    screen.print(
        f"{seen['source']}: {seen['format']}{sheet}, {columns}",
        markup=False,
        highlight=False,
    )
    for found in seen["detected"]:
        sure = "" if found["confidence"] >= 1 else f"{found['confidence']:.0%} sure"
        why = "; ".join(part for part in (sure, found["note"]) if part)
        line = f"  {label(found['what'])}: {value_in_words(found)}{f' ({why})' if why else ''}"
        screen.print(line, markup=False, highlight=False)
    for warning in seen["warnings"]:
        screen.print(f"  ! {warning}", markup=False, highlight=False)
    listed = table("Column", "Customer field", "Score", "Why")
    for match in seen["mapping"]:
        score = f"{match['score']:.0%}" if match["field"] else ""
        listed.add_row(*map(escape, (match["column"], match["field"] or "(not used)", score, match["why"])))
    screen.print()
    screen.print(listed)
    if seen["after_create"]:
        screen.print(f"\n{seen['after_create']}", markup=False, highlight=False)
    if seen["preview"]:
        screen.print("\nAs they would be sent:")
    for line in preview_lines(seen["preview"]):
        screen.print(harmless(line), markup=False, highlight=False)


def print_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a check, and under it how to fix a problem."""
    screen = console()
    for one in findings:
        screen.print(f"{one['status']:<4}  {one['check']:<12}  {one['message']}", markup=False, highlight=False)
        if one["fix"] and one["status"] != "ok":
            screen.print(f"{'':<20}→ {one['fix']}", markup=False, highlight=False)


def print_purge(done: Mapping[str, Any]) -> None:
    """Print which runs lose their personal data."""
    screen = console()
    verb = "Would purge" if done["dry_run"] else "Purged"
    drafts = f" and {counted(len(done['drafts']), 'draft')}" if done["drafts"] else ""
    what = f"{counted(len(done['purged']), 'run')}{drafts}, {counted(done['bytes'], 'byte')} of files"
    screen.print(f"{verb} {what}.", highlight=False)
    for one in done["purged"]:
        screen.print(f"  {one['run_id']}  {one['kind']}  {one['source']}".rstrip(), markup=False, highlight=False)
    for one in done["drafts"]:
        screen.print(f"  {one['id']}  draft  {one['file']}".rstrip(), markup=False, highlight=False)
    for path in done["places"]:
        screen.print(f"  {path}  archived by a night", markup=False, highlight=False)
    for path in done["copies"]:
        screen.print(f"  {path}  copy of the journal before an upgrade", markup=False, highlight=False)
    for one in done["kept"]:
        why = "has open steps after its creates" if one["why"] == "open_steps" else "can still be resumed"
        screen.print(f"Kept {one['run_id']}: it {why}.", markup=False, highlight=False)
    if done["kept"]:
        screen.print("Resume them, or add --force to give them up.", highlight=False)
    for note in done["notes"]:
        screen.print(f"Note: {note}", markup=False, highlight=False)


def print_verified(result: Mapping[str, Any]) -> None:
    """Print what a receipt says and what was found."""
    screen = console()
    screen.print(f"Receipt {result['number']} of run {result['run_id']}", highlight=False)
    screen.print(result["error"] or "The receipt matches.", markup=False, highlight=False)
    for one in result["checks"]:
        line = f"  {one['status']:<9}  {one['what']}" + (f": {one['message']}" if one["message"] else "")
        screen.print(line, markup=False, highlight=False)
    screen.print(f"SHA-256 of the receipt: {result['receipt']}", highlight=False)
