"""The report as one self-contained HTML file: no network, opens from an attachment, prints, works without scripts.

Values are masked unless asked for, since reports are mailed around. Never judges: it shows the report.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from importer.core.atomic_files import AtomicFiles
from importer.core.issues import Severity
from importer.core.results import Cluster, RowResult
from importer.core.states import DRY_RUN_STATES, FINAL_STATES
from importer.results.failing import FAILING, FailingRows, column_index, pointed_at, shown
from importer.results.follow_up import stages, steps_sentence
from importer.results.plan_sentences import plan_sentences
from importer.results.read_as import label, value_in_words
from importer.results.report_data import ReportData
from importer.results.report_json import report_json
from importer.results.table import escape_formula
from importer.results.target_notes import learned_sentences
from importer.results.verdict import verdict

STATIC_ROWS = 100
"""Failing rows in the page itself, for readers without scripts and for print."""
_SHOWN_UNKNOWN = 500
MOST_CLUSTERS = 5
FEW_ROWS = 5
"""What a notebook shows: kinds of issue, and examples of each."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One issue of a failing row, as the table shows it."""

    column: str
    cell: str
    message: str
    severity: str
    code: str


@dataclass(frozen=True, slots=True)
class FailingRow:
    """One row of the table of failing rows."""

    row: int
    state: str
    problems: tuple[Problem, ...]


def write_html(
    report: ReportData, failing: FailingRows, columns: Sequence[str], directory: Path, *, show_values: bool = False
) -> Path:
    """Write `report.html` into `directory`, complete or not at all.

    Args:
        failing: the rows for the table; see `FailingRows`.
        columns: the source's columns, in order.
        show_values: show the offending cells as they are instead of their shape.

    Raises:
        StorageError: the folder cannot be written.
    """
    page = render_html(report, failing, columns, show_values=show_values)
    with AtomicFiles(directory) as files:
        files.text("report.html").write(page)
    return directory / "report.html"


def render_html(report: ReportData, failing: FailingRows, columns: Sequence[str], *, show_values: bool = False) -> str:
    """Return the page; see `write_html`."""
    rows = _rows(failing.rows, columns, show_values=show_values)
    script = _asset("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            verdict=verdict(report),
            states=_states_of(report),
            stages=stages(report.follow_up, report.counts),
            clusters=[(cluster, report.advice(cluster)) for cluster in report.clusters],
            by_column=_by_column(report.clusters),
            rows=rows[:STATIC_ROWS],
            data=[_compact(row) for row in rows],
            failing=failing,
            unknown=report.unknown[:_SHOWN_UNKNOWN],
            show_values=show_values,
            learned=learned_sentences(report.learned),
            plans=plan_sentences(report.plans),
            facts=report_json(report),
            style=Markup(_asset("report.css")),  # noqa: S704  (our own file)
            script=Markup(script),  # noqa: S704
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def notebook_html(report: ReportData, *, has_rows: bool) -> str:
    """Return the report in a few lines, as a notebook shows it under a cell. Never has the value of a cell.

    Every style is at its element and takes the notebook's own colours: a page around it may be light or dark.

    Args:
        has_rows: whether the report can give its rows as DataFrames.
    """
    return (
        _environment()
        .get_template("notebook.html.j2")
        .render(
            report=report,
            verdict=verdict(report),
            states=[(state, count) for state, count, _ in _states_of(report)] if report.counts.get("read") else (),
            steps=steps_sentence(report.follow_up),
            clusters=[(cluster, report.advice(cluster)) for cluster in report.clusters[:MOST_CLUSTERS]],
            more=max(len(report.clusters) - MOST_CLUSTERS, 0),
            few=FEW_ROWS,
            has_rows=has_rows,
            failing=any(report.counts.get(state) for state in FAILING),
            files=[(kind.replace("_", " "), path) for kind, path in report.files.items()],
        )
    )


@cache
def _environment() -> Environment:
    """Return what renders the templates of this package: everything escaped, nothing undefined."""
    environment = Environment(
        loader=PackageLoader("importer.results"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = "{:,}".format
    environment.filters["label"] = label
    environment.filters["value_in_words"] = value_in_words
    environment.filters["code_spans"] = _code_spans
    environment.filters["no_formula"] = escape_formula
    return environment


def _code_spans(text: str) -> Markup:
    """Turn `back ticks` into code, everything escaped."""
    plain, code = Markup("{}"), Markup("<code>{}</code>")
    parts = [(code if i % 2 else plain).format(part) for i, part in enumerate(text.split("`"))]
    return Markup("").join(parts)


@cache
def _asset(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text("utf-8")


def _states_of(report: ReportData) -> list[tuple[str, int, float]]:
    """Return every state that rows can end in, how many did, and their share in percent."""
    read = report.counts.get("read", 0)
    states = DRY_RUN_STATES if report.dry_run else FINAL_STATES
    counts = [(str(state), report.counts.get(state, 0)) for state in states]
    return [(state, count, 100 * count / read if read else 0.0) for state, count in counts]


def _by_column(issues: Sequence[Cluster]) -> list[tuple[str, int, int]]:
    errors: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    for cluster in issues:
        counter = errors if cluster.severity is Severity.ERROR else warnings
        counter[cluster.column or "(the row as a whole)"] += cluster.count
    names = sorted({*errors, *warnings}, key=lambda name: (-errors[name], -warnings[name], name))
    return [(name, errors[name], warnings[name]) for name in names]


def _rows(results: Sequence[RowResult], columns: Sequence[str], *, show_values: bool) -> list[FailingRow]:
    index = column_index(columns)
    return [
        FailingRow(result.row, str(result.state), _problems(result, index, show_values=show_values))
        for result in results
    ]


def _problems(result: RowResult, index: dict[str, int], *, show_values: bool) -> tuple[Problem, ...]:
    def cell(column: str) -> str:
        texts = [shown(result.cells[at], show_values=show_values) for at in pointed_at(column, index)]
        return escape_formula(" / ".join(texts))

    return tuple(
        Problem(issue.column, cell(issue.column), issue.message, str(issue.severity), issue.code)
        for issue in (*result.errors, *result.warnings)
    )


def _compact(row: FailingRow) -> list[Any]:
    problems = [[p.column, p.cell, p.message, int(p.severity == "warning"), p.code] for p in row.problems]
    return [row.row, row.state, problems]
