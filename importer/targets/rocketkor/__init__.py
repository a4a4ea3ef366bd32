"""RocketKOR's REST API as a target: tokens, requests, and what its answers mean. One attempt a call.

Never waits (except for its slot of the run's rate), never retries, never writes a secret or a
customer's data anywhere but to the API.
"""

from __future__ import annotations

from importer.core.ports import Clock, Limiter
from importer.targets.access import TargetAccess
from importer.targets.rocketkor.client import RocketKorTarget
from importer.targets.rocketkor.http import open_wire

__all__ = ["RocketKorTarget", "open_target"]


async def open_target(access: TargetAccess, limiter: Limiter, clock: Clock) -> RocketKorTarget:
    """Open the target in the running event loop; no request is made yet.

    Raises:
        ProfileError: HTTPS_PROXY, SSL_CERT_FILE or SSL_CERT_DIR say something that cannot be used.
    """
    return RocketKorTarget(access, await open_wire(access), limiter, clock)
