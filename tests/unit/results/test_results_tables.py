from __future__ import annotations

import csv
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from pyarrow import parquet

from importer.core.atomic_files import AtomicFiles, publish
from importer.core.columns import ADDED_COLUMNS
from importer.core.errors import StorageError, UsageError
from importer.core.issues import Issue, Severity
from importer.core.results import ResultBatch, RowResult
from importer.core.states import RowState
from importer.profile.settings import ResultsSettings
from importer.results.balance import Recount
from importer.results.table import Header
from importer.results.tables import write_results
from tests.batches import result_batch

COLUMNS = ("Name", "Note, with comma", 'Odd "quoted"', "_status ")
HEADER = Header(COLUMNS, "Customers", "20261129T080000Z-1a2b3c")


def issue(code: str, message: str, column: str = "Phone") -> Issue:
    return Issue(0, code, message, f"{code}.field", column)


def row(number: int, state: RowState, cells: tuple[str, ...] = ("Ann", "", "", ""), **more: object) -> RowResult:
    return RowResult(number - 2, number, cells, state, **more)  # type: ignore[arg-type]  # keywords of one test's choice


ROWS = [
    row(2, RowState.CREATED, ("Ann", 'say "hi"', "two\r\nlines", " x "), customer_id="c-1", key="k1", http_status=201),
    row(3, RowState.EXISTING, customer_id="c-2", key="k2", external_id="L-7", attempts=1, trace_id="t-9"),
    row(4, RowState.INVALID, errors=(issue("a", "First."), issue("b", "Second | third.", "Phone | 2"))),
    row(5, RowState.REJECTED, errors=(issue("c", "No."),), http_status=400, attempts=2),
    row(6, RowState.FAILED),
    row(7, RowState.UNKNOWN, ("", "lone\rreturn", "=1+1", "+1 415 555 0100")),
    row(8, RowState.UNSENT, ("#N/A", "-5", "bell\x07", "Zoë")),
]


def write(directory: Path, *formats: str, rows: list[RowResult] | None = None, **settings: object) -> dict[str, Path]:
    chosen = ROWS if rows is None else rows
    return write_results(
        lambda: iter([result_batch(chosen)] if chosen else []),
        HEADER,
        directory,
        formats=formats,
        settings=ResultsSettings.model_validate(settings),
        recount=Recount(HEADER),
    )


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, strict=True))


def test_results_hold_every_row_in_source_order_with_its_cells_verbatim(tmp_path: Path) -> None:
    written = table(write(tmp_path)["results"])
    assert written[0] == [*COLUMNS, *ADDED_COLUMNS]
    assert [line[:4] for line in written[1:]] == [list(result.cells) for result in ROWS]
    assert [line[4] for line in written[1:]] == [str(result.row) for result in ROWS]


def test_added_columns_are_in_the_fixed_order(tmp_path: Path) -> None:
    written = table(write(tmp_path)["results"])
    assert written[1][4:] == [*["2", "Customers", "created", "c-1", "", "", "", "", "", "201", "", "0"], HEADER.run_id]
    assert written[2][4:] == [*["3", "Customers", "existing", "c-2", "", "", "", "", "", "", "t-9", "1"], HEADER.run_id]


def test_several_errors_are_joined_in_one_order_in_every_error_column(tmp_path: Path) -> None:
    written = table(write(tmp_path)["results"])
    assert written[3][8:12] == ["a | b", "a.field | b.field", "Phone | Phone / 2", "First. | Second / third."]


def test_warnings_have_a_column_of_their_own_and_errors_keep_theirs(tmp_path: Path) -> None:
    warnings = (
        Issue(0, "phone_short", "Too short to dial.", severity=Severity.WARNING),
        Issue(0, "cell_error", "One | two.", severity=Severity.WARNING),
    )
    rows = [
        row(2, RowState.CREATED, warnings=warnings),
        row(3, RowState.INVALID, errors=(issue("a", "First."),), warnings=warnings[:1]),
        row(4, RowState.CREATED),
    ]

    written = table(write(tmp_path, rows=rows)["results"])

    at = len(COLUMNS) + ADDED_COLUMNS.index("_warnings")
    assert [line[at] for line in written] == [
        "_warnings",
        "phone_short: Too short to dial. | cell_error: One / two.",
        "phone_short: Too short to dial.",
        "",
    ]
    assert [line[at - 1] for line in written[1:]] == ["", "First.", ""]


def test_every_line_of_every_table_names_its_run(tmp_path: Path) -> None:
    files = write(tmp_path, "jsonl", "xlsx", "parquet")

    for kind in ("results", "rejects"):
        assert {line[-1] for line in table(files[kind])[1:]} == {HEADER.run_id}
    assert {json.loads(line)["_run"] for line in files["jsonl"].read_text("utf-8").splitlines()} == {HEADER.run_id}
    assert set(parquet.read_table(files["parquet"]).column("_run").to_pylist()) == {HEADER.run_id}
    sheet = openpyxl.load_workbook(files["xlsx"]).worksheets[0]
    assert {line[-1] for line in sheet.iter_rows(2, values_only=True)} == {HEADER.run_id}


def test_rejects_hold_what_was_neither_created_nor_existing(tmp_path: Path) -> None:
    written = table(write(tmp_path)["rejects"])
    assert [line[4] for line in written] == ["_row", "4", "5", "6", "7", "8"]


def test_rejects_of_a_dry_run_hold_the_invalid_rows_only(tmp_path: Path) -> None:
    dry = [row(2, RowState.VALID), row(3, RowState.INVALID)]
    assert [line[4] for line in table(write(tmp_path, rows=dry)["rejects"])] == ["_row", "3"]


