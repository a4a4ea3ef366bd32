"""How answers announce the rate limit, in each spelling that servers use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

RateHeaders = Literal["off", "ietf", "draft", "x", "x-epoch"]
"""`off`: not at all. `ietf`: `RateLimit` with `RateLimit-Policy`. `draft`: `RateLimit-Limit` and its like, as earlier
drafts had them. `x`: the same with `X-`. `x-epoch`: its reset is a moment, in seconds since the epoch."""


class LimitState(NamedTuple):
    """One limit as it stands.

    Args:
        limit: requests in a window.
        reset_s: seconds until the next place is free.
        window_s: the window, in seconds.
    """

    limit: int
    remaining: int
    reset_s: float
    window_s: float


def spelt(state: LimitState, spelling: RateHeaders, now: float) -> Mapping[str, str]:
    """Write a limit as headers.

    Args:
        now: seconds since the epoch, on the server's clock.
    """
    reset = math.ceil(max(state.reset_s, 0.0))
    if spelling == "off":
        return {}
    if spelling == "ietf":
        policy = f'"default";q={state.limit};w={math.ceil(state.window_s)}'
        return {"RateLimit": f'"default";r={state.remaining};t={reset}', "RateLimit-Policy": policy}
    prefix = "" if spelling == "draft" else "X-"
    values = {"Limit": state.limit, "Remaining": state.remaining, "Reset": reset}
    if spelling == "x-epoch":
        values["Reset"] = math.ceil(now + state.reset_s)
    return {f"{prefix}RateLimit-{name}": str(value) for name, value in values.items()}
