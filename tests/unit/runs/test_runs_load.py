"""A source is opened and matched while the loop runs: garbage is not looked for among everything meanwhile."""

from __future__ import annotations

import gc
from contextlib import nullcontext
from pathlib import Path

import pytest

from importer.core.errors import UsageError
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


def test_files_of_documents_are_not_looked_for_on_other_machines(tmp_path: Path) -> None:
    scans = tmp_path / "scans.csv"
    scans.write_text("First Name,Last Name,Email,Phone,Passport number,Passport country,Passport scan\n,,,,,,a.pdf\n")
    there = {"engine.kind": "dask", "engine.scheduler": "tls://dask.example.com:8786"}
    for chosen, is_refused in (({"after_create.documents": False}, False), ({}, True)):
        profile = Profile.load(environ={}, options={"workspace": tmp_path / "runs", **there, **chosen})
        refused = pytest.raises(UsageError, match="on this machine") if is_refused else nullcontext()
        with refused, opened_source(Context(profile), LocalSource(scans)):
            pass
    assert not (tmp_path / "runs").exists()
