from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from importer.core.errors import ProfileError, UsageError
from importer.targets import connect
from tests.unit.targets.scripted import KEY, SECRET, CountingLimiter, FixedClock, access, credentials


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://api.example.com", "https://api.example.com"),
        (" https://api.example.com/ ", "https://api.example.com"),
        ("https://api.example.com:8443/gate/", "https://api.example.com:8443/gate"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://api.localhost", "http://api.localhost"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_an_address_is_kept_without_slashes_at_its_end(written: str, kept: str) -> None:
    assert access(written).base_url == kept


@pytest.mark.parametrize(
    "written",
    [
        "https://api.example.com",
        "https://api.example.com/",
        "https://api.example.com/v1",
        "https://api.example.com/v1/",
    ],
)
async def test_the_version_of_the_api_may_be_in_the_address(written: str) -> None:
    target = await connect("rocketkor", access(written), CountingLimiter(), FixedClock())

    assert "'https://api.example.com/v1/customers'" in repr(target)
    await target.aclose()


@pytest.mark.parametrize(
    "written",
    [
        "http://api.example.com",
        "http://10.0.0.1",
        "http://192.168.1.5:8080",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://[2001:db8::1]",
        "http://0.0.0.0:80",
    ],
)
def test_plain_http_leaves_this_machine_never(written: str) -> None:
    with pytest.raises(ProfileError, match="https://"):
        access(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https:///v1",
        "https://[broken",
        "https://api.example.com:99999",
        "https://api.example.com:port",
        "https://api.exa mple.com",
        "https://api.example.com/\n",
        "https://äpi.example.com",
        "https://api.example.com?x=1",
        "https://api.example.com#top",
    ],
)
def test_what_is_not_an_address_is_refused_with_a_fix(written: str) -> None:
    if written.endswith("\n"):
        assert access(written).base_url == "https://api.example.com"
        return
    with pytest.raises(ProfileError) as refusal:
        access(written)
    assert refusal.value.hint


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(ProfileError) as refusal:
        access("https://user:canary-password@api.example.com")

    assert "canary" not in str(refusal.value)
    assert "environment variables" in str(refusal.value)


@pytest.mark.parametrize(("key", "secret"), [("", "s"), ("k", ""), ("a:b", "s"), ("k", "s\n"), ("k\x00", "s")])
async def test_credentials_that_cannot_be_sent_are_refused_and_not_repeated(key: str, secret: str) -> None:
    cannot_be_sent = access("https://api.example.com", credentials=credentials(key, secret))
    with pytest.raises(UsageError) as refusal:
        await connect("rocketkor", cannot_be_sent, CountingLimiter(), FixedClock())

    assert "a:b" not in str(refusal.value)


@pytest.mark.parametrize("name", ["connect_timeout_s", "read_timeout_s", "total_timeout_s", "max_connections"])
def test_limits_must_leave_something(name: str) -> None:
    with pytest.raises(ProfileError):
        access("https://api.example.com", **{name: 0})


def test_access_never_shows_its_secrets_and_survives_pickling() -> None:
    shown = access("https://api.example.com")

    assert KEY not in repr(shown)
    assert SECRET not in repr(shown)
    assert pickle.loads(pickle.dumps(shown)) == shown  # noqa: S301  # our own bytes


def test_importing_the_room_loads_no_network_library() -> None:
    code = (
        "import sys, importer.targets; print([name for name in ('aiohttp', 'ssl', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
