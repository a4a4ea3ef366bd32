"""What several passes come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from importer.runs.notifications.night_report import Fate, Import, NightReport


def done(file: str, fate: Fate = Fate.IMPORTED, code: int = 0, created: int = 1) -> Import:
    return Import(file=file, fate=fate, exit_code=code, counts={"read": created, "created": created})


def night(*imports: Import, **more: Any) -> NightReport:
    return NightReport(folder=Path("/in"), target="live", imports=imports, **more)


def test_counts_and_times_add_up_and_the_worst_code_stays() -> None:
    total = night(done("a.csv", code=3), elapsed_s=1.0).and_then(night(done("b.csv"), elapsed_s=2.0)).and_then(night())

    assert (total.counts, total.exit_code, total.elapsed_s) == ({"read": 2, "created": 2}, 3, 3.0)


def test_a_file_that_was_held_counts_as_the_next_pass_left_it() -> None:
    total = night(done("a.csv", Fate.HELD, 7), done("b.csv")).and_then(night(done("a.csv", created=5)))

    assert [(one.file, one.fate) for one in total.imports] == [("b.csv", Fate.IMPORTED), ("a.csv", Fate.IMPORTED)]
    assert (total.exit_code, total.counts["created"]) == (0, 6)


def test_a_file_of_the_same_name_that_came_another_day_counts_as_well() -> None:
    assert night(done("a.csv")).and_then(night(done("a.csv"))).counts["created"] == 2


def test_a_missing_file_is_missing_until_one_comes() -> None:
    missing = night(missing=True)

    assert missing.and_then(night()).missing
    assert not missing.and_then(night(done("a.csv"))).missing


def test_one_notice_that_did_not_arrive_is_remembered() -> None:
    assert night(notified=False).and_then(night(notified=True)).notified is False
    assert night(notified=True).and_then(night()).notified is True
    assert night().and_then(night()).notified is None
