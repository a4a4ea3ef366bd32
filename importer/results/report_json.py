"""The report for programs: what `--json` prints, and the file `report.json`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.core.atomic_files import AtomicFiles
from importer.core.results import Cluster
from importer.core.sources import Detected, SourceInfo
from importer.results.clusters import Advice
from importer.results.report_data import ReportData


def write_json(report: ReportData, directory: Path) -> Path:
    """Write `report.json` into `directory`, complete or not at all.

    Raises:
        StorageError: the folder cannot be written.
    """
    with AtomicFiles(directory) as files:
        stream = files.text("report.json")
        json.dump(report_json(report), stream, ensure_ascii=False, indent=2)
        stream.write("\n")
    return directory / "report.json"


def report_json(report: ReportData) -> dict[str, Any]:
    """Return the report in plain JSON types, the interface's keys first and in its order."""
    return {
        "command": report.command,
        "run_id": report.run_id,
        "source": report.source,
        "target": report.target,
        "dry_run": report.dry_run or report.job == "list",
        "counts": dict(report.counts),
        "issues": [_cluster(cluster, report.advice(cluster)) for cluster in report.clusters],
        "files": {kind: str(path) for kind, path in report.files.items()},
        "elapsed_seconds": round(report.elapsed_seconds, 3),
        "exit_code": int(report.exit_code),
        "error": report.error,
        **({"job": report.job} if report.job else {}),
        **_details(report),
    }


def _details(report: ReportData) -> dict[str, Any]:
    return {
        "verdict": report.verdict,
        "next_step": report.next_step,
        "next_command": report.next_command,
        "typed": {"file": report.path, **report.commands.kept()},
        "state": report.state,
        "started_at": _iso(report.started_at),
        "ended_at": _iso(report.ended_at),
        "source_info": _source(report.source_info) if report.source_info else None,
        "mapping": dict(report.mapping),
        "changes": dict(report.changes),
        "preview": [one.as_json() for one in report.preview],
        "rate": dict(report.rate),
        "rehearsal": dict(report.rehearsal),
        "learned": dict(report.learned),
        "unknown": [{"row": unknown.row, "candidates": list(unknown.candidates)} for unknown in report.unknown],
        "idv": dict(report.idv),
        "after_create": report.after_create,
        "follow_up": dict(report.follow_up),
        "undone": dict(report.undone),
        "stopped_by": report.stopped_by,
        "forecast": dict(report.forecast),
        "known_from": [
            {**known, "first_at": _iso(known["first_at"]), "last_at": _iso(known["last_at"])}
            for known in report.known_from
        ],
        "returned": dict(report.returned),
        "others": report.others,
        "plans": [dict(one) for one in report.plans],
        "warning": report.warning,
        "versions": dict(report.versions),
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
        "fix_by_hand": advice.by_hand,
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
