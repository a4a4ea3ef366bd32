"""How long all files of an inbox will take together, before the first: an estimate, and reported as one.

Each of several files may be in time, and all of them not. Rows are counted where that is cheap, and otherwise follow
from a file's size; how many of them cost a request follows from earlier runs. Opens files for reading alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from importer.core.errors import ImporterError
from importer.core.events import Event
from importer.core.ports import Clock, Events
from importer.inbox.folder import FileState, is_planned
from importer.journal import FINISHED, LOADING, Location, RunStatistics
from importer.profile import Profile
from importer.readers import content_hash, open_source
from importer.runs.accounts import scope_at
from importer.runs.forecast import Forecast, Workload, forecast, used_today, workload_of
from importer.runs.hours import Hours
from importer.runs.wiring import Workspace, destination, open_workspace

_SAMPLE_BYTES = 1024**2
_COUNTED_BYTES = 4 * 1024**2
"""Up to this size a file that is not text is read to count its rows: a second or two."""
_PACKED = (b"PK", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")
"""How archives, xlsx and ods begin; gzip; xls."""


@dataclass(frozen=True, slots=True)
class InboxForecast:
    """The forecast for all files together.

    Args:
        files: those that wait, the unknown ones included.
        rows: about as many.
        unknown: files with rows that cannot be counted without reading them.
        forecast: for the requests that they will need.
    """

    files: int
    rows: int
    unknown: int
    forecast: Forecast

    @property
    def text(self) -> str:
        """All of it in a few sentences."""
        files = f"{self.files} file{'s wait' if self.files != 1 else ' waits'}"
        unknown = f" ({self.unknown} of them of unknown length)" if self.unknown else ""
        return f"{files}{unknown} with about {self.rows:,} rows, an estimate. {self.forecast.text}"

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types: a run's forecast, and the files."""
        counted = {"files": self.files, "rows": self.rows, "unknown": self.unknown}
        return {**self.forecast.as_json(), **counted, "text": self.text}


@dataclass(frozen=True, slots=True)
class _Need:
    """What one file will need; None: its length is unknown."""

    rows: int | None
    requests: int = 0


class Waiting(Protocol):
    """A folder that files wait in."""

    def claimed(self) -> list[Path]:
        """What an earlier pass claimed and did not put away."""
        ...

    def scan(self) -> dict[Path, FileState]:
        """Every file that may be meant."""
        ...


@dataclass(slots=True)
class InboxForecaster:
    """Forecasts an inbox, pass by pass.

    Args:
        on_event: gets every forecast.
        force: what was imported before is sent again.
    """

    profile: Profile
    on_event: Events
    clock: Clock
    force: bool = False
    _files: Mapping[Path, int] = field(default_factory=dict)

    def forecast(self, folder: Waiting, ends_at: float | None) -> Mapping[str, Any]:
        """Forecast all files of a folder together; {} where they are the files of the last forecast.

        Args:
            ends_at: when sending has to end; None: never.
        """
        try:
            claimed = [path for path in folder.claimed() if not is_planned(path)]  # they wait for an approval
            files = sizes_of(claimed) | {path: state.size for path, state in folder.scan().items()}
        except (ImporterError, OSError):
            return {}  # whoever takes the files reports it
        if files == self._files:
            return {}
        self._files, scope = files, scope_at(self.profile.workspace, destination(self.profile))
        expected = forecast_files(self.profile, scope, files, now=self.clock.now(), ends_at=ends_at, force=self.force)
        if expected is None:
            return {}
        self.on_event(Event("night_forecast", expected.as_json()))
        return expected.as_json()


def forecast_files(
    profile: Profile, scope: str, files: Mapping[Path, int], *, now: float, ends_at: float | None, force: bool = False
) -> InboxForecast | None:
    """Forecast files that were not imported yet.

    Args:
        files: what waits, with its size in bytes; of one that is not on this machine only name and size are known.
        now: seconds since the epoch.
        ends_at: when sending has to end; None: never.
        force: what was imported before is sent again.

    Returns:
        None where nothing waits, or nothing can be said: the files are imported all the same.
    """
    if not files:
        return None
    try:
        needs, used = _needs(profile, scope, files, now, force=force)
    except (ImporterError, OSError):
        return None
    known = [need for need in needs if need.rows is not None]
    requests = sum(need.requests for need in known)
    logins = max(0, sum(need.requests > 0 for need in known) - 1)  # every run logs in, and `forecast` counts one
    found = forecast(
        Workload(creates=requests + logins, used=used),
        profile.delivery.allowance,
        Hours.of(profile.delivery),
        now=now,
        deadline=ends_at,
    )
    return InboxForecast(len(files), sum(need.rows or 0 for need in known), len(needs) - len(known), found)


