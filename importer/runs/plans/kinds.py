"""A plan file of any kind, by its job. Judges none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from importer.core.commands import Commands
from importer.core.errors import PlanRefusedError
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.plans.plan_file import NAME_ONE, PlanFile, content_of
from importer.runs.plans.return_plan import ReturnPlan
from importer.runs.plans.update_plan import UpdatePlan
from importer.runs.undo_plan import UndoPlan

Plan = TypeVar("Plan", bound=PlanFile)

KINDS: dict[str, type[PlanFile]] = {
    "import": ImportPlan,
    "return": ReturnPlan,
    "update": UpdatePlan,
    "undo": UndoPlan,
}
"""A job to the plans of it."""


def read_plan(path: Path) -> PlanFile:
    """Read a plan of whatever kind.

    Raises:
        PlanRefusedError: it is not there, is not a plan, or was edited.
    """
    return plan_in(content_of(path), path)


def plan_in(content: bytes, path: Path) -> PlanFile:
    """Read what the file of a plan holds; errors as of `read_plan`.

    Args:
        path: what errors call it.
    """
    try:
        job = json.loads(content)["job"]
        kind = KINDS[job]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PlanRefusedError(f"'{path}' is not a plan.", NAME_ONE) from None
    return kind.of_content(content, path)


def read_plan_of(kind: type[Plan], path: Path, commands: Commands) -> Plan:
    """Read a plan of one kind; arguments and errors as of `require_kind` and `read_plan`."""
    return require_kind(read_plan(path), kind, path, commands)


def require_kind(plan: PlanFile, kind: type[Plan], path: Path, commands: Commands) -> Plan:
    """Refuse a plan of another kind.

    Args:
        path: its file.
        commands: composes the command that takes it.

    Raises:
        PlanRefusedError: it is one; the hint is the command that takes it.
    """
    if isinstance(plan, kind):
        return plan
    raise PlanRefusedError(
        f"'{path}' is {plan.what}, not {kind.what}; nothing was sent.", f"`{send(plan, path, commands)}` takes it."
    )


def send(plan: PlanFile, path: Path, commands: Commands) -> str:
    """The command that sends what a plan says.

    Args:
        path: its file.
    """
    if isinstance(plan, UndoPlan):
        return commands.apply_undo(plan.run_id, path, delete=plan.action == "delete")
    if isinstance(plan, ReturnPlan):
        return commands.retry_plan(plan.run_id, path)
    return commands.update_plan(path) if isinstance(plan, UpdatePlan) else commands.run_plan(path)
