"""What an undo has listed or done, for people and for programs. A value only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from importer.core.errors import ExitCode
from importer.runs.undo_plan import Action, Entry, Skipped

DONE: Mapping[Action, str] = {"suspend": "suspended", "delete": "deleted"}
"""The word for what is done, as it is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoReport:
    """What an undo has listed or done.

    Args:
        action: `suspend` or `delete`.
        counts: customers: `planned`, `suspended` or `deleted`, `skipped`, `failed`.
        is_plan: it was listed only.
        plan: the file.
        skipped: the customers that the plan leaves alone.
        failed: those of it that were not changed, or of which that is not known.
        next_step: what to do now, up to the command.
        next_command: the command for it.
    """

    run_id: str
    source: str
    target: str
    action: Action
    counts: Mapping[str, int]
    is_plan: bool
    plan: Path
    skipped: tuple[Skipped, ...]
    failed: tuple[Entry, ...]
    elapsed_seconds: float
    exit_code: ExitCode
    next_step: str = ""
    next_command: str = ""
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        return {
            "command": "undo",
            "run_id": self.run_id,
            "source": self.source,
            "target": self.target,
            "dry_run": self.is_plan,
            "action": self.action,
            "counts": dict(self.counts),
            "skipped": [one.model_dump() for one in self.skipped],
            "failed": [{"row": one.row, "customer_id": one.customer_id} for one in self.failed],
            "issues": [],
            "files": {"plan": str(self.plan)},
            "next_step": f"{self.next_step} {self.next_command}".strip(),
            "next_command": self.next_command,
            "elapsed_seconds": round(self.elapsed_seconds, 3),
            "exit_code": int(self.exit_code),
            "error": self.error,
        }
