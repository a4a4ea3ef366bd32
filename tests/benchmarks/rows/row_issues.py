"""Dry runs of files in which every row has an issue, against the same rows with hardly any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.bench import Figure, Settings, a_folder, take_turns
from tests.benchmarks.people import HEADER, people, write_people
from tests.benchmarks.rows.row_dry_run import validate

_FIRST, _LAST, _EMAIL, _PHONE = map(HEADER.split(",").index, ("First Name", "Last Name", "Email", "Phone"))


class _Spoiled(NamedTuple):
    """A file in which every row has an issue.

    Args:
        what: every row has.
        spoil: changes the cells of a row, given its number.
        target: the speed that is asked for, as a share of that of clean rows.
    """

    what: str
    spoil: Callable[[int, list[str]], None]
    target: float


def _odd_name(_: int, cells: list[str]) -> None:
    cells[_FIRST] += "2"


def _odd_and_missing_names(_: int, cells: list[str]) -> None:
    cells[_FIRST] += "2"
    cells[_LAST] = ""


def _wrong_contacts(number: int, cells: list[str]) -> None:
    if number % 2:
        high, low = divmod(number, 10_000)
        cells[_PHONE] = f"+1 (211) 5{high % 100:02d}-{low:04d}"  # there is no such area, and phonenumbers knows it
    else:
        cells[_EMAIL] = f"{cells[_FIRST]}..{number}@example.com"  # email-validator refuses two dots


_FILES = {
    "warning": _Spoiled("a warning in every row", _odd_name, 0.6),
    "both": _Spoiled("an error and a warning in every row", _odd_and_missing_names, 0.6),
    "contacts": _Spoiled("an issue of phone or email in every row", _wrong_contacts, 0.35),
}


def run(settings: Settings) -> Iterator[Figure]:
    """Measure files with an issue in every row."""
    rows = settings.scaled(300_000, 3_000)
    paths = {"clean": write_people(settings.data / f"people-{rows}.csv", rows)}
    paths |= {name: _written(settings.data / f"issues-{name}-{rows}.csv", rows, one) for name, one in _FILES.items()}
    with a_folder() as folder:
        taken = take_turns(settings.rounds, {name: _side(path, rows, folder) for name, path in paths.items()})
    yield Figure("issues", f"clean, {rows:,} rows", taken.median("clean"), "rows/s", rounds=taken.all("clean"))
    for name, one in _FILES.items():
        yield Figure("issues", one.what, taken.median(name), "rows/s", rounds=taken.all(name))
    for name, one in _FILES.items():
        ratios = taken.ratios(name, "clean")
        yield Figure.judged("issues", f"{one.what}, against clean", ratios, "x", at_least=one.target, settings=settings)


def _written(path: Path, rows: int, one: _Spoiled) -> Path:
    if not path.exists():
        aside = path.with_suffix(".part")
        with aside.open("w", encoding="utf-8", newline="") as file:
            file.write(HEADER + "\n")
            for number, line in enumerate(people(rows)):
                cells = line.split(",")
                one.spoil(number, cells)
                file.write(",".join(cells) + "\n")
        aside.replace(path)
    return path


def _side(path: Path, rows: int, folder: Path) -> Callable[[int], dict[str, float]]:
    return lambda _: {"": rows / validate(path, folder).wall_s}
