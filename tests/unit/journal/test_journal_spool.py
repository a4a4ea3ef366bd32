"""Numbers of all rows, kept on disk: the same as in memory, and gone with their process."""

from __future__ import annotations

import gc
import os
import tracemalloc
from array import array
from pathlib import Path

import pytest

from importer.core.errors import JournalError
from importer.journal.sql.spool import HELD, SpooledNumbers


def spooled(folder: Path, count: int, lot: int = 1_000) -> SpooledNumbers:
    numbers = SpooledNumbers(folder, "Q")
    for first in range(0, count, lot):
        numbers.extend(array("Q", range(first, min(first + lot, count))))
    return numbers


@pytest.mark.parametrize("count", [0, 1, HELD - 1, HELD, HELD + 1, 3 * HELD + 17])
def test_what_was_appended_comes_back_whole_and_one_by_one(tmp_path: Path, count: int) -> None:
    numbers = spooled(tmp_path, count)

    assert len(numbers) == count
    assert numbers.whole() == array("Q", range(count))
    assert [numbers[place] for place in range(0, count, 977)] == list(range(0, count, 977))


def test_more_can_be_appended_after_reading(tmp_path: Path) -> None:
    numbers = spooled(tmp_path, 2 * HELD)
    numbers.whole()
    numbers.extend(array("Q", range(2 * HELD, 4 * HELD)))

    assert numbers.whole() == array("Q", range(4 * HELD))


def test_what_is_read_whole_is_a_copy(tmp_path: Path) -> None:
    numbers = spooled(tmp_path, 10)
    numbers.whole()[0] = 99

    assert numbers[0] == 0


def test_its_file_has_no_name(tmp_path: Path) -> None:
    numbers = spooled(tmp_path, 2 * HELD)

    assert list(tmp_path.iterdir()) == []
    assert len(numbers) == 2 * HELD


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    gc.collect()
    tracemalloc.start()
    try:
        numbers = spooled(tmp_path, 20 * HELD)
        assert tracemalloc.get_traced_memory()[1] < 3 * 8 * HELD
    finally:
        tracemalloc.stop()
    assert len(numbers) == 20 * HELD


def test_a_folder_that_cannot_be_written_is_named_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be compared with each other"):
        spooled(tmp_path / "gone", HELD)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")  # noqa: PTH110
def test_a_full_disk_is_reported_in_one_sentence(tmp_path: Path) -> None:
    numbers = spooled(tmp_path, HELD - 1)
    numbers._file = open("/dev/full", "r+b", buffering=0)  # noqa: PTH123, SIM115
    try:
        with pytest.raises(JournalError, match="no space left"):
            numbers.extend(array("Q", [1]))
    finally:
        numbers._file.close()
