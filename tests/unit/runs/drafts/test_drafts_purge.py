"""A purge removes drafts that nobody has changed for long: their cells, their files, and nothing of others."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from importer.journal import Correction, DraftFacts
from importer.journal.location import drafts_file
from importer.profile import Profile
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.receiving import receive
from importer.runs.purge import purge
from importer.runs.wiring import open_workspace
from tests.contracts.journals import FIRST, begin

DAY_S = 86_400.0


@pytest.fixture(params=["with a journal", "without one"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> DraftService:
    if request.param == "with a journal":
        open_workspace(tmp_path / "runs").close()
    return DraftService(Profile(workspace=tmp_path / "runs"))


def draft_of(service: DraftService, name: str, days: float) -> str:
    """A draft with a file and a correction, last changed some days ago."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"Name,Email\nMarguerite,m@example.com\n"

    draft = service.begin("kim").id
    asyncio.run(receive(service, draft, name, chunks(), by="kim", most_bytes=1_000))
    with service.opened() as drafts:
        drafts.correct(draft, [Correction(2, "Name", "Marguerite", "Margarethe")], service.act("kim", "corrected"))
    with closing(sqlite3.connect(drafts_file(service.workspace))) as stranger:
        stranger.execute("UPDATE drafts SET changed_at = changed_at - ? WHERE id = ?", (days * DAY_S, draft))
        stranger.commit()
    return draft


def content(workspace: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(workspace.rglob("*")) if path.is_file())


def test_old_drafts_are_listed_and_then_removed_from_every_byte(service: DraftService) -> None:
    old, young = draft_of(service, "old.csv", 31), draft_of(service, "young.csv", 29)
    now = service.machine.clock.now()

    listed = purge(service.workspace, 30 * DAY_S, now, dry_run=True).as_json()
    assert [(one["id"], one["file"]) for one in listed["drafts"]] == [(old, "old.csv")]
    assert listed["bytes"] == listed["drafts"][0]["bytes"] > 0
    assert len(service.all()) == 2

    done = purge(service.workspace, 30 * DAY_S, now)

    assert [one.draft for one in done.drafts] == [old]
    assert [one.id for one in service.all()] == [young]
    assert not (service.workspace / "drafts" / old).exists()
    service.remove(young)
    assert b"Marg" not in content(service.workspace)


def test_a_workspace_without_drafts_gets_none_by_a_purge(service: DraftService, tmp_path: Path) -> None:
    service.workspace.mkdir(exist_ok=True)

    assert purge(service.workspace, DAY_S, service.machine.clock.now()).drafts == []
    assert not drafts_file(service.workspace).exists()


def test_the_draft_of_a_run_that_can_be_resumed_stays_until_the_run_is_given_up(tmp_path: Path) -> None:
    with closing(open_workspace(tmp_path / "runs")) as workspace:
        begin(workspace.journal, FIRST)
    service = DraftService(Profile(workspace=tmp_path / "runs"))
    draft = service.find(draft_of(service, "sent.csv", 0))
    service.note(draft, DraftFacts(run_id=FIRST), service.act("kim", "sent"))
    later = service.machine.clock.now() + 31 * DAY_S

    assert [one.run_id for one in purge(service.workspace, 30 * DAY_S, later).kept] == [FIRST]
    assert [one.id for one in service.all()] == [draft.id]

    assert [one.draft for one in purge(service.workspace, 30 * DAY_S, later, force=True).drafts] == [draft.id]
    assert service.all() == []
