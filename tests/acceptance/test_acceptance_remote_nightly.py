"""Nights of a folder at an address: a real ssh server, a real S3 server, and signals that kill for real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Ran, User, Witness, ended, people, sandbox, wait_for, wait_until
from tests.approvals import Office
from tests.postgres import shared_server
from tests.remote_servers import Gateway, Sshd, amazon, before, sshd

pytestmark = pytest.mark.slow

QUICK = {
    "IMPORTER_NIGHTLY__SETTLE_S": "0.02",
    "IMPORTER_NIGHTLY__POLL_S": "0.05",
    "AWS_MAX_ATTEMPTS": "1",
    "IMPORTER_TARGET": "emulator",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def inbox(server: Sshd, user: User) -> Iterator[Path]:
    user.environ.update(QUICK, HOME=str(server.home))
    path = server.root / "inbox"
    path.mkdir()
    yield path
    shutil.rmtree(path)


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
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    user.environ["IMPORTER_NOTIFY_URLS"] = f"json://127.0.0.1:{server.server_port}/"
    yield got
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with amazon() as environ:
        yield environ


class Bucket:
    """A bucket, as its owner sees it."""

    def __init__(self, environ: dict[str, str], name: str) -> None:
        import boto3

        self.name = name
        self.client = boto3.client(
            "s3",
            endpoint_url=environ["AWS_ENDPOINT_URL"],
            aws_access_key_id="canary-key",
            aws_secret_access_key="canary-secret",
            region_name="us-east-1",
        )
        self.client.create_bucket(Bucket=name)

    def write(self, key: str, content: str) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content.encode())

    def names(self) -> set[str]:
        return {found["Key"] for found in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])}


@pytest.fixture
def gateway(s3: dict[str, str], user: User) -> Iterator[Gateway]:
    """The way to the S3 server, on which things happen."""
    with before(s3["AWS_ENDPOINT_URL"]) as running:
        user.environ.update(QUICK, **{**s3, "AWS_ENDPOINT_URL": running.url})
        yield running


@pytest.fixture
def bucket(s3: dict[str, str], request: pytest.FixtureRequest) -> Bucket:
    return Bucket(s3, f"bucket-{abs(hash(request.node.name))}")


def put(folder: Path, place: str) -> dict[str, set[str]]:
    """The source files in `archive` or `failed`, each with the names of the files beside it."""
    found = {}
    for path in (folder / place).iterdir():
        name = path.name.partition("_")[2]
        found[name] = {file.name for file in path.iterdir()} - {name}
        assert (path / name).is_file()
    return found


@dataclass
class Approved:
    """Nights at a target that takes only what was approved."""

    user: User
    witness: Witness
    profile: Path

    def passes(self, address: str) -> Ran:
        return self.user.types("nightly", address, *sandbox(self.profile), "--json", **self.witness.environ)

    def approves(self, plan: str) -> None:
        for name in ("ben", "carol"):
            assert self.user.types("approve", plan, "--key", name, "--yes").code == 0


@pytest.fixture
def approved(user: User, witness: Witness, profile_for: Callable[..., Path]) -> Approved:
    office = Office(user.home / "office", witness.base_url.partition("://")[2])
    user.environ.update(IMPORTER_APPROVAL_POLICY=str(office.decrees()), IMPORTER_KEYS=str(office.keys))
    return Approved(user, witness, profile_for(witness))


def is_sent_once_it_is_approved(nights: Approved, address: str) -> None:
    first, again = nights.passes(address), nights.passes(address)
    for ran in (first, again):
        assert (ran.code, [one["fate"] for one in ran.json["imports"]]) == (5, ["unapproved"]), ran.out
    assert nights.witness.ledger()["requests"] == 0
    said = nights.user.types("doctor", address, *sandbox(nights.profile), "--json", **nights.witness.environ)
    assert "1 file waits for the approval of its plan" in said.out
    nights.approves(again.json["imports"][0]["plan"])
    sent = nights.passes(address)

    assert (sent.code, [one["fate"] for one in sent.json["imports"]]) == (0, ["imported"]), sent.out
    assert len(nights.witness.customers()) == 5
    assert nights.passes(address).json["imports"] == []
    assert list(nights.user.home.rglob("a.csv.plan.json")) == []


# --------------------------------------------------------------------------- over SFTP


def test_a_file_over_sftp_waits_where_it_was_claimed_until_its_plan_is_approved(
    approved: Approved, server: Sshd, inbox: Path
) -> None:
    (inbox / "a.csv").write_text(people(5))
    is_sent_once_it_is_approved(approved, server.address(inbox))

    assert "a.csv.plan.json" in put(inbox, "archive")["a.csv"]


def test_a_file_in_a_bucket_waits_there_until_its_plan_is_approved(
    approved: Approved, gateway: Gateway, bucket: Bucket
) -> None:
    bucket.write("in/a.csv", people(5))
    is_sent_once_it_is_approved(approved, f"s3://{bucket.name}/in")

    assert any(name.endswith("_a.csv/a.csv.plan.json") for name in bucket.names())


def test_a_night_over_sftp_takes_what_arrived_and_puts_it_away(user: User, server: Sshd, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(5))
    (inbox / "a.csv.done").touch()
    (inbox / "broken.xlsx").write_bytes(b"PK\x03\x04 and no more")
    (inbox / "notes.pdf").write_text("not meant")
    address = server.address(inbox, "root:canary-word@")
    first = user.types("nightly", address, "--json")

    assert (first.code, first.json["source"]) == (6, server.address(inbox))
    assert [(one["file"], one["fate"]) for one in first.json["imports"]] == [
        ("a.csv", "imported"),
        ("broken.xlsx", "refused"),
    ]
    assert first.json["imports"][0]["put"].startswith(f"{server.address(inbox)}/archive/")
    assert put(inbox, "archive")["a.csv"] >= {"results.csv", "rejects.csv", "id-map.csv", "report.html", "report.json"}
    assert put(inbox, "failed") == {"broken.xlsx": {"why.txt"}}
    assert {path.name for path in inbox.iterdir()} == {"archive", "failed", "processing", "notes.pdf"}

    (inbox / "again.csv").write_text(people(5))
    again = user.types("nightly", address)
    assert (again.code, "imported before, nothing was sent" in again.err) == (0, True)
    assert put(inbox, "archive")["again.csv"] == {"already-imported.txt"}
    nothing = user.types("nightly", address)
    assert (nothing.code, f"Nothing to do in {server.address(inbox)}." in nothing.err) == (0, True)
    kept = [path.read_bytes() for path in (user.home / "runs").rglob("*") if path.is_file()]
    assert b"canary-word" not in b"".join(kept) + (first.out + first.err + again.err + nothing.err).encode()
    assert not list((user.home / "runs" / "inboxes").rglob("*.csv"))
    run_id = first.json["imports"][0]["run_id"]
    assert user.types("show", run_id, "--verify").code == 0
    assert user.types("export", run_id, "--format", "xlsx").code == 0


def test_a_night_over_sftp_that_is_killed_half_way_goes_on_with_what_it_claimed(
    user: User, server: Sshd, inbox: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=["looks_after_s = [0, 0.1]"])
    night = ("nightly", server.address(inbox), "--config", profile, "--target", "sandbox", "--json")
    (inbox / "a.csv").write_text(people(60))
    first = user.starts(*night, "--rate", "60/s", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 10, first)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    (inbox / "b.csv").write_text(people(70))
    other = user.types(*night, "--workspace", "another", **witness.environ)
    assert [one["file"] for one in other.json["imports"]] == ["b.csv"]

    (inbox / "a.csv").write_text(people(80))
    second = user.types(*night, "--rate", "500/s", **witness.environ)
    assert second.code == 0, second.out
    assert [(one["file"], one["resumed"], one["counts"]["read"]) for one in second.json["imports"]] == [
        ("a.csv", True, 60),
        ("a.csv", False, 80),
    ]
    assert len(witness.customers()) == 80


@dataclass(frozen=True)
class Sending:
    """Nights with customers that are counted."""

    user: User
    witness: Witness
    options: tuple[str | Path, ...]

    def starts(self, address: str) -> subprocess.Popen[str]:
        return self.user.starts("nightly", address, *self.options, **self.witness.environ)

    def once(self, address: str) -> Ran:
        return self.user.types("nightly", address, *self.options, **self.witness.environ)

    @property
    def customers(self) -> int:
        return int(self.witness.ledger()["customers"])


@pytest.fixture
def sending(user: User, witness: Witness, profile_for: Callable[..., Path]) -> Sending:
    profile = profile_for(witness, delivery=['rate = "500/s"'])
    return Sending(user, witness, ("--config", profile, "--target", "sandbox", "--json"))


@pytest.mark.parametrize("moment", [".*.part", "*_a.csv"])
def test_a_night_over_sftp_that_is_killed_while_it_puts_away_sends_nothing_twice(
    server: Sshd, inbox: Path, sending: Sending, moment: str
) -> None:
    (inbox / "a.csv").write_text(people(40))
    first = sending.starts(server.address(inbox))
    wait_for(lambda: any((inbox / "archive").glob(moment)), first)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = sending.once(server.address(inbox))

    assert second.code == 0, second.out
    assert sending.customers == 40
    assert put(inbox, "archive")["a.csv"] >= {"results.csv", "report.html"}
    assert not [path for path in inbox.rglob("*") if path.is_file() and "archive" not in path.parts]
    assert not list((inbox / "archive").glob(".*"))


def test_each_kind_of_error_with_an_ssh_server_has_its_exit_code(
    user: User, server: Sshd, inbox: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def refused(address: str, **environ: str) -> tuple[int, str]:
        ran = user.types("nightly", address, "--json", **environ)
        return ran.code, ran.json["error"]

    nowhere = server.address(server.root / "nowhere")
    assert refused(nowhere)[0] == 6
    assert refused(nowhere)[1].startswith(f"There is no folder {nowhere}.")
    stranger = tmp_path_factory.mktemp("stranger")
    (stranger / ".ssh").mkdir()
    shutil.copy(server.home / ".ssh" / "known_hosts", stranger / ".ssh")
    code, error = refused(server.address(inbox), HOME=str(stranger))
    assert (code, "access was refused" in error) == (5, True)
    for away in ("sftp://files.invalid/in", "sftp://127.0.0.1:9/in"):
        assert (refused(away)[0], "cannot be reached" in refused(away)[1]) == (75, True)
    with sshd(tmp_path_factory.mktemp("reading"), "internal-sftp -R") as reading:
        (reading.root / "a.csv").write_text(people(3))
        code, error = refused(reading.address(reading.root), HOME=str(reading.home))
        assert (code, f"Files cannot be moved in {reading.address(reading.root)}" in error) == (5, True)
        assert [path.name for path in reading.root.iterdir()] == ["a.csv"]


def test_people_are_notified_of_a_place_that_cannot_be_reached_and_of_no_password(
    user: User, notifications: list[dict[str, Any]]
) -> None:
    user.environ["IMPORTER_TARGET"] = "emulator"
    assert user.types("nightly", "sftp://ann:canary@127.0.0.1:9/in").code == 75
    user.has("wrong.toml", "[nightly]\nno = 1\n")
    assert user.types("nightly", "sftp://ann:canary@127.0.0.1:9/in", "--config", "wrong.toml").code == 2

    assert ["sftp://127.0.0.1:9/in: " in notification["message"] for notification in notifications] == [True, True]
    assert "could not be reached" in notifications[0]["message"]
    assert "canary" not in json.dumps(notifications)


def test_an_address_that_cannot_be_a_folder_is_wrong_usage(user: User) -> None:
    user.environ["IMPORTER_TARGET"] = "emulator"
    ran = user.types("nightly", "https://ann:canary@files.example.com/in", "--json")
    assert (ran.code, "neither listed nor moved" in ran.json["error"], "canary" in ran.out) == (2, True, False)
    assert user.types("nightly", "ftp://files.example.com/in").code == 2
    hidden = "import sys; sys.modules['fsspec'] = sys.modules['sshfs'] = None; from importer.cli import main; main()"
    command = [sys.executable, "-c", hidden, "nightly", "sftp://files.example.com/in"]
    done = subprocess.run(command, cwd=user.home, env=user.environ, capture_output=True, text=True, check=False)
    assert (done.returncode, 'pip install ".[sftp]"' in done.stderr) == (2, True), done.stderr


# --------------------------------------------------------------------------- over S3

MOMENTS: dict[str, Callable[[str, str], bool]] = {
    "fetching": lambda method, path: method == "GET" and path.endswith("/a.csv"),
    "the results": lambda method, path: method == "PUT" and path.endswith("results.csv"),
    "the source": lambda method, path: method == "PUT" and path.endswith("/a.csv"),
    "the deletion": lambda method, path: method == "DELETE" and path.endswith("/a.csv"),
}
ARCHIVED = {"a.csv", "results.csv", "rejects.csv", "id-map.csv", "report.html", "report.json"}


def archived(bucket: Bucket) -> set[str]:
    """What is in the archive; nothing may be left anywhere else."""
    keys = bucket.names()
    assert all(key.startswith("in/archive/") for key in keys), keys
    assert len({key.rpartition("/")[0] for key in keys}) == 1
    return {key.rpartition("/")[2] for key in keys}


@dataclass
class Dying:
    """A program that is killed when a moment has come, on its way to the S3 server."""

    moment: str
    pid: int = 0
    is_dead: bool = False

    def refuses(self, method: str, path: str) -> bool:
        if self.moment and not self.is_dead and MOMENTS[self.moment](method, path):
            self.is_dead = True
            os.kill(self.pid, signal.SIGKILL)
        return self.is_dead and bool(self.moment)


@pytest.fixture(params=MOMENTS)
def dying(request: pytest.FixtureRequest, gateway: Gateway) -> Dying:
    found = Dying(request.param)
    gateway.refuse = found.refuses
    return found


def test_a_night_over_s3_that_is_killed_at_a_step_repeats_only_that(
    bucket: Bucket, sending: Sending, dying: Dying
) -> None:
    bucket.write("in/a.csv", people(20))
    first = sending.starts(f"s3://{bucket.name}/in")
    dying.pid = first.pid
    first.communicate(timeout=60)
    assert (first.returncode, dying.is_dead) == (-signal.SIGKILL, True)
    assert sending.customers == (0 if dying.moment == "fetching" else 20)

    dying.moment = ""
    second = sending.once(f"s3://{bucket.name}/in")
    assert second.code == 0, second.out
    assert archived(bucket) >= ARCHIVED
    assert sending.customers == 20
    assert sending.once(f"s3://{bucket.name}/in").json["imports"] == []


def test_a_purge_says_what_stays_at_an_address_and_takes_copies_that_no_night_finished(
    user: User, gateway: Gateway, bucket: Bucket
) -> None:
    night = ("nightly", f"s3://{bucket.name}/in", "--json")
    bucket.write("in/a.csv", people(3))
    gateway.refuse = MOMENTS["the results"]
    assert user.types(*night).code == 75
    (copy,) = (user.home / "runs").rglob("a.csv")
    os.utime(copy.parent, (1_700_000_000, 1_700_000_000))
    purged = user.types("purge", "--older-than", "30d", "--json")
    assert (purged.code, any(f"s3://{bucket.name}/in stays" in note for note in purged.json["notes"])) == (0, True)
    assert not list((user.home / "runs").rglob("a.csv"))

    gateway.refuse = lambda _method, _path: False
    again = user.types(*night)
    assert (again.code, again.json["imports"][0]["fate"]) == (0, "imported")
    assert "a.csv" in archived(bucket)


@pytest.mark.parametrize("moment", [*MOMENTS, "listing"])
def test_a_connection_that_is_lost_at_a_step_is_for_the_next_night(
    user: User, gateway: Gateway, bucket: Bucket, moment: str
) -> None:
    night = ("nightly", f"s3://{bucket.name}/in", "--json")
    bucket.write("in/a.csv", people(20))
    gateway.refuse = MOMENTS.get(moment, lambda method, path: method == "GET" and "list-type" in path)
    lost = user.types(*night)
    assert (lost.code, "cannot be reached, or broke off" in lost.json["error"]) == (75, True), lost.out

    gateway.refuse = lambda _method, _path: False
    next_night = user.types(*night)
    assert next_night.code == 0
    assert archived(bucket) >= ARCHIVED
    runs = user.types("runs", "--json").json["runs"]
    assert [run["counts"]["created"] for run in runs] == [20]


def test_a_file_that_may_not_be_read_stays_where_it_is_and_the_others_go_on(
    user: User, gateway: Gateway, bucket: Bucket
) -> None:
    for name in ("a.csv", "b.csv"):
        bucket.write(f"in/{name}", people(3 if name == "a.csv" else 5))
    gateway.forbid = lambda method, path: method == "GET" and path.endswith("/a.csv")
    ran = user.types("nightly", f"s3://{bucket.name}/in", "--json")

    assert (ran.code, "access was refused" in ran.json["error"]) == (5, True)
    assert [(one["file"], one["fate"]) for one in ran.json["imports"]] == [("a.csv", "held"), ("b.csv", "imported")]
    assert "in/a.csv" in bucket.names()
    gateway.forbid = lambda _method, _path: False
    assert user.types("nightly", f"s3://{bucket.name}/in", "--json").json["imports"][0]["fate"] == "imported"


def test_a_watched_bucket_that_cannot_be_reached_for_a_while_is_watched_on(
    user: User, gateway: Gateway, bucket: Bucket
) -> None:
    gateway.refuse = lambda _method, _path: True
    watching = user.starts("nightly", f"s3://{bucket.name}/in", "--watch", "--json")
    wait_for(lambda: len(gateway.seen) > 8, watching)
    bucket.write("in/a.csv", people(3))
    gateway.refuse = lambda _method, _path: False
    wait_for(lambda: [key.count("/") for key in sorted(bucket.names()) if key.endswith("/a.csv")] == [3], watching)
    watching.send_signal(signal.SIGTERM)
    assert ended(watching).code == 0


def test_the_nightly_of_another_host_finishes_what_a_host_that_died_has_claimed(
    user: User, inbox: Path, server: Sshd, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    shared = {**witness.environ, "IMPORTER_JOURNAL": shared_server().database(), "IMPORTER_JOURNAL__LEASE_S": "2"}
    profile = profile_for(witness, delivery=['rate = "40/s"', "looks_after_s = [0, 0.1, 0.4]"])
    (inbox / "a.csv").write_text(people(40))
    nightly = ("nightly", server.address(inbox), *sandbox(profile), "--json")
    first, second = ((*nightly, "--workspace", name) for name in ("first", "second"))

    night = user.starts(*first, **shared)
    wait_for(lambda: witness.ledger()["customers"] > 5, night)
    night.send_signal(signal.SIGKILL)
    night.communicate()
    nights: list[Ran] = []

    def is_free() -> bool:
        nights.append(user.types(*second, "--rate", "900/s", **shared))
        return nights[-1].code != 7

    wait_until(is_free)

    assert (nights[-1].code, nights[-1].json["counts"]["created"]) == (0, 40)
    assert len(list(inbox.glob("archive/*_a.csv/a.csv"))) == 1
    assert witness.ledger()["customers"] == 40
