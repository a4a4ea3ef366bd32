"""`importer console --new-user`: a password is asked for on a terminal, and becomes the lines of a user."""

from __future__ import annotations

import re
import tomllib

import pytest

from importer.profile import Profile
from tests.acceptance.conftest import User
from tests.acceptance.test_acceptance_keys import Terminal

PASSWORD = "plainly-fictional-password"


def test_a_new_user_is_asked_for_a_password_and_printed_for_the_profile(user: User) -> None:
    argon2 = pytest.importorskip("argon2")
    terminal = Terminal.of(user, "console", "--new-user", "dora")
    terminal.answers("Password: ", PASSWORD)
    terminal.answers("Repeat for confirmation: ", PASSWORD)

    assert terminal.ended() == 0, terminal.screen
    assert PASSWORD not in terminal.screen
    lines = re.sub(r".*(?=\[console)", "", terminal.screen.replace("\r\n", "\n"), flags=re.DOTALL)
    users = tomllib.loads(lines)["console"]["users"]
    assert argon2.PasswordHasher().verify(users["dora"]["password"], PASSWORD)
    assert Profile.load(user.has("console.toml", lines), environ={}).console.users["dora"].roles == ("prepare",)


@pytest.mark.slow
def test_a_short_password_is_refused(user: User) -> None:
    terminal = Terminal.of(user, "console", "--new-user", "dora")
    terminal.answers("Password: ", "short")
    terminal.answers("Repeat for confirmation: ", "short")

    assert terminal.ended() == 2
    assert "fewer than 12 characters" in terminal.screen
    assert "$argon2id$" not in terminal.screen


@pytest.mark.slow
def test_without_a_terminal_nobody_is_asked(user: User) -> None:
    ran = user.types_for_real("console", "--new-user", "dora")

    assert ran.code == 2
    assert "no terminal" in ran.err
    assert ran.out == ""
