"""Secrets nowhere, personal data only where it is meant to be: everything that runs leave behind is searched."""

from __future__ import annotations

import base64
import re
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from zipfile import ZipFile

import pytest

from tests.acceptance.conftest import User, people, sandbox, serving, wait_until
from tests.acceptance.scripted_api import TOKEN, ScriptedApi, said, scripted_api

pytestmark = pytest.mark.slow

KEY, SECRET = "canary-key-4f1c", "canary/secret+9e7b=="
EMULATOR = {"EMULATOR_API_KEY": KEY, "EMULATOR_API_SECRET": SECRET}
CREDENTIALS = {"ROCKETKOR_API_KEY": KEY, "ROCKETKOR_API_SECRET": SECRET}
HOLDING_CELLS = {"results.csv", "rejects.csv", "id-map.csv", "results.xlsx", "results.jsonl"}
"""What is meant to hold the source's cells; the journal does, too."""

PEOPLE = (
    "ID,First Name,Last Name,Email,Phone,DOB\n"
    "CANARY-1,Zuleika,Quartermaine,zuleika@canary.example.com,+12125550143,1971-03-29\n"
    "CANARY-2,Zebedee,Quartermaine,zebedee@canary.example.com,+12125550144,1972-04-30\n"
    "CANARY-3,Zenobia,Quartermaine,zenobia-at-canary.example.com,+12125550145,1973-05-28\n"
)
PERSONAL = (
    "zuleika",
    "zebedee",
    "zenobia",
    "quartermaine",
    "canary.example.com",
    "2125550143",
    "5550144",
    "1971-03-29",
)


def secrets() -> list[bytes]:
    """Every shape in which key and secret could travel."""
    pair = f"{KEY}:{SECRET}".encode()
    texts = [KEY, SECRET, quote(SECRET, safe=""), base64.b64encode(pair).decode(), repr(SECRET)[1:-1]]
    return [text.encode() for text in (*texts, TOKEN)]


def left_behind(user: User) -> dict[str, bytes]:
    """Every file beside the source and the profile, whoever wrote it; workbooks are unpacked."""
    own = {"people.csv", "sandbox.toml", "p.toml", "faults.toml"}
    files = [path for path in user.home.rglob("*") if path.is_file() and path.name not in own]
    return {str(path.relative_to(user.home)): _content(path) for path in files}


def _content(path: Path) -> bytes:
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with ZipFile(path) as book:
        return b"".join(book.read(name) for name in book.namelist())


def hold(user: User, *printed: str) -> None:
    """Search everything for what must not be there.

    Args:
        printed: what the commands wrote to their outputs.
    """
    files = left_behind(user)
    assert any(name.endswith("journal.sqlite3") for name in files)
    assert any(name.endswith("run.log.jsonl") for name in files)
    texts = {**files, **{f"output {number}": text.encode() for number, text in enumerate(printed)}}
    for name, content in texts.items():
        assert not [secret for secret in secrets() if secret in content], name
        if Path(name).name in HOLDING_CELLS or "sqlite3" in name or name.endswith(".annotated.xlsx"):
            continue
        folded = content.decode("utf-8", errors="replace").casefold()
        assert not [word for word in PERSONAL if word in folded], name


@pytest.mark.parametrize("level", [(), ("--verbose",), ("--verbose", "--log-format", "json")])
def test_a_run_that_works_leaves_no_secret_and_no_person_where_none_belongs(
    user: User, profile_for: Callable[..., Path], level: tuple[str, ...]
) -> None:
    with serving(User(user.home, {**user.environ, **EMULATOR})) as witness:
        profile = profile_for(witness, delivery=['rate = "300/s"'])
        source = user.has("people.csv", PEOPLE)
        every = ("--format", "csv,xlsx,jsonl", *level)
        ran = user.types("run", source, *sandbox(profile), *every, **CREDENTIALS)
        again = user.types("run", source, *sandbox(profile), "--json", "--force", *every, **CREDENTIALS)
        reported = [user.types(*words, *level) for words in (("show", "last"), ("runs",), ("explain", "last", "2"))]

    assert (ran.code, again.json["counts"]["existing"]) == (3, 2), ran.err
    hold(user, *(text for one in (ran, again, *reported) for text in (one.out, one.err)))


def test_a_run_that_goes_wrong_in_every_way_leaves_none_either(user: User) -> None:
    """The API repeats what it was sent: credentials, token and customer, in bodies that are read and shown."""

    def echo(customer: dict[str, object]) -> object:
        text = f"{KEY} {SECRET} {TOKEN} {base64.b64encode(f'{KEY}:{SECRET}'.encode()).decode()} {customer}"
        listed = [{"path": "primaryEmail.value", "message": text, "errorCode": SECRET}]
        return {"message": text, "errorCode": TOKEN, "traceId": KEY, "errors": listed}

    script = {
        "CANARY-1": [lambda customer: said(422, echo(customer))],
        "CANARY-2": [lambda customer: said(500, echo(customer)), lambda customer: said(401, echo(customer))],
    }
    with scripted_api(ScriptedApi(script)) as api:
        lines = [
            "[delivery]",
            "looks_after_s = [0]",
            "look_again_after_s = 0",
            "backoff_base_s = 0.01",
            "[targets.sandbox]",
        ]
        profile = user.has("p.toml", "\n".join([*lines, f'base_url = "{api.base_url}"', ""]))
        source = user.has("people.csv", PEOPLE)
        ran = user.types("run", source, *sandbox(profile), "--verbose", **CREDENTIALS)
        retried = user.types("retry", "last", *sandbox(profile), "--json", "--verbose", **CREDENTIALS)
        commands = (("show", "last"), ("explain", "last", "2"), ("explain", "last", "3"))
        reported = [user.types(*words) for words in commands]

    assert (ran.code, retried.code) == (5, 5), ran.err + retried.out
    hold(user, *(text for one in (ran, retried, *reported) for text in (one.out, one.err)))


