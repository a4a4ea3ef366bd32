"""The way to a secure address: certificates of an authority of one's own, and a forward proxy; both real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.acceptance.components import Certified, Front, certified, free_port, nginx, tinyproxy
from tests.acceptance.conftest import SOON, Ran, User, Witness, exactly_once, people, sandbox

BEYOND = "0.0.0.0"  # noqa: S104  # an address of this machine that is no loopback address: a proxy is asked for it
SURROUNDINGS = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
ROWS = 40


@dataclass(frozen=True)
class Secure:
    """An emulator behind nginx that speaks TLS."""

    front: Front
    tls: Certified

    def base_url(self, host: str = "127.0.0.1") -> str:
        return f"https://{host}:{self.front.port}"


@pytest.fixture
def user(user: User) -> User:
    """A user whose surroundings name no proxy and no authority."""
    names = {*SURROUNDINGS, *(name.lower() for name in SURROUNDINGS)}
    return User(user.home, {name: value for name, value in user.environ.items() if name not in names})


@pytest.fixture
def secure(user: User, witness: Witness) -> Iterator[Secure]:
    tls = certified(user.home, "IP:127.0.0.1", f"IP:{BEYOND}")
    upstream = witness.base_url.removeprefix("http://")
    with nginx(user.home, upstream, server=tls.nginx_lines, tls=True) as front:
        yield Secure(front, tls)


def run_to(user: User, base_url: str, *delivery: str, **environ: str) -> Ran:
    """Import some people into what answers at an address."""
    lines = ["[delivery]", 'rate = "400/s"', "backoff_base_s = 0.01", *SOON, *delivery]
    lines += ["[targets.sandbox]", f'base_url = "{base_url}"', 'account = "tests"']
    profile = user.has("secure.toml", "\n".join(lines) + "\n")
    return user.types("run", user.has("people.csv", people(ROWS)), *sandbox(profile), "--json", **environ)


def nothing_arrived(witness: Witness, front: Front | None = None) -> None:
    """Hold it against what arrived: no customer, no request, no credentials."""
    assert witness.ledger()["requests"] == 0
    assert front is None or front.statuses() == []


# --------------------------------------------------------------------------- certificates


def test_an_authority_of_ones_own_is_trusted_when_ssl_cert_file_names_it(
    user: User, witness: Witness, secure: Secure
) -> None:
    ran = run_to(user, secure.base_url(), SSL_CERT_FILE=str(secure.tls.authority), **witness.environ)

    assert ran.code == 0, ran.out
    exactly_once(witness, user.reads(ran.json["files"]["results"]))


def test_an_authority_that_nobody_named_is_refused_before_anything_is_sent(
    user: User, witness: Witness, secure: Secure
) -> None:
    ran = run_to(user, secure.base_url(), **witness.environ)

    assert (ran.code, ran.json["counts"]["unsent"]) == (5, ROWS), ran.out
    assert "certificate is not trusted" in ran.json["error"]
    assert "SSL_CERT_FILE" in ran.json["error"]
    nothing_arrived(witness, secure.front)


def test_a_certificate_for_another_address_is_refused_before_anything_is_sent(user: User, witness: Witness) -> None:
    other = certified(user.home, "DNS:api.example.com")
    upstream = witness.base_url.removeprefix("http://")
    with nginx(user.home, upstream, server=other.nginx_lines, tls=True) as front:
        there = f"https://127.0.0.1:{front.port}"
        ran = run_to(user, there, SSL_CERT_FILE=str(other.authority), **witness.environ)

        assert (ran.code, ran.json["counts"]["unsent"]) == (5, ROWS), ran.out
        assert "certificate is not trusted" in ran.json["error"]
        nothing_arrived(witness, front)


def test_a_file_of_authorities_that_is_not_there_is_wrong_use(user: User, witness: Witness) -> None:
    there = witness.base_url.replace("http://", "https://")
    ran = run_to(user, there, SSL_CERT_FILE="missing.pem", **witness.environ)

    assert ran.code == 2, ran.out
    assert "SSL_CERT_FILE points to missing.pem" in ran.json["error"]
    nothing_arrived(witness)


def test_https_to_a_server_that_speaks_plain_http_sends_nothing(user: User, witness: Witness) -> None:
    there = witness.base_url.replace("http://", "https://")
    ran = run_to(user, there, "max_attempts = 2", "breaker_faults = 5", **witness.environ)

    counts = ran.json["counts"]
    assert ran.code == 4, ran.out
    assert "No secure connection came about" in ran.json["error"]
    assert counts["failed"] + counts["unsent"] == ROWS
    nothing_arrived(witness)


@pytest.mark.parametrize("there", [f"http://{BEYOND}:9", "http://api.example.com"])
def test_plain_http_is_for_this_machine_alone(user: User, there: str) -> None:
    ran = run_to(user, there, ROCKETKOR_API_KEY="key", ROCKETKOR_API_SECRET="secret")

    assert ran.code == 2, ran.out
    assert "https://" in ran.json["error"]


# --------------------------------------------------------------------------- the proxy


def test_a_forward_proxy_is_used_and_sees_nothing_but_the_address(user: User, witness: Witness, secure: Secure) -> None:
    with tinyproxy(user.home, secure.front.port) as proxy:
        environ = {"HTTPS_PROXY": proxy.base_url, "SSL_CERT_FILE": str(secure.tls.authority), **witness.environ}
        ran = run_to(user, secure.base_url(BEYOND), **environ)

        assert ran.code == 0, ran.out
        exactly_once(witness, user.reads(ran.json["files"]["results"]))
        seen = proxy.log.read_text(encoding="utf-8")
        assert f"CONNECT {BEYOND}:{secure.front.port}" in seen
        assert "/v1/customers" not in seen


def test_what_no_proxy_names_is_reached_directly_and_so_is_loopback(
    user: User, witness: Witness, secure: Secure
) -> None:
    with tinyproxy(user.home, secure.front.port) as proxy:
        environ = {"HTTPS_PROXY": proxy.base_url, "SSL_CERT_FILE": str(secure.tls.authority), **witness.environ}
        spared = run_to(user, secure.base_url(BEYOND), NO_PROXY=f"example.com,{BEYOND}", **environ)
        near = run_to(user, secure.base_url(), **environ)

        assert (spared.code, near.code) == (0, 0), spared.out + near.out
        assert f":{secure.front.port}" not in proxy.log.read_text(encoding="utf-8")


def test_a_proxy_that_wants_a_login_gets_it_and_nobody_else_sees_it(
    user: User, witness: Witness, secure: Secure
) -> None:
    with tinyproxy(user.home, secure.front.port, more="BasicAuth clerk pr0xy-s3cret") as proxy:
        environ = {"SSL_CERT_FILE": str(secure.tls.authority), **witness.environ}
        wrong = f"http://clerk:pr0xy-wr0ng@127.0.0.1:{proxy.port}"
        refused = run_to(user, secure.base_url(BEYOND), HTTPS_PROXY=wrong, **environ)
        assert (refused.code, refused.json["counts"]["unsent"]) == (5, ROWS), refused.out
        assert "HTTPS_PROXY" in refused.json["error"]
        nothing_arrived(witness, secure.front)

        right = wrong.replace("pr0xy-wr0ng", "pr0xy-s3cret")
        ran = user.types("resume", "last", *sandbox(user.home / "secure.toml"), "--json", HTTPS_PROXY=right, **environ)
        assert ran.code == 0, ran.out
        exactly_once(witness, user.reads(ran.json["files"]["results"]))
    left = b"".join(path.read_bytes() for path in (user.home / "runs").rglob("*") if path.is_file())
    assert b"pr0xy-" not in left + f"{refused}{ran}".encode()


def test_a_proxy_that_does_not_let_us_through_stops_the_run(user: User, witness: Witness, secure: Secure) -> None:
    with tinyproxy(user.home, target=443) as proxy:
        ran = run_to(user, secure.base_url(BEYOND), HTTPS_PROXY=proxy.base_url, **witness.environ)

        assert (ran.code, ran.json["counts"]["unsent"]) == (5, ROWS), ran.out
        assert "NO_PROXY" in ran.json["error"]
        nothing_arrived(witness, secure.front)


def test_a_proxy_that_is_not_there_is_named_and_nothing_is_sent(user: User, witness: Witness, secure: Secure) -> None:
    environ = {"HTTPS_PROXY": f"http://127.0.0.1:{free_port()}", **witness.environ}
    ran = run_to(user, secure.base_url(BEYOND), "max_attempts = 2", "breaker_faults = 5", **environ)

    assert ran.code == 4, ran.out
    assert "HTTPS_PROXY" in ran.json["error"]
    nothing_arrived(witness, secure.front)
