"""The club for every room of the tests: its package, installed, and its server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toy_target.server import ClubServer, serving_the_club

METADATA = "Metadata-Version: 2.1\nName: club-for-importer\nVersion: 1.0\n"
ENTRY_POINTS = "[importer.targets]\nclub = tests.toy_target:KIND\n"


@pytest.fixture
def club_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the package of the club is installed; Python looks there."""
    folder = tmp_path / "site" / "club_for_importer-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(METADATA, encoding="utf-8")
    (folder / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    monkeypatch.syspath_prepend(folder.parent)
    return folder.parent


@pytest.fixture
def club() -> Iterator[ClubServer]:
    """The server of a club without members."""
    with serving_the_club(ClubServer()) as served:
        yield served
