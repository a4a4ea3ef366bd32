"""What headers tell about the allowance, in every spelling in use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from importer.core.outcomes import RateHint
from importer.targets.rocketkor.rate_headers import rate_hint

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        ({}, None),
        ({"Content-Type": "application/json"}, None),
        (
            {"RateLimit-Limit": "100", "RateLimit-Remaining": "7", "RateLimit-Reset": "30"},
            RateHint(100, 7, 30.0, None),
        ),
        ({"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "0"}, RateHint(100, 0, None, 60.0)),
        ({"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999"}, RateHint(5_000, 4_999, None, None)),
        (
            {"X-RateLimit-Limit": "5000", "X-RateLimit-Reset": str(int(NOW) + 90)},
            RateHint(5_000, None, 90.0, None),
        ),
        (
            {"X-RateLimit-Limit": "5000", "X-RateLimit-Reset": str(int(NOW + 2) * 1_000)},
            RateHint(5_000, None, 2.0, None),
        ),
        ({"X-RateLimit-Limit": "9", "X-RateLimit-Reset": str(int(NOW) - 5)}, RateHint(9, None, 0.0, None)),
        (
            {"RateLimit": '"default";r=50;t=30', "RateLimit-Policy": '"burst";q=100;w=60,"daily";q=1000;w=86400'},
            RateHint(100, 50, 30.0, 60.0),
        ),
        ({"RateLimit-Limit": "many", "RateLimit-Reset": "soon"}, RateHint()),
    ],
)
def test_headers_are_read_in_every_spelling(headers: dict[str, str], hint: RateHint | None) -> None:
    assert rate_hint(CIMultiDict(headers), NOW) == hint


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.sampled_from(["", "X-"]))
def test_no_header_whatsoever_makes_it_raise(limit: str, remaining: str, reset: str, prefix: str) -> None:
    spelt = {f"{prefix}RateLimit-Limit": limit, f"{prefix}RateLimit-Remaining": remaining}
    hint = rate_hint(CIMultiDict({**spelt, f"{prefix}RateLimit-Reset": reset, "RateLimit": limit}), NOW)

    assert hint is not None
    assert hint.limit is None or hint.limit >= 0
    assert hint.reset_s is None or hint.reset_s >= 0
