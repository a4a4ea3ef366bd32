"""The columns of the steps after a create: in every table of a run that has steps, and in no other."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from pyarrow import parquet

from importer.core.columns import ADDED_COLUMNS, ADDED_WITH_STEPS, STEP_COLUMNS
from importer.core.errors import BalanceError
from importer.core.results import ResultBatch, RowResult
from importer.core.sources import SourceInfo
from importer.core.states import RowState
from importer.profile.settings import ResultsSettings, SourceSettings
from importer.readers import open_source
from importer.results.annotated import write_annotated
from importer.results.balance import Recount, Stretch
from importer.results.report import Report
from importer.results.table import Header
from importer.results.tables import rows_frame, write_results
from tests.batches import result_batch

RUN = "20261129T080000Z-1a2b3c"
PLAIN = Header(("Name", "Note"), "Customers", RUN)
WITH_STEPS = replace(PLAIN, has_steps=True)
ROWS = [
    RowResult(0, 2, ("Ann", "a,b"), RowState.CREATED, customer_id="c-1", key="k1", http_status=201, attempts=3),
    RowResult(1, 3, ("Zoë", ""), RowState.CREATED, customer_id="c-2", key="k2", http_status=201, attempts=3),
    RowResult(2, 4, ("", ""), RowState.INVALID),
]
FOLLOW_UP: Mapping[str, Sequence[str]] = {
    "_verified": ["same", "differs", ""],
    "_differences": ["", "lastName: another value; middleName: missing there", ""],
    "_limits": ["set", "failed", ""],
    "_idv_status": ["COMPLETED", "PENDING_REVIEW", ""],
    "_idv_outcome": ["APPROVED", "", ""],
    "_idv_id": ["a-1", "a-2", ""],
}
BATCH = result_batch(ROWS, FOLLOW_UP)


def write(directory: Path, header: Header, batch: ResultBatch, *formats: str) -> tuple[dict[str, Path], Recount]:
    recount = Recount(header)
    settings = ResultsSettings()
    files = write_results(lambda: iter([batch]), header, directory, formats=formats, settings=settings, recount=recount)
    return files, recount


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, strict=True))


def test_they_come_before_the_attempts_in_their_fixed_order(tmp_path: Path) -> None:
    files, _ = write(tmp_path, WITH_STEPS, BATCH)
    header, *rows = lines(files["results"])
    assert header == ["Name", "Note", *ADDED_WITH_STEPS]
    assert header[-8:] == [*STEP_COLUMNS, "_attempts", "_run"]
    at = header.index("_verified")
    assert [row[at : at + 6] for row in rows] == [list(texts) for texts in zip(*FOLLOW_UP.values(), strict=True)]
    assert [row[-2:] for row in rows] == [["3", RUN], ["3", RUN], ["0", RUN]]


def test_without_steps_the_files_are_as_they_always_were(tmp_path: Path) -> None:
    files, _ = write(tmp_path / "with", PLAIN, BATCH, "xlsx", "jsonl", "parquet")
    before, _ = write(tmp_path / "without", PLAIN, result_batch(ROWS), "xlsx", "jsonl", "parquet")
    assert lines(files["results"])[0] == ["Name", "Note", *ADDED_COLUMNS]
    for kind in ("results", "rejects", "id_map", "jsonl", "parquet"):
        assert files[kind].read_bytes() == before[kind].read_bytes()


def test_rejects_have_the_same_columns_and_nothing_in_them(tmp_path: Path) -> None:
    files, _ = write(tmp_path, WITH_STEPS, BATCH)
    header, *rows = lines(files["rejects"])
    at = header.index("_verified")
    assert [row[at : at + 6] for row in rows] == [[""] * 6]


def test_the_file_is_counted_again_with_them(tmp_path: Path) -> None:
    files, recount = write(tmp_path, WITH_STEPS, BATCH)
    assert recount.counts(files["results"]) == {"read": 3, "created": 2, "invalid": 1}


def test_a_file_that_lacks_them_does_not_balance(tmp_path: Path) -> None:
    files, _ = write(tmp_path, PLAIN, BATCH)
    size = files["results"].stat().st_size

    recount = Recount(WITH_STEPS)
    recount.follow([Stretch(files["results"], 0, size)])
    with pytest.raises(BalanceError, match="columns"):
        recount.counts(files["results"])


def test_every_further_format_has_them(tmp_path: Path) -> None:
    files, _ = write(tmp_path, WITH_STEPS, BATCH, "xlsx", "jsonl", "parquet")
    expected = {name: texts[1] for name, texts in FOLLOW_UP.items()}
    from_json = json.loads(files["jsonl"].read_text("utf-8").splitlines()[1])
    from_parquet = parquet.read_table(files["parquet"]).to_pylist()[1]
    sheet = openpyxl.load_workbook(files["xlsx"]).worksheets[0]
    names, _, cells = [list(row) for row in sheet.iter_rows(max_row=3, values_only=True)]
    from_sheet = {str(name): cell or "" for name, cell in zip(names, cells, strict=True)}
    assert sorted(from_sheet) == sorted(["Name", "Note", *ADDED_WITH_STEPS])
    for found in (from_json, from_parquet):
        assert list(found) == ["Name", "Note", *ADDED_WITH_STEPS]
    for found in (from_json, from_parquet, from_sheet):
        assert {name: found[name] for name in STEP_COLUMNS} == expected


def test_a_frame_has_them_as_texts() -> None:
    frame = rows_frame([BATCH], WITH_STEPS)
    assert list(frame.columns) == ["Name", "Note", *ADDED_WITH_STEPS]
    assert {str(frame[name].dtype) for name in STEP_COLUMNS} == {"str"}
    assert frame["_idv_outcome"].tolist() == ["APPROVED", "", ""]
    assert list(rows_frame([], WITH_STEPS).columns) == ["Name", "Note", *ADDED_WITH_STEPS]


@pytest.mark.parametrize("kind", ["results", "rejects", "xlsx"])
def test_a_file_that_comes_back_is_read_without_them(tmp_path: Path, kind: str) -> None:
    files, _ = write(tmp_path, WITH_STEPS, BATCH, "xlsx")
    with closing(open_source(files[kind], SourceSettings())) as reader:
        assert reader.info.columns == ("Name", "Note")


def test_a_results_workbook_that_is_a_source_itself_is_marked_at_its_own_columns(tmp_path: Path) -> None:
    files, _ = write(tmp_path / "first", WITH_STEPS, BATCH, "xlsx")
    info = SourceInfo("results.xlsx", "excel", ("Name", "Note"), sheet="Results")
    report = Report(
        command="validate",
        source="results.xlsx",
        target="",
        dry_run=True,
        exit_code=3,
        elapsed_seconds=1,
        counts={"read": 3, "valid": 2, "invalid": 1},
        source_info=info,
    )
    header = Header(("Name", "Note"), "Results", RUN)
    path = write_annotated(lambda: iter([BATCH]), header, report, tmp_path, source=files["xlsx"])
    with closing(open_source(path, SourceSettings())) as reader:
        assert reader.info.columns == ("Name", "Note")
        cells = [list(column) for batch in reader.batches() for column in batch.cells]
    assert cells == [["Ann", "Zoë", ""], ["a,b", "", ""]]
