"""Profile becomes pipeline: the only file that names every room's concrete classes. Runs nothing."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from importer import passes
from importer.delivery import (
    Ask,
    Backoff,
    Breaker,
    BreakerRules,
    Canary,
    Deliver,
    Governor,
    Patience,
    StopSwitch,
    StrictLimiter,
    Thresholds,
    Traffic,
    Window,
)
from importer.emulator import EmulatorSettings, Faults
from importer.engines import ENGINES, SharedChecker, Workforce
from importer.errors import ProfileError, SourceError, StorageError, UsageError
from importer.journal import (
    Claims,
    Database,
    GroupCommit,
    RunIntake,
    RunJournal,
    Runs,
    Starts,
    StoredRun,
    check_memory,
    workspace_secret,
)
from importer.mapping import build_mapper
from importer.nightly.filing import readable
from importer.pipeline import Delivery, Preparation
from importer.ports import Events, Journal, Mapper, Reader
from importer.profile import EMULATOR, HARMLESS_TARGETS, Profile, credentials
from importer.profile.settings import DeliverySettings, TargetSettings
from importer.readers import STDIN, keep_stdin, open_source
from importer.targets import OpenTarget, TargetAccess, connect
from importer.validation import DuplicateJudge, build_validator

if TYPE_CHECKING:
    from importer.emulator import Emulator

JOURNAL_NAME = "journal.sqlite3"
EMULATOR_STORE = "emulator.sqlite3"
CANARY_ROWS = 10
"""Rows of the second stage where customers are real and nobody said otherwise."""


class SystemClock:
    """Real time. Implements `ports.Clock`.

    Monotonic time is the system's own: uvloop's stands still while the loop is busy, just when requests leave.
    """

    def now(self) -> float:
        return time.time()  # noqa: TID251  # this is the clock that is passed in

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)  # noqa: TID251

    def pause(self, delay_s: float) -> None:
        """Wait in a thread of its own, off the event loop."""
        time.sleep(delay_s)  # noqa: TID251


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace, opened: its journal and its secret."""

    path: Path
    database: Database
    runs: Runs
    secret: bytes

    def close(self) -> None:
        """Close the journal."""
        self.database.close()


def open_workspace(path: Path, *, create: bool = True) -> Workspace:
    """Open the journal of a workspace.

    Args:
        create: make the workspace when it is not there.

    Raises:
        UsageError: it is not there, and shall not be made.
        StorageError: it cannot be made.
        JournalError: the journal cannot be opened.
    """
    if not create and not (path / JOURNAL_NAME).exists():
        raise UsageError(
            f"There are no runs in the workspace '{path}' yet.",
            "Name the right one with --workspace, or run an import.",
        )
    make_directory(path)
    check_memory(path / JOURNAL_NAME)
    database = Database(path / JOURNAL_NAME)
    runs = Runs(database)
    try:
        secret = workspace_secret(path, has_runs=runs.any())
    except BaseException:
        database.close()
        raise
    return Workspace(path, database, runs, secret)


