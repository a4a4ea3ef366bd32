"""How much work a test that could try forever does."""

from __future__ import annotations

from hypothesis import settings


def examples(usual: int) -> int:
    """Return how many examples a property test tries: its usual number, or its share of it in a quick profile."""
    return max(1, usual * settings().max_examples // 100)
