"""Nights that are reported by mail, through a real server: with counts, no personal data, never at a cost for a run."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.acceptance.components import free_port
from tests.acceptance.conftest import Ran, User, people

PASSWORD = "mail-secret"
LOGIN = LoginPassword(b"importer", PASSWORD.encode())


@dataclass
class Post:
    """A mail server that keeps what it takes, and who hands it over.

    Args:
        refuses: what it answers to a letter instead of taking it.
    """

    port: int
    letters: list[Envelope] = field(default_factory=list)
    refuses: str = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # its word
        assert session.authenticated
        if self.refuses:
            return self.refuses
        self.letters.append(envelope)
        return "250 Kept"

    def letter(self) -> EmailMessage:
        """The one letter that came."""
        (envelope,) = self.letters
        assert isinstance(envelope.content, bytes)
        assert (envelope.mail_from, envelope.rcpt_tos) == ("importer@example.com", ["night@example.com"])
        read = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        return read


def address(port: int) -> str:
    return (
        f"mailto://importer:{PASSWORD}@127.0.0.1:{port}/?from=importer@example.com&to=night@example.com&mode=insecure"
    )


@contextmanager
def post_office(refuses: str = "") -> Iterator[Post]:
    """A mail server for a block; it knows one login."""
    post = Post(free_port(), refuses=refuses)

    def known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=given == LOGIN, handled=given == LOGIN)

    controller = Controller(post, "127.0.0.1", post.port, authenticator=known, auth_require_tls=False)
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


def night(user: User, url: str, content: str, **environ: str) -> Ran:
    """One night with one file, reported to an address."""
    (user.home / "inbox").mkdir()
    (user.home / "inbox" / "a.csv").write_text(content)
    settings = {"IMPORTER_NIGHTLY__SETTLE_S": "0.02", "IMPORTER_NOTIFY_URLS": url, **environ}
    return user.types("nightly", "inbox", "--target", "emulator", "--json", **settings)


@pytest.mark.parametrize(
    ("spoil", "code", "level", "counted"),
    [("", 0, "done", "10 rows: 10 created."), ("@", 3, "degraded", "10 rows: 8 created, 2 invalid.")],
)
def test_a_letter_reports_level_counts_and_report_and_nothing_of_a_customer(
    user: User, spoil: str, code: int, level: str, counted: str
) -> None:
    lines = people(10).splitlines()
    content = "\n".join(lines[:9] + [line.replace(spoil, " at ") if spoil else line for line in lines[9:]]) + "\n"
    with post_office() as post:
        ran = night(user, address(post.port), content)
        letter = post.letter()

    assert (ran.code, ran.json["notified"]) == (code, True)
    created = ran.json["counts"]["created"]
    assert letter["Subject"] == f"Customer import {level}: 1 file, {created} customers created"
    assert letter["To"] == "night@example.com"
    body = letter.get_body(("plain",)) or letter
    text = str(body.get_content())
    assert f"a.csv: {counted}" in text
    assert f"Exit code: {code}." in text
    (report,) = [line.partition("report: ")[2].strip() for line in text.splitlines() if "report: " in line]
    assert Path(report).is_file()
    assert not [word for word in ("Given", "Family", "person", "+1", PASSWORD) if word in letter.as_string()]


@contextmanager
def dead(kind: str) -> Iterator[int]:
    """A broken mail server, for a block: its port."""
    if kind == "takes no letter":
        with post_office("554 Not here") as post:
            yield post.port
    elif kind == "says nothing":
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            yield server.getsockname()[1]
    else:
        yield free_port()


@pytest.mark.parametrize("kind", ["nobody there", "says nothing", "takes no letter"])
def test_a_mail_server_that_is_broken_fails_no_import(user: User, kind: str) -> None:
    with dead(kind) as port:
        ran = night(user, address(port), people(5), IMPORTER_NOTIFY__TIMEOUT_S="0.5")

    assert (ran.code, ran.json["notified"], ran.json["counts"]["created"]) == (0, False, 5)
    (archived,) = (user.home / "inbox" / "archive").iterdir()
    assert (archived / "a.csv").is_file()
    assert PASSWORD not in ran.out + ran.err
    logged = "".join(path.read_text("utf-8") for path in user.home.glob("runs/*/run.log.jsonl"))
    assert PASSWORD not in logged


def test_a_login_that_the_mail_server_refuses_fails_no_import(user: User) -> None:
    with post_office() as post:
        ran = night(user, address(post.port).replace(PASSWORD, "outdated"), people(5))

    assert (ran.code, ran.json["notified"], post.letters) == (0, False, [])
    assert json.dumps("outdated") not in ran.out
    assert "outdated" not in ran.err
