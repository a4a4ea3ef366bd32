"""The report as one self-contained HTML file: no network, opens from an attachment, prints, works without scripts.

It speaks to whoever fixes the file; what only whoever runs the importer needs is folded away. Values are masked unless
asked for, since reports are mailed around. Never judges: it shows the report.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from importer.core.atomic_files import AtomicFiles
from importer.core.states import DRY_RUN_STATES, FINAL_STATES, STATE_MEANINGS, RowState
from importer.results.failing import FAILING, FailingRows
from importer.results.follow_up import stages, steps_sentence
from importer.results.page_rows import by_column, failing_rows, kinds_of, page_data
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
_OPEN_KINDS = 3
"""Kinds of error that are open as the page opens: a person sees what is behind the others."""
_SHOWN = 12
"""Entries of a list that are not folded away: on a phone a page has few screens."""
MOST_CLUSTERS = 5
FEW_ROWS = 5
"""What a notebook shows: kinds of issue, and examples of each."""
_FOR_PEOPLE = {
    "annotated": "your own sheet with the wrong cells marked: fix it there and return it",
    "rejects": "only the rows to fix: fix them there and return it",
    "results": "every row with its state, and its customer id or its errors",
    "xlsx": "the same as a workbook",
    "id_map": "which customer each row has become",
}
"""The files that people open, the most useful first; the others are for programs."""
_TO_FIX = {"annotated", "rejects"}
"""Those without use where every row is done."""


class FileBeside(NamedTuple):
    """A file in the folder of the report, and what people open it for."""

    name: str
    meaning: str


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
    kinds = kinds_of(report)
    rows = failing_rows(failing.rows, columns, kinds, show_values=show_values)
    script = _asset("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            verdict=verdict(report),
            states=_states_of(report),
            meanings=STATE_MEANINGS,
            stages=stages(report.follow_up, report.counts),
            errors=[one for one in kinds if one.is_error],
            warnings=[one for one in kinds if not one.is_error],
            open_kinds=_OPEN_KINDS,
            shown=_SHOWN,
            by_column=by_column(report.clusters),
            rows=rows[:STATIC_ROWS],
            several_states=len({row.state for row in rows}) > 1,
            shown_rows={row.row for row in rows},
            data=page_data(rows, kinds),
            failing=failing,
            files=list(_files_for_people(report)),
            other_files=[path.name for kind, path in report.files.items() if kind not in {*_FOR_PEOPLE, "html"}],
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
    environment.filters["thousands"] = _number
    environment.filters["duration"] = _duration
    environment.filters["words"] = lambda name: name.replace("_", " ")
    environment.filters["label"] = label
    environment.filters["value_in_words"] = value_in_words
    environment.filters["code_spans"] = _code_spans
    environment.filters["no_formula"] = escape_formula
    return environment


def _number(value: object) -> str:
    """Write a number with separators; anything else as it is."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:,}" if is_number else str(value)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


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


def _files_for_people(report: ReportData) -> Iterator[FileBeside]:
    """Give the files beside the report: by their names alone links find them, wherever the folder is moved."""
    is_left = any(report.counts.get(state) for state in (*FAILING, RowState.UNSENT))
    for kind, meaning in _FOR_PEOPLE.items():
        path = report.files.get(kind)
        if path is not None and (is_left or kind not in _TO_FIX):
            yield FileBeside(path.name, meaning)