def make_directory(path: Path) -> None:
    """Make a folder for its owner alone, if it is not there.

    Raises:
        StorageError: it cannot be made, or something else bears its name.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {path} cannot be made: {(error.strerror or 'unknown error').lower()}.",
            "Choose another place with --workspace.",
        ) from error


# --------------------------------------------------------------------------- the other side


@dataclass(frozen=True, slots=True)
class Destination:
    """Where customers go, decided before anything is opened.

    Args:
        scope: target and account; import keys are unique inside one.
        host: what a person is asked to confirm; empty for the emulator inside the run.
        faults: what the emulator inside the run does wrong on purpose; None: nothing.
    """

    name: str
    settings: TargetSettings
    scope: str
    host: str
    key: str = ""
    secret: str = ""
    faults: Faults | None = None

    @property
    def embedded(self) -> bool:
        """Whether the emulator inside the run is meant."""
        return not self.settings.base_url


def destination(profile: Profile, environ: Mapping[str, str] = os.environ) -> Destination:
    """Decide where customers go, and with which credentials.

    Raises:
        UsageError: the target or the credentials are missing or wrong.
    """
    settings = profile.target_settings()
    faults = _faults(profile.delivery.faults, embedded=not settings.base_url)
    if not settings.base_url:
        return Destination(profile.target, settings, scope=EMULATOR, host="", faults=faults)
    found = credentials(environ)
    key, secret = found.api_key.get_secret_value(), found.api_secret.get_secret_value()
    account = settings.account or f"key-{blake2b(key.encode(), digest_size=4).hexdigest()}"
    server = same_server(settings.base_url)
    host = server.partition("://")[2]
    return Destination(profile.target, settings, scope=f"{server}#{account}", host=host, key=key, secret=secret)


def rehearsing(where: Destination) -> dict[str, Any]:
    """What a run notes of its rehearsal, so that it is the same when it is taken up again."""
    return {} if where.faults is None else {"faults": where.faults.as_plan()}


def rehearsed_again(where: Destination, facts: Mapping[str, Any]) -> Destination:
    """The destination of a run that is taken up again: with the faults it began with, where no others are named.

    Raises:
        ProfileError: this program knows no such faults.
    """
    if where.faults is not None or not facts.get("faults"):
        return where
    try:
        return replace(where, faults=Faults.of_plan(facts["faults"]))
    except ValueError as error:
        raise ProfileError(
            f"The faults that the run began with cannot be used: {error}.", "Name others with --faults."
        ) from None


def same_server(base_url: str) -> str:
    """One spelling for every address of one API: case, default port, `/v1` and slashes at the end aside."""
    parts = urlsplit(base_url.strip())
    port = "" if parts.port in {None, {"http": 80, "https": 443}.get(parts.scheme)} else f":{parts.port}"
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{parts.hostname or ''}{port}{path}"


def _faults(named: str, *, embedded: bool) -> Faults | None:
    """The plan of faults of a rehearsal.

    Raises:
        ProfileError: the target is not the emulator inside the run, or there is no such plan.
    """
    if not named:
        return None
    if not embedded:
        raise ProfileError(
            "Faults can be rehearsed with the emulator inside the run only.", "Leave --faults out, or --target."
        )
    try:
        return Faults.load(named)
    except ValueError as error:
        raise ProfileError(f"The faults cannot be used: {error}.") from error


@asynccontextmanager
async def other_side(
    profile: Profile,
    where: Destination,
    limiter: StrictLimiter,
    clock: SystemClock,
    *,
    on_emulator: Callable[[Emulator], None] | None = None,
) -> AsyncIterator[OpenTarget]:
    """Connect to the destination; the emulator is started first where it is the one inside the run.

    Args:
        on_emulator: given the emulator inside the run once it listens; it lives as long as the target.
    """
    if not where.embedded:
        async with _connected(profile, where, where.settings.base_url, limiter, clock) as target:
            yield target
        return
    from importer.emulator import Emulator  # noqa: PLC0415  # the web server loads only where it is used

    store, stamp = profile.workspace / EMULATOR_STORE, profile.delivery.import_key_metadata
    async with Emulator(EmulatorSettings(store=store, stamp=stamp, faults=where.faults)) as emulator:
        if on_emulator is not None:
            on_emulator(emulator)
        inside = Destination(
            where.name, where.settings, where.scope, "", key=emulator.api_key, secret=emulator.api_secret
        )
        async with _connected(profile, inside, emulator.base_url, limiter, clock) as target:
            yield target


@asynccontextmanager
async def _connected(
    profile: Profile, where: Destination, base_url: str, limiter: StrictLimiter, clock: SystemClock
) -> AsyncIterator[OpenTarget]:
    from pydantic import SecretStr  # noqa: PLC0415

    delivery = profile.delivery
    access = TargetAccess(
        base_url=base_url,
        api_key=SecretStr(where.key),
        api_secret=SecretStr(where.secret),
        connect_timeout_s=delivery.connect_timeout_s,
        read_timeout_s=delivery.read_timeout_s,
        total_timeout_s=delivery.total_timeout_s,
        max_connections=delivery.concurrency,
    )
    target = await connect(where.settings.kind, access, limiter, clock)
    try:
        yield target
    finally:
        await target.aclose()


# --------------------------------------------------------------------------- the stages


@dataclass(frozen=True, slots=True)
class Opened:
    """A source whose columns are understood.

    Args:
        path: where it lies on this machine; a fetched one only as long as it is open.
    """

    reader: Reader
    mapper: Mapper
    path: Path


@contextmanager
def on_disk(source: Path | str, profile: Profile) -> Iterator[Path]:
    """Have a source as a file: standard input (`-`) is kept in one while the block lasts.

    Raises:
        SourceError: nothing came through standard input, or too much; or its name is no text.
    """
    if str(source) != STDIN:
        _check_name(Path(source))
        yield Path(source)
        return
    with tempfile.TemporaryDirectory(prefix="importer-") as folder:
        yield keep_stdin(Path(folder) / STDIN, profile.source)


def _check_name(path: Path) -> None:
    """Refuse a name that the journal, reports and notices could not hold."""
    if readable(str(path.absolute())) != str(path.absolute()):
        raise SourceError(f"The name of the file '{readable(str(path))}' is no UTF-8 text.", "Rename it.")


@contextmanager
def opened(source: Path, profile: Profile) -> Iterator[Opened]:
    """Open a source and match its columns, before anything else of a run exists.

    Raises:
        ProfileError: the mapping does not fit the source.
        SourceError: it cannot be read, or without a mapping its columns cannot make a customer.
    """
    with closing(open_source(source, profile.source)) as reader:
        mapper = build_mapper(
            profile.mapping,
            reader.info,
            today=_today(),
            source=profile.source,
            validation=profile.validation,
            sample=next(iter(reader.batches()), None),
        )
        yield Opened(reader, mapper, Path(source).absolute())


def _today() -> date:
    return datetime.fromtimestamp(SystemClock().now(), UTC).date()


def preparation(
    profile: Profile,
    source: Opened,
    intake: RunIntake,
    workforce: Workforce,
    *,
    secret: bytes,
    stop: StopSwitch,
    emit: Events,
) -> Preparation:
    """Put reading and checking together."""
    stamp = profile.delivery.import_key_metadata
    validator = build_validator(
        profile.validation, secret=secret, stamp=stamp, today=_today(), writes_bodies=intake.sends
    )
    return Preparation(
        reader=source.reader,
        mapper=source.mapper,
        checker=SharedChecker(source.mapper, validator, workforce),
        duplicates=DuplicateJudge(profile.validation.duplicates, columns=source.mapper.columns, numbers=intake.numbers),
        intake=intake,
        stop=stop,
        emit=emit,
    )


def limiter_for(profile: Profile, clock: SystemClock, stop: StopSwitch) -> StrictLimiter:
    """The run's one allowance of request starts."""
    settings = profile.delivery
    windows = [Window(count, per_s) for count, per_s in settings.allowance]
    return StrictLimiter(windows, clock, stop, max_wait_s=settings.max_wait_s, drain_s=settings.drain_s)


