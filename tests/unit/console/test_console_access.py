"""Who gets in, what they may do, and when a session ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from importer.console.access import Access, RefusedError, Role, Session, password_hash
from importer.console.sessions import ENDED, Sessions, key_of
from importer.profile import ConsoleSettings

PASSWORD = "a long password of anna"
IDLE_S = 1_800.0


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def now(self) -> float:
        return self.at


Start = Callable[..., Access]


@cache
def hash_of(password: str) -> str:
    """Hash a password once; it is slow on purpose."""
    return password_hash(password)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a console in the same workspace, again and again."""

    def access(clock: Clock, secret: bytes = b"secret", password: str = PASSWORD, **roles: tuple[str, ...]) -> Access:
        users = {name: {"password": hash_of(password), "roles": given} for name, given in roles.items()}
        settings = ConsoleSettings.model_validate({"users": users})
        sessions = Sessions(secret, settings.idle_s, clock.now, tmp_path)
        return Access(settings, sessions, "me", monotonic=clock.now)

    return access


def signed_in(doors: Access) -> Session:
    cookie = doors.sign_in("anna", PASSWORD)
    assert cookie is not None
    known = doors.known(cookie)
    assert known is not None
    return known[0]


def test_a_link_lets_one_browser_in_and_no_second_one(start: Start) -> None:
    doors = start(Clock())
    link = doors.link.token
    assert doors.enter("another") is None
    assert doors.enter(link) is not None
    assert doors.enter(link) is None
    assert doors.link.token != link


def test_whoever_opens_the_link_is_the_user_of_this_computer_and_may_do_everything(start: Start) -> None:
    doors = start(Clock())
    cookie = doors.enter(doors.link.token)
    assert cookie is not None
    known = doors.known(cookie)
    assert known is not None
    assert known[0].user == "me"
    assert all(known[0].may(role) for role in Role)


def test_no_link_lets_anybody_in_where_there_are_users(start: Start) -> None:
    doors = start(Clock(), anna=("view",))
    assert doors.enter(doors.link.token) is None


def test_a_user_signs_in_by_their_password_alone(start: Start) -> None:
    doors = start(Clock(), anna=("prepare",))
    assert doors.sign_in("anna", "another password") is None
    assert doors.sign_in("ben", PASSWORD) is None
    cookie = doors.sign_in("anna", PASSWORD)
    assert cookie is not None
    known = doors.known(cookie)
    assert known is not None
    assert known[0].user == "anna"


def test_after_five_wrong_passwords_the_right_one_is_refused_for_a_minute(start: Start) -> None:
    clock = Clock()
    doors = start(clock, anna=("prepare",), ben=("prepare",))
    for _ in range(5):
        assert doors.sign_in("anna", "wrong") is None
    with pytest.raises(RefusedError, match="60 seconds"):
        doors.sign_in("anna", PASSWORD)
    assert doors.sign_in("ben", PASSWORD) is not None
    clock.at += 61
    assert doors.sign_in("anna", PASSWORD) is not None


def test_wrong_passwords_that_are_tried_at_once_are_counted_as_those_that_are_not(start: Start) -> None:
    doors = start(Clock(), anna=("prepare",))

    def guess(_: int) -> bool:
        try:
            doors.sign_in("anna", "wrong")
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(guess, range(12))) <= 5


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        (("view",), {Role.VIEW}),
        (("prepare",), {Role.VIEW, Role.PREPARE}),
        (("approve",), {Role.VIEW, Role.APPROVE}),
        (("run", "prepare"), {Role.VIEW, Role.PREPARE, Role.RUN}),
    ],
)
def test_a_role_allows_itself_and_viewing(start: Start, roles: tuple[str, ...], may: set[Role]) -> None:
    doors = start(Clock(), anna=roles)
    session = signed_in(doors)
    assert {role for role in Role if session.may(role)} == may
    assert session.sees_values == (roles != ("view",))


