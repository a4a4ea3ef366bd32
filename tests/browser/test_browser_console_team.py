"""The console over a team's journal: what another host has run is read, written again, and searched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import SAMPLES, User, user
from tests.acceptance.test_acceptance_team import member
from tests.browser.consoles import console_of
from tests.postgres import shared_server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
__all__ = ["user"]


def test_the_files_of_a_run_of_another_host_are_written_here_and_the_story_of_a_row_is_read(
    user: User, new_page: Callable[..., Page]
) -> None:
    environ = {**user.environ, "IMPORTER_JOURNAL": shared_server().emptied()}
    ana, kim = (replace(member(user, name), environ=environ) for name in ("ana", "kim"))
    assert ana.types_for_real("run", SAMPLES / "customers.xlsx", "--quiet").code == 0

    with console_of(kim) as console:
        page = new_page()
        console.enters(page)
        console.opens_run(page, "customers.xlsx")
        page.get_by_text("Its files are not in this workspace").wait_for()
        page.get_by_role("button", name="Write its files here").click()
        page.get_by_role("link", name="results.csv").wait_for()
        assert page.get_by_role("button", name="Write its files here").count() == 0
        story = console.opens_story(page, "joseph.martin@", 2)
        assert story.get_by_text("create: 201").count() == 1

    (theirs,), (ours,) = (list(one.home.glob("runs/*/results.csv")) for one in (ana, kim))
    assert theirs.read_bytes() == ours.read_bytes()
