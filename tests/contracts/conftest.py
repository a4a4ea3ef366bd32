"""Every adapter of the journal, empty, and with one run of five valid rows and two invalid ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from importer.journal import Journal
from tests.contracts.journals import ADAPTERS, FIRST, Book, Opener, filled


@pytest.fixture(params=sorted(ADAPTERS))
def opener(request: pytest.FixtureRequest) -> Opener:
    return ADAPTERS[request.param]


@pytest.fixture
def journal(tmp_path: Path, opener: Opener) -> Iterator[Journal]:
    with closing(opener(tmp_path)) as opened:
        yield opened


@pytest.fixture
def book(journal: Journal) -> Book:
    return filled(journal, FIRST, ["k0", "k1", None, "k3", "k4", "k5", None])
