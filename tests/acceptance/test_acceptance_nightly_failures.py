"""Nights with errors: what is wrong is reported, and neither a file nor a profile empties a folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from importer.journal import locks_of
from tests.acceptance.conftest import User, Witness, ended, people, wait_for

NIGHTLY = ("nightly", "inbox", "--json")
RAW = os.fsdecode(b"caf\xe9.csv")
WRONG = """[mapping]
"firstName" = "Nope"
"lastName" = "Last Name"
"primaryEmail.value" = "Email"
"primaryPhoneNumber.number" = "Phone"
"primaryPhoneNumber.type" = { value = "MOBILE" }
"""


@pytest.fixture
def inbox(user: User) -> Path:
    path = user.home / "inbox"
    path.mkdir()
    pace = {"IMPORTER_NIGHTLY__SETTLE_S": "0.02", "IMPORTER_NIGHTLY__POLL_S": "0.05"}
    user.environ.update(IMPORTER_TARGET="emulator", **pace)
    return path


@pytest.fixture
def notifications(user: User) -> Iterator[list[dict[str, Any]]]:
    """Where the user's notifications arrive."""
    got: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    user.environ["IMPORTER_NOTIFY_URLS"] = f"json://127.0.0.1:{server.server_port}/"
    yield got
    server.shutdown()
    server.server_close()


def titles(notifications: list[dict[str, Any]]) -> list[str]:
    return [notification["title"].partition(":")[0] for notification in notifications]


def fates(report: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(one["file"], one["fate"], one["exit_code"]) for one in report["imports"]]


# --------------------------------------------------------------------------- names


def test_a_name_that_is_not_text_is_put_away_and_the_others_go_on(user: User, inbox: Path) -> None:
    (inbox / RAW).write_text(people(3))
    (inbox / "b.csv").write_text(people(4))
    ran = user.types(*NIGHTLY)

    assert (ran.code, sorted(fates(ran.json))) == (6, [("b.csv", "imported", 0), ("caf\\xe9.csv", "refused", 6)])
    (put,) = (inbox / "failed").iterdir()
    assert put.name.endswith("_caf\\xe9.csv")
    assert "is not UTF-8 text. Rename it." in (put / "why.txt").read_text(encoding="utf-8")
    assert [os.fsencode(path.name) for path in put.glob("caf*")] == [b"caf\xe9.csv"]
    assert user.types("nightly", "inbox").code == 0


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_source_with_a_name_that_is_not_text_is_one_sentence(user: User, command: str) -> None:
    (user.home / RAW).write_text(people(3))
    ran = user.types_for_real(command, RAW)

    sentence = "importer: The name of the file 'caf\\xe9.csv' is not UTF-8 text. Rename it."
    assert (ran.code, ran.err.strip()) == (6, sentence)


def test_symbolic_links_are_left_alone_and_named(user: User, inbox: Path) -> None:
    (inbox / "link.csv").symlink_to(user.has("elsewhere.csv", people(3)))
    ran = user.types("nightly", "inbox")

    assert (ran.code, "link.csv: a symbolic link, left alone" in ran.err) == (0, True)
    assert user.types(*NIGHTLY).json["links"] == ["link.csv"]


# --------------------------------------------------------------------------- reported


@pytest.mark.parametrize(
    ("profile", "options"),
    [
        ('[targets.sandbox]\nbase_url = "https://api.example.com"\n', ("--target", "sandbox")),
        ('[targets.sandbox]\nbase_url = "https://replace-me.invalid"\n', ("--target", "sandbox")),
        ('[delivery]\nrates = "10/s"\n', ()),
        ("[delivery\n", ()),
        ("", ("--target", "nowhere")),
        ("dry_run = true\n", ()),
    ],
)
def test_a_night_that_cannot_begin_is_reported(
    user: User, inbox: Path, notifications: list[dict[str, Any]], profile: str, options: tuple[str, ...]
) -> None:
    (inbox / "a.csv").write_text(people(3))
    user.has("p.toml", profile)
    ran = user.types(*NIGHTLY, "--config", "p.toml", *options)

    assert (ran.code, titles(notifications), [path.name for path in inbox.iterdir()]) == (
        2,
        ["Customer import failed"],
        ["a.csv"],
    )
    assert f"{inbox}: " in notifications[0]["message"]


def test_a_missing_profile_is_reported_unless_nobody_wants_to_know(
    user: User, inbox: Path, notifications: list[dict[str, Any]]
) -> None:
    assert user.types(*NIGHTLY, "--config", "gone.toml", IMPORTER_NOTIFY__ON="done").code == 2
    assert user.types(*NIGHTLY, "--config", "gone.toml", IMPORTER_NOTIFY_URLS="sekret://nobody").code == 2
    assert notifications == []
    assert user.types(*NIGHTLY, "--config", "gone.toml").code == 2
    assert titles(notifications) == ["Customer import failed"]


