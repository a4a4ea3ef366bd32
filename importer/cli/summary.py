"""The end of a run in plain words: counts, the first issues, the files, and what to type next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from importer.cli.output import preview_lines, say
from importer.rehearsal import sentence

SHOWN_ISSUES = 10
_READ_AS = (
    "encoding", "delimiter", "sheet", "header_row", "date_order", "phone_region", "drift", "damage", "assumed", "split"
)  # fmt: skip
_DELIVERED = ("created", "existing", "valid")


def tell_report(report: Mapping[str, Any], *, previewed: bool = False) -> None:
    """Print a report (its JSON form) for people.

    Args:
        previewed: show the first rows as they were or would be sent, too.
    """
    counts = {name: count for name, count in report["counts"].items() if name != "read"}
    say(_headline(report))
    for name, count in counts.items():
        if count or name in _DELIVERED[:1]:
            say(f"  {name:<9} {count:>9,}")
    if report.get("rehearsal"):
        say(f"  {sentence(report['rehearsal'])}")
    say(f"\n{report['verdict']}")
    _tell_returned(report.get("returned") or {})
    if report.get("warning"):
        say(f"Warning: {report['warning']}")
    _tell_reading(report.get("source_info") or {})
    _tell_issues(report["issues"])
    if previewed and report.get("preview"):
        say("\nAs sent:" if not report["dry_run"] else "\nAs they would be sent:")
        for line in preview_lines(report["preview"]):
            say(line)
    _tell_forecast(report.get("forecast") or {})
    if report["error"]:
        say(f"\n{report['error']}")
    _tell_files(report["files"])
    _tell_next(report["next_step"], report.get("next_command", ""))


def _headline(report: Mapping[str, Any]) -> str:
    what = "Checked" if report["dry_run"] else "Imported"
    into = "" if report["dry_run"] else f" into {report['target']}"
    count = report["counts"].get("read", 0)
    rows = f"{count:,} {'row' if count == 1 else 'rows'}"
    return f"{what} {report['source']}{into}: {rows} in {report['elapsed_seconds']:.1f} s (run {report['run_id']})"


def _tell_returned(returned: Mapping[str, Any]) -> None:
    """What came back, and what became of it."""
    if not returned:
        return
    refused = sum(one["count"] for one in returned["refused"])
    counted = ((returned["changed"], "changed"), (returned["unchanged"], "unchanged"), (refused, "not taken"))
    told = ", ".join(f"{count:,} {what}" for count, what in counted if count)
    checked = f"{returned['checked']:,} rows were checked again, {returned['ready']:,} of them can be imported."
    say(f"Came back in {returned['file']}: {told or 'nothing'}. {checked}" if returned["file"] else checked)


def _tell_forecast(forecast: Mapping[str, Any]) -> None:
    """What was foreseen, where there was something to be in time for."""
    if forecast.get("needed_per_s") is not None or forecast.get("quota_share") is not None:
        say(f"\nForecast: {forecast['text']}")


def _tell_reading(source: Mapping[str, Any]) -> None:
    """How the file was understood, in one line, and what is strange about it as a whole."""
    found = [one for one in source.get("detected", ()) if one["what"] in _READ_AS]
    doubts = {one["what"]: f" ({one['confidence']:.0%} sure)" for one in found if one["confidence"] < 1}
    if found:
        say("Read as: " + ", ".join(f"{one['what']} {one['value']}{doubts.get(one['what'], '')}" for one in found))
    unused = [one["value"] for one in source.get("detected", ()) if one["what"] == "unmapped"]
    if unused:
        say("Not used: " + ", ".join(unused))
    for warning in source.get("warnings", ()):
        say(f"  ! {warning}")


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


def _tell_next(step: str, command: str) -> None:
    """What to do now; the command on a line of its own, so that it can be copied as it stands."""
    if not step:
        return
    say(f"\n{step.removesuffix(command).rstrip()}")
    if command:
        say(f"  {command}")


def _tell_files(files: Mapping[str, str]) -> None:
    if files:
        say("\nFiles:")
    for kind, path in files.items():
        say(f"  {kind:<9} {path}")
