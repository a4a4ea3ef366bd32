"""What every results format promises, checked over all of them: a new format joins by its entry in the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import pytest
from pyarrow import parquet

from importer.core.columns import ADDED_COLUMNS
from importer.results.formats import WRITERS, writer
from importer.results.table import Header, Row

HEADER = Header(("Name", "a,b"), "Sheet")


def row(number: int, name: str, status: str = "created") -> Row:
    return [name, "", str(number), "Sheet", status, "", "", "", "", "", "", "201", "", "1", "run-1"]


def _xlsx(path: Path) -> list[list[str]]:
    """Its columns are in an order of their own: they are read by their names."""
    names, *rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    assert sorted(map(str, names)) == sorted(HEADER.names)
    lines = [dict(zip(names, row, strict=True)) for row in rows]
    texts = [["" if line[name] is None else str(line[name]) for name in HEADER.names] for line in lines]
    return [list(HEADER.names), *texts]


def _jsonl(path: Path) -> list[list[str]]:
    objects = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [list(HEADER.names), *(["" if v is None else str(v) for v in found.values()] for found in objects)]


def _parquet(path: Path) -> list[list[str]]:
    table = parquet.read_table(path)
    return [table.column_names, *(["" if v is None else str(v) for v in found.values()] for found in table.to_pylist())]


READ: Mapping[str, Callable[[Path], list[list[str]]]] = {"xlsx": _xlsx, "jsonl": _jsonl, "parquet": _parquet}


def test_every_format_is_under_this_contract() -> None:
    assert set(READ) == set(WRITERS)


@pytest.fixture(params=sorted(WRITERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def written(kind: str, path: Path, *chunks: list[Row]) -> list[list[str]]:
    table = writer(kind)(path, HEADER)
    for chunk in chunks:
        table.write(chunk)
    table.close()
    table.close()
    return READ[kind](path)


def test_rows_are_in_their_order_under_the_tables_own_header(kind: str, tmp_path: Path) -> None:
    first, second, third = row(2, "Ann"), row(3, "Zoë 漢 'x' \"y\""), row(4, "line\nbreak")
    found = written(kind, tmp_path / f"t.{kind}", [first, second], [third])
    assert found == [list(HEADER.names), first, second, third]


def test_a_table_without_rows_is_a_table(kind: str, tmp_path: Path) -> None:
    assert written(kind, tmp_path / f"t.{kind}") in ([list(HEADER.names)], [[*HEADER.columns, *ADDED_COLUMNS]])


def test_it_writes_to_its_path_and_nowhere_else(kind: str, tmp_path: Path) -> None:
    written(kind, tmp_path / f"t.{kind}", [row(2, "Ann")])
    assert [path.name for path in tmp_path.iterdir()] == [f"t.{kind}"]


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "+1 415 555 0100", "-", "NULL", "1e5", "007", "true", "\t", " x "]
)
def test_a_cell_stays_a_text_and_is_never_calculated(kind: str, tmp_path: Path, text: str) -> None:
    cell = written(kind, tmp_path / f"t.{kind}", [row(2, text)])[1][0]
    assert cell == text


def test_a_format_of_a_third_party_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dist = tmp_path / "acme_writer-1.0.dist-info"
    dist.mkdir()
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-writer\nVersion: 1.0\n")
    (dist / "entry_points.txt").write_text("[importer.writers]\nacme = importer.results.formats:JsonlTable\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert writer("acme").__name__ == "JsonlTable"
