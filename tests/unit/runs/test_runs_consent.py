"""Nothing is sent to a live target without a person's consent; rehearsals need none."""

from __future__ import annotations

import pytest

from importer.core.errors import UsageError
from importer.profile import Profile
from importer.profile.delivery import TargetSettings
from importer.runs.consent import ask_consent, require_consent, require_named_target
from importer.runs.wiring import Destination

LIVE = Destination("live", TargetSettings(base_url="https://api.example.com"), "scope", "api.example.com")
REHEARSAL = Destination("emulator", TargetSettings(), "emulator", "")


def profile(**options: object) -> Profile:
    return Profile.load(options=options, environ={})


def test_a_live_target_is_refused_where_nobody_can_be_asked() -> None:
    with pytest.raises(UsageError, match=r"api\.example\.com.*confirmed"):
        require_consent(LIVE, profile(), None)


def test_consent_is_given_by_an_option_or_asked_for_later() -> None:
    require_consent(LIVE, profile(yes=True), None)
    require_consent(LIVE, profile(), lambda host, rows: False)
    require_consent(REHEARSAL, profile(), None)


def test_a_person_is_asked_with_the_host_and_the_rows_that_are_ready() -> None:
    asked: list[tuple[str, int]] = []

    def confirm(host: str, rows: int) -> bool:
        asked.append((host, rows))
        return True

    ask_consent(LIVE, profile(), confirm, {"read": 9, "ready": 7})
    assert asked == [("api.example.com", 7)]


def test_a_person_who_says_no_stops_the_run() -> None:
    with pytest.raises(UsageError, match="not confirmed"):
        ask_consent(LIVE, profile(), lambda host, rows: False, {"ready": 7})


@pytest.mark.parametrize(("where", "yes"), [(LIVE, True), (REHEARSAL, False)])
def test_nobody_is_asked_without_need(where: Destination, *, yes: bool) -> None:
    def never(host: str, rows: int) -> bool:
        pytest.fail("asked without need")

    ask_consent(where, profile(yes=yes), never, {"ready": 7})


def test_files_are_not_archived_as_imported_while_no_target_was_named() -> None:
    with pytest.raises(UsageError, match="No target is named"):
        require_named_target(profile())
    require_named_target(profile(target="emulator"))
