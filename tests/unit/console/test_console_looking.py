"""A file that takes long to be looked at: the page says so meanwhile, and then shows what was found."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

pytest.importorskip("nicegui", reason="the console is not installed")

from nicegui import ui
from nicegui.testing.user_simulation import user_simulation

from importer.console.pages.new_import.looking import about, looked_at


async def test_a_notice_is_shown_until_the_file_was_looked_at(tmp_path: Path) -> None:
    file, may_end = tmp_path / "people.csv", Event()
    file.write_text("Name\nAna\n", "utf-8")

    def look() -> str:
        may_end.wait()
        return "three columns were found"

    async with user_simulation() as user:

        @ui.page("/")  # not the root of the simulation: that one is what is not found, and a console says that its way
        async def page() -> None:
            ui.label(await looked_at(file, look))

        await user.open("/")
        await user.should_see("A file of this size takes about 5 s")
        may_end.set()
        await user.should_see("three columns were found")
        await user.should_not_see("A file of this size takes about 5 s")


@pytest.mark.parametrize(
    ("suffix", "size_bytes", "said"),
    [(".csv", 1, "5 s"), (".CSV", 200_000_000, "25 s"), (".xlsx", 12_000_000, "15 s"), (".gz", 600_000_000, "10 min")],
)
def test_how_long_it_takes_is_said_roughly(suffix: str, size_bytes: int, said: str) -> None:
    assert about(suffix, size_bytes) == said