def test_the_id_map_lists_created_and_existing_rows(tmp_path: Path) -> None:
    assert table(write(tmp_path)["id_map"]) == [
        ["import_key", "external_id", "customer_id"],
        ["k1", "", "c-1"],
        ["k2", "L-7", "c-2"],
    ]


def test_a_run_without_rows_gives_headers_only(tmp_path: Path) -> None:
    files = write(tmp_path, "xlsx", "jsonl", "parquet", rows=[])
    assert table(files["results"]) == [[*COLUMNS, *ADDED_COLUMNS]]
    assert files["jsonl"].read_text() == ""
    assert parquet.read_table(files["parquet"]).num_rows == 0
    assert len(list(openpyxl.load_workbook(files["xlsx"]).active.rows)) == 1  # type: ignore[union-attr]


def test_csv_has_no_byte_order_mark_and_ends_lines_as_rfc_4180_says(tmp_path: Path) -> None:
    content = write(tmp_path)["results"].read_bytes()
    assert content.startswith(b"Name,")
    assert content.endswith(b",0,20261129T080000Z-1a2b3c\r\n")


def test_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    for path in write(tmp_path, "xlsx", "jsonl", "parquet").values():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_formulas_stay_verbatim_in_csv_unless_asked(tmp_path: Path) -> None:
    assert table(write(tmp_path)["results"])[6][2] == "=1+1"
    escaped = table(write(tmp_path, escape_formulas=True)["results"])
    assert escaped[6][2] == "'=1+1"
    assert escaped[6][3] == "'+1 415 555 0100"
    assert escaped[7][1] == "-5"


def test_json_lines_hold_one_object_a_row_with_numbers_as_numbers(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in write(tmp_path, "jsonl")["jsonl"].read_text("utf-8").splitlines()]
    assert list(lines[0]) == [*COLUMNS, *ADDED_COLUMNS]
    assert lines[0]["_row"] == 2
    assert lines[0]["_http_status"] == 201
    assert lines[1]["_http_status"] is None
    assert lines[0]['Odd "quoted"'] == "two\r\nlines"


def test_parquet_holds_the_same_table(tmp_path: Path) -> None:
    rows = parquet.read_table(write(tmp_path, "parquet")["parquet"]).to_pylist()
    assert [line["_row"] for line in rows] == [2, 3, 4, 5, 6, 7, 8]
    assert rows[6]["_status"] == "unsent"
    assert rows[3]["_http_status"] == 400
    assert rows[0]["_status "] == " x "


def test_a_lone_surrogate_breaks_no_format(tmp_path: Path) -> None:
    files = write(tmp_path, "xlsx", "jsonl", "parquet", rows=[row(2, RowState.UNSENT, ("a\udc80", "", "", ""))])
    assert table(files["results"])[1][0] == "a\ufffd"
    assert parquet.read_table(files["parquet"]).to_pylist()[0]["Name"] == "a\ufffd"


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="csv, xlsx, jsonl, parquet"):
        write_results(
            lambda: iter([result_batch(ROWS)]),
            HEADER,
            tmp_path,
            formats=["dbf"],
            settings=ResultsSettings(),
            recount=Recount(HEADER),
        )
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_leaves_the_earlier_files_and_no_temporaries(tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in write(tmp_path, "xlsx", "jsonl", "parquet").values()}

    def breaks() -> Iterator[ResultBatch]:
        yield result_batch(ROWS[:1])
        raise KeyError

    with pytest.raises(KeyError):
        write_results(
            breaks,
            HEADER,
            tmp_path,
            formats=["xlsx", "jsonl", "parquet"],
            settings=ResultsSettings(),
            recount=Recount(HEADER),
        )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_temporaries_of_a_killed_run_are_swept(tmp_path: Path) -> None:
    (tmp_path / ".results.csv.abc.part").write_text("half")
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"results.csv", "rejects.csv", "id-map.csv"}


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written to"):
        write(tmp_path / "file" / "run")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="disk is full"):
        fill_up(tmp_path)
    assert list(tmp_path.iterdir()) == []


def fill_up(directory: Path) -> None:
    with AtomicFiles(directory) as aside, Path("/dev/full").open("w", encoding="utf-8") as full:
        aside.text("results.csv").write("half a row")
        full.write("x")


def test_watchers_see_every_batch_once_and_in_order(tmp_path: Path) -> None:
    batches = [result_batch(ROWS[:2]), result_batch(ROWS[2:])]
    seen: list[ResultBatch] = []
    write_results(
        lambda: iter(batches),
        HEADER,
        tmp_path,
        formats=(),
        settings=ResultsSettings(),
        recount=Recount(HEADER),
        watchers=[seen.append],
    )
    assert seen == batches


def test_a_rewrite_replaces_and_never_appends(tmp_path: Path) -> None:
    write(tmp_path)
    inode = (tmp_path / "results.csv").stat().st_ino
    write(tmp_path)
    assert len(table(tmp_path / "results.csv")) == len(ROWS) + 1
    assert (tmp_path / "results.csv").stat().st_ino != inode


def test_results_are_published_into_a_second_folder_whole_and_private(tmp_path: Path) -> None:
    files = write(tmp_path / "run", "jsonl")
    copies = publish(files, tmp_path / "out" / "deep")
    assert {kind: path.read_bytes() for kind, path in copies.items()} == {k: p.read_bytes() for k, p in files.items()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in copies.values()} == {0o600}


def test_publishing_half_of_the_results_publishes_nothing(tmp_path: Path) -> None:
    files = write(tmp_path / "run")
    files["id_map"].unlink()
    with pytest.raises(StorageError):
        publish(files, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
