"""`importer key`: a key is made, and its public half goes into a policy."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from importer.approval import sign
from importer.runs.plans.kinds import read_plan
from importer.runs.wiring import SystemClock
from tests.acceptance.conftest import IMPORTER, User
from tests.approvals import Office
from tests.unit.runs.test_runs_import_plan import a_plan

PHRASE = "plainly-fictional-phrase"
ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
HOST = "api.example.com"


@dataclass
class Terminal:
    """A command on a terminal of its own, in a process that has nothing else."""

    process: subprocess.Popen[bytes]
    screen: str = ""

    @classmethod
    def of(cls, user: User, *words: str | Path, **environ: str) -> Terminal:
        """Type a command."""
        return cls(
            subprocess.Popen(
                [sys.executable, "-c", ON_A_TERMINAL, *IMPORTER, *map(str, words)],
                cwd=user.home,
                env={**user.environ, "TERM": "dumb", **environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )

    def answers(self, question: str, answer: str) -> None:
        """Wait until something is asked, and type the answer; what is typed before the last letter is thrown away."""
        seen = len(self.screen)
        while question not in self.screen[seen:]:
            new = os.read(_pipe(self.process.stdout).fileno(), 4096)
            assert new, self.screen
            self.screen += new.decode()
        _pipe(self.process.stdin).write(f"{answer}\n".encode())
        _pipe(self.process.stdin).flush()

    def ended(self) -> int:
        """Wait for the end; its exit code."""
        rest, _ = self.process.communicate(timeout=60)
        self.screen += rest.decode()
        assert "Traceback" not in self.screen
        return self.process.returncode


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def test_a_key_is_made_and_its_public_half_is_ready_for_the_policy(user: User) -> None:
    keys = user.home / "keys"
    made = user.types("key", "new", "ben", IMPORTER_KEYS=str(keys))

    assert made.code == 0, made.err
    private = keys / "ben.key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert str(private) in made.err
    assert tomllib.loads(made.out)["people"]["ben"]["key"].startswith("ed25519:")
    secret = private.read_text("ascii").splitlines()[1]
    assert secret not in made.out + made.err
    again = user.types("key", "show", "ben", "--json", IMPORTER_KEYS=str(keys))
    assert again.json["public_key"] == tomllib.loads(made.out)["people"]["ben"]["key"]
    assert user.types("key", "new", "ben", IMPORTER_KEYS=str(keys)).code == 2
    assert private.read_text("ascii").splitlines()[1] == secret


def test_a_locked_key_needs_its_passphrase_which_is_nowhere(user: User) -> None:
    keys, phrase = user.home / "keys", "plainly-fictional-phrase"
    made = user.types("key", "new", "ben", "--passphrase", IMPORTER_KEYS=str(keys), IMPORTER_KEY_PASSPHRASE=phrase)
    assert made.code == 0, made.err

    refused = user.types("key", "show", "ben", IMPORTER_KEYS=str(keys))
    wrong = user.types("key", "show", "ben", IMPORTER_KEYS=str(keys), IMPORTER_KEY_PASSPHRASE="another-phrase")

    assert (refused.code, wrong.code) == (5, 5)
    assert "IMPORTER_KEY_PASSPHRASE" in refused.err
    assert "is wrong" in wrong.err
    written = [path.read_bytes() for path in Path(user.home).rglob("*") if path.is_file()]
    assert not any(phrase.encode() in content for content in written)
    assert phrase not in made.out + made.err + wrong.err


def test_without_a_terminal_no_passphrase_is_made_up(user: User) -> None:
    keys = user.home / "keys"

    refused = user.types("key", "new", "ben", "--passphrase", IMPORTER_KEYS=str(keys))

    assert (refused.code, keys.exists()) == (2, False)


# --------------------------------------------------------------------------- on a terminal


@pytest.mark.slow
def test_a_passphrase_is_asked_for_twice_and_is_not_shown(user: User) -> None:
    keys = {"IMPORTER_KEYS": str(user.home / "keys")}
    made = Terminal.of(user, "key", "new", "ben", "--passphrase", **keys)
    made.answers("Passphrase: ", PHRASE)
    made.answers("Repeat for confirmation: ", "another")
    made.answers("Passphrase: ", PHRASE)
    made.answers("Repeat for confirmation: ", PHRASE)
    assert made.ended() == 0, made.screen

    assert PHRASE not in made.screen
    assert "do not match" in made.screen
    shown = user.types("key", "show", "ben", **keys, IMPORTER_KEY_PASSPHRASE=PHRASE)
    assert (shown.code, shown.out.strip() in made.screen.replace("\r\n", "\n")) == (0, True), made.screen


@dataclass
class Desk:
    """Where Ben, whose key is locked, looks at a plan of Anna."""

    user: User
    environ: dict[str, str]

    def approves(self) -> Terminal:
        return Terminal.of(self.user, "approve", "plan.json", "--key", "ben", **self.environ)

    @property
    def signed(self) -> list[str]:
        return [one.name for one in read_plan(self.user.home / "plan.json").signatures]


@pytest.fixture
def desk(user: User) -> Desk:
    keys = {"IMPORTER_KEYS": str(user.home / "keys")}
    locked = user.types("key", "new", "ben", "--passphrase", "--json", **keys, IMPORTER_KEY_PASSPHRASE=PHRASE)
    office, now = Office(user.home / "office", HOST), SystemClock().now()
    policy = office.decrees()
    policy.write_text(policy.read_text().replace(office.signer("ben").public, locked.json["public_key"]))
    made: Any = a_plan(host=HOST, made_at=now - 60.0, expires_at=now + 86_400.0)
    made.signed(sign(made.sha256, "author", office.signer("anna"), now)).write(user.home / "plan.json")
    return Desk(user, {**keys, "IMPORTER_APPROVAL_POLICY": str(policy)})


@pytest.mark.slow
def test_a_plan_is_signed_with_a_locked_key_after_a_passphrase_and_a_yes(desk: Desk) -> None:
    approving = desk.approves()
    approving.answers("Passphrase of the key of ben: ", PHRASE)
    approving.answers("Approve 'plan.json' as ben?", "y")
    assert approving.ended() == 0, approving.screen

    assert PHRASE not in approving.screen
    assert "Plan to import 3 customers into sandbox" in approving.screen
    assert "ben approved the plan." in approving.screen
    assert desk.signed == ["anna", "ben"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ([("Passphrase of the key of ben: ", "another-phrase")], 5, "is wrong"),
        ([("Passphrase of the key of ben: ", PHRASE), ("as ben?", "n")], 2, "it was not confirmed"),
        ([("Passphrase of the key of ben: ", "\x03")], 130, ""),
        ([("Passphrase of the key of ben: ", PHRASE), ("as ben?", "\x03")], 130, ""),
    ],
)
def test_nothing_is_signed_with_a_wrong_passphrase_or_without_a_yes(
    desk: Desk, answers: list[tuple[str, str]], code: int, said: str
) -> None:
    approving = desk.approves()
    for question, answer in answers:
        approving.answers(question, answer)

    assert (approving.ended(), said in approving.screen) == (code, True), approving.screen
    assert desk.signed == ["anna"]