def test_what_a_role_does_not_allow_is_refused_and_names_the_role(start: Start) -> None:
    session = signed_in(start(Clock(), anna=("view",)))
    with pytest.raises(RefusedError, match="'run'"):
        session.require(Role.RUN)


def test_a_session_ends_when_its_user_does_nothing_and_goes_on_while_they_do_something(start: Start) -> None:
    clock = Clock()
    doors = start(clock, anna=("view",))
    session = signed_in(doors)
    clock.at += IDLE_S - 1
    session.go_on()
    clock.at += IDLE_S - 1
    session.require(Role.VIEW)
    session.go_on()
    clock.at += IDLE_S + 1
    session.go_on()
    with pytest.raises(RefusedError, match="ended"):
        session.require(Role.VIEW)


def test_what_a_page_does_by_itself_does_not_let_a_session_go_on(start: Start) -> None:
    clock = Clock()
    doors = start(clock, anna=("view",))
    cookie = doors.sign_in("anna", PASSWORD) or ""
    for _ in range(3):
        clock.at += IDLE_S / 3
        known = doors.known(cookie)
        assert known is not None
        session, cookie = known
        session.require(Role.VIEW)
    clock.at += 1
    assert doors.known(cookie) is None
    assert start(clock, anna=("view",)).known(cookie) is None


def test_a_session_outlives_a_restart_and_no_longer_than_its_user_is_away(start: Start) -> None:
    clock = Clock()
    cookie = start(clock, anna=("view",)).sign_in("anna", PASSWORD)
    assert cookie is not None
    clock.at += 60
    assert start(clock, anna=("view",)).known(cookie) is not None
    clock.at += IDLE_S
    assert start(clock, anna=("view",)).known(cookie) is None


def test_a_session_ends_by_signing_out_and_where_the_user_is_gone_from_the_profile(start: Start) -> None:
    clock = Clock()
    doors = start(clock, anna=("view",))
    cookie = doors.sign_in("anna", PASSWORD)
    assert cookie is not None
    known = doors.known(cookie)
    assert known is not None
    assert start(clock, ben=("view",)).known(cookie) is None
    doors.end(known[0].id)
    assert doors.known(cookie) is None


def test_who_has_signed_out_is_a_stranger_after_a_restart_too(start: Start, tmp_path: Path) -> None:
    clock = Clock()
    doors = start(clock, anna=("view",))
    cookies = [doors.sign_in("anna", PASSWORD) or "" for _ in range(3)]
    for cookie in cookies[:2]:
        known = doors.known(cookie)
        assert known is not None
        doors.end(known[0].id)
    again = start(clock, anna=("view",))
    assert [again.known(cookie) is not None for cookie in cookies] == [False, False, True]
    assert (tmp_path / ENDED).stat().st_mode & 0o777 == 0o600


def test_another_password_or_a_profile_without_users_ends_the_sessions_of_a_user(start: Start) -> None:
    clock = Clock()
    cookie = start(clock, anna=("view",)).sign_in("anna", PASSWORD) or ""
    assert start(clock, anna=("view", "run")).known(cookie) is not None
    assert start(clock, password="another password of anna", anna=("view",)).known(cookie) is None
    assert start(clock).known(cookie) is None


def test_a_cookie_that_was_changed_or_signed_by_another_workspace_is_nobody(start: Start) -> None:
    clock = Clock()
    doors = start(clock)
    cookie = doors.enter(doors.link.token)
    assert cookie is not None
    assert start(clock, b"another secret").known(cookie) is None
    assert doors.known("x" + cookie) is None
    assert doors.known("") is None


def test_the_key_of_sessions_is_the_workspaces_own_and_stays(tmp_path: Path) -> None:
    ana, kim = tmp_path / "ana", tmp_path / "kim"

    assert key_of(ana) == key_of(ana) != key_of(kim)
    assert (ana / "console.key").stat().st_mode & 0o777 == 0o600
