"""Prints, after the tests, one table of every kind of dirt and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: Any) -> None:
    rows = sorted(set(_verdicts(terminalreporter)))
    if not rows:
        return
    width = max(len(kind) for kind, _ in rows)
    terminalreporter.section("kinds of dirt in a table of customers")
    for kind, verdict in rows:
        terminalreporter.write_line(f"{kind:<{width}}  {verdict}")
    words = [verdict.split(":")[0] for _, verdict in rows]
    counts = ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))
    terminalreporter.write_line(f"{len(rows)} kinds: {counts}")


def _verdicts(terminalreporter: Any) -> Iterator[tuple[str, str]]:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", []):
                if name.startswith("dirt:"):
                    yield name.removeprefix("dirt:"), value if outcome == "passed" else "WRONG"


@pytest.fixture
def dirt(record_property: Any) -> Any:
    """Record what became of a kind of dirt, for the table."""

    def note(kind: str, verdict: str) -> None:
        record_property(f"dirt:{kind}", verdict)

    return note
