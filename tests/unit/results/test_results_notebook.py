"""The report as a notebook shows it: short, escaped, without the values of cells."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from importer.core.issues import Severity
from importer.core.results import Cluster
from importer.results import PreviewedField, PreviewedRow, Report
from importer.results.html import FEW_ROWS, MOST_CLUSTERS

MARKUP = "<script>alert(1)</script>"


def cluster(number: int, column: str = "Phone") -> Cluster:
    rows = tuple(range(2, 2 + 20))
    return Cluster("phone_invalid", f"field.{number}", column, Severity.ERROR, "Not valid.", 30 - number, rows)


def shown(**more: object) -> str:
    given: dict[str, object] = {
        "command": "validate",
        "source": "customers.csv",
        "target": "emulator",
        "dry_run": True,
        "exit_code": 3,
        "elapsed_seconds": 1.5,
        "run_id": "20261122T083000Z-1a2b3c",
        "counts": {"read": 1200, "valid": 1170, "invalid": 30},
        "files": {"results": Path("runs/r/results.csv"), "id_map": Path("runs/r/id-map.csv")},
    }
    return Report(**{**given, **more})._repr_html_()  # type: ignore[arg-type]  # keywords of one test's choice


class Outline(HTMLParser):
    """Checks that every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_shows_the_verdict_the_counts_and_the_next_step() -> None:
    html = shown(clusters=[cluster(number) for number in range(8)])

    for text in (
        "30 of 1,200 rows need fixing",
        "<b>1,170</b> valid",
        "results.csv",
        "id map",
        "rows 2, 3, 4, 5, 6, …",
    ):
        assert text in html
    assert html.count("in Phone") == MOST_CLUSTERS
    assert "3 more kinds of issue" in html
    assert f"{FEW_ROWS + 2}," not in html
    assert len(html) < 6000


def test_everything_is_escaped_and_closed() -> None:
    html = shown(source=MARKUP, error=MARKUP, clusters=[cluster(0, MARKUP)], files={"results": Path(MARKUP)})

    outline = Outline(html)
    assert outline.open == []
    assert outline.seen.isdisjoint({"script", "style", "a", "img"})
    assert html.count("&lt;script&gt;") >= 4


def test_no_value_of_a_cell_is_shown() -> None:
    row = PreviewedRow(2, "valid", (PreviewedField("firstName", "Name", "Canarina", "Canarina"),))

    assert "Canarina" not in shown(preview=[row])


def test_a_report_of_a_run_that_was_refused_is_one_sentence() -> None:
    html = shown(counts={}, files={}, error="There is no file 'a.csv'.", run_id="", exit_code=6)

    assert html.count("There is no file") == 1
    assert "Files" not in html
    assert ".rows()" not in html
