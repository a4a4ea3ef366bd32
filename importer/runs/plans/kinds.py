"""A plan file of any kind, by its job. Judges none."""

from __future__ import annotations

import json
from pathlib import Path

from importer.core.errors import PlanRefusedError
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.plans.plan_file import MAKE_AGAIN, PlanFile, content_of
from importer.runs.plans.return_plan import ReturnPlan
from importer.runs.plans.update_plan import UpdatePlan
from importer.runs.undo_plan import UndoPlan

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
    content = content_of(path)
    try:
        job = json.loads(content)["job"]
        kind = KINDS[job]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PlanRefusedError(f"'{path}' is not a plan that this program can read.", MAKE_AGAIN) from None
    return kind.of_content(content, path)