def sizes_of(paths: Iterable[Path]) -> dict[Path, int]:
    """The sizes of files in bytes; those that have gone meanwhile are left out."""
    found = dict[Path, int]()
    for path in paths:
        with suppress(OSError):
            found[path] = path.stat().st_size
    return found


def _needs(
    profile: Profile, scope: str, files: Mapping[Path, int], now: float, *, force: bool
) -> tuple[list[_Need], int]:
    """What every file needs, and how much of the day is used."""
    if not Location.of_workspace(profile.workspace).exists:
        return [_estimated(profile, path, size, ()) for path, size in files.items()], 0
    with closing(open_workspace(profile.workspace)) as workspace:
        before = workspace.journal.earlier.run_statistics(scope)
        needs = [
            (None if force else _remembered(profile, workspace, scope, path, size))
            or _estimated(profile, path, size, before)
            for path, size in files.items()
        ]
        return needs, used_today(profile, workspace.journal.earlier, scope, now)


def _remembered(profile: Profile, workspace: Workspace, scope: str, path: Path, size: int) -> _Need | None:
    """What is left of a file that an earlier run had or began; None: of this one nothing is known."""
    if not _is_here(path, size):
        return None
    try:
        stored = workspace.journal.earlier.newest_with(scope, content_hash(path))
    except ImporterError:
        return None
    if stored is None or stored.phase == LOADING:
        return None
    if stored.phase == FINISHED:
        return _Need(0)
    work = workload_of(profile, workspace.journal.earlier, stored, stopped=True)
    return _Need(work.creates + work.known, work.creates + work.looks)


def _estimated(profile: Profile, path: Path, size: int, before: Sequence[RunStatistics]) -> _Need:
    rows = _rows(profile, path, size, before)
    return _Need(None) if rows is None else _Need(rows, round(rows * _requests_per_row(before)))


def _requests_per_row(before: Sequence[RunStatistics]) -> float:
    """One where there are no earlier runs; less where most rows were known, more where many were repeated."""
    rows = sum(one.rows for one in before)
    return sum(one.requests for one in before) / rows if rows else 1.0


def _rows(profile: Profile, path: Path, size: int, before: Sequence[RunStatistics]) -> int | None:
    """About how many rows a file has; None: only reading it to the end would show."""
    if _is_here(path, size):
        with path.open("rb") as file:
            sample = file.read(_SAMPLE_BYTES)
        if not sample.startswith(_PACKED):
            return _lines(sample, size)
        if size <= _COUNTED_BYTES:
            return _counted(profile, path)
    alike = [one for one in before if one.size_bytes and Path(one.source).suffix == path.suffix]
    total = sum(one.size_bytes for one in alike)
    return round(size * sum(one.rows for one in alike) / total) if total else None


def _is_here(path: Path, size: int) -> bool:
    """Whether the file can be read here: of one at an address only the name is known, which a file here may share."""
    return path.is_file() and path.stat().st_size == size


def _lines(sample: bytes, size: int) -> int:
    """The lines of a text but its header; beyond the sample they are taken to be as long as in it."""
    ends = sample.count(b"\n") or sample.count(b"\r")
    whole = ends + (not sample.endswith((b"\n", b"\r")) and bool(sample))
    lines = whole if size <= len(sample) else size * ends / len(sample)
    return max(0, round(lines) - 1)


def _counted(profile: Profile, path: Path) -> int:
    """Its rows; none where it cannot be used: that is reported when it is imported."""
    try:
        with closing(open_source(path, profile.source)) as reader:
            return sum(map(len, reader.batches()))
    except ImporterError:
        return 0
