"""The end of a run in plain words: counts, the first issues, the files, and what to type next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from importer.cli.output import say
from importer.rehearsal import sentence

SHOWN_ISSUES = 10
_DELIVERED = ("created", "existing", "valid")


def tell_report(report: Mapping[str, Any]) -> None:
    """Print a report (its JSON form) for people."""
    counts = {name: count for name, count in report["counts"].items() if name != "read"}
    say(_headline(report))
    for name, count in counts.items():
        if count or name in _DELIVERED[:1]:
            say(f"  {name:<9} {count:>9,}")
    if report.get("rehearsal"):
        say(f"  {sentence(report['rehearsal'])}")
    _tell_issues(report["issues"])
    if report["error"]:
        say(f"\n{report['error']}")
    _tell_files(report["files"])
    say(f"\nNext: {next_step(report)}")


def _headline(report: Mapping[str, Any]) -> str:
    what = "Checked" if report["dry_run"] else "Imported"
    into = "" if report["dry_run"] else f" into {report['target']}"
    rows = report["counts"].get("read", 0)
    return (
        f"{what} {report['source']}{into}: {rows:,} rows in {report['elapsed_seconds']:.1f} s (run {report['run_id']})"
    )


def _tell_issues(issues: Sequence[Mapping[str, Any]]) -> None:
    if not issues:
        return
    say("\nWhat to mend:" if any(one["severity"] == "error" for one in issues) else "\nWorth a look:")
    for issue in issues[:SHOWN_ISSUES]:
        say(f"  {issue['count']:>6,} x {issue['message']}  [{_place(issue)}]")
        if issue.get("mend"):
            say(f"           → {issue['mend']}")
    if len(issues) > SHOWN_ISSUES:
        say(f"  … and {len(issues) - SHOWN_ISSUES} more kinds; all of them are in the report.")


def _place(issue: Mapping[str, Any]) -> str:
    rows = ", ".join(str(row) for row in issue["rows"][:5])
    more = ", …" if issue["count"] > min(len(issue["rows"]), 5) else ""
    column = f"column {issue['column']}, " if issue["column"] else ""
    return f"{issue['code']}; {column}row {rows}{more}" if rows else issue["code"]


def _tell_files(files: Mapping[str, str]) -> None:
    if files:
        say("\nFiles:")
    for kind, path in files.items():
        say(f"  {kind:<9} {path}")


def next_step(report: Mapping[str, Any]) -> str:
    """The one command that a person most likely wants now."""
    counts, run_id = report["counts"], report["run_id"]
    rejects = report["files"].get("rejects", "rejects.csv")
    if report["state"] == "stopped" or counts.get("unsent"):
        return f"importer resume {run_id}"
    if counts.get("failed") or counts.get("unknown"):
        return f"importer retry {run_id}"
    if report["dry_run"]:
        ready = "importer run with this file sends the valid rows"
        return f"mend {rejects}, then {ready}" if counts.get("invalid") else f"{ready}."
    if counts.get("invalid") or counts.get("rejected"):
        return f"mend the cells in {rejects}, then importer run {rejects}"
    return f"importer show {run_id}"
