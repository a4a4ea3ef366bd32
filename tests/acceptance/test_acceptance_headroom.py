"""Headroom: a share of the rate is left to live traffic, in every request that really arrives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import User, Witness, people, sandbox

RATE, HEADROOM, LEFT = 40, "0.5", 20
SLACK_S = 0.1
"""When a request arrives is the machine's doing as well: the witness's window is that much shorter than a second."""


@pytest.mark.parametrize("said", ["to run", "to nightly", "in the profile"])
def test_no_second_sees_more_requests_than_headroom_leaves(
    user: User, witness: Witness, profile_for: Callable[..., Path], said: str
) -> None:
    rows = 2 * LEFT + 5
    (user.home / "inbox").mkdir()
    (user.home / "inbox" / "a.csv").write_text(people(rows))
    in_profile = [f"headroom = {HEADROOM}"] if said == "in the profile" else []
    profile = profile_for(witness, delivery=[f'rate = "{RATE}/s"', *in_profile], more="[nightly]\nsettle_s = 0.02")
    what = ("nightly", "inbox") if said == "to nightly" else ("run", "inbox/a.csv")
    option = ("--headroom", HEADROOM) if said.startswith("to ") else ()
    ran = user.types(*what, *sandbox(profile), *option, "--json", **witness.environ)

    assert (ran.code, ran.json["counts"]["created"]) == (0, rows)
    ledger = witness.ledger(1 - SLACK_S)
    assert ledger["requests"] == rows + 2
    assert ledger["largest_window"] <= LEFT


def test_without_headroom_the_same_witness_sees_more(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=[f'rate = "{RATE}/s"'])
    user.types("run", user.has("a.csv", people(RATE)), *sandbox(profile), "--json", **witness.environ)

    assert witness.ledger(1 - SLACK_S)["largest_window"] > LEFT


def test_headroom_is_left_of_a_days_quota_too(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    profile = profile_for(witness, delivery=['rate = ["300/s", "100/day"]', "headroom = 0.25"])
    ran = user.types("run", user.has("a.csv", people(90)), *sandbox(profile), "--json", **witness.environ)

    assert (ran.code, ran.json["counts"]["created"], ran.json["counts"]["unsent"]) == (75, 73, 17)
    assert witness.ledger()["requests"] == 75  # the one for the token counts, and the look for other workspaces


def test_the_files_of_a_night_share_one_second(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    """Every file is a run with a limiter of its own: one begins when the second of the one before it is over."""
    (user.home / "inbox").mkdir()
    lines = people(32).splitlines()
    for file in range(4):
        text = "\n".join([lines[0], *lines[1 + 8 * file : 9 + 8 * file], ""])
        (user.home / "inbox" / f"{file}.csv").write_text(text)
    profile = profile_for(witness, delivery=['rate = "10/s"'], more="[nightly]\nsettle_s = 0.02")
    ran = user.types("nightly", "inbox", *sandbox(profile), "--json", **witness.environ)

    assert (ran.code, ran.json["counts"]["created"]) == (0, 32)
    assert witness.ledger(1 - SLACK_S)["largest_window"] <= 10
