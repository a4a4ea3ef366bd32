"""The console of one of a team shows what the others do, and what they prepare, from the journal in PostgreSQL."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from importer.journal import keep_elsewhere
from importer.profile import Profile
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.receiving import receive
from tests.acceptance.conftest import User, Witness, ended, people, profile_for, sandbox, user, wait_for, witness
from tests.acceptance.test_acceptance_console_safe import Browser
from tests.acceptance.test_acceptance_team import member
from tests.browser.consoles import console_of
from tests.postgres import shared_server

__all__ = ["profile_for", "user", "witness"]
pytestmark = pytest.mark.slow


def lets_in(link: str) -> Browser:
    """Somebody who has opened the one-time link of a console."""
    url, _, path = link.partition("/enter/")
    browser = Browser(url)
    answer = browser.ask("GET", f"/enter/{path}")
    browser.cookie = answer.headers["set-cookie"].partition(";")[0]
    return browser


def prepares(workspace: Path, journal: str) -> str:
    """Somebody of the team begins a draft on their own host; returns its id."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"Name\nAna\n"

    keep_elsewhere(workspace, journal)
    service = DraftService(Profile(workspace=workspace))
    draft = service.begin("ana").id
    asyncio.run(receive(service, draft, "leads.csv", chunks(), by="ana", most_bytes=100))
    return draft


def test_runs_and_drafts_of_other_hosts_are_shown_and_say_where_their_files_are(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    url, source = shared_server().emptied(), user.has("people.csv", people(2_000))
    ana, kim = (
        replace(member(user, name), environ={**user.environ, "IMPORTER_JOURNAL": url}) for name in ("ana", "kim")
    )
    profile = profile_for(witness, delivery=['rate = "20/s"'])
    draft = prepares(ana.home / "runs", url)
    running = ana.starts("run", source, *sandbox(profile), "--json", **witness.environ)
    with console_of(kim) as console:
        ben = lets_in(console.link)
        wait_for(lambda: witness.ledger()["customers"] > 5, running)
        run_id = kim.types("runs", "--json").json["runs"][0]["run_id"]
        under_way = ben.ask("GET", f"/runs/{run_id}")
        running.send_signal(signal.SIGINT)
        stopped = ended(running)
        paths = ("/", f"/runs/{run_id}", f"/drafts/{draft}/map")
        listed, shown, prepared = (ben.ask("GET", path) for path in paths)
        file = ben.ask("GET", f"/runs/{run_id}/files/results")

    assert stopped.code == 130
    assert "under way in another program" in under_way.text
    assert f"process {running.pid} on " in under_way.text
    assert [one in listed.text for one in ("people.csv", "leads.csv", "Its file is on ")] == [True] * 3
    assert "Write its files here" not in shown.text  # it is resumed, which writes them
    assert "Resume" in shown.text
    assert file.status == 404
    assert f"which ana began, is on {socket.gethostname()}, in {ana.home / 'runs'}" in prepared.text
