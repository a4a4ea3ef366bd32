"""The report in a few lines of HTML, as a notebook shows it under a cell. Never holds the value of a cell.

Every style stands at its element and takes the notebook's own colours: a page around it may be light or dark.
"""

from __future__ import annotations

from importer.results.failing import FAILING
from importer.results.html import environment, states_of
from importer.results.report import Report
from importer.results.verdict import verdict

MOST_CLUSTERS = 5
FEW_ROWS = 5


def notebook_html(report: Report) -> str:
    """Return the verdict, the counts, the most frequent issues, what to do next, and the files."""
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(
            report=report,
            verdict=verdict(report),
            states=[(state, count) for state, count, _ in states_of(report)] if report.counts.get("read") else (),
            clusters=[(cluster, report.advice(cluster)) for cluster in report.clusters[:MOST_CLUSTERS]],
            more=max(len(report.clusters) - MOST_CLUSTERS, 0),
            few=FEW_ROWS,
            failing=any(report.counts.get(state) for state in FAILING),
            files=[(kind.replace("_", " "), path) for kind, path in report.files.items()],
        )
    )
