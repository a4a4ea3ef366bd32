"""Nights that are refused: by the target, by the profile, by an empty folder. A sentence, a code, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import Ran, User, Witness, exactly_once, people, sandbox, serving

NIGHTLY = "[nightly]\nsettle_s = 0.02"
COLUMNS = ["ID", "First Name", "Last Name", "Email", "Phone"]


@pytest.fixture
def inbox(user: User) -> Path:
    path = user.home / "inbox"
    path.mkdir()
    return path


def finished_later(user: User, inbox: Path, witness: Witness, again: Ran) -> None:
    """What a refused night left is imported by the next one, once."""
    assert (again.code, [one["fate"] for one in again.json["imports"]]) == (0, ["imported", "imported"]), again.out
    assert [path.name for path in inbox.iterdir() if path.is_file()] == []
    rows = [row for one in again.json["imports"] for row in user.reads(f"{one['put']}/results.csv")]
    created = [row for row in rows if row["_status"] == "created"]
    exactly_once(witness, created)
    assert len(created) == 12


@pytest.mark.parametrize("secret", ["outdated", ""])
def test_a_refused_token_ends_the_night_with_a_sentence_and_the_next_one_goes_on(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path], secret: str
) -> None:
    (inbox / "a.csv").write_text(people(8))
    (inbox / "b.csv").write_text(people(12))
    night = ("nightly", "inbox", *sandbox(profile_for(witness, more=NIGHTLY)), "--json")
    ran = user.types(*night, **{**witness.environ, "ROCKETKOR_API_SECRET": secret})

    if secret:
        assert (ran.code, [(one["file"], one["fate"]) for one in ran.json["imports"]]) == (5, [("a.csv", "held")])
        assert ran.json["imports"][0]["counts"]["unsent"] == 8
        assert (ran.json["waiting"], [path.name for path in (inbox / "processing").iterdir()]) == (1, ["a.csv"])
        assert witness.ledger()["counts"] == {"token": {"401": 1}}
    else:  # nothing was even tried
        assert (ran.code, witness.ledger()["requests"]) == (2, 0)
        assert sorted(path.name for path in inbox.iterdir()) == ["a.csv", "b.csv"]
    assert "ROCKETKOR_API_SECRET" in ran.json["error"]
    assert "outdated" not in ran.out + ran.err
    finished_later(user, inbox, witness, user.types(*night, "--rate", "500/s", **witness.environ))


@pytest.mark.slow
def test_a_role_that_may_not_create_ends_the_night_with_a_sentence_and_the_next_one_goes_on(
    user: User, inbox: Path, profile_for: Callable[..., Path]
) -> None:
    home = User(user.home, {**user.environ, "EMULATOR_API_KEY": "night-key", "EMULATOR_API_SECRET": "night-secret"})
    (inbox / "a.csv").write_text(people(8))
    (inbox / "b.csv").write_text(people(12))
    with serving(home, "--role", "view-only") as witness:
        night = ("nightly", "inbox", *sandbox(profile_for(witness, more=NIGHTLY)), "--json")
        ran = user.types(*night, **witness.environ)
        assert witness.customers() == []
    assert (ran.code, [(one["file"], one["fate"]) for one in ran.json["imports"]]) == (5, [("a.csv", "held")])
    assert "may not" in ran.json["error"]
    counts = ran.json["imports"][0]["counts"]
    assert counts["unsent"] + counts["failed"] + counts["rejected"] == 8

    port = witness.base_url.rpartition(":")[2]
    with serving(home, "--port", port) as witness:
        finished_later(user, inbox, witness, user.types(*night, "--rate", "500/s", **witness.environ))


def test_a_file_whose_columns_the_profile_does_not_know_is_put_aside_and_comes_again_fixed(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    drifted = people(8).replace("Email", "E-Mail Address").replace("Phone", "Phone,Fax", 1)
    (inbox / "a.csv").write_text(drifted)
    (inbox / "b.csv").write_text(people(6))
    profile = profile_for(witness, more=f'[source]\ncolumns = {COLUMNS}\non_drift = "stop"\n{NIGHTLY}')
    night = ("nightly", "inbox", *sandbox(profile), "--json")
    ran = user.types(*night, "--rate", "500/s", **witness.environ)

    assert ran.code == 6
    assert [(one["file"], one["fate"]) for one in ran.json["imports"]] == [("a.csv", "refused"), ("b.csv", "imported")]
    (put,) = (inbox / "failed").iterdir()
    why = (put / "why.txt").read_text("utf-8")
    assert "The columns of 'a.csv' are not those that the profile was made for" in why
    assert "'Email' is now called 'E-Mail Address'; 'Fax' is new" in why
    assert (put / "a.csv").read_text() == drifted
    assert len(witness.customers()) == 6

    (inbox / "a.csv").write_text(people(8))
    again = user.types(*night, "--rate", "500/s", **witness.environ)
    assert (again.code, again.json["counts"]["created"], again.json["counts"]["existing"]) == (0, 2, 6)
    assert len(witness.customers()) == 8


def test_a_folder_without_a_file_is_a_sentence_and_sends_nothing(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    night = ("nightly", "inbox", *sandbox(profile_for(witness, more=NIGHTLY)))
    (inbox / "notes.pdf").write_text("not meant")
    quiet = user.types(*night, **witness.environ)
    missed = user.types(*night, "--expect", "daily", **witness.environ)

    assert (quiet.code, "Nothing to do in inbox." in quiet.err) == (0, True)
    assert (missed.code, "No file came to inbox, although one is expected every day." in missed.err) == (75, True)
    assert (witness.ledger()["requests"], (inbox / "notes.pdf").read_text()) == (0, "not meant")
