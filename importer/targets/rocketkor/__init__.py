"""RocketKOR's REST API as a target: tokens, requests, and what its answers mean. One attempt a call.

Never waits (except for its slot of the run's rate), never retries, never writes a secret or a
customer's data anywhere but to the API. This module only declares the kind: it loads no network library.
"""

from __future__ import annotations

from importer.core.target_kinds import Credential, TargetKind

__all__ = ["KIND"]

KIND = TargetKind(
    title="RocketKOR",
    opener="importer.targets.rocketkor.client:open_target",
    contract="importer.customers.contract:CUSTOMERS",
    credentials=(
        Credential("api_key", "ROCKETKOR_API_KEY"),
        Credential("api_secret", "ROCKETKOR_API_SECRET"),
    ),
    address="the address that your RocketKOR contact gave you",
    api_path="/v1",
    logged_in="exchanged for a token",
)
