"""A run's passes: its first one, and one for every `resume` and `retry` that sent something. Values only.

Each has a receipt of its own; one that was killed has none, and says so by its place. What a report shows first is
the last pass; what all of them came to stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Receipt = Mapping[str, Any]
"""What the limiter accounts for, in JSON types."""


def begun(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a run that begins another pass, as far as they change.

    Args:
        facts: what the journal keeps of the run.
    """
    earlier = facts.get("passes", [facts["rate"]] if "rate" in facts else [])
    return {"passes": [*earlier, None]}


def ended(facts: Mapping[str, Any], receipt: Receipt) -> dict[str, Any]:
    """The facts of a run whose last pass ended, as far as they change.

    Args:
        facts: what the journal keeps of the run, `begun` included.
    """
    passes = [*facts["passes"][:-1], dict(receipt)]
    if len(passes) == 1:
        return {"passes": passes, "rate": dict(receipt)}
    return {"passes": passes, "rate": {**receipt, "all_passes": _total(passes), "passes": passes}}


def _total(passes: list[Receipt | None]) -> dict[str, Any]:
    kept = [one for one in passes if one is not None]
    return {
        "passes": len(passes),
        "killed_without_a_receipt": len(passes) - len(kept),
        "requests": sum(one["requests"] for one in kept),
        "paused_s": round(sum(one["paused_s"] for one in kept), 3),
        "most_in_flight": max(one.get("most_in_flight", 0) for one in kept),
    }
