"""Profile becomes pipeline: the only file that names every room's concrete classes. Runs nothing."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from importer.delivery import Backoff, Deliver, Patience, StopSwitch, StrictLimiter, Thresholds
from importer.emulator import EmulatorSettings
from importer.engines import ENGINES, SharedChecker, Workforce
from importer.errors import StorageError, UsageError
from importer.journal import Claims, Database, GroupCommit, RunIntake, RunJournal, Runs, StoredRun, workspace_secret
from importer.mapping import build_mapper
from importer.pipeline import Delivery, Preparation
from importer.ports import Events, Mapper, Reader
from importer.profile import EMULATOR, Profile, credentials
from importer.profile.settings import TargetSettings
from importer.readers import STDIN, keep_stdin, open_source
from importer.targets import OpenTarget, TargetAccess, connect
from importer.validation import DuplicateJudge, build_validator

JOURNAL_NAME = "journal.sqlite3"
EMULATOR_STORE = "emulator.sqlite3"


class SystemClock:
    """Real time. Implements `ports.Clock`; monotonic time is the event loop's."""

    def now(self) -> float:
        return time.time()  # noqa: TID251  # this is the clock that is passed in

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)  # noqa: TID251


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
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The workspace {path} cannot be made: {(error.strerror or 'unknown error').lower()}.",
            "Choose another one with --workspace.",
        ) from error
    database = Database(path / JOURNAL_NAME)
    return Workspace(path, database, Runs(database), workspace_secret(path))


# --------------------------------------------------------------------------- the other side


@dataclass(frozen=True, slots=True)
class Destination:
    """Where customers go, decided before anything is opened.

    Args:
        scope: target and account; import keys are unique inside one.
        host: what a person is asked to confirm; empty for the emulator inside the run.
    """

    name: str
    settings: TargetSettings
    scope: str
    host: str
    key: str = ""
    secret: str = ""

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
    if not settings.base_url:
        return Destination(profile.target, settings, scope=EMULATOR, host="")
    found = credentials(environ)
    key, secret = found.api_key.get_secret_value(), found.api_secret.get_secret_value()
    account = settings.account or f"key-{blake2b(key.encode(), digest_size=4).hexdigest()}"
    base_url = settings.base_url.rstrip("/")
    host = base_url.partition("://")[2]
    return Destination(profile.target, settings, scope=f"{base_url}#{account}", host=host, key=key, secret=secret)


@asynccontextmanager
async def other_side(
    profile: Profile, where: Destination, limiter: StrictLimiter, clock: SystemClock
) -> AsyncIterator[OpenTarget]:
    """Connect to the destination; the emulator is started first where it is the one inside the run."""
    if not where.embedded:
        async with _connected(profile, where, where.settings.base_url, limiter, clock) as target:
            yield target
        return
    from importer.emulator import Emulator  # noqa: PLC0415  # the web server loads only where it is used

    store = profile.workspace / EMULATOR_STORE
    async with Emulator(EmulatorSettings(store=store, stamp=profile.delivery.import_key_metadata)) as emulator:
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
    """A source whose columns are understood."""

    reader: Reader
    mapper: Mapper


@contextmanager
def on_disk(source: Path | str, profile: Profile) -> Iterator[Path]:
    """Have a source as a file: standard input (`-`) is kept in one while the block lasts.

    Raises:
        SourceError: nothing came through standard input, or too much.
    """
    if str(source) != STDIN:
        yield Path(source)
        return
    with tempfile.TemporaryDirectory(prefix="importer-") as folder:
        yield keep_stdin(Path(folder) / STDIN, profile.source)


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
        yield Opened(reader, mapper)


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
        duplicates=DuplicateJudge(profile.validation.duplicates, columns=source.mapper.columns),
        intake=intake,
        stop=stop,
        emit=emit,
    )


def limiter_for(profile: Profile, clock: SystemClock, stop: StopSwitch) -> StrictLimiter:
    """The run's one allowance of request starts."""
    return StrictLimiter(*profile.delivery.allowance[0], clock, stop)


@dataclass(frozen=True, slots=True)
class Delivering:
    """A delivery and the journal behind it."""

    delivery: Delivery
    commits: GroupCommit
    claims: Claims


def delivering(
    profile: Profile,
    workspace: Workspace,
    stored: StoredRun,
    target: OpenTarget,
    limiter: StrictLimiter,
    *,
    stop: StopSwitch,
    emit: Events,
) -> Delivering:
    """Put sending together."""
    settings, clock = profile.delivery, SystemClock()
    claims = Claims(
        workspace.database, stored.run, stored.header.scope, workspace.runs.facts(stored.run).get("mapping", {})
    )
    commits = GroupCommit(workspace.database, _in_a_thread)
    deliver = Deliver(
        target,
        Patience(settings.max_attempts, settings.looks_after_s, settings.import_key_metadata),
        Backoff(settings.backoff_base_s, settings.backoff_cap_s, random.Random()),  # noqa: S311  # jitter, no secret
        brake=limiter,
        thresholds=Thresholds(
            stop,
            max_errors=settings.max_errors,
            max_error_rate=settings.max_error_rate,
            sample=settings.error_rate_sample,
            fail_fast=settings.fail_fast,
            breaker_faults=settings.breaker_faults,
        ),
        clock=clock,
        emit=emit,
    )
    journal = RunJournal(claims, commits, clock.now)
    engine = ENGINES["asyncio"](settings.concurrency)
    return Delivering(Delivery(journal, engine, deliver, stop, emit, settings.drain_s), commits, claims)


async def _in_a_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(partial(work))