@dataclass(frozen=True, slots=True)
class Delivering:
    """A delivery and the journal behind it."""

    delivery: Delivery
    commits: GroupCommit
    claims: Claims
    traffic: Traffic
    canary: Canary | None
    begun: Mapping[str, Any]
    """What the journal has kept of the run since this pass began."""

    def facts(self) -> dict[str, Any]:
        """What the journal keeps of this pass for reports and later passes."""
        return passes.ended(self.begun, self.traffic.receipt()) | (
            {"canary": self.canary.seen()} if self.canary else {}
        )


def delivering(
    profile: Profile,
    workspace: Workspace,
    stored: StoredRun,
    target: OpenTarget,
    limiter: StrictLimiter,
    *,
    emit: Events,
    ask: Ask | None = None,
) -> Delivering:
    """Put sending together.

    Args:
        ask: puts a question to a person; None: there is nobody to ask.
    """
    settings, clock, stop = profile.delivery, SystemClock(), limiter.stop
    facts = workspace.runs.facts(stored.run)
    begun = passes.begun(facts)
    workspace.runs.note(stored.run, **begun)
    columns = facts.get("mapping", {})
    claims = Claims(workspace.database, stored.run, stored.header.scope, columns, secret=workspace.secret)
    commits = GroupCommit(workspace.database, _in_a_thread)
    if limiter.outlasts_a_process:
        starts = Starts(workspace.database, stored.header.scope, commits, clock.now)
        limiter.remember(starts, starts.earlier())
    backoff = Backoff(settings.backoff_base_s, settings.backoff_cap_s, random.Random())  # noqa: S311  # jitter, no secret
    traffic = Traffic(
        limiter,
        Breaker(stop, _breaker_rules(settings)),
        backoff,
        governor=Governor(limiter.ceiling_per_s) if settings.rate.auto else None,
        clock=clock,
        emit=emit,
    )
    deliver = Deliver(
        target,
        Patience(
            settings.max_attempts, settings.looks_after_s, settings.import_key_metadata, settings.max_spared_attempts
        ),
        backoff,
        pool=traffic,
        thresholds=Thresholds(
            stop,
            max_errors=settings.max_errors,
            max_error_rate=settings.max_error_rate,
            sample=settings.error_rate_sample,
            fail_fast=settings.fail_fast,
        ),
        clock=clock,
        emit=emit,
    )
    journal: Journal = RunJournal(claims, commits, clock.now)
    canary = None
    if rows := _canary_rows(profile):
        journal = canary = Canary(journal, rows, stop, ask=ask, before=facts.get("canary", {}))
    engine = ENGINES["asyncio"](settings.concurrency, limiter.room)
    delivery = Delivery(journal, engine, deliver, stop, emit, settings.drain_s)
    return Delivering(delivery, commits, claims, traffic, canary, begun)


def _breaker_rules(settings: DeliverySettings) -> BreakerRules:
    return BreakerRules(
        faults=settings.breaker_faults,
        probe_s=settings.breaker_probe_s,
        give_up_s=settings.breaker_give_up_s,
        answer_s=settings.total_timeout_s,
    )


def _canary_rows(profile: Profile) -> int:
    rows = profile.delivery.canary
    if rows is not None:
        return rows
    return 0 if profile.target in HARMLESS_TARGETS else CANARY_ROWS


async def _in_a_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(partial(work))
