"""The target: whether it is set up, answers, accepts the credentials, and what time it has."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping

from importer.core.errors import AccessError, ExitCode, ImporterError, UsageError
from importer.core.ports import Timekeeper
from importer.core.target_kinds import TargetKind, target_kind
from importer.delivery import StopSwitch
from importer.doctor.finding import Finding, readable_by_others
from importer.profile import Profile
from importer.runs.consent import require_named_target
from importer.runs.wiring import Destination, SystemClock, destination, open_target
from importer.runs.wiring.sending import limiter_for
from importer.targets import OpenTarget

_SKEW_S = 30.0
"""Beyond this, times in our logs and theirs no longer show which came first, and tokens seem to live too long."""


def known_destination(profile: Profile, environ: Mapping[str, str]) -> Destination | None:
    """Where a run would send to; None when that is not known."""
    try:
        return destination(profile, environ)
    except UsageError:
        return None


async def check_target(
    profile: Profile, environ: Mapping[str, str], *, offline: bool = False, of_inbox: bool = False
) -> list[Finding]:
    """Check address, credentials, connection and clock; after one that fails, those that need it are left out.

    Args:
        of_inbox: files would be archived: the target has to be named.
        offline: look only whether address and credentials are there.
    """
    try:
        if of_inbox:
            require_named_target(profile)
        settings = profile.target_settings()
    except UsageError as error:
        return [Finding.from_error("target", error)]
    address = settings.base_url or "inside the run"
    found = [Finding.ok("target", f"{profile.target}: {address}")]
    try:
        where = destination(profile, environ)
    except UsageError as error:
        return [*found, Finding.from_error("credentials", error)]
    kind = target_kind(where.settings.kind)
    if not where.embedded:
        for one in kind.credentials:
            found += readable_by_others("credentials", f"{one.variable}_FILE", environ)
    if offline:
        return [*found, Finding.ok("credentials", f"present; not {kind.logged_in} (--offline)")]
    return [*found, *await _connection(profile, where, kind)]


async def _connection(profile: Profile, where: Destination, kind: TargetKind) -> list[Finding]:
    """Log in for real. An emulator inside the run is started on a store of its own."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        chosen = profile.with_options({"workspace": folder}) if where.embedded else profile
        try:
            async with open_target(chosen, where, limiter_for(chosen, clock, StopSwitch()), clock) as target:
                return [await _logged_in(target, kind), *_clock(target)]
        except AccessError as error:
            return [Finding.ok("connection", "the target answers"), Finding.from_error("credentials", error)]
        except ImporterError as error:
            return [Finding.from_error("connection", error)]


async def _logged_in(target: OpenTarget, kind: TargetKind) -> Finding:
    refused = await target.check()
    if refused is None:
        return Finding.ok("credentials", kind.logged_in)
    status = f" (HTTP {refused.http_status})" if refused.http_status else ""
    return Finding.fail(
        "connection",
        f"{refused.message.rstrip('.')}{status}",
        "Check base_url, the network and the proxy (HTTPS_PROXY, NO_PROXY); try again when the target is up.",
        ExitCode.STOPPED,
    )


def _clock(target: OpenTarget) -> Iterator[Finding]:
    ahead_s = target.server_ahead_s if isinstance(target, Timekeeper) else None
    if ahead_s is None:
        return
    if abs(ahead_s) <= _SKEW_S:
        yield Finding.ok("clock", f"within {_SKEW_S:.0f} s of the target's")
        return
    side = "behind" if ahead_s > 0 else "ahead of"
    yield Finding.warn(
        "clock",
        f"this machine's clock is {abs(ahead_s):,.0f} s {side} the target's",
        "Let the machine set its clock by NTP.",
    )
