"""The console is attacked: by strangers, by users without the role, by other sites, by files. Nothing may change.

Most of it needs no browser: the requests are made here, one by one, against a console in a process of its own.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import sqlite3
import ssl
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from importer.console.access import password_hash
from tests.acceptance.components import needed
from tests.acceptance.conftest import User, user, user_in, wait_until
from tests.browser.consoles import ConsoleServer, console_of

__all__ = ["user"]
pytestmark = pytest.mark.slow

PASSWORD = "a long password for tests"
USERS = {"anna": ["prepare"], "ben": ["approve"], "carl": ["view"], "rita": ["run"]}
CANARY = "Canaryfamily"
_MOST_BYTES = 20_000
FILE = "ID,First Name,Last Name,Email,Phone,Phone Type,DOB\n" + "".join(
    f"{CANARY}-{word},{CANARY}{word},{CANARY}x{word},{CANARY}{word}@example.com,{phone},{kind},{born}\n"
    for word, phone, kind, born in (
        ("a", "+14155550101", "Mobile", "1980-01-31"),
        ("b", f"{CANARY}phone", "Mobile", "1980-01-31"),
        ("c", "", f"{CANARY}kind", f"{CANARY}born"),
    )
)


def profile_text(*lines: str, users: bool = True) -> str:
    """A `[console]` with users, and further keys."""
    written = ["[console]", *lines]
    for name, roles in USERS.items() if users else ():
        written += [
            f"[console.users.{name}]",
            f'password = "{_hash()}"',
            f"roles = {json.dumps(roles)}",
        ]
    return "\n".join(written) + "\n"


@cache
def _hash() -> str:
    """Hash the password once; it is slow on purpose."""
    return password_hash(PASSWORD)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass
class Browser:
    """Somebody who sends requests to a console.

    Args:
        url: the console's, as browsers know it.
        at: host and port that are really connected to; empty: those of the url.
    """

    url: str
    at: str = ""
    cookie: str = ""
    tls: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one request; a header that is empty is not sent."""
        place = urlsplit(self.url)
        to = self.at or place.netloc
        connection = (
            http.client.HTTPSConnection(to, timeout=30, context=self.tls)
            if self.tls
            else http.client.HTTPConnection(to, timeout=30)
        )
        sent = {"Host": place.netloc, "Origin": self.url, "Cookie": self.cookie, **headers}
        with closing(connection):
            connection.request(method, path, body, {name: text for name, text in sent.items() if text})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode("utf-8", "replace"))

    def signs_in(self, name: str) -> Browser:
        """Sign a user in."""
        form = urlencode({"name": name, "password": PASSWORD}).encode()
        answer = self.ask("POST", "/sign-in", form, **{"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == 303, answer.text
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return self

    def sends(self, text: str) -> socket.socket:
        """Send bytes as they are, and leave the connection open."""
        place = urlsplit(self.url)
        connection = socket.create_connection((place.hostname or "", place.port or 0), timeout=30)
        connection.sendall(text.encode())
        return connection

    @property
    def head(self) -> str:
        """The headers that every request needs, as they are sent."""
        return f"Host: {urlsplit(self.url).netloc}\r\nOrigin: {self.url}\r\nCookie: {self.cookie}\r\n"


@dataclass
class Site:
    """A console with users, a draft that was checked, and a run."""

    console: ConsoleServer
    people: dict[str, Browser]
    draft: str
    run: str

    @property
    def workspace(self) -> Path:
        return self.console.user.home / "runs"


def state_of(workspace: Path) -> dict[str, str]:
    """Everything that is kept in a workspace: each database as its rows, each file as its hash."""
    found = {}
    files = [Path(folder, name) for folder, _, names in os.walk(workspace) for name in names]  # folders may vanish
    for path in sorted(files):
        if path.name.endswith(("-wal", "-shm", ".lock")) or not path.is_file():
            continue
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # removed meanwhile
            continue
        if content.startswith(b"SQLite format 3"):
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
                content = "\n".join(database.iterdump()).encode()
        found[str(path.relative_to(workspace))] = hashlib.sha256(content).hexdigest()
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    somebody = user_in(tmp_path_factory.mktemp("console"))
    profile = somebody.has("profile.toml", profile_text(f"max_upload_bytes = {_MOST_BYTES}"))
    assert somebody.types("validate", somebody.has("earlier.csv", FILE)).code == 3
    run = next(path.name for path in (somebody.home / "runs").iterdir() if path.is_dir())
    with console_of(somebody, "--config", profile) as console:
        people = {name: Browser(console.url).signs_in(name) for name in USERS}
        yield Site(console, people, _checked_draft(people["anna"]), run)
        _code, written = console.stop()
        for secret in (CANARY, PASSWORD, *(one.cookie.partition("=")[2] for one in people.values())):
            assert secret not in written
        assert "Exception in ASGI" not in written
        assert "Invalid session" not in written


def _checked_draft(anna: Browser) -> str:
    """Upload a file, and have it checked by looking at it."""
    answer = anna.ask("PUT", "/drafts/new/file?name=customers.csv", FILE.encode())
    draft = str(json.loads(answer.text)["next"]).split("/")[2]
    assert anna.ask("GET", f"/drafts/{draft}/fix").status == 200
    wait_until(lambda: anna.ask("GET", f"/drafts/{draft}/rows.json?first=0&count=9&show=all").status == 200)
    return draft


# --------------------------------------------------------------------------- values


def test_who_may_only_view_sees_no_value(site: Site) -> None:
    """On pages that are sent as a whole; the steps of a draft need a browser, and have a test with one."""
    rows = f"/drafts/{site.draft}/rows.json?first=0&count=9&show=all"
    for path in ("/", "/settings", f"/runs/{site.run}", rows):
        shown = site.people["carl"].ask("GET", path)
        assert shown.status == 200
        assert CANARY not in shown.text, path
        assert "argon2" not in shown.text
    assert CANARY in site.people["anna"].ask("GET", rows).text


def test_who_may_only_view_gets_no_file_with_values(site: Site) -> None:
    carl, anna = site.people["carl"], site.people["anna"]
    for path in (f"/drafts/{site.draft}/annotated.xlsx", f"/drafts/{site.draft}/profile.toml"):
        assert carl.ask("GET", path).status == 403, path
        assert anna.ask("GET", path).status == 200, path
    report = json.loads((site.workspace / site.run / "report.json").read_text("utf-8"))
    allowed = {kind for kind in report["files"] if carl.ask("GET", f"/runs/{site.run}/files/{kind}").status == 200}
    assert allowed <= {"report", "report_json"}
    for kind in allowed:
        assert CANARY not in carl.ask("GET", f"/runs/{site.run}/files/{kind}").text
    assert {kind for kind in report["files"] if anna.ask("GET", f"/runs/{site.run}/files/{kind}").status == 200}


def test_who_may_only_view_cannot_find_rows_by_what_they_hold(site: Site) -> None:
    """Else a value could be guessed, letter by letter."""
    path, text = f"/drafts/{site.draft}/rows.json?first=0&count=9&show=all", {"X-Search": "nobody-has-this"}
    assert json.loads(site.people["anna"].ask("GET", path, None, **text).text)["total"] == 0
    assert json.loads(site.people["carl"].ask("GET", path, None, **text).text)["total"] == 3


def test_what_came_back_fixed_and_was_not_taken_is_named(site: Site) -> None:
    anna = Browser(site.console.url).signs_in("anna")
    draft = _checked_draft(anna)
    checked = max(path.name for path in site.workspace.glob("2*Z-*"))
    handed_out = (site.workspace / checked / "rejects.csv").read_text("utf-8")

    def back(text: str) -> str:
        answer = anna.ask("PUT", f"/drafts/{draft}/fixed?name=rejects.csv", text.encode())
        return str(json.loads(answer.text).get("problem", ""))

    assert "Was it saved?" in back(handed_out)
    fixed = handed_out.replace(f"{CANARY}phone", "+14155550102")
    said = back(fixed + fixed.splitlines()[-1] + "\n")
    assert said.startswith("1 rows were taken over. Lines that were not taken: 2")
    assert CANARY not in said
    assert back(handed_out.replace(f"{CANARY}phone", "+14155550103")) == ""


# --------------------------------------------------------------------------- refused, and nothing changed

_NEW = "/drafts/new/file?name=customers.csv"
_BODY = FILE.encode()
_ATTACKS = {
    "a viewer uploads": ("carl", "PUT", _NEW, _BODY, {}, 403),
    "an approver uploads": ("ben", "PUT", _NEW, _BODY, {}, 403),
    "who runs uploads": ("rita", "PUT", _NEW, _BODY, {}, 403),
    "a viewer begins": ("carl", "GET", "/new", None, {}, 403),
    "an approver begins": ("ben", "GET", "/new", None, {}, 403),
    "a viewer returns a file": ("carl", "PUT", "/drafts/DRAFT/fixed?name=a.csv", _BODY, {}, 403),
    "an approver returns a file": ("ben", "PUT", "/drafts/DRAFT/fixed?name=a.csv", _BODY, {}, 403),
    "a stranger looks": ("", "GET", "/", None, {}, 401),
    "a stranger uploads": ("", "PUT", _NEW, _BODY, {}, 401),
    "a stranger reads rows": ("", "GET", "/drafts/DRAFT/rows.json?first=0&count=1", None, {}, 401),
    "a stranger reads a file": ("", "GET", "/runs/RUN/files/annotated", None, {}, 401),
    "a cookie that was made up": ("", "GET", "/", None, {"Cookie": "importer_session=eyJpZCI6IjEifQ.x"}, 401),
    "another site uploads": ("anna", "PUT", _NEW, _BODY, {"Origin": "http://evil.example.com"}, 403),
    "a page without origin uploads": ("anna", "PUT", _NEW, _BODY, {"Origin": ""}, 403),
    "a sandboxed page uploads": ("anna", "PUT", _NEW, _BODY, {"Origin": "null"}, 403),
    "another site signs somebody out": ("anna", "POST", "/sign-out", b"", {"Origin": "http://evil.example.com"}, 403),
    "a name that leads here": ("anna", "GET", "/", None, {"Host": "evil.example.com"}, 403),
    "a name of a folder": ("anna", "PUT", "/drafts/new/file?name=..%2F..%2Fa.csv", _BODY, {}, 422),
    "a name of a folder in Windows": ("anna", "PUT", "/drafts/new/file?name=..%5Ca.csv", _BODY, {}, 422),
    "a name that is a folder": ("anna", "PUT", "/drafts/new/file?name=..", _BODY, {}, 422),
    "a name with a zero": ("anna", "PUT", "/drafts/new/file?name=a%00.csv", _BODY, {}, 422),
    "a name of a line": ("anna", "PUT", "/drafts/new/file?name=a%0Ab.csv", _BODY, {}, 422),
    "no name": ("anna", "PUT", "/drafts/new/file?name=", _BODY, {}, 422),
    "a name that is too long": ("anna", "PUT", f"/drafts/new/file?name={'a' * 300}.csv", _BODY, {}, 422),
    "a kind that no reader takes": ("anna", "PUT", "/drafts/new/file?name=a.pdf", b"%PDF-1.7\n\0\1\2", {}, 422),
    "an empty file": ("anna", "PUT", _NEW, b"", {}, 422),
    "a file that is too large": ("anna", "PUT", _NEW, b"a" * (_MOST_BYTES + 1), {}, 422),
    "a returned file that is too large": (
        "anna", "PUT", "/drafts/DRAFT/fixed?name=a.csv", b"a" * (_MOST_BYTES + 1), {}, 422,
    ),
    "a returned name of a folder": ("anna", "PUT", "/drafts/DRAFT/fixed?name=..%2Fa.csv", _BODY, {}, 422),
    "a draft that is not there": ("anna", "GET", "/drafts/20200101T000000Z-000000/fix", None, {}, 404),
    "rows of a draft that is not there": ("anna", "GET", "/drafts/x/rows.json?first=0&count=1", None, {}, 422),
    "a draft outside": ("anna", "GET", "/drafts/..%2f..%2fetc/upload", None, {}, 404),
    "a draft above": ("anna", "GET", "/drafts/../upload", None, {}, 404),
    "a file returned to a folder": ("anna", "PUT", "/drafts/..%2f/fixed?name=a.csv", _BODY, {}, 404),
    "a step that is not there": ("anna", "GET", "/drafts/DRAFT/nothing", None, {}, 404),
    "a workbook of a draft that is not there": ("anna", "GET", "/drafts/x/annotated.xlsx", None, {}, 404),
    "a profile of a draft that is not there": ("anna", "GET", "/drafts/x/profile.toml", None, {}, 404),
    "rows before the first": ("anna", "GET", "/drafts/DRAFT/rows.json?first=-1&count=1", None, {}, 422),
    "less than no rows": ("anna", "GET", "/drafts/DRAFT/rows.json?first=0&count=-1", None, {}, 422),
    "rows beyond all numbers": ("anna", "GET", f"/drafts/DRAFT/rows.json?first={10**30}&count=1", None, {}, 422),
    "a run that is not there": ("anna", "GET", "/runs/20200101T000000Z-000000", None, {}, 404),
    "a run outside": ("anna", "GET", "/runs/..%2f..%2fetc/files/report", None, {}, 404),
    "a file of a run outside": ("anna", "GET", "/runs/RUN/files/..%2f..%2f..%2fprofile.toml", None, {}, 404),
    "a file by its path": ("anna", "GET", "/runs/RUN/files/%2fetc%2fpasswd", None, {}, 404),
    "a file by its name": ("anna", "GET", "/runs/RUN/files/journal.sqlite3", None, {}, 404),
    "a style outside": ("", "GET", "/static/..%2fserver.py", None, {}, 404),
    "a script outside": ("", "GET", "/_nicegui/3.18.0/static/..%2f..%2fnicegui.py", None, {}, 404),
    "a blank file that is not there": ("anna", "GET", "/templates/nobody.xlsx", None, {}, 404),
    "an upload of the library": ("anna", "POST", "/_nicegui/client/x/upload/1", b"x", {}, 404),
}  # fmt: skip


@pytest.mark.parametrize("attack", _ATTACKS)
def test_an_attack_is_refused_and_nothing_is_changed(site: Site, attack: str) -> None:
    who, method, path, body, headers, status = _ATTACKS[attack]
    browser = site.people[who] if who else Browser(site.console.url)
    before = state_of(site.workspace)
    answer = browser.ask(method, path.replace("DRAFT", site.draft).replace("RUN", site.run), body, **headers)
    assert answer.status == status, answer.text[-600:]
    assert "Traceback" not in answer.text
    assert state_of(site.workspace) == before


@pytest.mark.parametrize("address", ["/drafts/new/file", "/drafts/DRAFT/fixed"])
@pytest.mark.parametrize(
    "part", ["Content-Length: 1000\r\n\r\nID,Email\n", "Transfer-Encoding: chunked\r\n\r\n9\r\nID,Email\n\r\n"]
)
def test_an_upload_that_is_cut_off_leaves_nothing(site: Site, address: str, part: str) -> None:
    before = state_of(site.workspace)
    anna = site.people["anna"]
    path = f"{address.replace('DRAFT', site.draft)}?name=cut.csv"
    with anna.sends(f"PUT {path} HTTP/1.1\r\n{anna.head}{part}"):
        wait_until(lambda: any(name.endswith("cut.csv") for name in state_of(site.workspace)))
    wait_until(lambda: state_of(site.workspace) == before)


_CUT_OFF = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nname=a"


@pytest.mark.parametrize(
    ("request_line", "rest"),
    [
        ("GET /_nicegui/3.18.0/static/vue.esm-browser.prod.js", "\r\n"),
        ("GET /static/console.js", "\r\n"),
        ("GET /favicon.ico", "\r\n"),
        ("GET /runs/RUN", "\r\n"),
        ("GET /runs/RUN/files/report", "\r\n"),
        ("POST /sign-in", _CUT_OFF),
        ("POST /sign-out", _CUT_OFF),
        ("POST /_nicegui_ws/socket.io/?EIO=4&transport=polling", _CUT_OFF),
    ],
)
def test_whoever_leaves_before_the_answer_is_no_error(site: Site, request_line: str, rest: str) -> None:
    """Closed by a reset, as a browser does with a tab; at its end, the console must not have logged an error."""
    ben = Browser(site.console.url).signs_in("ben")
    for _ in range(10):
        line = f"{request_line.replace('RUN', site.run)} HTTP/1.1\r\n"
        connection = ben.sends(f"{line}{ben.head}{rest}")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert Browser(site.console.url).ask("GET", "/sign-in").status == 200


@pytest.mark.parametrize("length", ["abc", "-1", "1, 2"])
def test_a_length_that_is_none_is_refused(site: Site, length: str) -> None:
    before, anna = state_of(site.workspace), site.people["anna"]
    for request in ("POST /sign-in", "PUT /drafts/new/file?name=a.csv"):
        with anna.sends(f"{request} HTTP/1.1\r\n{anna.head}Content-Length: {length}\r\n\r\nID,Email\n") as connection:
            assert connection.recv(12) == b"HTTP/1.1 400"
    assert state_of(site.workspace) == before


def test_a_file_that_is_larger_than_its_stated_length_ends_there(site: Site) -> None:
    """What follows is another request, and none that this server takes."""
    anna = site.people["anna"]
    before = state_of(site.workspace)
    lying = f"PUT /drafts/new/file?name=a.exe HTTP/1.1\r\n{anna.head}Content-Length: 5\r\n\r\nID,EmailID,Email\r\n\r\n"
    with anna.sends(lying) as connection:
        assert connection.recv(12) in {b"HTTP/1.1 400", b"HTTP/1.1 422"}
    wait_until(lambda: state_of(site.workspace) == before)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, b"101"),
        ({"Origin": "http://evil.example.com"}, b"403"),
        ({"Origin": ""}, b"403"),
        ({"Cookie": ""}, b"403"),
        ({"Host": "evil.example.com"}, b"403"),
    ],
)
def test_a_websocket_is_only_for_our_own_pages(site: Site, headers: dict[str, str], status: bytes) -> None:
    carl = site.people["carl"]
    given = {"Host": urlsplit(carl.url).netloc, "Origin": carl.url, "Cookie": carl.cookie, **headers}
    lines = "".join(f"{name}: {text}\r\n" for name, text in given.items() if text)
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    with carl.sends(f"GET {path} HTTP/1.1\r\n{lines}{upgrade}{key}\r\n") as connection:
        assert connection.recv(12).split()[1] == status


