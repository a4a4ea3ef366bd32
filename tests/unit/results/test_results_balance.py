from __future__ import annotations

from pathlib import Path

import pytest

from importer.core.errors import BalanceError, StorageError
from importer.core.results import RowResult
from importer.core.states import RowState
from importer.profile.settings import ResultsSettings
from importer.results.balance import Recount, Stretch, compare
from importer.results.table import Header
from importer.results.tables import write_results
from tests.batches import result_batch

COLUMNS = ("_status", "created", 'a,"b\r\nc', "", "=1+1")


def recount(path: Path, columns: tuple[str, ...]) -> dict[str, int]:
    """Count a whole file as one stretch."""
    size = path.stat().st_size if path.exists() else 0
    found = Recount(Header(columns))
    found.follow([Stretch(path, 0, size)])
    return found.counts(path)


def written(directory: Path, *states: RowState, cells: tuple[str, ...] = ("created",) * 5) -> Path:
    rows = [RowResult(i, i + 2, cells, state) for i, state in enumerate(states)]
    batches = [result_batch(rows)]
    return write_results(
        lambda: iter(batches),
        Header(COLUMNS),
        directory,
        formats=(),
        settings=ResultsSettings(),
        recount=Recount(Header(COLUMNS)),
    )["results"]


def test_rows_are_counted_per_state_whatever_the_source_columns_are_called(tmp_path: Path) -> None:
    path = written(tmp_path, RowState.CREATED, RowState.INVALID, RowState.CREATED)
    assert recount(path, COLUMNS) == {"read": 3, "created": 2, "invalid": 1}


def test_line_breaks_and_quotes_inside_cells_do_not_count_as_rows(tmp_path: Path) -> None:
    odd = ('"', "a\nb", "a\r\nb,created\r\n", "\r", '""')
    path = written(tmp_path, RowState.CREATED, RowState.UNKNOWN, cells=odd)
    assert recount(path, COLUMNS) == {"read": 2, "created": 1, "unknown": 1}


def test_a_cell_longer_than_the_csv_modules_own_limit_is_read_back(tmp_path: Path) -> None:
    path = written(tmp_path, RowState.CREATED, cells=("x" * 200_000, "", "", "", ""))
    assert recount(path, COLUMNS)["read"] == 1


def test_a_file_of_other_columns_does_not_balance(tmp_path: Path) -> None:
    path = written(tmp_path, RowState.CREATED)
    with pytest.raises(BalanceError, match="columns"):
        recount(path, COLUMNS[:-1])


def test_a_damaged_row_is_named_by_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, RowState.CREATED, RowState.CREATED)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(BalanceError, match="Data row 2"):
        recount(path, COLUMNS)


@pytest.mark.parametrize(("cell", "read"), [('"x,y"', 3), ('x"y', 3), ('""""', 3), ('"x"y', None), ('"x,y', None)])
def test_quotes_are_read_as_the_csv_module_reads_them(tmp_path: Path, cell: str, read: int | None) -> None:
    path = written(tmp_path, *[RowState.CREATED] * 3, cells=("a,b", "", "here", "", "a,b"))
    path.write_bytes(path.read_bytes().replace(b"here", cell.encode(), 1))

    if read:
        assert recount(path, COLUMNS)["read"] == read
    else:
        with pytest.raises((BalanceError, StorageError)):
            recount(path, COLUMNS)


def test_damage_in_a_row_without_quotes_is_found_among_many(tmp_path: Path) -> None:
    path = written(tmp_path, *[RowState.FAILED] * 50)
    lines = path.read_bytes().split(b"\r\n")
    sound = lines[-20]
    for damaged in (sound + b",", sound.replace(b",failed,", b",fallen,"), b""):
        path.write_bytes(b"\r\n".join([*lines[:-20], damaged, *lines[-19:]]))
        with pytest.raises(BalanceError, match="Data row 32"):
            recount(path, COLUMNS)


def test_a_comma_too_many_is_not_made_up_for_by_one_too_few(tmp_path: Path) -> None:
    path = written(tmp_path, *[RowState.CREATED] * 4)
    lines = path.read_bytes().split(b"\r\n")
    lines[-4], lines[-3] = b"x," + lines[-4], lines[-3].replace(b",", b"", 1)
    path.write_bytes(b"\r\n".join(lines))
    with pytest.raises(BalanceError, match="Data row 2"):
        recount(path, COLUMNS)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_back_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "results.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StorageError, match="read back"):
        recount(path, COLUMNS)


def test_a_file_is_counted_while_it_is_written(tmp_path: Path) -> None:
    rows = [RowResult(i, i + 2, ("created",) * 5, RowState.FAILED) for i in range(9)]
    counting = Recount(Header(COLUMNS))
    files = write_results(
        lambda: (result_batch(rows[at : at + 4]) for at in range(0, 9, 4)),
        Header(COLUMNS),
        tmp_path,
        formats=(),
        settings=ResultsSettings(),
        recount=counting,
    )
    assert counting.counts(files["results"]) == {"read": 9, "failed": 9}


def test_stretches_that_are_not_all_of_a_file_prove_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, RowState.CREATED, RowState.CREATED)
    size = path.stat().st_size
    row = len(path.read_bytes().splitlines(keepends=True)[-1])
    for ends in ([size - row], [size - row, size, size + 1]):
        counting = Recount(Header(COLUMNS))
        counting.follow([Stretch(path, start, end) for start, end in zip([0, *ends], ends, strict=False)])
        with pytest.raises(BalanceError, match="something else"):
            counting.counts(path)


@pytest.mark.parametrize("lost", [b"\r\n", b"\n"])
def test_two_rows_that_became_one_where_two_stretches_meet_are_damage(tmp_path: Path, lost: bytes) -> None:
    path = written(tmp_path, *[RowState.CREATED] * 4)
    lines = path.read_bytes().splitlines(keepends=True)
    head, tail = b"".join(lines[:-2]).removesuffix(lost), b"".join(lines[-2:])
    path.write_bytes(head + tail)
    counting = Recount(Header(COLUMNS))
    counting.follow([Stretch(path, 0, len(head)), Stretch(path, len(head), len(head + tail))])
    with pytest.raises(BalanceError, match="Data row 2"):
        counting.counts(path)


def test_equal_counts_close_and_missing_ones_are_nought() -> None:
    compare({"read": 2, "created": 2, "failed": 0}, {"read": 2, "created": 2})


def test_a_difference_is_named_state_by_state() -> None:
    with pytest.raises(BalanceError, match=r"created: 2 expected, 1 found; unknown: 0 expected, 1 found"):
        compare({"read": 2, "created": 2}, {"read": 2, "created": 1, "unknown": 1})


def test_counts_that_agree_but_do_not_add_up_are_refused() -> None:
    with pytest.raises(BalanceError, match="3 rows read, 2 accounted for"):
        compare({"read": 3, "created": 2}, {"read": 3, "created": 2})
