"""The plans that a run has sent by, for people: what each is of, who made it and who approved it. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from importer.core.labels import counted

_SENT = {"update": "Updated", "undo": "Taken back"}


def plan_sentences(plans: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each plan.

    Args:
        plans: as a run notes them: `job`, `sha256`, `rows`, `author`, `signatures`.
    """
    return [_sentence(one) for one in plans]


def _sentence(plan: Mapping[str, Any]) -> str:
    names = [one["name"] for one in plan["signatures"] if one["role"] == "approver"]
    approved = f", approved by {' and '.join(sorted(names))}" if names else ""
    authors = [one["name"] for one in plan["signatures"] if one["role"] == "author"]
    unsigned = f"{plan['author']}{' (not signed)' if plan['signatures'] else ''}"
    made = f"made by {authors[0] if authors else unsigned}"
    does, rows = _SENT.get(plan["job"], "Sent"), counted(plan["rows"], "customer")
    return f"{does} as the plan {plan['sha256'][:8]} says ({rows}), {made}{approved}."