def test_what_a_socket_cannot_read_is_not_printed(site: Site) -> None:
    """The library of the sockets has a log of its own, which prints what it was sent; the end of the console looks."""
    carl, path = site.people["carl"], "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert carl.ask("POST", f"{path}&sid={CANARY}", b"2").status == 400
    opened = json.loads(carl.ask("GET", path).text[1:])
    assert carl.ask("POST", f"{path}&sid={opened['sid']}", CANARY.encode()).status == 200


# --------------------------------------------------------------------------- sessions and links


def test_a_link_works_once_and_a_session_ends_when_its_user_is_idle_or_signs_out(user: User) -> None:
    profile = user.has("profile.toml", profile_text("idle_s = 0.5", users=False))
    with console_of(user, "--config", profile) as console:
        link = urlsplit(console.link).path
        stranger = Browser(console.url)
        assert stranger.ask("GET", "/enter/another").status == 403
        entered = stranger.ask("GET", link)
        assert entered.status == 303
        assert Browser(console.url).ask("GET", link).status == 403
        stranger.cookie = entered.headers["set-cookie"].partition(";")[0]
        over = time.monotonic() + 0.8
        assert stranger.ask("GET", "/settings").status == 200
        wait_until(lambda: time.monotonic() > over)
        assert stranger.ask("GET", "/settings").status == 401
        assert stranger.ask("PUT", _NEW, _BODY).status == 401
        assert not (user.home / "runs" / "drafts").exists()


