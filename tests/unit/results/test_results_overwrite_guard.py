"""Files that people fixed are kept when the results are written again."""

from __future__ import annotations

from pathlib import Path

from importer.results import digests, keep_edited


def written(directory: Path, text: str) -> dict[str, str]:
    path = directory / "rejects.csv"
    path.write_text(text, encoding="utf-8")
    return digests({"rejects": path, "log": directory / "run.log.jsonl"})


def test_a_file_as_it_was_written_stays_where_it_is(tmp_path: Path) -> None:
    assert keep_edited(tmp_path, written(tmp_path, "a")) == []
    assert (tmp_path / "rejects.csv").read_text(encoding="utf-8") == "a"


def test_an_edited_file_gets_a_name_of_its_own_each_time(tmp_path: Path) -> None:
    names = []
    for text in ("b", "c"):
        digest = written(tmp_path, "a")
        (tmp_path / "rejects.csv").write_text(text, encoding="utf-8")
        names += [(path.name, path.read_text(encoding="utf-8")) for path in keep_edited(tmp_path, digest)]

    assert names == [("rejects.edited-1.csv", "b"), ("rejects.edited-2.csv", "c")]
    assert not (tmp_path / "rejects.csv").exists()


def test_what_an_earlier_version_kept_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "rejects.mended-1.csv").write_text("older", encoding="utf-8")
    digest = written(tmp_path, "a")
    (tmp_path / "rejects.csv").write_text("b", encoding="utf-8")

    assert [path.name for path in keep_edited(tmp_path, digest)] == ["rejects.edited-1.csv"]
    assert (tmp_path / "rejects.mended-1.csv").read_text(encoding="utf-8") == "older"


def test_a_file_that_was_removed_is_not_an_error(tmp_path: Path) -> None:
    digest = written(tmp_path, "a")
    (tmp_path / "rejects.csv").unlink()

    assert keep_edited(tmp_path, digest) == []