@pytest.mark.slow
def test_a_watched_folder_that_another_night_locks_is_not_reported(
    user: User, inbox: Path, notifications: list[dict[str, Any]]
) -> None:
    (inbox / ".importer").mkdir()
    with locks_of(inbox / ".importer").hold("nightly", 0.0):
        assert user.types(*NIGHTLY).code == 7
        assert titles(notifications) == ["Customer import failed"]
        watching = user.starts("nightly", "inbox", "--watch", "--json")
        with pytest.raises(subprocess.TimeoutExpired):
            watching.wait(2)  # many looks at the folder
    (inbox / "a.csv").write_text(people(3))
    wait_for(lambda: len(notifications) > 1, watching)
    watching.send_signal(signal.SIGTERM)

    assert ended(watching).code == 0
    assert titles(notifications) == ["Customer import failed", "Customer import done"]


# --------------------------------------------------------------------------- whose fault


def test_a_profile_that_fits_no_file_holds_them_all(
    user: User, inbox: Path, notifications: list[dict[str, Any]]
) -> None:
    user.has("wrong.toml", WRONG)
    for name in ("a.csv", "b.csv", "c.csv"):
        (inbox / name).write_text(people(3))
    ran = user.types(*NIGHTLY, "--config", "wrong.toml")

    assert (ran.code, titles(notifications)) == (2, ["Customer import failed"])
    assert fates(ran.json) == [(name, "held", 2) for name in ("a.csv", "b.csv", "c.csv")]
    assert list((inbox / "failed").iterdir()) == []

    user.has("wrong.toml", WRONG.replace("Nope", "First Name"))
    again = user.types(*NIGHTLY, "--config", "wrong.toml")
    assert (again.code, [fate for _, fate, _ in fates(again.json)]) == (0, ["imported", "known", "known"])


def test_a_profile_that_could_make_no_customer_from_any_file_ends_the_night(user: User, inbox: Path) -> None:
    user.has("poor.toml", '[mapping]\n"lastName" = "Last Name"\n')
    for name in ("a.csv", "b.csv"):
        (inbox / name).write_text(people(3))
    ran = user.types(*NIGHTLY, "--config", "poor.toml")

    assert (ran.code, len(ran.json["imports"]), ran.json["waiting"]) == (2, 1, 1)
    assert list((inbox / "failed").iterdir()) == []


@pytest.mark.slow
def test_a_column_that_one_file_lacks_is_its_own_fault_and_a_watched_folder_goes_on(
    user: User, inbox: Path, notifications: list[dict[str, Any]]
) -> None:
    user.has("p.toml", WRONG.replace("Nope", "First Name"))
    drifted = people(5).replace("First Name", "Vorname")
    (inbox / "a-drifted.csv").write_text(drifted)
    os.utime(inbox / "a-drifted.csv", (1, 1))
    (inbox / "b.csv").write_text(people(3))
    watching = user.starts("nightly", "inbox", "--watch", "--json", "--config", "p.toml")
    wait_for(lambda: any((inbox / "failed").glob("*/why.txt")), watching)
    (inbox / "c.csv").write_text(people(7))
    wait_for(lambda: len(list(inbox.glob("archive/*_?.csv"))) > 1, watching)
    watching.send_signal(signal.SIGTERM)
    ran = ended(watching)

    assert (ran.code, sorted(fates(ran.json))) == (
        6,
        [("a-drifted.csv", "refused", 6), ("b.csv", "imported", 0), ("c.csv", "imported", 0)],
    )
    assert (ran.json["counts"]["created"], ran.json["counts"]["existing"]) == (7, 3)
    assert len(list((inbox / "failed").iterdir())) == 1


def test_a_file_that_lacks_a_column_on_the_first_night_of_a_profile_is_judged_after_the_others(
    user: User, inbox: Path
) -> None:
    user.has("p.toml", WRONG.replace("Nope", "First Name"))
    (inbox / "a.csv").write_text(people(5).replace("First Name", "Vorname"))
    os.utime(inbox / "a.csv", (1, 1))
    (inbox / "b.csv").write_text(people(3))
    ran = user.types(*NIGHTLY, "--config", "p.toml")

    assert (ran.code, fates(ran.json)) == (6, [("b.csv", "imported", 0), ("a.csv", "refused", 6)])


# --------------------------------------------------------------------------- corrections and paths


def test_corrections_are_counted_and_paths_in_notices_are_whole(
    user: User, inbox: Path, notifications: list[dict[str, Any]], witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "500/s"'])
    options = ("--config", profile, "--target", "sandbox")
    (inbox / "a.csv").write_text(people(5))
    assert user.types(*NIGHTLY, *options, **witness.environ).code == 0
    (inbox / "b.csv").write_text(people(5).replace("person2@", "other2@").replace("person3@", "other3@"))
    (inbox / "broken.csv").write_bytes(b"\x00\x01" * 9)
    ran = user.types("nightly", "inbox", *options, **witness.environ)

    assert "2 came with other data than before; nothing was changed" in ran.err
    said = notifications[-1]["message"]
    assert "5 existing. 2 came with other data than before" in said
    assert f"It is in {inbox / 'failed'}" in said
    assert f"Folder: {inbox}." in said


def test_two_files_of_the_same_content_that_a_killed_night_left_are_counted_once(user: User, inbox: Path) -> None:
    (inbox / "processing").mkdir()
    for name in ("a.csv", "b.csv"):
        (inbox / "processing" / name).write_text(people(3))
    ran = user.types(*NIGHTLY)

    assert (ran.json["counts"]["created"], [fate for _, fate, _ in fates(ran.json)]) == (3, ["imported", "known"])
