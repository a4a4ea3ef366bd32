"""Drafts of a team, in its journal in PostgreSQL: everybody sees them, and goes on with them where their files are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from importer.core.errors import UsageError
from importer.journal import Correction, DraftFacts, Location, copy_elsewhere, keep_elsewhere, open_journal
from importer.profile import Profile
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.reading import first_rows
from importer.runs.drafts.receiving import receive
from importer.runs.purge import purge
from importer.runs.wiring import open_workspace
from tests.postgres import shared_server

DAY_S = 86_400.0


@pytest.fixture
def url() -> str:
    return shared_server().emptied()


def member(home: Path, url: str) -> DraftService:
    """Somebody of the team, with a workspace of their own."""
    keep_elsewhere(home, url)
    open_journal(Location.of_workspace(home)).close()
    return DraftService(Profile(workspace=home))


@pytest.fixture
def ana(tmp_path: Path, url: str) -> DraftService:
    return member(tmp_path / "ana", url)


@pytest.fixture
def kim(tmp_path: Path, url: str) -> DraftService:
    return member(tmp_path / "kim", url)


def draft_of(service: DraftService, by: str) -> str:
    """A draft with a file and a correction."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"Name,Email\nMarguerite,m@example.com\n"

    draft = service.begin(by).id
    asyncio.run(receive(service, draft, "customers.csv", chunks(), by=by, most_bytes=1_000))
    with service.opened() as drafts:
        drafts.correct(draft, [Correction(2, "Name", "Marguerite", "Margarethe")], service.act(by, "corrected"))
    return draft


def test_a_draft_is_seen_by_all_and_says_where_its_file_is(ana: DraftService, kim: DraftService) -> None:
    draft = draft_of(ana, "ana")
    (seen,) = kim.all()

    assert (seen.id, seen.made_by, seen.facts.file) == (draft, "ana", "customers.csv")
    assert kim.elsewhere(seen) == socket.gethostname()
    assert ana.elsewhere(seen) == ""
    assert [one.what for one in kim.acts(draft)] == ["begun", "received", "corrected"]
    where = f"which ana began, is on {socket.gethostname()}, in {ana.workspace}"
    for needs_the_file in (kim.editable, lambda one: first_rows(kim, one)):
        with pytest.raises(UsageError, match=where):
            needs_the_file(draft)
    assert ana.editable(draft) == seen


def test_a_draft_without_a_file_is_gone_on_with_by_anybody(ana: DraftService, kim: DraftService) -> None:
    draft = ana.begin("ana").id

    assert kim.editable(draft).facts == DraftFacts()


def test_what_one_removes_is_gone_from_the_journal_and_at_the_next_purge_from_the_disk_of_the_other(
    ana: DraftService, kim: DraftService, url: str
) -> None:
    draft, kept = draft_of(ana, "ana"), draft_of(ana, "ana")
    folder = ana.workspace / "drafts" / draft

    kim.remove(draft)
    there = folder.exists()
    done = purge(ana.workspace, 30 * DAY_S, ana.machine.clock.now())

    assert there
    assert [one.draft for one in done.drafts] == [draft]
    assert not folder.exists()
    assert [one.id for one in ana.all()] == [kept]
    with closing(psycopg.connect(url)) as session:
        found = session.execute("SELECT DISTINCT draft FROM importer.draft_corrections").fetchall()
    assert found == [(kept,)]


def test_a_purge_removes_old_drafts_of_everybody(ana: DraftService, kim: DraftService) -> None:
    draft = draft_of(ana, "ana")

    done = purge(kim.workspace, DAY_S, kim.machine.clock.now() + 2 * DAY_S)

    assert [one.draft for one in done.drafts] == [draft]
    assert ana.all() == []


def test_drafts_are_carried_with_the_journal_whole_and_only_once(tmp_path: Path, url: str, kim: DraftService) -> None:
    home = tmp_path / "ana"
    open_workspace(home).close()
    own = DraftService(Profile(workspace=home))
    draft, gone, other = draft_of(own, "ana"), draft_of(own, "ana"), draft_of(kim, "kim")
    before = [(own.find(one), own.acts(one), corrected(own, one)) for one in (draft, gone)]
    file = home / "drafts.sqlite3"
    left = file.read_bytes()

    first = copy_elsewhere(home, url, 30.0, 1.0)
    after = [(own.find(one), own.acts(one), corrected(own, one)) for one in (draft, gone)]
    kim.remove(gone)
    own.note(own.find(draft), DraftFacts(target="sandbox"), own.act("ana", "target chosen"))
    (home / "journal.sqlite3.copied").rename(home / "journal.sqlite3")  # as if it had been cut off at its end
    file.write_bytes(left)
    second = copy_elsewhere(home, url, 30.0, 1.0)

    assert (first.drafts, second.drafts) == (2, 0)
    assert after == before
    assert {one.id for one in own.all()} == {draft, other}
    assert own.find(draft).facts.target == "sandbox"
    assert not list(home.glob("drafts.sqlite3*"))
    assert kim.elsewhere(kim.find(draft)) == socket.gethostname()


def corrected(service: DraftService, draft: str) -> list[Correction]:
    with service.opened() as drafts:
        return drafts.corrections(draft)


def test_a_draft_of_an_earlier_program_is_carried_with_where_its_file_is(tmp_path: Path, url: str) -> None:
    home = tmp_path / "ana"
    open_workspace(home).close()
    own = DraftService(Profile(workspace=home))
    found = own.begin("ana")
    own.note(found, DraftFacts(file="customers.csv", kept_in="ab"), own.act("ana", "received"))

    copy_elsewhere(home, url, 30.0, 1.0)

    facts = own.find(found.id).facts
    assert (facts.host, facts.folder) == (socket.gethostname(), str(home))


def test_a_purge_removes_the_file_of_a_journal_that_was_carried(tmp_path: Path, url: str) -> None:
    home = tmp_path / "ana"
    open_workspace(home).close()
    copy_elsewhere(home, url, 30.0, 1.0)
    kept = home / "journal.sqlite3.copied"

    purge(home, 30 * DAY_S, kept.stat().st_mtime + 1)
    young = kept.exists()
    done = purge(home, 30 * DAY_S, kept.stat().st_mtime + 31 * DAY_S)

    assert young
    assert done.copies == [kept]
    assert not kept.exists()
