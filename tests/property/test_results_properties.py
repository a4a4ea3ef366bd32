from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.profile.settings import ResultsSettings
from importer.records import FINAL_STATES, RowResult
from importer.results.balance import compare, recount
from importer.results.csvfile import LINE_END, CsvTable
from importer.results.sheets import MAX_CELL_CHARS, safe_text
from importer.results.table import Header
from importer.results.tables import write_results

CELLS = st.text(st.sampled_from("ab,\"\r\n\t =;'é\x00\u2028") | st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6))
def test_the_fast_path_writes_what_the_csv_module_writes(rows: list[list[str]]) -> None:
    ours, theirs = io.StringIO(newline=""), io.StringIO(newline="")
    table = CsvTable(ours, ["a", 'b"', "c,d"])
    table.write(rows)
    csv.writer(theirs, lineterminator=LINE_END).writerows([["a", 'b"', "c,d"], *rows])
    assert ours.getvalue() == theirs.getvalue()


@given(st.lists(st.tuples(st.sampled_from(FINAL_STATES), CELLS, CELLS), max_size=12), st.tuples(CELLS, CELLS))
@settings(max_examples=40, deadline=None)
def test_whatever_is_written_is_read_back_and_balances(
    rows: list[tuple[object, str, str]], columns: tuple[str, str]
) -> None:
    results = [RowResult(i, i + 2, (a, b), state) for i, (state, a, b) in enumerate(rows)]  # type: ignore[arg-type]
    expected = {"read": len(results), **Counter(str(result.state) for result in results)}
    with tempfile.TemporaryDirectory() as folder:
        files = write_results(
            lambda: iter(results), Header(columns), Path(folder), formats=(), settings=ResultsSettings()
        )
        compare(expected, recount(files["results"], columns))
        with files["results"].open(encoding="utf-8", newline="") as stream:
            back = list(csv.reader(stream))[1:]
    assert [tuple(line[:2]) for line in back] == [result.cells for result in results]


@given(st.text())
def test_no_text_runs_in_a_workbook_or_is_refused_by_one(text: str) -> None:
    safe = safe_text(text)
    assert not safe.startswith(("=", "@", "\t", "\r"))
    assert len(safe) <= MAX_CELL_CHARS
    safe.encode("utf-8")
