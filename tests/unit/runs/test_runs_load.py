"""A source is opened and matched while the loop runs: garbage is not looked for among everything meanwhile."""

from __future__ import annotations

import gc
from pathlib import Path

from importer.profile import Profile
from importer.runs.context import Context
from importer.runs.load import opened_source
from importer.runs.wiring.sources import LocalSource

SAMPLE = Path(__file__).parents[3] / "sample_data" / "customers.csv"


def test_garbage_is_collected_rarely_while_a_source_is_open(tmp_path: Path) -> None:
    generations: list[int] = []

    def seen(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations.append(info["generation"])

    context = Context(Profile.load(environ={}, options={"workspace": tmp_path}))
    before = gc.get_threshold()
    gc.callbacks.append(seen)
    try:
        with opened_source(context, LocalSource(SAMPLE)):
            assert gc.get_threshold() != before
    finally:
        gc.callbacks.remove(seen)

    assert gc.get_threshold() == before
    assert max(generations, default=0) == 0