def test_who_has_signed_out_is_a_stranger(site: Site) -> None:
    rita = Browser(site.console.url).signs_in("rita")
    assert rita.ask("GET", "/").status == 200
    assert rita.ask("POST", "/sign-out", b"").status == 303
    assert rita.ask("GET", "/").status == 401


def test_a_bug_is_logged_by_its_type_alone(user: User) -> None:
    """A report that somebody edited by hand stands for whatever nobody has thought of."""
    assert user.types("validate", user.has("earlier.csv", FILE)).code == 3
    report = next(user.home.glob("runs/*/report.json"))
    report.write_text(json.dumps({**json.loads(report.read_text("utf-8")), "counts": CANARY}), "utf-8")
    profile = user.has("profile.toml", profile_text())
    with console_of(user, "--config", profile) as console:
        anna = Browser(console.url).signs_in("anna")
        answers = [anna.ask("GET", f"/runs/{report.parent.name}{path}") for path in ("", "/files/report")]
        code, written = console.stop()
    assert [one.status for one in answers] == [500, 500]
    assert all("Something went wrong" in one.text and CANARY not in one.text for one in answers)
    assert code == 0
    assert "AttributeError" in written
    assert all(secret not in written for secret in (CANARY, PASSWORD, anna.cookie.partition("=")[2]))


