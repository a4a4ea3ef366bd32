"""The table of the README, from the figures that `make bench` left: python -m tests.benchmarks.readme

Only what has a target stands there, and what it was measured on; a target that was missed says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.benchmarks.bench import BUILD, ROOT

README = ROOT / "README.md"
BLOCK = re.compile(r"(?<=<!-- benchmarks -->\n).*?(?=<!-- /benchmarks -->)", re.DOTALL)


def table(known: Mapping[str, Any]) -> str:
    """Write the table in Markdown.

    Args:
        known: what `bench.json` holds.
    """
    figures = [figure for one in known.values() for figure in one["figures"] if figure["target"]]
    rows = [_line(row, list(same)) for row, same in groupby(figures, key=lambda figure: str(figure["row"]))]
    head = ["| what | measured, and the target | |", "|---|---|---|"]
    return "\n".join([*head, *rows, "", *_machines(known), ""])


def _line(row: str, figures: Sequence[Mapping[str, Any]]) -> str:
    missed = any(figure["met"] is False for figure in figures)
    verdict = "**missed**" if missed else "" if any(figure["met"] is None for figure in figures) else "met"
    return f"| {row} | {'; '.join(map(_measured, figures))} | {verdict} |"


def _measured(figure: Mapping[str, Any]) -> str:
    unit = figure["unit"]
    least, most = min(figure["rounds"]), max(figure["rounds"])
    spread = f" ({_short(least)} to {_short(most)})" if _short(least) != _short(most) else ""
    value = f"{_short(figure['value'])} {unit}"
    shown = f"**{value}**" if figure["met"] is False else value
    return f"{figure['what']}: {shown}{spread}, {figure['target']}"


def _machines(known: Mapping[str, Any]) -> Iterator[str]:
    one = next(iter(known.values()))
    machine: Mapping[str, Any] = one["machine"]
    dates = sorted({one["measured_at"][:10] for one in known.values()})
    loads: Sequence[float] = [one["machine"]["load"] for one in known.values()]
    yield (
        f"Medians of {one['settings']['rounds']} rounds, {one['settings']['rows']:,} rows, {' and '.join(dates)}: "
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gb']:.0f} GB, "
        f"Python {machine['python']}, load before each row {min(loads):.1f} to {max(loads):.1f}."
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def main(path: Path = BUILD / "bench.json") -> None:
    """Put the table into the README."""
    known = json.loads(path.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda _: table(known), text), encoding="utf-8")


if __name__ == "__main__":
    main()
