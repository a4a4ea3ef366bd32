"""One input over both adapters of the journal: the same story, the same facts, the same bytes in every file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from importer.core.results import RowResult
from tests.acceptance.conftest import SAMPLES, sandbox, serving_here, user_in
from tests.lab.laboratory import Story
from tests.postgres import shared_server

FILES = ("results.csv", "id-map.csv", "rejects.csv", "results.jsonl", "report.json", "report.html")
SEEDS = (1, 2, 3, 4, 5)
"""Nothing befalls the files of a journal in these stories: it could not befall a server."""
ROWS = (2, 17, 30, 151)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{8}T\d{6}Z-[0-9a-f]{6}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?")
_MEASURED = re.compile(
    r'("(?:elapsed_seconds|seconds|achieved_per_s|duration_s|in any second)": )[\d.]+'
    r"|(<dt>Took</dt><dd>|<th scope=\"row\">(?:seconds|achieved per s|largest: in any second)</th>"
    r"<td class=\"n\">)[\d.]+"
)


def played(seed: int, folder: Path, url: str = "") -> tuple[list[str], list[list[RowResult]]]:
    """What happened in a story, and every row as results show it."""
    folder.mkdir()
    story = Story(seed, folder, url=url)
    results = story.play()
    return story.world.log, results


@pytest.mark.parametrize("seed", SEEDS)
def test_a_story_of_kills_and_faults_is_the_same_over_both(tmp_path: Path, seed: int) -> None:
    assert played(seed, tmp_path / "file") == played(seed, tmp_path / "server", shared_server().emptied())


class Run:
    """A run of a file with every kind of row, and another one of the same customers."""

    def __init__(self, home: Path, journal: dict[str, str]) -> None:
        home.mkdir()
        self._user, self._journal = user_in(home), journal
        with serving_here() as witness:
            self._address = witness.base_url.partition("//")[2]
            lines = ["[delivery]", 'rate = "900/s"', "[targets.sandbox]", f'base_url = "{witness.base_url}"']
            profile = self._user.has("sandbox.toml", "\n".join(lines))
            how = (*sandbox(profile), "--concurrency", "1", "--format", "csv,jsonl", "--json")
            self._user.types("run", SAMPLES / "customers.csv", *how, **witness.environ, **journal)
            ran = self._user.types("run", SAMPLES / "customers_messy.csv", *how, **witness.environ, **journal)
        self._ids: dict[str, str] = {}
        self.folder = self._user.home / "runs" / ran.json["run_id"]

    def file(self, name: str) -> str:
        """A file of the run, without what is another one each time: ids by chance, moments, and what was measured."""
        return self._plain((self.folder / name).read_text(encoding="utf-8"))

    def explained(self, row: int) -> dict[str, Any]:
        """The story of a row."""
        said = self._user.types("explain", "last", str(row), "--show-values", "--json", **self._journal)
        story: dict[str, Any] = json.loads(self._plain(said.out))
        return story

    def _plain(self, text: str) -> str:
        text = text.replace(self._address, "SERVER").replace(str(self._user.home), "HOME")
        text = _ID.sub(lambda found: self._ids.setdefault(found[0], f"id-{len(self._ids)}"), text)
        return _MEASURED.sub(lambda found: f"{found[1] or found[2]}0", _MOMENT.sub("MOMENT", text))


@pytest.mark.slow
def test_every_file_of_a_run_and_every_explanation_is_the_same_over_both(tmp_path: Path) -> None:
    file = Run(tmp_path / "file", {})
    secret = (file.folder.parent / "import-key.secret").read_bytes().hex()
    server = Run(tmp_path / "server", {"IMPORTER_JOURNAL": shared_server().database(), "IMPORTER_SECRET": secret})

    for name in FILES:
        assert file.file(name).splitlines() == server.file(name).splitlines(), name
    for row in ROWS:
        assert file.explained(row) == server.explained(row)
