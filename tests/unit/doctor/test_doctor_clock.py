"""What the target's `Date` says about our clock."""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from importer.core.errors import ExitCode
from importer.doctor import Finding, examine, exit_code
from importer.profile import Profile
from tests.unit.targets.scripted import Script, opened, reply, server

CREDENTIALS = {"ROCKETKOR_API_KEY": "key", "ROCKETKOR_API_SECRET": "secret"}
TOKEN = {"access_token": "token", "expires_in": 3600}


def dated(ahead_s: float | None) -> bytes:
    """A token, from a server with a clock that differs from ours."""
    date = {} if ahead_s is None else {"Date": formatdate(time.time() + ahead_s, usegmt=True)}  # noqa: TID251
    return reply(200, TOKEN, headers=date)


async def examined(ahead_s: float | None, workspace: Path) -> dict[str, Finding]:
    async with server(Script(exchanges=[dated(ahead_s)])) as script:
        options = {"target": "sandbox", "targets": {"sandbox": {"base_url": script.url}}, "workspace": str(workspace)}
        found = await examine(lambda: Profile.load(options=options, environ={}), CREDENTIALS)
    return {one.check: one for one in found}


async def test_a_clock_that_is_right_is_reported_as_right(tmp_path: Path) -> None:
    found = await examined(0.0, tmp_path / "runs")

    assert found["clock"].status == "ok"
    assert "within 30 s" in found["clock"].message


@pytest.mark.parametrize(("ahead_s", "word"), [(3_600.0, "behind"), (-120.0, "ahead of")])
async def test_a_clock_that_goes_wrong_is_a_warning(ahead_s: float, word: str, tmp_path: Path) -> None:
    found = await examined(ahead_s, tmp_path / "runs")

    said = re.search(r"([\d,]+) s (behind|ahead of)", found["clock"].message)
    assert found["clock"].status == "warn"
    assert said is not None
    assert said[2] == word
    # The server's date was made before the question: a busy machine lets some seconds pass in between.
    assert int(said[1].replace(",", "")) == pytest.approx(abs(ahead_s), abs=20)
    assert exit_code(list(found.values())) is ExitCode.OK


async def test_the_clock_is_not_checked_where_the_server_sends_no_time(tmp_path: Path) -> None:
    assert "clock" not in await examined(None, tmp_path / "runs")


async def test_the_target_knows_how_far_the_server_is_ahead() -> None:
    async with server(Script()) as script, opened(script.url) as other:
        script.exchanges = [reply(200, TOKEN, headers={"Date": formatdate(other.clock.wall + 90, usegmt=True)})]
        assert other.target.server_ahead_s is None
        await other.target.check()

        assert other.target.server_ahead_s == pytest.approx(90.5)


async def test_a_date_that_is_none_is_passed_over() -> None:
    async with server(Script(exchanges=[reply(200, TOKEN, headers={"Date": "yesterday"})])) as script:
        async with opened(script.url) as other:
            await other.target.check()

        assert other.target.server_ahead_s is None
