"""Room on every disk that is filled."""

from __future__ import annotations

from pathlib import Path

import pytest

from importer.doctor.machine import check_disk

MIB = 1024**2


@pytest.mark.parametrize(
    ("free_mib", "status"), [(63, "fail"), (64, "warn"), (1_023, "warn"), (1_024, "ok"), (9_000, "ok")]
)
def test_little_room_is_a_warning_and_hardly_any_a_failure(tmp_path: Path, free_mib: int, status: str) -> None:
    (found,) = check_disk(tmp_path / "runs", free_bytes=lambda _: free_mib * MIB)

    assert (found.status, bool(found.fix)) == (status, status != "ok")
    assert f"{free_mib / 1024:,.1f} GiB are free where {tmp_path / 'runs'} is" in found.message


def test_a_journal_needs_room_to_be_written_anew(tmp_path: Path) -> None:
    with (tmp_path / "journal.sqlite3").open("wb") as file:
        file.truncate(600 * MIB)
    (found,) = check_disk(tmp_path, free_bytes=lambda _: 1_100 * MIB)

    assert found.status == "warn"


def test_every_disk_is_reported_once(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm/archive")  # another file system on every Linux; only measured, never written to
    if not elsewhere.parent.is_dir() or elsewhere.parent.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    free = {tmp_path: 9_000 * MIB, elsewhere.parent: 10 * MIB}
    found = list(check_disk(tmp_path, [tmp_path / "failed", elsewhere, elsewhere], free.__getitem__))

    assert [one.status for one in found] == ["ok", "fail"]
    assert "where /dev/shm/archive is" in found[1].message


def test_the_real_disk_is_measured(tmp_path: Path) -> None:
    (found,) = check_disk(tmp_path)

    assert "GiB are free" in found.message