# --------------------------------------------------------------------------- networks


@pytest.mark.parametrize(
    ("host", "lines", "users", "says"),
    [
        ("0.0.0.0", [], False, "open to everybody"),  # noqa: S104  # it has to be refused
        ("0.0.0.0", [], True, "unencrypted"),  # noqa: S104
        ("0.0.0.0", ['certificate = "c.pem"', 'private_key = "k.pem"'], True, "every address"),  # noqa: S104
        ("127.0.0.1", ['url = "https://import.example.com"'], False, "open to everybody who reaches import.example"),
        ("127.0.0.1", ['certificate = "c.pem"', 'private_key = "k.pem"'], True, "certificate 'c.pem'"),
    ],
)
def test_a_network_is_refused_without_users_or_without_tls(
    user: User, host: str, lines: list[str], users: bool, says: str
) -> None:
    profile = user.has("profile.toml", profile_text(*lines, users=users))
    ran = user.types("console", "--config", profile, "--host", host, "--port", "0")
    assert ran.code == 2, ran.err
    assert says in ran.err
    assert ran.out == ""
    assert [path.name for path in user.home.iterdir()] == ["profile.toml"]


def test_with_tls_of_its_own_cookies_are_for_tls_alone(user: User) -> None:
    subprocess.run(
        [needed("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", "k.pem", "-out", "c.pem", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=user.home, check=True, capture_output=True,
    )  # fmt: skip
    places = [f'certificate = "{user.home}/c.pem"', f'private_key = "{user.home}/k.pem"']
    with console_of(user, "--config", user.has("profile.toml", profile_text(*places))) as console:
        assert console.url.startswith("https://127.0.0.1:")
        tls = ssl.create_default_context(cafile=str(user.home / "c.pem"))
        anna = Browser(console.url, tls=tls).signs_in("anna")
        assert anna.ask("GET", "/").headers["set-cookie"].endswith("; Secure")
        assert anna.ask("PUT", _NEW, _BODY, Origin=console.url.replace("https", "http")).status == 403
        with pytest.raises((http.client.HTTPException, OSError)):
            Browser(console.url.replace("https", "http")).ask("GET", "/sign-in")


def test_behind_a_proxy_the_address_is_that_of_the_proxy_alone(user: User) -> None:
    url, port = "https://import.example.com", _free_port()
    profile = user.has("profile.toml", profile_text(f'url = "{url}"'))
    with console_of(user, "--config", profile, "--port", str(port)) as console:
        at = f"127.0.0.1:{port}"
        assert console.url == url
        anna = Browser(url, at).signs_in("anna")
        assert anna.ask("GET", "/").headers["set-cookie"].endswith("; Secure")
        assert anna.ask("GET", "/", Host=at).status == 403
        assert anna.ask("PUT", _NEW, _BODY, Origin=f"http://{at}").status == 403
        assert anna.ask("PUT", _NEW, _BODY).status == 200


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        return int(one.getsockname()[1])
