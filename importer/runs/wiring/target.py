"""The connection to where customers go; the emulator inside the run is started first where that is meant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from importer.delivery import StrictLimiter
from importer.emulator import EmulatorSettings
from importer.profile import Profile
from importer.runs.wiring.clock import SystemClock
from importer.runs.wiring.destinations import Destination
from importer.targets import OpenTarget, TargetAccess, connect

if TYPE_CHECKING:
    from pydantic import SecretStr

    from importer.emulator import Emulator

EMULATOR_STORE = "emulator.sqlite3"


@asynccontextmanager
async def open_target(
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
        inside = replace(where, credentials=_credentials_of(emulator))
        async with _connected(profile, inside, emulator.base_url, limiter, clock) as target:
            yield target


def _credentials_of(emulator: Emulator) -> dict[str, SecretStr]:
    from pydantic import SecretStr  # noqa: PLC0415

    return {"api_key": SecretStr(emulator.api_key), "api_secret": SecretStr(emulator.api_secret)}


@asynccontextmanager
async def _connected(
    profile: Profile, where: Destination, base_url: str, limiter: StrictLimiter, clock: SystemClock
) -> AsyncIterator[OpenTarget]:
    delivery = profile.delivery
    access = TargetAccess(
        base_url=base_url,
        credentials=where.credentials,
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
