"""The doctor on what a night depends on: its folder, those who are told, and those who watch."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from importer.journal import locks_of
from tests.acceptance.conftest import IMPORTER, User, people


@pytest.fixture
def inbox(user: User) -> Path:
    path = user.home / "inbox"
    path.mkdir()
    user.environ["IMPORTER_TARGET"] = "emulator"
    return path


def worst(report: dict[str, Any]) -> dict[str, str]:
    """The worst status of every check."""
    order = ("ok", "warn", "fail")
    found: dict[str, str] = {}
    for one in report["checks"]:
        found[one["check"]] = max(found.get(one["check"], "ok"), one["status"], key=order.index)
    return found


def reported(report: dict[str, Any], check: str) -> str:
    return " ".join(f"{one['message']} {one['fix']}" for one in report["checks"] if one["check"] == check)


def test_all_is_well_and_nothing_is_made_or_moved(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(3))
    ran = user.types("doctor", "inbox", "--json")

    assert (ran.code, set(worst(ran.json).values())) == (0, {"ok"}), ran.out
    assert {"folder", "night", "waiting", "notify", "disk"} <= set(worst(ran.json))
    assert "1 file" in reported(ran.json, "waiting")
    assert [path.name for path in user.home.rglob("*")] == ["inbox", "a.csv"]


def test_all_is_well_after_a_night(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(3))
    user.types("nightly", "inbox", IMPORTER_NIGHTLY__SETTLE_S="0.02")
    ran = user.types("doctor", "inbox", "--json")

    assert (ran.code, set(worst(ran.json).values()), reported(ran.json, "waiting")) == (0, {"ok"}, "no file ")


def test_a_folder_that_is_not_there_fails_as_the_night_would(user: User) -> None:
    user.environ["IMPORTER_TARGET"] = "emulator"
    user.has("a.csv", "x")
    for name in ("nowhere", "a.csv"):
        ran = user.types("doctor", name, "--json")
        assert (ran.code, worst(ran.json)["folder"], user.types("nightly", name).code) == (6, "fail", 6)


def test_a_place_that_is_not_a_folder_fails_as_the_night_would(user: User, inbox: Path) -> None:
    (inbox / "archive").write_text("x")
    ran = user.types("doctor", "inbox", "--json")

    assert (ran.code, worst(ran.json)["folder"], user.types("nightly", "inbox").code) == (1, "fail", 1)
    assert "inbox/archive" in reported(ran.json, "folder")


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv to be a root that may not write everything")
@pytest.mark.parametrize(("mode", "code"), [(0o000, 6), (0o500, 1)])
@pytest.mark.slow
def test_a_folder_that_cannot_be_used_fails_as_the_night_would(user: User, inbox: Path, mode: int, code: int) -> None:
    inbox.chmod(mode)
    capless = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")
    done = [
        subprocess.run(
            [*capless, *IMPORTER, command, "inbox", "--json"],
            cwd=user.home,
            env=user.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for command in ("doctor", "nightly")
    ]
    inbox.chmod(0o700)

    assert [one.returncode for one in done] == [code, code], done
    assert worst(json.loads(done[0].stdout))["folder"] == "fail"


def test_a_night_at_work_and_what_one_left_are_reported(user: User, inbox: Path) -> None:
    (inbox / "processing").mkdir()
    (inbox / "processing" / "a.csv").write_text(people(3))
    left = user.types("doctor", "inbox", "--json")
    assert (left.code, worst(left.json)["night"]) == (0, "warn")
    assert "an earlier one was cut off: 1 file in inbox/processing" in reported(left.json, "night")

    with locks_of(inbox / ".importer").hold("nightly", 0.0):
        busy = user.types("doctor", "inbox", "--json")
        assert (busy.code, worst(busy.json)["night"], user.types("nightly", "inbox").code) == (7, "fail", 7)


def test_a_link_that_no_night_takes_is_warned_of(user: User, inbox: Path) -> None:
    (inbox / "a.csv").symlink_to(user.has("a.csv", people(3)))
    ran = user.types("doctor", "inbox", "--json")

    assert (ran.code, worst(ran.json)["waiting"]) == (0, "warn")
    assert "1 symbolic link" in reported(ran.json, "waiting")


# --------------------------------------------------------------------------- who is told


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"IMPORTER_NOTIFY_URLS": "json://127.0.0.1/a sekret://x"}, "Address 2 of 2"),
        ({"IMPORTER_NOTIFY_URLS_FILE": "/nowhere/urls"}, "cannot be read"),
        ({"IMPORTER_NOTIFY__RUNS": "true"}, "names nobody"),
    ],
)
def test_addresses_that_a_command_would_refuse_fail(
    user: User, inbox: Path, environ: dict[str, str], says: str
) -> None:
    ran = user.types("doctor", "inbox", "--json", **environ)

    assert (ran.code, worst(ran.json)["notify"], says in reported(ran.json, "notify")) == (2, "fail", True)
    assert "sekret" not in ran.out + ran.err
    assert user.types("run", user.has("a.csv", people(1)), "--notify", **environ).code == 2


def test_addresses_are_counted_and_none_is_tried(user: User) -> None:
    ran = user.types("doctor", "--json", IMPORTER_NOTIFY_URLS="json://127.0.0.1:9/a json://127.0.0.1:9/b")

    assert (ran.code, worst(ran.json)["notify"]) == (0, "ok")
    assert "2 addresses understood" in reported(ran.json, "notify")


def test_a_file_of_addresses_that_others_may_read_is_warned_of(user: User) -> None:
    path = user.has("urls", "json://127.0.0.1:9/a\n")
    path.chmod(0o644)
    ran = user.types("doctor", "--json", IMPORTER_NOTIFY_URLS_FILE=str(path))
    assert (ran.code, worst(ran.json)["notify"], "chmod 600" in reported(ran.json, "notify")) == (0, "warn", True)

    path.chmod(0o600)
    assert worst(user.types("doctor", "--json", IMPORTER_NOTIFY_URLS_FILE=str(path)).json)["notify"] == "ok"


@pytest.mark.slow
def test_without_the_library_the_doctor_says_what_to_install(user: User, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "apprise"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError('No module named apprise')\n")
    path = f"{hidden.parent}:{user.environ['PYTHONPATH']}"
    ran = user.types_for_real("doctor", "--json", PYTHONPATH=path, IMPORTER_NOTIFY_URLS="json://127.0.0.1:9/a")

    assert (ran.code, worst(ran.json)["notify"]) == (2, "fail")
    assert 'pip install ".[notify]"' in reported(ran.json, "notify")


# --------------------------------------------------------------------------- who watches


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [("importer.prom", "ok", "can be published"), ("a/importer.prom", "warn", "cannot be"), ("a.txt", "warn", ".prom")],
)
def test_a_textfile_that_would_not_be_read_is_a_warning(user: User, name: str, status: str, says: str) -> None:
    ran = user.types("doctor", "--json", IMPORTER_METRICS__TEXTFILE=str(user.home / name))

    assert (ran.code, worst(ran.json)["metrics"], says in reported(ran.json, "metrics")) == (0, status, True)
    assert list(user.home.iterdir()) == []


def test_a_port_that_is_taken_is_warned_of(user: User) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = user.types("doctor", "--json", IMPORTER_METRICS__PORT=port)
    assert (ran.code, worst(ran.json)["metrics"], port in reported(ran.json, "metrics")) == (0, "warn", True)
    assert worst(user.types("doctor", "--json", IMPORTER_METRICS__PORT=port).json)["metrics"] == "ok"


# --------------------------------------------------------------------------- when, and how much


def test_hours_and_the_rest_of_the_quota_are_reported(user: User) -> None:
    rate = {"IMPORTER_DELIVERY__RATE": "100/s, 500/day"}
    user.types("run", user.has("a.csv", people(20)), **rate)
    ran = user.types("doctor", "--json", IMPORTER_DELIVERY__FINISH_BY="05:00", **rate)

    assert (ran.code, worst(ran.json)["hours"], worst(ran.json)["quota"]) == (0, "ok", "ok")
    assert "05:00" in reported(ran.json, "hours")
    assert "21 of the day's 500 requests are used, 479 are left" in reported(ran.json, "quota")
