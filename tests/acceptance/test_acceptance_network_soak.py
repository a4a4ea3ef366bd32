"""The soak itself, in seconds instead of minutes: it kills, compares and finds the promises kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.soak import Soak
from tests.soak.verdict import verdict


@pytest.mark.slow
def test_a_soak_of_a_few_seconds_keeps_every_promise(tmp_path: Path) -> None:
    soak = Soak(tmp_path, minutes=0.1, rate=200, seed=1)
    soak.play()

    broken = [line for line in verdict(soak) if not line.kept and line.promise != "memory flat"]  # that needs minutes
    assert not broken, soak.last_words
    assert soak.lives[0].ended == "killed"