@pytest.mark.slow
def test_a_crash_a_refused_login_and_a_bad_address_leave_none_either(
    user: User, profile_for: Callable[..., Path]
) -> None:
    faults = user.has("faults.toml", '[[rule]]\nfault = "latency"\non = ["create"]\ndelay_s = 5.0\n')
    with serving(User(user.home, {**user.environ, **EMULATOR}), "--faults", str(faults)) as witness:
        profile = profile_for(witness)
        source = user.has("people.csv", PEOPLE)
        wrong = {**CREDENTIALS, "ROCKETKOR_API_KEY": f"{KEY}-wrong"}
        refused = user.types("run", source, *sandbox(profile), "--verbose", "--workspace", "refused", **wrong)
        process = user.starts("run", source, *sandbox(profile), "--verbose", **CREDENTIALS)
        wait_until(lambda: witness.ledger()["requests"] >= 3)
        shown = Path(f"/proc/{process.pid}/cmdline")
        listed = shown.read_text() if shown.exists() else ""
        process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
    bad = profile_for(witness, "bad.toml").read_text().replace(witness.base_url, f"https://{KEY}:x@api.example.com")
    address = user.types("run", source, *sandbox(user.has("sandbox.toml", bad)), **CREDENTIALS)
    (user.home / "bad.toml").unlink()

    assert (refused.code, address.code) == (5, 2), refused.err + address.err
    hold(user, refused.out, refused.err, out, err, address.out, address.err, listed)


@pytest.mark.parametrize("command", ["run", "validate", "resume", "retry", "nightly", "doctor", "emulator"])
def test_no_option_takes_a_secret_since_the_process_list_shows_options(user: User, command: str) -> None:
    options = set(re.findall(r"--[a-z][a-z-]+", user.types(command, "--help").out))

    assert "--help" in options
    assert not [name for name in options if re.search("secret|password|token$|api-key|credential", name)]


def test_the_emulator_takes_its_credentials_from_the_environment_or_from_files(user: User) -> None:
    refused = user.types("emulator", "--port", "0", "--api-secret", SECRET)
    files = {f"{name}_FILE": str(user.has(f"{name}.txt", f"{value}\n")) for name, value in EMULATOR.items()}
    with serving(User(user.home, {**user.environ, **files})) as witness:
        listed = Path(f"/proc/{witness.process.pid}/cmdline")
        shown = listed.read_text() if listed.exists() else ""
    for name in EMULATOR:
        (user.home / f"{name}.txt").unlink()
    both = user.types("emulator", "--port", "0", **EMULATOR, EMULATOR_API_KEY_FILE="key.txt")

    assert witness.environ == CREDENTIALS
    assert (refused.code, both.code) == (2, 2)
    assert "both set" in both.err
    for printed in (refused.out, refused.err, shown, both.out, both.err):
        assert not [secret for secret in secrets() if secret in printed.encode()]


def test_the_journal_keeps_cells_and_keys_but_no_credentials(user: User, profile_for: Callable[..., Path]) -> None:
    """Not the key either: what tells accounts apart is a digest of it."""
    with serving(User(user.home, {**user.environ, **EMULATOR})) as witness:
        profile = profile_for(witness)
        user.types("run", user.has("people.csv", people(3)), *sandbox(profile), **CREDENTIALS)
    with sqlite3.connect(f"file:{user.home}/runs/journal.sqlite3?mode=ro", uri=True) as journal:
        dumped = "\n".join(journal.iterdump()).encode()
    journal.close()

    assert b"INSERT INTO" in dumped
    assert not [secret for secret in secrets() if secret in dumped]


def test_the_search_sees_what_is_there(user: User) -> None:
    """A report that is asked to show values holds what `hold` would find."""
    ran = user.types("validate", user.has("people.csv", PEOPLE), "--show-values", "--format", "csv,xlsx", "--json")
    files = {
        Path(name).name: content.decode(errors="replace").casefold() for name, content in left_behind(user).items()
    }

    assert ran.code == 3
    assert all("zenobia" in files[name] for name in ("report.html", "results.csv", "results.xlsx"))


def test_files_of_a_run_are_for_their_owner_alone(user: User) -> None:
    ran = user.types("run", user.has("people.csv", people(3)), "--format", "csv,xlsx,jsonl", "--json")

    assert ran.code == 0
    open_to_others = [path for path in (user.home / "runs").rglob("*") if path.stat().st_mode & 0o077]
    assert not open_to_others
